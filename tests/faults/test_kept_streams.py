"""What a person chooses to keep, changed back and forth while the hub goes on publishing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sync.protocol.subscriptions import tier
from sync.report import SyncReport
from tests.faults.bad_link import Fault, bad_link
from tests.faults.conftest import articles
from tests.faults.shelves import Shelf, agree
from tests.programs import HubProgram, write_records

ONE, OTHER = "capacity-and-culture", "data-and-evidence"


def in_step(shelf: Shelf, hub: HubProgram) -> SyncReport:
    report = shelf.sync(hub.url)
    assert report is not None
    assert report.error is None, report.error
    assert report.up_to_date, report
    agree(shelf, hub)
    return report


def news(hub: HubProgram, folder: Path, seed: int) -> None:
    """Publish six new resources of both themes, an edit, and a resource that moves to the other theme."""
    moved = articles(160, seed=1)[seed]
    moved["themes"] = [OTHER if moved["themes"] == [ONE] else ONE]
    hub.do("import", file=str(write_records(folder / "news.jsonl", [*articles(6, seed), moved])))
    hub.do("edit", id=f"a1-{seed + 40:04}", title=f"Edited {seed}")
    hub.do("withdraw", id=f"a1-{seed + 80:04}")
    hub.do("publish")


def themes_here(shelf: Shelf) -> set[str]:
    return {name.split("/")[3] for name in shelf.held() if tier(name) == "texts"}


def test_all_themes_then_some_then_all_again(large_hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(large_hub)
    in_step(shelf, large_hub)
    assert themes_here(shelf) == {ONE, OTHER}
    seed = 2
    for choice, expected in (
        ([ONE], {ONE}),
        ([OTHER], {OTHER}),
        ([], set()),
        (None, {ONE, OTHER}),
        ([ONE], {ONE}),
    ):
        # Chosen first and published later, and the other way round.
        shelf.choose(themes=choice)
        in_step(shelf, large_hub)
        assert themes_here(shelf) == expected
        news(large_hub, tmp_path, seed)
        in_step(shelf, large_hub)
        seed += 1
        news(large_hub, tmp_path, seed)
        seed += 1
    shelf.choose(themes=None)
    in_step(shelf, large_hub)
    assert themes_here(shelf) == {ONE, OTHER}


def test_some_themes_cost_less_and_their_news_is_small(large_hub: HubProgram, tmp_path: Path) -> None:
    whole = Shelf(tmp_path / "whole").enrol(large_hub, "whole@ministry.example")
    some = Shelf(tmp_path / "some").enrol(large_hub, "some@ministry.example").choose(themes=[ONE])
    all_of_it, part_of_it = in_step(whole, large_hub).bytes_down, in_step(some, large_hub).bytes_down
    assert part_of_it < 0.65 * all_of_it
    news(large_hub, tmp_path, 2)
    assert in_step(some, large_hub).bytes_down < part_of_it // 3


def test_a_choice_made_in_the_middle_of_a_first_sync(large_hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(large_hub)
    with bad_link(large_hub.port) as link:
        link.default = Fault("cut", 90_000)
        link.next_faults = [Fault("cut", 60_000), Fault("cut", 20_000), Fault("cut", 300)]
        report = shelf.sync(link.url)
        assert report is None or not report.up_to_date
    shelf.choose(themes=[OTHER])
    in_step(shelf, large_hub)
    assert themes_here(shelf) == {OTHER}


@pytest.mark.parametrize("kept", [["fr"], ["en", "fr"], []])
def test_languages_are_chosen_and_left(hub: HubProgram, tmp_path: Path, kept: list[str]) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    in_step(shelf, hub)
    shelf.choose(languages=kept)
    hub.do("edit", id="r-0001", title="Edited meanwhile")
    hub.do("publish")
    in_step(shelf, hub)
    shelf.choose(languages=None)
    in_step(shelf, hub)
    assert shelf.titles()["r-0001"] == "Edited meanwhile"


def test_on_a_poor_link_texts_wait_and_come_later(large_hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(large_hub).choose(low_data=True)
    question = shelf.ask("Do I get an answer on a poor link?")
    first = shelf.sync(large_hub.url)
    assert first is not None
    assert first.error is None, first.error
    assert first.postponed > 100_000
    assert first.bytes_down < first.postponed // 2
    assert len(shelf.titles()) == 160
    assert not themes_here(shelf)
    assert shelf.states() == {question: "received"}
    # News of titles still comes, and another sync does not fetch texts by the way.
    news(large_hub, tmp_path, 2)
    second = shelf.sync(large_hub.url)
    assert second is not None
    assert second.error is None, second.error
    assert shelf.titles()["a1-0042"] == "Edited 2"
    assert not themes_here(shelf)
    shelf.choose(low_data=False)
    later = in_step(shelf, large_hub)
    assert later.postponed == 0
    assert themes_here(shelf) == {ONE, OTHER}


def test_texts_that_are_here_stay_while_their_news_waits(large_hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(large_hub)
    in_step(shelf, large_hub)
    before = json.dumps(shelf.get("a1-0010"))
    shelf.choose(low_data=True)
    news(large_hub, tmp_path, 2)
    report = shelf.sync(large_hub.url)
    assert report is not None
    assert report.error is None
    assert json.dumps(shelf.get("a1-0010")) == before
    assert themes_here(shelf) == {ONE, OTHER}
    shelf.choose(low_data=False)
    in_step(shelf, large_hub)


def test_a_device_that_was_revoked_is_told_so_and_reads_on(hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    in_step(shelf, hub)
    question = shelf.ask("Written after I left?")
    hub.do("revoke")
    hub.do("edit", id="r-0001", title="Public all the same")
    hub.do("publish")
    report = shelf.sync(hub.url)
    assert report is not None
    assert report.error is not None
    assert report.error.code == "device-revoked"
    assert "revoked" in str(report.error)
    assert not report.up_to_date
    # What is public still comes, and everything can be found.
    assert shelf.titles()["r-0001"] == "Public all the same"
    assert "r-0001" in shelf.search("public")
    agree(shelf, hub)
    assert shelf.states()[question] in ("waiting", "sending")
    assert not hub.do("requests")
    # With a new code the question goes out.
    shelf.enrol(hub, "again@ministry.example")
    in_step(shelf, hub)
    assert set(hub.do("requests")) == {question}
