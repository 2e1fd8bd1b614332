"""What was recently removed: the list on My shelf, and Ctrl+Z in the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from desktop.app import Application
from desktop.navigation import Place
from resources_cache.own import Own

Make = Callable[..., Application]
Settle = Callable[[Application], None]


@pytest.fixture
def application(home: Path, make_window: Make, settle: Settle) -> Application:
    made = make_window(home)
    settle(made)
    return made


def removed_tab(application: Application, settle: Settle) -> Any:
    application.context.navigator.go(Place("shelf", tab="removed"))
    settle(application)
    return application.window.page("shelf")


def control_z(application: Application, settle: Settle) -> None:
    application.window.activateWindow()
    QTest.keyClick(
        QApplication.focusWidget() or application.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier
    )
    settle(application)


def test_what_was_removed_is_listed_and_comes_back(application: Application, home: Path, settle: Settle) -> None:
    with Own(home / "own.db") as own:
        before = own.bookmarks()
        own.unbookmark(before[0].id)
        own.unbookmark_all([before[1].id, before[2].id])
    page = removed_tab(application, settle)
    assert [row.title for row in page.list.cards.rows] == [
        f"\u2068{before[1].title}\u2069 and 1 more",
        before[0].title,
    ]
    assert page.removed.isVisible()
    assert not page.chosen_bar.isVisible()
    page.list.choose(page.list.cards.rows[1].id)
    page.removed.back.click()
    settle(application)
    with Own(home / "own.db") as own:
        assert own.bookmarks() == before[:1]
    assert "is back" in application.window.banner._words.text()
    assert len(page.list.cards.rows) == 1
    with Own(home / "own.db") as own:
        for one in before[1:3]:
            own.bookmark(one.id, one.title)
    page.refresh()
    settle(application)
    page.list.choose(page.list.cards.rows[0].id)
    page.removed.back.click()
    settle(application)
    assert "was there already" in application.window.banner._words.text()
    assert not page.removed.isVisible()


def test_removing_for_good_asks_first(application: Application, home: Path, settle: Settle) -> None:
    with Own(home / "own.db") as own:
        own.set_note("r-1", "Ask Njeri")
        own.set_note("r-1", "")
    page = removed_tab(application, settle)
    page.removed.good.click()
    (asked,) = page.removed.findChildren(QDialog)
    asked.reject()
    settle(application)
    with Own(home / "own.db") as own:
        assert len(own.removed.all()) == 1
    page.removed.good.click()
    page.removed.findChildren(QDialog)[-1].accept()
    settle(application)
    with Own(home / "own.db") as own:
        assert own.removed.all() == []
    assert page.list.cards.rows == []


def test_control_z_brings_back_what_was_removed_since_the_window_opened(
    home: Path, make_window: Make, settle: Settle
) -> None:
    with Own(home / "own.db") as own:
        before = own.bookmarks()
        own.unbookmark(before[0].id)  # before the window was opened
    application = make_window(home)
    settle(application)
    with Own(home / "own.db") as own:
        own.unbookmark(before[1].id)
        own.unbookmark(before[2].id)
    page = removed_tab(application, settle)
    page.list.setFocus()
    for left in (before[:2], before[:1], before[:1]):
        control_z(application, settle)
        with Own(home / "own.db") as own:
            assert {one.id for one in before} - {one.id for one in own.bookmarks()} == {
                one.id for one in left if one.id != before[2].id
            }
    assert "Nothing was removed" in application.window.banner._words.text()
    assert [row.title for row in page.list.cards.rows] == [before[0].title]


def test_control_z_in_a_field_is_the_fields_own(application: Application, home: Path, settle: Settle) -> None:
    with Own(home / "own.db") as own:
        gone = own.bookmarks()[0]
        own.unbookmark(gone.id)
    application.context.navigator.go(Place("ask"))
    settle(application)
    page: Any = application.window.page("ask")
    page.title_field.setFocus()
    QTest.keyClicks(page.title_field, "Wells")
    control_z(application, settle)
    assert page.title_field.text() != "Wells"
    with Own(home / "own.db") as own:
        assert gone.id not in {one.id for one in own.bookmarks()}


def test_a_form_that_was_emptied_comes_back_as_a_draft(
    application: Application, home: Path, settle: Settle
) -> None:
    application.context.navigator.go(Place("ask"))
    settle(application)
    page: Any = application.window.page("ask")
    page.title_field.setText("How deep are the wells?")
    page.body_field.setPlainText("In the north.")
    page._throw_away()  # before the pause of typing is over
    settle(application)
    assert page.title_field.text() == ""
    shelf = removed_tab(application, settle)
    assert [row.title for row in shelf.list.cards.rows] == ["How deep are the wells?"]
    shelf.removed.back.click()
    settle(application)
    with Own(home / "own.db") as own:
        item = next(one for one in own.outbox.items(["draft"]) if one.title == "How deep are the wells?")
        assert item.body["body"] == "In the north."
        assert own.draft("ask") is None


def test_a_question_that_was_sent_is_not_among_what_was_removed(
    application: Application, home: Path, settle: Settle
) -> None:
    application.context.navigator.go(Place("ask"))
    settle(application)
    page: Any = application.window.page("ask")
    page.title_field.setText("How deep are the wells?")
    page.body_field.setPlainText("In the north.")
    page._draft.flush()
    page.send()
    settle(application)
    with Own(home / "own.db") as own:
        assert own.removed.all() == []
        assert own.draft("ask") is None
