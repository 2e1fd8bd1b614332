"""What gives way in a small window and with large text: words first, then what a menu offers as well."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QPushButton, QToolButton

from desktop.app import Application
from desktop.navigation import Place
from desktop.theme import in_text
from desktop.widgets.basics import ICON, Choice, EmptyPlace
from desktop.widgets.tab_strip import TabStrip
from resources_cache.errors import DiskFull
from resources_cache.library import Library

from .conftest import add_pdf

Make = Callable[..., Application]
Settle = Callable[[Application], None]


@pytest.fixture
def large(make_window: Make, settle: Settle, home: Path) -> Application:
    """A small window at 200 % of text."""
    look = {"introduced": True, "language": "en", "scheme": "light", "scale": 200}
    (home / "window.json").write_text(json.dumps(look))
    application = make_window(home)
    application.window.resize(1024, 640)
    settle(application)
    return application


def go(application: Application, settle: Settle, page: str, **place: Any) -> Any:
    application.context.navigator.go(Place(page, **place))
    settle(application)
    return application.window.stack.currentWidget()


def whole(widget: Any, window: Any) -> QRect:
    return QRect(widget.mapTo(window, widget.rect().topLeft()), widget.size())


def test_tools_without_room_are_in_the_menu(
    large: Application, make_window: Make, settle: Settle, home: Path
) -> None:
    with Library(home / "library.db") as library:
        record = next(
            card.id
            for card in library.browse(("resource",), None, "newest", 0, 99).items
            if len(library.get(card.id).get("texts", [])) > 0  # type: ignore[union-attr]
        )
    reader = go(large, settle, "library", record=record).reader
    reader._variant.show()
    reader._fit_tools()
    tools = [tool for tool in reader._tools.findChildren(QToolButton) if tool.isVisible()]
    assert all(tool.iconSize().width() == in_text(ICON) for tool in tools)
    hidden = [tool for tool in reader._spare if tool.isHidden()]
    assert hidden
    menu = reader._more.menu()
    menu.aboutToShow.emit()
    offered = {action.text(): action for action in menu.actions() if action.isVisible()}
    assert {tool.text() for tool in hidden} <= set(offered)
    assert not {tool.text() for tool in reader._spare if not tool.isHidden()} & set(offered)
    large.window.resize(1900, 1000)
    settle(large)
    reader._fit_tools()
    assert not any(tool.isHidden() for tool in reader._spare)


def test_what_a_menu_offers_does_the_same(large: Application, settle: Settle, home: Path) -> None:
    reader = go(large, settle, "library", record=add_pdf(home)).reader
    reader._larger.hide()
    menu = reader._more.menu()
    menu.aboutToShow.emit()
    before = large.context.theme.reading_scale
    next(action for action in menu.actions() if action.text() == "Larger text").trigger()
    assert large.context.theme.reading_scale == before + 10


def test_the_text_that_is_read_grows_with_the_window(large: Application) -> None:
    theme = large.context.theme
    at_200 = theme.reading_font().pointSizeF()
    theme.set("light", 100)
    assert at_200 == pytest.approx(2 * theme.reading_font().pointSizeF())
    theme.set("light", 200)


def test_the_buttons_of_a_message_stand_below_its_words(large: Application, settle: Settle) -> None:
    banner = large.window.banner
    large.context.notices.problem.emit(DiskFull(""))
    settle(large)
    words, step = whole(banner._more, banner), whole(banner._action, banner)
    assert step.top() >= words.bottom()
    assert words.width() > banner.width() * 0.7
    large.window.resize(1900, 900)
    settle(large)
    assert whole(banner._action, banner).left() >= whole(banner._more, banner).right()


def test_an_empty_place_shows_its_words_before_its_drawing(large: Application, qtbot: Any) -> None:
    words = "Choose resources in the library with Ctrl or Space, then press Download: what it costs stands there."
    place = EmptyPlace("download", "No file is on its way.", words, "Open the library", lambda: None)
    qtbot.addWidget(place)
    for height in (900, 330):
        place.resize(700, height)
        place.show()
        qtbot.waitExposed(place)
        for text in place._texts:
            assert text.height() >= text.heightForWidth(text.width())
        button = place.findChildren(QPushButton)[0]
        assert whole(button, place).bottom() <= place.height()
        assert place._drawing.isHidden() == (height < 500)


def test_a_tab_keeps_some_letters_of_its_title(large: Application, settle: Settle) -> None:
    for number in range(7):
        large.context.tabs.open(
            Place("search", query=f"a title of some length {number}"), f"Title {number} of many"
        )
    settle(large)
    strip = large.window.findChildren(TabStrip)[0]
    assert strip.count() == 8
    for at in range(strip.count()):
        assert strip.tabRect(at).width() >= min(strip.tabSizeHint(at).width(), in_text(120))


def test_a_heading_further_down_has_room_above_it(large: Application, settle: Settle) -> None:
    palette = large.window.finder
    palette.open()
    settle(large)
    cards = palette.list.cards.rows
    sections = [at for at, row in enumerate(cards) if row.section]
    assert sections
    palette.field.setText("ho")
    settle(large)
    palette.field.setText("")
    settle(large)
    tall = {
        at: palette.list.visualRect(palette.list.cards.index(at, 0)).height()
        for at, row in enumerate(palette.list.cards.rows)
        if row.section
    }
    assert tall
    delegate: Any = palette.list.itemDelegate()
    for at, height in tall.items():
        row = palette.list.cards.rows[at]
        width = palette.list.viewport().width()
        assert height == delegate._lay_out(None, QRect(0, 0, width, 0), row, first=at == 0)


def test_another_search_begins_at_its_top(large: Application, settle: Settle) -> None:
    first = [row.id for row in go(large, settle, "search", query="learning").list.cards.rows]
    page = go(large, settle, "search", query="schools")
    second = [row.id for row in page.list.cards.rows]
    page.list.choose(next(id_ for id_ in reversed(first) if id_ in second))
    settle(large)
    page = go(large, settle, "search", query="learning")
    assert page.list.verticalScrollBar().value() == 0
    assert page.list.current_row() is None


def test_filters_fold_behind_a_button_and_what_is_chosen_stays(large: Application, settle: Settle) -> None:
    page = go(large, settle, "library")
    bar = page.filter_bar
    assert bar.unfold.isVisible()
    assert not any(choice.isVisible() for choice in page.filters.values())
    folded = bar.height()
    bar.unfold.click()
    settle(large)
    assert sum(choice.isVisible() for choice in page.filters.values()) > 3
    assert bar.height() > 2 * folded
    page.filters["lang"].choose("fr")
    bar.unfold.click()
    settle(large)
    assert [name for name, choice in page.filters.items() if choice.isVisible()] == ["lang"]
    assert page._clear.isVisible()
    page.clear_filters()
    settle(large)
    assert not any(choice.isVisible() for choice in page.filters.values())
    large.window.resize(1900, 1000)
    settle(large)
    assert bar.unfold.isHidden()
    assert sum(choice.isVisible() for choice in page.filters.values()) > 3


def test_the_arrow_of_a_choice_grows_with_the_text(large: Application, settle: Settle) -> None:
    choice = Choice("Order", [("", " ")])
    choice.setParent(large.window)
    choice.show()
    settle(large)
    image, side = choice.grab().toImage(), in_text(14)
    ground = image.pixel(image.width() - 6, image.height() // 2)
    drawn = [
        x
        for x in range(image.width() - side - 8, image.width() - 8)
        if any(image.pixel(x, y) != ground for y in range(8, image.height() - 8))
    ]
    assert drawn[-1] - drawn[0] + 1 >= side // 2


def test_a_question_can_be_written_in_a_small_window(large: Application, settle: Settle) -> None:
    """The kinds stood one below the other and what is known already took a third: nothing was left to write in."""
    page = go(large, settle, "ask")
    assert page.kinds.choice.isVisible()
    assert not any(made.isVisible() for made in page.kinds.buttons.values())
    in_sight = page.title_field.visibleRegion().boundingRect()
    assert in_sight == page.title_field.rect()
    assert page.body_field.visibleRegion().boundingRect().height() > 2 * in_text(20)
    page.kinds.choice.setCurrentIndex(1)
    page.kinds.choice.activated.emit(1)
    assert page.kind == "helpdesk"

    page.title_field.setText("offline learning")
    page._search()
    settle(large)
    side = page.side
    assert side.folded
    assert side.unfold.text().endswith(str(side.hits.cards.rowCount()))
    assert not side.hits.isVisible()
    side.unfold.click()
    settle(large)
    assert side.hits.isVisible()
    assert side.enough.isVisible()

    large.window.resize(1900, 1000)
    settle(large)
    assert side.hits.isVisible()
    assert side.unfold.isHidden()
    assert page.kinds.buttons["helpdesk"].isChecked()
    assert page.kinds.buttons["helpdesk"].isVisible()


def test_suggestions_are_as_wide_as_large_text_needs(large: Application, settle: Settle, qtbot: Any) -> None:
    box = large.window.search
    assert box.textMargins().left() > in_text(16)  # the glass is as large as the words
    large.window.activateWindow()
    box.setFocus()
    box.setText("offline")
    box.textEdited.emit("offline")
    qtbot.waitUntil(box.popup.isVisible)  # the list comes when the hand has rested a moment
    settle(large)
    popup = box.popup.geometry()
    assert popup.width() > box.width()
    assert box.popup.parentWidget().rect().contains(popup)
