"""What a link carries, counted by a proxy on it: cuts, budgets and prices against the real hub."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sync.report import SyncReport
from tests.faults.bad_link import BadLink, Fault, bad_link
from tests.faults.conftest import articles
from tests.faults.shelves import Shelf, agree
from tests.programs import HubProgram, ShelfProgram, copy_home, write_records

A_CUT = 16 * 1024
"""Bytes that may come again after a cut (docs/invariants.md, 6)."""


def news(hub: HubProgram, folder: Path, count: int, seed: int) -> None:
    """Publish `count` new resources."""
    hub.do("import", file=str(write_records(folder / f"news-{seed}.jsonl", articles(count, seed))))
    hub.do("publish")


def uncut(shelf: Shelf, link: BadLink) -> int:
    """Sync without a fault; return the bytes that came."""
    before = link.bytes_down
    report = shelf.sync(link.url)
    assert report is not None
    assert report.up_to_date, report
    return link.bytes_down - before


def over_cuts(shelf: Shelf, link: BadLink, dice: random.Random, longest: int) -> tuple[int, int]:
    """Sync until in step while every connection is cut after some bytes; return the bytes that came and cuts."""
    before, faults = link.bytes_down, link.faults
    for _ in range(400):
        link.next_faults = [Fault("cut", dice.randint(200, longest)) for _ in range(200)]
        report = shelf.sync(link.url)
        if report is not None and report.up_to_date:
            link.next_faults = []
            return link.bytes_down - before, link.faults - faults
    raise AssertionError("not in step after 400 attempts")


@pytest.mark.parametrize(("seed", "longest"), [(1, 6_000), (2, 20_000), (3, 60_000)])
def test_a_cut_costs_at_most_16_kilobytes(large_hub: HubProgram, tmp_path: Path, seed: int, longest: int) -> None:
    dice = random.Random(seed)
    whole = Shelf(tmp_path / "whole").enrol(large_hub, "whole@ministry.example")
    torn = Shelf(tmp_path / "torn").enrol(large_hub, "torn@ministry.example")
    with bad_link(large_hub.port) as link:
        for step in ("first", "news"):
            if step == "news":
                news(large_hub, tmp_path, 60, seed + 10)
            clean = uncut(whole, link)
            assert clean > 30_000, "too little content to measure anything"
            moved, cuts = over_cuts(torn, link, dice, longest)
            assert cuts >= clean // longest // 2, "hardly anything was cut"
            assert moved - clean <= cuts * A_CUT, (step, moved, clean, cuts)
            # Beside what comes again, each cut costs an answer's head; on the whole far less than the bound.
            assert moved - clean <= cuts * 2048, (step, moved, clean, cuts)
            agree(torn, large_hub)


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_news_behind_an_answer_that_is_cut_is_kept(
    large_hub: HubProgram, tmp_path: Path, share: float, away: bool
) -> None:
    """What is missing comes by a range of bytes; or, where the link stays `away`, behind the next answer."""
    whole = Shelf(tmp_path / "whole").enrol(large_hub, "whole@ministry.example")
    torn = Shelf(tmp_path / "torn").enrol(large_hub, "torn@ministry.example")
    with bad_link(large_hub.port) as link:
        uncut(whole, link)
        uncut(torn, link)
        news(large_hub, tmp_path, 60, 31)
        clean = uncut(whole, link)
        before = link.bytes_down
        link.next_faults = [Fault("cut", int(clean * share)), *([Fault("cut", 0)] * 4 if away else [])]
        first = torn.sync(link.url)
        assert first is not None
        assert first.up_to_date is not away
        link.next_faults = []
        asked = len(link.asked)
        torn.sync(link.url)
        assert link.asked[asked:] == ["POST /u/v2/sync"]
        assert link.bytes_down - before - clean <= 1024
        agree(torn, large_hub)


@pytest.mark.parametrize("budget", [4_000, 10_000, 20_000, 50_000, 200_000])
def test_a_budget_is_never_exceeded(large_hub: HubProgram, tmp_path: Path, budget: int) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(large_hub)
    question = shelf.ask("How much may this cost?")
    with bad_link(large_hub.port) as link:
        reports = within(shelf, link, budget, most=2 + 400_000 // budget)
        assert shelf.states() == {question: "received"}
        agree(shelf, large_hub)
        news(large_hub, tmp_path, 30, 5)
        within(shelf, link, budget, most=2 + 100_000 // budget)
        agree(shelf, large_hub)
    # Whatever was stopped by the budget says so.
    assert {report.error.code for report in reports if report.error is not None} <= {"budget-reached"}


def within(shelf: Shelf, link: BadLink, budget: int, most: int) -> list[SyncReport]:
    """Sync with a budget until in step; no sync moves more, and each one's report adds up with the link."""
    reports = []
    for _ in range(most):
        before = link.bytes_down + link.bytes_up
        report = shelf.sync(link.url, budget)
        assert report is not None
        reports.append(report)
        moved = link.bytes_down + link.bytes_up - before
        said = report.bytes_down + report.bytes_up
        assert said <= budget
        assert moved <= budget, (moved, said)
        assert abs(moved - said) <= moved // 100, (moved, said)
        if report.up_to_date:
            return reports
    raise AssertionError(f"not in step after {most} syncs of {budget} bytes: {reports[-1]}")


def test_the_report_adds_up_over_a_link_that_is_cut(large_hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(large_hub)
    dice = random.Random(7)
    with bad_link(large_hub.port) as link:
        for _ in range(30):
            link.next_faults = [Fault("cut", dice.randint(500, 30_000)) for _ in range(3)]
            before, faults = link.bytes_down + link.bytes_up, link.faults
            report = shelf.sync(link.url)
            assert report is not None
            moved, cuts = link.bytes_down + link.bytes_up - before, link.faults - faults
            said = report.bytes_down + report.bytes_up
            # In flight at a cut: what one read takes.
            assert abs(moved - said) <= moved // 100 + cuts * A_CUT, (moved, said, cuts)
            if report.up_to_date:
                break
        agree(shelf, large_hub)


def price_and_cost(shelf: ShelfProgram) -> tuple[int, int]:
    """What `sync --price` says, and what the sync behind it moves."""
    price = shelf.run("sync", "--price")
    report = shelf.run("sync")
    assert report["up_to_date"], report
    return price["bytes"], report["bytes_up"] + report["bytes_down"]


def test_a_price_is_within_a_tenth_of_the_cost(large_hub: HubProgram, tmp_path: Path) -> None:
    shelf = ShelfProgram(tmp_path / "shelf").enrol(large_hub)
    told: dict[str, tuple[int, int]] = {}
    told["first sync"] = price_and_cost(shelf)
    news(large_hub, tmp_path, 40, 20)
    told["a day's news"] = price_and_cost(shelf)
    news(large_hub, tmp_path, 25, 21)
    shelf.ask("What does this cost?", "One paragraph about school radio. " * 30)
    told["news and a question"] = price_and_cost(shelf)
    wrong = {what: pair for what, pair in told.items() if abs(pair[0] - pair[1]) > pair[1] / 10}
    assert not wrong, told
    nothing = shelf.run("sync", "--price")
    assert nothing["bytes"] == 0


def test_a_price_asked_for_over_a_bad_link_changes_nothing(large_template: Path, tmp_path: Path) -> None:
    with HubProgram(copy_home(large_template, tmp_path / "hub")) as hub:
        hub.start()
        shelf = Shelf(tmp_path / "shelf").enrol(hub)
        question = shelf.ask("Is asking for the price free of effects?")
        program = ShelfProgram(shelf.home.path)
        program.run("sync", "--price")
        hub.stop()
        refused = program.run("sync", "--price", expect=1)
        assert refused["error"]["code"] == "unreachable"
        assert shelf.states() == {question: "waiting"}
        assert not shelf.held()
        assert not hub.do("requests")
