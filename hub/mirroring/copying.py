"""Keeping a mirror: what is missing is added, then the head, and only then goes what nobody names any more.

What the head of before leads to stays until the next run, for those who are in the middle of a sync. What is
sealed for members stays with the hub, which asks who wants it; of files only those that may be redistributed are
copied.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.mirroring.errors import MirrorNoRoom, MirrorProblem
from hub.mirroring.places import Place
from hub.packs.exporting import Published, redistributable, stated
from sync.protocol import pack_builds, packs
from sync.protocol.errors import ProtocolError
from sync.protocol.pack_writing import LeftOut, verified_pieces
from sync.protocol.packs import Entry, NotAPack
from sync.protocol.paths import DOCUMENTS, HEAD, OBJECTS, ROOT
from sync.protocol.wire_json import is_digest, sha256

_SPARE = 4 * 1024 * 1024
_BLOCK = 4096
_STATE_MOST = 64 * 1024 * 1024

Told = Callable[[int, int], None]
"""Called with bytes written and bytes to be written."""


@dataclass(frozen=True)
class Mirrored:
    """What a mirror has: the hub and version, files and bytes in all, those that were new, those that went."""

    hub: str
    version: tuple[int, int]
    files: int
    bytes: int
    new: int
    new_bytes: int
    removed: int
    left_out: list[LeftOut]


def mirror(home: Path, place: Place, *, check: bool = False, told: Told | None = None) -> Mirrored:
    """Bring `place` to what the hub in `home` publishes.

    `check`: what is there is read and compared with its name (in a folder), or written again (elsewhere). Raises
    MirrorProblem, PackProblem, KeysUnusable; the mirror then serves what it served before.
    """
    with stated():
        volume = Published(home)
        try:
            verified = packs.verify(volume, None)
        except NotAPack:
            raise NotAPack("This hub has not published anything yet: run `hubshelf-hub publish` first.") from None
        found = packs.contained(volume, verified.head, lambda _feed: True)
        entries, left_out = redistributable(volume, ())
        entries += pack_builds.entries(volume, verified, everything=True)
    led_to = {_path(entry): entry for entry in found.entries.values()}
    wanted = {**{_path(entry): entry for entry in entries}, **led_to}
    before = _Before.of(place)
    missing = [path for path, entry in wanted.items() if not _is_there(place, path, volume, entry, before, check)]
    total = sum(wanted[path].size for path in missing)
    room = place.room()
    if room is not None and total + _BLOCK * len(missing) + _SPARE > room:
        raise MirrorNoRoom(f"The mirror needs {total + _SPARE:,} bytes more; there is room for {room:,}.")
    if missing:
        # What a run that is stopped has put there is found by the next one, and removed if nobody wants it then.
        place.write_state(_Before(before.sizes, before.led_to, before.other | set(missing)).to_bytes())
    done = 0
    for path in missing:
        entry = wanted[path]
        try:
            place.put(path, verified_pieces(volume, entry), entry.size)
        except ProtocolError as error:
            raise MirrorProblem(
                f"Something that is published could not be read ({error}).",
                "Run the command again: the hub may have published meanwhile.",
            ) from None
        done += entry.size
        if told is not None:
            told(done, total)
    for root in verified.roots:
        place.put(f"{ROOT}{root.version}", [root.document], len(root.document))
    place.put(HEAD, [verified.document], len(verified.document))
    there = [path for path in place.listed(before.all) if path not in wanted and _is_ours(path)]
    # A file goes at once: its licence may have been taken back.
    stale = [path for path in there if path not in before.led_to]
    for path in stale:
        place.remove(path)
    sizes = {path: entry.size for path, entry in wanted.items()}
    place.write_state(_Before(sizes, set(led_to), set(there) - set(stale)).to_bytes())
    whole = sum(sizes.values())
    head = verified.head
    return Mirrored(head.hub, head.order, len(wanted), whole, len(missing), total, len(stale), left_out)


@dataclass(frozen=True)
class _Before:
    """What the last run left: all by path with bytes; what its head leads to; what else may lie there."""

    sizes: dict[str, int]
    led_to: set[str]
    other: set[str]

    @classmethod
    def of(cls, place: Place) -> _Before:
        """What the place remembers; nothing where that cannot be read, which costs a look at each file."""
        data = place.read_state()
        try:
            found: Any = json.loads(data) if len(data) <= _STATE_MOST else None
            sizes = {str(path): int(size) for path, size in found["sizes"].items() if _is_ours(str(path))}
            led_to, other = ({str(path) for path in found[key]} for key in ("led_to", "other"))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return cls({}, set(), set())
        return cls(sizes, led_to, {path for path in other if _is_ours(path)})

    @property
    def all(self) -> set[str]:
        return self.other | set(self.sizes)

    def to_bytes(self) -> bytes:
        said = {"sizes": self.sizes, "led_to": sorted(self.led_to), "other": sorted(self.other)}
        return json.dumps(said, indent=0).encode()


def _is_there(place: Place, path: str, volume: Published, entry: Entry, before: _Before, check: bool) -> bool:
    if check:
        return place.digest(path) == _digest(volume, entry)
    if place.remembers and before.sizes.get(path) == entry.size:
        return True
    return place.size(path) == entry.size


def _digest(volume: Published, entry: Entry) -> str:
    """The SHA-256 of a file as it lies there: a document is named by what is packed in it."""
    if entry.ref is None:
        return entry.digest
    return sha256(packs.read(volume, entry.name, entry.size))


def _path(entry: Entry) -> str:
    """The path on the public plane of what a pack calls so."""
    name = entry.name.rpartition("/")[2]
    return (DOCUMENTS if entry.ref is not None else OBJECTS) + name


def _is_ours(path: str) -> bool:
    folder, _slash, name = path.rpartition("/")
    return f"{folder}/" in (DOCUMENTS, OBJECTS) and is_digest(name)
