"""Discussions: threads of the community by theme and activity, summary first, replies through the outbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtWidgets import QWidget

from desktop.amounts import number
from desktop.card_rows import card_row
from desktop.context import Context
from desktop.navigation import Place
from desktop.pages.list_page import PER_PAGE, Listing, ListPage
from desktop.shelf import Shelf
from desktop.state_words import ACTIVITIES, term
from desktop.widgets.basics import EmptyPlace, button
from desktop.words import N_, _, ngettext


class DiscussionsPage(ListPage):
    """Threads as cards with their counts, the last moved first."""

    TITLE = N_("Discussions")
    FACETS = (("theme", N_("All themes")), ("activity", N_("All activities")))

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.add_head_button(button(_("Ask the community"), "", "ask", lambda: context.navigator.go(Place("ask"))))

    def query(self) -> Callable[[Shelf, int], Listing]:
        context = self.context
        theme, activity = self.chosen("theme") or None, self.chosen("activity") or None

        def read(shelf: Shelf, offset: int) -> Listing:
            page = shelf.library.threads(theme, activity, offset, PER_PAGE)
            rows = [replace(card_row(card, context), line=_summary(shelf, card.id)) for card in page.items]
            return Listing(page.total, rows, None)

        return read

    def counts(self) -> Callable[[Shelf], dict[str, list[tuple[str, int]]]]:
        from resources_cache.cards import Filters

        theme = self.chosen("theme") or None

        def count(shelf: Shelf) -> dict[str, list[tuple[str, int]]]:
            totals = [(name, shelf.library.threads(theme, name, 0, 1).total) for name in ACTIVITIES]
            return {
                "theme": shelf.library.facets(Filters(), ("thread",)).get("theme", []),
                "activity": [(name, total) for name, total in totals if total],
            }

        return count

    def facet_words(self, name: str, value: str) -> str:
        return term(ACTIVITIES, value) if name == "activity" else super().facet_words(name, value)

    def count_words(self, total: int) -> str:
        words = ngettext("{count} discussion", "{count} discussions", total)
        return words.format(count=number(total)) if total else ""

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
            "discussions",
            _("No discussion is on your shelf yet."),
            _("Discussions arrive with the first sync. You can ask a question now: it leaves with it."),
            _("Ask a question"),
            lambda: self.context.navigator.go(Place("ask")),
        )


def _summary(shelf: Shelf, thread: str) -> str:
    """The words of a thread's summary without its citations, else how its first message begins."""
    record = shelf.library.get(thread) or {}
    found = record.get("summaries") or record.get("messages") or [{}]
    return re.sub(r"\s*\[\d+\]", "", str(found[0].get("body") or ""))
