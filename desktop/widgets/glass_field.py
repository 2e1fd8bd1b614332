"""A field with a magnifying glass where one looks for something."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.icons import pixmap
from desktop.theme import colours, in_text

_SIDE = 16
_EDGE = 10


class GlassField(QLineEdit):
    """The glass is painted, as large as the words: Qt's own icon in a field stays as it is when text grows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make_room()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.LayoutDirectionChange):
            self._make_room()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        side = in_text(_SIDE)
        left = self.width() - side - _EDGE if self._mirrored else _EDGE
        painter.drawPixmap(left, (self.height() - side) // 2, pixmap("search", colours().muted, side))

    @property
    def _mirrored(self) -> bool:
        return self.layoutDirection() == Qt.LayoutDirection.RightToLeft

    def _make_room(self) -> None:
        room = in_text(_SIDE) + _EDGE
        self.setTextMargins(0 if self._mirrored else room, 0, room if self._mirrored else 0, 0)
