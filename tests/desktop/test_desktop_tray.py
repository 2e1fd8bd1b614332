"""The icon beside the clock: notices that give nothing away, and a window that goes on when it is closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from desktop.app import Application
from desktop.navigation import Place
from desktop.preferences import Preferences
from resources_cache.downloads import Download
from resources_cache.library import Library

Make = Callable[..., Application]
Settle = Callable[[Application], None]
ASKED = "01920000-9999-7000-8000-000000000001"
CLICK = QSystemTrayIcon.ActivationReason.Trigger


class FakeIcon(QObject):
    """Keeps to `desktop.tray.Icon` and notes what was said."""

    activated = Signal(object)
    messageClicked = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.said: list[str] = []
        self.tip = ""
        self.shown = False
        self.menu: QMenu | None = None

    def setIcon(self, icon: QIcon) -> None:
        assert not icon.isNull()

    def setToolTip(self, tip: str) -> None:
        self.tip = tip

    def setContextMenu(self, menu: QMenu) -> None:
        self.menu = menu

    def showMessage(self, title: str, message: str, icon: QIcon, msecs: int) -> None:
        self.said.append(message)

    def show(self) -> None:
        self.shown = True

    def hide(self) -> None:
        self.shown = False


@pytest.fixture
def trayed(home: Path, make_window: Make, settle: Settle) -> Application:
    application = make_window(home, make_icon=FakeIcon)
    application.context.notices.manners_changed.emit()
    settle(application)
    return application


def icon_of(application: Application) -> FakeIcon:
    icon = application.findChild(FakeIcon)
    assert icon is not None
    return icon


def choose(application: Application, **choices: bool) -> None:
    for name, value in choices.items():
        setattr(application.context.preferences, name, value)
    application.context.notices.manners_changed.emit()


def answer(application: Application, number: int, request: str = ASKED) -> None:
    """What a sync does: an answer is in the library, and its report says that something came."""
    with Library(application.context.home / "library.db") as library:
        reply = {
            "id": f"01920000-9999-7000-8000-0000000001{number:02}", "type": "reply", "request": request,
            "author": "Facilitation team", "body": "Words", "created": "2026-11-20T09:00:00Z",
        }  # fmt: skip
        library.apply_personal([reply], 1, 10 + number)
    application.context.sync.ended.emit(SimpleNamespace(records=1, error=None))


@pytest.mark.qt_log_ignore("does not support raise", extend=True)
def test_an_answer_is_told_in_numbers_while_the_window_is_behind(trayed: Application, settle: Settle) -> None:
    icon = icon_of(trayed)
    assert icon.shown
    assert trayed.context.sync.status.words() in icon.tip
    trayed.window.hide()
    answer(trayed, 1)
    settle(trayed)
    assert icon.said == ["An answer to your question has come."]
    trayed.context.sync.ended.emit(SimpleNamespace(records=1, error=None))
    settle(trayed)
    assert len(icon.said) == 1, "it is told once"
    icon.messageClicked.emit()
    settle(trayed)
    assert trayed.window.isVisible()
    assert trayed.context.navigator.here.record == ASKED


def test_titles_are_told_only_where_they_are_allowed(trayed: Application, settle: Settle) -> None:
    trayed.window.hide()
    choose(trayed, notify_titles=True)
    answer(trayed, 2)
    settle(trayed)
    assert "Which tablets survive three rainy seasons?" in icon_of(trayed).said[-1]
    choose(trayed, notify=False, stay_in_tray=True)
    answer(trayed, 3)
    settle(trayed)
    assert len(icon_of(trayed).said) == 1


def test_nothing_is_told_to_who_looks_at_the_window(
    trayed: Application, settle: Settle, qtbot: Any, qapp: QApplication
) -> None:
    trayed.window.activateWindow()
    qtbot.waitUntil(trayed.window.isActiveWindow)
    answer(trayed, 4)
    settle(trayed)
    assert icon_of(trayed).said == []


def test_files_that_come_together_are_one_notice(trayed: Application, qtbot: Any) -> None:
    trayed.window.hide()
    for number in range(3):
        trayed.context.downloads.arrived.emit(Download(f"{number:064}", "r-1", f"secret {number}.pdf", 10))
    qtbot.waitUntil(lambda: bool(icon_of(trayed).said), timeout=6_000)
    assert icon_of(trayed).said == ["3 files have come."]


@pytest.mark.qt_log_ignore("does not support raise", extend=True)
def test_a_closed_window_goes_on_in_the_tray_and_quit_ends_it(
    trayed: Application, settle: Settle, qapp: QApplication
) -> None:
    choose(trayed, stay_in_tray=True)
    assert not qapp.quitOnLastWindowClosed()
    icon = icon_of(trayed)
    for _again in range(2):
        trayed.window.close()
        assert not trayed.window.isVisible()
        assert icon.said == ["Hubshelf goes on here. Quit it from the menu of this icon."], "said once"
        icon.activated.emit(CLICK)
        assert trayed.window.isVisible()
    assert Preferences.load(trayed.context.home).told_of_tray
    assert icon.menu is not None
    words = [action.text() for action in icon.menu.actions() if action.text()]
    assert words == ["Open Hubshelf", "Ask a question", "Sync now", "Quit"]
    icon.menu.actions()[1].trigger()
    assert trayed.context.navigator.here == Place("ask")
    choose(trayed, stay_in_tray=False)
    assert qapp.quitOnLastWindowClosed()
    assert trayed.window.close()


def test_without_a_place_beside_the_clock_a_closed_window_is_closed(
    home: Path, make_window: Make, settle: Settle, qapp: QApplication
) -> None:
    application = make_window(home, make_icon=lambda _parent: None)
    choose(application, stay_in_tray=True)
    assert qapp.quitOnLastWindowClosed()
    assert application.window.close()
    answer(application, 5)
    settle(application)


def test_preferences_say_where_there_is_no_place(home: Path, make_window: Make, settle: Settle) -> None:
    application = make_window(home)
    application.context.navigator.go(Place("preferences"))
    settle(application)
    page: Any = application.window.page("preferences")
    there = QSystemTrayIcon.isSystemTrayAvailable()
    assert [field.isVisible() for field in (page.notify_field, page.titles_field, page.tray_field)] == [there] * 3
    page.tray_field.setChecked(True)
    assert Preferences.load(home).stay_in_tray
