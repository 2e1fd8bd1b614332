"""The text of a record as a page: a readable measure, a text size that sticks, find, and a place to return to."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer, QUrl, Signal
from PySide6.QtGui import QFontMetricsF, QResizeEvent, QTextCursor, QTextDocument
from PySide6.QtWidgets import QFrame, QTextBrowser, QTextEdit

from desktop.reading.markup import OPEN, Page, style_sheet
from desktop.theme import STEP, Theme, colours
from desktop.words import _

MEASURE = 74  # characters of a line, where there is room for them (60–75 is comfortable)
_SAMPLE = "the quiet reader follows one line to the next without losing her place"


class EditionView(QTextBrowser):
    """Shows a `Page`. Nothing in it is ever fetched: no image, no style sheet, no link is followed by itself."""

    inner = Signal(str, str)  # kind, id of another record
    outside = Signal(QUrl)
    placed = Signal(float)  # where reading is, 0..1, after the person stops scrolling

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._page = Page("")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setAccessibleName(_("Text"))
        self.setTabChangesFocus(True)
        self.anchorClicked.connect(self._follow)
        self._resting = QTimer(self)
        self._resting.setSingleShot(True)
        self._resting.setInterval(800)
        self._resting.timeout.connect(lambda: self.placed.emit(self.place()))
        self.verticalScrollBar().valueChanged.connect(lambda _v: self._resting.start())

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Nothing is loaded, whatever the text asks for."""
        return None

    def show_page(self, page: Page, *, keep_place: bool = False) -> None:
        """Show `page` from its top, or where reading was."""
        place = self.place() if keep_place else 0.0
        self._page = page
        document = self.document()
        document.setDefaultFont(self._theme.reading_font())
        document.setDefaultStyleSheet(style_sheet(colours(), self._theme.reading_font().pointSizeF()))
        self.setHtml(page.html)
        self._set_measure()
        self.setExtraSelections([])
        self.go_to(place)
        self._resting.stop()

    def place(self) -> float:
        """How far reading has come, 0 (top) to 1 (end)."""
        bar = self.verticalScrollBar()
        return bar.value() / bar.maximum() if bar.maximum() else 0.0

    def go_to(self, place: float) -> None:
        """Scroll to a place, 0..1."""
        bar = self.verticalScrollBar()
        bar.setValue(round(place * bar.maximum()))

    def jump(self, anchor: str) -> None:
        """Scroll to an anchor of the page and mark the paragraph it stands at."""
        self.scrollToAnchor(anchor)
        block = self.document().begin()
        while block.isValid():
            pieces = block.begin()
            while not pieces.atEnd():
                if anchor in pieces.fragment().charFormat().anchorNames():
                    self._mark_block(QTextCursor(block))
                    return
                pieces += 1
            block = block.next()

    def find_words(self, words: str, *, backward: bool = False, fresh: bool = False) -> int:
        """Mark every place of `words`, go to the next (`fresh`: the first from here). Returns how many."""
        self.setExtraSelections([])
        if not words:
            return 0
        marks: list[QTextEdit.ExtraSelection] = []
        cursor = QTextCursor(self.document())
        while not (cursor := self.document().find(words, cursor)).isNull():
            marks.append(self._mark(cursor))
        self.setExtraSelections(marks)
        here = self.textCursor()
        if fresh:
            here.setPosition(here.selectionStart())
            self.setTextCursor(here)
        flags = QTextDocument.FindFlag.FindBackward if backward else QTextDocument.FindFlag(0)
        if marks and not self.find(words, flags):
            edge = QTextCursor.MoveOperation.End if backward else QTextCursor.MoveOperation.Start
            self.moveCursor(edge)
            self.find(words, flags)
        return len(marks)

    def resizeEvent(self, event: QResizeEvent) -> None:
        place = self.place()
        super().resizeEvent(event)
        if self._set_measure():
            self.go_to(place)

    def _set_measure(self) -> bool:
        metrics = QFontMetricsF(self._theme.reading_font())
        widest = metrics.horizontalAdvance(_SAMPLE) / len(_SAMPLE) * MEASURE
        side = max(3 * STEP, int((self.width() - widest) // 2))
        margins = self.viewportMargins()
        if margins.left() == side and margins.top() == 3 * STEP:
            return False
        self.setViewportMargins(side, 3 * STEP, side, 0)
        return True

    def _mark(self, cursor: QTextCursor) -> QTextEdit.ExtraSelection:
        mark = QTextEdit.ExtraSelection()
        mark.cursor = cursor
        look = cursor.charFormat()
        look.setBackground(self._theme.colour("mark"))
        look.setForeground(self._theme.colour("ink"))
        mark.format = look
        return mark

    def _mark_block(self, cursor: QTextCursor) -> None:
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        self.setExtraSelections([self._mark(cursor)])

    def _follow(self, address: QUrl) -> None:
        text = address.toString()
        if text.startswith("#"):
            self.jump(text[1:])
        elif text.startswith(OPEN):
            kind, _slash, record = text.removeprefix(OPEN).partition("/")
            self.inner.emit(kind, record)
        else:
            self.outside.emit(address)
