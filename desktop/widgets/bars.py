"""A few bars that say at a glance what a sentence beside them says in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.theme import colours, in_text
from desktop.widgets.basics import sized_font

_WIDEST = 44  # of a bar, in pixels at the usual size of text
_ROOM = 56  # what the highest bar may take
_GAP = 4


@dataclass(frozen=True)
class Bar:
    """One bar: its value, what stands above it (the value in words) and under it."""

    value: int
    above: str
    under: str


class Bars(QWidget):
    """Bars of equal width from where reading begins, the last one in the accent colour; `limit` is a line across.

    `name` and `sentence` are what a screen reader says of it, with each bar in words.
    """

    def __init__(self, name: str, sentence: str, bars: Sequence[Bar], limit: int = 0) -> None:
        super().__init__()
        self.bars, self.limit = tuple(bars), limit
        self.setAccessibleName(name)
        self.setAccessibleDescription(" ".join([sentence, *(f"{bar.under}: {bar.above}." for bar in self.bars)]))
        self._small = sized_font(0.85)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        line = QFontMetrics(self._small).height()
        return QSize(len(self.bars) * self._slot(), in_text(_ROOM) + 2 * (line + _GAP))

    def minimumSizeHint(self) -> QSize:
        return QSize(len(self.bars) * self._slot(), self.sizeHint().height())

    def _slot(self) -> int:
        metrics = QFontMetrics(self._small)
        words = [text for bar in self.bars for text in (bar.above, bar.under)]
        return max([in_text(_WIDEST), *(metrics.horizontalAdvance(text) for text in words)]) + 2 * _GAP

    def places(self) -> list[QRect]:
        """Where each bar stands, in the order of `bars`; what has a value is seen, however small it is."""
        metrics = QFontMetrics(self._small)
        slot, room = self._slot(), in_text(_ROOM)
        foot = metrics.height() + _GAP + room
        highest = max([self.limit, 1, *(bar.value for bar in self.bars)])
        wide = min(in_text(_WIDEST), slot - 2 * _GAP)
        found = []
        for at, bar in enumerate(self.bars):
            high = max(2, round(room * bar.value / highest)) if bar.value else 0
            left = at * slot + (slot - wide) // 2
            if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
                left = self.width() - left - wide
            found.append(QRect(left, foot - high, wide, high))
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._small)
        scheme, metrics = colours(), QFontMetrics(self._small)
        line, slot, room = metrics.height(), self._slot(), in_text(_ROOM)
        foot = line + _GAP + room
        places = self.places()
        right_to_left = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        used = len(self.bars) * slot
        begin, end = (self.width() - used, self.width()) if right_to_left else (0, used)
        painter.setPen(QPen(QColor(scheme.hairline), 1))
        painter.drawLine(begin, foot, end, foot)
        if self.limit:
            highest = max([self.limit, *(bar.value for bar in self.bars)])
            height = foot - round(room * self.limit / highest)
            painter.setPen(QPen(QColor(scheme.warn), 1, Qt.PenStyle.DashLine))
            painter.drawLine(begin, height, end, height)
        for at, (bar, place) in enumerate(zip(self.bars, places, strict=True)):
            painter.fillRect(place, QColor(scheme.accent if at == len(self.bars) - 1 else scheme.edge))
            around = QRect(place.center().x() - slot // 2, foot + _GAP, slot, line)
            painter.setPen(QColor(scheme.muted))
            painter.drawText(around, Qt.AlignmentFlag.AlignCenter, bar.under)
            if bar.value:
                around.moveTop(place.top() - line - 1)
                wide = metrics.horizontalAdvance(bar.above) + _GAP
                ground = QRect(around.center().x() - wide // 2, around.top(), wide, line)
                painter.fillRect(ground, QColor(scheme.paper))  # the line of the limit does not cross a number
                painter.setPen(QColor(scheme.ink))
                painter.drawText(around, Qt.AlignmentFlag.AlignCenter, bar.above)
        painter.end()
