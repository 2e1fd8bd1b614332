"""Above a text: what became of it after it was published, why, and the way to what takes its place."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from desktop.context import Context
from desktop.icons import pixmap
from desktop.notice_words import sentence
from desktop.reading.loading import Loaded
from desktop.shelf import Shelf
from desktop.theme import STEP, colours, in_text
from desktop.widgets.basics import button, label
from desktop.words import _, language


class NoticeLine(QFrame):
    """Hidden for what has no notice. Showing one is seeing it: Home no longer tells of it."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._context = context
        self._newer = ""
        self._picture = QLabel()
        self.words = label("", "heading")
        self.note = label("")
        self.open = button(_("Open the newer one"), "", "", self._open)
        line = QHBoxLayout(self)
        line.setContentsMargins(3 * STEP, STEP, 2 * STEP, STEP)
        line.setSpacing(STEP)
        line.addWidget(self._picture)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self.words)
        column.addWidget(self.note)
        line.addLayout(column, 1)
        line.addWidget(self.open)
        self.hide()

    def show_notice(self, loaded: Loaded) -> None:
        """Show what became of `loaded`."""
        notice = loaded.notice
        self._newer = notice.by if notice is not None and loaded.newer else ""
        self.setVisible(notice is not None or loaded.gone)
        self.open.setVisible(bool(self._newer))
        if loaded.gone:
            self.words.setText(_("The hub no longer has this."))
            self.note.setText(_("What you saved and wrote stays: title, authors, year, and your notes."))
            mark = "gone"
        elif notice is not None:
            said, __ = notice.words([language(), *loaded.variants])
            self.words.setText(sentence(notice, loaded.newer))
            if not said and notice.kind == "withdrawn":
                said = _("Its text and files are no longer offered; your notes stay.")
            self.note.setText(said)
            mark = notice.mark
        else:
            return
        self.note.setVisible(bool(self.note.text()))
        grave = loaded.gone or (notice is not None and notice.kind != "corrected")
        self.setProperty("weight", "care" if grave else "quiet")
        self.style().polish(self)
        self._picture.setPixmap(pixmap("attention", colours().warn if grave else colours().muted, in_text(20)))
        self._see(loaded, mark)

    def _see(self, loaded: Loaded, mark: str) -> None:
        record = loaded.record

        def see(shelf: Shelf) -> None:
            memory = shelf.own.memory
            known = memory.of(loaded.id)
            if loaded.id not in memory.kept() or (known is not None and known.seen == mark):
                return
            if not loaded.gone:
                memory.keep([record])
            memory.see(loaded.id, mark)

        self._context.write(see, lambda _done: None, self)

    def _open(self) -> None:
        if self._newer:
            self._context.navigator.open_record("resource", self._newer)
