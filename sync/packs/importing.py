"""Taking in a pack: the engine of every sync reads it, so that what is shown was verified in the same way.

First whose it is and how old, then content, then files, then what is to be carried on. A stick that is pulled out
in the middle costs what was being read; the same command again goes on from there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from resources_cache.errors import CacheError
from resources_cache.files import FileStore
from resources_cache.identity import utc_now
from resources_cache.library import Library
from resources_cache.own import Own
from sync.cancel import Cancel
from sync.errors import Cancelled, CaptivePortal, HubProblem, NotTrusted, Offline, SyncError, from_wire
from sync.home import Home
from sync.objects import fetch_object
from sync.packs import by_hand, carrying, parcels, program
from sync.packs.transport import NOT_IN_PACK, PackGone, PackTransport
from sync.protocol import limits, packs
from sync.protocol.errors import ProtocolError
from sync.protocol.feeds import Feed
from sync.protocol.head import Head, ObjectRef
from sync.protocol.pack_volumes import opened
from sync.protocol.packs import (
    NotAPack,
    NotInPack,
    OtherHubsPack,
    PackDamaged,
    PackError,
    PackNoRoom,
    PackNotConfirmed,
    PackOlder,
    Verified,
    Volume,
)
from sync.protocol.trust import Root, pin
from sync.protocol.wire_json import is_digest
from sync.report import KnownError, Progress, ProgressCallback, SyncReport
from sync.running import Run

_UNPACKED = 4
"""About so many bytes does a byte of a pack take on the shelf, with its search index."""
_SPARE = 8 * 1024 * 1024
BY_PACK = "by_pack"
"""Setting: `{"published", "at", "order"}` of the pack that was taken in last: UTC both, and [epoch, version]."""
_SAID = ("made", "streams", "files", "bytes", "left_out")
_NOT_HERE = (CaptivePortal, NotTrusted)


@dataclass(frozen=True)
class Imported:
    """What a pack brought. `hub_name` is "" for a pack that only carries messages.

    `report`: as of a sync, None without content. `files` and `file_bytes`: files that came; `files_left`: files
    for which there was no room in the quota. `envelopes` and `answers`: how many sealed ones are carried on from
    here, and `parcels` sealed files; `kept`: bytes of content that this shelf can give on. `returns` and
    `return_bytes`: files of answers that came; `returns_left`: those for which there was no room in the quota.
    """

    hub_name: str = ""
    epoch: int = 0
    version: int = 0
    published: str = ""
    report: SyncReport | None = None
    files: int = 0
    file_bytes: int = 0
    files_left: int = 0
    envelopes: int = 0
    answers: int = 0
    kept: int = 0
    parcels: int = 0
    returns: int = 0
    return_bytes: int = 0
    returns_left: int = 0
    program: str = ""
    """A newer version of the program that came, ready to be put to use."""
    heard: by_hand.Heard = field(default_factory=by_hand.Heard)
    """What the hub answered by hand to this device."""

    @property
    def error(self) -> KnownError | ProtocolError | None:
        """What stood in the way of some of it."""
        return None if self.report is None else self.report.error


def import_pack(
    home: Home,
    source: Path | Volume,
    *,
    accept: bool | str = False,
    keep: bool = False,
    files: bool = False,
    progress: ProgressCallback | None = None,
    cancel: Cancel | None = None,
) -> Imported:
    """Take in the pack at `source` (a stick, its folder, a file, or a volume that is open already).

    `accept`: a shelf that belongs to no hub trusts the one that the pack is of; a fingerprint (hexadecimal) is
    that of the only root which a person has said yes to. `keep`: this shelf gives it on from now on. `files`: all
    files in it, not only those that wait to be downloaded. Raises NotAPack, PackDamaged, PackOlder, OtherHubsPack,
    PackNotConfirmed, PackNoRoom, PackUnreadable, Cancelled, SyncBusy, CacheError; what stands in the way of some
    of it only is the result's `error`.
    """
    place: AbstractContextManager[Volume] = opened(source) if isinstance(source, Path) else nullcontext(source)
    with place as volume, home.alone(), home.own() as own, home.library() as library:
        if volume.size(packs.HEAD) is None:
            if not carrying.has_mail(volume):
                raise NotAPack("There is no pack of a hub here.")
            done = Imported(heard=by_hand.hear(home, own, library, volume))
        else:
            done = _content(home, own, library, volume, accept, keep, files, progress, cancel)
        hub, mine = carrying.hub_keys(own), by_hand.mine(home, own)
        mail = carrying.take_mail(home, volume, hub, mine)
        done = replace(done, envelopes=mail[0], answers=mail[1])
        if not isinstance(done.error, PackGone | Cancelled):
            back = parcels.take_returns(home, own, library, volume, progress, cancel)
            others = carrying.take_parcels(home, volume, hub, mine, cancel)
            done = replace(done, returns=back[0], return_bytes=back[1], returns_left=back[2], parcels=others)
    records = done.report.records if done.report is not None else 0
    code = done.error.code if done.error is not None else None
    home.log.note("pack-taken-in", records=records, files=done.files, version=done.version, error=code)
    if progress is not None:
        progress(Progress("done", records=records))
    return done


def show_pack(source: Path) -> dict[str, Any]:
    """Return what a pack is: of which hub, as its own signature has it, and what it says is in it.

    `verified`: whether its head is signed under its own root; whose that root is, only a shelf knows. Raises
    NotAPack, PackDamaged, PackUnreadable.
    """
    with opened(source) as volume:
        said = packs.contents(volume)
        found: dict[str, Any] = {"hub": "", "verified": False}
        if volume.size(packs.HEAD) is not None:
            verified = packs.verify(volume, None)
            head = verified.head
            found = {
                "hub": head.hub,
                "verified": True,
                "fingerprint": verified.roots[0].fingerprint,
                "epoch": head.epoch,
                "version": head.version,
                "published": head.published,
            }
        elif not carrying.has_mail(volume):
            raise NotAPack("There is no pack of a hub here.")
        found["envelopes"] = len([name for name in volume.names(packs.OUTBOX, 4000) if is_digest(name)])
        found["answers"] = len([name for name in volume.names(packs.ANSWERS, 4000) if packs.is_tag(name)])
        sealed = [*packs.parcels(volume), *packs.returns(volume)]
        found["parcels"], found["parcel_bytes"] = len(sealed), sum(one.size for one in sealed)
        found["says"] = {key: said[key] for key in _SAID if key in said}
        return found


def _content(
    home: Home,
    own: Own,
    library: Library,
    volume: Volume,
    accept: bool | str,
    keep: bool,
    files: bool,
    progress: ProgressCallback | None,
    cancel: Cancel | None,
) -> Imported:
    pinned, seen = known(own, library)
    verified = packs.verify(volume, pinned, seen)
    head = verified.head
    if pinned is None:
        _join(own, library, verified, accept, home.policies.value("hub_key"))
    _require_room(home, library, volume, head)
    # The hub's answer first: it may bring the key to what only members may read.
    heard = by_hand.hear(home, own, library, volume)
    report = _read(home, own, library, volume, progress, cancel)
    if isinstance(report.error, PackTrouble) and report.error.code == PackDamaged.code:
        # Half an object that another stick left here may have been wrong, and is gone by now: once from its start.
        again = _read(home, own, library, volume, progress, cancel)
        report = replace(
            again,
            records=report.records + again.records,
            segments_applied=report.segments_applied + again.segments_applied,
        )
    done = Imported(head.hub, head.epoch, head.version, head.published, report, heard=heard)
    if isinstance(report.error, PackGone | Cancelled):
        return done
    own.set_setting(BY_PACK, {"published": head.published, "at": utc_now(), "order": list(head.order)})
    taken = _take_files(home, own, library, volume, files, progress, cancel)
    done = replace(done, files=taken[0], file_bytes=taken[1], files_left=taken[2])
    transport = PackTransport(volume)
    version = program.take(home, volume, verified, lambda store, ref: _take_file(transport, store, ref, cancel))
    done = replace(done, program=version)
    if (keep or carrying.keeps(home)) and getattr(report.error, "code", "") != PackDamaged.code:
        everything = packs.contained(volume, head, _all, home.secrets().member_keys(), lenient=True)
        carrying.keep(home, volume, verified, everything, progress, cancel)
        done = replace(done, kept=everything.size)
    return done


def known(own: Own, library: Library) -> tuple[Root | None, tuple[int, int]]:
    """Return the root that this shelf has pinned (None without a hub) and the newest (epoch, version) of its hub
    that it verified. Raises NotTrusted, CacheError."""
    document = own.setting("root")
    if not isinstance(document, str):
        return None, (0, 0)
    seen, stored = own.setting("head_seen"), library.head()
    floor = (int(seen[0]), int(seen[1])) if isinstance(seen, list) and len(seen) == 2 else (0, 0)
    if stored is not None:
        floor = max(floor, (stored.epoch, stored.version))
    try:
        return pin(document.encode()), floor
    except ProtocolError as error:
        raise from_wire(error) from error


def _join(own: Own, library: Library, verified: Verified, accept: bool | str, decided: str | None) -> None:
    """A shelf without a hub belongs, as a guest, to that of the pack: trust on first use, once a person said
    yes, or an administrator did by naming the key (`decided`)."""
    if library.counts() or library.cursors():
        raise PackOlder("This shelf holds content of a hub that it no longer knows by name.")
    fingerprint = verified.roots[0].fingerprint
    if decided is not None and fingerprint != decided:
        raise OtherHubsPack(
            f"This pack is of {packs.plain(verified.head.hub)}; your administrator decided for another hub."
        )
    # Another stick may be in by now: a yes is to the keys that were shown.
    if not accept or (isinstance(accept, str) and accept != fingerprint):
        raise PackNotConfirmed(
            f"This pack is of “{packs.plain(verified.head.hub)}”, published "
            f"{packs.plain(verified.head.published)[:10]}. This shelf would "
            f"belong to that hub; its keys have the fingerprint {fingerprint[:16]}."
        )
    own.set_setting("guest", True)
    own.set_setting("hub_name", verified.head.hub)
    own.set_setting("root", verified.roots[-1].document.decode())


def _all(feed: Feed) -> bool:
    del feed
    return True


def _require_room(home: Home, library: Library, volume: Volume, head: Head) -> None:
    """Raise PackNoRoom where what is new certainly does not fit on this disk."""
    places = set(library.cursors())
    new = packs.contained(volume, head, lambda feed: feed.name not in places, lenient=True)
    needed = _UNPACKED * sum(size for _name, _records, size in new.feeds) + _SPARE
    if needed > (room := shutil.disk_usage(home.path).free):
        raise PackNoRoom(f"The shelf needs about {needed:,} bytes for this pack; there is room for {room:,}.")


def _read(
    home: Home,
    own: Own,
    library: Library,
    volume: Volume,
    progress: ProgressCallback | None,
    cancel: Cancel | None,
) -> SyncReport:
    transport = PackTransport(volume)
    run = Run(home, library, own, transport, cancel, progress, 0.0, carried="pack")
    try:
        try:
            report = run.to_the_end()
            report = replace(report, error=None if report.error is None else meaning(report.error))
        except (SyncError, CacheError, ProtocolError) as error:
            report = replace(run.report, error=meaning(error))
        if cancel is not None and cancel.cancelled and report.error is not None:
            # Reading was broken off for it, which looks as if the stick were gone.
            report = replace(report, error=Cancelled("Taking in the pack was stopped, as asked."))
        run.keep(report)
        return report
    finally:
        run.close()


def meaning(error: Exception) -> KnownError:
    """Return what a trouble of the engine means where no network is: there is no sign-in page on a stick."""
    if isinstance(error, ProtocolError) and not isinstance(error, PackError):
        error = from_wire(error)
    if isinstance(error, HubProblem) and error.problem.code == NOT_IN_PACK:
        return PackTrouble(NotInPack("This pack does not have everything that is kept here."))
    if isinstance(error, HubProblem):
        return PackTrouble(PackDamaged("A part of the pack is not as long as the pack says."))
    if isinstance(error, Offline) and not isinstance(error, PackGone):
        return PackTrouble(PackDamaged("A part of the pack is shorter than its name promises."))
    if isinstance(error, _NOT_HERE) and error.code not in ("rolled-back", "bad-signature"):
        return PackTrouble(PackDamaged("A part of the pack is not what its name promises."))
    if isinstance(error, PackError):
        return PackTrouble(error)
    assert isinstance(error, SyncError | CacheError)
    return error


class PackTrouble(SyncError):
    """What is wrong with a pack, as an error of a sync: `code`, sentence and `advice` are those of the pack's."""

    code = "pack"

    def __init__(self, error: PackError) -> None:
        super().__init__(str(error))
        self.code = error.code
        self.advice = error.advice


def _take_files(
    home: Home,
    own: Own,
    library: Library,
    volume: Volume,
    everything: bool,
    progress: ProgressCallback | None,
    cancel: Cancel | None,
) -> tuple[int, int, int]:
    """Take files that are in the pack: those that wait to be downloaded, or all that the records name.

    Returns (files, bytes, files that found no room in the quota).
    """
    store = home.files()
    waiting = {one.hash: ObjectRef(one.hash, one.size) for one in own.downloads.items()}
    wanted = {**waiting, **({ref.hash: ref for ref in _named(library)} if everything else {})}
    todo = [
        ref
        for ref in wanted.values()
        if 0 < ref.size <= limits.FILE
        and not store.has(ref.hash)
        and volume.size(packs.object_name(ref.hash)) == ref.size
    ]
    total, done, count, left, room = sum(ref.size for ref in todo), 0, 0, 0, store.quota_bytes - store.used()
    transport = PackTransport(volume)
    for ref in todo:
        if cancel is not None:
            cancel.check()
        if ref.size > room:
            left += 1
            continue
        begun = store.partial_size(ref.hash) > 0
        # What another stick left half may have been wrong.
        if _take_file(transport, store, ref, cancel) or (begun and _take_file(transport, store, ref, cancel)):
            count, done, room = count + 1, done + ref.size, room - ref.size
            own.downloads.remove(ref.hash)  # where no link comes nobody else would say that it is here
        if progress is not None:
            progress(Progress("files", done, total))
    return count, done, left


def _take_file(transport: PackTransport, store: FileStore, ref: ObjectRef, cancel: Cancel | None) -> bool:
    try:
        fetch_object(transport, store, ref, cancel)
        with store.partial(ref.hash, ref.size) as whole:
            whole.finish()
    except (PackGone, Cancelled):
        raise
    except (SyncError, ProtocolError):
        return False  # another pack, or the hub, has it
    except CacheError as error:
        if error.code == "file-damaged":
            return False
        raise
    return True


def _named(library: Library) -> Iterator[ObjectRef]:
    for record in library.newest(list(library.cursors())):
        for file in record.get("files") or []:
            if not isinstance(file, dict):
                continue
            digest, size = file.get("hash"), file.get("size")
            if isinstance(digest, str) and is_digest(digest) and isinstance(size, int):
                yield ObjectRef(digest, size)
