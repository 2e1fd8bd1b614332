"""The part of the Sync page about sticks: those that are in now, taking in, putting on, and a code on paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.context import Context
from desktop.pages.pack_steps import PackSteps
from desktop.pages.pack_work import PackWork
from desktop.shelf import Shelf
from desktop.sticks import Stick
from desktop.theme import STEP
from desktop.widgets.basics import FlowLayout, button, clear, heading, label, muted
from desktop.words import _, isolate

_SHOWN = 4
"""Sticks that stand on the page; all of them are in the sheet."""


@dataclass(frozen=True)
class CodeStanding:
    """Whether a code may be given by hand (this shelf knows a hub, and no link to it), and whether one waits."""

    possible: bool = False
    waits: bool = False


def read_code(shelf: Shelf) -> CodeStanding:
    """How it stands with becoming a member by hand. Raises SecretsUnusable, CacheError."""
    own = shelf.own
    if own.setting("hub_url") or not own.setting("root"):
        return CodeStanding()
    if not own.setting("guest", False):
        return CodeStanding()
    pending = shelf.home.secrets().pending()
    return CodeStanding(True, pending is not None and bool(pending.code))


class ByStick(QWidget):
    """Sticks with a pack are offered by name; `look_round` looks again which are in."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.found: list[Stick] | None = None
        self.steps = PackSteps(context, self, self._say)
        self.take = button(_("Take in a pack…"), "", "stick", self.steps.take_in)
        self.put = button(_("Put a pack on a stick…"), "", "outbox", self.steps.put)
        self.code = button(_("I have a code"), "quiet", "", lambda: self.steps.join(self.look_round))
        self.code.hide()
        self._offers = FlowLayout()
        self._note = label("", "notice")
        self._note.hide()
        self._code_note = muted(_("Your code goes with the next pack that you put on a stick."))
        self._code_note.hide()
        self.work = PackWork(context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP)
        column.addWidget(heading(_("By USB stick")))
        column.addWidget(
            muted(_("Where no link comes, a stick brings the library, and takes your messages to the hub."))
        )
        column.addLayout(self._offers)
        line = FlowLayout()
        for made in (self.take, self.put, self.code):
            line.addWidget(made)
        column.addLayout(line)
        for part in (self._code_note, self._note, self.work):
            column.addWidget(part)
        context.packs.changed.connect(self._show_busy)
        context.packs.ended.connect(lambda _outcome: self.look_round())
        self._show_busy()

    def look_round(self) -> None:
        """Look which sticks are in, and how it stands with a code; sticks not while a pack is at work, after which
        it is looked again."""
        if self.isVisible():
            if not self._context.packs.busy:
                self.steps.find(self._show_sticks)
            self._context.read(read_code, self._show_code, self, key="code", failure=lambda _error: None)

    def _show_sticks(self, found: list[Stick]) -> None:
        packs = [stick for stick in found if stick.has_pack][:_SHOWN]
        if self.found == packs:
            return
        self.found = packs
        clear(self._offers)
        for stick in packs:
            words = _("Take in what is on “{name}”").format(name=isolate(stick.name))
            made = button(words, "primary", "stick", self._look_at(stick))
            made.setEnabled(not self._context.packs.busy)
            self._offers.addWidget(made)

    def _look_at(self, stick: Stick) -> Callable[[], None]:
        return lambda: self.steps.look_at(stick.path)

    def _show_code(self, standing: CodeStanding) -> None:
        self.code.setVisible(standing.possible and not standing.waits)
        self._code_note.setVisible(standing.possible and standing.waits)

    def _show_busy(self) -> None:
        busy = self._context.packs.busy
        offers = [self._offers.itemAt(i) for i in range(self._offers.count())]
        for made in (self.take, self.put, *(item.widget() for item in offers)):  # type: ignore[attr-defined]
            made.setEnabled(not busy)
        if busy:
            self._say("")

    def _say(self, words: str) -> None:
        self._note.setText(words)
        self._note.setVisible(bool(words))
