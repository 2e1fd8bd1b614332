"""The text of a record as a page: a readable measure, a text size that sticks, find, and a place to return to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetricsF,
    QGuiApplication,
    QMouseEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QTextEdit

from desktop.reading.markup import OPEN, Page, style_sheet
from desktop.theme import STEP, Theme, colours
from desktop.words import _
from resources_cache.anchors import Anchor, anchor

MEASURE = 74  # characters of a line, where there is room for them (60–75 is comfortable)
# What Qt puts between paragraphs, lines and cells, and in the place of things, as the white space that it is.
_SPACES = {0x2028: "\n", 0x2029: "\n", 0xFDD0: "\n", 0xFDD1: "\n", 0xFFFC: " ", 0xA0: " "}
PAGE = 1 << 24
"""What stands on several pages, or in several chapters, is counted as `page * PAGE + character`."""
_SAMPLE = "the quiet reader follows one line to the next without losing her place"


@dataclass(frozen=True)
class Highlight:
    """A passage to show in `colour` (a name of the theme's). `start` and `end` count characters of `words()`.

    `noted`: there is a note on it; `chosen`: it is the one that the person is at.
    """

    id: str
    start: int
    end: int
    colour: str
    noted: bool = False
    chosen: bool = False


class EditionView(QTextBrowser):
    """Shows a `Page`. Nothing in it is ever fetched: no image, no style sheet, no link is followed by itself."""

    inner = Signal(str, str)  # kind, id of another record
    beside = Signal(str, str)  # the same, wanted in a tab of its own
    outside = Signal(QUrl)
    placed = Signal(float)  # where reading is, 0..1, after the person stops scrolling
    touched = Signal(str)  # the id of a highlight that was clicked
    menu_wanted = Signal(QPoint)  # where, on the screen

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._page = Page("")
        self._highlights: list[Highlight] = []
        self._passing: list[QTextEdit.ExtraSelection] = []
        self._words: str | None = None
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
        self._words = None
        self._highlights = []
        self._set_measure()
        self._mark_passing([])
        self.go_to(place)
        self._resting.stop()

    def tell_place(self) -> None:
        """Say at once where reading is, if that was about to be said: afterwards may be too late."""
        if self._resting.isActive():
            self._resting.stop()
            self.placed.emit(self.place())

    def still(self) -> None:
        """Tell nothing more until the person scrolls again."""
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
        self._mark_passing([])
        if not words:
            return 0
        marks: list[QTextEdit.ExtraSelection] = []
        cursor = QTextCursor(self.document())
        while not (cursor := self.document().find(words, cursor)).isNull():
            marks.append(self._mark(cursor))
        self._mark_passing(marks)
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

    def words(self) -> str:
        """All that the page says, each character where the document has it (paragraphs end with line breaks)."""
        if self._words is None:
            self._words = self.document().toRawText().translate(_SPACES)
        return self._words

    def selected(self) -> tuple[int, int] | None:
        """Where the selected words begin and end in `words()`; None where nothing is selected."""
        cursor = self.textCursor()
        if not cursor.hasSelection():
            return None
        return self._counted(cursor.selectionStart()), self._counted(cursor.selectionEnd())

    def selected_words(self) -> str:
        """The selected words."""
        return self.textCursor().selection().toPlainText().strip()

    def passage(self) -> tuple[Anchor, int]:
        """The anchor of the selected words, and the page, which is 0. Raises: ValueError where there are none."""
        return anchor(self.words(), *(self.selected() or (0, 0))), 0

    def span_of(self, page: int, where: Anchor) -> tuple[int, int] | None:
        """Where a passage stands that was marked in this very text."""
        return where.start, where.start + len(where.quote)

    def clear_selection(self) -> None:
        """Select nothing."""
        cursor = self.textCursor()
        cursor.clearSelection()
        self.setTextCursor(cursor)

    def select_words(self, start: int, end: int) -> None:
        """Select what stands between two positions of `words()`."""
        self.setTextCursor(self._cursor(start, end))

    def set_highlights(self, highlights: Iterable[Highlight]) -> None:
        """Show these passages, and no others, in their colours."""
        self._highlights = list(highlights)
        self._mark_passing(self._passing)

    def go_to_words(self, start: int, end: int) -> None:
        """Scroll so that the passage is seen, in the upper part of the window, and put the caret before it."""
        cursor = self._cursor(start, start)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + self.cursorRect(cursor).top() - self.viewport().height() // 4)

    def set_caret(self, on: bool) -> None:
        """Select with the keyboard (arrows move a caret, with Shift they select), or scroll with it as before."""
        flags = Qt.TextInteractionFlag.TextBrowserInteraction
        if on:
            flags |= Qt.TextInteractionFlag.TextSelectableByKeyboard
        self.setTextInteractionFlags(flags)

    @property
    def caret(self) -> bool:
        """Whether arrows move a caret now."""
        return bool(self.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByKeyboard)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        address = self.anchorAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.MiddleButton and address.startswith(OPEN):
            kind, _slash, record = address.removeprefix(OPEN).partition("/")
            self.beside.emit(kind, record)
        if event.button() != Qt.MouseButton.LeftButton or self.textCursor().hasSelection():
            return
        at = self._counted(self.cursorForPosition(event.position().toPoint()).position())
        hit = [one for one in self._highlights if one.start <= at < one.end]
        if hit:
            self.touched.emit(min(hit, key=lambda one: one.end - one.start).id)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    def _counted(self, position: int) -> int:
        """A position of Qt's, which counts UTF-16 units, in characters."""
        words = self.words()
        if len(words) >= self.document().characterCount() - 1:
            return position  # all characters are single units, as nearly everywhere
        units = words.encode("utf-16-le")[: 2 * position]
        return len(units.decode("utf-16-le", "ignore"))

    def _cursor(self, start: int, end: int) -> QTextCursor:
        words = self.words()
        last = self.document().characterCount() - 1
        if len(words) < last:
            start, end = (len(words[:at].encode("utf-16-le")) // 2 for at in (start, end))
        cursor = QTextCursor(self.document())
        cursor.setPosition(min(start, last))
        cursor.setPosition(min(end, last), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _mark_passing(self, marks: list[QTextEdit.ExtraSelection]) -> None:
        """Show what was found or jumped to, over the highlights."""
        self._passing = marks
        self.setExtraSelections([*map(self._highlight, self._highlights), *marks])

    def _highlight(self, one: Highlight) -> QTextEdit.ExtraSelection:
        mark = QTextEdit.ExtraSelection()
        mark.cursor = self._cursor(one.start, one.end)
        look = QTextCharFormat()
        look.setBackground(self._theme.colour(one.colour))
        look.setForeground(self._theme.colour("ink"))
        if one.chosen or one.noted:
            # Not by colour alone: a note is seen by its dotted line, the chosen passage by a whole one.
            style = QTextCharFormat.UnderlineStyle
            look.setUnderlineStyle(style.SingleUnderline if one.chosen else style.DotLine)
            look.setUnderlineColor(self._theme.colour("accent" if one.chosen else "ink"))
        mark.format = look
        return mark

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
        self._mark_passing([self._mark(cursor)])

    def _follow(self, address: QUrl) -> None:
        text = address.toString()
        if text.startswith("#"):
            self.jump(text[1:])
        elif text.startswith(OPEN):
            kind, _slash, record = text.removeprefix(OPEN).partition("/")
            held = QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier
            (self.beside if held else self.inner).emit(kind, record)
        else:
            self.outside.emit(address)
