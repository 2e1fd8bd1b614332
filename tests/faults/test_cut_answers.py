"""The answer to a POST, and everything that is fetched, cut at any byte: one effect, and the same shelf."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.bad_link import Fault, Kind, bad_link
from tests.faults.shelves import Shelf, agree
from tests.programs import HubProgram


def ask_through_a_cut(hub: HubProgram, shelf: Shelf, kind: Kind, positions: range) -> None:
    """At each position: ask, sync through the fault, sync over a good link; the hub has each question once."""
    with bad_link(hub.port) as link:
        asked = []
        for at in positions:
            asked.append(shelf.ask(f"Cut at {at}?"))
            link.next_faults = [Fault(kind, at, 0.05)]
            shelf.sync(link.url)
            assert shelf.states()[asked[-1]] in ("sending", "waiting", "received")
            report = shelf.sync(link.url)
            assert report is not None
            assert report.up_to_date
            assert shelf.states()[asked[-1]] == "received"
    stored = hub.do("requests")
    assert sorted(stored) == sorted(asked)
    agree(shelf, hub)


@pytest.mark.parametrize("kind", ["cut", "truncate", "corrupt", "cut-request", "repeat", "stall"])
def test_a_question_is_stored_once_wherever_the_link_fails(hub: HubProgram, tmp_path: Path, kind: Kind) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    shelf.sync(hub.url)
    ask_through_a_cut(hub, shelf, kind, range(0, 900, 29 if kind in ("cut", "truncate") else 97))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cut", "truncate", "corrupt"])
def test_a_question_is_stored_once_at_every_byte(hub: HubProgram, tmp_path: Path, kind: Kind) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    shelf.sync(hub.url)
    ask_through_a_cut(hub, shelf, kind, range(900))


@pytest.mark.parametrize("kind", ["cut", "truncate", "corrupt", "stall"])
def test_a_first_sync_goes_on_wherever_the_link_fails(hub: HubProgram, tmp_path: Path, kind: Kind) -> None:
    with bad_link(hub.port) as link:
        for step, at in enumerate(range(0, 9000, 700)):
            shelf = Shelf(tmp_path / f"shelf-{kind}-{at}").enrol(hub, f"officer-{step}@ministry.example")
            link.next_faults = [Fault(kind, at, 0.05)]
            assert shelf.sync_until_in_step(link.url, 3) <= 2
            agree(shelf, hub)


def test_what_arrived_before_a_cut_is_not_fetched_again(hub: HubProgram, tmp_path: Path) -> None:
    with bad_link(hub.port) as link:
        whole = Shelf(tmp_path / "whole").enrol(hub, "a@ministry.example")
        whole.sync(link.url)
        cost = link.bytes_down
        cut = Shelf(tmp_path / "cut").enrol(hub, "b@ministry.example")
        link.bytes_down = 0
        cuts = 0
        for at in range(1500, 12_000, 1500):
            link.next_faults = [Fault("cut", at)]
            report = cut.sync(link.url)
            if report is not None and report.up_to_date:
                break
            cuts += 1
        assert cuts >= 2
        cut.sync_until_in_step(link.url, 3)
        agree(cut, hub)
        assert link.bytes_down - cost <= (cuts + 1) * 16 * 1024
