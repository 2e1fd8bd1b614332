"""Several records open at once: each tab has its own way back, costs nothing behind, and is there next time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTabBar, QTextBrowser

from desktop import session
from desktop.app import Application
from desktop.navigation import Navigator, Place
from desktop.session import Session
from desktop.tabs import MOST, Tabs
from desktop.words import use_language

Make = Callable[..., Application]
Settle = Callable[[Application], None]


def library(application: Application, settle: Settle) -> Any:
    application.context.navigator.go(Place("library"))
    settle(application)
    return application.window.stack.currentWidget()


def press(page: Any, row: int, button: Qt.MouseButton) -> None:
    where = page.list.visualRect(page.list.cards.index(row, 0)).center()
    QTest.mouseClick(page.list.viewport(), button, Qt.KeyboardModifier.NoModifier, where)


def test_each_tab_has_its_own_trail() -> None:
    navigator = Navigator()
    tabs = Tabs(navigator)
    navigator.go(Place("library", record="a"))
    assert tabs.open(Place("people", record="b"), "B", front=True)
    navigator.go(Place("sync"))
    assert not navigator.can_go_forward
    navigator.back()
    assert navigator.here.record == "b"
    tabs.step(1)
    assert navigator.here.record == "a"
    assert navigator.can_go_back
    assert not navigator.can_go_forward
    tabs.step(-1)
    assert navigator.here.record == "b"
    assert navigator.can_go_forward
    navigator.forward()
    assert navigator.here.page == "sync"


def test_tabs_are_bounded_and_the_last_stays() -> None:
    navigator = Navigator()
    tabs = Tabs(navigator)
    for number in range(MOST - 1):
        assert tabs.open(Place("library", record=str(number)))
    assert not tabs.open(Place("library", record="one too many"))
    tabs.show(3)
    front = navigator.here.record
    tabs.close(0)
    assert (tabs.current, navigator.here.record) == (2, front)
    tabs.move(2, 0)
    assert (tabs.current, navigator.here.record) == (0, front)
    while tabs.close():
        pass
    assert len(tabs.places) == 1


def test_a_row_opens_beside_and_keys_go_round(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page = library(application, settle)
    assert application.window.tabs.isHidden()
    first, second, third = (page.list.cards.rows[n] for n in range(3))
    press(page, 0, Qt.MouseButton.LeftButton)
    settle(application)
    press(page, 1, Qt.MouseButton.MiddleButton)
    page.list.setCurrentIndex(page.list.cards.index(2, 0))
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(application)
    strip = application.window.tabs
    assert strip.isVisible()
    assert page.reader.record == first.id
    assert [strip.accessibleTabName(n) for n in range(3)] == [first.title, third.title, second.title]
    QTest.keyClick(application.window, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    settle(application)
    assert page.reader.record == third.id
    assert strip.currentIndex() == 1
    views = [view for view in application.window.findChildren(QTextBrowser) if view.toPlainText()]
    assert len(views) == 1, "a tab behind keeps no text"
    QTest.keyClick(application.window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    settle(application)
    assert page.reader.record == second.id
    strip.tabButton(1, QTabBar.ButtonPosition.RightSide).click()
    settle(application)
    assert page.reader.record == first.id
    assert strip.isHidden()


def test_tabs_come_back_next_time(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    page = library(application, settle)
    press(page, 0, Qt.MouseButton.LeftButton)
    settle(application)
    first, second = page.list.cards.rows[0], page.list.cards.rows[1]
    press(page, 1, Qt.MouseButton.MiddleButton)
    settle(application)
    application.context.tabs.step(1)
    settle(application)
    application.window.close()
    application.stop()
    again = make_window(home)
    settle(again)
    assert again.context.navigator.here.record == second.id
    assert [title for title, _place in again.context.tabs.places] == [first.title, second.title]
    assert again.window.tabs.count() == 2


def test_what_a_session_says_of_tabs_is_checked(tmp_path: Path) -> None:
    here = Place("library", record="a")
    tabs = (("A", here), ("B", Place("people", record="b")))
    assert session.write(tmp_path, Session(here, tabs=tabs, tab=1))
    found = session.read(tmp_path)
    assert found is not None
    assert (found.tabs, found.tab) == (tabs, 1)
    text = (tmp_path / session.FILE).read_text()
    for old, new in (
        ('"tab": 1', '"tab": 7'),
        ('"tab": 1', '"tab": true'),
        ('"people"', '"nowhere"'),
        ('"B"', "3"),
    ):
        (tmp_path / session.FILE).write_text(text.replace(old, new))
        found = session.read(tmp_path)
        assert found is not None
        assert found.tab == 0
        assert found.tabs in ((), tabs)
    many = tuple((str(n), Place("library", record=str(n))) for n in range(MOST + 1))
    session.write(tmp_path, Session(here, tabs=many))
    found = session.read(tmp_path)
    assert found is not None
    assert found.tabs == ()


def test_the_strip_is_mirrored(make_window: Make, settle: Settle, home: Path) -> None:
    (home / "window.json").write_text('{"introduced": true, "language": "ar", "scheme": "light"}')
    application = make_window(home)
    application.context.tabs.open(Place("people"))
    application.context.tabs.open(Place("sync"))
    settle(application)
    strip = application.window.tabs
    assert strip.tabRect(0).left() > strip.tabRect(1).left()
    shut = strip.tabButton(0, QTabBar.ButtonPosition.RightSide)
    assert shut is not None
    assert shut.mapTo(strip, shut.rect().center()).x() < strip.tabRect(0).center().x()
    use_language("en")
