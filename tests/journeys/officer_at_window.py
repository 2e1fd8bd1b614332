"""An officer at a window of its own process, who may lose power at any moment: `HOME STAGE [FILE]`.

The real window and the real engine. What is seen goes to standard output, a JSON object a line. Stages:
`write` types a question, attaches FILE and goes on typing until the end that comes from outside; `send` tells what
is in the form, sends it and lets the engine work; `judge` reads the answer, fetches its file, says that it helped
partly and that it may be published.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from desktop import attachments
from desktop.app import Application, background_engine
from desktop.constants_guard import keep_constants_alive
from desktop.navigation import Place
from desktop.preferences import Preferences
from desktop.shelf import Shelf

TITLE = "Does this plan hold for 40 schools?"
BODY = "The river floods in May."
PATIENCE = 60.0


def say(**seen: Any) -> None:
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()


def wait(milliseconds: int) -> None:
    """Let the window live so long. QTest.qWait does not give Python's lock away, so no other thread got on."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("it did not come to that")
        wait(20)


def form(page: Any) -> dict[str, Any]:
    content: dict[str, Any] = page.content()
    return {key: content[key] for key in ("title", "body", "anonymous", "attachments")}


def at(application: Application, place: Place) -> Any:
    application.context.navigator.go(place)
    wait(50)
    return application.window.stack.currentWidget()


def write(application: Application, file: Path) -> None:
    page = at(application, Place("ask"))
    QTest.keyClicks(page.title_field, TITLE)
    QTest.keyClicks(page.body_field, BODY)
    page.anonymous_box.click()
    page.attachments.add([file])
    until(lambda: len(page.attachments.files) == 1)
    wait(600)  # the pause after which what was typed is on the disk
    until(lambda: application.context.background.idle)
    say(form=form(page))
    page.body_field.moveCursor(QTextCursor.MoveOperation.End)
    for number in itertools.count(1):  # without a pause, until the power goes
        QTest.keyClicks(page.body_field, ".")
        wait(20)
        if number == 100:
            say(typed=number)


def send(application: Application) -> None:
    page = at(application, Place("ask"))
    until(lambda: bool(page.title_field.text() and page.attachments.files))
    say(form=form(page))
    page.send_button.click()
    until(lambda: not page.title_field.text())
    say(sent=True)
    application.context.sync.nudge("person")


def judge(application: Application) -> None:
    application.context.sync.nudge("person")
    page = at(application, Place("outbox"))
    until(lambda: any(row.kind == "request" and "Answered" in row.spoken() for row in page.list.cards.rows))
    page.list.opened.emit(next(row for row in page.list.cards.rows if row.kind == "request"))
    verdict = page.reader.request.verdict
    until(lambda: bool(verdict.isVisible()))
    say(reads=page.reader.text.toPlainText())
    button = next(one for one in page.reader.request.findChildren(QPushButton) if "Download" in one.text())
    button.click()
    until(lambda: any(one.here and one.name == "stilts.csv" for one in page.reader._loaded.matters.files))
    with Shelf(application.context.home) as shelf:
        named = next(one for one in page.reader._loaded.matters.files if one.name == "stilts.csv")
        say(fetched=hashlib.sha256(attachments.path_of(shelf, named.hash).read_bytes()).hexdigest())
    verdict.choices["partly"].click()
    QTest.keyClicks(verdict.words, "The costs are missing.")
    verdict.publish.click()
    verdict.send_button.click()
    until(lambda: "It helped partly" in page.reader.text.toPlainText())
    say(said=True)
    application.context.sync.nudge("person")


def main() -> None:
    home, stage = Path(sys.argv[1]), sys.argv[2]
    app = QApplication(sys.argv[:1])
    keep_constants_alive()
    application = Application(app, home, background_engine(home), Preferences(language="en", introduced=True))
    application.start()
    wait(100)
    if stage == "write":
        write(application, Path(sys.argv[3]))
    else:
        {"send": send, "judge": judge}[stage](application)
    while True:  # until the power goes
        wait(100)


if __name__ == "__main__":
    main()
