"""Reporting a message of a discussion, or a problem with a resource, to the hub's moderators."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QPlainTextEdit, QTextBrowser, QWidget

from desktop.context import Context
from desktop.report_words import REASONS
from desktop.shelf import Shelf
from desktop.widgets.basics import Choice, button, heading, label, muted
from desktop.widgets.dialog import Dialog
from desktop.words import _

if TYPE_CHECKING:
    from desktop.reading.loading import Loaded

_WIDE = 520  # pixels
_SHOWN = 60  # characters of a message by which one knows it again


class ReportDialog(Dialog):
    """Which message (of a discussion), why, and words where one wants to add some."""

    def __init__(
        self, context: Context, parent: QWidget, loaded: Loaded, message: str, queued: Callable[[], None]
    ) -> None:
        """`message`: the id of the one that is chosen at first, or ""."""
        thread = loaded.kind == "thread"
        words = _("Report a message") if thread else _("Report a problem with this")
        super().__init__(parent, words, _WIDE)
        self._context, self._loaded, self._queued = context, loaded, queued
        self.target = Choice(
            _("Message"),
            [("", _("Choose the message")), *_messages(loaded)] if thread else [(loaded.id, loaded.title)],
        )
        self.target.setVisible(thread)
        self.target.setMinimumContentsLength(_SHOWN // 2)
        self.target.choose(message)
        self.reason = Choice(_("Why"), [(value, _(words)) for value, words in REASONS.items()])
        self.words = QPlainTextEdit()
        self.words.setAccessibleName(_("In your words, if you like"))
        self.words.setPlaceholderText(_("In your words, if you like"))
        self.words.setTabChangesFocus(True)
        self.words.setMinimumHeight(96)
        self.problem = label("", "notice")
        self.problem.hide()
        self.body.addWidget(heading(words))
        self.body.addWidget(
            muted(_("The moderators of your hub look at it. Nobody else sees that it was you who reported it."))
        )
        for part in (self.target, self.reason, self.words, self.problem):
            self.body.addWidget(part)
        self.foot.addWidget(button(_("Cancel"), "", "", self.reject))
        self.send = button(_("Send the report"), "primary", "send", self._queue)
        self.foot.addWidget(self.send)
        self.target.currentIndexChanged.connect(lambda _i: self.send.setEnabled(bool(self.target.value())))
        self.send.setEnabled(bool(self.target.value()))

    def _queue(self) -> None:
        from desktop.error_words import KnownError, words_for

        title = self._loaded.title
        body = {
            "target": self.target.value(),
            "reason": self.reason.value(),
            "body": self.words.toPlainText().strip(),
        }

        def queued(_done: None) -> None:
            self._context.notices.said.emit(_("Your report is in the outbox."))
            self._context.notices.outbox_changed.emit()
            self._context.sync.nudge("outbox")
            self._queued()
            self.accept()

        def failed(error: KnownError) -> None:
            self.send.setEnabled(True)
            self.problem.setText(words_for(error).sentence)
            self.problem.show()
            self.fit()

        self.send.setEnabled(False)
        self._context.write(lambda shelf: report(shelf, title, body), queued, self, failed)


def report(shelf: Shelf, title: str, said: dict[str, Any]) -> None:
    """Queue a report; one of the same thing that still waits for a connection is changed. Raises NotAQuestion,
    CacheError."""
    from resources_cache.errors import NotEditable
    from sync.questions import checked_report

    body = checked_report(said)
    for item in shelf.own.outbox.items(["waiting"]):
        if item.kind == "report" and item.body.get("target") == body["target"]:
            try:
                shelf.own.outbox.edit(item.id, title, body)
            except NotEditable:
                break  # a sync took it a moment ago
            return
    shelf.own.outbox.add("report", title, body)


def message_at(text: QTextBrowser, where: QPoint, loaded: Loaded) -> str:
    """The id of the message that stands at a place of the screen, "" where none does."""
    block = text.cursorForPosition(text.viewport().mapFromGlobal(where)).block()
    messages = loaded.record.get("messages") or []
    while block.isValid():
        walk = block.begin()
        while not walk.atEnd():
            for name in walk.fragment().charFormat().anchorNames():
                number = name.removeprefix("message-")
                if name.startswith("message-") and number.isdecimal() and 0 < int(number) <= len(messages):
                    return str(messages[int(number) - 1].get("id") or "")
            walk += 1
        block = block.previous()
    return ""


def _messages(loaded: Loaded) -> list[tuple[str, str]]:
    found = []
    for number, message in enumerate(loaded.record.get("messages") or [], 1):
        words = " ".join(str(message.get("body") or "").split())
        words = words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1]}…"
        found.append((str(message.get("id") or ""), f"[{number}] {message.get('author') or ''}: {words}"))
    return found
