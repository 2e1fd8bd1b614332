"""Moving a shelf to another PC, and going on from there as the only one that sends.

The file that `move_out` writes needs no network: it carries the old device's token, sealed with everything else.
From then on nothing is sent from the old PC. The new one makes itself a device id and a token, and at its first
contact asks the hub to put this new device in the place of the old (`POST /u/v1/move`). The hub does so once for
each token, in one transaction, and refuses the old one from that moment: so of two that hold the same token, the
old PC that was taken back (`use_again`, which asks for the same) and the new one, the first to speak goes on and
the other is told. What both may have sent arrives once, by its operation id.
"""

from __future__ import annotations

import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources_cache.attachments import open_files
from resources_cache.downloads import MOST, Download
from resources_cache.identity import new_id, utc_now
from resources_cache.library import Library
from resources_cache.moving import (
    LIBRARY_ANEW,
    MOVED_IN,
    MOVED_OUT,
    Contents,
    ShelfInUse,
    in_use,
    pack,
    set_moved,
    stage,
    take_over,
)
from resources_cache.own import Own
from resources_cache.passphrase_file import USUAL_COST
from sync.errors import HubProblem, ShelfMoved, from_wire
from sync.home import Home
from sync.own_devices import ask, new_nonce, no_such_address
from sync.protocol import uploads
from sync.protocol.devices import MoveRequest
from sync.protocol.errors import ProtocolError
from sync.protocol.paths import MOVE
from sync.secrets import Claim
from sync.transport import Transport

_STAGING = "moving-in"
_TOO_LATE = ("device-moved", "device-revoked", "device-lost", "unknown-device")


@dataclass(frozen=True)
class MovedOut:
    """A file for the new PC: its bytes, and what is not in it because the hub gives it again (bytes).

    `library_bytes`: what came from the hub; `kept_bytes`: files that were marked to be kept, which the new PC
    fetches.
    """

    path: Path
    bytes: int
    waiting: int
    library_bytes: int
    kept_bytes: int


@dataclass(frozen=True)
class MovedIn:
    """What came: when the file was made (UTC), the hub and who one is there ("" for none), what waits to be sent,
    and how many bytes the hub will send again."""

    made: str
    hub_name: str
    member: str
    waiting: int
    library_bytes: int
    kept_bytes: int


def move_out(
    home: Home, target: Path, passphrase: str, *, overwrite: bool = False, cost: int = USUAL_COST
) -> MovedOut:
    """Write all own work to `target` for a new PC, and send nothing from here any more.

    Raises ShelfMoved, SyncBusy, FileExists, PassphraseTooShort, SecretsUnusable, MoveFileDamaged, CacheError;
    nothing has changed then.
    """
    with home.alone(), home.own() as own, home.library() as library:
        if (moved := moved_away(own)) is not None:
            raise moved
        wanted = _kept_files(home, own, library)
        made = utc_now()
        library_bytes = _bytes_of(home.path / "library.db")
        kept_bytes = sum(one.size for one in wanted)
        about: dict[str, Any] = {"library_bytes": library_bytes, "kept_bytes": kept_bytes}
        token = _token_to_give(home, own)
        if token:
            about["token"] = token
        contents = pack(
            own,
            open_files(home.path, uploads.FILE),
            target,
            passphrase,
            made=made,
            about=about,
            wanted=wanted,
            overwrite=overwrite,
            cost=cost,
        )
        # Last: where this is not reached, the hub alone decides which of the two goes on.
        set_moved(own, out=made)
        waiting = len(own.outbox.items(["waiting", "sending"]))
    return MovedOut(target, contents.size, waiting, library_bytes, kept_bytes)


def move_in(home: Home, source: Path, passphrase: str, *, replace: bool = False) -> MovedIn:
    """Take over the work in `source`; the hub is told at the next sync.

    All of the file is verified before anything changes. `replace`: also where there is own work here, of which a
    backup is kept. Raises SyncBusy, ShelfInUse, NotAMoveFile, MoveFileTooNew, MoveFileDamaged, WrongPassphrase,
    SecretsUnusable, CacheError.
    """
    with home.alone(), home.own() as own:
        if in_use(own) and not replace:
            raise ShelfInUse("There is work of somebody on this PC's shelf already.")
        staged = stage(source, passphrase, home.path / _STAGING, most_file=uploads.FILE)
        try:
            claim = _claim_in(home, staged.contents)
            settings = {
                MOVED_IN: claim.device if claim is not None else None,
                LIBRARY_ANEW: True,
            }
            take_over(own, open_files(home.path, uploads.FILE), staged, settings, replace=replace)
        finally:
            staged.discard()
        home.secrets().forget_device()
        with home.library() as library:
            _begin_anew(own, library)
        about = staged.contents.about
        return MovedIn(
            staged.contents.made,
            str(own.setting("hub_name") or ""),
            str(own.setting("member") or ""),
            len(own.outbox.items(["waiting", "sending"])),
            _whole(about.get("library_bytes")),
            _whole(about.get("kept_bytes")),
        )


def use_again(home: Home) -> None:
    """Take the old PC into use again. It sends as a new device; where the new PC spoke first, the hub says no.

    Raises SyncBusy, SecretsUnusable, CacheError.
    """
    with home.alone(), home.own() as own:
        if not own.setting(MOVED_OUT):
            return
        token = _token_to_give(home, own)
        claim = _new_claim(home, token) if token else None
        set_moved(own, out=None, becomes=claim.device if claim is not None else None)


def settle_move(home: Home, own: Own, library: Library, transport: Transport) -> None:
    """Before a sync: become the new device that this shelf has announced itself as, if it has.

    Asking again after a lost answer completes the first. Raises AuthNeeded, HubProblem, HubTooOld, Offline,
    CaptivePortal, SecretsUnusable, CacheError.
    """
    _begin_anew(own, library)
    becomes = own.setting(MOVED_IN)
    claim = home.secrets().claim() if isinstance(becomes, str) else None
    if claim is None or claim.device != becomes:
        return
    request = MoveRequest(new_nonce(), claim.device, claim.token, claim.name, platform.system())
    try:
        ask(transport, MOVE, claim.old_token, request)
    except ProtocolError as error:
        raise from_wire(error) from error
    except HubProblem as refused:
        if refused.problem.code not in _TOO_LATE:
            raise no_such_address(refused) from None
        # Another device has this place: the sync itself is told, with the token of before, and says so.
        home.secrets().keep_token(claim.old_token)
    else:
        home.secrets().keep_token(claim.token)
    own.set_setting(MOVED_IN, None)
    home.secrets().forget_claim()


def moved_away(own: Own) -> ShelfMoved | None:
    """What stands in the way of sending from a shelf that was moved to another PC; None for any other."""
    when = own.setting(MOVED_OUT)
    if not when:
        return None
    return ShelfMoved(
        f"This shelf was moved to another PC on {str(when)[:10]}; what is written goes out from there."
    )


def _token_to_give(home: Home, own: Own) -> str | None:
    """The token that the hub knows this shelf by: the old PC's, where it moved in and has not spoken yet."""
    claim, becomes = home.secrets().claim(), own.setting(MOVED_IN)
    if claim is not None and claim.device == becomes:
        return claim.old_token
    if own.setting("guest", False):
        return None
    return home.secrets().token() or (claim.old_token if claim is not None else None)


def _claim_in(home: Home, contents: Contents) -> Claim | None:
    token = contents.about.get("token")
    if not isinstance(token, str) or len(token) != 64:
        return None
    return _new_claim(home, token)


def _new_claim(home: Home, token: str) -> Claim:
    claim = Claim(token, new_id(), secrets.token_hex(32), (platform.node() or "")[:200])
    home.secrets().keep_claim(claim)
    return claim


def _begin_anew(own: Own, library: Library) -> None:
    if own.setting(LIBRARY_ANEW) is True:
        library.clear()
        own.set_setting(LIBRARY_ANEW, None)


def _kept_files(home: Home, own: Own, library: Library) -> list[Download]:
    """The files that the person marked to be kept, as the new PC's queue has them."""
    queued = {one.hash for one in own.downloads.items()}
    pins = own.pins() - queued
    if not pins:
        return []
    found = []
    # No index leads from a file to what it belongs to; a shelf moves once in years.
    for record in library.newest(list(library.cursors())):
        for file in record.get("files") or []:
            if isinstance(file, Mapping) and file.get("hash") in pins:
                pins.discard(str(file["hash"]))
                found.append(_download(str(record["id"]), file))
    return found[: MOST - len(queued)]


def _download(resource: str, file: Mapping[str, Any]) -> Download:
    return Download(str(file["hash"]), resource, str(file.get("name") or ""), _whole(file.get("size")))


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else 0


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
