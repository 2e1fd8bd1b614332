"""A reply to a discussion or an answer: written offline, saved as it is typed, sent through the outbox.

Files go with a reply to one's own request; a discussion takes none.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from desktop.context import Context
from desktop.drafts import DraftSaver
from desktop.reading.loading import Loaded
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.attachment_field import AttachmentField
from desktop.widgets.basics import button, hairline, muted
from desktop.words import _


class ReplyBox(QWidget):
    """Hidden until it has a target; `queued` after a reply went to the outbox."""

    queued = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._target = ""
        self._title = ""
        self.field = QPlainTextEdit()
        self.field.setPlaceholderText(_("Write a reply. It is saved as you type."))
        self.field.setAccessibleName(_("Your reply"))
        self.field.setTabChangesFocus(True)
        self.field.installEventFilter(self)
        self.attachments = AttachmentField(context, words=False)
        self.attachments.offer_drops_on(self.field)
        self._send = button(_("Send"), "primary", "send", self._queue)
        self._send.setEnabled(False)
        self._draft = DraftSaver(context, "", self._content, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(hairline())
        inner = QVBoxLayout()
        inner.setContentsMargins(3 * STEP, STEP + 4, 3 * STEP, STEP + 4)
        inner.setSpacing(STEP)
        line = QHBoxLayout()
        line.addWidget(self.field, 1)
        line.addWidget(self._send, 0, Qt.AlignmentFlag.AlignBottom)
        inner.addLayout(line)
        foot = QHBoxLayout()
        foot.addWidget(self.attachments, 1)
        foot.addWidget(muted(_("It leaves with the next connection.")), 1, Qt.AlignmentFlag.AlignBottom)
        inner.addLayout(foot)
        column.addLayout(inner)
        self._grow()
        self.field.textChanged.connect(self._typed)
        self.attachments.changed.connect(self._typed)
        context.notices.outbox_changed.connect(self._look_again)
        self.hide()

    def show_target(self, loaded: Loaded | None) -> None:
        """Reply to this record from now on (to nothing: hide)."""
        if loaded is None:
            self._draft.flush()
            self._target = ""
            self.hide()
            return
        if loaded.id == self._target:
            return
        self._draft.flush()
        self._target, self._title = loaded.id, loaded.title
        self.attachments.setVisible(loaded.kind == "request")
        self._draft.key = f"reply:{loaded.id}"
        self._fill({})
        self._draft.restore(self._fill)
        self.show()

    def suggest(self, words: str) -> None:
        """Offer words to send, where nothing is written yet; what was typed is never overwritten."""
        if not self.field.toPlainText().strip():
            self.field.setPlainText(words)
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._grow()
        return False

    def _grow(self) -> None:
        """One line while nobody writes, so that the text above has the room; four while somebody does."""
        lines = 4 if self.field.hasFocus() or self.field.toPlainText() else 1
        self.field.setFixedHeight(QFontMetrics(self.field.font()).lineSpacing() * lines + 2 * STEP + 6)

    def _fill(self, content: dict[str, Any]) -> None:
        if content and (self.field.toPlainText() or self.attachments.files):
            return  # the person was faster than the disk
        self.attachments.set_files(content.get("attachments"))
        self.field.blockSignals(True)
        self.field.setPlainText(str(content.get("body") or ""))
        self.field.blockSignals(False)
        self._send.setEnabled(bool(self.field.toPlainText().strip()))
        self._grow()

    def _look_again(self) -> None:
        """A reply that was taken back lies in the draft, below what stands here."""
        if self._target:
            self._draft.flush()
            self._draft.restore(self._catch_up)

    def _catch_up(self, content: dict[str, Any]) -> None:
        typed, kept = self.field.toPlainText(), str(content.get("body") or "")
        if kept != typed and kept.startswith(typed):
            self.attachments.set_files(content.get("attachments"))
            self.field.setPlainText(kept)

    def _content(self) -> dict[str, Any]:
        body, files = self.field.toPlainText(), self.attachments.files
        return {"body": body, "title": self._title if body or files else "", "attachments": files}

    def _typed(self) -> None:
        self._send.setEnabled(bool(self.field.toPlainText().strip()))
        self._draft.touched()

    def _queue(self) -> None:
        target, title, body = self._target, self._title, self.field.toPlainText().strip()
        if not body:
            return
        if self.attachments.busy:
            self._context.notices.said.emit(_("The files are still being copied: a moment."))
            return
        content: dict[str, Any] = {"target": target, "body": body, "title": title}
        if files := self.attachments.files:
            content["attachments"] = files
        self._send.setEnabled(False)
        self._draft.flush()
        key = self._draft.key

        def add(shelf: Shelf) -> None:
            shelf.own.outbox.add("reply", title, content)
            shelf.own.drop_draft(key)

        def added(_done: None) -> None:
            if self._target == target:
                self._draft.forget()
                self._fill({})
            self._context.notices.said.emit(_("Your reply is in the outbox."))
            self._context.notices.outbox_changed.emit()
            self._context.sync.nudge("outbox")
            self.queued.emit()

        self._context.write(add, added, self)
