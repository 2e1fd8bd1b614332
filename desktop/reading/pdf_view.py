"""A PDF of the shelf, read inside the window: pages, small pages beside them, find, size, and the pencil."""

from __future__ import annotations

from pathlib import Path

import shiboken6
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtPdf import QPdfDocument, QPdfSearchModel
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QTabWidget, QVBoxLayout, QWidget

from desktop.reading.pdf_lists import FoundList, PageList
from desktop.reading.pdf_pages import PdfPages
from desktop.reading.unreadable import Unreadable
from desktop.theme import STEP, in_text
from desktop.widgets.basics import muted, tool
from desktop.widgets.tab_strip import TabLine
from desktop.words import _
from resources_cache.own import FilePlace

_SIDE_FROM = 640  # pixels of the view, at 100 % of text, from which there is room for the small pages
_SIDE = 140


class PdfView(QWidget):
    """Pages one under the other, as wide as the window; the page number, zoom and find."""

    placed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._document = QPdfDocument()
        self._search = QPdfSearchModel()
        self._search.setDocument(self._document)
        self.pages = PdfPages(self._document, self._search)
        self.small = PageList(self._document)
        self.found = FoundList(self._search)
        self._found = -1
        self._page: QLabel = muted("", wrap=False)
        self._turned_to = (1, 1)
        self._bar = line = QHBoxLayout()
        line.setContentsMargins(2 * STEP, 4, 2 * STEP, 4)
        self._beside = tool(_("Small pages"), "contents", self._toggle_side, bare=True)
        self._beside.setCheckable(True)
        line.addWidget(self._beside)
        line.addWidget(tool(_("Page before"), "up", lambda: self._turn(-1), bare=True))
        line.addWidget(tool(_("Next page"), "down", lambda: self._turn(1), bare=True))
        line.addWidget(self._page)
        line.addStretch(1)
        line.addWidget(tool(_("Smaller"), "smaller", lambda: self.resize_by(1 / 1.2), bare=True))
        line.addWidget(tool(_("Larger"), "larger", lambda: self.resize_by(1.2), bare=True))
        line.addWidget(tool(_("As wide as the window"), "expand", lambda: self.pages.set_zoom(0), bare=True))
        self._side = QTabWidget()
        self._side.setTabBar(TabLine())
        self._side.tabBar().setAccessibleName(_("Pages, or places found"))
        self._side.setDocumentMode(True)
        self._side.addTab(self.small, _("Pages"))
        self._side.addTab(self.found, _("Found"))
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self._side)
        self._split.addWidget(self.pages)
        self._split.setStretchFactor(1, 1)
        self._side.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self._split, 1)
        # Children go in the order in which they came: the threads that draw must end before what they draw.
        self._search.setParent(self)
        self._document.setParent(self)
        self.setFocusProxy(self.pages)
        self.pages.turned.connect(self._turned)
        self.pages.rested.connect(self.placed)
        self.small.chosen.connect(self.pages.go_to)
        self.found.chosen.connect(self._show_found)

    def open(self, path: Path, place: FilePlace) -> None:
        """Show the file from where reading of it stopped. Raises: Unreadable."""
        error = self._document.load(str(path))
        if error in (QPdfDocument.Error.IncorrectPassword, QPdfDocument.Error.UnsupportedSecurityScheme):
            raise Unreadable("protected")
        if error is not QPdfDocument.Error.None_ or not self._document.pageCount():
            raise Unreadable("damaged", str(error))
        self.small.pages.reset()
        self.pages.reset()
        if place.zoom:
            self.pages.set_zoom(place.zoom)
        self.pages.go_to(place.page, place.within)
        self._turned(self.pages.page())
        if self._document.pageCount() > 1 and self.width() >= in_text(_SIDE_FROM):
            self._show_side(True)

    @property
    def place(self) -> FilePlace:
        """Where reading is."""
        return FilePlace(*self.pages.place(), self.pages.zoom)

    @property
    def progress(self) -> float:
        """How much of it was read, 0..1; 0 at its beginning."""
        return self.pages.progress()

    def still(self) -> None:
        """Tell nothing more until the person moves again: what there was to tell is asked for."""
        self.pages.still()

    def find_words(self, words: str, *, backward: bool = False, fresh: bool = False) -> int:
        """Mark `words` on the pages and go to the next place; returns how many are known so far."""
        if words != self._search.searchString():
            fresh = True
            self._search.setSearchString(words)
        count = self._search.rowCount(self._search.index(-1, -1))
        if not words:
            self._side.setCurrentWidget(self.small)
            self.pages.viewport().update()
        elif count:
            step = -1 if backward else 1
            self._show_found(0 if fresh or self._found < 0 else (self._found + step) % count)
            self._side.setCurrentWidget(self.found)
        else:
            self._found = -1
        return count

    def resize_by(self, factor: float) -> None:
        """Show the pages larger or smaller."""
        self.pages.set_zoom(self.pages.shown_zoom() * factor)

    def _show_found(self, at: int) -> None:
        self._found = at
        self.pages.show_found(at)
        self.found.setCurrentIndex(self.found.model().index(at, 0))

    def _turn(self, step: int) -> None:
        self.pages.go_to(self.pages.page() + step)

    def _toggle_side(self) -> None:
        self._show_side(self._side.isHidden())

    def _show_side(self, shown: bool) -> None:
        self._side.setVisible(shown)
        self._beside.setChecked(shown)
        if shown:
            self._split.setSizes([in_text(_SIDE), max(1, self.width() - in_text(_SIDE))])

    def _say_page(self) -> None:
        """In words where there is room for them beside the tools."""
        page, count = self._turned_to
        words = _("Page {page} of {count}").format(page=page, count=count)
        self._page.setAccessibleName(words)
        self._page.setText(words)
        if self._bar.sizeHint().width() > self.width():
            self._page.setText(f"{page} / {count}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._say_page()

    def _turned(self, page: int) -> None:
        if not shiboken6.isValid(self._document):
            return  # the window is going away, and its document says so while it goes
        count = self._document.pageCount()
        self._turned_to = (page + 1, count)
        self._say_page()
        self.small.show_page(page)
