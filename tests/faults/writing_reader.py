"""Somebody who writes a note in the real window, a few letters at a time, until the process is killed.

    python -m tests.faults.writing_reader HOME RECORD

Prints "saved N" when the first N letters of `NOTE` are said to be safe: nothing is asked of the stores any more.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.app import Application
from desktop.navigation import Place
from desktop.pages.list_page import ListPage
from desktop.preferences import Preferences
from desktop.screenshots import StillEngine, settle

NOTE = "The pump was mended twice in the rains and nobody kept the log of what it cost the school " * 4


def main() -> None:
    home, record = Path(sys.argv[1]), sys.argv[2]
    qt = QApplication(sys.argv[:1])
    application = Application(qt, home, StillEngine, Preferences(language="en", introduced=True))
    application.start(Place("library", record=record))
    settle(qt, application)
    page = application.window.stack.currentWidget()
    assert isinstance(page, ListPage)
    reader = page.reader
    reader.text.selectAll()
    reader.pencil.note()
    settle(qt, application)
    for done in range(0, len(NOTE), 5):
        QTest.keyClicks(reader.notes.field, NOTE[done : done + 5])
        settle(qt, application, 0.45)
        sys.stdout.write(f"saved {done + 5}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
