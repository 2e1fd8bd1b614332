"""Lists of cards: plain rows in a model, drawn by one delegate, fetched page by page.

A list may hold a hundred thousand records; only what was scrolled to is fetched, and no row is a widget.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QWidget

from desktop.navigation import Place
from desktop.theme import colours
from desktop.widgets.card_delegate import BOX_COLUMN, ROW, CardDelegate, marked_ranges
from desktop.widgets.picking import Picked
from desktop.words import _
from resources_cache import precedence

PAGE_SIZE = 60
_NO_UPDATE = QItemSelectionModel.SelectionFlag.NoUpdate
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Badge:
    """A few words at the end of a card, in one of the theme's colours, perhaps after an icon or a patch of colour.

    `swatch`: the theme's name for the colour of the patch.
    """

    text: str
    tone: str = "muted"
    picture: str = ""
    swatch: str = ""


def plain(text: str) -> str:
    """The text without the marks of found words."""
    return marked_ranges(text)[0]


@dataclass(frozen=True)
class CardRow:
    """What one row shows. `title` and `line` may carry found words between U+0002 and U+0003.

    `section`: the row is a heading over those that follow. `place`: where a click goes.
    """

    title: str
    line: str = ""
    meta: str = ""
    badges: tuple[Badge, ...] = ()
    id: str = ""
    kind: str = ""
    picture: str = ""
    place: Place | None = None
    section: bool = False
    lines: int = 1
    values: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)

    def spoken(self) -> str:
        """The whole row in words, for a screen reader."""
        parts = [plain(self.title), *(b.text for b in self.badges), self.meta, plain(self.line)]
        return ". ".join(part for part in parts if part)


if TYPE_CHECKING:
    _Model = QAbstractListModel
else:
    _Model = object  # of Qt's models each kind has another one behind it


class Cards(_Model):
    """What a list asks of its model, whether all rows are in memory (`CardModel`) or only some (`PagedCards`).

    `picked`: the chosen rows, of lists that can have many.
    """

    picked: Picked

    def set_rows(self, rows: Iterable[CardRow], total: int | None = None) -> None:
        """Show `rows` as the first of `total` (all there are, by default)."""
        raise NotImplementedError

    def add_rows(self, rows: Iterable[CardRow], total: int) -> None:
        """Add the next page. An empty page ends the list, whatever was promised."""
        raise NotImplementedError

    @property
    def total(self) -> int:
        """How many rows there are in all, fetched or not."""
        raise NotImplementedError

    @property
    def rows(self) -> list[CardRow]:
        """The rows in memory, in the order of the list."""
        raise NotImplementedError

    def card(self, row: int) -> CardRow | None:
        """The card of a row, where it is in memory."""
        raise NotImplementedError

    def row_of(self, record: str) -> int:
        """The row that shows `record`, or -1."""
        raise NotImplementedError

    def told(self, row: CardRow, role: int) -> Any:
        """What a row tells the view under a role."""
        if role == ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return plain(row.title)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _("Chosen: {title}").format(title=row.spoken()) if row.id in self.picked else row.spoken()
        if role == Qt.ItemDataRole.CheckStateRole and len(self.picked) and not row.section:
            return Qt.CheckState.Checked if row.id in self.picked else Qt.CheckState.Unchecked
        return None


class CardModel(Cards, QAbstractListModel):
    """Rows of a list; asks for more (`wanted`, with how many it has) when the view nears the end."""

    wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picked = Picked(self)
        self._rows: list[CardRow] = []
        self._total = 0
        self._asked = False

    def set_rows(self, rows: Iterable[CardRow], total: int | None = None) -> None:
        """Show `rows` as the first of `total` (all there are, by default)."""
        self.beginResetModel()
        self._rows = list(rows)
        self._total = len(self._rows) if total is None else total
        self._asked = False
        self.endResetModel()

    def add_rows(self, rows: Iterable[CardRow], total: int) -> None:
        """Add the next page. An empty page ends the list, whatever was promised."""
        new = list(rows)
        self._asked = False
        self._total = total if new else len(self._rows)
        if new:
            self.beginInsertRows(QModelIndex(), len(self._rows), len(self._rows) + len(new) - 1)
            self._rows += new
            self.endInsertRows()

    @property
    def total(self) -> int:
        """How many rows there are in all, fetched or not."""
        return self._total

    @property
    def rows(self) -> list[CardRow]:
        """The rows fetched so far."""
        return self._rows

    def card(self, row: int) -> CardRow | None:
        """The card of a row, where it is in memory."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, record: str) -> int:
        """The row that shows `record`, or -1."""
        return next((i for i, row in enumerate(self._rows) if row.id == record), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default argument
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.card(index.row())
        return None if row is None else self.told(row, role)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if (row := self.card(index.row())) is not None and row.section:
            return Qt.ItemFlag.ItemIsEnabled
        return super().flags(index)

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and not self._asked and len(self._rows) < self._total

    def fetchMore(self, parent: Index) -> None:
        if self.canFetchMore(parent):
            self._asked = True
            self.wanted.emit(len(self._rows))


class CardList(QListView):
    """A list of cards; `opened` says which row was clicked or entered."""

    opened = Signal(object)
    range_wanted = Signal(int, int)  # from a row to a row, to be chosen

    def __init__(self, name: str, *, compact: bool = False, even: bool = False) -> None:
        """`compact`: without the last line. `even`: all rows are of one height."""
        super().__init__()
        self._by_key = False
        self.cards = self.make_model()
        self.setModel(self.cards)
        self.setItemDelegate(CardDelegate(self, compact=compact, even=even))
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.can_pick = False
        self._anchor = 0
        self.picked.changed.connect(self._picks_changed)
        self.clicked.connect(self._clicked)

    @property
    def picked(self) -> Picked:
        """The chosen rows, of lists that can have many (`can_pick`)."""
        return self.cards.picked

    def pick_rows(self, first: int, last: int) -> None:
        """Choose all from one row to another, both included."""
        rows = range(min(first, last), max(first, last) + 1)
        if all(self.cards.card(row) is not None for row in rows):
            found = (self.cards.card(row) for row in rows)
            self.picked.add(card.id for card in found if card is not None and not card.section)
        else:
            self.range_wanted.emit(rows[0], rows[-1])

    def pick_all(self) -> None:
        """Choose all that is listed."""
        if count := self.cards.rowCount():
            self.pick_rows(0, count - 1)

    def make_model(self) -> Cards:
        """The model that is shown."""
        return CardModel(self)

    def set_rows(self, rows: Iterable[CardRow], total: int | None = None) -> None:
        """Show `rows`, keeping the chosen record chosen where it is still there."""
        chosen = self.current_row()
        self.cards.set_rows(rows, total)
        if chosen is not None and chosen.id:
            if self.cards.row_of(chosen.id) < 0:
                self.setCurrentIndex(QModelIndex())
            elif self.current_row() is not self.cards.card(self.cards.row_of(chosen.id)):
                self.choose(chosen.id)

    def current_row(self) -> CardRow | None:
        """The chosen row, if any."""
        return self.cards.card(self.currentIndex().row()) if self.currentIndex().isValid() else None

    def choose(self, record: str) -> None:
        """Choose the row of `record` without opening it; nothing where it is not fetched."""
        row = self.cards.row_of(record)
        if row >= 0:
            self.setCurrentIndex(self.cards.index(row, 0))

    def resizeEvent(self, event: QResizeEvent) -> None:
        # Heights depend on the width: lay out at once, or rows overlap until Qt gets round to it.
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.doItemsLayout()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        with precedence.first():
            super().paintEvent(event)
        if self._by_key and self.hasFocus() and not self._wears_focus():
            painter = QPainter(self.viewport())  # no row wears the focus: the list does
            painter.setPen(QColor(colours().accent))
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))
            painter.end()

    def _wears_focus(self) -> bool:
        row = self.current_row()
        return row is not None and not row.section

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.indexAt(event.position().toPoint()).row()
        card = self.cards.card(row)
        keys = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
        left = event.button() == Qt.MouseButton.LeftButton
        if not self.can_pick or not left or card is None or card.section:
            super().mousePressEvent(event)
            return
        on_box = len(self.picked) > 0 and self._is_on_box(int(event.position().x()))
        if keys & Qt.KeyboardModifier.ShiftModifier:
            self.pick_rows(self._anchor, row)
        elif keys or on_box:
            self._anchor = row
            self.picked.toggle(card.id)
        else:
            self._anchor = row
            super().mousePressEvent(event)
            return
        self.selectionModel().setCurrentIndex(self.cards.index(row, 0), _NO_UPDATE)

    def _is_on_box(self, x: int) -> bool:
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        return (self.viewport().width() - x if mirrored else x) < BOX_COLUMN

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.can_pick and self._pick_by_key(event):
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and (row := self.current_row()) is not None:
            self.opened.emit(row)
            return
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Home, Qt.Key.Key_End):
            self._anchor = max(0, self.currentIndex().row())
        first = self.current_row()
        if first is None and self.cards.rowCount() and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Home):
            heading = (card := self.cards.card(0)) is not None and card.section
            self.setCurrentIndex(self.cards.index(1 if heading else 0, 0))

    def _pick_by_key(self, event: QKeyEvent) -> bool:
        row, key = self.currentIndex().row(), event.key()
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self.pick_all()
        elif key == Qt.Key.Key_Space and (card := self.current_row()) is not None and not card.section:
            self._anchor = row
            self.picked.toggle(card.id)
        elif key == Qt.Key.Key_Escape and len(self.picked):
            self.picked.clear()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            to = max(0, min(self.cards.rowCount() - 1, row + (1 if key == Qt.Key.Key_Down else -1)))
            if row >= 0:
                self.pick_rows(row, to)
            self.setCurrentIndex(self.cards.index(to, 0))
        else:
            return False
        event.accept()
        return True

    def _picks_changed(self) -> None:
        self.doItemsLayout()  # the boxes come or go
        self.viewport().update()

    def _clicked(self, index: QModelIndex) -> None:
        row = self.cards.card(index.row())
        if row is not None and not row.section:
            self.opened.emit(row)
