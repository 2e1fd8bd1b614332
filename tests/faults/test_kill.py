"""kill -9 at every instant of an apply and of an outbox send; started again, everything holds."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.shelves import Shelf, agree
from tests.programs import ROOT, HubProgram


def live(home: Path, url: str, instant: int, title: str) -> int | None:
    """Run the dying client; None where it was killed, else how many instants it lived through."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.dying_client", home, url, str(instant), title],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "HUBSHELF_KEYRING": "off"},
        check=False,
    )
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[1])


def die_everywhere(hub: HubProgram, folder: Path, step: int) -> int:
    """Die at every `step`-th instant, each time on a fresh copy of an enrolled shelf; return how many deaths."""
    template = Shelf(folder / "template").enrol(hub)
    instants = _count(hub, folder)
    deaths = 0
    for instant in range(1, instants + 1, step):
        path = folder / f"shelf-{instant}"
        shutil.copytree(template.home.path, path)
        title = f"Killed at {instant}?"
        assert live(path, hub.url, instant, title) is None, f"instant {instant} of {instants} was not reached"
        deaths += 1
        shelf = Shelf(path)
        shelf.check()
        kept = shelf.states()
        if not kept:  # died before its question was committed: nothing was promised
            shelf.ask(title)
        report = shelf.sync(hub.url)
        assert report is not None, instant
        assert report.up_to_date, (instant, report)
        agree(shelf, hub)
        assert set(shelf.states().values()) == {"received"}
        stored = [row for row in hub.do("requests").values() if row["title"] == title]
        assert len(stored) == 1, (instant, stored)
    return deaths


def _count(hub: HubProgram, folder: Path) -> int:
    counted = Shelf(folder / "counted").enrol(hub, "counter@ministry.example")
    instants = live(counted.home.path, hub.url, 0, "How many instants?")
    assert instants is not None
    return instants


def test_killed_here_and_there(hub: HubProgram, tmp_path: Path) -> None:
    assert die_everywhere(hub, tmp_path, step=9) > 10


@pytest.mark.slow
def test_killed_at_every_instant(hub: HubProgram, tmp_path: Path) -> None:
    assert die_everywhere(hub, tmp_path, step=1) > 100


def test_a_hub_that_dies_loses_nothing_it_acknowledged(hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    asked = []
    for number in range(5):
        asked.append(shelf.ask(f"Before power cut {number}?"))
        shelf.sync(hub.url)
        hub.stop(signal.SIGKILL)
        assert shelf.sync(hub.url) is None or shelf.states()[asked[-1]] == "received"
        hub.start()
    shelf.sync(hub.url)
    assert sorted(hub.do("requests")) == sorted(asked)
    agree(shelf, hub)
