"""A list with a reader at its side: beside it where there is room, in its place where there is not."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

BESIDE_FROM = 980  # pixels of the page from which list and reader stand side by side
_LIST_SHARE = 400


class TwoPane(QWidget):
    """Holds `side` (a list with its head) and `reader`; the reader is hidden until something is opened."""

    split = Signal(bool)  # the list is narrow now (the reader stands beside it)
    shut = Signal()

    def __init__(self, side: QWidget, reader: QWidget) -> None:
        super().__init__()
        self._side, self._reader = side, reader
        self._wide = False
        self.reading = False
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(side)
        self._splitter.addWidget(reader)
        self._splitter.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._splitter)
        reader.hide()

    def put_reader(self, reader: QWidget) -> None:
        """Stand `reader` in the place of the one there was (which it may hold)."""
        self._splitter.replaceWidget(self._splitter.indexOf(self._reader), reader)
        self._reader.setParent(None)
        self._reader = reader
        self._splitter.setStretchFactor(1, 1)
        reader.hide()

    def open_reader(self) -> None:
        """Show the reader."""
        if not self.reading:
            self.reading = True
            self._arrange()

    def close_reader(self) -> None:
        """Back to the list alone."""
        self.reading, self._wide = False, False
        self._arrange()
        self.shut.emit()

    def toggle_wide(self) -> None:
        """Give the reader the whole page, or give the list its side back."""
        self._wide = not self._wide
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.reading:
            self.close_reader()
            return
        super().keyPressEvent(event)

    def _arrange(self) -> None:
        beside = self.width() >= BESIDE_FROM and not self._wide
        list_shown = not self.reading or beside
        changed = self._side.isVisibleTo(self) != list_shown or self._reader.isVisibleTo(self) != self.reading
        self._side.setVisible(list_shown)
        self._reader.setVisible(self.reading)
        if changed and self.reading and beside:
            self._splitter.setSizes([_LIST_SHARE, max(1, self.width() - _LIST_SHARE)])
        self.split.emit(self.reading and beside)
