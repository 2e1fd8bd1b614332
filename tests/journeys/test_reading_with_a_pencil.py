"""An officer reads with a pencil: highlights, notes, search, new versions, a power cut; and the guide to it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.app import Application, background_engine
from desktop.navigation import Place
from desktop.pages.list_page import ListPage
from desktop.preferences import Preferences
from desktop.words import use_language
from resources_cache.library import Cursor, Library
from resources_cache.own import Own
from tests.faults.writing_reader import NOTE
from tests.journeys.test_readme import commands
from tests.journeys.test_window import Person
from tests.programs import BIN, ROOT, HubProgram, ShelfProgram, write_records

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)
GUIDE = {
    "id": "r-wells",
    "type": "resource",
    "updated": "2026-03-01T08:00:00Z",
    "lang": "en",
    "title": "Wells and pumps",
    "summary": "What it takes to keep water running in schools.",
    "authors": ["Amina Diallo"],
    "year": 2024,
    "themes": ["content-and-solutions"],
    "text": "<p>Every school has a well. The pump is mended by the district.</p><p>Teachers keep a log.</p>",
    "text_format": "html",
}


@pytest.fixture
def person(tmp_path: Path, qapp: QApplication, qtbot: Any) -> Iterator[Callable[[], Person]]:
    """Opens the window on one shelf, each time anew."""
    home = tmp_path / "shelf"
    home.mkdir()
    use_language("en")
    opened: list[Application] = []

    def close() -> None:
        for application in opened:
            application.window.close()
            application.stop()
            application.window.deleteLater()
        opened.clear()

    def sit_down() -> Person:
        close()
        application = Application(qapp, home, background_engine(home), Preferences(language="en", introduced=True))
        opened.append(application)
        application.start(Place("library"))
        return Person(application, qtbot)

    yield sit_down
    close()


def test_read_mark_search_and_read_again(tmp_path: Path, person: Callable[[], Person]) -> None:
    home = tmp_path / "shelf"
    with HubProgram(tmp_path / "hub").init() as hub:
        hub.run("import", write_records(tmp_path / "records.jsonl", [GUIDE]))
        hub.run("publish")
        hub.start()
        ShelfProgram(home).enrol(hub).run("sync")
        hub.stop()

        # With the hub gone: read, select, write.
        officer = person()
        officer.application.context.navigator.go(Place("library", record="r-wells"))
        officer.waits_for(lambda: "mended by the district" in officer.reads())
        reader: Any = officer.page
        reader = reader.reader
        reader.text.setTextCursor(reader.text.document().find("mended by the district"))
        officer.clicks("Note")
        QTest.keyClicks(reader.notes.field, "Not in Moyale")
        officer.clicks("Close the notes")
        officer.waits_for(lambda: _notes(home) == [("mended by the district", "Not in Moyale")])

        # What was written is found, and leads back to where it was written.
        officer = person()
        window = officer.application.window
        officer.types(window.search, "moyale")
        QTest.keyClick(window.search, Qt.Key.Key_Return)
        officer.waits_for(lambda: [row.id for row in officer.rows()] == ["r-wells"])
        found = officer.page
        assert isinstance(found, ListPage)
        found.list.choose("r-wells")
        QTest.keyClick(found.list, Qt.Key.Key_Return)
        officer.waits_for(lambda: bool(found.reader.text.extraSelections()))
        officer.clicks("Notes (1)")
        officer.waits_for(lambda: _rows(found) == ["mended by the district"])

        # The hub has a new version of the text: the note stays, under the words that are gone.
        newer = {**GUIDE, "updated": "2026-04-01T08:00:00Z", "text": "<p>Each school has a tank.</p>"}
        hub.run("import", write_records(tmp_path / "newer.jsonl", [newer]))
        hub.run("publish")
        hub.start()
        QTest.keyClick(window, Qt.Key.Key_F5)
        officer.waits_for(lambda: "Each school has a tank" in officer.reads())
        officer.waits_for(lambda: _rows(found) == ["Not in this version any more", "mended by the district"])
        assert _notes(home) == [("mended by the district", "Not in Moyale")]


def _rows(page: ListPage) -> list[str]:
    return [row.title for row in page.reader.notes.list.cards.rows]


def _notes(home: Path) -> list[tuple[str, str]]:
    with Own(home / "own.db") as own:
        return [(one.anchor.quote, one.note) for one in own.annotations.of("r-wells")]


@pytest.mark.parametrize("letters", [5, 40])
def test_killed_while_writing_a_note(tmp_path: Path, letters: int) -> None:
    home = tmp_path / "shelf"
    home.mkdir()
    with Library(home / "library.db") as library:
        text = {
            "id": "x",
            "type": "text",
            "resource": "r-wells",
            "lang": "en",
            "format": "html",
            "body": GUIDE["text"],
        }
        library.apply("s", [{k: v for k, v in GUIDE.items() if not k.startswith("text")}, text], Cursor(1, 1))
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HUBSHELF_KEYRING": "off"}
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.writing_reader", str(home), "r-wells"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert writer.stdout is not None
    saved = 0
    try:
        while saved < letters:
            line = writer.stdout.readline()
            assert line.startswith("saved "), "the writer ended by itself"
            saved = int(line.split()[1])
        time.sleep(0.1)  # in the middle of the next letters
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    ((quote, note),) = _notes(home)
    assert quote.startswith("Wells and pumps")
    assert len(note) >= letters
    assert note == NOTE[: len(note)]


def test_the_commands_of_the_guide(tmp_path: Path) -> None:
    page = ROOT / "docs" / "user" / "reading.md"
    walk = [line for line in commands(page) if line.startswith(("hubshelf cite ", "hubshelf notes "))]
    assert len(walk) >= 5
    home = tmp_path / "shelf"
    home.mkdir()
    with Library(home / "library.db") as library, Own(home / "own.db") as own:
        library.apply("s", [{k: v for k, v in GUIDE.items() if not k.startswith("text")}], Cursor(1, 1))
        own.set_note("r-wells", "For the June meeting")
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "HUBSHELF_HOME": str(home)}
    said = []
    for line in walk:
        line = re.sub(r"\bID2?\b", "r-wells", line)
        done = subprocess.run(
            shlex.split(line.partition(" > ")[0]),
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    whole = "\n".join(said)
    for words in (
        "Diallo, A. (2024). Wells and pumps.",
        "TY  - RPRT",
        "@techreport{diallo2024wells",
        "June meeting",
    ):
        assert words in whole
