"""A feed's way from where a shelf stands to its newest state, and what lies behind it in the same object.

The snapshots of all feeds lie one after another in one object, in the order in which they are read. Whoever knows
the ways of several feeds can ask for all of them in one range, and so for as much as the link carries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sync.protocol.feeds import Feed, SegmentRef
from sync.protocol.routes import Leg, Place, Step


@dataclass(frozen=True)
class Way:
    """The legs to walk from `place`, and the transactions of the first one (of which alone the list is read)."""

    feed: Feed
    place: Place | None
    legs: tuple[Leg, ...]
    first: Sequence[Step] = ()

    @property
    def of_runs(self) -> list[SegmentRef]:
        """The segments that are objects of their own, as those of runs are."""
        return [segment for leg in self.legs if leg.run is not None for segment in leg.run.segments[leg.done :]]


def looking_ahead(way: Way, following: Iterable[Way]) -> list[Step]:
    """Return the transactions of the first leg, knowing what `following` ways want behind it, too."""
    if len(way.legs) != 1 or way.legs[0].snapshot is None or (last := way.first[-1]).segment is None:
        return list(way.first)
    end, more = last.offset + last.segment.size, 0
    for other in following:
        wanted = [step for step in other.first if step.segment is not None]
        if not other.legs:
            continue
        if not wanted or wanted[0].source != last.source or wanted[0].offset != end + more:
            break
        more += sum(step.segment.size for step in wanted if step.segment is not None)
        if len(other.legs) > 1:
            break  # its runs come first, and they lie elsewhere
    return [replace(step, ahead=step.ahead + more) for step in way.first]
