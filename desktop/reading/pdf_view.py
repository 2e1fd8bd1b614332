"""A PDF of the shelf, read inside the window."""

from __future__ import annotations

from pathlib import Path

import shiboken6
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPalette
from PySide6.QtPdf import QPdfDocument, QPdfSearchModel
from PySide6.QtPdfWidgets import QPdfView
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.theme import STEP, colours
from desktop.widgets.basics import muted, tool
from desktop.words import _


class PdfView(QWidget):
    """Pages one under the other, as wide as the window; the page number, zoom and find."""

    def __init__(self) -> None:
        super().__init__()
        self._document = QPdfDocument(self)
        self._search = QPdfSearchModel(self)
        self._search.setDocument(self._document)
        self._view = QPdfView(self)
        self._view.setDocument(self._document)
        self._view.setAccessibleName(_("Pages of the file"))
        self._view.setPageMode(QPdfView.PageMode.MultiPage)
        self._view.setZoomMode(QPdfView.ZoomMode.FitToWidth)
        self._view.setSearchModel(self._search)
        ground = self._view.palette()
        ground.setColor(QPalette.ColorRole.Dark, QColor(colours().rail))
        self._view.setPalette(ground)
        self._page: QLabel = muted("", wrap=False)
        line = QHBoxLayout()
        line.setContentsMargins(2 * STEP, 4, 2 * STEP, 4)
        line.addWidget(tool(_("Page before"), "up", lambda: self._turn(-1), bare=True))
        line.addWidget(tool(_("Next page"), "down", lambda: self._turn(1), bare=True))
        line.addWidget(self._page)
        line.addStretch(1)
        line.addWidget(tool(_("Smaller"), "smaller", lambda: self._zoom(1 / 1.2), bare=True))
        line.addWidget(tool(_("Larger"), "larger", lambda: self._zoom(1.2), bare=True))
        line.addWidget(tool(_("As wide as the window"), "expand", self._fit, bare=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self._view, 1)
        self._view.pageNavigator().currentPageChanged.connect(lambda _p: self._tell())
        self._document.pageCountChanged.connect(lambda _n: self._tell())

    def open(self, path: Path) -> bool:
        """Show the file; False where it is no PDF that can be read (damaged, or under a password)."""
        return self._document.load(str(path)) is QPdfDocument.Error.None_

    def find_words(self, words: str, *, backward: bool = False, fresh: bool = False) -> int:
        """Mark `words` on the pages and go to the next place; returns how many are known so far."""
        if fresh or words != self._search.searchString():
            self._search.setSearchString(words)
        count = self._search.rowCount(self._search.index(-1, -1))
        if count:
            step = -1 if backward else 1
            at = 0 if fresh else (self._view.currentSearchResultIndex() + step) % count
            self._view.setCurrentSearchResultIndex(at)
            found = self._search.resultAtIndex(at)
            self._view.pageNavigator().jump(found.page(), found.location())
        return count

    def _turn(self, step: int) -> None:
        navigator = self._view.pageNavigator()
        page = max(0, min(self._document.pageCount() - 1, navigator.currentPage() + step))
        navigator.jump(page, QPointF())

    def _zoom(self, factor: float) -> None:
        if self._view.zoomMode() is not QPdfView.ZoomMode.Custom:
            first = self._document.pagePointSize(0).width() or 595.0
            self._view.setZoomFactor(self._view.viewport().width() / (first / 72 * self.logicalDpiX()))
            self._view.setZoomMode(QPdfView.ZoomMode.Custom)
        self._view.setZoomFactor(max(0.25, min(5.0, self._view.zoomFactor() * factor)))

    def _fit(self) -> None:
        self._view.setZoomMode(QPdfView.ZoomMode.FitToWidth)

    def _tell(self) -> None:
        if not shiboken6.isValid(self._document):
            return  # the window is going away, and its document says so while it goes
        page, count = self._view.pageNavigator().currentPage() + 1, self._document.pageCount()
        self._page.setText(_("Page {page} of {count}").format(page=page, count=count))
