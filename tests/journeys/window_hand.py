"""A hand at the real window of a process of its own: clicks, types and says what is seen, one JSON line each.

`python tests/journeys/window_hand.py HOME` runs `desktop.app.run` as `hubshelf` does. The process can be killed,
have a clock of its own or a disk that is full, which the window of a test's own process cannot.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextBrowser,
    QWidget,
)

from desktop.app import run
from desktop.pages.list_page import ListPage
from desktop.widgets.cards import CardList


class Hand(QObject):
    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._filling: list[Path] = []
        self.asked.connect(self._do, Qt.ConnectionType.QueuedConnection)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self.asked.emit(line)

    def _do(self, line: str) -> None:
        asked = json.loads(line)
        answer = getattr(self, asked.pop("do"))(**asked)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()

    def see(self) -> list[str]:
        """All that can be read in the window."""
        found: list[str] = []
        for widget in _visible():
            if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
                found.append(widget.text())
            elif isinstance(widget, QPlainTextEdit | QTextBrowser):
                found.append(widget.toPlainText())
            elif isinstance(widget, CardList):
                found += [row.spoken() for row in widget.cards.rows]
            elif isinstance(widget, ListPage):
                found += [row.spoken() for row in widget.list.cards.rows]
        return [text for text in found if text]

    def click(self, name: str, starts: bool = False) -> bool:
        for widget in _visible():
            if not isinstance(widget, QAbstractButton) or not widget.isEnabled():
                continue
            if name in (widget.text(), widget.accessibleName()) or (starts and widget.text().startswith(name)):
                QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
                return True
        return False

    def type(self, name: str, words: str) -> bool:
        for widget in _visible():
            if isinstance(widget, QLineEdit | QPlainTextEdit) and widget.accessibleName() == name:
                widget.setFocus()
                QTest.keyClicks(widget, words)
                return True
        return False

    def fill(self, path: str) -> int:
        """Fill the disk that this file is on to the last byte; how many bytes it took."""
        size = 0
        with Path(path).open("wb", buffering=0) as file:
            for block in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        size += file.write(b"\1" * block)
                except OSError:
                    continue
        return size

    def free(self, path: str) -> bool:
        Path(path).unlink()
        return True

    def quit(self) -> bool:
        QApplication.quit()
        return True


def _visible() -> Iterator[QWidget]:
    for top in QApplication.topLevelWidgets():
        if top.isVisible():
            yield top
            yield from (one for one in top.findChildren(QWidget) if one.isVisible())


def main() -> int:
    qt = QApplication(sys.argv[:1])
    hand: Any = Hand()
    code = run(Path(sys.argv[1]))
    del hand, qt
    sys.stdout.flush()
    os._exit(code)  # the thread that reads stands in the way of a quiet end


if __name__ == "__main__":
    sys.exit(main())
