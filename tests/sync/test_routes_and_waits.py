"""Small pure parts: routes through runs, subscriptions, waiting times, and the order of usefulness."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources_cache.cards import Cursor
from sync.backoff import LONGEST, SHORTEST, next_delay
from sync.protocol.catalogue import Manifest, Run, SegmentRef, StreamEntry
from sync.protocol.head import ObjectRef
from sync.routes import Step, plan_route, steps
from sync.subscriptions import Subscription, parts


def segment(size: int) -> SegmentRef:
    return SegmentRef(f"{size:064x}", size, "zstd", size, f"{size:064x}", 1)


def run(start: int, end: int, *sizes: int, full: bool = False) -> Run:
    return Run(start, end, full, tuple(segment(size) for size in sizes))


FULL = run(0, 8, 400, 300, 300, full=True)
MANIFEST = Manifest("public/cards/en", 3, 9, (FULL, run(6, 7, 10), run(7, 8, 10), run(8, 9, 10), run(6, 8, 15)))


def route(cursor: Cursor | None, manifest: Manifest = MANIFEST) -> list[Step]:
    return list(steps(manifest, cursor, plan_route(manifest, cursor)))


def ends(found: list[Step]) -> list[tuple[int, str, int]]:
    return [(step.cursor.seq, step.cursor.generation, step.cursor.parts) for step in found]


def test_a_new_reader_takes_the_full_run_part_by_part_and_sweeps_at_its_end() -> None:
    found = route(None)
    assert ends(found) == [(0, "3.0.8", 1), (0, "3.0.8", 2), (8, "", 0), (9, "", 0)]
    assert [step.sweep for step in found] == [False, False, True, False]
    assert [step.mark for step in found] == ["3.0.8", "3.0.8", "3.0.8", ""]


def test_a_reader_who_was_away_takes_the_cheapest_runs() -> None:
    assert [step.segment and step.segment.size for step in route(Cursor(3, 6))] == [15, 10]
    assert ends(route(Cursor(3, 6))) == [(8, "", 0), (9, "", 0)]
    assert route(Cursor(3, 9)) == []


def test_a_run_that_was_begun_goes_on() -> None:
    assert ends(route(Cursor(3, 0, "3.0.8", 2))) == [(8, "", 0), (9, "", 0)]
    # The number before a run that replaces everything stays until its end.
    assert ends(route(Cursor(3, 2, "3.0.8", 1))) == [(2, "3.0.8", 2), (8, "", 0), (9, "", 0)]


def test_a_run_that_was_begun_and_is_gone_or_too_dear_is_left() -> None:
    assert ends(route(Cursor(3, 6, "3.0.5", 1))) == [(8, "", 0), (9, "", 0)]
    assert ends(route(Cursor(3, 6, "3.0.8", 1))) == [(8, "", 0), (9, "", 0)]
    assert ends(route(Cursor(3, 0, "3.0.8", 99)))[0] == (0, "3.0.8", 1)
    assert route(Cursor(3, 9, "3.9.10", 1))[-1].cursor == Cursor(3, 9, "", 0)


def test_another_epoch_begins_at_the_beginning() -> None:
    for cursor in (Cursor(2, 9), Cursor(2, 6, "2.0.8", 2), Cursor(4, 9)):
        found = route(cursor)
        assert ends(found) == [(0, "3.0.8", 1), (0, "3.0.8", 2), (8, "", 0), (9, "", 0)]
        assert {step.cursor.epoch for step in found} == {3}


def test_a_full_run_of_nothing_still_sweeps() -> None:
    found = route(Cursor(2, 5), Manifest("public/vocab", 3, 1, (run(0, 1, full=True),)))
    assert found == [Step(None, Cursor(3, 1, "", 0), "3.0.1", True)]


@given(st.integers(0, 40), st.integers(1, 40), st.data())
def test_every_route_is_contiguous_and_ends_at_the_newest(behind: int, newest: int, data: st.DataObject) -> None:
    runs = [run(0, data.draw(st.integers(1, newest)), 50, 60, full=True)]
    for end in range(1, newest + 1):
        span = 1
        while end % span == 0 and end - span > 0:
            runs.append(run(end - span, end, data.draw(st.integers(1, 30))))
            span *= 2
    manifest = Manifest("public/cards/en", 1, newest, tuple(runs))
    seq = min(behind, newest)
    legs = plan_route(manifest, Cursor(1, seq))
    at = seq
    for leg in legs:
        assert leg.run.full or leg.run.start == at
        at = leg.run.end
    assert at == newest
    found = list(steps(manifest, Cursor(1, seq), legs))
    assert not found or found[-1].cursor == Cursor(1, newest, "", 0)


def entry(name: str) -> StreamEntry:
    return StreamEntry(name, 1, ObjectRef("0" * 64, 1), 1, 1)


def test_the_order_is_by_use_and_by_the_persons_languages() -> None:
    names = [
        "public/texts/fr/data",
        "public/talk/en",
        "public/people",
        "public/vocab",
        "public/cards/en",
        "public/cards/fr",
        "public/cards/sw",
        "public/later/en",
        "secret/cards/en",
    ]
    chosen = Subscription(["fr", "en"]).choose(map(entry, names))
    assert [one.name for one in chosen] == [
        "public/cards/fr",
        "public/cards/en",
        "public/vocab",
        "public/people",
        "public/talk/en",
        "public/texts/fr/data",
    ]


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
