"""Runs: which segments lead readers from where they are to the newest state of a stream.

After publication n of a stream there is a run (n - 2**k, n] for every 2**k that divides n, so that a reader
who missed m publications needs at most about 2·log2(m) runs. A full run for new readers is made anew when the
runs since the last one have grown to half its size.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hub.models import Stream, StreamRecord
from hub.publishing.served import put
from sync.protocol.catalogue import Manifest, Run, SegmentRef
from sync.protocol.segments import deletion_line, split

_FULL_RUNS_KEPT = 2
_RUNS_KEPT = 2000


def build(home: Path, stream: Stream, epoch: int, known: Manifest | None) -> Manifest:
    """Return the manifest of `stream` at its sealed `seq`, writing the segments that are new.

    `known` is the manifest before, or None for a new stream or a new epoch.
    """
    target = stream.seq
    if known is None:
        return Manifest(stream.name, epoch, target, (_full(home, stream),))
    runs = list(known.runs)
    span = 1
    while target % span == 0 and target - span > 0:
        runs.append(_delta(home, stream, target - span))
        span *= 2
    newest_full = max((run for run in runs if run.full), key=lambda run: run.end)
    since = sum(
        run.size for run in runs if not run.full and run.end - run.start == 1 and run.end > newest_full.end
    )
    if since > newest_full.size // 2:
        runs.append(_full(home, stream))
    return Manifest(stream.name, epoch, target, _kept(runs))


def _kept(runs: list[Run]) -> tuple[Run, ...]:
    full = sorted((run for run in runs if run.full), key=lambda run: run.end)[-_FULL_RUNS_KEPT:]
    deltas = sorted((run for run in runs if not run.full), key=lambda run: (run.end, run.start))
    # Deltas that follow the oldest full run kept are needed to get from it to the newest state.
    needed = [run for run in deltas if run.start >= full[0].end]
    older = [run for run in deltas if run.start < full[0].end][-max(0, _RUNS_KEPT - len(needed)) :]
    return (*full, *older, *needed)


def _full(home: Path, stream: Stream) -> Run:
    rows = StreamRecord.objects.filter(stream=stream, deleted=False).order_by("record_id")
    lines = (bytes(body) for body in rows.values_list("body", flat=True).iterator(2000))
    return Run(0, stream.seq, True, _store(home, lines))


def _delta(home: Path, stream: Stream, start: int) -> Run:
    rows = StreamRecord.objects.filter(stream=stream, seq__gt=start).order_by("record_id")
    values = rows.values_list("record_id", "body", "deleted").iterator(2000)
    lines = (deletion_line(record_id) if deleted else bytes(body) for record_id, body, deleted in values)
    return Run(start, stream.seq, False, _store(home, lines))


def _store(home: Path, lines: Iterator[bytes]) -> tuple[SegmentRef, ...]:
    refs = []
    for segment in split(lines):
        put(home, segment.data)
        refs.append(segment.ref)
    return tuple(refs)
