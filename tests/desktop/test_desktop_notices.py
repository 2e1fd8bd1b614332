"""What a person sees of a saved resource that the hub corrects, replaces, withdraws or deletes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop.app import Application
from desktop.changed import changed_rows, remember
from desktop.navigation import place_of
from desktop.pages.list_page import ListPage
from desktop.reading.citing import noted_source
from desktop.reading.record_view import RecordView
from desktop.shelf import Shelf
from resources_cache.cards import StoredHead
from resources_cache.citing.formats import bibtex, ris
from resources_cache.citing.sources import source as plain_source
from resources_cache.library import Cursor, Library
from resources_cache.own import Own

Settle = Callable[[Application], None]
STREAM = "public/cards/en"
OLD = {
    "id": "old",
    "type": "resource",
    "lang": "en",
    "title": "Costing guide",
    "authors": ["Njeri Kamau"],
    "year": 2020,
}
NEW = {**OLD, "id": "new", "title": "Costing guide, 2nd edition", "year": 2024}
WHY = {"en": "The prices are of 2019.", "fr": "Les prix sont de 2019."}
SUPERSEDED = {**OLD, "notice": {"kind": "superseded", "by": "new", "since": "2026-05-03", "note": WHY}}
WITHDRAWN = {**OLD, "notice": {"kind": "withdrawn", "since": "2026-05-03"}}


def put(home: Path, *records: dict[str, Any]) -> None:
    home.mkdir(exist_ok=True)
    with Library(home / "library.db") as library:
        seq = library.cursors().get(STREAM, Cursor()).seq + 1
        library.apply(STREAM, records, Cursor(1, seq))
        library.save_head(StoredHead(1, seq, b"{}", True, "2026-05-04T08:00:00Z"))


def save(home: Path) -> None:
    with Own(home / "own.db") as own:
        own.bookmark("old", "Costing guide")
    with Shelf(home) as shelf:
        assert remember(shelf) == 1
        assert remember(shelf) == 0


def read(application: Application, settle: Settle) -> RecordView:
    settle(application)
    application.context.navigator.go(place_of("resource", "old"))
    settle(application)
    page = application.window.stack.currentWidget()
    assert isinstance(page, ListPage)
    return page.reader


def test_what_was_saved_and_changed_is_told_until_it_is_looked_at(
    tmp_path: Path, make_window: Callable[..., Application], settle: Settle, qtbot: Any
) -> None:
    home = tmp_path / "shelf"
    put(home, OLD, NEW)
    save(home)
    with Shelf(home) as shelf:
        assert changed_rows(shelf, 4) == []
    put(home, SUPERSEDED)
    with Shelf(home) as shelf:
        (row,) = changed_rows(shelf, 4)
    said = "There is a newer edition: \u2068Costing guide, 2nd edition\u2069"
    assert row.line == f"{said} The prices are of 2019."

    reader = read(make_window(home), settle)
    qtbot.waitUntil(lambda: reader.notice.isVisible() and reader.notice.words.text() == said)
    assert reader.notice.note.text() == "The prices are of 2019."

    def seen() -> bool:
        with Shelf(home) as shelf:
            return changed_rows(shelf, 4) == []

    qtbot.waitUntil(seen)
    reader.notice.open.click()
    qtbot.waitUntil(lambda: reader.record == "new" and not reader.notice.isVisible())


def test_what_the_hub_deletes_leaves_what_a_citation_needs(
    tmp_path: Path, make_window: Callable[..., Application], settle: Settle, qtbot: Any
) -> None:
    home = tmp_path / "shelf"
    put(home, OLD)
    save(home)
    with Own(home / "own.db") as own:
        own.set_note("old", "Page 12 for the budget.")
    put(home, {"id": "old", "deleted": True})
    with Shelf(home) as shelf:
        (row,) = changed_rows(shelf, 4)
        assert (row.title, row.badges[0].text) == ("Costing guide", "Withdrawn")
        shelf.own.set_setting("languages", ["fr"])  # it left because English is kept no longer
        assert changed_rows(shelf, 4) == []
        shelf.own.set_setting("languages", ["en"])
    reader = read(make_window(home), settle)
    qtbot.waitUntil(lambda: reader.notice.isVisible() and "no longer has this" in reader.notice.words.text())
    assert "Njeri Kamau" in reader.text.toPlainText()


def test_a_citation_carries_the_notice(tmp_path: Path) -> None:
    home = tmp_path / "shelf"
    put(home, WITHDRAWN, NEW)
    with Shelf(home) as shelf:
        source = noted_source(shelf, shelf.library.get("old") or {})
        assert noted_source(shelf, shelf.library.get("new") or {}).note == ""
        assert plain_source(shelf.library.get("old") or {}).note == "Withdrawn on 2026-05-03."
    assert source.note == "Withdrawn by the hub on 3 May 2026."
    assert "N1  - Withdrawn by the hub on 3 May 2026.\r\n" in ris([source])
    assert "note = {Withdrawn by the hub on 3 May 2026.}" in bibtex([source])
