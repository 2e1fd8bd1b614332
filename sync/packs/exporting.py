"""Making a pack on a shelf: of what came by pack and was kept, of downloaded files, and of sealed messages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources_cache.errors import NotFound
from resources_cache.files import FileStore
from resources_cache.identity import utc_now
from resources_cache.library import Library
from sync.errors import NotEnrolled
from sync.home import Home
from sync.packs import by_hand, carrying
from sync.protocol import packs
from sync.protocol.feeds import Feed
from sync.protocol.pack_volumes import FolderVolume, Target, ZipTarget, target_at
from sync.protocol.pack_writing import LeftOut, Pack, Written, write
from sync.protocol.packs import Entry, NothingToCarry, PackError
from sync.protocol.subscriptions import Subscription
from sync.protocol.trust import pin
from sync.protocol.wire_json import is_digest
from sync.report import Progress, ProgressCallback

NOT_ALLOWED = "licence"
NOT_HERE = "not-here"


@dataclass(frozen=True)
class Exported:
    """What a pack has. `written`: what was new on the stick; `operations`: how many of one's own wait in it;
    `envelopes` and `answers`: sealed messages carried for others."""

    path: Path
    hub_name: str
    written: Written
    feeds: int
    files: int
    left_out: list[LeftOut]
    operations: int
    envelopes: int
    answers: int


def export_pack(
    home: Home,
    target: Path,
    *,
    languages: Collection[str] = (),
    files: bool = False,
    progress: ProgressCallback | None = None,
) -> Exported:
    """Write a pack to `target`: a stick or folder, or one file where its name ends in `.hubshelf-pack`.

    `languages`: only the content in these; none means all. `files`: downloaded files too, where their licence lets
    them be given on. Raises NothingToCarry, PackNoRoom, PackFileTooLarge, PackUnwritable, PackDamaged, SyncBusy,
    CacheError; the pack of before is whole then.
    """
    with home.alone(), home.own() as own, home.library() as library:
        document = own.setting("root")
        if not isinstance(document, str):
            raise NotEnrolled("This shelf belongs to no hub yet.")
        carried = carrying.store(home)
        pack = Pack(made=utc_now())
        if carried.size(packs.HEAD) is not None:
            pack.verified = packs.verify(carried, pin(document.encode()))
            found = packs.contained(
                carried, pack.verified.head, _wants(languages), home.secrets().member_keys(), lenient=True
            )
            pack.feeds = found.feeds
            pack.sources.append((carried, list(found.entries.values())))
            if files:
                _add_files(pack, home.files(), library, languages)
        place = target_at(target)
        pack.extra = carrying.newest(carrying.mail(home), _answers_at(place), carrying.hub_keys(own))
        letters = by_hand.write_letters(home, own, library)
        pack.extra |= letters.envelopes
        if pack.verified is None and not pack.extra:
            raise NothingToCarry("This shelf keeps no pack to give on, and no message waits.")

        def told(done: int, total: int) -> None:
            if progress is not None:
                progress(Progress("files", done, total))

        try:
            written = write(pack, place, told)
        except BaseException:
            by_hand.stayed(own, letters, _there(place, letters.envelopes))
            raise
        others = [name for name in pack.extra if name not in letters.envelopes]
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
        )


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


def _add_files(pack: Pack, store: FileStore, library: Library, languages: Collection[str]) -> None:
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
    pack.sources.append((_Downloaded(store), entries))


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
