"""Library: every resource of the shelf, with filters, sorting, and the reader."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from desktop.amounts import number
from desktop.card_rows import card_row, files_on_shelf
from desktop.context import Context
from desktop.navigation import Place
from desktop.pages.list_page import PER_PAGE, Listing, ListPage
from desktop.shelf import Shelf
from desktop.widgets.basics import Choice, EmptyPlace
from desktop.widgets.cards import CardList, CardRow
from desktop.widgets.paged_cards import PagedList
from desktop.widgets.picking import MOST
from desktop.words import N_, _, ngettext

if TYPE_CHECKING:
    from resources_cache.cards import Filters

KINDS = ("resource",)


def _gone() -> CardRow:
    """What stands where a record was that left the shelf a moment ago."""
    return CardRow(title=_("No longer on the shelf."))


class LibraryPage(ListPage):
    """Resources, newest first unless the person sorts them otherwise."""

    TITLE = N_("Library")
    FACETS = (
        ("theme", N_("All themes")),
        ("country", N_("All countries")),
        ("lang", N_("All languages")),
        ("type", N_("All types")),
        ("year", N_("All years")),
        ("policy_cycle", N_("Whole policy cycle")),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.sort = Choice(
            _("Sort"),
            [("newest", _("Newest on the hub")), ("title", _("By title")), ("year", _("By year"))],
        )
        self.sort.currentIndexChanged.connect(lambda _i: self.refresh())
        self.head.addWidget(self.sort)
        self.chosen_bar = self.choose_many()

    def arrive(self, place: Place) -> None:
        if place.fill:
            self.set_filters(dict(place.fill))
        super().arrive(place)

    def make_list(self) -> CardList:
        listed = PagedList(_(self.TITLE))
        listed.pages_wanted.connect(self._fetch_pages)
        return listed

    def pick_range(self, first: int, last: int) -> None:
        assert isinstance(self.list, PagedList)
        rows = self.list.paged.order[first : min(last, first + MOST) + 1]
        self.context.read(lambda shelf: shelf.library.ids_at(rows), self.list.picked.add, self, key="range")

    def chosen_filters(self) -> Filters:
        """What the list is narrowed to."""
        from resources_cache.cards import Filters

        year = self.chosen("year")
        return Filters(
            lang=self.chosen("lang") or None,
            theme=self.chosen("theme") or None,
            country=self.chosen("country") or None,
            type=self.chosen("type") or None,
            year=int(year) if year.lstrip("-").isdigit() else None,
            policy_cycle=self.chosen("policy_cycle") or None,
        )

    def query(self) -> Callable[[Shelf, int], Listing]:
        context, sort, filters = self.context, self.sort.value(), self.chosen_filters()

        def read(shelf: Shelf, offset: int) -> Listing:
            page = shelf.library.browse(KINDS, filters, sort, offset, PER_PAGE)
            here = files_on_shelf(shelf, page.items)
            rows = [card_row(card, context, files_here=card.id in here) for card in page.items]
            return Listing(page.total, rows, None)

        return read

    def counts(self) -> Callable[[Shelf], dict[str, list[tuple[str, int]]]]:
        filters = self.chosen_filters()
        return lambda shelf: shelf.library.facets(filters, KINDS)

    def _show(self, offset: int, listing: Listing) -> None:
        """The first page is there at once; the order of all and the counts of the filters follow."""
        super()._show(offset, listing)
        filters, sort = self.chosen_filters(), self.sort.value()
        self.context.read(
            lambda shelf: shelf.library.order(KINDS, filters, sort), self._ordered, self, key="order"
        )

    def _ordered(self, order: array[int]) -> None:
        assert isinstance(self.list, PagedList)
        self.list.take_order(order)

    def _fetch_pages(self, pages: list[int]) -> None:
        """Read pages that came into sight. Others that come meanwhile take their place."""
        assert isinstance(self.list, PagedList)
        paged, context = self.list.paged, self.context
        order, wanted = paged.order, {page: paged.numbers(page) for page in pages}

        def read(shelf: Shelf) -> dict[int, list[CardRow]]:
            found = shelf.library.cards_at([row for rows in wanted.values() for row in rows])
            here = files_on_shelf(shelf, list(found.values()))
            return {
                page: [
                    card_row(found[row], context, files_here=found[row].id in here) if row in found else _gone()
                    for row in rows
                ]
                for page, rows in wanted.items()
            }

        def put(read_pages: dict[int, list[CardRow]]) -> None:
            if order is not paged.order:
                return  # of a list that is not shown any more
            for page, rows in read_pages.items():
                paged.put_page(page, rows)

        context.read(read, put, self, key="pages")

    def count_words(self, total: int) -> str:
        return (
            ngettext("{count} resource", "{count} resources", total).format(count=number(total)) if total else ""
        )

    def nothing(self) -> QWidget:
        if self.filtered:
            return EmptyPlace(
                "filter",
                _("Nothing matches all these filters."),
                _("Take one away, or clear them all."),
                _("Clear filters"),
                self.clear_filters,
            )
        return EmptyPlace(
            "library",
            _("The library is still empty."),
            _("Resources arrive with the first sync. Choose what your shelf keeps, and see what it costs first."),
            _("Open Sync"),
            lambda: self.context.navigator.go(Place("sync")),
        )
