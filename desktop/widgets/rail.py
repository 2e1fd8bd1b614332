"""The rail of places at the side of the window."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QVBoxLayout, QWidget

from desktop.icons import pixmap
from desktop.theme import STEP, colours, in_text
from desktop.widgets.basics import sized_font
from desktop.words import N_, _

PLACES: tuple[tuple[str, str, str], ...] = (
    ("home", N_("Home"), "home"),
    ("library", N_("Library"), "library"),
    ("discussions", N_("Discussions"), "discussions"),
    ("ask", N_("Ask"), "ask"),
    ("people", N_("People"), "people"),
    ("shelf", N_("My shelf"), "shelf"),
    ("outbox", N_("Outbox"), "outbox"),
)
_ICON = 20  # at the usual size of text
AT_FOOT: tuple[tuple[str, str, str], ...] = (("preferences", N_("Preferences"), "preferences"),)


class RailButton(QAbstractButton):
    """One place: icon and name; the one where the person is, is washed with the accent."""

    def __init__(self, words: str, picture: str) -> None:
        super().__init__()
        self.setText(words)
        self.setAccessibleName(words)
        self.setCheckable(True)
        self.setAutoExclusive(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._picture = picture
        self.count = 0

    def set_count(self, count: int, spoken: str) -> None:
        """Show a small number at the end; `spoken` is the button's whole name for a screen reader."""
        self.count = count
        self.setAccessibleName(spoken)
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(sized_font(1.0, QFont.Weight.DemiBold))
        wide = metrics.horizontalAdvance(self.text()) + 8 * STEP + 8 + in_text(_ICON)
        return QSize(wide, metrics.height() + 2 * STEP + 4)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, c = QPainter(self), colours()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().adjusted(STEP, 1, -STEP, -1)
        if self.isChecked() or self.underMouse():
            ground = QColor(c.wash)
            ground.setAlphaF(1.0 if self.isChecked() else 0.5)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(box, 6, 6)
        if self.hasFocus():
            painter.setPen(QColor(c.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 6, 6)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        colour = c.accent if self.isChecked() else c.ink
        side, words_at = in_text(_ICON), 32 + in_text(_ICON)
        left = self.width() - 20 - side if mirrored else 20
        painter.drawPixmap(left, (self.height() - side) // 2, pixmap(self._picture, colour, side))
        painter.setFont(sized_font(1.0, QFont.Weight.DemiBold if self.isChecked() else QFont.Weight.Normal))
        painter.setPen(QColor(colour))
        words = (
            QRect(16, 0, self.width() - words_at - 16, self.height())
            if mirrored
            else QRect(words_at, 0, self.width() - words_at - 16, self.height())
        )
        lined_to = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        lined = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute
        painter.drawText(words, lined_to | lined, self.text())
        if self.count:
            painter.setFont(sized_font(0.9))
            painter.setPen(QColor(c.muted))
            end = Qt.AlignmentFlag.AlignLeft if mirrored else Qt.AlignmentFlag.AlignRight
            painter.drawText(self.rect().adjusted(20, 0, -20, 0), end | lined, str(self.count))
        painter.end()


class Rail(QWidget):
    """The places, top to bottom; `chosen` says which was clicked."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.buttons: dict[str, RailButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2 * STEP, 0, 2 * STEP)
        column.setSpacing(2)
        for place in (*PLACES, None, *AT_FOOT):
            if place is None:
                column.addStretch(1)
                continue
            name, words, picture = place
            made = RailButton(_(words), picture)
            made.clicked.connect(lambda _checked=False, name=name: self.chosen.emit(name))
            self.buttons[name] = made
            column.addWidget(made)
        self.setFixedWidth(max(176, *(b.sizeHint().width() for b in self.buttons.values())))

    def show_place(self, page: str) -> None:
        """Mark `page` as where the person is."""
        for name, made in self.buttons.items():
            made.setChecked(name == page)

    def show_waiting(self, count: int, spoken: str) -> None:
        """Show on the outbox how many things wait to go."""
        self.buttons["outbox"].set_count(count, spoken)
