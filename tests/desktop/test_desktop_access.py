"""Everybody can use the window: every control has a name and is reached by Tab, and nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QTextBrowser,
    QWidget,
)

import desktop
from desktop.app import Application
from desktop.navigation import Place
from tests.desktop.every_place import own_parts, places

Make = Callable[..., Application]
Settle = Callable[[Application], None]
CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextBrowser,
)


def controls(window: QWidget) -> list[QWidget]:
    return [
        w for w in window.findChildren(QWidget) if isinstance(w, CONTROLS) and w.isVisible() and not own_parts(w)
    ]


def test_every_control_has_a_name_and_is_reached_by_tab(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    settle(application)
    seen = 0
    for where, place in places(home):
        application.context.navigator.go(place)
        settle(application)
        for widget in controls(application.window):
            face = QAccessible.queryAccessibleInterface(widget)
            name = face.text(QAccessible.Text.Name) if face is not None else ""
            what = f"{type(widget).__name__} {widget.objectName()!r} in {where}"
            assert name.strip(), f"{what} has no name"
            if widget.isEnabled():
                assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, f"{what} ({name}) is not reached by Tab"
            seen += 1
        # A screen reader's tree has what is not to be seen now, too.
        for widget in application.window.findChildren(QAbstractButton):
            if not own_parts(widget):
                face = QAccessible.queryAccessibleInterface(widget)
                chain = f"{type(widget).__name__} in {type(widget.parentWidget()).__name__} of {where}, hidden"
                assert face is None or face.text(QAccessible.Text.Name).strip(), f"{chain} has no name"
    assert seen > 300


def test_tab_goes_round_the_whole_page(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    application.context.navigator.go(Place("ask"))
    settle(application)
    window = application.window
    wanted = {id(w) for w in controls(window) if w.isEnabled()}
    assert len(wanted) > 20
    reached: set[int] = set()
    widget: QWidget | None = window
    while (widget := widget.nextInFocusChain()) is not None and id(widget) not in reached:
        reached.add(id(widget))
    assert wanted <= reached


class Flashes(QObject):
    """Notes every part that is shown before it has a place: for a moment it is a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.seen.append(f"{type(watched).__name__} {watched.objectName()!r}")
        return False


def test_no_part_of_a_page_is_a_window_for_a_moment(
    make_window: Make, settle: Settle, home: Path, qapp: QApplication
) -> None:
    application = make_window(home)
    settle(application)
    flashes = Flashes()
    qapp.installEventFilter(flashes)
    try:
        for _where, place in places(home):
            application.context.navigator.go(place)
            settle(application)
    finally:
        qapp.removeEventFilter(flashes)
    assert flashes.seen == []


def test_rows_are_spoken_whole(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    application.context.navigator.go(Place("outbox"))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    index = page.list.cards.index(0, 0)
    spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert "Connectivity prices" in spoken
    assert "Needs your attention" in spoken


def visible_part(widget: QWidget) -> QRect:
    return QRect(widget.mapTo(widget.window(), QPoint(0, 0)), widget.size())


def scrolls(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            return True
        parent = parent.parentWidget()
    return False


@pytest.mark.parametrize("lang", ["en", "fr", "ar"])
@pytest.mark.parametrize("size", [(1024, 640), (1280, 800)], ids=["1024x640", "1280x800"])
def test_nothing_is_cut(make_window: Make, settle: Settle, home: Path, lang: str, size: tuple[int, int]) -> None:
    (home / "window.json").write_text(f'{{"introduced": true, "language": "{lang}", "scheme": "light"}}')
    application = make_window(home, size)
    settle(application)
    window = application.window
    for where, place in places(home):
        application.context.navigator.go(place)
        settle(application)
        assert (window.width(), window.height()) == size, f"{where} made the window grow"
        for widget in window.findChildren(QWidget):
            if not widget.isVisible() or own_parts(widget) or (isinstance(widget, QLabel) and widget.width() == 0):
                continue
            words = widget.text() if isinstance(widget, QLabel | QAbstractButton) else widget.accessibleName()
            what = f"{type(widget).__name__} “{words}” in {where} ({lang})"
            box = visible_part(widget)
            if isinstance(widget, (*CONTROLS, QLabel)) and not isinstance(widget, QAbstractScrollArea):
                assert 0 <= box.left() <= box.right() <= window.width(), f"{what} is off at the side: {box}"
                if not scrolls(widget):
                    assert 0 <= box.top() <= box.bottom() <= window.height(), f"{what} is off below: {box}"
            if isinstance(widget, QPushButton | QComboBox):
                assert widget.width() >= widget.minimumSizeHint().width(), f"{what} is cut"
            if isinstance(widget, QLabel) and widget.text():
                if widget.wordWrap():
                    assert widget.height() >= widget.heightForWidth(widget.width()) - 2, f"{what} is cut below"
                else:
                    assert widget.width() >= widget.sizeHint().width() - 1, f"{what} is cut"


def test_the_glass_in_a_field_is_no_button(make_window: Make, settle: Settle, home: Path) -> None:
    """It does nothing when pressed, so a screen reader must not meet it; what does something there has a name."""
    application = make_window(home)
    settle(application)
    box = application.window.search
    assert not box.findChildren(QAbstractButton)
    assert QAccessible.queryAccessibleInterface(box).text(QAccessible.Text.Name) == "Search everything"
    for button in application.window.findChildren(QAbstractButton):
        if isinstance(button.parentWidget(), QLineEdit):
            assert QAccessible.queryAccessibleInterface(button).text(QAccessible.Text.Name)


@pytest.mark.parametrize("page", ["home", "library", "ask", "sync", "preferences", "keys"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_focus_is_seen_wherever_it_is(
    make_window: Make, settle: Settle, home: Path, qtbot: Any, page: str, scheme: str
) -> None:
    (home / "window.json").write_text(f'{{"introduced": true, "language": "en", "scheme": "{scheme}"}}')
    application = make_window(home)
    application.context.navigator.go(Place(page))
    settle(application)
    window = application.window
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # somewhere for the focus to be that is no control
    seen = 0
    for widget in controls(window):
        if not widget.isEnabled() or isinstance(widget, QTextBrowser):
            continue
        window.setFocus()
        without = widget.grab().toImage()
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        assert widget.hasFocus() or widget.focusProxy() is not None
        with_focus = widget.grab().toImage()
        assert with_focus != without, (
            f"{type(widget).__name__} {widget.accessibleName()!r} looks the same with focus"
        )
        seen += 1
    assert seen > 8


def test_nothing_moves_by_itself() -> None:
    """No animation is made anywhere, so there is none to take away for people whom motion makes ill."""
    code = Path(desktop.__file__).parent
    made = [
        f"{path.name}: {found[0]}"
        for path in code.rglob("*.py")
        for found in re.finditer(
            r"Q\w*Animation\w*|QTimeLine|QMovie|setEffectEnabled\([^)]*True", path.read_text("utf-8")
        )
    ]
    assert not made
