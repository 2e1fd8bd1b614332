"""The search of the window: what else there is of a work, filters with counts, and titles while typing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl

from desktop import app as app_module
from desktop.app import Application
from desktop.navigation import Place
from desktop.widgets.cards import plain
from resources_cache import search_index
from resources_cache.cards import Filters
from resources_cache.library import Cursor, Library
from resources_cache.own import Own

Make = Callable[..., Application]
Settle = Callable[[Application], None]

TWINS = [
    {"id": "w-en", "type": "resource", "lang": "en", "title": "Quokka care", "summary": "Quokkas need shade.",
     "identifiers": {"doi": "10.1000/quokka"}},
    {"id": "w-fr", "type": "resource", "lang": "fr", "title": "Le quokka",
     "identifiers": {"doi": "10.1000/quokka"}},
    {"id": "w-sw", "type": "resource", "lang": "sw", "title": "Kwoka <b>",
     "identifiers": {"doi": "10.1000/quokka"}},
]  # fmt: skip


def search(application: Application, settle: Settle, words: str, **fill: str) -> Any:
    application.context.navigator.go(Place("search", query=words, fill=tuple(fill.items())))
    settle(application)
    return application.window.stack.currentWidget()


def test_a_work_is_one_row_that_says_its_other_languages_and_opens_them(
    make_window: Make, settle: Settle, home: Path
) -> None:
    with Library(home / "library.db") as library:
        library.apply("public/cards/twins", TWINS, Cursor(1, 1))
    application = make_window(home)
    page = search(application, settle, "quokka")
    assert application.window.search.text() == "quokka", "the field holds what is shown"
    assert [row.id for row in page.list.cards.rows] == ["w-en"]
    assert "also in: \u2068Français\u2069, \u2068Kiswahili\u2069" in page.list.cards.rows[0].meta
    page.list.opened.emit(page.list.cards.rows[0])
    settle(application)
    text = page.reader.text.toPlainText()
    assert "\u2068Also on your shelf:\u2069 \u2068Français\u2069: \u2068Le quokka\u2069 · " in text
    assert "Kwoka <b>" in text, "what the hub sent is no markup here"
    page.reader.text.anchorClicked.emit(QUrl("hubshelf:open/resource/w-fr"))
    settle(application)
    assert application.context.navigator.here.record == "w-fr"


def test_the_edition_in_a_language_of_the_person_is_shown(make_window: Make, settle: Settle, home: Path) -> None:
    with Library(home / "library.db") as library, Own(home / "own.db") as own:
        library.apply("public/cards/twins", TWINS, Cursor(1, 1))
        own.set_setting("languages", ["fr"])
    page = search(make_window(home), settle, "quokka")
    assert [row.id for row in page.list.cards.rows] == ["w-fr"]


def typed(application: Application, settle: Settle, qtbot: Any, words: str) -> Any:
    """The search field after these words were typed into it, its suggestions shown."""
    box = application.window.search
    application.window.activateWindow()
    box.setFocus()
    box.clear()
    qtbot.keyClicks(box, words)
    qtbot.wait(100)
    settle(application)
    return box


def shown(box: Any) -> list[str]:
    return [plain(row.title) for row in box.list.cards.rows] if box.popup.isVisible() else []


def test_titles_come_while_one_types_then_the_full_text(
    make_window: Make, settle: Settle, home: Path, qtbot: Any
) -> None:
    with Library(home / "library.db") as library, Own(home / "own.db") as own:
        library.apply("public/cards/twins", TWINS, Cursor(1, 1))
        own.save_search("quokka fodder", Filters(country="KE", year=2024, type="guide"), "")
    application = make_window(home)
    settle(application)
    box = typed(application, settle, qtbot, "quo")
    assert shown(box) == ["Quokka care", "quokka fodder", "Search for “\u2068quo\u2069” in full text"]
    assert box.list.cards.rows[0].title == "\x02Quokka\x03 care"
    assert box.list.cards.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole).startswith("Quokka care. ")
    for key, row in (("Down", 0), ("Down", 1), ("Up", 0), ("Up", -1), ("Up", -1), ("Down", 0)):
        qtbot.keyClick(box, getattr(Qt.Key, f"Key_{key}"))
        assert box.list.currentIndex().row() == row
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert not box.popup.isVisible()
    assert application.context.navigator.here == Place("home")
    box = typed(application, settle, qtbot, "quokka c")
    qtbot.keyClick(box, Qt.Key.Key_Down)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    settle(application)
    assert application.context.navigator.here == Place("library", record="w-en")
    assert application.window.pages["library"].reader.record == "w-en"  # type: ignore[attr-defined]
    box = typed(application, settle, qtbot, "shade quokka ")
    assert shown(box) == ["Search for “\u2068shade quokka\u2069” in full text"]
    qtbot.keyClick(box, Qt.Key.Key_Down)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    settle(application)
    assert application.context.navigator.here == Place("search", query="shade quokka")


def test_a_saved_search_opens_with_all_its_filters_and_a_theme_in_the_library(
    make_window: Make, settle: Settle, home: Path, qtbot: Any
) -> None:
    filters = Filters(
        kind="resource", lang="en", theme="connectivity-and-infrastructure", country="KE", type="guide", year=2025,
        policy_cycle="development",
    )  # fmt: skip
    with Own(home / "own.db") as own:
        own.save_search("quokka fodder", filters, "")
    application = make_window(home)
    settle(application)
    box = typed(application, settle, qtbot, "fodder")
    qtbot.keyClick(box, Qt.Key.Key_Down)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    settle(application)
    page: Any = application.window.pages["search"]
    assert (page.words, page._filters()) == ("quokka fodder", filters)
    box = typed(application, settle, qtbot, "infrastr")
    place = next(row.place for row in box.list.cards.rows if row.kind == "theme")
    assert place == Place("library", fill=(("theme", "connectivity-and-infrastructure"),))
    application.context.navigator.go(place)
    settle(application)
    assert application.window.pages["library"].chosen("theme") == "connectivity-and-infrastructure"  # type: ignore[attr-defined]


def test_suggestions_are_mirrored_and_stay_inside(
    make_window: Make, settle: Settle, home: Path, qtbot: Any
) -> None:
    (home / "window.json").write_text('{"introduced": true, "language": "ar", "scheme": "dark"}')
    application = make_window(home, (1024, 640))
    settle(application)
    box = typed(application, settle, qtbot, "school")
    window = application.window
    right = box.mapTo(window, box.rect().topRight()).x()
    popup = box.popup.geometry().translated(box.popup.parentWidget().mapTo(window, QPoint(0, 0)))
    assert popup.right() == right, "it begins where the field begins, at the right"
    assert window.rect().contains(popup)


def test_every_filter_of_a_search_has_its_counts(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page = search(application, settle, "school")
    total = page.list.cards.total
    assert total > 10
    assert [name for name, choice in page.filters.items() if choice.isVisible()] == [
        "kind", "theme", "country", "lang", "type", "year", "policy_cycle",
    ]  # fmt: skip
    for name, choice in page.filters.items():
        offered = {str(choice.itemData(i)): choice.itemText(i) for i in range(1, choice.count())}
        value, words = next(iter(offered.items()))
        count = int(words.rpartition("(")[2].rstrip(")"))
        choice.choose(value)
        settle(application)
        assert page.list.cards.total == count < total, name
        page.clear_filters()
        settle(application)
        assert page.list.cards.total == total


def test_a_search_is_saved_with_all_its_filters(make_window: Make, settle: Settle, home: Path) -> None:
    chosen = {"kind": "resource", "country": "KE", "lang": "en", "type": "guide", "year": "2025"}
    application = make_window(home)
    page = search(application, settle, "offline", **chosen)
    page._toggle_saved()
    settle(application)
    filters = Filters(kind="resource", country="KE", lang="en", type="guide", year=2025)
    with Own(home / "own.db") as own:
        assert [(saved.words, saved.filters) for saved in own.searches()] == [("offline", filters)]
    search(application, settle, "something else")
    page.clear_filters()
    application.context.navigator.go(Place("shelf"))
    settle(application)
    shelf: Any = application.window.pages["shelf"]
    shelf._tabs["searches"].click()
    settle(application)
    row = shelf.list.cards.rows[0]
    for words in ("Kenya", "English", "Guide", "2025"):
        assert words in row.meta
    shelf.list.opened.emit(row)
    settle(application)
    assert (page.words, page._filters(), page._saved) == ("offline", filters, True)


def test_a_search_that_is_being_renewed_says_so_until_it_is_done(
    make_window: Make, settle: Settle, home: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    def left() -> int:
        with Library(home / "library.db", read_only=True) as library:
            return library.index_left()

    monkeypatch.setattr(app_module, "ENGINE_AFTER_MS", 60_000)
    with Library(home / "library.db") as library:
        library.apply("public/cards/twins", TWINS, Cursor(1, 1))
        with library._store.transaction() as store:
            search_index.begin_renewal(store)
    waiting = left()
    assert waiting > 2
    application = make_window(home)
    page = search(application, settle, "quokka")
    assert not page._renewing.isHidden()
    assert f"{waiting} items are still being added" in page._renewing.text()
    application._renewal.go_on()
    qtbot.waitUntil(lambda: not left(), timeout=10_000)
    page.refresh()
    settle(application)
    assert page._renewing.isHidden()


def test_a_count_that_is_not_exact_says_so(make_window: Make, settle: Settle, home: Path) -> None:
    page = search(make_window(home), settle, "water")
    assert "results for" in page.count_words(2000)
    page._exact = False
    assert page.count_words(2000) == "2,000 results or more for “\u2068water\u2069”"
