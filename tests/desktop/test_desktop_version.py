"""The version in the Preferences, and a newer one: looked for, fetched, ready, and back again, from a real hub."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.app import Application
from desktop.navigation import Place
from desktop.pages.program_version import Versions
from sync.home import Home
from sync.places import builds_place
from sync.report import SyncReport
from sync.updates import starting
from tests.faults.program_trees import make_build
from tests.programs import HubProgram, ShelfProgram

Make = Callable[..., Application]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HubProgram, Path]]:
    folder = tmp_path_factory.mktemp("versions")
    for version in ("0.1", "0.2"):
        make_build(folder / version, version)
    with HubProgram(folder / "hub").init() as hub:
        for version in ("0.1", "0.2"):
            hub.run("build", "add", folder / version, "--notes", "Two lines are new.")
        hub.run("publish")
        hub.start()
        ShelfProgram(folder / "shelf").enrol(hub, "amina@ministry.example").run("sync")
        yield hub, folder


@pytest.fixture
def section(
    made: tuple[HubProgram, Path], make_window: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    shutil.copytree(made[1] / "shelf", tmp_path / "shelf")
    monkeypatch.setenv("HUBSHELF_HOME", str(tmp_path / "shelf"))
    monkeypatch.setenv(starting.STARTED, str(made[1] / "0.1"))
    opened = make_window(tmp_path / "shelf")
    opened.context.navigator.go(Place("preferences"))
    return opened.window.stack.currentWidget().version


def test_a_newer_version_is_found_fetched_and_left_again(section: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: "0.1" in section.standing.text())
    section.look.click()
    qtbot.waitUntil(lambda: not section.get.isHidden(), timeout=20_000)
    assert "Two lines are new." in section.note.text()
    section.get.click()
    qtbot.waitUntil(lambda: "is ready" in section.note.text(), timeout=20_000)
    assert starting.read(builds_place()).current is not None
    assert section.bar.isHidden()
    assert "0.1" in section.back.text()
    section.back.click()
    qtbot.waitUntil(lambda: section.back.isHidden(), timeout=20_000)
    assert starting.read(builds_place()).current is None
    section.look.click()
    qtbot.waitUntil(lambda: not section.problem.isHidden(), timeout=20_000)
    assert "newest version" in section.problem.text()


def test_what_an_administrator_decided_is_said(section: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: "0.1" in section.standing.text())
    section.show_versions(Versions("0.1", "0.1", possible=True, managed=True))
    assert "administrator" in section.how.text()
    assert section.look.isHidden()


def test_without_a_hub_that_answers_it_is_said_in_words(
    section: Any, qtbot: Any, made: tuple[HubProgram, Path]
) -> None:
    qtbot.waitUntil(lambda: "0.1" in section.standing.text())
    hub = made[0]
    hub.stop()
    try:
        section.look.click()
        qtbot.waitUntil(lambda: not section.problem.isHidden(), timeout=30_000)
    finally:
        hub.start()
    assert "Traceback" not in section.problem.text()
    assert not section.look.isHidden()
    assert section.look.isEnabled()


def test_a_small_one_comes_by_itself_after_a_sync_and_is_looked_for_once(section: Any, qtbot: Any) -> None:
    context = section._context
    said: list[str] = []
    context.notices.said.connect(said.append)
    context.sync.ended.emit(SyncReport(up_to_date=True))
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert "is ready" in said[0]
    assert starting.read(builds_place()).current is not None
    context.sync.ended.emit(SyncReport(up_to_date=True))
    qtbot.wait(200)
    qtbot.waitUntil(lambda: context.background.idle, timeout=20_000)
    assert len(said) == 1


def test_on_a_link_that_is_paid_by_the_byte_it_is_only_told_of(section: Any, qtbot: Any) -> None:
    context = section._context
    said: list[str] = []
    context.notices.said.connect(said.append)
    context.sync.metered.emit(True)
    context.sync.ended.emit(SyncReport(up_to_date=True))
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert "see the Preferences" in said[0]
    assert starting.read(builds_place()).current is None


def test_where_a_day_has_a_limit_it_is_only_told_of(section: Any, qtbot: Any) -> None:
    context = section._context
    with Home(context.home).own() as own:
        own.set_setting("daily_limit", 1)
    said: list[str] = []
    context.notices.said.connect(said.append)
    context.sync.ended.emit(SyncReport(up_to_date=True))
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert "see the Preferences" in said[0]
