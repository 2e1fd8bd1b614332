"""Fail the i-th statement, the i-th write, the i-th piece of the link, for every i of a full sync.

Whatever fails, and in whichever way, the next sync repairs it, and what the person wrote takes effect once.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from sync.engine import enrol, sync_once
from sync.home import Home
from sync.report import SyncReport
from tests.simulation.__main__ import memory_folder
from tests.simulation.virtual_disk import FailingHome, Trouble
from tests.simulation.virtual_link import Died, LinkMemory, VirtualLink, Weather
from tests.simulation.virtual_time import VirtualClock
from tests.sync.hub_simulator import HubSimulator
from tests.sync.simulated_shelf import CONTENT, Shelf, card, long_card, text

# See tests/simulation: an iterator over the shelf that a failing statement leaves behind makes noise, not harm.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ADDRESS = "http://127.0.0.1:9"
NEVER = 10**9
"""A statement that is not reached, so that they are only counted."""


class Scene:
    """A shelf with something to send and everything to fetch, that can be put back to where it was."""

    def __init__(self, folder: Path, begun: bool) -> None:
        """`begun`: the shelf was in step before, so that news come behind the answer; else it is new."""
        self.folder = folder
        self.hub = HubSimulator()
        self.hub.publish(CONTENT, segment_records=4)
        self.hub.codes["code"] = None
        self.shelf = Shelf(folder / "shelf", self.hub)
        enrol(self.shelf.home, ADDRESS, "code", "test", connect=lambda _: self.link())
        if begun:
            assert self.sync().up_to_date
            self.hub.publish({"public/cards/en": [card(1, title="Newer"), *map(long_card, range(50, 54))]})
            self.hub.publish({"public/texts/en/data": [text(9)], "public/texts/en/teaching": [text(1, "en")]})
        self.asked = [self.shelf.ask("One?"), self.shelf.ask("Two?")]
        shutil.copytree(self.shelf.home.path, folder / "before")
        self._receipts, self._effects = dict(self.hub.receipts), dict(self.hub.effects)

    def link(self, weather: Weather | None = None) -> VirtualLink:
        return VirtualLink(self.hub, Random(1), VirtualClock(), weather or Weather(), Counter(), LinkMemory())

    def put_back(self) -> None:
        shutil.rmtree(self.shelf.home.path)
        shutil.copytree(self.folder / "before", self.shelf.home.path)
        self.hub.receipts, self.hub.effects = dict(self._receipts), dict(self._effects)
        self.hub.numbers, self.hub.items = {}, []

    def sync(self, trouble: Trouble | None = None, weather: Weather | None = None) -> SyncReport:
        home = FailingHome(self.shelf.home.path, trouble or Trouble())
        return sync_once(home, self.link(weather), clock=VirtualClock())

    def attempt(self, trouble: Trouble | None = None, weather: Weather | None = None) -> bool:
        """A sync that fails, in a way that is known; whether anything did fail."""
        try:
            report = self.sync(trouble, weather)
        except Died:
            return True
        assert report.error is None or report.error.code in ("disk-full", "store-unwritable", "cut-off"), report
        return not report.up_to_date

    def repairs(self) -> None:
        report = self.sync()
        assert report.up_to_date, report
        self.shelf.agrees()
        assert {id_: len(effects) for id_, effects in self.hub.effects.items()} == dict.fromkeys(self.asked, 1)
        assert set(self.shelf.states().values()) == {"received"}


@pytest.fixture(params=[False, True], ids=["new", "begun"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    folder = memory_folder()
    yield Scene(folder, request.param)
    shutil.rmtree(folder, ignore_errors=True)


def places(most: int, step: int) -> range:
    """Every `step`-th place; which ones differ with how many there are."""
    return range(1 + most % step, most + 1, step)


some_and_all = pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.slow)])


@some_and_all
@pytest.mark.parametrize("how", ["full", "lost", "died"])
def test_any_statement_or_write_may_fail(scene: Scene, how: str, step: int) -> None:
    counting = Trouble(NEVER)
    assert scene.sync(counting).up_to_date
    assert counting.seen > 100
    failed = 0
    for at in places(counting.seen, step):
        scene.put_back()
        failed += scene.attempt(Trouble(at, how))
        scene.repairs()
    # Some statements fail after everything is done, or are tried again: most must have been felt.
    assert failed > len(places(counting.seen, step)) // 2


@some_and_all
def test_any_piece_of_the_link_may_be_the_last(scene: Scene, step: int) -> None:
    link = scene.link()
    assert sync_once(Home(scene.shelf.home.path), link, clock=VirtualClock()).up_to_date
    for at in places(link.pieces_passed, step):
        scene.put_back()
        assert scene.attempt(weather=Weather(dies_at=at))
        scene.repairs()


@some_and_all
def test_the_link_may_drop_after_any_number_of_bytes(scene: Scene, step: int) -> None:
    """Each answer is cut after so many bytes: as long as a piece passes, every sync gets further."""
    for drops_after in (1, 120, 400, *range(700, 6000, 70 * step)):
        scene.put_back()
        for _ in range(3):
            scene.attempt(weather=Weather(drops_after=drops_after))
            scene.shelf.check()
        scene.repairs()
