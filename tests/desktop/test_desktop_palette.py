"""The table of actions: palette, keys and the page of keys have all of it, and each action does something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from desktop import words
from desktop.actions import GROUPS, Action, copy_link
from desktop.app import Application
from desktop.links import place_of_link
from desktop.navigation import PAGES, Place
from desktop.widgets.palette import folded, matching
from resources_cache.library import Library

Make = Callable[..., Application]
Settle = Callable[[Application], None]


@pytest.fixture
def application(make_window: Make, settle: Settle, home: Path) -> Application:
    made = make_window(home)
    settle(made)
    made.window.activateWindow()
    return made


def action(application: Application, name: str) -> Action:
    return next(one for one in application.context.actions if one.name == name)


def shown(application: Application) -> list[str]:
    return [row.title for row in application.window.finder.list.cards.rows if not row.section]


def test_the_table_is_sound(application: Application) -> None:
    actions = application.context.actions
    names = [one.name for one in actions]
    assert len(set(names)) == len(names) > 25
    assert {one.group for one in actions} == set(GROUPS)
    keys = [QKeySequence(key).toString() for one in actions for key in one.keys]
    assert len(set(keys)) == len(keys), "one key, one action"
    assert all(one.keys for one in actions if one.do is None), "what the palette cannot do has keys"
    places = {name.removeprefix("go-") for name in names if name.startswith("go-")}
    assert places == set(PAGES) - {"search", "first-run"}


def test_every_key_of_the_window_is_in_the_table(application: Application, settle: Settle, home: Path) -> None:
    with Library(home / "library.db") as library:
        record = library.browse(("resource",), None, "newest", 0, 1).items[0].id
    for page in ("library", "discussions", "people", "outbox", "search", "ask"):
        application.context.navigator.go(Place(page, record=record if page == "library" else ""))
        settle(application)
    known = {QKeySequence(key).toString() for one in application.context.actions for key in one.keys}
    made = application.window.findChildren(QShortcut)
    found = {sequence.toString() for shortcut in made for sequence in QShortcut.keys(shortcut)}
    assert len(found) > 15
    assert {"Ctrl+F", "Ctrl++", "Ctrl+K", "F1"} <= found
    assert found <= known, "a key that the page of keys does not know"


def test_the_page_of_keys_has_them_all(application: Application, settle: Settle) -> None:
    QTest.keyClick(application.window, Qt.Key.Key_F1)
    settle(application)
    assert application.context.navigator.here == Place("keys")
    page: Any = application.window.stack.currentWidget()
    texts = {made.text() for made in page.findChildren(QLabel)}
    for one in application.context.actions:
        if one.keys:
            assert one.words in texts
            assert one.spoken_keys() in {text.replace("\u200b", "") for text in texts}


def test_each_action_does_something(application: Application, settle: Settle) -> None:
    context = application.context
    done: list[str] = []
    for signal in ("look_changed", "open_anew", "said", "tour_wanted"):
        getattr(context.notices, signal).disconnect()
        getattr(context.notices, signal).connect(lambda *_a, signal=signal: done.append(signal))
    context.navigator.moved.connect(lambda _place: done.append("moved"))
    context.sync.changed.connect(lambda: done.append("sync"))
    calls = len(getattr(context.sync._engine, "calls", []))
    context.navigator.go(Place("library"))
    context.navigator.go(Place("search", query="x"))
    context.navigator.back()
    for one in context.actions:
        if one.do is None or one.name == "close":
            continue
        done.clear()
        if one.name == "forward":
            context.navigator.back()
        states = application.window.windowState()
        one.do()
        settle(application)
        engine = len(getattr(context.sync._engine, "calls", []))
        happened = done or engine > calls or application.window.windowState() != states
        open_now = application.window.finder.isVisible() or application.window.search.hasFocus()
        assert happened or (one.name in ("palette", "search") and open_now), f"{one.name} does nothing"
        calls = engine
        application.window.finder.leave()


def test_typing_finds_an_action_in_any_spelling() -> None:
    one = Action("dark", "Couleurs foncées", GROUPS[0], do=lambda: None, likewise="theme")
    other = Action("find", "Trouver", GROUPS[0], ("Ctrl+F",))
    assert matching([one, other], "FONCEES coul") == [one]
    assert matching([one], "them") == [one]
    assert matching([one], "clair") == []
    assert matching([other], "trou") == [], "nothing is offered that it cannot do"
    assert folded("Écolé") == "ecole"


def test_the_palette_goes_by_keys_alone(application: Application, settle: Settle, qtbot: Any) -> None:
    window = application.window
    before = QGuiApplication.focusObject()
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    settle(application)
    finder = window.finder
    assert finder.field.hasFocus()
    recent = [row for row in finder.list.cards.rows if row.place is not None and row.place.resume]
    assert recent, "what was read last stands first"
    QTest.keyClicks(finder.field, "outb")
    assert shown(application)[0] == "Outbox"
    QTest.keyClick(finder.field, Qt.Key.Key_Return)
    settle(application)
    assert application.context.navigator.here == Place("outbox")
    assert not finder.isVisible()
    finder.open()
    QTest.keyClick(finder.field, Qt.Key.Key_Escape)
    assert not finder.isVisible()
    assert QGuiApplication.focusObject() is not None
    assert before is not None


def test_the_palette_finds_titles_and_leads_to_the_search(application: Application, settle: Settle) -> None:
    finder = application.window.finder
    finder.open()
    QTest.keyClicks(finder.field, "tablets")
    settle(application)
    QTest.qWait(150)
    settle(application)
    records = [row for row in finder.list.cards.rows if row.place is not None and row.place.record]
    assert records
    assert len(records) <= 7
    for _step in range(len(finder.list.cards.rows)):
        QTest.keyClick(finder.field, Qt.Key.Key_Tab)
        row = finder.list.current_row()
        assert row is not None
        assert not row.section, "headings are stepped over"
        face = QAccessible.queryAccessibleInterface(finder.field)
        assert row.title in face.text(QAccessible.Text.Description), "the chosen row is spoken"
    finder.field.setText("tablets")
    finder._choose(len(finder.list.cards.rows) - 1)
    finder.take()
    settle(application)
    assert application.context.navigator.here == Place("search", query="tablets")


def test_titles_that_come_later_do_not_change_what_is_chosen(application: Application, settle: Settle) -> None:
    finder = application.window.finder
    finder.open()
    finder.field.setText("sync")
    QTest.keyClick(finder.field, Qt.Key.Key_Down)
    chosen = finder.list.current_row()
    assert chosen is not None
    QTest.qWait(150)
    settle(application)
    now = finder.list.current_row()
    assert now is not None
    assert now.id == chosen.id


@pytest.mark.parametrize("code", words.available_languages())
def test_the_palette_fits_and_speaks_every_language(
    make_window: Make, settle: Settle, home: Path, code: str
) -> None:
    (home / "window.json").write_text(f'{{"introduced": true, "language": "{code}", "scale": 150}}')
    application = make_window(home, (1024, 640))
    settle(application)
    finder = application.window.finder
    finder.open()
    settle(application)
    assert application.window.rect().contains(finder.geometry())
    mirrored = Qt.LayoutDirection.RightToLeft if code == "ar" else Qt.LayoutDirection.LeftToRight
    assert finder.layoutDirection() == mirrored
    finder.field.setText("outbox")
    assert finder.list.cards.rows[0].id == "go-outbox" or code == "en", "English words are understood too"
    for widget in (finder.field, finder.list):
        assert widget.accessibleName()


def test_the_link_to_what_is_open_is_copied(application: Application, settle: Settle, home: Path) -> None:
    clipboard, go = QGuiApplication.clipboard(), application.context.navigator.go
    with Library(home / "library.db") as library:
        for kind in ("resource", "thread", "expert", "request"):
            record = library.latest((kind,), limit=1)[0].id
            application.context.navigator.open_record(kind, record)
            settle(application)
            QTest.keyClick(
                application.window,
                Qt.Key.Key_C,
                Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
            )
            settle(application)
            assert clipboard.text() == f"hubshelf://{kind}/{record}"
            assert place_of_link(clipboard.text()).record == record
    go(Place("search", query="école & ville"))
    copy_link(application.context)
    assert place_of_link(clipboard.text()) == Place("search", query="école & ville")
    clipboard.setText("as it was")
    go(Place("home"))
    copy_link(application.context)
    assert clipboard.text() == "as it was"
    assert "Open something first" in application.window.banner._words.text()


def test_a_row_has_its_link_in_its_menu(application: Application, settle: Settle) -> None:
    application.context.navigator.go(Place("library"))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    row = page.list.cards.rows[0]
    menu = page.menu_of(row)
    menu.actions()[1].trigger()
    assert QGuiApplication.clipboard().text() == f"hubshelf://resource/{row.id}"
