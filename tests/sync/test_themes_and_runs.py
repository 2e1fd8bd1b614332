"""Which way content comes: whole feeds or their parts, histories, snapshots where a run does not fit, patience."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from resources_cache.cards import Cursor
from sync.cancel import Cancel
from sync.engine import sync_once
from sync.errors import Cancelled, CutOff
from sync.report import SyncReport
from sync.transport import HttpTransport
from tests.sync.hub_simulator import Answer, HubSimulator, Seen
from tests.sync.simulated_shelf import Shelf, card, long_card, text

EN = "public/texts/en"


@pytest.fixture
def themed(hub: HubSimulator) -> HubSimulator:
    """Texts of three themes in English."""
    hub.publish({f"{EN}/data": [text(n) for n in range(10, 13)], f"{EN}/rain": [text(n) for n in range(20, 23)]})
    return hub


def texts(shelf: Shelf) -> set[str]:
    return {name for name in shelf.streams() if name.startswith(EN)}


def test_a_reader_of_all_themes_follows_the_language_as_one(themed: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    themed.publish({f"{EN}/data": [text(13)], f"{EN}/rain": [text(23)]})
    report = shelf.sync()
    # One segment for both themes.
    assert (report.up_to_date, report.segments_applied, report.requests) == (True, 1, 1)
    shelf.agrees()


def test_a_choice_of_themes_that_changes_there_and_back_costs_only_what_is_missing(
    themed: HubSimulator, shelf: Shelf
) -> None:
    shelf.sync()
    assert shelf.place(EN) is not None
    shelf.set(themes=["rain", "teaching"])
    report = shelf.sync()
    assert (report.up_to_date, report.segments_applied) == (True, 0)
    assert texts(shelf) == {f"{EN}/rain", f"{EN}/teaching"}
    # The note that all of the language is here must not outlive the stream that went.
    assert shelf.place(EN) is None
    themed.publish({f"{EN}/rain": [text(24)], f"{EN}/data": [text(14)]})
    report = shelf.sync()
    assert (report.up_to_date, report.segments_applied) == (True, 1)
    shelf.set(themes=None)
    report = shelf.sync()
    assert (report.up_to_date, report.segments_applied) == (True, 2)
    shelf.agrees()
    assert shelf.place(EN) == shelf.place(f"{EN}/rain") == shelf.place(f"{EN}/data")
    themed.publish({f"{EN}/rain": [text(25)], f"{EN}/data": [text(15)]})
    assert shelf.sync().segments_applied == 1
    shelf.agrees()


def test_a_reader_of_some_themes_asks_nothing_more_when_nothing_is_new(themed: HubSimulator, shelf: Shelf) -> None:
    shelf.set(themes=["rain"])
    assert shelf.sync().up_to_date
    with themed.counting() as seen:
        assert shelf.sync().up_to_date
    assert [one.kind for one in seen] == ["sync"]
    themed.publish({f"{EN}/data": [text(14)]})
    report = shelf.sync()
    assert (report.up_to_date, report.requests, report.segments_applied) == (True, 1, 0)


def test_all_themes_named_one_by_one_are_all(themed: HubSimulator, shelf: Shelf) -> None:
    shelf.set(themes=["rain", "teaching", "data"])
    assert shelf.sync().up_to_date
    assert shelf.place(EN) is not None
    shelf.agrees()
    # A theme is added that the person did not choose.
    themed.publish({f"{EN}/chalk": [text(30)], f"{EN}/rain": [text(26)]})
    assert shelf.sync().up_to_date
    assert texts(shelf) == {f"{EN}/rain", f"{EN}/teaching", f"{EN}/data"}
    themed.publish({f"{EN}/rain": [text(27)]})
    shelf.set(themes=None)
    assert shelf.sync().up_to_date
    shelf.agrees()


@pytest.mark.parametrize("named", [False, True])
def test_a_text_that_moves_and_a_theme_that_empties(themed: HubSimulator, shelf: Shelf, named: bool) -> None:
    themed.lists_empty_streams = named
    shelf.sync()
    gone: list[dict[str, Any]] = [{"id": f"t-{n:04}", "deleted": True} for n in range(20, 23)]
    themed.publish({f"{EN}/rain": gone, f"{EN}/data": [text(20)]})
    themed.publish({f"{EN}/data": [text(21)]})
    report = shelf.sync()
    assert (report.up_to_date, report.segments_applied) == (True, 2), report.error
    shelf.agrees()
    assert f"{EN}/rain" not in shelf.streams()


def test_a_theme_that_empties_right_after_a_restore_is_swept_with_the_rest(
    themed: HubSimulator, shelf: Shelf
) -> None:
    shelf.sync()
    # In the new epoch a snapshot brings the theme with less in it, and the run after it takes the rest away.
    del themed.streams[f"{EN}/rain"].records["t-0020"]
    themed.restore()
    gone: list[dict[str, Any]] = [{"id": f"t-{n:04}", "deleted": True} for n in range(21, 23)]
    themed.publish({f"{EN}/rain": gone, f"{EN}/data": [text(15)]})
    report = shelf.sync()
    assert report.up_to_date, report.error
    shelf.agrees()


def test_a_card_that_moves_to_another_language_costs_no_snapshot(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.set(languages=["fr", "en"])
    shelf.sync()
    # The language that is read first gets the card before the other one loses it.
    hub.publish({"public/cards/en": [{"id": "r-0019", "deleted": True}], "public/cards/fr": [card(19, "fr")]})
    with hub.counting() as seen:
        report = shelf.sync()
    assert report.up_to_date
    assert [one.kind for one in seen] == ["sync"]
    shelf.agrees()


# Absence


@pytest.mark.parametrize("away", [3, 5, 6, 12, 30])
def test_absence_is_made_up_for_by_few_runs(hub: HubSimulator, shelf: Shelf, away: int) -> None:
    hub.snapshot_every = 1000
    hub.kept_changes = 64
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1020)]})
    shelf.sync()
    for n in range(away):
        hub.publish({"public/cards/en": [card(n % 7, title=f"Title {n}"), card(200 + n)]})
    with hub.counting() as seen:
        report = shelf.sync()
    assert report.up_to_date
    assert [one.kind for one in seen] == ["sync"]
    assert report.segments_applied <= max(3, 2 * away.bit_length())
    shelf.agrees()


def test_a_long_absence_reads_the_history_once_and_few_runs(hub: HubSimulator, shelf: Shelf) -> None:
    hub.snapshot_every, hub.kept_changes, hub.inlines = 1000, 64, False
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1020)]})
    shelf.sync()
    for n in range(20):
        hub.publish({"public/cards/en": [card(n % 7, title=f"Title {n}")]})
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    kinds = [one.kind for one in seen]
    assert kinds[:3] == ["sync", "document", "document"]
    assert set(kinds[3:]) == {"object"}
    assert len(kinds) <= 10
    shelf.agrees()


def test_who_was_away_for_longer_than_runs_are_kept_takes_a_snapshot(hub: HubSimulator, shelf: Shelf) -> None:
    hub.snapshot_every, hub.kept_changes = 3, 4
    shelf.sync()
    for n in range(20):
        hub.publish({"public/cards/en": [card(n % 7, title=f"Title {n}"), {"id": f"r-{n:04}", "deleted": True}]})
    assert shelf.sync().up_to_date
    shelf.agrees()


# Content that is not what the hub believes


@pytest.mark.parametrize("how", ["prefix", "base", "missing"])
def test_other_content_than_the_hub_believes_is_mended_by_a_snapshot(
    hub: HubSimulator, shelf: Shelf, how: str
) -> None:
    hub.snapshot_every, hub.primes = 1000, how == "prefix"
    shelf.sync()
    place = shelf.place("public/cards/en")
    assert place is not None
    with shelf.home.library() as library:
        # As if an earlier client had a fault: one record is not what it was.
        change = {"id": "r-0003", "deleted": True} if how == "missing" else card(3, title="Never published")
        library.apply("public/cards/en", [change], place)
    hub.publish({"public/cards/en": [card(3, title="Guide number 3 to offline learning, second edition")]})
    report = shelf.sync()
    assert report.up_to_date, report.error
    # The snapshot and the run that follows it: the run alone would have done for what the hub believed.
    assert report.segments_applied == 2
    shelf.agrees()


def test_a_snapshot_that_was_begun_goes_on_while_the_hub_publishes(hub: HubSimulator, shelf: Shelf) -> None:
    hub.snapshot_every = 1
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1012)]}, segment_records=2)
    first = hub.snapshot("public/cards/en")

    def cut(seen: Seen, answer: Answer) -> Answer:
        if seen.path == hub.bulk_path("public/cards/en"):
            past = sum(segment.size for segment in first.segments[:3]) + 100
            hub.cut_after["object"] = [len(answer.head) + past]
        return answer

    hub.fault = cut
    assert isinstance(shelf.sync().error, CutOff)
    hub.fault = None
    before = shelf.place("public/cards/en")
    assert before is not None
    assert before.parts == 3
    hub.publish({"public/cards/en": [card(1, title="Meanwhile")]}, segment_records=2)
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    again = [one.range for one in seen if one.path.endswith(first.bulk.hash)]
    assert again[0].startswith(f"bytes={sum(segment.size for segment in first.segments[:3]) + 100}-")
    shelf.agrees()


# Room


def test_the_room_for_what_comes_behind_an_answer_is_within_the_budget(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1100)]})
    for budget in (2_000, 6_000, 12_000, 30_000, 90_000):
        before = shelf.home.path.with_name(f"before-{budget}")
        shutil.copytree(shelf.home.path, before)
        report = shelf.sync(budget=budget)
        assert hub.requests[-1].room <= max(0, budget // 2)
        assert report.bytes_up + report.bytes_down <= budget
        shutil.rmtree(shelf.home.path)
        before.rename(shelf.home.path)
    shelf.sync()
    assert hub.requests[-1].room >= 1024 * 1024


def test_what_has_arrived_of_a_segment_is_told_and_not_sent_again(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1004)]})
    hub.fault = lambda seen, answer: answer if seen.kind == "sync" else Answer(503, b"", {})
    hub.cut_after["sync"] = [2500]
    assert shelf.sync().error is not None
    segment = hub.newest_run("public/cards/en")
    held = shelf.home.incoming().partial_size(segment.hash)
    assert 0 < held < segment.size
    hub.fault = None
    report = shelf.sync()
    assert report.up_to_date
    assert report.requests == 1
    assert hub.requests[-1].have == ((segment.hash[:16], held),)
    assert report.bytes_down < segment.size - held + 1200
    shelf.agrees()


# Patience


class HurriedClock:
    """Time passes only while something waits for it."""

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, cancel: Cancel | None) -> None:
        self.time += seconds
        self.waits.append(seconds)


def patient(shelf: Shelf, clock: Any, seconds: float, cancel: Cancel | None = None) -> SyncReport:
    with HttpTransport(shelf.hub.url) as transport:
        return sync_once(shelf.home, transport, patience=seconds, clock=clock, cancel=cancel)


def test_a_link_that_comes_back_within_seconds_is_waited_for(hub: HubSimulator, shelf: Shelf) -> None:
    hub.cut_after["object"] = [30, 30, 30]
    clock = HurriedClock()
    report = patient(shelf, clock, 30)
    assert report.up_to_date
    assert len(clock.waits) >= 3
    shelf.agrees()


def test_a_link_that_stays_away_is_waited_for_no_longer_than_asked(hub: HubSimulator, shelf: Shelf) -> None:
    hub.cut_after["object"] = [30] + [0] * 100
    clock = HurriedClock()
    report = patient(shelf, clock, 30)
    assert isinstance(report.error, CutOff)
    assert 29 <= sum(clock.waits) <= 36
    hub.cut_after.clear()
    assert shelf.sync().up_to_date


def test_nobody_waits_where_nothing_ever_came(hub: HubSimulator, shelf: Shelf) -> None:
    hub.cut_after["sync"] = [0]
    clock = HurriedClock()
    assert isinstance(patient(shelf, clock, 30).error, CutOff)
    assert clock.waits == []


def test_whoever_waits_can_be_stopped_at_once(hub: HubSimulator, shelf: Shelf) -> None:
    import time

    from sync.clock import SYSTEM

    hub.cut_after["object"] = [30] + [0] * 100
    cancel = Cancel()
    timer = Timer(0.4, cancel.cancel)
    timer.start()
    started = time.monotonic()
    report = patient(shelf, SYSTEM, 60, cancel)
    assert time.monotonic() - started < 2
    timer.join()
    assert isinstance(report.error, Cancelled)


def test_an_interrupted_question_is_asked_again_by_whoever_waits(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    asked = [shelf.ask(f"Number {n}?", str(n) * 9000) for n in range(3)]
    hub.fault = lambda seen, answer: replace(answer) if seen.kind == "sync" else answer
    hub.cut_after["sync"] = [10**9, 20]
    report = patient(shelf, HurriedClock(), 30)
    assert report.up_to_date
    assert {id_: len(effects) for id_, effects in hub.effects.items()} == dict.fromkeys(asked, 1)


def test_places_are_those_of_the_publication(hub: HubSimulator, shelf: Shelf, tmp_path: Path) -> None:
    shelf.sync()
    hub.publish({"public/cards/en": [card(1, title="Newer")]})
    shelf.sync()
    assert shelf.place("public/cards/en") == Cursor(1, 2, "", 0)
    assert shelf.place("public/cards/fr") == Cursor(1, 1, "", 0)
