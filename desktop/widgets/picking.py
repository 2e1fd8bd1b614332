"""Choosing many rows of a list: Ctrl and Shift with the mouse, Space, Shift+arrows and Ctrl+A on the keyboard.

What is chosen is kept by id and not by row, so it survives paging, filters, sorting and a sync. The row that is
open is another matter: a list has one of those.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

MOST = 10_000
"""Rows that can be chosen at once."""


class Picked(QObject):
    """The ids of the chosen rows, in the order in which they were chosen."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ids: dict[str, None] = {}
        self.full = False
        """More was to be chosen than can be."""

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, record: object) -> bool:
        return record in self._ids

    def ids(self) -> list[str]:
        """What is chosen."""
        return list(self._ids)

    def toggle(self, record: str) -> None:
        """Choose a row, or no longer."""
        if record in self._ids:
            del self._ids[record]
            self.full = False
            self.changed.emit()
        else:
            self.add([record])

    def add(self, records: Iterable[str]) -> None:
        """Choose these as well, as far as there is room."""
        for record in records:
            if record and record not in self._ids:
                self.full = len(self._ids) >= MOST
                if self.full:
                    break
                self._ids[record] = None
        self.changed.emit()

    def clear(self) -> None:
        """Choose none."""
        if self._ids:
            self._ids.clear()
            self.full = False
            self.changed.emit()
