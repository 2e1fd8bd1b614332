"""Library: every resource of the shelf, with filters, sorting, and the reader."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from desktop.amounts import number
from desktop.card_rows import card_row, files_on_shelf
from desktop.context import Context
from desktop.navigation import Place
from desktop.pages.list_page import PER_PAGE, Listing, ListPage
from desktop.shelf import Shelf
from desktop.widgets.basics import Choice, EmptyPlace
from desktop.words import N_, _, ngettext


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

    def arrive(self, place: Place) -> None:
        if place.fill:
            self.set_filters(dict(place.fill))
        super().arrive(place)

    def query(self) -> Callable[[Shelf, int], Listing]:
        from resources_cache.cards import Filters

        context, sort = self.context, self.sort.value()
        year = self.chosen("year")
        filters = Filters(
            lang=self.chosen("lang") or None,
            theme=self.chosen("theme") or None,
            country=self.chosen("country") or None,
            type=self.chosen("type") or None,
            year=int(year) if year.lstrip("-").isdigit() else None,
            policy_cycle=self.chosen("policy_cycle") or None,
        )

        def read(shelf: Shelf, offset: int) -> Listing:
            page = shelf.library.browse(("resource",), filters, sort, offset, PER_PAGE)
            here = files_on_shelf(shelf, page.items)
            rows = [card_row(card, context, files_here=card.id in here) for card in page.items]
            return Listing(page.total, rows, {} if offset else shelf.library.facets(filters, ("resource",)))

        return read

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
