"""`hubshelf doctor`: what is checked on a shelf, and what to do about what is wrong."""

from __future__ import annotations

from contextlib import suppress

from resources_cache.errors import CacheError
from resources_cache.library import Check, Library
from sync.errors import SyncBusy, SyncError
from sync.home import Home
from sync.protocol import trust
from sync.protocol.errors import ProtocolError
from sync.surroundings import around, ask_hub


def renew_index(home: Home) -> None:
    """Finish what an update that indexes otherwise left to be done, where there is no window to do it.

    Raises: CacheError.
    """
    with suppress(SyncBusy), home.alone(), home.library() as library:  # a window that has the shelf does it itself
        _renew(library)


def keep_backup(home: Home) -> None:
    """Write a backup of the person's own work where one is due. Raises: CacheError."""
    with home.own() as own:
        own.backup_if_due()


def _renew(library: Library) -> None:
    while library.renew_index():
        pass


def examine(home: Home, *, mend: bool = False, online: bool = False) -> list[Check]:
    """Return the checks of both stores, the trust root, the device's secret and what is around, good and bad.

    Reads only, unless `mend`: then the search index is brought in step with the content first. `online`: the hub
    is asked too. A store that cannot be opened is a failed check, not an error.
    """
    checks: list[Check] = []
    try:
        with home.library() as library:
            if mend:
                library.mend_index()
                _renew(library)
            checks += library.check()
    except CacheError as error:
        checks.append(Check("library", False, str(error), error.advice))
    try:
        with home.own() as own:
            checks += own.check()
            hub, root = own.setting("hub_url"), own.setting("root")
            outside = around(home, own)
    except CacheError as error:
        checks.append(Check("own work", False, str(error), error.advice))
        return checks
    checks += outside
    if hub:
        checks += [_trust(root), _secret(home)]
    if online:
        checks.append(ask_hub(home))
    elif not hub:
        checks.append(Check("hub", True, "This shelf belongs to no hub yet.", ""))
    return checks


def _trust(root: object) -> Check:
    advice = "Enrol again with a new code: the shelf cannot tell the hub's words from a stranger's."
    if not isinstance(root, str):
        return Check("trust root", False, "No trust root is stored.", advice)
    try:
        pinned = trust.pin(root.encode())
    except ProtocolError as error:
        return Check("trust root", False, str(error), advice)
    return Check("trust root", True, f"version {pinned.version}, {pinned.fingerprint[:16]}", "")


def _secret(home: Home) -> Check:
    advice = "Enrol again with a new code. What waits in the outbox is kept and sent afterwards."
    try:
        token = home.secrets().token()
    except SyncError as error:
        return Check("device token", False, str(error), advice)
    with home.own() as own:
        guest = bool(own.setting("guest", False))
    if token is None and not guest:
        return Check("device token", False, "The secret of this device is missing.", advice)
    return Check("device token", True, "kept privately" if token else "not needed by a guest", "")
