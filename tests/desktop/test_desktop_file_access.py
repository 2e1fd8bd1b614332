"""Files and tabs for everybody: each control has a name and is reached by Tab, and nothing is off the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QTabBar, QWidget

from desktop.app import Application
from desktop.navigation import Place
from desktop.reading.pdf_pages import PdfPages
from tests.desktop.epub_books import parts, write_book
from tests.desktop.test_desktop_access import CONTROLS, own_parts
from tests.desktop.test_desktop_books import png, put_file

Make = Callable[..., Application]
Settle = Callable[[Application], None]
SIZES = ((720, 480), (1024, 640), (1920, 1080))


@pytest.mark.parametrize("lang", ["en", "fr", "ar"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["pdf", "epub", "png"])
def test_all_of_a_file_is_named_reached_and_seen(
    make_window: Make,
    settle: Settle,
    home: Path,
    tmp_path: Path,
    put_pdf: Callable[[Path], str],
    lang: str,
    size: tuple[int, int],
    kind: str,
) -> None:
    (home / "window.json").write_text(f'{{"introduced": true, "language": "{lang}", "scheme": "light"}}')
    if kind == "pdf":
        record = put_pdf(home)
    elif kind == "epub":
        data = write_book(tmp_path / "b.epub", parts(png())).read_bytes()
        record = put_file(home, data, "river.epub", "application/epub+zip")
    else:
        record = put_file(home, png(900, 700), "map.png", "image/png")
    application = make_window(home, size)
    window = application.window
    for page in ("people", "sync", "outbox"):
        application.context.tabs.open(Place(page))
    application.context.navigator.go(Place("library", record=record))
    settle(application)
    shown: Any = window.stack.currentWidget()
    shown.reader.files.open_first()
    settle(application)
    assert shown.reader.file.view is not None
    assert (window.width(), window.height()) == size, "the file made the window grow"
    looked_at = 0
    for widget in (*shown.reader.findChildren(QWidget), *window.tabs.findChildren(QWidget), window.tabs):
        if not widget.isVisible() or own_parts(widget):
            continue
        if not isinstance(widget, (*CONTROLS, PdfPages, QTabBar)):
            continue
        if widget.metaObject().className() == "QToolButton" and "Scroll" in widget.objectName():
            continue  # of a row of tabs too long for the window: the arrow keys do the same
        face = QAccessible.queryAccessibleInterface(widget)
        # A row of tabs would be called as the tab in front is.
        name = widget.accessibleName() if isinstance(widget, QTabBar) else face.text(QAccessible.Text.Name)
        assert name.strip(), f"{widget} has no name"
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, f"{name} is not reached by Tab"
        box = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
        in_tabs = window.tabs.isAncestorOf(widget)
        assert in_tabs or window.rect().contains(box), f"{name} is off: {box}"
        if isinstance(widget, QAbstractButton) and not in_tabs:
            assert widget.width() >= widget.minimumSizeHint().width(), f"{name} is cut"
        looked_at += 1
    assert looked_at > 10
    tabs = QAccessible.queryAccessibleInterface(window.tabs)
    names = [tabs.child(n).text(QAccessible.Text.Name) for n in range(window.tabs.count())]
    assert all(name.strip() for name in names), names
