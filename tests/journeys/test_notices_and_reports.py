"""What was saved and cited changes on the hub, and a message is reported: the words come back to the person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.app import Application, background_engine
from desktop.navigation import Place
from desktop.pages.home import HomePage
from desktop.pages.list_page import ListPage
from desktop.preferences import Preferences
from desktop.reading.record_view import RecordView
from desktop.reading.report_box import ReportDialog
from desktop.words import use_language
from resources_cache.library import Library
from tests.journeys.test_main_job import RECORDS
from tests.journeys.test_window import Person
from tests.programs import HubProgram, ShelfProgram, write_records

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)
FEW = cast(list[dict[str, Any]], RECORDS)
NEWER = {**FEW[0], "id": "r-3", "title": "Teacher training, second edition", "year": 2026}
BAD = {**FEW[3], "id": "m-2", "author": "Bo", "body": "Write to Amina at home, 555 0147."}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProgram]:
    with HubProgram(tmp_path / "hub").init() as hub:
        hub.run("import", write_records(tmp_path / "records.jsonl", [*FEW, NEWER, BAD]))
        hub.run("publish")
        hub.start()
        yield hub


@pytest.fixture
def person(hub: HubProgram, tmp_path: Path, qapp: QApplication, qtbot: Any) -> Iterator[Person]:
    use_language("en")
    home = tmp_path / "shelf"
    ShelfProgram(home).enrol(hub).run("sync")
    application = Application(qapp, home, background_engine(home), Preferences(language="en"))
    application.start()
    yield Person(application, qtbot)
    application.window.close()
    application.stop()
    application.window.deleteLater()


def reader(person: Person, page: str, record: str) -> RecordView:
    person.application.context.navigator.go(Place(page, record=record))

    def found() -> RecordView | None:
        shown = person.page
        return shown.reader if isinstance(shown, ListPage) and shown.reader.record == record else None

    person.waits_for(lambda: found() is not None)
    view = found()
    assert view is not None
    return view


def publish_and_sync(hub: HubProgram, person: Person) -> None:
    version = hub.do("publish")["version"]
    QTest.mouseClick(person.application.window.pill, Qt.MouseButton.LeftButton)
    with Library(hub.home.parent / "shelf" / "library.db", read_only=True) as library:

        def in_step() -> bool:
            head = library.head()
            if head is not None and head.version >= version and head.complete:
                return True
            # A sync that began by itself before the publication knows nothing of it.
            if (button := person.finds("Sync now")) is not None:
                QTest.mouseClick(button, Qt.MouseButton.LeftButton)
            return False

        person.waits_for(in_step)


def test_the_words_come_back(hub: HubProgram, person: Person) -> None:
    context = person.application.context
    reader(person, "library", "r-2")
    person.clicks("Save")
    view = reader(person, "library", "r-1")
    QGuiApplication.clipboard().setText("")
    view.cite_menu.copy("apa")
    person.waits_for(lambda: "Kamau" in QGuiApplication.clipboard().text())
    thread = reader(person, "discussions", "t-1")
    thread.report("m-2")
    dialog = thread.findChild(ReportDialog)
    assert dialog is not None
    assert "555 0147" in dialog.target.currentText()
    dialog.reason.choose("private")
    person.types(dialog.words, "Her number.")
    QTest.mouseClick(dialog.send, Qt.MouseButton.LeftButton)
    person.waits_for(lambda: not thread.findChildren(ReportDialog))
    person.clicks("Outbox")
    person.waits_for(lambda: any("Reported" in row.title for row in person.rows()))

    hub.do("notice", id="r-1", kind="superseded", by="r-3", since="2026-05-03", note={"en": "New figures."})
    hub.do("notice", id="r-2", kind="withdrawn", since="2026-05-04")
    publish_and_sync(hub, person)
    assert hub.do("handle", outcome="removed") == ["Her number."]
    publish_and_sync(hub, person)

    # What was saved, and what was cited, is told on Home and above its text.
    person.clicks("Home")
    home = person.page
    assert isinstance(home, HomePage)
    person.waits_for(lambda: any("saved or cited" in row.title for row in home.list.cards.rows))
    told = {row.id: row for row in reversed(home.list.cards.rows) if row.kind == "resource"}
    assert "second edition" in told["r-1"].line
    assert told["r-2"].badges[0].text == "Withdrawn"
    view = reader(person, "library", "r-1")
    person.waits_for(view.notice.isVisible)
    assert view.notice.note.text() == "New figures."
    person.clicks("Open the newer one")
    person.waits_for(lambda: view.record == "r-3")
    view = reader(person, "library", "r-2")
    person.waits_for(lambda: view.notice.words.text() == "Withdrawn by the hub on 4 May 2026.")

    # The message is gone, and who reported it knows.
    reader(person, "discussions", "t-1")
    person.waits_for(lambda: "pairs of teachers" in person.reads() and "555 0147" not in person.reads())
    context.navigator.go(Place("outbox"))
    person.waits_for(lambda: any(badge.text == "Removed" for row in person.rows() for badge in row.badges))
