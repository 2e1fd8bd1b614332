"""Making a pack on a shelf: of what came by pack and was kept, of downloaded files, and of sealed messages."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resources_cache.errors import NotFound
from resources_cache.files import FileStore
from resources_cache.identity import utc_now
from resources_cache.library import Library
from resources_cache.own import Own
from sync.cancel import Cancel
from sync.delivery import waiting_operations
from sync.errors import NotEnrolled
from sync.home import Home
from sync.packs import by_hand, carrying, parcels
from sync.packs.watched import Watched
from sync.protocol import pack_builds, packs
from sync.protocol.feeds import Feed
from sync.protocol.pack_volumes import FolderVolume, Target, ZipTarget, target_at
from sync.protocol.pack_writing import (
    InTheWay,
    LeftOut,
    Pack,
    Written,
    fitting,
    in_the_way,
    require_free,
    takes,
    write,
)
from sync.protocol.packs import Entry, NothingToCarry, PackError, PackUnwritable, Volume
from sync.protocol.subscriptions import NO_LANGUAGE, Subscription, parts
from sync.protocol.trust import pin
from sync.protocol.wire_json import is_digest
from sync.report import ProgressCallback

NOT_ALLOWED = "licence"
NOT_HERE = "not-here"


@dataclass(frozen=True)
class Exported:
    """What a pack has. `written`: what was new on the stick; `operations`: how many of one's own wait in it;
    `envelopes` and `answers`: sealed messages carried for others. `attached` files of one's own (with
    `attached_bytes`) and `parcels`, sealed files of others, are in it; `attached_left` and `parcels_left` did not
    fit."""

    path: Path
    hub_name: str
    written: Written
    feeds: int
    files: int
    left_out: list[LeftOut]
    operations: int
    envelopes: int
    answers: int
    attached: int = 0
    attached_bytes: int = 0
    attached_left: int = 0
    parcels: int = 0
    parcels_left: int = 0


def export_pack(
    home: Home,
    target: Path,
    *,
    languages: Collection[str] = (),
    files: bool = False,
    content: bool = True,
    replace: bool = False,
    progress: ProgressCallback | None = None,
    cancel: Cancel | None = None,
) -> Exported:
    """Write a pack to `target`: a stick or folder, or one file where its name ends in `.hubshelf-pack`.

    `languages`: only the content in these; none means all. `files`: downloaded files too, where their licence lets
    them be given on. `content`: false for sealed messages alone. `replace`: even where a pack of another hub
    lies, or a newer one. Raises NotEnrolled, NothingToCarry, PackInTheWay, PackNoRoom, PackFileTooLarge,
    PackUnwritable, PackDamaged, Cancelled, SyncBusy, CacheError; the pack of before is whole then.
    """
    with home.alone(), home.own() as own, home.library() as library:
        pack = _collect(home, own, library, languages, files, content, cancel)
        if pack.verified is not None and not replace:
            require_free(target, pack.verified)
        place = target_at(target)
        pack.extra = carrying.newest(carrying.mail(home), _answers_at(place), carrying.hub_keys(own))
        letters = by_hand.write_letters(home, own, library)
        pack.extra |= letters.envelopes
        pack.parcels = _parcels(home, own, letters.files, cancel)
        if pack.verified is None and not pack.extra and not pack.parcels:
            raise NothingToCarry("This shelf keeps no pack to give on, and no message waits.")
        try:
            written = write(pack, place, carrying.told_as(progress))
        except BaseException:
            by_hand.stayed(own, letters, _there(place, letters.envelopes))
            raise
        others = [name for name in pack.extra if name not in letters.envelopes]
        mine = letters.files.entries if letters.files is not None else []
        attached = parcels.left(home, own, letters.files, written.parcels) if letters.files is not None else []
        return Exported(
            target,
            str(own.setting("hub_name") or ""),
            written,
            len(pack.feeds),
            pack.files,
            pack.left_out,
            len(letters.items),
            sum(name.startswith(packs.OUTBOX) for name in others),
            sum(name.startswith(packs.ANSWERS) for name in others),
            len(attached),
            sum(one.size for one in attached),
            len(mine) - len(attached),
            len(written.parcels) - len(attached),
            written.parcels_left - (len(mine) - len(attached)),
        )


def _parcels(
    home: Home, own: Own, mine: parcels.Outgoing | None, cancel: Cancel | None
) -> list[tuple[Volume, Entry]]:
    """Sealed files for a pack: one's own first, then those of others."""
    found: list[tuple[Volume, Entry]] = []
    if mine is not None:
        sealing = Watched(mine, cancel)
        found += [(sealing, entry) for entry in mine.entries]
    here = Watched(carrying.store(home), cancel)
    return found + [(here, one.entry) for one in carrying.carried_parcels(home, carrying.hub_keys(own))]


@dataclass(frozen=True)
class Weighed:
    """What a pack would have, before it is written.

    In bytes: `content` of the library (0 where this shelf keeps none to give on), `file_bytes` of `files`
    downloaded files, `mail` of sealed messages of others; `new`: what is not on the stick yet; `needed`: the room
    that it takes there; `room`: what there is. `attached` files of one's own (`attached_bytes`) and `parcels` of
    others (`parcel_bytes`) go sealed, `attached_left` of one's own do not fit. Counted: `operations`, one's own
    messages that wait; `envelopes` and `answers`, sealed ones of others. `joining`: a code waits, too.
    `in_the_way`: the pack there that would be lost. `languages`: bytes of the content by language (BCP 47),
    without what has none, most first.
    """

    content: int
    files: int
    file_bytes: int
    mail: int
    new: int
    needed: int
    room: int
    operations: int
    joining: bool
    envelopes: int
    answers: int
    in_the_way: InTheWay | None = None
    languages: dict[str, int] = field(default_factory=dict)
    attached: int = 0
    attached_bytes: int = 0
    attached_left: int = 0
    parcels: int = 0
    parcel_bytes: int = 0

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to put on a stick."""
        mail = self.operations or self.joining or self.envelopes or self.answers
        return not (self.content or mail or self.attached or self.parcels)


def weigh(
    home: Home, target: Path, *, languages: Collection[str] = (), files: bool = False, content: bool = True
) -> Weighed:
    """Return what `export_pack` would write; nothing is changed, here or there.

    Raises NotEnrolled, PackUnwritable, PackUnreadable, PackDamaged, SecretsUnusable, CacheError.
    """
    with home.own() as own, home.library() as library:
        pack, place = _collect(home, own, library, languages, files, content, None), target_at(target)
        mail = carrying.mail(home)
        entries = [found for _volume, found in pack.sources]
        missing = [one.size for found in entries for one in found if place.size(one.name) != one.size]
        downloaded = entries[1] if len(entries) > 1 else []
        sizes = [*missing, *(len(data) for data in mail.values())]
        pending = home.secrets().pending()
        needed, room = takes(sizes), _room(target)
        files_out = by_hand.outgoing(home, own, library)
        offered = _parcels(home, own, files_out, None)
        sealed = [entry for _volume, entry in fitting(offered, place.size, room - needed)]
        fresh = [entry.size for entry in sealed if place.size(entry.name) != entry.size]
        mine = files_out.uploads if files_out is not None else {}
        attached = [mine[entry.name] for entry in sealed if entry.name in mine]
        others = [entry for entry in sealed if entry.name not in mine]
        return Weighed(
            content=sum(entry.size for entry in entries[0]) if entries else 0,
            files=len(downloaded),
            file_bytes=sum(entry.size for entry in downloaded),
            mail=sum(map(len, mail.values())),
            new=sum(missing) + sum(fresh),
            needed=takes([*sizes, *fresh]),
            room=room,
            operations=len(waiting_operations(own)),
            joining=pending is not None and bool(pending.code),
            envelopes=sum(name.startswith(packs.OUTBOX) for name in mail),
            answers=sum(name.startswith(packs.ANSWERS) for name in mail),
            in_the_way=in_the_way(target, pack.verified) if pack.verified is not None else None,
            languages=_by_language(pack.feeds),
            attached=len(attached),
            attached_bytes=sum(one.size for one in attached),
            attached_left=len(mine) - len(attached),
            parcels=len(others),
            parcel_bytes=sum(entry.size for entry in others),
        )


def _by_language(feeds: Iterable[tuple[str, int, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, _records, size in feeds:
        lang = parts(name)[1]
        if lang and lang not in NO_LANGUAGE:
            found[lang] = found.get(lang, 0) + size
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def _room(target: Path) -> int:
    """Free bytes where `target` is, or would be."""
    place = next((one for one in (target, *target.parents) if one.exists()), target)
    try:
        found = shutil.disk_usage(place)
        return found.free if found.total else sys.maxsize  # some disks do not say
    except OSError as error:
        raise PackUnwritable(f"{place} cannot be read ({error.strerror or error}).") from None


def _collect(
    home: Home,
    own: Own,
    library: Library,
    languages: Collection[str],
    files: bool,
    content: bool,
    cancel: Cancel | None,
) -> Pack:
    """What is kept to be given on, and downloaded files: a pack without messages."""
    document = own.setting("root")
    if not isinstance(document, str):
        raise NotEnrolled("This shelf belongs to no hub yet.")
    carried = carrying.store(home)
    pack = Pack(made=utc_now())
    if content and carried.size(packs.HEAD) is not None:
        pack.verified = packs.verify(carried, pin(document.encode()))
        found = packs.contained(
            carried, pack.verified.head, _wants(languages), home.secrets().member_keys(), lenient=True
        )
        pack.feeds = found.feeds
        builds = pack_builds.entries(carried, pack.verified, everything=True)
        pack.sources.append((Watched(carried, cancel), [*found.entries.values(), *builds]))
        if files:
            _add_files(pack, home.files(), library, languages, cancel)
    return pack


def _answers_at(place: FolderVolume | ZipTarget) -> Callable[[str], bytes | None]:
    """How to find the answer to a tag where a pack is to be written."""
    if isinstance(place, FolderVolume):
        return lambda tag: packs.answer_in(place, tag)
    lying = place.mail()
    return lambda tag: lying.get(packs.answer_name(tag))


def _there(place: Target, names: Iterable[str]) -> list[str]:
    """Those of the names that may be on the stick: all, where it cannot be asked any more."""
    try:
        return [name for name in names if place.size(name) is not None]
    except PackError:
        return list(names)


def _wants(languages: Collection[str]) -> Any:
    choice = Subscription(list(languages) or None)

    def wants(feed: Feed) -> bool:
        return any(choice.wants(stream.name) for stream in feed.streams)

    return wants


def _add_files(
    pack: Pack, store: FileStore, library: Library, languages: Collection[str], cancel: Cancel | None
) -> None:
    """Add the downloaded files of resources that may be given on; list the others."""
    choice, entries = Subscription(list(languages) or None), []
    seen: set[str] = set()
    for record, file in _files_of(library):
        digest, size = file.get("hash"), file.get("size")
        if not isinstance(digest, str) or not is_digest(digest) or not isinstance(size, int) or digest in seen:
            continue
        if not choice.wants(f"public/cards/{record.get('lang') or 'und'}"):
            continue
        if record.get("redistributable") is not True:
            pack.left_out.append(_left(record, file, NOT_ALLOWED))
            continue
        if not store.has(digest):
            pack.left_out.append(_left(record, file, NOT_HERE))
            continue
        seen.add(digest)
        entries.append(Entry(packs.object_name(digest), size, digest))
    pack.files = len(entries)
    pack.sources.append((Watched(_Downloaded(store), cancel), entries))


def _files_of(library: Library) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for record in library.newest(list(library.cursors())):
        for file in record.get("files") or []:
            if isinstance(file, dict):
                yield record, file


def _left(record: dict[str, Any], file: dict[str, Any], why: str) -> LeftOut:
    return LeftOut(
        str(file.get("name") or ""), str(record.get("title") or ""), str(record.get("licence") or ""), why
    )


class _Downloaded:
    """The downloaded files, as a volume to copy from."""

    def __init__(self, store: FileStore) -> None:
        self._store = store

    def size(self, name: str) -> int | None:
        try:
            return self._store.path(name.rpartition("/")[2]).stat().st_size
        except (NotFound, OSError):
            return None

    def open(self, name: str) -> Any:
        return FolderVolume(self._store.root).open(name.partition("/")[2])

    def names(self, folder: str, most: int) -> list[str]:
        del folder, most
        return []
