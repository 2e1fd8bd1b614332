"""Making a pack of what is published: the content, files that may be given on, and answers to those who wrote by
hand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils import timezone

from hub import notices
from hub.errors import HubError
from hub.home import served_folder
from hub.models import StoredFile
from hub.packs import letters, parcels
from hub.publishing import keys, member_keys
from hub.times import to_wire
from sync.protocol import pack_builds, packs
from sync.protocol.errors import ProtocolError
from sync.protocol.feeds import Feed
from sync.protocol.pack_volumes import FolderVolume, target_at
from sync.protocol.pack_writing import LeftOut, Pack, Told, Written, require_free, write
from sync.protocol.packs import Entry, NotAPack
from sync.protocol.subscriptions import Subscription

LICENCE, MISSING = "licence", "missing"


class PackProblem(HubError):
    """Something is wrong with a pack or a stick; `code` and advice are the protocol's."""

    def __init__(self, error: ProtocolError) -> None:
        super().__init__(str(error), error.advice)
        self.code = error.code


@dataclass(frozen=True)
class Exported:
    """What a pack has: `written` as for any pack, feeds, files, files left out, and sealed answers, with the
    files of answers (`returns`; `returns_left`: those that did not fit). `fingerprint`: that of its root
    (hexadecimal), by which people tell this hub from another."""

    path: Path
    hub: str
    version: tuple[int, int]
    written: Written
    feeds: int
    files: int
    left_out: list[LeftOut]
    answers: int
    fingerprint: str
    returns: int = 0
    returns_left: int = 0


@contextmanager
def stated() -> Iterator[None]:
    """Errors of packs become the hub's."""
    try:
        yield
    except ProtocolError as error:
        raise PackProblem(error) from error


def export_pack(
    target: Path,
    *,
    languages: Collection[str] = (),
    streams: Collection[str] = (),
    files: bool = False,
    replace: bool = False,
    updates: bool = False,
    told: Told | None = None,
) -> Exported:
    """Write a pack to `target`: a stick or folder, or one file where its name ends in `.hubshelf-pack`.

    `languages`, `streams` (beginnings of names): only that content; none means all. `files`: files whose resource
    may be redistributed. `replace`: even where a pack of another hub lies, or a newer one. `updates`: versions
    of the program whole, not only the small steps to them. Raises PackProblem, KeysUnusable; the pack of before is
    whole then.
    """
    home: Path = settings.HOME
    with stated():
        volume = Published(home)
        try:
            verified = packs.verify(volume, None)
        except NotAPack:
            raise NotAPack("This hub has not published anything yet: run `hubshelf-hub publish` first.") from None
        if not replace:
            require_free(target, verified)
        pack = Pack(verified, made=to_wire(timezone.now()))
        wants = _wants(languages, streams)
        found = packs.contained(volume, verified.head, wants, member_keys.keys(home))
        pack.feeds = found.feeds
        builds = pack_builds.entries(volume, verified, everything=updates)
        pack.sources.append((volume, [*found.entries.values(), *builds]))
        if files:
            entries, pack.left_out = redistributable(volume, languages)
            pack.files = len(entries)
            pack.sources.append((volume, entries))
        answers = letters.write_answers()
        pack.extra = {packs.answer_name(tag): data for tag, data in answers.items()}
        returns = parcels.Returns(keys.load_keys(home).head)
        pack.parcels = [(returns, entry) for entry in returns.entries]
        place = target_at(target)
        written = write(pack, place, told)
        if isinstance(place, FolderVolume):
            # What was taken does not travel on for years.
            for name in letters.settled(place):
                place.remove(packs.envelope_name(name))
            for name in (*parcels.settled(place), *returns.stale(place)):
                place.remove(name)
    head = verified.head
    return Exported(
        target,
        head.hub,
        head.order,
        written,
        len(pack.feeds),
        pack.files,
        pack.left_out,
        len(answers),
        verified.roots[0].fingerprint,
        sum(entry.name in written.parcels for entry in returns.entries),
        returns.left + written.parcels_left,
    )


def _wants(languages: Collection[str], streams: Collection[str]) -> Callable[[Feed], bool]:
    choice = Subscription(list(languages) or None)

    def wants(feed: Feed) -> bool:
        if streams and not any(feed.name.startswith(one) for one in streams):
            return False
        return not languages or any(choice.wants(stream.name) for stream in feed.streams)

    return wants


def redistributable(volume: Published, languages: Collection[str]) -> tuple[list[Entry], list[LeftOut]]:
    """Return the files of published resources that may be given on, in these languages (none: all), and those
    that are left out."""
    choice, entries, left_out = Subscription(list(languages) or None), dict[str, Entry](), []
    found = StoredFile.objects.filter(resource__state="published").select_related("resource").order_by("id")
    for file in found.iterator(500):
        resource = file.resource
        if notices.withdrawn(resource) or not choice.wants(f"public/cards/{resource.lang or 'und'}"):
            continue
        name = packs.object_name(file.hash)
        if not resource.redistributable:
            left_out.append(LeftOut(file.name, resource.title, resource.licence, LICENCE))
        elif volume.size(name) != file.size:
            left_out.append(LeftOut(file.name, resource.title, resource.licence, MISSING))
        else:
            entries[name] = Entry(name, file.size, file.hash)
    return list(entries.values()), left_out


class Published:
    """What the hub serves, as a volume to copy from: `served`, what is sealed for members, and files."""

    def __init__(self, home: Path) -> None:
        self._served = FolderVolume(served_folder(home))
        self._home = FolderVolume(home)

    def size(self, name: str) -> int | None:
        return self._place(name).size(name)

    def open(self, name: str) -> BinaryIO:
        return self._place(name).open(name)

    def names(self, folder: str, most: int) -> list[str]:
        del folder, most
        return []

    def _place(self, name: str) -> FolderVolume:
        if name.startswith(packs.MEMBERS):
            return self._home
        if name.startswith(packs.OBJECTS) and self._served.size(name) is None:
            return self._home
        return self._served
