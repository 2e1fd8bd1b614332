"""What is new comes in as few requests as the link allows: ranges go on into the next feed, and what did not fit
behind an answer comes behind the next one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sync.protocol.feeds import Run, SegmentRef, SnapshotRef
from sync.protocol.head import ObjectRef
from sync.protocol.routes import Leg, Place, Step
from sync.ways import Way, looking_ahead
from tests.sync.hub_simulator import Answer, HubSimulator
from tests.sync.simulated_shelf import Shelf, long_card

BULK, OTHER = SegmentRef("b" * 64, 100_000), SegmentRef("c" * 64, 100_000)


def way(offset: int, sizes: Sequence[int], source: SegmentRef = BULK, *, runs: int = 0) -> Way:
    snapshot = Leg(snapshot=SnapshotRef(3, ObjectRef("d" * 64, 10), sum(sizes)))
    found = []
    for number, size in enumerate(sizes):
        segment = SegmentRef(f"{offset + number:064x}", size)
        ahead = sum(sizes[number + 1 :])
        found.append(Step(segment, source, offset + sum(sizes[:number]), ahead, Place(1, 3), "m", False))
    later = tuple(Leg(run=Run(3, 4, ())) for _ in range(runs))
    return Way(None, None, (snapshot, *later), found)  # type: ignore[arg-type]


def test_a_range_goes_on_into_the_feeds_that_follow_in_the_same_object() -> None:
    first, second, third = way(0, [100, 200]), way(300, [50, 50]), way(400, [70])
    assert [step.ahead for step in looking_ahead(first, [second, third])] == [370, 170]
    assert [step.ahead for step in looking_ahead(second, [third])] == [120, 70]
    assert [step.ahead for step in looking_ahead(third, [])] == [0]


@pytest.mark.parametrize(
    "following",
    [
        [way(301, [50]), way(351, [10])],
        [way(300, [50], OTHER)],
        [way(0, [50])],
    ],
    ids=["a gap", "another object", "another place"],
)
def test_it_stops_where_something_else_lies_between(following: list[Way]) -> None:
    assert [step.ahead for step in looking_ahead(way(0, [100, 200]), following)] == [200, 0]


def test_it_stops_where_runs_come_first() -> None:
    first, second, third = way(0, [100]), way(100, [50], runs=1), way(150, [70])
    assert [step.ahead for step in looking_ahead(first, [second, third])] == [50]
    assert [step.ahead for step in looking_ahead(second, [third])] == [0]


def test_a_feed_where_nothing_is_to_do_is_passed_over() -> None:
    done = Way(None, None, ())  # type: ignore[arg-type]
    assert [step.ahead for step in looking_ahead(way(0, [100]), [done, way(100, [50])])] == [50]


def behind(hub: HubSimulator, shelf: Shelf, publications: int) -> None:
    """Let a shelf be behind by so many publications, each of a kilobyte or more."""
    hub.kept_changes = publications + 2
    hub.snapshot_every = 1000
    shelf.sync()
    for number in range(publications):
        hub.publish({"public/cards/en": [long_card(1000 + number)], "public/cards/fr": [long_card(2000 + number)]})


def test_what_did_not_fit_behind_an_answer_comes_behind_the_next(hub: HubSimulator, shelf: Shelf) -> None:
    behind(hub, shelf, 20)
    hub.most_inlined = 6_000
    with hub.counting() as seen:
        report = shelf.sync()
    assert report.up_to_date
    kinds = [one.kind for one in seen]
    assert kinds.count("sync") >= 2
    assert len(kinds) - kinds.count("sync") <= 2, kinds
    shelf.agrees()


def test_a_hub_that_sends_nothing_along_is_not_asked_again(hub: HubSimulator, shelf: Shelf) -> None:
    behind(hub, shelf, 6)
    hub.inlines = False
    with hub.counting() as seen:
        report = shelf.sync()
    assert report.up_to_date
    assert [one.kind for one in seen].count("sync") == 1
    shelf.agrees()


def test_a_hub_that_refuses_the_second_request_is_asked_for_each_thing(hub: HubSimulator, shelf: Shelf) -> None:
    behind(hub, shelf, 12)
    hub.most_inlined = 5_000
    asked = 0

    def fault(seen: object, answer: Answer) -> Answer:
        nonlocal asked
        asked += getattr(seen, "kind", "") == "sync"
        return Answer(503, b"", {}) if asked > 1 and getattr(seen, "kind", "") == "sync" else answer

    hub.fault = fault
    report = shelf.sync()
    assert report.up_to_date
    shelf.agrees()


def test_the_budget_holds_over_all_rounds(hub: HubSimulator, shelf: Shelf) -> None:
    behind(hub, shelf, 20)
    hub.most_inlined = 8_000
    for _ in range(12):
        report = shelf.sync(budget=12_000)
        assert report.bytes_up + report.bytes_down <= 12_000
        if report.up_to_date:
            break
    assert report.up_to_date
    shelf.agrees()
