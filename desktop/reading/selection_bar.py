"""What can be done with selected words, at the foot of the text as long as some are selected."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from desktop.reading.colour_words import COLOUR_WORDS, in_colour
from desktop.theme import STEP, colours
from desktop.widgets.basics import tool
from desktop.words import _

_PATCH = 18


def patch(colour: str) -> QIcon:
    """A little square in one of the theme's colours, for buttons and menus."""
    picture = QPixmap(QSize(2 * _PATCH, 2 * _PATCH))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(colours().edge))
    painter.setBrush(QColor(getattr(colours(), colour)))
    painter.drawRoundedRect(QRectF(1, 1, 2 * _PATCH - 2, 2 * _PATCH - 2), 8, 8)
    painter.end()
    picture.setDevicePixelRatio(2)
    return QIcon(picture)


class SelectionBar(QFrame):
    """Floats over the foot of `text`, so that the text does not move; hidden while nothing is selected."""

    highlighted = Signal(str)  # a colour
    noted = Signal()
    copied = Signal()

    def __init__(self, text: QWidget) -> None:
        super().__init__(text)
        self.setObjectName("popup")
        self.setAccessibleName(_("Selected words"))
        self._text = text
        line = QHBoxLayout(self)
        line.setContentsMargins(STEP // 2, STEP // 2, STEP // 2, STEP // 2)
        line.setSpacing(2)
        for colour in COLOUR_WORDS:
            made = QToolButton()
            made.setIcon(patch(colour))
            made.setIconSize(QSize(_PATCH, _PATCH))
            made.setAccessibleName(in_colour(colour))
            made.setToolTip(in_colour(colour))
            made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            made.clicked.connect(lambda _checked=False, colour=colour: self.highlighted.emit(colour))
            line.addWidget(made)
        self._note = tool(_("Note"), "note", self.noted.emit)
        self._copy = tool(_("Copy with source"), "cite", self.copied.emit)
        line.addWidget(self._note)
        line.addWidget(self._copy)
        text.installEventFilter(self)
        self.hide()

    def move_to(self, text: QWidget) -> None:
        """Float over another text from now on."""
        self._text.removeEventFilter(self)
        self._text = text
        self.hide()
        self.setParent(text)
        text.installEventFilter(self)

    def offer(self, some: bool) -> None:
        """Show it while some words are selected."""
        if some and self.isHidden():
            self._place()
            self.show()
            self.raise_()
        elif not some:
            self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return False

    def _place(self) -> None:
        room = self._text.width() - 2 * STEP
        for made in (self._copy, self._note):
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        for made in (self._copy, self._note):
            if self.sizeHint().width() <= room:
                break
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            self.layout().invalidate()  # type: ignore[union-attr]  # it has one
        self.resize(self.sizeHint())
        self.move((self._text.width() - self.width()) // 2, self._text.height() - self.height() - STEP)
