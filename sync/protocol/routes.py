"""From where a reader stands in a feed to its newest state: which snapshot or runs, in which order.

Both sides use it: the shelf to plan, the hub to guess what a shelf will ask for next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sync.protocol.errors import Malformed
from sync.protocol.feeds import Feed, History, Run, SegmentRef, Snapshot, SnapshotRef

REQUEST_COST = 600
"""Bytes that one more object costs beside its own: request, headers, framing."""
RUN_COST = 3000
"""Bytes that one more run costs beside its own: training a model for it takes as long as these on a slow link."""


@dataclass(frozen=True)
class Place:
    """Where a reader stands: `seq` is the change version of `epoch` that is applied.

    While a run or snapshot is being applied, `generation` names it and `parts` counts its applied segments.
    """

    epoch: int = 0
    seq: int = 0
    generation: str = ""
    parts: int = 0


@dataclass(frozen=True)
class Leg:
    """A run or a snapshot to apply, and how many of its segments are applied already."""

    run: Run | None = None
    snapshot: SnapshotRef | None = None
    done: int = 0

    @property
    def size(self) -> int:
        """About how many bytes are still to be fetched."""
        if self.run is not None:
            return sum(segment.size + REQUEST_COST for segment in self.run.segments[self.done :])
        assert self.snapshot is not None
        # What is left of a snapshot is known only once its list is read; a segment is about a megabyte at most.
        return max(0, self.snapshot.size - self.done * 500_000) + REQUEST_COST


@dataclass(frozen=True)
class Step:
    """One transaction: a segment, the place that is saved with it, and what the end of a snapshot sweeps.

    `segment` lies at byte `offset` of the object `source` (hash, size), `ahead` bytes of the same leg follow it
    there. Records get the generation `mark`; `sweep` then removes those of any other. An empty run or snapshot
    has no segment.
    """

    segment: SegmentRef | None
    source: SegmentRef | None
    offset: int
    ahead: int
    place: Place
    mark: str
    sweep: bool


def plan(
    feed: Feed, place: Place | None, epoch: int, history: History | None, *, barred: bool = False
) -> tuple[Leg, ...] | None:
    """Return the cheapest legs, in bytes, from `place` to the newest state of `feed`; () where nothing is to do.

    None asks for the feed's history first. In a new epoch everything starts with a snapshot: the old content
    stays readable until its end sweeps it away. `barred`: no runs from where the reader stands, since what it
    has is not what the hub believed. Raises Malformed where the feed leads nowhere.
    """
    runs = feed.recent if history is None else _distinct(feed.recent, history.runs)
    fine = _fine(feed, history)
    blind = history is None and feed.history is not None
    here = place if place is not None and place.epoch == epoch else None
    if here is not None and not here.generation and here.seq == feed.last and not barred:
        return ()
    begun = _begun(feed, here, runs, epoch)
    if begun is not None and not barred:
        onward = chain(runs, begun.run.end if begun.run else _at(begun), feed.last)
        if onward is not None:
            return (begun, *(Leg(run) for run in onward))
        if blind:
            return None
    if begun is None and here is not None and here.generation and blind and not barred:
        return None  # what it is half-way through may stand in the history
    choices: list[tuple[Leg, ...]] = []
    for snapshot in feed.snapshots:
        onward = chain(runs, snapshot.at, feed.last)
        if onward is not None:
            choices.append((Leg(snapshot=snapshot), *(Leg(run) for run in onward)))
    if here is not None and not here.generation and not barred:
        node = _node(feed, runs, fine, here.seq)
        onward = None if node is None else chain(runs, node, feed.last)
        if onward is not None:
            choices.append(tuple(Leg(run) for run in onward))
        elif blind:
            return None
    if not choices:
        if blind:
            return None
        raise Malformed(f"The feed {feed.name} leads nowhere.")
    return min(choices, key=lambda legs: sum(leg.size for leg in legs))


def chain(runs: Sequence[Run], start: int, end: int) -> tuple[Run, ...] | None:
    """Return the runs that lead from change version `start` to `end` in the fewest bytes, None if none do."""
    best: dict[int, tuple[int, tuple[Run, ...]]] = {end: (0, ())}
    # From the newest backwards: every run ends after it starts, so one pass by start suffices.
    for run in sorted(runs, key=lambda run: -run.start):
        onward = best.get(run.end)
        if onward is None or run.start < start:
            continue
        cost = onward[0] + RUN_COST + sum(segment.size + REQUEST_COST for segment in run.segments)
        if run.start not in best or cost < best[run.start][0]:
            best[run.start] = (cost, (run, *onward[1]))
    return best[start][1] if start in best else None


def steps(leg: Leg, place: Place | None, epoch: int, snapshot: Snapshot | None) -> Iterator[Step]:
    """Yield the transactions that apply `leg`; `snapshot` is the list that a snapshot leg names."""
    seq = place.seq if place is not None and place.epoch == epoch else 0
    name = generation(epoch, leg)
    if leg.run is not None:
        segments, arrived, mark = leg.run.segments, Place(epoch, leg.run.end), ""
        places = [(segment, 0) for segment in segments]
    else:
        assert snapshot is not None, "a snapshot leg needs its list"
        segments, arrived, mark = snapshot.segments, Place(epoch, snapshot.at), name
        bulk = SegmentRef(snapshot.bulk.hash, snapshot.bulk.size)
        places = [(bulk, offset) for offset in snapshot.offsets()]
    sweep = leg.run is None
    if leg.done >= len(segments):
        yield Step(None, None, 0, 0, arrived, mark, sweep)
    for number in range(leg.done, len(segments)):
        ended = number + 1 == len(segments)
        source, offset = places[number]
        ahead = 0 if leg.run is not None else sum(segment.size for segment in segments[number + 1 :])
        after = arrived if ended else Place(epoch, seq, name, number + 1)
        yield Step(segments[number], source, offset, ahead, after, mark, ended and sweep)


def generation(epoch: int, leg: Leg) -> str:
    """Return the name of a run or snapshot as places keep it.

    It names the content, not only the versions: a group of streams and each of them alone have runs between the
    same versions, and one that is half-way through the group's has not begun its own.
    """
    if leg.run is not None:
        first = leg.run.segments[0].hash[:8] if leg.run.segments else ""
        return f"{epoch}.{leg.run.start}.{leg.run.end}.{first}"
    assert leg.snapshot is not None
    return f"{epoch}.{leg.snapshot.at}.{leg.snapshot.document.hash[:8]}s"


def _begun(feed: Feed, place: Place | None, runs: Sequence[Run], epoch: int) -> Leg | None:
    """The leg that the reader is half-way through, if it is still served."""
    if place is None or not place.generation or place.parts <= 0:
        return None
    for leg in (*(Leg(run, None, place.parts) for run in runs), *_snapshot_legs(feed, place.parts)):
        if generation(epoch, leg) == place.generation:
            return leg
    return None


def _snapshot_legs(feed: Feed, done: int) -> list[Leg]:
    return [Leg(None, snapshot, done) for snapshot in feed.snapshots]


def _at(leg: Leg) -> int:
    assert leg.snapshot is not None
    return leg.snapshot.at


def _node(feed: Feed, runs: Sequence[Run], fine: int | None, seq: int) -> int | None:
    """The change version whose state the reader at `seq` has, None where the listing cannot tell."""
    nodes = {run.start for run in runs} | {run.end for run in runs} | {one.at for one in feed.snapshots}
    if seq in nodes:
        return seq
    before = [node for node in nodes if node <= seq]
    if fine is None or seq < fine or not before:
        return None
    return max(before)


def _fine(feed: Feed, history: History | None) -> int | None:
    """From which version on every change version of the feed is in the listing."""
    if history is not None:
        return history.fine
    return min((run.start for run in feed.recent), default=feed.last)


def _distinct(recent: Sequence[Run], older: Sequence[Run]) -> list[Run]:
    found = {(run.start, run.end): run for run in (*older, *recent)}
    return list(found.values())
