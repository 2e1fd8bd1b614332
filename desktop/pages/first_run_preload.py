"""First run on a computer that content came with: it is put on the shelf, and read as soon as some is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.background import Lane
from desktop.context import Context
from desktop.packs import Outcome
from desktop.pages.pack_work import PackWork
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import button, label, muted, title
from desktop.widgets.fitting import HeadLine
from desktop.words import _, isolate, language

if TYPE_CHECKING:
    from sync.packs.preloaded import Preloaded


def find_new(shelf: Shelf) -> list[Preloaded]:
    """Return the packs that came with this computer and are not on the shelf yet. Raises CacheError."""
    from sync.packs.preloaded import new

    return new(shelf.home)


def keep_in_my_language(shelf: Shelf) -> None:
    """Where nobody chose languages: that of the window and English. Raises CacheError."""
    if shelf.own.setting("languages") is None:
        shelf.own.set_setting("languages", sorted({language(), "en"}))


class PreloadStep(QWidget):
    """`began` is called where there is such content, `came` as soon as some of it can be read."""

    def __init__(self, context: Context, began: Callable[[], object], came: Callable[[], object]) -> None:
        super().__init__()
        self._context = context
        self._began = began
        self._came = came
        self._left: list[Preloaded] = []
        self._waiting = False
        self.work = PackWork(context)
        self._whose = muted("")
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(STEP)
        body.addWidget(title(_("Content came with this computer")))
        body.addWidget(
            label(_("It is put on your shelf now, and checked like all that comes. No connection is needed."))
        )
        body.addWidget(self._whose)
        body.addWidget(self.work)
        line = HeadLine()
        line.addWidget(button(_("Go on"), "quiet", "", self._go_on))
        body.addLayout(line)
        context.packs.changed.connect(self._progress)
        context.packs.ended.connect(self._ended)

    def look(self) -> None:
        """Look for such content behind the window, and take it in."""
        if not self._context.packs.busy and not self._left:
            self._context.read(
                find_new, self._found, self, key="preload", failure=lambda _error: None, lane=Lane.PACK
            )

    def _found(self, found: list[Preloaded]) -> None:
        if not found or self._context.packs.busy:
            return
        self._left, self._waiting = list(found), True
        self._began()
        self._context.write(keep_in_my_language, lambda _done: self._next(), self)

    def _next(self) -> None:
        if not self._left:
            return
        one = self._left[0]
        self._whose.setText(_("From {hub}").format(hub=isolate(one.hub)))
        self._context.packs.take_in(one.path, trusted=one.fingerprint, files=True)

    def _progress(self) -> None:
        if self._context.packs.busy and self._context.packs.moment.records:
            self._go_on()

    def _ended(self, outcome: Outcome) -> None:
        if not self._left:
            return  # somebody's stick
        self._left.pop(0)
        if self._left:
            self._next()
        elif outcome.brought is not None:
            self._go_on()

    def _go_on(self) -> None:
        if self._waiting:
            self._waiting = False
            self._came()
