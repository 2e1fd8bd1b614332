"""What fits itself to the room there is: columns that become fewer, words that become fewer.

Large text and long languages take twice the width that the words were first seen in; nothing is cut for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from desktop.theme import STEP, in_text
from desktop.widgets.basics import ICON, FlowLayout

_UNBOUNDED = (1 << 24) - 1
"""Qt's QWIDGETSIZE_MAX: no bound at all."""


class EqualColumns(FlowLayout):
    """Its items in columns of one width, at most `most`; fewer where the widest item would not fit."""

    def __init__(self, most: int = 2, gap: int = STEP) -> None:
        super().__init__(gap)
        self._most = most

    def _arrange(self, rect: QRect, *, place: bool) -> int:
        shown = [item for item in self._items if not item.isEmpty()]  # type: ignore[attr-defined]
        if not shown:
            return 0
        widest = max(item.sizeHint().width() for item in shown)  # type: ignore[attr-defined]
        columns = max(1, min(self._most, len(shown), (rect.width() + self._gap) // (widest + self._gap)))
        width = (rect.width() - (columns - 1) * self._gap) // columns
        parent = self.parentWidget()
        mirrored = parent is not None and parent.isRightToLeft()
        y = 0
        for first in range(0, len(shown), columns):
            row = shown[first : first + columns]
            height = max(_height(item, width) for item in row)
            for column, item in enumerate(row):
                if place:
                    x = (columns - 1 - column if mirrored else column) * (width + self._gap)
                    item.setGeometry(  # type: ignore[attr-defined]
                        QRect(QPoint(rect.x() + x, rect.y() + y), QSize(width, height))
                    )
            y += height + self._gap
        return y - self._gap


class HeadLine(FlowLayout):
    """The first item where reading begins, the others at the far end; in more lines where one is too short."""

    def _arrange(self, rect: QRect, *, place: bool) -> int:
        shown = [item for item in self._items if not item.isEmpty()]  # type: ignore[attr-defined]
        hints = [item.sizeHint() for item in shown]  # type: ignore[attr-defined]
        whole = sum(hint.width() + self._gap for hint in hints) - self._gap
        if whole > rect.width() or not shown:
            return FlowLayout._arrange(self, rect, place=place)
        height = int(max(hint.height() for hint in hints))
        parent = self.parentWidget()
        mirrored = parent is not None and parent.isRightToLeft()
        x = 0
        for at, (item, hint) in enumerate(zip(shown, hints, strict=True)):
            if at == 1:
                x += rect.width() - whole
            if place:
                left = rect.right() + 1 - x - hint.width() if mirrored else rect.x() + x
                box = QRect(QPoint(left, rect.y() + (height - hint.height()) // 2), hint)
                item.setGeometry(box)  # type: ignore[attr-defined]
            x += hint.width() + self._gap
        return height


class BesideOrBelow(QBoxLayout):
    """The last item at the side of the first where there is room for both, else below it, as wide as the first.

    `told` is called with whether it stands below, whenever that changes.
    """

    _EMS = 36
    """Heights of a line of text that the width must hold for two to stand beside one another."""

    def __init__(self, parent: QWidget, told: Callable[[bool], object]) -> None:
        super().__init__(QBoxLayout.Direction.LeftToRight, parent)
        self._told = told
        self._widths: tuple[int, int] | None = None

    def setGeometry(self, rect: QRect) -> None:
        parent, last = self.parentWidget(), self.itemAt(self.count() - 1)
        side = last.widget() if last is not None else None
        if parent is not None and side is not None:
            if self._widths is None:
                self._widths = (side.minimumWidth(), side.maximumWidth())
            beside = rect.width() >= self._EMS * parent.fontMetrics().height()
            wanted = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
            if self.direction() != wanted:
                self.setDirection(wanted)
                side.setMinimumWidth(self._widths[0] if beside else 0)
                side.setMaximumWidth(self._widths[1] if beside else rect.width())
                self._told(not beside)
            inner = side.layout()
            least = inner.minimumHeightForWidth(rect.width()) if inner is not None and not beside else 0
            side.setMinimumHeight(max(0, least))
            side.setMaximumHeight(_UNBOUNDED if beside else max(rect.height() // 2, least))
        super().setGeometry(rect)


def _height(item: object, width: int) -> int:
    if item.hasHeightForWidth():  # type: ignore[attr-defined]
        return int(item.heightForWidth(width))  # type: ignore[attr-defined]
    return int(item.sizeHint().height())  # type: ignore[attr-defined]


def fit_tools(holder: QWidget, width: int, worded: Sequence[QToolButton], spare: Sequence[QToolButton]) -> None:
    """Fit the tools that lie in the line of `holder` into `width` pixels.

    Words beside the icons of `worded` where there is room; they go from the first on, and stay as names and tips.
    Where icons alone are too many, the `spare` ones go to the menu that was told of them (`offer_spare`), and at
    last icons are as small as at 100 % of text.
    """
    line, every = holder.layout(), holder.findChildren(QToolButton)
    assert line is not None, "the tools lie in a line"
    for made in worded:
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    for made in every:
        made.setIconSize(QSize(in_text(ICON), in_text(ICON)))
    for made in spare:
        made.show()
    steps: list[Callable[[], object]] = [partial(_without_words, made) for made in worded]
    steps += [made.hide for made in spare]
    steps += [partial(made.setIconSize, QSize(ICON, ICON)) for made in every]
    for step in steps:
        if line.sizeHint().width() <= width:
            break
        step()


def _without_words(made: QToolButton) -> None:
    made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    made.setToolTip(made.accessibleName())


def offer_spare(menu: QMenu, spare: Sequence[QToolButton]) -> None:
    """Let `menu` offer, at its top, those tools that are hidden while it is open."""
    before = menu.actions()[0] if menu.actions() else None
    actions = []
    for made in spare:
        action = QAction(made.icon(), made.text(), menu)
        action.triggered.connect(made.click)
        actions.append(action)
    menu.insertActions(before, actions)  # type: ignore[arg-type]  # None is the end

    def show() -> None:
        for action, made in zip(actions, spare, strict=True):
            action.setVisible(made.isHidden())

    menu.aboutToShow.connect(show)


class ShorterWhenNarrow(QPushButton):
    """A button that knows several ways to say the same, longest first, and shows the longest that fits.

    Its accessible name and its tip say the longest. Who lays it out tells it how wide it may be with `fit`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ways: Sequence[str] = ("",)
        self._room = 0

    def say(self, ways: Sequence[str]) -> None:
        """Know these ways from now on; at least one."""
        self._ways = [way.replace("&", "&&") for way in ways]
        self.setToolTip(ways[0])
        self.fit(self._room)

    def fit(self, room: int) -> None:
        """Show the longest way that is no wider than `room` pixels, else the last."""
        self._room = room
        for way in self._ways:
            self.setText(way)
            if not room or self.sizeHint().width() <= room:
                return
