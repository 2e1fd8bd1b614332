"""The welcome in five steps: it points at real parts, goes by keys alone, and gives the focus back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from desktop.app import Application
from desktop.navigation import Place
from desktop.widgets.tour import Tour
from resources_cache.own import Own

Make = Callable[..., Application]
Settle = Callable[[Application], None]


def begin(application: Application, qtbot: Any) -> Tour:
    application.context.notices.tour_wanted.emit()
    qtbot.waitUntil(lambda: application.window.findChild(Tour) is not None)
    tour = application.window.findChild(Tour)
    assert tour is not None
    return tour


def shown(tour: Tour) -> str:
    return tour.card.accessibleName()


def ended(application: Application, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: application.window.findChild(Tour) is None)


def test_five_steps_by_keys_alone(home: Path, make_window: Make, settle: Settle, qtbot: Any) -> None:
    application = make_window(home)
    settle(application)
    application.window.activateWindow()
    application.window.search.setFocus()
    tour = begin(application, qtbot)
    assert tour.next.hasFocus()
    names = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_Down, Qt.Key.Key_Enter):
        names.append(shown(tour))
        qtbot.keyClick(QApplication.focusWidget(), key)
    names.append(shown(tour))
    assert len(set(names)) == 5
    assert tour.next.text() == "Done"
    qtbot.keyClick(tour.next, Qt.Key.Key_Left)
    assert shown(tour) == names[3]
    for expected in (tour.skip, tour.back, tour.next):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        assert expected.hasFocus(), "Tab stays within the card"
    qtbot.keyClick(tour.next, Qt.Key.Key_Right)
    qtbot.keyClick(tour.next, Qt.Key.Key_Right)
    ended(application, qtbot)
    assert application.window.search.hasFocus()


@pytest.mark.parametrize("size", [(720, 480), (1024, 640), (1920, 1080)])
@pytest.mark.parametrize(("language", "scale"), [("en", 100), ("fr", 200), ("ar", 200)])
def test_the_card_is_whole_in_the_window_and_beside_what_it_is_about(
    home: Path, make_window: Make, settle: Settle, qtbot: Any, size: tuple[int, int], language: str, scale: int
) -> None:
    (home / "window.json").write_text(f'{{"introduced": true, "language": "{language}", "scale": {scale}}}')
    application = make_window(home, size)
    settle(application)
    tour = begin(application, qtbot)
    for step in range(5):
        card, part = tour.card.geometry(), tour._around()
        assert tour.rect().contains(card), (step, card)
        assert not part.isEmpty(), step
        words = tour._words
        assert words.heightForWidth(words.width()) <= words.height() + 1, "no word of it is cut"
        if part.width() < tour.width() // 2 and size != (720, 480):
            assert not card.intersects(part), (step, card, part)
        tour.step(1)
    ended(application, qtbot)


def test_arrows_go_with_the_direction_of_reading(
    home: Path, make_window: Make, settle: Settle, qtbot: Any
) -> None:
    (home / "window.json").write_text('{"introduced": true, "language": "ar"}')
    application = make_window(home)
    settle(application)
    tour = begin(application, qtbot)
    first = shown(tour)
    qtbot.keyClick(tour.next, Qt.Key.Key_Right)
    assert shown(tour) == first
    qtbot.keyClick(tour.next, Qt.Key.Key_Left)
    assert shown(tour) != first
    qtbot.keyClick(tour.next, Qt.Key.Key_Escape)
    ended(application, qtbot)


def test_screen_readers_are_told(home: Path, make_window: Make, settle: Settle, qtbot: Any) -> None:
    application = make_window(home)
    settle(application)
    tour = begin(application, qtbot)
    card = QAccessible.queryAccessibleInterface(tour.card)
    assert card.text(QAccessible.Text.Name) == "Your places"
    assert card.text(QAccessible.Text.Description).startswith("Home says what is new.")
    application.context.notices.tour_wanted.emit()
    qtbot.waitUntil(lambda: not isValid(tour))
    (other,) = application.window.findChildren(Tour)
    other.leave()
    ended(application, qtbot)


def test_it_waits_until_the_first_run_is_over(
    tmp_path: Path, make_window: Make, settle: Settle, qtbot: Any
) -> None:
    application = make_window(tmp_path / "new")
    settle(application)
    assert application.context.navigator.here.page == "first-run"
    application.context.notices.tour_wanted.emit()
    qtbot.wait(20)
    assert application.window.findChild(Tour) is None
    with Own(tmp_path / "new" / "own.db") as own:
        own.set_setting("hub_url", "http://127.0.0.1:9")
    page: Any = application.window.page("first-run")
    page._start()
    settle(application)
    assert application.context.navigator.here == Place("home")
    tour = application.window.findChild(Tour)
    assert tour is not None, "whoever comes for the first time is welcomed"
    tour.leave()
    ended(application, qtbot)
