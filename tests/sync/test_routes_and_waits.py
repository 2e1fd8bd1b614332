"""Small pure parts: routes through runs, subscriptions, the pace of requests, waiting times."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.backoff import LONGEST, SHORTEST, next_delay
from sync.pace import FIRST, LARGEST, SMALLEST, Pace
from sync.protocol.errors import Malformed
from sync.protocol.feeds import Feed, History, Run, SegmentRef, Snapshot, SnapshotRef, StreamSize
from sync.protocol.head import ObjectRef
from sync.protocol.routes import Leg, Place, Step, chain, generation, plan, steps
from sync.protocol.subscriptions import Subscription, parts

NAME = "public/cards/en"


def segment(size: int) -> SegmentRef:
    return SegmentRef(f"{size:064x}", size)


def run(start: int, end: int, *sizes: int) -> Run:
    return Run(start, end, tuple(segment(size) for size in sizes or (10,)))


def snapshot(at: int, size: int = 5000) -> SnapshotRef:
    return SnapshotRef(at, ObjectRef(f"{at:064x}", 100), size)


LISTED = ObjectRef("f" * 64, 100)
RECENT = (run(10, 12), run(12, 13), run(13, 17), run(17, 20))
FEED = Feed(NAME, 20, (StreamSize(NAME, 5000, 9),), (snapshot(12), snapshot(5)), RECENT, LISTED)
HISTORY = History(NAME, 5, (run(2, 5), run(5, 8), run(8, 10), run(5, 10, 12), run(10, 13, 11), *RECENT))


def way(legs: tuple[Leg, ...] | None) -> list[tuple[int, int] | int]:
    """Legs as (start, end), snapshots as their version alone."""
    assert legs is not None
    found: list[tuple[int, int] | int] = []
    for leg in legs:
        if leg.run is not None:
            found.append((leg.run.start, leg.run.end))
        else:
            assert leg.snapshot is not None
            found.append(leg.snapshot.at)
    return found


def listed(at: int, *sizes: int, offset: int = 0) -> Snapshot:
    return Snapshot(NAME, at, ObjectRef("a" * 64, 10_000), offset, tuple(segment(size) for size in sizes))


def ends(found: list[Step]) -> list[tuple[int, str, int]]:
    return [(step.place.seq, step.place.generation, step.place.parts) for step in found]


def test_a_new_reader_takes_a_snapshot_and_what_came_after() -> None:
    assert way(plan(FEED, None, 3, None)) == [12, (12, 13), (13, 17), (17, 20)]


def test_a_snapshot_is_read_part_by_part_out_of_its_object_and_sweeps_at_its_end() -> None:
    found = list(steps(Leg(snapshot=snapshot(12)), None, 3, listed(12, 400, 300, 200, offset=50)))
    name = f"3.12.{12:064x}"[:13] + "s"
    assert ends(found) == [(0, name, 1), (0, name, 2), (12, "", 0)]
    assert [(step.offset, step.ahead) for step in found] == [(50, 500), (450, 200), (750, 0)]
    assert {step.source for step in found} == {SegmentRef("a" * 64, 10_000)}
    assert [step.sweep for step in found] == [False, False, True]
    assert [step.mark for step in found] == [name] * 3


def test_a_run_marks_nothing_and_sweeps_nothing() -> None:
    found = list(steps(Leg(run(5, 8, 30, 40)), Place(3, 5), 3, None))
    assert ends(found) == [(5, f"3.5.8.{30:064x}"[:14], 1), (8, "", 0)]
    assert [(step.segment, step.source, step.offset) for step in found] == [
        (segment(30), segment(30), 0),
        (segment(40), segment(40), 0),
    ]
    assert not any(step.sweep or step.mark for step in found)


def test_an_empty_snapshot_still_sweeps() -> None:
    (step,) = steps(Leg(snapshot=snapshot(12)), Place(2, 5), 3, listed(12))
    assert (step.segment, step.place, step.sweep) == (None, Place(3, 12), True)


def test_a_reader_in_step_has_nothing_to_do() -> None:
    assert plan(FEED, Place(3, 20), 3, None) == ()


def test_a_reader_who_was_away_takes_the_cheapest_runs() -> None:
    assert way(plan(FEED, Place(3, 13), 3, None)) == [(13, 17), (17, 20)]
    assert plan(FEED, Place(3, 5), 3, None) is None
    assert way(plan(FEED, Place(3, 5), 3, HISTORY)) == [(5, 10), (10, 13), (13, 17), (17, 20)]


def test_a_reader_between_two_changes_has_the_state_of_the_earlier_one() -> None:
    assert way(plan(FEED, Place(3, 15), 3, None)) == [(13, 17), (17, 20)]
    assert way(plan(FEED, Place(3, 7), 3, HISTORY)) == [(5, 10), (10, 13), (13, 17), (17, 20)]
    # Before the fine part of the listing nobody can tell; where it is a change version itself, it is listed.
    assert way(plan(FEED, Place(3, 3), 3, HISTORY))[0] == 12
    assert way(plan(FEED, Place(3, 2), 3, HISTORY))[0] == (2, 5)


def test_a_snapshot_is_taken_where_it_is_cheaper_than_the_runs() -> None:
    dear = History(NAME, 5, (run(5, 10, 100_000), *RECENT))
    assert way(plan(FEED, Place(3, 5), 3, dear))[0] == 12


def test_what_was_begun_goes_on() -> None:
    name = steps_name(Leg(snapshot=snapshot(5)))
    legs = plan(FEED, Place(3, 0, name, 2), 3, HISTORY)
    assert legs is not None
    assert way(legs) == [5, (5, 10), (10, 13), (13, 17), (17, 20)]
    assert legs[0].done == 2
    # The number before a snapshot stays until its end.
    assert ends(list(steps(legs[0], Place(3, 2, name, 2), 3, listed(5, 10, 20, 30, 40)))) == [
        (2, name, 3),
        (5, "", 0),
    ]


def test_a_run_of_the_history_that_was_begun_is_looked_for_there() -> None:
    half_way = Place(3, 5, generation(3, Leg(run(5, 10, 12))), 1)
    assert plan(FEED, half_way, 3, None) is None
    legs = plan(FEED, half_way, 3, HISTORY)
    assert legs is not None
    assert legs[0] == Leg(run(5, 10, 12), None, 1)


def test_a_run_of_other_content_between_the_same_versions_was_not_begun() -> None:
    """A group of streams and one of them alone may both have a run from 5 to 10."""
    of_the_group = Place(3, 5, generation(3, Leg(Run(5, 10, (SegmentRef("f" * 64, 9),)))), 1)
    assert way(plan(FEED, of_the_group, 3, HISTORY))[0] == 12


def test_what_was_begun_and_is_gone_is_left_for_a_snapshot() -> None:
    assert way(plan(FEED, Place(3, 5, "3.4.9", 1), 3, HISTORY))[0] == 12
    assert way(plan(FEED, Place(3, 12, "3.12.13.gone", 1), 3, HISTORY))[0] == 12


def test_another_epoch_begins_with_a_snapshot() -> None:
    for place in (Place(2, 20), Place(2, 13), Place(2, 6, "2.5.8", 1), Place(4, 20)):
        assert way(plan(FEED, place, 3, None))[0] == 12


def test_a_reader_whose_content_differs_takes_a_snapshot() -> None:
    assert way(plan(FEED, Place(3, 13), 3, None, barred=True)) == [12, (12, 13), (13, 17), (17, 20)]
    assert way(plan(FEED, Place(3, 20), 3, None, barred=True))[0] == 12


def test_a_feed_that_leads_nowhere_says_so() -> None:
    broken = Feed(NAME, 20, FEED.streams, (snapshot(5),), (run(17, 20),), None)
    with pytest.raises(Malformed):
        plan(broken, None, 3, None)


def steps_name(leg: Leg) -> str:
    return next(steps(leg, None, 3, listed(5, 1, 1, 1, 1))).mark


@given(st.integers(1, 70), st.integers(0, 80), st.integers(1, 20), st.data())
def test_every_route_is_contiguous_and_ends_at_the_newest(
    changes: int, behind: int, kept: int, data: st.DataObject
) -> None:
    versions = [2 + 3 * n for n in range(changes)]
    single = [run(one, other, data.draw(st.integers(1, 500))) for one, other in pairwise(versions)]
    merged = [
        run(versions[n - span], versions[n], data.draw(st.integers(1, 500)))
        for span in (2, 4, 8, 16)
        for n in range(span, changes)
        if (n + 1) % span == 0
    ]
    fine = versions[max(0, changes - 1 - kept)]
    served = [one for one in (*single, *merged) if one.start >= fine]
    shots = tuple(snapshot(v, 100_000) for v in {versions[-1 - changes // 3], versions[-1]})
    history = History(NAME, fine, tuple(served))
    feed = Feed(NAME, versions[-1], FEED.streams, shots, tuple(single[-4:]), LISTED if len(single) > 4 else None)
    seq = max(0, versions[-1] - behind)
    legs = plan(feed, Place(1, seq), 1, None)
    if legs is None:
        legs = plan(feed, Place(1, seq), 1, history)
    assert legs is not None
    at = max((v for v in versions if v <= seq), default=None)
    for leg in legs:
        if leg.run is not None:
            assert leg.run.start == at
            at = leg.run.end
        else:
            assert leg.snapshot is not None
            at = leg.snapshot.at
    assert at == versions[-1]
    # As many runs as the reader missed changes have bits, about: not one for each change.
    assert len([leg for leg in legs if leg.run]) <= max(4, behind // 3)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=30), st.data())
def test_a_chain_is_the_cheapest_there_is(sizes: list[int], data: st.DataObject) -> None:
    runs = [run(n, n + 1, size) for n, size in enumerate(sizes)]
    start = data.draw(st.integers(0, len(sizes) - 2))
    dear, cheap = run(start, start + 2, 5000), run(start, start + 2, 1)
    found = chain([*runs, dear], 0, len(sizes))
    assert found is not None
    assert dear not in found
    found = chain([*runs, cheap], 0, len(sizes))
    assert found is not None
    assert cheap in found
    assert chain(runs[1:], 0, len(sizes)) is None


def feed_named(name: str, *streams: str) -> Feed:
    sizes = tuple(StreamSize(stream, 1, 1) for stream in streams or (name,))
    return Feed(name, 1, sizes, (snapshot(1),))


def test_the_order_is_by_use_and_by_the_persons_languages() -> None:
    names = [
        "public/texts/fr",
        "public/talk/en",
        "public/people",
        "public/vocab",
        "public/cards/en",
        "public/cards/fr",
        "public/cards/sw",
        "public/later/en",
        "secret/cards/en",
    ]
    feeds = [feed_named(name, *([f"{name}/data"] if "texts" in name else [])) for name in names]
    assert [one.name for one in Subscription(["fr", "en"]).choose(feeds)] == [
        "public/cards/fr",
        "public/cards/en",
        "public/vocab",
        "public/people",
        "public/talk/en",
        "public/texts/fr",
    ]


def test_a_feed_of_which_something_is_kept_is_chosen_and_told_from_one_kept_whole() -> None:
    feed = feed_named("public/texts/en", "public/texts/en/data", "public/texts/en/rain")
    some, all_of_it, none = (
        Subscription(None, ["rain"]),
        Subscription(None, ["rain", "data"]),
        Subscription(["fr"]),
    )
    assert some.choose([feed]) == [feed] == all_of_it.choose([feed])
    assert none.choose([feed]) == []
    assert not some.takes_whole(feed)
    assert all_of_it.takes_whole(feed)


@pytest.mark.parametrize(
    ("languages", "themes", "name", "wanted"),
    [
        (None, None, "public/texts/fr/data", True),
        (["en"], None, "public/texts/fr/data", False),
        (["pt"], None, "public/cards/pt-BR", True),
        (["pt-BR"], None, "public/cards/pt", True),
        (["pt-BR"], None, "public/cards/pt-PT", False),
        (["en"], None, "public/cards/und", True),
        (["fr"], ["data"], "public/texts/fr/data", True),
        (["fr"], ["data"], "public/texts/fr/other", False),
        (["fr"], [], "public/talk/fr", True),
        ([], [], "public/people", True),
        (None, None, "public/unknown/en", False),
    ],
)
def test_what_is_wanted(languages: list[str] | None, themes: list[str] | None, name: str, wanted: bool) -> None:
    assert Subscription.from_settings(languages, themes).wants(name) is wanted


@given(st.text())
def test_any_name_has_parts(name: str) -> None:
    assert len(parts(name)) == 3
    Subscription(["en"], ["data"]).wants(name)


def test_a_link_that_carries_well_is_asked_for_more_each_time() -> None:
    pace = Pace()
    assert pace.size == FIRST
    sizes = []
    for _ in range(8):
        pace.went(pace.size, 1.0)
        sizes.append(pace.size)
    assert sizes == sorted(sizes)
    assert sizes[0] <= 4 * FIRST
    assert sizes[-1] == LARGEST


def test_a_slow_link_is_asked_for_about_a_minute_and_after_a_loss_for_less() -> None:
    pace = Pace()
    for _ in range(20):
        pace.went(5_000, 1.0)
    assert 200_000 < pace.size <= 300_000
    pace.lost(5.0)
    assert pace.size <= 100_000


def test_losses_in_a_row_halve_what_is_asked_for_down_to_the_smallest() -> None:
    pace = Pace()
    pace.lost(5.0)
    assert pace.size == FIRST
    pace.lost(5.0)
    assert pace.size == FIRST // 2
    for _ in range(20):
        pace.lost(5.0)
    assert pace.size == SMALLEST
    pace.went(SMALLEST, 0.5)
    pace.lost(5.0)
    pace.went(SMALLEST, 0.5)
    assert pace.size > SMALLEST


@given(st.lists(st.one_of(st.none(), st.tuples(st.integers(0, 10**9), st.floats(0, 10**4))), max_size=60))
def test_what_is_asked_for_stays_within_bounds(happened: list[tuple[int, float] | None]) -> None:
    pace = Pace()
    for one in happened:
        if one is None:
            pace.lost(5.0)
        else:
            pace.went(*one)
        assert SMALLEST <= pace.size <= LARGEST
        assert pace.rate >= 0


@given(st.integers(1, 10_000), st.integers())
def test_waiting_stays_between_five_seconds_and_half_an_hour(attempt: int, seed: int) -> None:
    assert SHORTEST <= next_delay(attempt, Random(seed)) <= LONGEST


def test_waiting_grows_and_is_spread() -> None:
    assert max(next_delay(1, Random(seed)) for seed in range(200)) <= 10
    late = [next_delay(12, Random(seed)) for seed in range(200)]
    assert max(late) > 1500
    assert min(late) < 300
    assert next_delay(3, Random(1)) == next_delay(3, Random(1))
    with pytest.raises(ValueError, match="from 1"):
        next_delay(0, Random())
