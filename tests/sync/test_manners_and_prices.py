"""Small pure parts: what a person allows on their link, what a sync will cost, how much is asked for at once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources_cache.own import Own
from sync.manners import Manners
from sync.mirrors import addresses
from sync.pace import FIRST, LARGEST, SMALLEST, Pace
from sync.prices import price_of
from sync.protocol.messages import Operation


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{clock}:30")


@pytest.mark.parametrize(
    ("hours", "clock", "seconds"),
    [
        ([], "12:00", 0),
        ([["08:00", "17:00"]], "08:00", 0),
        ([["08:00", "17:00"]], "16:59", 0),
        ([["08:00", "17:00"]], "17:00", 15 * 3600 - 30),
        ([["20:00", "06:00"]], "23:10", 0),
        ([["20:00", "06:00"]], "05:59", 0),
        ([["20:00", "06:00"]], "06:00", 14 * 3600 - 30),
        ([["12:00", "13:00"], ["20:00", "21:00"]], "13:00", 7 * 3600 - 30),
        ([["25:00", "26:00"]], "12:00", 0),  # not hours: as if they were not set
        ("always", "12:00", 0),
    ],
)
def test_a_sync_by_itself_waits_for_its_hours(tmp_path: Path, hours: object, clock: str, seconds: int) -> None:
    with Own(tmp_path / "own.db") as own:
        own.set_setting("allowed_hours", hours)
        assert Manners.of(own).wait(at(clock)) == seconds


@given(
    st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 1439)), min_size=1, max_size=3), st.integers(0, 1439)
)
def test_after_the_wait_it_is_the_hour(pairs: list[tuple[int, int]], minute: int) -> None:
    manners = Manners(hours=[pair for pair in pairs if pair[0] != pair[1]])
    now = datetime(2026, 3, 2, minute // 60, minute % 60, 30)
    wait = manners.wait(now)
    assert manners.wait(datetime.fromtimestamp(now.timestamp() + wait)) == 0


def test_what_was_spent_today_is_taken_off_the_limit(tmp_path: Path) -> None:
    with Own(tmp_path / "own.db") as own:
        assert Manners.of(own).left_today is None
        own.set_setting("daily_limit", 10_000)
        own.add_sync({"bytes_up": 300, "bytes_down": 700})
        assert Manners.of(own).left_today == 9_000
        own.add_sync({"bytes_up": 0, "bytes_down": 70_000})
        assert Manners.of(own).left_today == 0


def test_a_request_begins_small_and_grows_to_what_the_link_carries() -> None:
    pace = Pace()
    assert pace.size == FIRST
    for _ in range(10):
        pace.went(pace.size, pace.size / 64_000)  # 64 KB a second
    assert pace.size == pytest.approx(64_000 * 60, rel=0.01)
    pace.lost(5.0)
    assert pace.size == pytest.approx(64_000 * 20, rel=0.01)
    pace.lost(5.0)
    assert pace.size == pytest.approx(64_000 * 10, rel=0.01)
    for _ in range(40):
        pace.lost(5.0)
    assert pace.size == SMALLEST


def test_attempts_without_a_link_leave_the_size_as_it_was() -> None:
    pace = Pace()
    pace.waited(0.4)
    for _ in range(10):
        pace.went(pace.size, pace.size / 64_000)
    before = pace.size
    for _ in range(20):
        pace.lost(0.3)  # no answer can have begun in less than a round trip
    assert pace.size == before
    pace.lost(0.5)
    assert pace.size < before


@given(st.lists(st.one_of(st.none(), st.tuples(st.integers(0, 10**9), st.floats(0, 1e6))), max_size=60))
def test_a_request_is_never_larger_or_smaller_than_is_sensible(history: list[tuple[int, float] | None]) -> None:
    pace = Pace()
    for one in history:
        if one is None:
            pace.lost(5.0)
        else:
            pace.went(*one)
        assert SMALLEST <= pace.size <= LARGEST


def test_a_price_counts_what_is_sent_fetched_and_framed() -> None:
    assert price_of([], [], None).bytes == 0
    question = Operation(
        "01920000-0000-7000-8000-000000000001", 1, 1, "ask", {"title": "?", "body": "word " * 200}
    )
    alone = price_of([], [question], 1000)
    assert (alone.requests, alone.seconds) == (1, round(alone.bytes / 1000))
    assert question.size // 2 < alone.bytes < question.size * 2
    news = price_of([40_000, 9_000], [], None)
    assert (news.requests, news.seconds) == (1, None)
    assert 49_000 < news.bytes < 50_500
    assert price_of([900_000] * 14, [], None).requests > 3


def test_addresses_of_mirrors_are_taken_once_and_only_where_they_are_some() -> None:
    found = addresses(["http://cache.office", "ftp://no", 7], ("https://cdn.example", "http://cache.office"), None)
    assert found == ["http://cache.office", "https://cdn.example"]
