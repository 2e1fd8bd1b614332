"""Writing a pack: what is missing is added, the head comes last, and only then what nobody names any more goes.

So a stick that is pulled out at any instant holds the whole pack of before, or the new one.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from sync.protocol import documents, limits
from sync.protocol.errors import ProtocolError
from sync.protocol.pack_readme import readme_page, readme_text
from sync.protocol.pack_volumes import Target, opened
from sync.protocol.packs import (
    CONTENTS,
    DOCUMENTS,
    HEAD,
    MEMBERS,
    OBJECTS,
    PARCEL_BYTES,
    PARCELS_READ,
    README,
    README_PAGE,
    Entry,
    NotInPack,
    PackDamaged,
    PackError,
    PackFileTooLarge,
    PackInTheWay,
    PackNoRoom,
    PackUnreadable,
    Verified,
    Volume,
    plain,
    root_name,
    verify,
)
from sync.protocol.packs import parcels as parcels_in
from sync.protocol.packs import returns as returns_in
from sync.protocol.wire_json import is_digest

_PIECE = 256 * 1024
_SPARE = 256 * 1024
"""Bytes of room beyond what the files have: folders and the ends of blocks."""
_BLOCK = 32 * 1024
"""Bytes of a block on a large stick: the last one of a file is not full."""
_MOST_NAMES = 100_000

Told = Callable[[int, int], None]
"""Called with bytes written and bytes to be written."""


@dataclass(frozen=True)
class LeftOut:
    """A file that a pack does not have: its name, the title and the licence of its resource, and why."""

    name: str
    title: str
    licence: str
    why: str

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "title": self.title, "licence": self.licence, "why": self.why}


@dataclass
class Pack:
    """What is to be written: entries by the volume that they come from, and small files made here.

    `verified`: the head and its roots, None for a pack that only carries envelopes. `extra`: bytes by name, such
    as envelopes and answers, which are written over what is there under that name. `parcels`: sealed files and the
    volumes that they come from, the most important first: as many are written as fit.
    """

    verified: Verified | None = None
    sources: list[tuple[Volume, list[Entry]]] = field(default_factory=list)
    extra: dict[str, bytes] = field(default_factory=dict)
    parcels: list[tuple[Volume, Entry]] = field(default_factory=list)
    feeds: list[tuple[str, int, int]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    files: int = 0
    made: str = ""


@dataclass(frozen=True)
class Written:
    """What was written: files and bytes that were new on the stick, and files and bytes of the whole pack.

    Without sealed files, which stand beside it: the names of those that are there now, and how many were left for
    the next time.
    """

    new: int
    new_bytes: int
    files: int
    bytes: int
    removed: int
    parcels: frozenset[str] = frozenset()
    parcels_left: int = 0

    def to_json(self) -> dict[str, int]:
        """As commands tell it, without sealed files."""
        return {
            "new": self.new,
            "new_bytes": self.new_bytes,
            "files": self.files,
            "bytes": self.bytes,
            "removed": self.removed,
        }


def write(pack: Pack, target: Target, told: Told | None = None, there: Volume | None = None) -> Written:
    """Write a pack. `there`: the target to be read, where what lies in it is looked at byte by byte before it
    counts as there; else its size says so.

    Raises PackNoRoom (before anything is written), PackFileTooLarge, PackUnwritable, PackDamaged and
    PackUnreadable (of what it is made from); the pack of before is whole then.
    """
    target.tidy()
    entries = {entry.name: (volume, entry) for volume, found in pack.sources for entry in found}
    missing = [
        pair
        for name, pair in entries.items()
        if target.size(name) != pair[1].size or (there is not None and not is_sound(there, pair[1]))
    ]
    content = sum(entry.size for _volume, entry in missing)
    for name, data in target.mail().items():
        pack.extra.setdefault(name, data)
    needed = _require_room(target, [entry for _volume, entry in missing], pack)
    try:
        with target.lying() as lying:
            offered = [*pack.parcels, *_lying_parcels(lying)]
            parcels = fitting(offered, target.size, min(target.room(), _longest(target)) - needed)
            new = [pair for pair in parcels if target.size(pair[1].name) != pair[1].size]
            done, total = 0, content + sum(entry.size for _volume, entry in new)

            def put(volume: Volume, entry: Entry) -> None:
                nonlocal done
                target.put(entry.name, verified_pieces(volume, entry))
                done += entry.size
                if told is not None:
                    told(done, total)

            for volume, entry in missing:
                put(volume, entry)
            for name, data in pack.extra.items():
                if target.size(name) != len(data) or not is_digest(name.rpartition("/")[2]):
                    target.put(name, [data])
            spoiled = set()
            for volume, entry in new:
                try:
                    # A file of a ZIP cannot be taken back once it is begun.
                    if target.one_file and not is_sound(volume, entry):
                        raise PackDamaged("A sealed file is damaged on this disk.")
                    put(volume, entry)
                except (PackDamaged, NotInPack):
                    spoiled.add(entry.name)  # none of the others waits for it
        removed = 0
        if pack.verified is not None:
            target.put(CONTENTS, [_contents(pack, entries)])
            target.put(README, [readme_text().encode()])
            target.put(README_PAGE, [readme_page().encode()])
            for root in pack.verified.roots:
                target.put(root_name(root.version), [root.document])
            target.put(HEAD, [pack.verified.document])
            removed = _remove_stale(target, entries)
        elif target.size(HEAD) is None:
            target.put(CONTENTS, [_contents(pack, entries)])
            target.put(README, [readme_text().encode()])
            target.put(README_PAGE, [readme_page().encode()])
        target.finish()
    except BaseException:
        target.give_up()
        raise
    whole = sum(entry.size for _volume, entry in entries.values())
    names = frozenset(entry.name for _volume, entry in parcels) - spoiled
    left = sum(entry.name not in names for _volume, entry in pack.parcels)
    return Written(len(missing), content, len(entries), whole, removed, names, left)


def fitting(
    offered: Iterable[tuple[Volume, Entry]], there: Callable[[str], int | None], room: int
) -> list[tuple[Volume, Entry]]:
    """Return the sealed files that a pack takes of those `offered`, the most important first: `PARCEL_BYTES` in
    all, and what is not `there` (bytes by name) in `room` bytes. One that is too large keeps none behind it
    out."""
    found: dict[str, tuple[Volume, Entry]] = {}
    left = PARCEL_BYTES
    for volume, entry in offered:
        takes_room = 0 if there(entry.name) == entry.size else entry.size + _BLOCK
        if entry.name in found or entry.size > left or takes_room > room:
            continue
        found[entry.name] = (volume, entry)
        left, room = left - entry.size, room - takes_room
    return list(found.values())


def _lying_parcels(volume: Volume | None) -> Iterator[tuple[Volume, Entry]]:
    """Sealed files in a pack that another one takes the place of, as far as they are what their names promise."""
    if volume is None:
        return
    read = 0
    for one in chain(parcels_in(volume), returns_in(volume)):
        if (read := read + one.size) > PARCELS_READ:
            return
        if is_sound(volume, one.entry):
            yield volume, one.entry


@dataclass(frozen=True)
class InTheWay:
    """A pack that would be lost: of `hub`, published then (UTC); `newer`: of the same hub as the one to be
    written, and newer than that."""

    hub: str
    published: str
    newer: bool


def in_the_way(target: Path, mine: Verified) -> InTheWay | None:
    """Return the pack at `target` that one with the head of `mine` would replace, if it is another hub's or newer.

    One that cannot be verified is none: it is nobody's loss, and to write anew is what mends it.
    """
    try:
        with opened(target) as volume:
            there = verify(volume, None)
    except ProtocolError:
        return None
    same = there.roots[0].document == mine.roots[0].document
    if same and there.head.order <= mine.head.order:
        return None
    return InTheWay(plain(there.head.hub), there.head.published, same)


def require_free(target: Path, mine: Verified) -> None:
    """Raise PackInTheWay where another hub's pack or a newer one would be replaced."""
    found = in_the_way(target, mine)
    if found is not None and found.newer:
        raise PackInTheWay(
            f"In {target} is a newer pack of {found.hub}, published on {found.published[:10]}; this one is of "
            f"{mine.head.published[:10]}."
        )
    if found is not None:
        raise PackInTheWay(f"In {target} is a pack of another hub, {found.hub}.")


def takes(sizes: Collection[int]) -> int:
    """Return how many bytes of room files of these sizes (bytes) are asked for, with what a stick itself needs."""
    return _SPARE + sum(sizes) + _BLOCK * len(sizes)


def _longest(target: Target) -> int:
    """Bytes that all of a pack may have where it is one file; else nothing bounds the whole."""
    longest = target.longest() if target.one_file else None
    return sys.maxsize if longest is None else longest


def _require_room(target: Target, missing: Iterable[Entry], pack: Pack) -> int:
    """Return the bytes that a pack needs without its sealed files. Raises PackNoRoom, PackFileTooLarge."""
    missing, longest = list(missing), target.longest()
    for entry in missing:
        if longest is not None and entry.size > longest:
            raise PackFileTooLarge(f"A file of {entry.size:,} bytes is too large for this stick.")
    needed = takes([entry.size for entry in missing] + [len(data) for data in pack.extra.values()])
    if target.one_file and longest is not None and needed > longest:
        raise PackFileTooLarge(f"The pack has {needed:,} bytes, more than one file on this stick can.")
    if needed > (room := target.room()):
        raise PackNoRoom(f"The pack needs {needed:,} bytes; there is room for {room:,}.")
    return needed


def verified_pieces(volume: Volume, entry: Entry) -> Iterator[bytes]:
    """Yield the bytes of an entry of `volume`; one that is not what its name promises ends with PackDamaged, after
    some of them. Raises NotInPack, PackUnreadable too."""
    if entry.ref is not None:
        with volume.open(entry.name) as file:
            frame = _read(file, entry.size + 1)
        try:
            documents.unpack(frame, entry.ref, limits.DOCUMENT)
        except ProtocolError as error:
            raise PackDamaged(f"A document of the pack is damaged ({error}).") from None
        yield frame
        return
    digest, left = hashlib.sha256(), entry.size
    with volume.open(entry.name) as file:
        while left:
            piece = _read(file, min(_PIECE, left))
            if not piece:
                break
            digest.update(piece)
            left -= len(piece)
            yield piece
    if left or digest.hexdigest() != entry.digest:
        raise PackDamaged("A part of the pack is not what its name promises.")


def is_sound(volume: Volume, entry: Entry) -> bool:
    """Whether an entry of `volume` is what its name promises; all of it is read."""
    try:
        for _piece in verified_pieces(volume, entry):
            pass
    except PackError:
        return False
    return True


def _read(file: Any, most: int) -> bytes:
    try:
        data: bytes = file.read(most)
    except (OSError, EOFError, ValueError) as error:
        raise PackUnreadable(f"The pack cannot be read ({error}).") from None
    return data


def _contents(pack: Pack, entries: Mapping[str, Any]) -> bytes:
    said: dict[str, Any] = {"format": 1, "made": pack.made}
    if pack.verified is not None:
        head = pack.verified.head
        said |= {"hub": head.hub, "published": head.published, "epoch": head.epoch, "version": head.version}
    said["streams"] = [{"name": name, "records": records, "bytes": size} for name, records, size in pack.feeds]
    said["files"] = pack.files
    said["bytes"] = sum(entry.size for _volume, entry in entries.values())
    said["left_out"] = [one.to_json() for one in pack.left_out[:5000]]
    return json.dumps(said, ensure_ascii=False, indent=1).encode()


def _remove_stale(target: Target, wanted: Mapping[str, Any]) -> int:
    removed = 0
    for folder in (OBJECTS, DOCUMENTS, MEMBERS):
        for part in target.names(folder, 256):
            if len(part) != 2:
                continue
            for name in target.names(f"{folder}/{part}", _MOST_NAMES):
                path = f"{folder}/{part}/{name}"
                if is_digest(name) and path not in wanted:
                    target.remove(path)
                    removed += 1
    return removed
