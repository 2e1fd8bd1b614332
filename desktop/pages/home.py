"""Home: what came since the person was last here, what waits, and where reading stopped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout

from desktop.card_rows import answers_of, card_row, event_row, is_over, item_row, request_row, search_row
from desktop.changed import changed_rows, remember
from desktop.context import Context
from desktop.navigation import Place, place_of
from desktop.pages.home_charts import Figures, HomeCharts, read_figures
from desktop.pages.page import Page
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import EmptyPlace, title
from desktop.widgets.cards import Badge, CardList, CardRow
from desktop.words import N_, _, language, primary_tag

if TYPE_CHECKING:
    from resources_cache.cards import Card

_FEW = 4
_LOOKED_AT = 20
"""Saved searches that are tried for news, the last saved first: each costs a search."""


@dataclass
class News:
    """What Home shows, as rows under their headings."""

    answers: list[CardRow] = field(default_factory=list)
    changed: list[CardRow] = field(default_factory=list)
    resources: list[CardRow] = field(default_factory=list)
    threads: list[CardRow] = field(default_factory=list)
    events: list[CardRow] = field(default_factory=list)
    waiting: list[CardRow] = field(default_factory=list)
    searches: list[CardRow] = field(default_factory=list)
    reading: list[CardRow] = field(default_factory=list)
    anything: bool = False
    themes: bool = False
    figures: Figures = field(default_factory=Figures)

    def rows(self) -> list[CardRow]:
        """All sections that have something, in the order that matters to a person."""
        news = _("New in your themes") if self.themes else _("New on your shelf")
        found: list[CardRow] = []
        for words, rows in (
            (_("Answers to you"), self.answers),
            (_("Something you saved or cited has changed"), self.changed),
            (_("Where you stopped reading"), self.reading),
            (_("Waiting to go"), self.waiting),
            (_("New in your searches"), self.searches),
            (news, self.resources),
            (_("Discussions that moved"), self.threads),
            (_("Coming events"), self.events),
        ):
            if rows:
                found += [CardRow(title=words, section=True), *rows]
        return found


def read_news(shelf: Shelf, context: Context) -> News:
    """Everything Home shows, in one go."""
    from resources_cache.saved_searches import news as news_in

    news = News()
    library, own = shelf.library, shelf.own
    themes = own.setting("themes")
    news.themes = bool(themes)
    for card in library.latest(("request",), limit=_FEW * 3):
        record = library.get(card.id)
        if record and (answers_of(record) or record.get("state") == "waiting"):
            news.answers.append(request_row(record))
    news.answers = news.answers[:_FEW]
    news.changed = changed_rows(shelf, _FEW)
    spoken = set(own.setting("languages") or (language(), "en"))
    cards = _readable(library.latest(("resource",), limit=_FEW * 25), spoken)
    mine = [card for card in cards if not themes or set(themes) & set(card.themes)] or cards
    news.resources = [
        card_row(card, context, picture=True, files_here=_files_here(shelf, card)) for card in mine[:_FEW]
    ]
    threads = _readable(library.latest(("thread",), limit=_FEW * 10), spoken)
    news.threads = [card_row(card, context, picture=True) for card in threads[:_FEW]]
    events: list[dict[str, Any]] = []
    for card in library.latest(("event",), limit=200):
        record = library.get(card.id) or {}
        if not is_over(record):
            events.append(record)
    events.sort(key=lambda record: str(record.get("starts") or ""))
    news.events = [event_row(record, context) for record in events[:3]]
    news.waiting = [item_row(item) for item in own.outbox.items(["attention", "waiting", "sending"])[:_FEW]]
    for place in own.reading_places(limit=12):
        if 0.03 < place.fraction < 0.97 and (found := library.get(place.id)):
            words = _("{percent} % read").format(percent=round(place.fraction * 100))
            news.reading.append(
                CardRow(
                    id=place.id,
                    kind="resource",
                    title=str(found.get("title") or ""),
                    picture="text",
                    badges=(Badge(words, "accent"),),
                    place=place_of("resource", place.id, resume=True),
                )
            )
    news.reading = news.reading[:3]
    counted = [(search, news_in(library, search)) for search in own.searches()[:_LOOKED_AT]]
    news.searches = [search_row(search, count, context) for search, count in counted if count][:_FEW]
    news.anything = bool(library.counts())
    news.figures = read_figures(shelf)
    return news


def _files_here(shelf: Shelf, card: Card) -> bool:
    """Whether all files of a card are on the shelf. The quota, which may change yet, is not asked for."""
    from resources_cache.files import FileStore

    store = FileStore(shelf.path / "files", 0)
    files = (shelf.library.get(card.id) or {}).get("files") or [] if card.files_bytes else []
    try:
        return bool(files) and all(store.has(str(file.get("hash"))) for file in files)
    except ValueError:  # a name that no file can have
        return False


def _readable(cards: list[Card], languages: set[str]) -> list[Card]:
    """The cards in the person's languages first, then the others, each newest first."""
    return sorted(cards, key=lambda card: primary_tag(card.lang) not in languages)


class HomePage(Page):
    """One list with headings; an empty shelf explains itself."""

    TITLE = N_("Home")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.list = CardList(_("Since you were last here"))
        self.list.opened.connect(self._open)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._empty: EmptyPlace | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 3 * STEP, 0, 0)
        self._title = title(_("Since you were last here"))
        self._title.setContentsMargins(2 * STEP, 0, 2 * STEP, 0)
        column.addWidget(self._title)
        column.addWidget(self._stack, 1)
        self.charts = HomeCharts()
        column.addWidget(self.charts)
        context.notices.outbox_changed.connect(self.refresh)

    def arrive(self, place: Place) -> None:
        self.list.setFocus()
        self.refresh()
        # What was saved before this shelf remembered such things, or by a list of many.
        self.context.write(remember, lambda _count: None, self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.charts.fit()

    def refresh(self) -> None:
        if self.isVisible():
            context = self.context
            context.read(lambda shelf: read_news(shelf, context), self._show, self, key="news")

    def _show(self, news: News) -> None:
        rows = news.rows()
        self._title.setVisible(bool(rows))
        self.charts.show_figures(news.figures)
        if rows:
            self.list.set_rows(rows)
            self._stack.setCurrentWidget(self.list)
            return
        if self._empty is None:
            self._empty = EmptyPlace(
                "hub",
                _("Your shelf is ready, and still empty."),
                _(
                    "Connect to your hub, or look around as a guest. "
                    "After that everything can be read without a connection."
                ),
                _("Connect to a hub"),
                lambda: self.context.navigator.go(Place("first-run")),
            )
            self._stack.addWidget(self._empty)
        self._stack.setCurrentWidget(self._empty)

    def _open(self, row: CardRow) -> None:
        if row.kind == "item":
            self.context.navigator.go(Place("outbox", record=row.id))
        elif row.place is not None:
            self.context.navigator.go(row.place)
