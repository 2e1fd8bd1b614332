"""A place that is a list with filters above it and a reader at its side: Library, Discussions, People, Search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeySequence, QMouseEvent, QShortcut
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from desktop.actions import linkable, put_link
from desktop.amounts import number
from desktop.background import Lane
from desktop.context import Context
from desktop.navigation import HOMES, Place, place_of
from desktop.pages.page import Page
from desktop.pages.picked_bar import PickedBar
from desktop.places import name_of
from desktop.reading.record_view import RecordView
from desktop.shelf import Shelf
from desktop.state_words import POLICY_CYCLE, RESOURCE_TYPES, record_kind, term
from desktop.theme import STEP
from desktop.widgets.basics import Choice, FlowLayout, button, label, muted
from desktop.widgets.card_delegate import ROW
from desktop.widgets.cards import PAGE_SIZE, CardList, CardModel, CardRow
from desktop.widgets.filter_bar import FilterBar
from desktop.widgets.fitting import HeadLine
from desktop.widgets.two_pane import TwoPane
from desktop.words import _, language_name, ngettext


@dataclass(frozen=True)
class Listing:
    """One page of rows out of `total`; `facets`: values with counts, on the first page only; None: they follow.

    `behind`: what stands behind the rows by id, where a page needs more of it than it shows.
    `instead`: what a search answers, where that is not what was typed.
    """

    total: int
    rows: list[CardRow]
    facets: dict[str, list[tuple[str, int]]] | None = field(default_factory=dict)
    behind: dict[str, Any] = field(default_factory=dict)
    instead: str = ""


class ListPage(Page):
    """Subclasses give `query` (what to read) and `nothing` (the words for an empty list)."""

    TITLE = ""
    FACETS: tuple[tuple[str, str], ...] = ()  # name of the filter, words for "all"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.list = self.make_list()
        self.list.opened.connect(self._row_opened)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._offer)
        self.list.viewport().installEventFilter(self)
        beside = QShortcut(QKeySequence("Ctrl+Return"), self.list)
        beside.setContext(Qt.ShortcutContext.WidgetShortcut)
        beside.activated.connect(lambda: self._open_beside(self.list.current_row()))
        if isinstance(self.list.cards, CardModel):
            self.list.cards.wanted.connect(self._fetch)
        self.list.range_wanted.connect(self.pick_range)
        self.reader = RecordView(context)
        self.count = muted("", wrap=False)
        self._open_after_fetch = ""
        self.filter_bar = FilterBar()
        self.filters = self.filter_bar.choices
        for name, words in self.FACETS:
            choice = Choice(_(words), [("", _(words))])
            choice.currentIndexChanged.connect(lambda _i: self.refresh())
            self.filter_bar.add(name, choice)
        self._clear = button(_("Clear filters"), "quiet", "close", self.clear_filters)
        self.filter_bar.add_last(self._clear)
        self._clear.hide()
        self.head = HeadLine()
        self.head.addWidget(label(_(self.TITLE), "title", 1.7, wrap=False))
        self.head.addStretch(1)
        self.head.addWidget(self.count)
        self._head_buttons: list[QWidget] = []
        self._body = QStackedWidget()
        self._body.addWidget(self.list)
        self._nothing: QWidget | None = None
        side = QWidget()
        side.setMinimumWidth(320)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 3 * STEP, 0, 0)
        column.setSpacing(STEP)
        top = QVBoxLayout()
        top.setContentsMargins(2 * STEP, 0, 2 * STEP, 0)
        top.setSpacing(STEP)
        top.addLayout(self.head)
        above = QWidget()
        self.above = FlowLayout()
        above.setLayout(self.above)
        top.addWidget(above)
        top.addWidget(self.filter_bar)
        self._top = top
        column.addLayout(top)
        column.addWidget(self._body, 1)
        self.panes = TwoPane(side, self.reader)
        self.reader.closed.connect(self.panes.close_reader)
        self.reader.widened.connect(self.panes.toggle_wide)
        self.panes.split.connect(self._narrowed)
        self.panes.shut.connect(self._left_reader)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.panes)

    def make_list(self) -> CardList:
        """The list of this page."""
        return CardList(_(self.TITLE))

    def choose_many(self) -> PickedBar:
        """Let many rows be chosen; returns the bar that says what can be done with them."""
        self.list.can_pick = True
        bar = PickedBar(self.context, self.list.picked, self.refresh)
        self._top.addWidget(bar)
        return bar

    def pick_range(self, first: int, last: int) -> None:
        """Choose rows of which not all are in memory; a list that has such rows reads their ids."""

    def add_head_button(self, widget: QWidget) -> None:
        """Put a button beside the title; beside an open reader there is no room for it, and the rail serves."""
        self._head_buttons.append(widget)
        self.head.addWidget(widget)

    def query(self) -> Callable[[Shelf, int], Listing]:
        """What reads a page of this list (from a row on), with the filters as they are now."""
        raise AssertionError(f"{type(self).__name__} says nothing of what it lists")

    def counts(self) -> Callable[[Shelf], dict[str, list[tuple[str, int]]]] | None:
        """What counts the values of the filters, after a first page that came without them; None: nothing does."""
        return None

    def nothing(self) -> QWidget:
        """What is shown instead of an empty list: why, and the next step."""
        raise AssertionError(f"{type(self).__name__} has no words for an empty list")

    def arrive(self, place: Place) -> None:
        if place.record:
            self.panes.open_reader()
            if place.record != self.reader.record:
                self.reader.open(place.record, resume=place.resume)
            else:
                self.reader.refresh()  # it may have changed, or gone, while another page was shown
            self.list.choose(place.record)
            self._open_after_fetch = place.record
            self.reader.text.setFocus()
        else:
            if self.panes.reading:
                self.panes.close_reader()
            self.list.setFocus()
        self.refresh()

    def refresh(self) -> None:
        if self.isVisible():
            self._fetch(0)

    def set_filters(self, chosen: dict[str, str]) -> None:
        """Choose these values of the filters, and leave the others open; nothing is read again."""
        for name, words in self.FACETS:
            value = chosen.get(name, "")
            known = [(value, self.facet_words(name, value))] if value else []
            self.filters[name].blockSignals(True)
            self.filters[name].set_items([("", _(words)), *known])
            self.filters[name].choose(value)
            self.filters[name].blockSignals(False)

    def clear_filters(self) -> None:
        """Leave every filter open."""
        for choice in self.filters.values():
            choice.blockSignals(True)
            choice.setCurrentIndex(0)
            choice.blockSignals(False)
        self.refresh()

    def chosen(self, name: str) -> str:
        """The value of a filter, "" for all."""
        return self.filters[name].value() if name in self.filters else ""

    @property
    def filtered(self) -> bool:
        """Whether any filter is set."""
        return any(choice.value() for choice in self.filters.values())

    def _fetch(self, offset: int) -> None:
        query = self.query()
        self.context.read(
            lambda shelf: query(shelf, offset), lambda listing: self._show(offset, listing), self, key="list"
        )

    def _show(self, offset: int, listing: Listing) -> None:
        if offset:
            self.list.cards.add_rows(listing.rows, listing.total)
            return
        self.shown_instead(listing.instead)
        bar = self.list.verticalScrollBar()
        place = bar.value()
        self.list.set_rows(listing.rows, listing.total)
        if self._open_after_fetch:
            self.list.choose(self._open_after_fetch)
            self._open_after_fetch = ""
        bar.setValue(place)
        if listing.facets is not None:
            self._show_facets(listing.facets)
        elif count := self.counts():
            self.context.read(count, self._show_facets, self, key="facets", lane=Lane.COUNT)
        self.count.setText(self.count_words(listing.total))
        self._clear.setVisible(self.filtered)
        if listing.total:
            self._body.setCurrentWidget(self.list)
        else:
            if self._nothing is not None:
                self._body.removeWidget(self._nothing)
                self._nothing.deleteLater()
            self._nothing = self.nothing()
            self._body.addWidget(self._nothing)
            self._body.setCurrentWidget(self._nothing)

    def shown_instead(self, words: str) -> None:
        """Tell that something else was looked for than what was typed, or with "" that it was not."""

    def count_words(self, total: int) -> str:
        """How many there are, in words."""
        return ngettext("{count} item", "{count} items", total).format(count=number(total)) if total else ""

    def _show_facets(self, facets: dict[str, list[tuple[str, int]]]) -> None:
        for name, words in self.FACETS:
            values = [(str(value), count) for value, count in facets.get(name, []) if value not in ("", None)]
            chosen = self.filters[name].value()
            if chosen and chosen not in {value for value, _count in values}:
                values.append((chosen, 0))
            items = [(value, f"{self.facet_words(name, value)} ({number(count)})") for value, count in values]
            self.filters[name].set_items([("", _(words)), *items])
            self.filter_bar.set_useful(name, len(values) > 1 or bool(chosen))

    def facet_words(self, name: str, value: str) -> str:
        """A value of a filter in the window's language."""
        if name == "theme":
            return self.context.theme_name(value)
        if name == "lang":
            return language_name(value)
        if name == "country":
            return name_of(value)
        if name == "type":
            return term(RESOURCE_TYPES, value)
        if name == "policy_cycle":
            return term(POLICY_CYCLE, value)
        if name == "kind":
            return record_kind(value)
        return value

    def _row_opened(self, row: CardRow) -> None:
        self.panes.open_reader()
        self.reader.open(row.id)
        self.context.navigator.note(record=row.id)
        self.reader.text.setFocus()

    def _offer(self, where: QPoint) -> None:
        """The menu of a row, also by the menu key."""
        if (row := self.list.current_row()) is not None and not row.section:
            menu = self.menu_of(row)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.list.viewport().mapToGlobal(where))

    def menu_of(self, row: CardRow) -> QMenu:
        """What can be done with a row without opening it."""
        menu = QMenu(self)
        menu.addAction(_("Open"), lambda: self.list.opened.emit(row))
        if linkable(row.kind):
            menu.addAction(_("Copy link"), lambda: put_link(self.context, row.kind, row.id))
        if row.kind in HOMES:
            menu.addAction(_("Open in a new tab"), lambda: self._open_beside(row))
        if self.list.can_pick and row.id:
            words = _("Choose no longer") if row.id in self.list.picked else _("Choose")
            menu.addAction(words, lambda: self.list.picked.toggle(row.id))
        return menu

    def _open_beside(self, row: CardRow | None) -> None:
        if row is not None and not row.section and row.kind in HOMES:
            self.context.open_beside(row.place or place_of(row.kind, row.id), row.title)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            row = self.list.indexAt(event.position().toPoint()).data(ROW)
            if event.button() == Qt.MouseButton.MiddleButton and isinstance(row, CardRow):
                self._open_beside(row)
        return super().eventFilter(watched, event)

    def _left_reader(self) -> None:
        self.context.navigator.note(record="")
        self.list.setFocus()

    def _narrowed(self, narrow: bool) -> None:
        self.filter_bar.setVisible(not narrow and bool(self.FACETS))
        self.count.setVisible(not narrow)
        for widget in self._head_buttons:
            widget.setVisible(not narrow)


PER_PAGE = PAGE_SIZE
