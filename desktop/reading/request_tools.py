"""Below a request of one's own: its files, what one says of the answer, and what else one can do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop import attachments
from desktop.amounts import size
from desktop.attachments import Attached
from desktop.context import Context
from desktop.drafts import DraftSaver
from desktop.error_words import KnownError
from desktop.link_speed import ASSUMED_SPEED
from desktop.reading import request_page
from desktop.reading.file_line import LOOK, READ
from desktop.reading.file_views import SHOWN
from desktop.reading.loading import FileEntry, Loaded
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import Tick, button, clear, hairline, label, muted
from desktop.words import N_, _, isolate

_CHOICES = (("yes", N_("Yes")), ("partly", N_("Partly")), ("no", N_("No")))
_NO_LONGER = N_("I no longer need an answer to this. Please close it.")


class RequestTools(QWidget):
    """Hidden until it has a request; `queued` after something went to the outbox.

    `show_file`: the FileEntry of a file to read here, and its path, `show_text`: back from it; `suggested`: words
    for a reply.
    """

    queued = Signal()
    show_file = Signal(object, object)
    show_text = Signal()
    suggested = Signal(str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._loaded: Loaded | None = None
        self._rate = ASSUMED_SPEED
        self._reading = ""
        self._files = QVBoxLayout()
        self._files.setSpacing(0)
        self.verdict = VerdictBox(context)
        self.verdict.queued.connect(self.queued)
        self.no_longer = button(
            _("I no longer need this"), "quiet", "", lambda: self.suggested.emit(_(_NO_LONGER))
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(hairline())
        inner = QVBoxLayout()
        inner.setContentsMargins(3 * STEP, STEP, 3 * STEP, STEP)
        inner.setSpacing(STEP // 2)
        inner.addLayout(self._files)
        inner.addWidget(self.verdict)
        inner.addWidget(self.no_longer, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(inner)
        self.hide()

    def show_request(self, loaded: Loaded | None) -> None:
        """Show what belongs to this record; hide for anything but a request."""
        if loaded is None or loaded.kind != "request":
            self._loaded = None
            self.hide()
            return
        again = self._loaded is not None and self._loaded.id == loaded.id
        self._reading = self._reading if again else ""
        self._loaded = loaded
        self._rate = loaded.matters.rate
        clear(self._files)
        for one in loaded.matters.files:
            self._files.addLayout(self._row(one))
        self.verdict.show_request(loaded, again=again)
        answered = request_page.is_answered(loaded.record)
        self.no_longer.setVisible(not answered and not request_page.is_over(loaded.record))
        self.setVisible(bool(loaded.matters.files) or answered or not self.no_longer.isHidden())

    def _row(self, one: Attached) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(STEP)
        parts = [isolate(one.name), isolate(size(one.size)), isolate(attachments.state_words(one))]
        line.addWidget(label(" · ".join(part for part in parts if part), "warn" if one.why else "muted"), 1)
        if one.state == "attention":
            line.addWidget(button(_("Try again"), "quiet", "send", lambda: self._try_again(one)))
        if not one.here and not one.state:
            words = _("Download ({size})").format(size=attachments.cost_words(one.size, self._rate))
            got = button(words, "", "download")
            got.clicked.connect(lambda _on=False: self._download(one, got))
            line.addWidget(got)
        elif one.here:
            if one.hash == self._reading:
                line.addWidget(button(_("Show the text"), "quiet", "text", self.show_text.emit))
            elif one.media_type in SHOWN:
                words = _(READ.get(one.media_type, LOOK))
                line.addWidget(button(words, "quiet", "file", lambda: self._open(one)))
            else:
                line.addWidget(button(_("Save a copy"), "quiet", "download", lambda: self._copy(one)))
        return line

    def _download(self, one: Attached, pressed: QPushButton) -> None:
        pressed.setEnabled(False)

        def fetch(shelf: Shelf) -> Path:
            from sync.files import fetch_file

            return fetch_file(shelf.home, one.hash, one.size, private=True)

        def failed(error: KnownError) -> None:
            self.queued.emit()  # the row is drawn again, with its button
            self._context.notices.problem.emit(error)

        self._context.fetch(fetch, lambda _path: self.queued.emit(), self, failed)

    def _open(self, one: Attached) -> None:
        def path(shelf: Shelf) -> Path:
            return attachments.path_of(shelf, one.hash)

        def found(where: Path) -> None:
            self._reading = one.hash
            entry = FileEntry(one.hash, one.name, one.media_type, one.size, True)
            self.show_file.emit(entry, where)
            self.show_request(self._loaded)

        self._context.read(path, found, self, key="path")

    def showing_text(self) -> None:
        """The reader shows the text again, not a file."""
        if self._reading:
            self._reading = ""
            self.show_request(self._loaded)

    def _copy(self, one: Attached) -> None:
        from shutil import copyfile

        from PySide6.QtWidgets import QFileDialog

        chosen, _kind = QFileDialog.getSaveFileName(self, _("Save a copy"), one.name)
        if chosen:
            words = _("Saved a copy of {name}.").format(name=one.name)
            self._context.write(
                lambda shelf: copyfile(attachments.path_of(shelf, one.hash), chosen),
                lambda _done: self._context.notices.said.emit(words),
                self,
            )

    def _try_again(self, one: Attached) -> None:
        def done(_done: None) -> None:
            self._context.notices.said.emit(_("It leaves with the next connection."))
            self._context.sync.nudge("outbox")
            self.queued.emit()

        self._context.write(lambda shelf: attachments.try_again(shelf, one.hash), done, self)


class VerdictBox(QWidget):
    """“Did this answer help?”: three buttons, words, and whether the community may read it."""

    queued = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._target = self._title = ""
        self._chosen = ""
        self._question = label("", "heading")
        self.choices = {value: button(_(words)) for value, words in _CHOICES}
        for value, made in self.choices.items():
            made.setCheckable(True)
            made.clicked.connect(lambda _on=False, value=value: self._choose(value))
            made.setAccessibleDescription(_("Did this answer help you?"))
        self.words = QLineEdit()
        self.words.setAccessibleName(_("What helped, what was missing?"))
        self.words.setPlaceholderText(_("What helped, what was missing?"))
        self.publish = Tick(_("The community may read it"))
        self._promise = muted(
            _("Then others learn from question and answer; else both stay with the team. You can change this.")
        )
        self.send_button = button(_("Send"), "primary", "send", self._queue)
        self._draft = DraftSaver(context, "", self._content, self)
        self.words.textEdited.connect(lambda _text: self._draft.touched())
        self.publish.clicked.connect(lambda _on: self._draft.touched())
        line = QHBoxLayout()
        line.setSpacing(STEP)
        line.addWidget(self._question, 1)
        for made in self.choices.values():
            line.addWidget(made)
        self.more = QWidget()
        more = QVBoxLayout(self.more)
        more.setContentsMargins(0, 0, 0, 0)
        more.setSpacing(STEP // 2)
        more.addWidget(self.words)
        last = QHBoxLayout()
        last.addWidget(self.publish, 1)
        last.addWidget(self.send_button)
        more.addLayout(last)
        more.addWidget(self._promise)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP // 2)
        column.addLayout(line)
        column.addWidget(self.more)
        self.more.hide()

    def show_request(self, loaded: Loaded, *, again: bool) -> None:
        """Ask about this request's answer; hide where it has none. What is half chosen stays with `again`."""
        record = loaded.record
        self.setVisible(request_page.is_answered(record))
        if loaded.id != self._target:
            self._draft.flush()
            self._draft.key = f"rate:{loaded.id}"
            self._target, self._title = loaded.id, loaded.title
        said = loaded.matters.verdict or record
        told = str(said.get("satisfied") or "")
        self._question.setText(
            _("You said whether it helped. Change it?") if told else _("Did this answer help you?")
        )
        private = bool(record.get("confidential"))
        self.publish.setVisible(not private)
        self._promise.setVisible(not private)
        if again and not self.more.isHidden():
            return
        self.more.hide()
        self._mark(told)
        self.publish.setChecked(bool(said.get("publish")) and not private)
        self.words.setText(str(loaded.matters.verdict.get("body") or ""))
        self._draft.restore(self._fill_draft)

    def _content(self) -> dict[str, Any]:
        if self.more.isHidden():
            return {}
        # As every draft it has a title where there is something in it.
        return {"title": self._chosen, "body": self.words.text(), "publish": self.publish.isChecked()}

    def _fill_draft(self, content: dict[str, Any]) -> None:
        if self.more.isHidden():
            self._mark(str(content.get("title") or ""))
            self.words.setText(str(content.get("body") or ""))
            self.publish.setChecked(bool(content.get("publish")))
            self.more.show()

    def _mark(self, value: str) -> None:
        self._chosen = value
        for name, made in self.choices.items():
            made.setChecked(name == value)

    def _choose(self, value: str) -> None:
        self._mark(value)
        self.more.show()
        self._draft.touched()
        self.words.setFocus()

    def _queue(self) -> None:
        said = {
            "target": self._target,
            "satisfied": self._chosen,
            "body": self.words.text(),
            "publish": self.publish.isChecked() and not self.publish.isHidden(),
        }
        title, key = self._title, self._draft.key
        self.send_button.setEnabled(False)
        self._draft.flush()

        def queue(shelf: Shelf) -> None:
            say(shelf, title, said)
            shelf.own.drop_draft(key)

        def done(_done: None) -> None:
            self.send_button.setEnabled(True)
            self._draft.forget()
            self.more.hide()
            self._context.notices.said.emit(_("Thank you. It leaves with the next connection."))
            self._context.notices.outbox_changed.emit()
            self._context.sync.nudge("outbox")
            self.queued.emit()

        self._context.write(queue, done, self, self._failed)

    def _failed(self, error: KnownError) -> None:
        self.send_button.setEnabled(True)
        self._context.notices.problem.emit(error)


def say(shelf: Shelf, title: str, said: dict[str, Any]) -> None:
    """Queue what is said of an answer; what still waits for a connection is changed rather than sent twice.

    Raises NotAQuestion, CacheError.
    """
    from resources_cache.errors import NotEditable
    from sync.questions import checked_rating

    body = checked_rating(said)
    outbox = shelf.own.outbox
    for item in outbox.items(["waiting"]):
        if item.kind == "rate" and item.body.get("target") == body["target"]:
            try:
                outbox.edit(item.id, title, body)
            except NotEditable:
                break  # a sync took it a moment ago
            return
    outbox.add("rate", title, body)
    for item in outbox.items(["attention"]):
        if item.kind == "rate" and item.body.get("target") == body["target"]:
            outbox.withdraw(item.id, instead=True)  # the new one takes the place of what the hub refused
