"""Search: one answer for everything on the shelf, with the found words marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QWidget

from desktop.amounts import number
from desktop.card_rows import hit_row
from desktop.context import Context
from desktop.navigation import Place
from desktop.pages.list_page import PER_PAGE, Listing, ListPage
from desktop.shelf import Shelf
from desktop.state_words import RECORD_KINDS
from desktop.widgets.basics import EmptyPlace, button, label
from desktop.words import N_, _, isolate, ngettext

_KINDS = ("resource", "thread", "expert", "event", "organisation", "request")


class SearchPage(ListPage):
    """Results of `Place.query`, best first."""

    TITLE = N_("Search")
    FACETS = (("kind", N_("Everything")), ("lang", N_("All languages")), ("theme", N_("All themes")))

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.words = ""
        self._as_typed = False
        self._meant = ""
        self._instead = label("", wrap=False)
        self._typed = button("", "quiet", "", self._search_as_typed)
        for part in (self._instead, self._typed):
            self.above.addWidget(part)
            part.hide()

    def arrive(self, place: Place) -> None:
        if place.query != self.words:
            self._as_typed = False
            self.words = place.query
            self.list.verticalScrollBar().setValue(0)
        super().arrive(place)

    def query(self) -> Callable[[Shelf, int], Listing]:
        from resources_cache.cards import Filters

        words, as_typed = self.words, self._as_typed
        filters = Filters(
            kind=self.chosen("kind") or None, lang=self.chosen("lang") or None, theme=self.chosen("theme") or None
        )

        def count(shelf: Shelf, **changed: Any) -> int:
            return shelf.library.search(words, replace(filters, **changed), limit=0, as_typed=as_typed).total

        def facets(shelf: Shelf) -> dict[str, list[tuple[str, int]]]:
            every = shelf.library.facets(Filters(), _KINDS)
            found: dict[str, list[tuple[str, int]]] = {}
            for name, values in (
                ("kind", [k for k in RECORD_KINDS if k in _KINDS]),
                ("lang", [str(v) for v, _n in every.get("lang", [])[:12]]),
                ("theme", [str(v) for v, _n in every.get("theme", [])[:12]]),
            ):
                counted = [(value, count(shelf, **{name: value})) for value in values]
                found[name] = [pair for pair in counted if pair[1]]
            return found

        def read(shelf: Shelf, offset: int) -> Listing:
            page = shelf.library.search(words, filters, limit=PER_PAGE, offset=offset, as_typed=as_typed)
            rows = [hit_row(hit) for hit in page.results]
            return Listing(page.total, rows, {} if offset else facets(shelf), instead=page.instead)

        return read

    def shown_instead(self, words: str) -> None:
        self._meant = words
        for part in (self._instead, self._typed):
            part.setVisible(bool(words))
        if words:
            self._instead.setText(_("Showing results for “{words}”").format(words=isolate(words)))
            typed = _("Search instead for “{words}”").format(words=isolate(self.words))
            self._typed.setText(typed)
            self._typed.setAccessibleName(typed)
            self._instead.setMinimumHeight(self._typed.sizeHint().height())  # in line with the words beside it

    def _search_as_typed(self) -> None:
        self._as_typed = True
        self.refresh()

    def count_words(self, total: int) -> str:
        if not total or self._meant:
            return super().count_words(total)  # what they are for is said below it
        words = ngettext("{count} result for “{words}”", "{count} results for “{words}”", total)
        return words.format(count=number(total), words=isolate(self.words))

    def nothing(self) -> QWidget:
        if not self.words:
            return EmptyPlace(
                "search", _("Search everything"), _("Type in the field above, or press Ctrl+K from anywhere.")
            )
        if self.filtered:
            return EmptyPlace(
                "filter",
                _("Nothing matches all these filters."),
                _("Take one away, or clear them all."),
                _("Clear filters"),
                self.clear_filters,
            )
        return EmptyPlace(
            "search",
            _("Nothing on your shelf speaks of “{words}”.").format(words=isolate(self.words)),
            _("Try fewer or other words. Or ask: people at the hub may know."),
            _("Ask this as a question"),
            lambda: self.context.navigator.go(Place("ask", fill=(("kind", "question"), ("title", self.words)))),
        )
