"""A welcome in five steps: what the parts of the window are for, pointed at one by one. It can be left at each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.theme import STEP, colours, in_text
from desktop.widgets.basics import button, heading, label, muted
from desktop.words import _

_WIDEST = 380
"""Of the card, in pixels at the usual size of text."""

_NARROWEST = 180
"""Below which it lies over the part rather than beside it."""


@dataclass(frozen=True)
class Stop:
    """One step: the part of the window that is pointed at, its name, and what it is for."""

    part: Callable[[], QWidget]
    name: str
    words: str


class Tour(QWidget):
    """Lies over `over` while it is open: a veil with a gap where the part is, and a card with the words.

    Enter and the arrow to where reading goes lead on, the other arrow back, Esc leaves; Tab goes round the
    buttons. The focus goes back to where it was. Nothing moves by itself.
    """

    def __init__(self, over: QWidget, stops: Sequence[Stop]) -> None:
        super().__init__(over)
        self._over, self._stops, self.at = over, tuple(stops), 0
        self._before = QApplication.focusWidget()
        self.card = QFrame(self)
        self.card.setObjectName("popup")
        self.card.setAutoFillBackground(True)
        self._count = muted("")
        self._name = heading("")
        self._words = label("")
        self.skip = button(_("Skip"), "quiet", "", self.leave)
        self.back = button(_("Back"), "", "", lambda: self.step(-1))
        self.next = button(_("Next"), "primary", "", lambda: self.step(1))
        line = QHBoxLayout()
        line.addWidget(self.skip)
        line.addStretch(1)
        line.addWidget(self.back)
        line.addWidget(self.next)
        column = QVBoxLayout(self.card)
        column.setContentsMargins(2 * STEP, 2 * STEP, 2 * STEP, 2 * STEP)
        column.setSpacing(STEP)
        for part in (self._count, self._name, self._words):
            column.addWidget(part)
        column.addLayout(line)
        over.installEventFilter(self)
        self._buttons = (self.skip, self.back, self.next)
        for one in self._buttons:
            one.installEventFilter(self)
        self.show()
        self.raise_()
        self._show_stop()

    def step(self, by: int) -> None:
        """To the next stop, or the one before; after the last one it is over."""
        if not 0 <= self.at + by < len(self._stops):
            if by > 0:
                self.leave()
            return
        self.at += by
        self._show_stop()

    def leave(self) -> None:
        """Go away and give the focus back."""
        self._over.removeEventFilter(self)
        self.hide()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._over:
            if event.type() == QEvent.Type.Resize:
                self._place()
            return False
        # Buttons would take the arrows, and Tab would lead out into what lies under the veil.
        return isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and self._key(event)

    def _key(self, event: QKeyEvent) -> bool:
        """Do what a key stands for; whether it stands for anything."""
        right_to_left = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        on, back = (Qt.Key.Key_Left, Qt.Key.Key_Right) if right_to_left else (Qt.Key.Key_Right, Qt.Key.Key_Left)
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.leave()
        elif key in (on, Qt.Key.Key_Down):
            self.step(1)
        elif key in (back, Qt.Key.Key_Up):
            self.step(-1)
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            buttons = [one for one in self._buttons if one.isEnabled()]
            at = next((at for at, one in enumerate(buttons) if one.hasFocus()), 0)
            at += 1 if key == Qt.Key.Key_Tab else -1
            buttons[at % len(buttons)].setFocus(Qt.FocusReason.TabFocusReason)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            next((one for one in self._buttons if one.hasFocus()), self.next).click()
        else:
            return False
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        around = self._around()
        veil = QPainterPath()
        veil.addRect(self.rect())
        gap = QPainterPath()
        gap.addRoundedRect(around, 8, 8)
        shade = QColor("#000000")
        shade.setAlphaF(0.45)
        painter.fillPath(veil.subtracted(gap), shade)
        painter.setPen(QPen(QColor(colours().accent), 2))
        painter.drawRoundedRect(around, 8, 8)
        painter.end()

    def _show_stop(self) -> None:
        stop = self._stops[self.at]
        last = self.at == len(self._stops) - 1
        count = _("Step {number} of {count}").format(number=self.at + 1, count=len(self._stops))
        self._count.setText(count)
        self._name.setText(stop.name)
        self._words.setText(stop.words)
        words = _("Done") if last else _("Next")
        self.next.setText(words)
        self.next.setAccessibleName(words)
        self.back.setEnabled(self.at > 0)
        self.card.setAccessibleName(stop.name)
        self.card.setAccessibleDescription(stop.words)
        self._place()
        self.next.setFocus(Qt.FocusReason.OtherFocusReason)
        spoken = f"{count}. {stop.name}. {stop.words}"
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.card, spoken))

    def _around(self) -> QRect:
        """The part that is pointed at, with a little room, as far as it is in the window."""
        part = self._stops[self.at].part()
        place = QRect(part.mapTo(self._over, QPoint(0, 0)), part.size())
        return place.adjusted(-4, -4, 4, 4).intersected(self.rect().adjusted(2, 2, -2, -2))

    def _place(self) -> None:
        """Put the card beside the part, narrower where that needs it, else over its foot; always whole in the
        window."""
        self.setGeometry(self._over.rect())
        around, room = self._around(), self.rect().adjusted(STEP, STEP, -STEP, -STEP)
        widest = min(in_text(_WIDEST), room.width())
        beside = max(around.left() - room.left(), room.right() - around.right()) - 2 * STEP
        for width in (widest, min(widest, beside)):
            if width >= max(in_text(_NARROWEST), self._least()) and (
                place := self._beside(self._size(width), around, room)
            ):
                break
        else:
            size = self._size(widest)
            at_foot = QPoint(around.center().x() - size.width() // 2, around.bottom() - size.height() - 2 * STEP)
            place = QRect(self._inside(at_foot, size, room), size)
        self.card.setFixedWidth(place.width())
        self.card.setGeometry(place)
        self.update()

    def _least(self) -> int:
        """The width that the buttons take."""
        layout = self.card.layout()
        assert layout is not None
        return layout.totalMinimumSize().width()

    def _size(self, width: int) -> QSize:
        layout = self.card.layout()
        assert layout is not None
        self.card.setFixedWidth(width)
        return QSize(width, layout.totalHeightForWidth(width))

    def _beside(self, size: QSize, around: QRect, room: QRect) -> QRect | None:
        """A place in the room that leaves the part free: where reading goes on first, then the other side, below
        and above; None where there is none."""
        middle = around.center()
        sides = [around.right() + 2 * STEP, around.left() - size.width() - 2 * STEP]
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            sides.reverse()
        ways = [
            *(QPoint(x, middle.y() - size.height() // 2) for x in sides),
            QPoint(middle.x() - size.width() // 2, around.bottom() + 2 * STEP),
            QPoint(middle.x() - size.width() // 2, around.top() - size.height() - 2 * STEP),
        ]
        kept = (QRect(self._inside(way, size, room), size) for way in ways)
        return next((one for one in kept if room.contains(one) and not one.intersects(around)), None)

    @staticmethod
    def _inside(wanted: QPoint, size: QSize, room: QRect) -> QPoint:
        x = max(room.left(), min(wanted.x(), room.right() + 1 - size.width()))
        y = max(room.top(), min(wanted.y(), room.bottom() + 1 - size.height()))
        return QPoint(x, y)
