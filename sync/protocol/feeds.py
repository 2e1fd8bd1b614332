"""Feeds: which streams are brought together, and which segments lead from any point to the newest.

A publication has a version, and a feed changes in some versions (its change versions). A run leads from the
state at one change version to that at a later one; a snapshot holds everything at one. Runs of several
lengths stand beside each other, so that a reader who was away needs O(log n) of them. docs/protocol.md, "Feeds".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sync.protocol import limits
from sync.protocol.errors import Malformed, TooLarge
from sync.protocol.head import ObjectRef
from sync.protocol.wire_json import dump, is_digest, load_object, number, objects, text

_FEEDS = 10_000
_RUNS = 10_000
_SEGMENTS = 100_000


@dataclass(frozen=True)
class SegmentRef:
    """An immutable segment: the SHA-256 of what is sent, and its size in bytes."""

    hash: str
    size: int


@dataclass(frozen=True)
class Run:
    """The segments that lead from change version `start` (exclusive) to `end` (inclusive)."""

    start: int
    end: int
    segments: tuple[SegmentRef, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return sum(segment.size for segment in self.segments)

    def to_json(self) -> list[Any]:
        return [self.start, self.end, *_flat(self.segments)]

    @classmethod
    def from_json(cls, source: object) -> Run:
        if not isinstance(source, list) or len(source) < 2 or not _whole(source[0]) or not _whole(source[1]):
            raise Malformed("A run says neither where it begins nor where it ends.")
        if source[1] <= source[0]:
            raise Malformed(f"A run leads from {source[0]} to {source[1]}.")
        return cls(source[0], source[1], _segments(source[2:]))


@dataclass(frozen=True)
class SnapshotRef:
    """Everything in a feed at change version `at`: the document that lists it, and its size in bytes as sent."""

    at: int
    document: ObjectRef
    size: int


@dataclass(frozen=True)
class StreamSize:
    """What a new reader pays for one stream (bytes as sent, records), as of the newest snapshot."""

    name: str
    size: int
    records: int


@dataclass(frozen=True)
class Feed:
    """One feed: its newest change version, its streams, and the ways to that version.

    `snapshots`: newest first. `recent`: the newest runs of one step, oldest first. `history`: the document
    with all runs (None where `recent` says it all). `parts`: the document with a feed for each single stream.
    """

    name: str
    last: int
    streams: tuple[StreamSize, ...]
    snapshots: tuple[SnapshotRef, ...]
    recent: tuple[Run, ...] = ()
    history: ObjectRef | None = None
    parts: ObjectRef | None = None

    @property
    def size(self) -> int:
        """About what a new reader pays: bytes of the newest snapshot and of the recent runs after it."""
        newest = self.snapshots[0]
        return newest.size + sum(run.size for run in self.recent if run.start >= newest.at)

    @property
    def records(self) -> int:
        """Records in all its streams."""
        return sum(stream.records for stream in self.streams)

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "name": self.name,
            "last": self.last,
            "streams": [[stream.name, stream.size, stream.records] for stream in self.streams],
            "snapshots": [[one.at, one.document.hash, one.document.size, one.size] for one in self.snapshots],
        }
        if self.recent:
            body["recent"] = [run.to_json() for run in self.recent]
        if self.history is not None:
            body["history"] = [self.history.hash, self.history.size]
        if self.parts is not None:
            body["parts"] = [self.parts.hash, self.parts.size]
        return body

    @classmethod
    def from_json(cls, source: dict[str, Any]) -> Feed:
        name = text(source, "name", "feed")
        if not 2 <= len(name.split("/")) <= 5 or len(name) > 200:
            raise Malformed("The index names a feed that is none.")
        snapshots = tuple(_snapshot(item) for item in _list(source, "snapshots", 10))
        if not snapshots:
            raise Malformed(f"The feed {name} has nothing for a new reader.")
        return cls(
            name,
            number(source, "last", "feed"),
            tuple(_stream_size(item) for item in _list(source, "streams", _FEEDS)),
            snapshots,
            _runs(source, "recent", 100),
            _reference(source, "history"),
            _reference(source, "parts"),
        )


@dataclass(frozen=True)
class Index:
    """All the feeds of a hub's public plane at one version."""

    epoch: int
    version: int
    feeds: tuple[Feed, ...]

    def to_bytes(self) -> bytes:
        return dump(
            {"epoch": self.epoch, "version": self.version, "feeds": [feed.to_json() for feed in self.feeds]}
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Index:
        """Read an index whose hash was verified; raises Malformed, TooLarge."""
        body = load_object(data, limits.DOCUMENT, "index")
        return cls(
            number(body, "epoch", "index"),
            number(body, "version", "index"),
            tuple(Feed.from_json(item) for item in objects(body, "feeds", "index", _FEEDS)),
        )


@dataclass(frozen=True)
class Parts:
    """The feeds of the single streams of one feed, for readers who keep only some of them."""

    feed: str
    feeds: tuple[Feed, ...]

    def to_bytes(self) -> bytes:
        return dump({"feed": self.feed, "feeds": [feed.to_json() for feed in self.feeds]})

    @classmethod
    def from_bytes(cls, data: bytes) -> Parts:
        """Read a document whose hash was verified; raises Malformed, TooLarge."""
        body = load_object(data, limits.DOCUMENT, "list of parts")
        return cls(
            text(body, "feed", "list of parts"),
            tuple(Feed.from_json(item) for item in objects(body, "feeds", "list of parts", _FEEDS)),
        )


@dataclass(frozen=True)
class History:
    """All the runs of a feed that are still served; from `fine` on, every change version begins or ends one."""

    feed: str
    fine: int
    runs: tuple[Run, ...]

    def to_bytes(self) -> bytes:
        return dump({"feed": self.feed, "fine": self.fine, "runs": [run.to_json() for run in self.runs]})

    @classmethod
    def from_bytes(cls, data: bytes) -> History:
        """Read a document whose hash was verified; raises Malformed, TooLarge."""
        body = load_object(data, limits.DOCUMENT, "history")
        return cls(text(body, "feed", "history"), number(body, "fine", "history"), _runs(body, "runs", _RUNS))


@dataclass(frozen=True)
class Snapshot:
    """The segments of a snapshot: one after another in the object `bulk`, the first at byte `offset`."""

    feed: str
    at: int
    bulk: ObjectRef
    offset: int
    segments: tuple[SegmentRef, ...]

    def offsets(self) -> list[int]:
        """Return where in the bulk each segment begins, in bytes."""
        found, place = [], self.offset
        for segment in self.segments:
            found.append(place)
            place += segment.size
        return found

    def to_bytes(self) -> bytes:
        return dump(
            {
                "feed": self.feed,
                "at": self.at,
                "bulk": [self.bulk.hash, self.bulk.size],
                "offset": self.offset,
                "segments": _flat(self.segments),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Snapshot:
        """Read a document whose hash was verified; raises Malformed, TooLarge."""
        body = load_object(data, limits.DOCUMENT, "snapshot")
        bulk = _reference(body, "bulk")
        if bulk is None:
            raise Malformed("A snapshot does not say where its segments are.")
        found = cls(
            text(body, "feed", "snapshot"),
            number(body, "at", "snapshot"),
            bulk,
            number(body, "offset", "snapshot"),
            _segments(_list(body, "segments", 2 * _SEGMENTS)),
        )
        if found.offset + sum(segment.size for segment in found.segments) > bulk.size:
            raise Malformed("A snapshot goes past the end of the object that holds it.")
        return found


def _flat(segments: Iterable[SegmentRef]) -> list[Any]:
    return [part for segment in segments for part in (segment.hash, segment.size)]


def _segments(source: Sequence[Any]) -> tuple[SegmentRef, ...]:
    if len(source) % 2:
        raise Malformed("A list of segments is cut short.")
    found = []
    for hash_, size in zip(source[::2], source[1::2], strict=True):
        if not isinstance(hash_, str) or not is_digest(hash_) or not _whole(size):
            raise Malformed("A segment is not named by its SHA-256 and size.")
        if size > limits.SEGMENT:
            raise TooLarge(f"A segment announces {size} bytes; at most {limits.SEGMENT} are read.")
        found.append(SegmentRef(hash_, size))
    return tuple(found)


def _runs(source: dict[str, Any], key: str, most: int) -> tuple[Run, ...]:
    return tuple(Run.from_json(item) for item in _list(source, key, most))


def _snapshot(source: object) -> SnapshotRef:
    if not isinstance(source, list) or len(source) < 4 or not all(_whole(source[n]) for n in (0, 2, 3)):
        raise Malformed("A snapshot is not named.")
    return SnapshotRef(source[0], _object_ref(source[1:3]), source[3])


def _stream_size(source: object) -> StreamSize:
    if not isinstance(source, list) or len(source) < 3 or not _whole(source[1]) or not _whole(source[2]):
        raise Malformed("A stream of a feed is not named.")
    name = source[0]
    if not isinstance(name, str) or not 2 <= len(name.split("/")) <= 5 or len(name) > 200:
        raise Malformed("A feed names a stream that is none.")
    return StreamSize(name, source[1], source[2])


def _reference(source: dict[str, Any], key: str) -> ObjectRef | None:
    value = source.get(key)
    return None if value is None else _object_ref(value)


def _object_ref(value: object) -> ObjectRef:
    if not isinstance(value, list) or len(value) < 2 or not isinstance(value[0], str) or not _whole(value[1]):
        raise Malformed("A document or object is not named by its SHA-256 and size.")
    if not is_digest(value[0]):
        raise Malformed("A document or object is not named by its SHA-256.")
    return ObjectRef(value[0], value[1])


def _list(source: dict[str, Any], key: str, most: int) -> list[Any]:
    value = source.get(key, [])
    if not isinstance(value, list):
        raise Malformed(f"There is no list under “{key}”.")
    if len(value) > most:
        raise TooLarge(f"{len(value)} entries stand under “{key}”; at most {most} are read.")
    return value


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
