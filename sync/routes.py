"""From where a stream stands on the shelf to its newest state: which segments, with which cursor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from resources_cache.cards import Cursor
from sync.protocol.catalogue import Manifest, Run, SegmentRef
from sync.protocol.errors import Malformed


@dataclass(frozen=True)
class Leg:
    """A run to apply, and how many of its segments are applied already."""

    run: Run
    done: int = 0

    @property
    def size(self) -> int:
        """Bytes still to fetch."""
        return sum(segment.size for segment in self.run.segments[self.done :])


@dataclass(frozen=True)
class Step:
    """One transaction: `segment` (None where a run is empty), the cursor saved with it, and the end of a full run.

    `mark` is the generation that the records get; `sweep` then removes those of any other.
    """

    segment: SegmentRef | None
    cursor: Cursor
    mark: str
    sweep: bool


def plan_route(manifest: Manifest, cursor: Cursor | None) -> list[Leg]:
    """Return the cheapest legs, in bytes, from `cursor` to the newest state; [] where nothing is to do.

    A run that is being applied goes on where it is still listed and that costs least. In a new epoch of the
    hub everything starts at 0: the old content stays readable until the end of a full run sweeps it away.
    Raises Malformed where the manifest leads nowhere.
    """
    if cursor is None or cursor.epoch != manifest.epoch:
        return [Leg(run) for run in manifest.path(0)]
    if not cursor.generation and cursor.seq == manifest.seq:
        return []
    choices = []
    begun = next((run for run in manifest.runs if generation(manifest.epoch, run) == cursor.generation), None)
    if begun is not None and 0 < cursor.parts <= len(begun.segments):
        # A run that leads nowhere any more is left for another way.
        with suppress(Malformed):
            choices.append([Leg(begun, cursor.parts), *(Leg(run) for run in manifest.path(begun.end))])
    # Half-way through a run, the stream's number says less than what is there: only a run repairs that.
    begin = 0 if cursor.seq == manifest.seq else cursor.seq
    choices.append([Leg(run) for run in manifest.path(begin)])
    return min(choices, key=lambda legs: sum(leg.size for leg in legs))


def generation(epoch: int, run: Run) -> str:
    """Return the name of a run as cursors keep it."""
    return f"{epoch}.{run.start}.{run.end}"


def steps(manifest: Manifest, cursor: Cursor | None, legs: list[Leg]) -> Iterator[Step]:
    """Yield the transactions that apply `legs`, from `cursor`."""
    seq = cursor.seq if cursor is not None and cursor.epoch == manifest.epoch else 0
    for leg in legs:
        name = generation(manifest.epoch, leg.run)
        mark = name if leg.run.full else ""
        arrived = Cursor(manifest.epoch, leg.run.end, "", 0)
        last = len(leg.run.segments)
        if leg.done >= last:
            yield Step(None, arrived, mark, leg.run.full)
        for number in range(leg.done, last):
            ended = number + 1 == last
            cursor_after = arrived if ended else Cursor(manifest.epoch, seq, name, number + 1)
            yield Step(leg.run.segments[number], cursor_after, mark, ended and leg.run.full)
        seq = leg.run.end
