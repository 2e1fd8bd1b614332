"""Labels, buttons, columns and the explaining empty place: what every page is put together from."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QDateEdit,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.icons import icon, pixmap
from desktop.theme import STEP, colours, in_text

ICON = 18
"""Pixels of a button's icon at the usual size of text."""


def sized_font(ratio: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The window's typeface at `ratio` of its size."""
    font = QFont(QApplication.font())
    font.setPointSizeF(font.pointSizeF() * ratio)
    font.setWeight(weight)
    return font


def label(text: str = "", look: str = "", ratio: float = 1.0, *, wrap: bool = True) -> QLabel:
    """A label; `look` is one of the theme's: title, heading, muted, good, warn, notice."""
    made = QLabel(text)
    made.setObjectName(look)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    # To the side where reading begins, also for a word in the other direction (Qt would follow the word).
    right_to_left = QApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft
    side = Qt.AlignmentFlag.AlignRight if right_to_left else Qt.AlignmentFlag.AlignLeft
    made.setAlignment(side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter)
    bold = look in ("title", "heading")
    made.setFont(sized_font(ratio, QFont.Weight.DemiBold if bold else QFont.Weight.Normal))
    if wrap:
        # A wrapped label gives way: it never forces its window to be wider than the screen.
        policy = made.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Preferred)
        made.setSizePolicy(policy)
        made.setMinimumWidth(1)
    return made


def title(text: str) -> QLabel:
    """The name of a page."""
    return label(text, "title", 1.7)


def heading(text: str) -> QLabel:
    """The name of a part of a page."""
    return label(text, "heading", 1.15)


def muted(text: str = "", *, wrap: bool = True) -> QLabel:
    """A quiet line."""
    return label(text, "muted", 0.95, wrap=wrap)


def hairline(vertical: bool = False) -> QFrame:
    """A thin line between parts."""
    made = QFrame()
    made.setObjectName("hairline")
    if vertical:
        made.setFixedWidth(1)
    else:
        made.setFixedHeight(1)
    return made


def button(
    text: str, look: str = "", picture: str = "", on_click: Callable[[], object] | None = None
) -> QPushButton:
    """A push button; `look` is "", primary, quiet or pill; `picture` an icon's name."""
    made = QPushButton(text.replace("&", "&&"))
    made.setObjectName(look)
    made.setAccessibleName(text)
    made.setAutoDefault(False)
    if picture:
        colour = {"primary": colours().on_accent, "quiet": colours().accent}.get(look, colours().ink)
        _draw_on(made, picture, colour)
    if on_click is not None:
        made.clicked.connect(lambda _checked=False: on_click())
    return made


def tool(
    text: str, picture: str, on_click: Callable[[], object] | None = None, *, bare: bool = False
) -> QToolButton:
    """A flat button of a tool line, reached by Tab; with its words beside the icon unless `bare`."""
    made = QToolButton()
    made.setText(text.replace("&", "&&"))
    made.setAccessibleName(text)
    made.setToolTip(text)
    _draw_on(made, picture, colours().muted)
    style = Qt.ToolButtonStyle.ToolButtonIconOnly if bare else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    made.setToolButtonStyle(style)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if on_click is not None:
        made.clicked.connect(lambda _checked=False: on_click())
    return made


def _draw_on(made: QAbstractButton, picture: str, colour: str) -> None:
    """Give a button an icon that is as large as its words are."""
    side = in_text(ICON)
    made.setIcon(icon(picture, colour, side))
    made.setIconSize(QSize(side, side))


class _Chevron:
    """Draws the arrow of a field that opens, at its trailing end, in the theme's colour."""

    @staticmethod
    def draw(widget: QWidget) -> None:
        painter = QPainter(widget)
        right_to_left = widget.layoutDirection() == Qt.LayoutDirection.RightToLeft
        side = in_text(14)  # as large as the words beside it
        left = 8 if right_to_left else widget.width() - side - 8
        painter.drawPixmap(left, (widget.height() - side) // 2, pixmap("down", colours().muted, side))
        painter.end()


class Choice(QComboBox):
    """A choice of one; items carry a value, and `value()` is the chosen one's."""

    def __init__(self, name: str, items: list[tuple[str, str]] | None = None) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setMinimumContentsLength(6)
        self.set_items(items or [])

    def set_items(self, items: list[tuple[str, str]]) -> None:
        """Offer (value, words) pairs, keeping the chosen value where it is still offered."""
        chosen = self.value()
        self.blockSignals(True)
        self.clear()
        for value, words in items:
            self.addItem(words, value)
        self.choose(chosen)
        self.blockSignals(False)

    def minimumSizeHint(self) -> QSize:
        # In a column narrower than its longest row it gives way: the list that opens shows every row whole.
        hint = super().minimumSizeHint()
        return QSize(
            min(hint.width(), 14 * self.fontMetrics().averageCharWidth() + 26 + in_text(14)), hint.height()
        )

    def value(self) -> str:
        """The chosen item's value, or "" where nothing is offered."""
        return str(self.currentData() or "")

    def choose(self, value: str) -> None:
        """Choose the item with `value`; the first where there is none."""
        self.setCurrentIndex(max(0, self.findData(value)))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        _Chevron.draw(self)


class DayField(QDateEdit):
    """A day chosen from a calendar or typed."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setCalendarPopup(True)
        self.setDisplayFormat("yyyy-MM-dd")
        self.setAccessibleName(name)
        self.lineEdit().setAccessibleName(name)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        _Chevron.draw(self)


class Tick(QCheckBox):
    """A box to tick, drawn in the theme's colours in light and dark alike."""

    @property
    def _box(self) -> int:
        return in_text(18)  # as large as its words

    def __init__(self, words: str) -> None:
        super().__init__(words.replace("&", "&&"))
        self.setAccessibleName(words)
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)  # words that are longer than the line go on below
        policy.setHorizontalPolicy(QSizePolicy.Policy.Preferred)
        policy.setVerticalPolicy(QSizePolicy.Policy.Minimum)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(
            metrics.horizontalAdvance(self.text()) + self._box + 3 * STEP, max(metrics.height(), self._box) + STEP
        )

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), 12 * self.fontMetrics().height()), self.sizeHint().height())

    def heightForWidth(self, width: int) -> int:
        room = QRect(0, 0, max(1, width - self._box - STEP - 3), 10_000)
        words = self.fontMetrics().boundingRect(room, int(Qt.TextFlag.TextWordWrap), self.text())
        return max(words.height(), self._box) + STEP

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, c = QPainter(self), colours()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        left = self.width() - self._box - 3 if mirrored else 3
        box = QRectF(left + 0.5, (self.height() - self._box) / 2 + 0.5, self._box - 1, self._box - 1)
        on, able = self.isChecked(), self.isEnabled()
        painter.setPen(QColor(c.accent if on and able else c.edge))
        painter.setBrush(QColor(c.accent if on and able else c.sheet))
        painter.drawRoundedRect(box, 4, 4)
        if on:
            painter.drawPixmap(
                round(box.left() + 1), round(box.top() + 1), pixmap("check", c.on_accent, self._box - 3)
            )
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(c.accent))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        painter.setPen(QColor(c.ink if able else c.muted))
        room = self._box + STEP + 3
        words = self.rect().adjusted(0, 0, -room, 0) if mirrored else self.rect().adjusted(room, 0, 0, 0)
        side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        lined = side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(words, lined | Qt.TextFlag.TextShowMnemonic | Qt.TextFlag.TextWordWrap, self.text())
        painter.end()


class FlowLayout(QLayout):
    """Lays its items in lines that break where the width ends, from the leading side."""

    def __init__(self, gap: int = STEP) -> None:
        super().__init__()
        self._items: list[object] = []
        self._gap = gap
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: object) -> None:
        self._items.append(item)

    def addStretch(self, stretch: int = 0) -> None:
        """Nothing: what is left of a line is always at its end (rows that were not always a flow say it)."""

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> object:  # type: ignore[override]  # None past the end, as Qt asks
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> object:  # type: ignore[override]
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), place=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, place=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())  # type: ignore[attr-defined]
        return size

    def _arrange(self, rect: QRect, *, place: bool) -> int:
        parent = self.parentWidget()
        mirrored = parent is not None and parent.layoutDirection() == Qt.LayoutDirection.RightToLeft
        lines: list[list[tuple[object, QSize, int]]] = []
        x = 0
        for item in self._items:
            hint = item.sizeHint()  # type: ignore[attr-defined]
            if hint.isEmpty():
                continue
            if not lines or x + hint.width() > rect.width():
                lines.append([])
                x = 0
            lines[-1].append((item, hint, x))
            x += hint.width() + self._gap
        y = 0
        for line in lines:
            height = max(hint.height() for _item, hint, _x in line)
            for item, hint, x in line if place else ():
                left = rect.right() + 1 - x - hint.width() if mirrored else rect.x() + x
                box = QRect(QPoint(left, rect.y() + y + (height - hint.height()) // 2), hint)
                item.setGeometry(box)  # type: ignore[attr-defined]
            y += height + self._gap
        return max(0, y - self._gap)


class Column(QScrollArea):
    """A page that scrolls: one column, no wider than `widest` pixels (at 100 % of text), with room around it."""

    def __init__(self, widest: int = 880, margin: int = 4 * STEP, *, centred: bool = False) -> None:
        super().__init__()
        self._centred = centred
        self._widest, self._margin = in_text(widest), margin
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inner = QWidget()
        self._inner.setObjectName("column")
        self.body = QVBoxLayout(self._inner)
        self.body.setSpacing(STEP)
        self.setWidget(self._inner)

    def resizeEvent(self, event: QResizeEvent) -> None:
        side = max(self._margin, (event.size().width() - self._widest) // 2)
        if not self._centred:
            side = min(side, 6 * STEP)  # on wide screens the column stays near the rail, where the eye is
        rest = max(self._margin, event.size().width() - self._widest - side)
        right_to_left = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        left, right = (rest, side) if right_to_left else (side, rest)
        self.body.setContentsMargins(left, 3 * STEP, right, 4 * STEP)
        super().resizeEvent(event)


class EmptyPlace(QWidget):
    """A place with nothing in it: says why, and offers the one next step."""

    def __init__(
        self, picture: str, words: str, line: str, step: str = "", on_step: Callable[[], object] | None = None
    ) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * STEP, 2 * STEP, 4 * STEP, 2 * STEP)
        column.setSpacing(STEP)
        column.addStretch(1)
        self._texts: list[QLabel] = []
        self._drawing = QLabel()
        self._drawing.setPixmap(pixmap(picture, colours().muted, in_text(40)))
        self._drawing.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._drawing)
        for text in (label(words, "heading", 1.2), label(line, "muted")):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            text.setFixedWidth(in_text(440))
            self._texts.append(text)
            centred = QHBoxLayout()
            centred.addStretch(1)
            centred.addWidget(text)
            centred.addStretch(1)
            column.addLayout(centred)
        if step:
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(button(step, "primary", "", on_step))
            row.addStretch(1)
            column.addSpacing(STEP)
            column.addLayout(row)
        column.addStretch(2)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())  # the lines are as long as there is room

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for text in self._texts:
            text.setFixedWidth(max(1, min(in_text(440), event.size().width() - 8 * STEP)))
        words = sum(text.heightForWidth(text.width()) for text in self._texts)
        # Words first: the drawing is there where it takes no room from them.
        self._drawing.setVisible(words + in_text(40 + 48) + 8 * STEP <= event.size().height())


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and let it go."""
    while (item := layout.takeAt(0)) is not None:
        if (inner := item.layout()) is not None:
            clear(inner)
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
