"""The search of the window: what else there is of a work, filters with counts, and titles while typing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl

from desktop.app import Application
from desktop.navigation import Place
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
    assert [row.id for row in page.list.cards.rows] == ["w-en"]
    assert "also in: \u2068Français\u2069, \u2068Kiswahili\u2069" in page.list.cards.rows[0].meta
    page.list.opened.emit(page.list.cards.rows[0])
    settle(application)
    text = page.reader.text.toPlainText()
    assert "Also on your shelf:" in text
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
