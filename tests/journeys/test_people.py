"""What the people of the brief come to do, in the real window, with the link cut and put back in the middle.

Reading with a pencil is in test_reading_with_a_pencil.py, asking over two power cuts in
test_asking_with_attachments.py, asking and being answered in test_window.py, what breaks in test_bad_days.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTextBrowser, QToolButton

from desktop.app import Application, background_engine
from desktop.pages.first_run import FirstRunPage
from desktop.pages.sync import SyncPage
from desktop.preferences import Preferences
from desktop.widgets.basics import Choice
from desktop.words import use_language
from resources_cache.own import Own
from tests.faults.bad_link import Fault, bad_link
from tests.journeys.test_main_job import RECORDS
from tests.journeys.test_window import Person
from tests.programs import HubProgram, ShelfProgram, write_records

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)

LIMIT = 2_000_000
FEW: list[dict[str, Any]] = [dict(record) for record in cast(list[dict[str, Any]], RECORDS)]


def long_records(texts: int) -> list[dict[str, Any]]:
    """Resources with texts that no packing makes small: 100 KB each on the wire."""
    dice = random.Random(7)
    return [
        {
            "id": f"long-{n}", "type": "resource", "lang": "en", "title": f"Long report {n}",
            "licence": "CC-BY-4.0", "themes": ["capacity-and-culture"], "updated": "2026-05-01T08:00:00Z",
            "text": " ".join(dice.randbytes(8).hex() for _ in range(12_000)),
        }
        for n in range(texts)
    ]  # fmt: skip


@pytest.fixture
def sit_down(tmp_path: Path, qapp: QApplication, qtbot: Any) -> Iterator[Callable[[Path], Person]]:
    """Opens the window on a shelf."""
    use_language("en")
    opened: list[Application] = []

    def open_on(home: Path) -> Person:
        home.mkdir(exist_ok=True)
        application = Application(qapp, home, background_engine(home), Preferences(language="en"))
        opened.append(application)
        application.start()
        return Person(application, qtbot)

    yield open_on
    for application in opened:
        application.window.close()
        application.stop()
        application.window.deleteLater()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProgram]:
    with HubProgram(tmp_path / "hub").init() as hub:
        yield hub


def publish(hub: HubProgram, folder: Path, records: list[dict[str, Any]]) -> None:
    hub.run("import", write_records(folder / "records.jsonl", records))
    hub.run("publish")


def pill(person: Person) -> str:
    return person.application.window.pill.text()


def banner(person: Person) -> str:
    shown = person.application.window.banner
    return shown._words.text() if shown.isVisible() else ""


def test_a_newcomer_reads_though_the_link_goes_in_the_middle(
    hub: HubProgram, sit_down: Callable[[Path], Person], tmp_path: Path
) -> None:
    publish(hub, tmp_path, [*FEW, *long_records(3)])
    hub.start()
    with bad_link(hub.port) as link:
        link.default = Fault("cut", at=40_000)  # every connection, in the middle of the texts
        newcomer = sit_down(tmp_path / "shelf")
        newcomer.waits_for(lambda: isinstance(newcomer.page, FirstRunPage))
        first = newcomer.page
        assert isinstance(first, FirstRunPage)
        newcomer.waits_for(first.address.isVisible)
        newcomer.types(first.address, f"http://127.0.0.1:{link.port}")
        newcomer.types(first.code, hub.invite())
        newcomer.clicks("Connect")
        newcomer.clicks("Start reading")

        # The cards came before the link went: there is something to read at once, and nothing is refused.
        newcomer.clicks("Library")
        newcomer.waits_for(lambda: "r-1" in {row.id for row in newcomer.rows()})
        newcomer.waits_for(lambda: link.faults > 0)
        newcomer.page.list.choose("r-1")  # type: ignore[attr-defined]
        QTest.keyClick(newcomer.page.list, Qt.Key.Key_Return)  # type: ignore[attr-defined]
        newcomer.waits_for(lambda: bool(newcomer.application.window.findChildren(QTextBrowser)))

        # It comes back: the rest arrives by itself or at once when asked for, what was there is not fetched again.
        link.default = Fault()
        QTest.mouseClick(newcomer.application.window.pill, Qt.MouseButton.LeftButton)
        newcomer.clicks("Sync now")
        newcomer.waits_for(lambda: "In step" in pill(newcomer))
        newcomer.waits_for(lambda: "listened in pairs" in newcomer.reads() or _open(newcomer, "r-1"))


def _open(person: Person, record: str) -> bool:
    from desktop.navigation import Place

    person.application.context.navigator.go(Place("library", record=record))
    return False


def test_a_researcher_searches_and_cites_with_the_cable_pulled(
    hub: HubProgram, sit_down: Callable[[Path], Person], tmp_path: Path
) -> None:
    publish(hub, tmp_path, FEW)
    hub.start()
    home = tmp_path / "shelf"
    ShelfProgram(home).enrol(hub).run("sync")
    hub.stop()

    person = sit_down(home)
    window = person.application.window
    person.waits_for(lambda: "In step" in pill(person))
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    person.waits_for(window.finder.field.hasFocus)
    QTest.keyClicks(window.finder.field, "teecher trainnig")
    person.waits_for(lambda: bool(window.finder.list.cards.rows))
    QTest.keyClick(window.finder.field, Qt.Key.Key_Up)
    QTest.keyClick(window.finder.field, Qt.Key.Key_Return)
    person.waits_for(lambda: "r-1" in {row.id for row in person.rows()})
    _open(person, "r-1")
    person.waits_for(lambda: "listened in pairs" in person.reads())
    assert _cited(person, "APA").startswith("Kamau, N. (2024). ")
    assert _cited(person, "Chicago") == "Kamau, Njeri. 2024. Teacher Training Where There Is No Network."

    # Back on the link: what is new is found and cited too.
    hub.start()
    new = {**FEW[0], "id": "r-9", "title": "Radios for remote teachers", "authors": ["Amina Diallo"]}
    publish(hub, tmp_path, [new])
    QTest.mouseClick(window.pill, Qt.MouseButton.LeftButton)
    person.clicks("Sync now")
    person.clicks("Library")
    person.waits_for(lambda: "r-9" in {row.id for row in person.rows()})
    hub.stop()
    _open(person, "r-9")
    person.waits_for(lambda: _cited(person, "APA").startswith("Diallo, A. (2024). "))


def _cited(person: Person, style: str) -> str:
    """What is in the clipboard after the menu's entry of that style was taken."""
    QGuiApplication.clipboard().setText("")
    cite = next(
        one
        for one in person.application.window.findChildren(QToolButton)
        if one.isVisible() and one.text() == "Cite"
    )
    next(action for action in cite.menu().actions() if style in action.text()).trigger()
    person.waits_for(lambda: bool(QGuiApplication.clipboard().text()))
    return QGuiApplication.clipboard().text()


def test_an_officer_on_a_dear_link_spends_no_more_than_they_said(
    hub: HubProgram, sit_down: Callable[[Path], Person], tmp_path: Path
) -> None:
    publish(hub, tmp_path, [*FEW, *long_records(26)])
    hub.start()
    home = tmp_path / "shelf"
    ShelfProgram(home).enrol(hub)
    with Own(home / "own.db") as own:
        enrolling = own.spent()
    hub.stop()

    person = sit_down(home)
    QTest.mouseClick(person.application.window.pill, Qt.MouseButton.LeftButton)
    person.waits_for(lambda: isinstance(person.page, SyncPage))
    limit = next(one for one in person.page.findChildren(Choice) if one.accessibleName() == "Limit for a day")
    person.waits_for(lambda: limit.count() > 1)
    limit.setCurrentIndex(limit.findData(str(LIMIT)))
    person.waits_for(lambda: _setting(home, "daily_limit") == LIMIT)
    hub.start()
    page = person.page
    assert isinstance(page, SyncPage)
    page._price.field.setText("0.50 USD")
    page._price.field.editingFinished.emit()
    person.waits_for(lambda: _setting(home, "price_per_mb") == "0.50 USD")
    person.clicks("What would it cost?")
    # Where the sync in the background was first, the price is not worth a byte over the limit either.
    said = page._price.answer
    person.waits_for(lambda: "The next sync moves" in said.text() or "limit is used up" in said.text())
    assert "USD" in said.text() or "limit is used up" in said.text()
    person.clicks("Sync now")
    person.waits_for(lambda: "Today's data limit is used up." in page._problem_words.text())
    with Own(home / "own.db") as own:
        assert enrolling < own.spent() <= LIMIT
    person.clicks("Library")
    person.waits_for(lambda: {"r-1", "long-25"} <= {row.id for row in person.rows()})

    # More is allowed: the link goes once more in between, and nothing of what came is paid twice.
    person.application.context.navigator.back()
    limit.setCurrentIndex(limit.findData(str(20_000_000)))
    person.waits_for(lambda: _setting(home, "daily_limit") == 20_000_000)
    hub.stop()
    person.clicks("Sync now")
    person.waits_for(lambda: "There is no connection right now." in page._problem_words.text())
    hub.start()
    person.clicks("Sync now")
    person.waits_for(lambda: "In step" in pill(person))
    with Own(home / "own.db") as own:
        assert own.spent() < 26 * 108_000 * 1.1


def _setting(home: Path, key: str) -> Any:
    with Own(home / "own.db") as own:
        return own.setting(key)
