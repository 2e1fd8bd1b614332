"""Runs: what changed between two change versions of a feed, for readers who have the older state.

After the n-th change of a feed there is a run of one step, and a merged run over the last 2**k changes for every k
that divides n so, composed of its two halves; a reader who missed m changes needs at most about 2·log2(m).
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Sum
from django.db.models.functions import Length

from hub.models import FeedState, StreamRecord
from hub.publishing import changes, served
from hub.publishing.ordering import by_id, live, reading
from hub.publishing.sealing import Place
from sync.protocol import limits, patches
from sync.protocol.feeds import Run, SegmentRef
from sync.protocol.segments import Change, Segment

_STEPS_KEPT = 128
_MERGED_KEPT = 32
"""Merged runs of 2**k changes are kept while their end is among the last 32·2**k changes."""
_STEP_MOST = 24_000_000
"""Bytes of changed records: above, and above half of the feed, readers are given a snapshot instead of a run."""
_MERGED_MOST = 32_000_000
_SMALL_MERGE = 64_000
_PRIMED_MOST = 1024 * 1024
"""Raw bytes of a run that is worth priming, and that `segments.encode` would prime."""
_FEW_ROWS = 8
"""Records that are read at once for priming: a group of streams takes the newest few of each."""

Row = list[Any]
"""A run as FeedState keeps it: `[ordinal, k, start, end, hash, size, …]`."""


@dataclass(frozen=True)
class Step:
    """A run of one step that is still to be coded: its lines, and what readers have that primes it."""

    start: int
    end: int
    lines: list[bytes]
    prefix: bytes


def as_run(row: Row) -> Run:
    """Return a row of `FeedState.runs` as the wire lists it."""
    return Run.from_json(row[2:])


def too_much(streams: Iterable[str], version: int, live_bytes: int) -> bool:
    """Return whether a run to `version` would be larger than is sensible next to a new snapshot.

    `live_bytes` is about what the feed's newest snapshot takes as sent.
    """
    rows = StreamRecord.objects.filter(stream_id__in=list(streams), seq=version, deleted=False)
    size = rows.aggregate(size=Sum(Length("body")))["size"] or 0
    return bool(size > _STEP_MOST or (size > 4_000_000 and size > 3 * live_bytes))


def step(state: FeedState, streams: list[str], version: int, old: dict[Place, bytes] | None) -> Step | None:
    """Return the run from the newest change of a feed to `version`; None where nothing of it really changed.

    `streams` are all streams of the feed, `old` the bodies that were there before (None: not all are known, then
    records are sent whole and unprimed).
    """
    rows = StreamRecord.objects.filter(stream_id__in=streams, seq=version)
    found: list[Change] = []
    values = rows.values_list("stream_id", "record_id", "deleted", "body")
    for stream, record, deleted, body in sorted(values, key=lambda row: (row[0], row[1].encode())):
        before = None if old is None else old.get((stream, record))
        if deleted:
            # Put and deleted within this version: nobody has it.
            if before is not None or old is None:
                found.append((stream, {"id": record, "deleted": True}))
        elif before is None:
            found.append((stream, json.loads(bytes(body))))
        elif before != bytes(body):
            new = json.loads(bytes(body))
            found.append((stream, patches.make(json.loads(before), new) or new))
    if not found:
        return None
    lines = list(changes.lines_of(found))
    raw = sum(map(len, lines))
    prefix = b""
    if old is not None and raw <= _PRIMED_MOST:
        prefix = priming(streams, version, old, _priming_size(raw))
    return Step(state.last, version, lines, prefix)


def _priming_size(raw: int) -> int:
    # Training takes 0.15 s a megabyte on both sides; little news gains little from it.
    return min(limits.PRIMING, max(64 * 1024, 64 * raw))


def priming(streams: list[str], version: int, old: dict[Place, bytes], size: int) -> bytes:
    """Return the last `size` bytes of the newest records that readers have at the state before `version`.

    The newest by id in byte order, as lines, the very newest last: docs/protocol.md, "Priming".
    """
    own = set(streams)
    replaced = [(record.encode(), body) for (stream, record), body in old.items() if stream in own]
    standing = (_before(stream, version) for stream in streams)
    newest: list[bytes] = []
    gathered = 0
    with reading():
        for _id, line in heapq.merge(*standing, sorted(replaced, reverse=True), key=_first, reverse=True):
            newest.append(line + b"\n")
            gathered += len(line) + 1
            if gathered >= size:
                break
    return b"".join(reversed(newest))[-size:]


def _first(pair: tuple[bytes, bytes]) -> bytes:
    return pair[0]


def _before(stream: str, version: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield ids and bodies that stand since before `version`, the newest id first, a few rows in memory."""
    rows = by_id(live(stream), newest_first=True)
    # Versions are compared here: asked for them, SQLite takes their index and sorts all bodies of the stream.
    for record, seq, body in rows.values_list("record_id", "seq", "body").iterator(_FEW_ROWS):
        if seq < version:
            yield record.encode(), bytes(body)


def add_step(home: Path, epoch: int, state: FeedState, made: Step, segments: list[Segment]) -> None:
    """Store a coded run of one step and list it as the newest change of its feed."""
    changes.keep(home, epoch, state.name, made.start, made.end, made.lines)
    state.changes += 1
    state.last = made.end
    row = [state.changes, 0, made.start, made.end, *_stored(home, state.name, segments)]
    state.since += as_run(row).size
    state.runs.append(row)


@dataclass(frozen=True)
class Merge:
    """A merged run over 2**`k` changes that is due: the two runs that it is composed of."""

    k: int
    earlier: Row
    later: Row

    @property
    def small(self) -> bool:
        """Whether it is made in no time, as part of a publication rather than after it."""
        return as_run(self.earlier).size + as_run(self.later).size <= _SMALL_MERGE


def due_merge(state: FeedState) -> Merge | None:
    """Return the shortest merged run that belongs to the newest change and is not there, None for none."""
    rows = {(row[0], row[1]): row for row in state.runs}
    k, newest = 1, state.changes
    while newest % 2**k == 0:
        if (newest, k) not in rows:
            earlier, later = rows.get((newest - 2 ** (k - 1), k - 1)), rows.get((newest, k - 1))
            if earlier is None or later is None or earlier[3] != later[2]:
                return None
            return Merge(k, earlier, later)
        k += 1
    return None


def merge(home: Path, epoch: int, state: FeedState, due: Merge) -> list[bytes] | None:
    """Return the lines of a merged run; None where it cannot be composed, or would be no use."""
    halves = [changes.kept(home, epoch, state.name, half[2], half[3]) for half in (due.earlier, due.later)]
    if halves[0] is None or halves[1] is None:
        return None
    lines = list(changes.lines_of(patches.compose(halves[0], halves[1])))
    return lines if sum(map(len, lines)) <= _MERGED_MOST else None


def add_merge(
    home: Path, epoch: int, state: FeedState, due: Merge, lines: list[bytes], segments: list[Segment]
) -> bool:
    """Store a coded merged run and list it; False where a snapshot serves as well."""
    start, end = due.earlier[2], due.later[3]
    row = [state.changes, due.k, start, end]
    if sum(len(segment.data) for segment in segments) > state.snapshots[0]["size"] + 4096:
        return False
    state.runs.append([*row, *_stored(home, state.name, segments)])
    changes.keep(home, epoch, state.name, start, end, lines)
    return True


def thin(home: Path, epoch: int, state: FeedState) -> None:
    """Take the runs off the list that only readers who were away very long would use."""
    stay: list[Row] = []
    go: list[Row] = []
    for row in state.runs:
        kept = _STEPS_KEPT if row[1] == 0 else _MERGED_KEPT * 2 ** row[1]
        (stay if row[0] > state.changes - kept else go).append(row)
    state.runs = stay
    for row in go:
        changes.drop(home, epoch, state.name, row[2], row[3])


def _stored(home: Path, feed: str, segments: list[Segment]) -> Row:
    listed: Row = []
    for segment in segments:
        ref = served.put(home, segment.data, feed)
        listed += [ref.hash, ref.size]
    return listed


def segments_of(state: FeedState) -> Iterator[SegmentRef]:
    """Yield the segments of all the runs that are listed."""
    for row in state.runs:
        yield from as_run(row).segments
