"""Index and manifests: which streams there are, and which segments lead from any point to the newest.

A stream's sequence number counts its publications. A run leads from one sequence number to another, in one or
more segments; a full run starts at 0 and replaces what the reader had. Runs of several lengths stand beside
each other (each length a power of two), so that a reader who was away needs O(log n) of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sync.protocol import limits
from sync.protocol.errors import Malformed, TooLarge
from sync.protocol.head import ObjectRef
from sync.protocol.wire_json import digest, dump, load_object, number, objects, text


@dataclass(frozen=True)
class SegmentRef:
    """An immutable segment: its name and size as sent, how it is coded, and what it decodes to (bytes)."""

    hash: str
    size: int
    codec: str
    raw_size: int
    raw_hash: str
    records: int

    def to_json(self) -> dict[str, Any]:
        return {
            "hash": self.hash,
            "size": self.size,
            "codec": self.codec,
            "raw_size": self.raw_size,
            "raw_hash": self.raw_hash,
            "records": self.records,
        }

    @classmethod
    def from_json(cls, source: dict[str, Any]) -> SegmentRef:
        found = cls(
            digest(source, "hash", "segment"),
            number(source, "size", "segment"),
            text(source, "codec", "segment"),
            number(source, "raw_size", "segment"),
            digest(source, "raw_hash", "segment"),
            number(source, "records", "segment"),
        )
        if found.size > limits.SEGMENT or found.raw_size > limits.SEGMENT_RAW:
            raise TooLarge(f"A segment announces {found.size} bytes, {found.raw_size} decoded.")
        return found


@dataclass(frozen=True)
class Run:
    """The segments that lead from sequence `start` (exclusive) to `end` (inclusive)."""

    start: int
    end: int
    full: bool
    segments: tuple[SegmentRef, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return sum(segment.size for segment in self.segments)

    def to_json(self) -> dict[str, Any]:
        return {
            "from": self.start,
            "to": self.end,
            "full": self.full,
            "segments": [segment.to_json() for segment in self.segments],
        }

    @classmethod
    def from_json(cls, source: dict[str, Any]) -> Run:
        segments = tuple(SegmentRef.from_json(item) for item in objects(source, "segments", "run", 10_000))
        full = source.get("full", False)
        run = cls(number(source, "from", "run"), number(source, "to", "run"), bool(full), segments)
        if run.end <= run.start or (run.full and run.start != 0):
            raise Malformed(f"A run leads from {run.start} to {run.end}.")
        return run


@dataclass(frozen=True)
class Manifest:
    """All the runs of one stream that the hub still serves; `seq` is where the newest of them ends."""

    stream: str
    epoch: int
    seq: int
    runs: tuple[Run, ...]

    def to_bytes(self) -> bytes:
        return dump(
            {
                "stream": self.stream,
                "epoch": self.epoch,
                "seq": self.seq,
                "runs": [run.to_json() for run in self.runs],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read a manifest whose hash was verified; raises Malformed, TooLarge."""
        body = load_object(data, limits.MANIFEST, "manifest")
        runs = tuple(Run.from_json(item) for item in objects(body, "runs", "manifest", 10_000))
        return cls(
            text(body, "stream", "manifest"),
            number(body, "epoch", "manifest"),
            number(body, "seq", "manifest"),
            runs,
        )

    def path(self, seq: int) -> tuple[Run, ...]:
        """Return the cheapest runs, in bytes, that lead from `seq` to the newest; () where nothing is to do.

        Raises Malformed where no path exists: a hub always serves a full run.
        """
        if seq == self.seq:
            return ()
        # Costs from the newest backwards: every run ends after it starts, so one pass by start suffices.
        best: dict[int, tuple[int, tuple[Run, ...]]] = {self.seq: (0, ())}
        for run in sorted(self.runs, key=lambda run: -run.start):
            onward = best.get(run.end)
            if run.full or onward is None:
                continue
            cost = run.size + onward[0]
            if run.start not in best or cost < best[run.start][0]:
                best[run.start] = (cost, (run, *onward[1]))
        choices = [best[seq]] if seq in best else []
        for run in self.runs:
            if run.full and run.end in best:
                cost, onward_runs = best[run.end]
                choices.append((run.size + cost, (run, *onward_runs)))
        if not choices:
            raise Malformed(f"The manifest of {self.stream} has no way from {seq} to {self.seq}.")
        return min(choices, key=lambda choice: choice[0])[1]


@dataclass(frozen=True)
class StreamEntry:
    """One stream in the index: where it stands, its manifest, and what a new reader pays (bytes, records)."""

    name: str
    seq: int
    manifest: ObjectRef
    size: int
    records: int

    @property
    def tier(self) -> str:
        """The second part of the name: cards, talk, people, vocab or texts."""
        return self.name.split("/")[1]


@dataclass(frozen=True)
class Index:
    """All the streams of a hub's public plane in one epoch."""

    epoch: int
    streams: tuple[StreamEntry, ...]

    def to_bytes(self) -> bytes:
        return dump(
            {
                "epoch": self.epoch,
                "streams": [
                    {
                        "name": entry.name,
                        "seq": entry.seq,
                        "manifest": entry.manifest.to_json(),
                        "size": entry.size,
                        "records": entry.records,
                    }
                    for entry in self.streams
                ],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Index:
        """Read an index whose hash was verified; raises Malformed, TooLarge."""
        body = load_object(data, limits.INDEX, "index")
        entries = []
        for item in objects(body, "streams", "index", 10_000):
            name = text(item, "name", "index")
            if len(name.split("/")) < 2 or len(name) > 200:
                raise Malformed("The index names a stream that is none.")
            entries.append(
                StreamEntry(
                    name,
                    number(item, "seq", "index"),
                    ObjectRef.from_json(item.get("manifest"), "manifest"),
                    number(item, "size", "index"),
                    number(item, "records", "index"),
                )
            )
        return cls(number(body, "epoch", "index"), tuple(entries))


def stream_name(tier: str, lang: str = "", theme: str = "") -> str:
    """Return the name of a public stream: `public/<tier>[/<lang>[/<theme>]]`."""
    return "/".join(part for part in ("public", tier, lang, theme) if part)


def cheapest_size(runs: Sequence[Run], seq: int) -> int:
    """Return the bytes a new reader pays for a stream at `seq` with `runs`."""
    return sum(run.size for run in Manifest("", 0, seq, tuple(runs)).path(0))
