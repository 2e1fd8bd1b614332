"""A list of a hundred thousand cards of which only those in sight are in memory.

The list knows how many there are and in which order (four bytes a row, `Library.order`); pages of cards are read
as they come into sight and forgotten when many others were looked at since.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QStringListModel, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop.widgets.cards import PAGE_SIZE, CardList, CardRow, Cards, Index
from desktop.widgets.picking import Picked
from desktop.words import _

_KEPT = 12
"""Pages in memory."""
_PAUSE_MS = 15
_GROWS_BY = 2_000
"""Rows that a list is made longer by as it stands. Qt puts them in one by one, each before those that it put in
already: 2,000 take a millisecond, 100,000 two seconds, a list of as many new ones a hundredth of that."""


class PagedCards(Cards, QStringListModel):
    """Rows of a list that is longer than what is kept of it.

    `missed` says that one was asked for that is not in memory, `read` that a page has come. How many rows there
    are is Qt's own business (a list of empty strings): while a hundred thousand are laid out it is asked for each
    of them, and Python would take half a second to answer. Pages that come are painted; nothing is laid out anew.
    """

    missed = Signal()
    read = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picked = Picked(self)
        self.order = array("I")
        self._total = 0
        self._pages: OrderedDict[int, list[CardRow]] = OrderedDict()
        self._waiting = CardRow(title=_("One moment"))

    def set_rows(self, rows: Iterable[CardRow], total: int | None = None) -> None:
        """Show the first page; the order of the rest follows with `set_order`."""
        first = list(rows)
        total = len(first) if total is None else total
        if first and total == self._total:
            # The same list again, most likely: what is in sight stays until it is read anew.
            self._pages[0] = first
            self.read.emit()
            return
        self.order = array("I")
        self._pages = OrderedDict({0: first})
        self._resize(total)
        self.read.emit()

    def set_order(self, order: array[int], in_sight: range) -> None:
        """Take the order of all. Pages `in_sight` stay until they are read anew; the others are forgotten."""
        self.order = order
        for page in [page for page in self._pages if page not in in_sight]:
            del self._pages[page]
        if len(order) != self._total:
            self._resize(len(order))

    def _resize(self, total: int) -> None:
        # A row more or less, not a list of new ones: Qt lays a hundred thousand out when it comes to it, and what
        # is chosen stays chosen until the caller has looked where it is now.
        before, self._total = self._total, total
        if before and before < total <= before + _GROWS_BY:
            self.insertRows(before, total - before)
        elif before > total > 0:
            self.removeRows(total, before - total)
        elif before != total:
            self.setStringList([""] * total)

    def numbers(self, page: int) -> array[int]:
        """The row numbers of a page in the store."""
        return self.order[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]

    def put_page(self, page: int, rows: list[CardRow]) -> None:
        """Keep a page that was read; of those not looked at for longest, one is forgotten."""
        self._pages[page] = rows
        self._pages.move_to_end(page)
        while len(self._pages) > _KEPT:
            self._pages.popitem(last=False)
        self.read.emit()

    def has_page(self, page: int) -> bool:
        """Whether this page is in memory."""
        return page in self._pages

    @property
    def total(self) -> int:
        return self._total

    @property
    def rows(self) -> list[CardRow]:
        return [row for _page, rows in sorted(self._pages.items()) for row in rows]

    def card(self, row: int) -> CardRow | None:
        page = self._pages.get(row // PAGE_SIZE)
        at = row % PAGE_SIZE
        return page[at] if page is not None and at < len(page) else None

    def row_of(self, record: str) -> int:
        for page, rows in self._pages.items():
            for at, row in enumerate(rows):
                if row.id == record:
                    return page * PAGE_SIZE + at
        return -1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.card(index.row())
        if row is None:
            if not 0 <= index.row() < self._total:
                return None
            self.missed.emit()
            row = self._waiting
        return self.told(row, role)

    def flags(self, index: Index) -> Qt.ItemFlag:
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren


class PagedList(CardList):
    """A list over `PagedCards`, all rows of one height; `pages_wanted` says which pages are to be read."""

    pages_wanted = Signal(list)

    def __init__(self, name: str) -> None:
        super().__init__(name, even=True)
        self.setUniformItemSizes(True)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_PAUSE_MS)
        self._soon.timeout.connect(self.ask_for_pages)
        self.paged.missed.connect(self._missed)
        self.paged.read.connect(self.viewport().update)

    def make_model(self) -> Cards:
        return PagedCards(self)

    @property
    def paged(self) -> PagedCards:
        """The model, by its own name."""
        assert isinstance(self.cards, PagedCards)
        return self.cards

    def take_order(self, order: array[int]) -> None:
        """Take the order of all rows, and ask for the pages in sight."""
        place = self.verticalScrollBar().value()
        self.paged.set_order(order, self._in_sight())
        self.verticalScrollBar().setValue(place)
        if pages := list(self._in_sight()):
            self.pages_wanted.emit(pages)

    def ask_for_pages(self) -> None:
        """Ask for the pages in sight that are not in memory, once the order of all is known."""
        missing = [page for page in self._in_sight() if not self.paged.has_page(page)]
        if missing and self.paged.order:
            self.pages_wanted.emit(missing)

    def _in_sight(self) -> range:
        total, height = self.paged.total, self.sizeHintForRow(0)
        if not total or height <= 0:
            return range(0)
        top = self.verticalScrollBar().value()
        last = min(total - 1, (top + self.viewport().height()) // height)
        return range(min(total - 1, top // height) // PAGE_SIZE, last // PAGE_SIZE + 1)

    def _missed(self) -> None:
        if not self._soon.isActive():
            self._soon.start()
