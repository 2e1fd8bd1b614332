"""“Already answered?”: what the shelf holds about a question while it is being written, and why it is shown."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.amounts import number
from desktop.card_rows import hit_row
from desktop.context import Context
from desktop.shelf import Shelf
from desktop.state_words import record_kind
from desktop.theme import STEP
from desktop.widgets.basics import button, heading, muted
from desktop.widgets.cards import CardList, CardRow
from desktop.words import _, isolate

if TYPE_CHECKING:
    from resources_cache.cards import Hit

_FOUND = re.compile("\x02(.+?)\x03", re.DOTALL)
_NAMED = 3
WIDTH = 296


class AlreadyAnswered(QWidget):
    """The column beside the form; below it, one line that unfolds. `opened`: a row to read; `answers_me`: the
    chosen row makes asking needless."""

    opened = Signal(object)
    answers_me = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._words = ""
        self._closing = True
        self._below = False
        self.setObjectName("page")
        self.hits = CardList(_("Already answered?"), compact=True)
        self.hits.opened.connect(self.opened)
        self.note = muted(_("While you type, what your shelf already holds about it appears here."))
        self.enough = button(_("This answers me"), "", "check", self._enough)
        self.enough.setToolTip(_("Choose what answers you; your question is then put away, and you can undo it."))
        self.enough.hide()
        self.heading = heading(_("Already answered?"))
        self.unfold = button(_("Already answered?"), "quiet", "up")
        self.unfold.setCheckable(True)
        self.unfold.toggled.connect(lambda _on: self._offer())
        self.unfold.hide()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(250)
        self._timer.timeout.connect(self.search)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 3 * STEP, STEP, STEP)
        column.addWidget(self.unfold)
        head = QVBoxLayout()
        head.setContentsMargins(2 * STEP, 0, 2 * STEP, 0)
        head.addWidget(self.heading)
        head.addWidget(self.note)
        column.addLayout(head)
        column.addWidget(self.hits, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(2 * STEP, 0, STEP, 0)
        foot.addWidget(self.enough)
        column.addLayout(foot)
        self.setFixedWidth(WIDTH)
        self.hits.selectionModel().currentChanged.connect(lambda *_moved: self._offer())

    def set_below(self, below: bool) -> None:
        """Whether it stands below the form, and so must leave the form its room."""
        self._below = below
        column = self.layout()
        assert column is not None
        column.setContentsMargins(0, STEP if below else 3 * STEP, STEP, STEP)
        self._offer()

    @property
    def folded(self) -> bool:
        """Whether nothing but its line is in sight."""
        return self._below and not self.unfold.isChecked()

    def set_closing(self, closing: bool) -> None:
        """Whether an answer found here puts the question away; not one that waits in the outbox already."""
        self._closing = closing
        self._offer()

    def ask(self, words: str) -> None:
        """Look for these words, a moment after the last of them was typed."""
        self._words = words.strip()
        self._timer.start()

    def search(self) -> None:
        """Look now."""
        self._timer.stop()
        words = self._words
        if len(words) < 3:
            self._show([])
            return

        def read(shelf: Shelf) -> list[CardRow]:
            return [_row(hit) for hit in shelf.library.search(words, limit=12).results]

        self._context.read(read, self._show, self, key="hits")

    def _show(self, rows: list[CardRow]) -> None:
        self.hits.set_rows(rows)
        if rows:
            self.note.setText(_("Your shelf holds this, for the words that are marked."))
        elif len(self._words) >= 3:
            self.note.setText(_("Nothing on your shelf speaks of this yet: a good question to ask."))
        else:
            self.note.setText(_("While you type, what your shelf already holds about it appears here."))
        self._offer()

    def _offer(self) -> None:
        count = self.hits.cards.rowCount()
        words = _("Already answered?")
        self.unfold.setText(f"{words} · {number(count)}" if count else words)
        self.unfold.setAccessibleName(self.unfold.text())
        self.unfold.setVisible(self._below)
        self.heading.setVisible(not self._below)
        self.note.setVisible(not self.folded)
        self.hits.setVisible(not self.folded)
        self.enough.setVisible(self._closing and count > 0 and not self.folded)
        self.enough.setEnabled(self.hits.current_row() is not None)

    def _enough(self) -> None:
        if (row := self.hits.current_row()) is not None:
            self.answers_me.emit(row)


def _row(hit: Hit) -> CardRow:
    """A result with why it is here: what it is, and which of the words it has."""
    words = list(dict.fromkeys(match.lower() for match in _FOUND.findall(f"{hit.title} {hit.snippet}")))[:_NAMED]
    if hit.by:
        why = _("also named {name}").format(name=isolate(hit.by))
    elif words:
        why = _("speaks of: {words}").format(words=", ".join(isolate(word) for word in words))
    else:
        why = ""
    meta = " · ".join(part for part in (record_kind(hit.kind), why) if part)
    return replace(hit_row(hit, compact=True), meta=meta)
