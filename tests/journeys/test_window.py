"""The main job in the window, as a person does it: clicks and keys, the real engine, a real hub that goes away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QTextBrowser, QWidget

from desktop.app import Application, background_engine
from desktop.navigation import Place
from desktop.pages.ask import AskPage
from desktop.pages.first_run import FirstRunPage
from desktop.pages.list_page import ListPage
from desktop.preferences import Preferences
from desktop.words import use_language
from tests.journeys.test_main_job import RECORDS
from tests.programs import HubProgram, write_records

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)
PATIENCE_MS = 20_000


class Person:
    """Somebody at the window: sees what is shown, clicks what has a name, types."""

    def __init__(self, application: Application, qtbot: Any) -> None:
        self.application = application
        self._qtbot = qtbot

    @property
    def page(self) -> QWidget:
        page = self.application.window.stack.currentWidget()
        assert page is not None
        return page

    def waits_for(self, seen: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(seen, timeout=PATIENCE_MS)

    def finds(self, name: str) -> QAbstractButton | None:
        for button in self.application.window.findChildren(QAbstractButton):
            if button.isVisible() and button.isEnabled() and name in (button.text(), button.accessibleName()):
                return button
        return None

    def clicks(self, name: str) -> None:
        self.waits_for(lambda: self.finds(name) is not None)
        button = self.finds(name)
        assert button is not None
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def types(self, field: QWidget, words: str) -> None:
        field.setFocus()
        QTest.keyClicks(field, words)

    def rows(self) -> list[Any]:
        page = self.page
        return page.list.cards.rows if isinstance(page, ListPage) else []

    def reads(self) -> str:
        """All that is written in the readers that are open."""
        browsers = self.application.window.findChildren(QTextBrowser)
        return "\n".join(browser.toPlainText() for browser in browsers if browser.isVisible())


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProgram]:
    with HubProgram(tmp_path / "hub").init() as hub:
        hub.run("import", write_records(tmp_path / "records.jsonl", RECORDS))
        hub.run("publish")
        hub.start()
        yield hub


@pytest.fixture
def person(tmp_path: Path, qapp: QApplication, qtbot: Any) -> Iterator[Person]:
    home = tmp_path / "shelf"
    home.mkdir()
    use_language("en")
    application = Application(qapp, home, background_engine(home), Preferences(language="en"))
    application.start()
    yield Person(application, qtbot)
    application.stop()
    application.window.close()
    application.window.deleteLater()


def test_enrol_read_ask_and_be_answered(hub: HubProgram, person: Person) -> None:
    # First run: address and code, what to keep, and reading.
    person.waits_for(lambda: isinstance(person.page, FirstRunPage))
    first = person.page
    assert isinstance(first, FirstRunPage)
    person.waits_for(first.address.isVisible)
    person.types(first.address, hub.url)
    person.types(first.code, hub.invite())
    person.clicks("Connect")
    person.clicks("Start reading")
    window = person.application.window
    person.waits_for(lambda: "In step" in window.pill.text())
    hub.stop()

    # With the hub gone: search, open, read.
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    person.waits_for(window.finder.field.hasFocus)
    QTest.keyClicks(window.finder.field, "teacher training")
    person.waits_for(lambda: {"r-1", "t-1"} <= {row.id for row in window.finder.list.cards.rows})
    QTest.keyClick(window.finder.field, Qt.Key.Key_Up)  # round to the last row: everything that is found
    QTest.keyClick(window.finder.field, Qt.Key.Key_Return)
    person.waits_for(
        lambda: person.application.context.navigator.here == Place("search", query="teacher training")
    )
    person.waits_for(lambda: {"r-1", "t-1"} <= {row.id for row in person.rows()})
    page = person.page
    assert isinstance(page, ListPage)
    page.list.choose("r-1")
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    person.waits_for(lambda: "listened in pairs" in person.reads())

    # Ask: queued, in words.
    person.clicks("Ask")
    ask = person.page
    assert isinstance(ask, AskPage)
    person.types(ask.title_field, "How many tablets for forty pupils?")
    person.clicks("Send")
    person.clicks("Outbox")
    person.waits_for(lambda: any("Waiting for a connection" in _spoken(row) for row in person.rows()))

    # The hub is back: it goes once, is answered, and the answer is on Home.
    hub.start()
    QTest.mouseClick(window.pill, Qt.MouseButton.LeftButton)
    person.clicks("Sync now")
    person.waits_for(lambda: len(hub.do("requests")) == 1)
    request = next(iter(hub.do("requests")))
    person.waits_for(lambda: "waiting" not in window.pill.text() and "In step" in window.pill.text())
    hub.do("reply", id=request, body="Twenty: two pupils share one.")
    person.clicks("Sync now")
    person.clicks("Outbox")
    person.waits_for(lambda: any("Answered" in _spoken(row) for row in person.rows()))
    assert len(hub.do("requests")) == 1


def _spoken(row: Any) -> str:
    spoken: str = row.spoken()
    return spoken
