"""Following a hub that moved to another address: asked for only where its old one no longer speaks for it."""

from __future__ import annotations

from resources_cache.errors import SettingLocked
from resources_cache.own import Own
from sync.answers import read_all
from sync.errors import CaptivePortal, HubProblem, HubRelocated, Offline, RelocationLocked, SyncError
from sync.protocol.errors import ProtocolError
from sync.protocol.paths import RELOCATION
from sync.protocol.relocation import DOCUMENT, verify_relocation
from sync.protocol.trust import pin
from sync.transport import Request, Transport

_GONE = (301, 308, 404, 410)
"""What a web server says at an address that was left for good (RFC 9110, 15)."""
SEEN = "relocation_seen"
"""Setting: the number of the newest relocation that this shelf followed."""


def looks_moved(error: BaseException | None) -> bool:
    """Whether a hub that moved could have answered so: it is gone, or leads elsewhere."""
    if isinstance(error, HubProblem):
        return error.problem.code in ("hub-moved", "not-found")
    return isinstance(error, CaptivePortal) and error.status in _GONE


def follow(own: Own, transport: Transport) -> HubRelocated | None:
    """Ask the old address where its hub is now, and let this shelf belong there from the next sync on.

    Returns what is told to the person, None where nobody trustworthy says anything new. Raises CacheError.
    """
    root, base = own.setting("root"), own.setting("hub_url")
    if not isinstance(root, str) or not base:
        return None
    try:
        with transport.open(Request("GET", RELOCATION)) as reply:
            if reply.status != 200:
                return None
            document = read_all(reply, DOCUMENT)
        found = verify_relocation(document, pin(root.encode()))
    except (SyncError, ProtocolError, Offline):
        return None  # what went wrong before is what is told
    if found.number <= int(own.setting(SEEN, 0)) or found.address == base:
        return None
    try:
        own.set_setting("hub_url", found.address)
    except SettingLocked:
        return RelocationLocked(found.address)
    own.set_setting(SEEN, found.number)
    return HubRelocated(found.address)
