"""Reporting to the moderators in the window: the right message, one report of it, its outcome in the Outbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QLabel

from desktop.app import Application
from desktop.navigation import Place
from desktop.pages.outbox import OutboxPage
from desktop.reading.report_box import ReportDialog, message_at
from resources_cache.library import Library
from resources_cache.own import Own
from sync.delivery import mark_answered, waiting_operations

Settle = Callable[[Application], None]


def test_a_message_is_reported_once_and_its_outcome_is_told(
    home: Path, make_window: Callable[..., Application], settle: Settle, qtbot: Any
) -> None:
    with Library(home / "library.db") as library:
        thread = next(
            found
            for card in library.latest(("thread",), limit=50)
            if len((found := library.get(card.id) or {}).get("messages") or []) > 1
        )
    second = thread["messages"][1]
    application = make_window(home)
    settle(application)
    application.context.navigator.go(Place("discussions", record=thread["id"]))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    reader = page.reader
    cursor = reader.text.document().find(second["body"][:30])
    cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
    reader.text.setTextCursor(cursor)
    reader.text.ensureCursorVisible()
    where = reader.text.viewport().mapToGlobal(reader.text.cursorRect().center())
    assert message_at(reader.text, where, reader._loaded) == second["id"]

    def report(reason: str, message: str = second["id"]) -> None:
        reader.report()
        dialog = reader.findChildren(ReportDialog)[-1]
        assert not dialog.send.isEnabled(), "none is meant until it is chosen"
        dialog.target.choose(message)
        dialog.reason.choose(reason)
        dialog.send.click()
        qtbot.waitUntil(lambda: not reader.findChildren(ReportDialog))

    report("spam")
    report("private")
    with Own(home / "own.db") as own:
        (item,) = [one for one in own.outbox.items() if one.kind == "report"]
        (operation,) = [one for one in waiting_operations(own) if one.kind == "report"]
        assert operation.body == {"target": second["id"], "reason": "private"}
        own.outbox.begin_sending([item.id])
        own.outbox.receive(item.id, {"received": "2026-05-02T08:00:00Z"})
        with Library(home / "library.db") as library:
            told = {"id": item.id, "type": "report", "target": second["id"], "updated": "2026-05-03T12:00:00Z"}
            library.apply_personal([{**told, "state": "open"}], 1, 1000)
            assert mark_answered(own, library) == 0
            library.apply_personal([{**told, "state": "removed"}], 1, 1001)
            assert mark_answered(own, library) == 1
    application.context.navigator.go(Place("outbox", record=item.id))
    settle(application)
    outbox = application.window.stack.currentWidget()
    assert isinstance(outbox, OutboxPage)
    row = next(one for one in outbox.list.cards.rows if one.id == item.id)
    assert row.badges[0].text == "Removed"
    shown = [one.text() for one in outbox.item_view.findChildren(QLabel)]
    assert "Looked at on 3 May 2026: it was removed." in shown
