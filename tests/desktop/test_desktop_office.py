"""Sharing with the computers of one's office, in the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.app import Application
from desktop.navigation import Place
from desktop.pages.first_run import FirstRunPage
from desktop.pages.in_the_office import InTheOffice, OfficeStanding
from desktop.pages.sync import _sync_words
from resources_cache.own import Own
from sync.neighbours.giving import ADDRESSES, COUNTS, SHARING, THERE

Make = Callable[..., Application]
Settle = Callable[[Application], None]


def setting(home: Path, key: str) -> Any:
    with Own(home / "own.db") as own:
        return own.setting(key)


def section(application: Application, settle: Settle) -> InTheOffice:
    application.context.navigator.go(Place("sync"))
    settle(application)
    office: InTheOffice = application.window.stack.currentWidget().in_the_office  # type: ignore[union-attr]
    return office


def test_a_person_says_yes_and_sees_what_it_saved(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    office = section(application, settle)
    assert not office.share.isChecked()
    assert office.standing.isHidden()
    office.share.click()
    settle(application)
    assert setting(home, SHARING) is True
    assert "No other computer" in office.standing.text()
    with Own(home / "own.db") as own:
        own.set_setting(THERE, ["http://192.168.1.20:8441", "http://192.168.1.21:8441"])
        each = {"192.168.1.20": [200_000, 3_400_000], "192.168.1.21": [1_000_000, 0]}
        own.set_setting(COUNTS, {"given": 1_200_000, "taken": 3_400_000, "each": each})
    office.refresh()
    settle(application)
    told = office.standing.text().replace("\u2068", "").replace("\u2069", "").splitlines()
    assert told == [
        "2 other computers are here. Given to others: 1.2 MB. Taken from them: 3.4 MB, which the link did not have"
        " to carry.",
        "192.168.1.20 gave 3.4 MB and took 200 KB.",
        "192.168.1.21 gave 0 B and took 1.0 MB.",
    ]
    office.share.click()
    settle(application)
    assert setting(home, SHARING) is False
    assert office.standing.isHidden()


def test_a_computer_is_named_by_its_address(make_window: Make, settle: Settle, home: Path) -> None:
    with Own(home / "own.db") as own:
        own.set_setting(SHARING, True)
    application = make_window(home)
    office = section(application, settle)
    QTest.keyClicks(office.address, "hub.example.org")
    QTest.keyClick(office.address, Qt.Key.Key_Return)
    assert office.note.isVisible()
    office.address.clear()
    QTest.keyClicks(office.address, "192.168.1.20:8441")
    office.add.click()
    settle(application)
    assert office.note.isHidden()
    assert setting(home, ADDRESSES) == ["http://192.168.1.20:8441"]
    remove = office._named.itemAt(0).widget()
    assert "192.168.1.20:8441" in remove.text()
    remove.click()
    settle(application)
    assert setting(home, ADDRESSES) == []


def test_an_administrator_decides(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    office = section(application, settle)
    office._show(OfficeStanding(sharing=True, locked=True))
    assert office.share.isChecked()
    assert not office.share.isEnabled()
    assert office.locked.isVisible()


def test_what_came_from_the_office_says_so() -> None:
    assert _sync_words({"kind": "office", "records": 24}) == "From this office: 24 records came"


def test_it_is_asked_once_in_the_first_run(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    application.context.navigator.go(Place("first-run", tab="keep"))
    settle(application)
    page: Any = application.window.findChild(FirstRunPage)
    assert page.share.isVisible()
    assert not page.share.isChecked()
    assert setting(home, SHARING) is None
    page.share.click()
    page._start()
    settle(application)
    assert setting(home, SHARING) is True
