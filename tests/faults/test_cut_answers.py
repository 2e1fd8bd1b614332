"""The answer to a POST, with what rides behind it, and all that is fetched, cut at any byte: one effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.bad_link import Fault, Kind, bad_link
from tests.faults.shelves import Shelf, agree
from tests.programs import HubProgram

LONGEST = 2600
"""Bytes; beyond the end of an answer with a receipt and a day's news of the small hub."""


def ask_through_a_cut(hub: HubProgram, shelf: Shelf, kind: Kind, positions: range, *, news: bool = False) -> None:
    """At each position: ask, sync through the fault, sync over a good link; the hub has each question once.

    `news`: each answer also carries what was published meanwhile.
    """
    with bad_link(hub.port) as link:
        asked = []
        for at in positions:
            asked.append(shelf.ask(f"Cut at {at}?"))
            if news:
                hub.do("edit", id=f"r-{at % 40:04}", title=f"Edited before a cut at {at}")
                hub.do("publish")
            link.next_faults = [Fault(kind, at, 0.05)]
            shelf.sync(link.url)
            assert shelf.states()[asked[-1]] in ("sending", "waiting", "received")
            before = link.bytes_down
            report = shelf.sync(link.url)
            assert report is not None
            assert report.up_to_date
            assert link.bytes_down - before < LONGEST, "no fault of such an answer lies beyond the positions"
            assert shelf.states()[asked[-1]] == "received"
            if news:
                agree(shelf, hub)
    stored = hub.do("requests")
    assert sorted(stored) == sorted(asked)
    agree(shelf, hub)


@pytest.mark.parametrize("kind", ["cut", "truncate", "corrupt", "cut-request", "repeat", "stall"])
def test_a_question_is_stored_once_wherever_the_link_fails(hub: HubProgram, tmp_path: Path, kind: Kind) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    shelf.sync(hub.url)
    ask_through_a_cut(hub, shelf, kind, range(0, 900, 29 if kind in ("cut", "truncate") else 97))


@pytest.mark.parametrize("kind", ["cut", "truncate", "corrupt", "repeat"])
def test_a_question_and_the_news_survive_wherever_the_link_fails(
    hub: HubProgram, tmp_path: Path, kind: Kind
) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    shelf.sync(hub.url)
    ask_through_a_cut(hub, shelf, kind, range(1, LONGEST, 143), news=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cut", "truncate", "corrupt"])
def test_a_question_is_stored_once_at_every_byte(hub: HubProgram, tmp_path: Path, kind: Kind) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    shelf.sync(hub.url)
    ask_through_a_cut(hub, shelf, kind, range(900))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cut", "truncate", "corrupt"])
def test_a_question_and_the_news_survive_at_many_bytes(hub: HubProgram, tmp_path: Path, kind: Kind) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    shelf.sync(hub.url)
    ask_through_a_cut(hub, shelf, kind, range(0, LONGEST, 7), news=True)


@pytest.mark.parametrize("kind", ["cut", "truncate", "corrupt", "stall"])
def test_a_first_sync_goes_on_wherever_the_link_fails(hub: HubProgram, tmp_path: Path, kind: Kind) -> None:
    with bad_link(hub.port) as link:
        whole = Shelf(tmp_path / "whole").enrol(hub, "whole@ministry.example")
        before = link.bytes_down
        whole.sync(link.url)
        size = link.bytes_down - before
        for step in range(13):
            at = step * size // 12
            shelf = Shelf(tmp_path / f"shelf-{kind}-{at}").enrol(hub, f"officer-{step}@ministry.example")
            link.next_faults = [Fault(kind, at, 0.05)]
            assert shelf.sync_until_in_step(link.url, 3) <= 2
            agree(shelf, hub)
