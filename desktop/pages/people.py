"""People: experts, organisations and events, with filters and an introduction to ask for."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton, QWidget

from desktop.amounts import number
from desktop.card_rows import card_row, event_row, is_over
from desktop.context import Context
from desktop.navigation import Place
from desktop.pages.list_page import PER_PAGE, Listing, ListPage
from desktop.shelf import Shelf
from desktop.widgets.basics import EmptyPlace, button
from desktop.words import N_, _, ngettext

TABS = (
    ("expert", N_("Experts"), "people"),
    ("organisation", N_("Organisations"), "organisation"),
    ("event", N_("Events"), "calendar"),
)


class PeoplePage(ListPage):
    """One list, of the kind that is chosen above it."""

    TITLE = N_("People")
    FACETS = (("theme", N_("All themes")), ("country", N_("All countries")), ("lang", N_("All languages")))

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.kind = "expert"
        self._tabs: dict[str, QPushButton] = {}  # a QButtonGroup would take all but one off the Tab key
        for kind, words, picture in TABS:
            made = button(_(words), "", picture)
            made.setCheckable(True)
            made.setChecked(kind == self.kind)
            made.clicked.connect(lambda _checked=False, kind=kind: self._choose(kind))
            self._tabs[kind] = made
            self.above.addWidget(made)

    def arrive(self, place: Place) -> None:
        if place.tab and place.tab != self.kind:
            self.kind = place.tab
            self._mark_tab()
        super().arrive(place)

    def _mark_tab(self) -> None:
        for kind, made in self._tabs.items():
            made.setChecked(kind == self.kind)

    def _choose(self, kind: str) -> None:
        self.kind = kind
        self._mark_tab()
        for choice in self.filters.values():
            choice.blockSignals(True)
            choice.setCurrentIndex(0)
            choice.blockSignals(False)
        if self.panes.reading:
            self.panes.close_reader()
        self.refresh()

    def query(self) -> Callable[[Shelf, int], Listing]:
        from resources_cache.cards import Filters

        context, kind = self.context, self.kind
        filters = Filters(
            lang=self.chosen("lang") or None,
            theme=self.chosen("theme") or None,
            country=self.chosen("country") or None,
        )
        sort = "newest" if kind == "event" else "title"

        def read(shelf: Shelf, offset: int) -> Listing:
            page = shelf.library.browse((kind,), filters, sort, offset, PER_PAGE)
            if kind == "event":
                records = [shelf.library.get(card.id) or {"id": card.id} for card in page.items]
                records.sort(key=lambda record: (is_over(record), str(record.get("starts") or "")))
                rows = [event_row(record, context) for record in records]
            else:
                rows = [card_row(card, context) for card in page.items]
            return Listing(page.total, rows, {} if offset else shelf.library.facets(filters, (kind,)))

        return read

    def count_words(self, total: int) -> str:
        if not total:
            return ""
        if self.kind == "expert":
            words = ngettext("{count} expert", "{count} experts", total)
        elif self.kind == "organisation":
            words = ngettext("{count} organisation", "{count} organisations", total)
        else:
            words = ngettext("{count} event", "{count} events", total)
        return words.format(count=number(total))

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
            "people",
            _("Nobody is listed here yet."),
            _(
                "People, organisations and events arrive with the first sync. "
                "The helpdesk can also find you someone."
            ),
            _("Ask the helpdesk"),
            lambda: self.context.navigator.go(Place("ask", fill=(("kind", "helpdesk"),))),
        )
