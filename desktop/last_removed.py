"""Ctrl+Z in the window: the last thing that was removed since it was opened is there again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from desktop.context import Context
from desktop.shelf import Shelf
from desktop.words import _

if TYPE_CHECKING:
    from resources_cache.bringing_back import BroughtBack


@runtime_checkable
class TakesBack(Protocol):
    """A part of the window that brings back what was removed in it, while the keys are there."""

    def take_back(self) -> bool:
        """Bring it back; returns whether there was anything."""


class LastRemoved(QObject):
    """`offered`: brings back what the line at the foot offers, and says whether it offered anything. `changed`:
    what is shown is read again."""

    def __init__(
        self, context: Context, offered: Callable[[], bool], changed: Callable[[], object], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._context, self._offered, self._changed = context, offered, changed
        self._since: int | None = None
        context.read(lambda shelf: shelf.own.removed.newest(), self._began, self, key="removed")

    def _began(self, newest: int) -> None:
        self._since = newest

    def bring_back(self) -> None:
        """Where the keys are first, then what the line at the foot offers, then what own.db has."""
        part = QApplication.focusWidget()
        while part is not None:
            if isinstance(part, TakesBack) and part.take_back():
                return
            part = part.parentWidget()
        if self._offered() or self._since is None:
            return
        since = self._since

        def last(shelf: Shelf) -> BroughtBack | None:
            one = shelf.own.removed.last_after(since)
            return shelf.own.bring_back(one.id) if one is not None else None

        self._context.write(last, self._told, self)

    def _told(self, back: BroughtBack | None) -> None:
        notices = self._context.notices
        if back is None:
            notices.said.emit(_("Nothing was removed since Hubshelf was opened."))
            return
        from desktop.pages.removed_bar import back_words

        notices.said.emit(back_words(back))
        notices.outbox_changed.emit()
        self._changed()
