"""Nothing is cut, covered or out of the window: every place, in every language, small and large, with large text.

A few looks run each time; all of them (languages × sizes × text sizes) are a slow test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations, product
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QUrl
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QCheckBox,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QScrollArea,
    QToolButton,
    QWidget,
)

from desktop.app import Application
from desktop.pseudo import PSEUDO
from desktop.reading.outside import OutsideDialog
from desktop.reading.report_box import ReportDialog
from desktop.screenshots_packs import SHEETS
from desktop.welcome import welcome
from desktop.widgets.crash_dialog import CrashDialog
from desktop.widgets.question import ask_first
from desktop.words import _, available_languages
from resources_cache.errors import DiskFull, MassDeletion
from sync.errors import CaptivePortal, Unreachable
from tests.desktop.every_place import own_parts, places

Make = Callable[..., Application]
Settle = Callable[[Application], None]
Look = tuple[str, tuple[int, int], int]

SMALL, LARGE = (1024, 640), (1920, 1080)
OFTEN: list[Look] = [(PSEUDO, SMALL, 100), ("ar", SMALL, 200), ("pt", SMALL, 100)]
SELDOM: list[Look] = [
    look for look in product((*available_languages(), PSEUDO), (SMALL, LARGE), (100, 200)) if look not in OFTEN
]
SLACK = 2
"""Pixels by which a hint may be off: fonts are measured in fractions, widgets placed on whole pixels."""


def faults(window: QWidget) -> Iterator[str]:
    """What is wrong with the layout of what the window shows now, one line for each."""
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or own_parts(widget):
            continue
        if isinstance(widget, QAbstractScrollArea):
            yield from sideways(widget)
        if isinstance(widget, QLabel | QAbstractButton | QComboBox | QLineEdit):
            yield from outside(widget, window)
        if isinstance(widget, QLabel):
            yield from cut_label(widget)
        elif isinstance(widget, QAbstractButton):
            yield from cut_button(widget)
        elif isinstance(widget, QComboBox):
            yield from cut_choice(widget)
        elif isinstance(widget, QLineEdit):
            yield from cut_hint(widget)
        yield from covered(widget)


def named(widget: QWidget) -> str:
    words = widget.text() if isinstance(widget, QLabel | QAbstractButton) else widget.accessibleName()
    return f"{type(widget).__name__} “{words[:60]}”"


def sideways(area: QAbstractScrollArea) -> Iterator[str]:
    if area.horizontalScrollBar().isVisible():
        yield f"{named(area)} scrolls sideways"
    inner = area.widget() if isinstance(area, QScrollArea) else None
    if inner is not None and inner.width() > area.viewport().width() + SLACK:
        wide = [w for w in inner.findChildren(QWidget) if w.isVisible() and w.minimumSizeHint().width() > 300]
        widest = max(wide, key=lambda w: w.minimumSizeHint().width(), default=inner)
        yield (
            f"{named(area)} is {area.viewport().width()} wide for a page of {inner.width()}: {named(widest)} "
            f"wants {widest.minimumSizeHint().width()}"
        )


def scroller(widget: QWidget) -> QScrollArea | None:
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QScrollArea):
        parent = parent.parentWidget()
    return parent


def outside(widget: QWidget, window: QWidget) -> Iterator[str]:
    box = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
    if box.left() < 0 or box.right() > window.width():
        yield f"{named(widget)} is off at the side: {box.left()} to {box.right()} of {window.width()}"
    if scroller(widget) is None and (box.top() < 0 or box.bottom() > window.height()):
        yield f"{named(widget)} is off above or below: {box.top()} to {box.bottom()} of {window.height()}"


def cut_label(one: QLabel) -> Iterator[str]:
    words = re.sub(r"<[^>]*>", " ", one.text())
    if not words.strip():
        return
    if not one.wordWrap():
        if one.width() < one.sizeHint().width() - SLACK:
            yield f"{named(one)} is cut: {one.width()} of {one.sizeHint().width()}"
        if one.height() < one.fontMetrics().height() - SLACK:
            yield f"{named(one)} is flattened: {one.height()} of {one.fontMetrics().height()}"
        return
    if one.height() < one.heightForWidth(one.width()) - SLACK:
        yield f"{named(one)} is cut below: {one.height()} of {one.heightForWidth(one.width())}"
    longest = max(one.fontMetrics().horizontalAdvance(word) for word in re.split("[\\s\u200b-]", words))
    if longest > one.contentsRect().width() + SLACK:
        yield f"{named(one)} is narrower than its longest word: {one.contentsRect().width()} of {longest}"


def cut_button(one: QAbstractButton) -> Iterator[str]:
    if one.sizePolicy().hasHeightForWidth():  # its words go on in a second line
        if one.height() < one.heightForWidth(one.width()) - SLACK:
            yield f"{named(one)} is cut below: {one.height()} of {one.heightForWidth(one.width())}"
        return
    hint = one.minimumSizeHint() if isinstance(one, QPushButton) else one.sizeHint()
    if isinstance(one, QPushButton | QToolButton | QCheckBox) and one.width() < hint.width() - SLACK:
        yield f"{named(one)} is cut: {one.width()} of {hint.width()}"
    if one.height() < min(hint.height(), one.fontMetrics().height()) - SLACK:
        yield f"{named(one)} is flattened: {one.height()} of {hint.height()}"


def cut_choice(one: QComboBox) -> Iterator[str]:
    wanted = one.fontMetrics().horizontalAdvance(one.currentText()) + 24  # and the arrow at its end
    if one.width() < wanted - SLACK:
        yield f"{named(one)} cuts “{one.currentText()}”: {one.width()} of {wanted}"


def cut_hint(one: QLineEdit) -> Iterator[str]:
    if not one.text() and one.placeholderText():
        wanted = one.fontMetrics().horizontalAdvance(one.placeholderText())
        if one.width() < wanted - SLACK:
            yield f"{named(one)} cuts its hint “{one.placeholderText()}”: {one.width()} of {wanted}"


def covered(parent: QWidget) -> Iterator[str]:
    """Labels and controls that a layout placed over one another."""
    layout = parent.layout()
    if layout is None:
        return
    shown = [
        child
        for child in parent.findChildren(QWidget)
        if child.parentWidget() is parent
        and child.isVisible()
        and not child.isWindow()
        and isinstance(child, QLabel | QAbstractButton | QComboBox | QLineEdit)
        and (not isinstance(child, QLabel) or child.text())
    ]
    for one, other in combinations(shown, 2):
        over = one.geometry().intersected(other.geometry())
        if over.width() > SLACK and over.height() > SLACK:
            yield f"{named(one)} lies over {named(other)} ({over.width()} × {over.height()})"


def walk(make_window: Make, settle: Settle, home: Path, look: Look) -> list[str]:
    lang, size, scale = look
    chosen = {"introduced": True, "language": lang, "scheme": "light", "scale": scale}
    (home / "window.json").write_text(json.dumps(chosen))
    application = make_window(home, size)
    settle(application)
    window, found = application.window, []
    for where, place in places(home):
        application.context.navigator.go(place)
        settle(application)
        if (window.width(), window.height()) != size:
            found.append(f"{where} made the window grow to {window.width()} × {window.height()}")
            window.resize(*size)
        found += [f"{where}: {fault}" for fault in faults(window)]
    return found


def lie_over(application: Application, settle: Settle, home: Path) -> Iterator[tuple[str, QWidget]]:
    """What comes over a page: a name, and the part in which to look; it is shown while its turn lasts."""
    window, notices = application.window, application.context.notices
    opened = {place.page: place for _name, place in places(home) if place.record}
    resource, thread = opened["library"], opened["discussions"]
    for error in (DiskFull(""), CaptivePortal(""), Unreachable(""), MassDeletion("")):
        notices.problem.emit(error)
        settle(application)
        yield f"message {error.code}", window
        window.banner.hide()
    application.context.navigator.go(resource)
    settle(application)
    reader = window.stack.currentWidget().reader  # type: ignore[attr-defined]
    listed = window.stack.currentWidget().list  # type: ignore[attr-defined]
    listed.setCurrentIndex(listed.cards.index(0, 0))
    menus = {
        "more": reader._more.menu(),
        "cite": reader.cite_menu,
        "row": window.stack.currentWidget().menu_of(listed.current_row()),  # type: ignore[attr-defined]
    }
    for name, menu in menus.items():
        menu.popup(window.mapToGlobal(QPoint(40, 40)))
        settle(application)
        yield f"menu {name}", menu
        menu.close()
    window.finder.open()
    settle(application)
    yield "palette", window
    window.finder.hide()
    tour = welcome(window)
    for stop in range(5):
        settle(application)
        yield f"tour {stop + 1}", tour
        tour.step(1)
    dialogs: dict[str, Callable[[], QDialog]] = {
        "question": lambda: ask_first(
            window,
            _("Remove the downloaded files?"),
            _("Texts, discussions and everything you wrote stay. Files can be downloaded again, at their cost."),
            _("Remove files"),
            lambda: None,
        ),
        "outside": lambda: OutsideDialog(reader, QUrl("https://ministry.example/a/long/way/to/a/document.pdf")),
        "crash": lambda: CrashDialog(window, "A report\n" * 30, lambda: None),
        "last report": lambda: CrashDialog(window, "A report\n" * 30, None),
        **{name: partial(make, window) for name, make in SHEETS.items()},
    }
    for name, make in dialogs.items():
        dialog = make()
        dialog.open()
        settle(application)
        if isinstance(dialog, CrashDialog) and dialog.look.isVisible():
            yield f"dialog {name}, closed", dialog
            dialog.look.click()
            settle(application)
        yield f"dialog {name}", dialog
        dialog.close()
        settle(application)
    application.context.navigator.go(thread)
    settle(application)
    reader = window.stack.currentWidget().reader  # type: ignore[attr-defined]
    reader.report()
    settle(application)
    dialog = reader.findChildren(ReportDialog)[-1]
    yield "dialog report", dialog
    dialog.close()


def too_large(part: QWidget, window: QWidget) -> Iterator[str]:
    """A menu or dialog that has no room in the window. (A menu that is too high scrolls.)"""
    high = 0 if isinstance(part, QMenu) else part.height()
    if part.isWindow() and (part.width() > window.width() or high > window.height()):
        yield f"{part.width()} × {part.height()} in a window of {window.width()} × {window.height()}"


def look_over(make_window: Make, settle: Settle, home: Path, look: Look) -> list[str]:
    lang, size, scale = look
    chosen = {"introduced": True, "language": lang, "scheme": "light", "scale": scale}
    (home / "window.json").write_text(json.dumps(chosen))
    application = make_window(home, size)
    settle(application)
    found = []
    for where, part in lie_over(application, settle, home):
        assert part.isVisible(), f"{where} is not shown"
        found += [f"{where}: {fault}" for fault in (*faults(part), *too_large(part, application.window))]
    return found


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # of menus, by the offscreen screen
@pytest.mark.parametrize("look", OFTEN, ids=str)
def test_what_comes_over_a_page_is_whole(make_window: Make, settle: Settle, home: Path, look: Look) -> None:
    found = look_over(make_window, settle, home, look)
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
@pytest.mark.parametrize("look", SELDOM, ids=str)
def test_what_comes_over_a_page_is_whole_in_any_look(
    make_window: Make, settle: Settle, home: Path, look: Look
) -> None:
    found = look_over(make_window, settle, home, look)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("look", OFTEN, ids=str)
def test_nothing_is_cut_or_covered(make_window: Make, settle: Settle, home: Path, look: Look) -> None:
    found = walk(make_window, settle, home, look)
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("look", SELDOM, ids=str)
def test_nothing_is_cut_or_covered_in_any_look(make_window: Make, settle: Settle, home: Path, look: Look) -> None:
    found = walk(make_window, settle, home, look)
    assert not found, "\n".join(found)
