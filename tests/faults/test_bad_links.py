"""A link that fails in every way at random (seeded), a real hub behind it: in step in the end, never wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.engine import sync_once
from sync.transport import HttpTransport
from tests.faults.bad_link import Fault, bad_link
from tests.faults.shelves import Shelf, agree
from tests.programs import HubProgram


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_shelf_gets_in_step_over_a_bad_link(hub: HubProgram, tmp_path: Path, seed: int) -> None:
    run(hub, tmp_path, seed, rounds=3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 40))
def test_many_bad_links(hub: HubProgram, tmp_path: Path, seed: int) -> None:
    run(hub, tmp_path, seed, rounds=8)


@pytest.mark.parametrize("at", [1, 150, 200])
def test_a_link_that_cuts_every_answer_in_the_same_place_is_given_up(
    hub: HubProgram, tmp_path: Path, at: int
) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    question = shelf.ask("Does it ever stop trying?")
    with bad_link(hub.port, Fault("cut", at)) as link, HttpTransport(link.url) as transport:
        report = sync_once(shelf.home, transport, patience=3.0)
        assert report.error is not None
        assert report.error.code == "cut-off"
        assert report.requests <= 5
        assert report.seconds < 20
    shelf.sync(hub.url)
    assert list(hub.do("requests")) == [question]
    agree(shelf, hub)


def run(hub: HubProgram, folder: Path, seed: int, rounds: int) -> None:
    shelf = Shelf(folder / "shelf").enrol(hub)
    asked: set[str] = set()
    valid = set(hub.do("public")["resources"].values())
    with bad_link(hub.port) as link:
        link.random_faults(seed, share=0.6, reach=12_000)
        for number in range(rounds):
            asked |= {shelf.ask(f"Question {number}.{part}?") for part in range(3)}
            hub.do("edit", id=f"r-{number:04}", title=f"Edited in round {number}")
            valid.add(f"Edited in round {number}")
            hub.do("withdraw", id=f"r-{20 + number:04}")
            hub.do("publish")
            for _ in range(40):
                report = shelf.sync(link.url)
                assert set(shelf.titles().values()) <= valid
                assert asked <= set(shelf.states())
                if report is not None and report.up_to_date and not report.error:
                    break
            else:
                pytest.fail("not in step after 40 attempts")
            agree(shelf, hub)
    assert set(hub.do("requests")) == asked
    assert set(shelf.states().values()) == {"received"}
