"""Search: one answer for everything on the shelf, with the found words marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex
from PySide6.QtWidgets import QWidget

from desktop.amounts import number
from desktop.card_rows import hit_row
from desktop.context import Context
from desktop.icons import icon
from desktop.navigation import Place
from desktop.pages.list_page import PER_PAGE, Listing, ListPage
from desktop.shelf import Shelf
from desktop.theme import colours, in_text
from desktop.widgets.basics import ICON, EmptyPlace, button, label
from desktop.widgets.cards import CardRow
from desktop.words import N_, _, isolate, ngettext

if TYPE_CHECKING:
    from resources_cache.cards import Filters
    from resources_cache.saved_searches import SavedSearch


class SearchPage(ListPage):
    """Results of `Place.query`, best first."""

    TITLE = N_("Search")
    FACETS = (
        ("kind", N_("Everything")),
        ("theme", N_("All themes")),
        ("country", N_("All countries")),
        ("lang", N_("All languages")),
        ("type", N_("All types")),
        ("year", N_("All years")),
        ("policy_cycle", N_("Whole policy cycle")),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.words = ""
        self._as_typed = False
        self._meant = ""
        self._instead = label("", wrap=False)
        self._typed = button(_("Search"), "quiet", "", self._search_as_typed)
        self._since = ""
        self._total = 0
        self._only_new = False
        self._news = label("", "notice", wrap=False)
        self._new = button(_("Show only these"), "quiet", "", self._toggle_new)
        self._new.setCheckable(True)
        self._renewing = label("", "notice", wrap=False)
        self._exact = True
        for part in (self._instead, self._typed, self._news, self._new, self._renewing):
            self.above.addWidget(part)
            part.hide()
        self._saved = False
        self._save = button(_("Save this search"), "quiet", "save", self._toggle_saved)
        self._save.hide()
        self.add_head_button(self._save)
        self.chosen_bar = self.choose_many()

    def arrive(self, place: Place) -> None:
        if place.query != self.words or place.fill:
            self._as_typed = self._only_new = False
            self._since = ""
            self.words = place.query
            self.list.setCurrentIndex(QModelIndex())  # or the list goes to where that record is now
            self.list.verticalScrollBar().setValue(0)
        if place.fill:
            self.set_filters(dict(place.fill))
        super().arrive(place)

    def _filters(self) -> Filters:
        from resources_cache.cards import Filters

        year = self.chosen("year")
        return Filters(
            kind=self.chosen("kind") or None,
            lang=self.chosen("lang") or None,
            theme=self.chosen("theme") or None,
            country=self.chosen("country") or None,
            type=self.chosen("type") or None,
            year=int(year) if year.isdecimal() else None,
            policy_cycle=self.chosen("policy_cycle") or None,
        )

    def query(self) -> Callable[[Shelf, int], Listing]:
        from resources_cache.own_search import search_all
        from resources_cache.saved_searches import news

        words, as_typed, since, only_new = self.words, self._as_typed, self._since, self._only_new
        chosen = self._filters()
        filters = replace(chosen, since=since) if only_new else chosen

        total = self._total

        def read(shelf: Shelf, offset: int) -> Listing:
            page = search_all(
                shelf.library,
                shelf.own,
                words,
                filters,
                PER_PAGE,
                offset,
                as_typed=as_typed,
                reads=shelf.reads,
                counts=not offset,
            )
            rows = [hit_row(hit) for hit in page.results]
            if offset:
                return Listing(total, rows)
            saved = next(
                (s for s in shelf.own.searches() if (s.words, s.filters) == (words.strip(), chosen)), None
            )
            known: dict[str, Any] = {"saved": saved is not None, "since": since}
            known |= {"exact": page.exact, "not_indexed": page.not_indexed}
            if saved is not None:
                known["since"] = since or saved.seen
                known["new"] = news(shelf.library, replace(saved, seen=known["since"]))
            return Listing(page.total, rows, dict(page.facets), known, page.instead)

        return read

    def _show(self, offset: int, listing: Listing) -> None:
        if not offset:
            self._total, self._exact = listing.total, bool(listing.behind.get("exact", True))
        super()._show(offset, listing)
        if offset:
            return
        waiting = int(listing.behind.get("not_indexed", 0))
        self._renewing.setVisible(waiting > 0)
        told = ngettext(
            "{count} item is still being added to the search.",
            "{count} items are still being added to the search.",
            waiting,
        )
        self._renewing.setText(told.format(count=number(waiting)))
        self._since = str(listing.behind.get("since", ""))
        self._saved = bool(listing.behind.get("saved"))
        words = _("Saved: forget this search") if self._saved else _("Save this search")
        self._save.setText(words)
        self._save.setAccessibleName(words)
        self._save.setIcon(icon("saved" if self._saved else "save", colours().accent, in_text(ICON)))
        self._save.setVisible(bool(self.words))
        count = int(listing.behind.get("new", 0))
        for part in (self._news, self._new):
            part.setVisible(count > 0 or self._only_new)
        told = ngettext("{count} new since you last looked", "{count} new since you last looked", count)
        self._news.setText(told.format(count=number(count)))
        self._news.setMinimumHeight(self._new.sizeHint().height())
        self._new.setChecked(self._only_new)
        if self._saved:
            looked, filters = self.words, self._filters()
            self.context.write(
                lambda shelf: shelf.own.look_at_search(looked, filters, shelf.library.newest_change()),
                lambda _done: None,
                self,
            )

    def _row_opened(self, row: CardRow) -> None:
        if row.kind == "item" and row.place is not None:
            self.context.navigator.go(row.place)  # it is not in the library yet
            return
        super()._row_opened(row)

    def _toggle_new(self) -> None:
        self._only_new = not self._only_new
        self.refresh()

    def _toggle_saved(self) -> None:
        words, filters, saved = self.words, self._filters(), self._saved

        def keep(shelf: Shelf) -> SavedSearch | None:
            before = shelf.own.searches()
            if saved:
                shelf.own.forget_search(words, filters)
                return next((one for one in before if one not in shelf.own.searches()), None)
            shelf.own.save_search(words, filters, shelf.library.newest_change())
            return None

        def kept(gone: SavedSearch | None) -> None:
            if gone is not None:
                self.context.notices.undoable.emit(_("Forgotten."), lambda: put_back(gone))
            else:
                self.context.notices.said.emit(_("Saved. My shelf says what is new in it."))
            self.refresh()

        def put_back(gone: SavedSearch) -> None:
            self.context.write(lambda shelf: shelf.own.put_search_back(gone), lambda _done: self.refresh(), self)

        self.context.write(keep, kept, self)

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
        if not self._exact:
            more = _("{count} results or more for “{words}”")
            return more.format(count=number(total), words=isolate(self.words))
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
