"""A dialog that never asks for more room than the window has: its words scroll, its buttons stay at its foot."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QScrollArea, QVBoxLayout, QWidget

from desktop.theme import STEP, in_text
from desktop.widgets.basics import FlowLayout

_WIDE = 420  # pixels, at 100 % of text


class _FromTheEnd(FlowLayout):
    """Buttons at the end of their line; in several lines where one is too short."""

    def _arrange(self, rect: QRect, *, place: bool) -> int:
        if place:
            wide = sum(item.sizeHint().width() + self._gap for item in self._items)  # type: ignore[attr-defined]
            wide -= self._gap
            spare = max(0, rect.width() - wide)
            parent = self.parentWidget()
            mirrored = parent is not None and parent.isRightToLeft()
            rect = rect.adjusted(0, 0, -spare, 0) if mirrored else rect.adjusted(spare, 0, 0, 0)
        return super()._arrange(rect, place=place)


class Dialog(QDialog):
    """`body` is the column of its words and fields, `foot` the line of its buttons."""

    def __init__(self, parent: QWidget | None, title: str, wide: int = _WIDE) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._wide = wide
        self._inner = QWidget()
        self._inner.setObjectName("column")
        self.body = QVBoxLayout(self._inner)
        self.body.setContentsMargins(3 * STEP, 3 * STEP, 3 * STEP, STEP)
        self.body.setSpacing(STEP)
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setAccessibleName(title)
        self._area.setWidget(self._inner)
        self._buttons = QWidget()
        self.foot = _FromTheEnd()
        self._buttons.setLayout(self.foot)
        self._buttons.setContentsMargins(3 * STEP, STEP, 3 * STEP, 2 * STEP)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._area, 1)
        column.addWidget(self._buttons)

    def fit(self) -> None:
        """As large as its words want it, and no larger than the window (or the screen) it stands before."""
        room = self._room()
        wide = min(in_text(self._wide), room.width())
        foot = self.foot.heightForWidth(wide - 6 * STEP) + 3 * STEP
        self._inner.ensurePolished()
        self.body.activate()
        wanted = max(self.body.totalHeightForWidth(wide), self.body.totalMinimumSize().height())
        tall = min(wanted + foot, room.height())
        # What does not fit is reached by the arrows, too.
        scrolls = wanted + foot > room.height()
        self._area.setFocusPolicy(Qt.FocusPolicy.TabFocus if scrolls else Qt.FocusPolicy.NoFocus)
        self.setMinimumSize(wide, min(tall, room.height()))
        self.resize(wide, tall)

    def showEvent(self, event: QShowEvent) -> None:
        self.fit()
        super().showEvent(event)

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self.fit()  # something came or went
        return done

    def _room(self) -> QSize:
        parent = self.parentWidget()
        alone = QGuiApplication.primaryScreen().availableGeometry().size()
        return (parent.window().size() if parent is not None else alone) - QSize(2 * STEP, 2 * STEP)
