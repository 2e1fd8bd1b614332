"""The pages of a PDF one under the other: drawn behind the window, with words that can be selected and marked.

Only what is seen is drawn, one page at a time, and no more is kept than `MAX_CACHE`; Qt's own view keeps twenty
pages however large they are, and cannot select or mark. Places are counted as `page * PAGE + character`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from itertools import accumulate

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtPdf import QPdfDocument, QPdfPageRenderer, QPdfSearchModel, QPdfSelection
from PySide6.QtWidgets import QAbstractScrollArea, QFrame

from desktop.reading.edition_view import PAGE, Highlight
from desktop.theme import LIGHT, STEP, colours
from desktop.words import _
from resources_cache.anchors import Anchor, anchor

MAX_CACHE = 48_000_000
"""Bytes of drawn pages that are kept."""
MAX_PIXELS = 6_000_000
"""Pixels of one drawn page; a larger one is drawn smaller and stretched."""
SMALLEST, LARGEST = 0.1, 5.0
_SELECTED = "#b9d3ee"
_MARGIN = STEP
_GAP = STEP
_LONGEST_RATIO = 20  # a page is shown at most so many times as long as the window is wide
_SLICE = 200  # pages measured at a time: about 10 ms
_USUAL = (595.0, 842.0)  # A4 in points
_SHIFT = 40  # characters that other versions of the library may count otherwise


class PdfPages(QAbstractScrollArea):
    """Shows `document`, which is loaded already when `reset` is called."""

    turned = Signal(int)  # the page that is read now, from 0
    selectionChanged = Signal()
    touched = Signal(str)  # the id of a highlight that was clicked
    menu_wanted = Signal(QPoint)
    rested = Signal()  # a moment after the person stopped moving

    def __init__(self, document: QPdfDocument, search: QPdfSearchModel) -> None:
        super().__init__()
        self._document, self._search = document, search
        self._sizes: list[tuple[float, float]] = []
        self._measured = 0
        self._tops: list[float] = [0.0]
        self._zoom = 0.0
        self._now = -1
        self._cache: OrderedDict[int, QImage] = OrderedDict()
        self._waiting: tuple[int, QSize] | None = None
        self._highlights: dict[int, list[Highlight]] = {}
        self._quotes: dict[str, str] = {}
        self._bounds: dict[str, list[QRectF]] = {}
        self._selection: QPdfSelection | None = None
        self._from: tuple[int, QPointF] | None = None
        self._found = -1
        self._renderer = QPdfPageRenderer(self)
        self._renderer.setRenderMode(QPdfPageRenderer.RenderMode.MultiThreaded)
        self._renderer.setDocument(document)
        self._renderer.pageRendered.connect(self._rendered)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(_("Pages of the file"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self._measure = QTimer(self)
        self._measure.setInterval(0)
        self._measure.timeout.connect(self._measure_more)
        self._resting = QTimer(self)
        self._resting.setSingleShot(True)
        self._resting.setInterval(400)
        self._resting.timeout.connect(self._rest)

    # The document

    def reset(self) -> None:
        """The document was loaded: show its first page."""
        count = self._document.pageCount()
        self._cache.clear()
        self._waiting, self._selection, self._found, self._now = None, None, -1, -1
        self._sizes = [self._size_of(0) if count else _USUAL] * count
        self._measured = 0
        self._measure_more()
        if self._measured < count:
            self._measure.start()
        self._lay_out()
        self.go_to(0)

    def _measure_more(self) -> None:
        """Measure some pages more; until then they are taken to be as large as the first."""
        end = min(len(self._sizes), self._measured + _SLICE)
        changed = False
        for page in range(self._measured, end):
            size = self._size_of(page)
            changed, self._sizes[page] = changed or size != self._sizes[page], size
        self._measured = end
        if end >= len(self._sizes):
            self._measure.stop()
        if changed and self._now >= 0:
            page, within = self.place()
            self._lay_out()
            self.go_to(page, within)

    def _size_of(self, page: int) -> tuple[float, float]:
        size = self._document.pagePointSize(page)
        width, height = size.width(), size.height()
        good = 1 <= width <= 1e6 and 1 <= height <= 1e6
        return (width, height) if good else _USUAL

    # Where everything is

    def _scale(self, page: int) -> float:
        """Pixels of the window in a point of this page."""
        if self._zoom:
            return self._zoom * self.logicalDpiX() / 72
        width, height = self._sizes[page]
        room = max(80, self.viewport().width() - 2 * _MARGIN)
        return min(room / width, _LONGEST_RATIO * room / height)

    def _lay_out(self) -> None:
        heights = (size[1] * self._scale(page) + _GAP for page, size in enumerate(self._sizes))
        self._tops = [float(_GAP), *accumulate(heights, initial=float(_GAP))][1:]
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, round(self._tops[-1]) - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(4 * STEP)
        widest = max((size[0] * self._scale(page) for page, size in enumerate(self._sizes)), default=0)
        across = self.horizontalScrollBar()
        across.setRange(0, max(0, round(widest + 2 * _MARGIN) - self.viewport().width()))
        across.setPageStep(self.viewport().width())
        self.viewport().update()

    def _rect(self, page: int) -> QRectF:
        """Where the page is on the viewport."""
        scale = self._scale(page)
        width, height = self._sizes[page][0] * scale, self._sizes[page][1] * scale
        across = self.horizontalScrollBar()
        left = (self.viewport().width() + across.maximum() - width) / 2 - across.value()
        return QRectF(left, self._tops[page] - self.verticalScrollBar().value(), width, height)

    def _seen(self) -> range:
        if not self._sizes:
            return range(0)
        top = self.verticalScrollBar().value()
        first = max(0, bisect_right(self._tops, top) - 1)
        last = bisect_right(self._tops, top + self.viewport().height())
        return range(first, min(last, len(self._sizes)))

    def _page_at(self, y: float) -> int:
        at = bisect_right(self._tops, y + self.verticalScrollBar().value()) - 1
        return max(0, min(len(self._sizes) - 1, at))

    def _point(self, page: int, where: QPointF) -> QPointF:
        """A place of the viewport in points of the page, kept inside of it."""
        rect, scale = self._rect(page), self._scale(page)
        width, height = self._sizes[page]
        x, y = (where.x() - rect.left()) / scale, (where.y() - rect.top()) / scale
        return QPointF(max(0.0, min(width, x)), max(0.0, min(height, y)))

    def _on_view(self, page: int, bounds: QRectF) -> QRectF:
        rect, scale = self._rect(page), self._scale(page)
        return QRectF(
            rect.left() + bounds.left() * scale,
            rect.top() + bounds.top() * scale,
            bounds.width() * scale,
            bounds.height() * scale,
        )

    # Moving

    def page(self) -> int:
        """The page that is read now: the one a third of the window down."""
        return self._page_at(self.viewport().height() / 3) if self._sizes else 0

    def place(self) -> tuple[int, float]:
        """The page at the top of the window, from 0, and how much of it is above (0..1)."""
        if not self._sizes:
            return 0, 0.0
        page = self._page_at(0)
        above = self.verticalScrollBar().value() - self._tops[page]
        return page, max(0.0, min(1.0, above / (self._sizes[page][1] * self._scale(page))))

    def progress(self) -> float:
        """How far down all the pages the window is, 0..1."""
        bar = self.verticalScrollBar()
        return bar.value() / bar.maximum() if bar.maximum() else 0.0

    def go_to(self, page: int, within: float = 0.0) -> None:
        """Bring a page (the nearest there is) to the top of the window, from `within` (0..1) of it on."""
        if not self._sizes:
            return
        page = max(0, min(len(self._sizes) - 1, page))
        height = self._sizes[page][1] * self._scale(page)
        above = 0 if within else _GAP
        self.verticalScrollBar().setValue(round(self._tops[page] + within * height) - above)
        self._tell_page()

    @property
    def zoom(self) -> float:
        """1: as large as on paper; 0: as wide as the window."""
        return self._zoom

    def set_zoom(self, zoom: float) -> None:
        """Show the pages in this size, at the same place; 0: as wide as the window."""
        page, within = self.place()
        self._zoom = max(SMALLEST, min(LARGEST, zoom)) if zoom else 0.0
        self._cache.clear()
        self._lay_out()
        self.go_to(page, within)
        self._resting.start()

    def shown_zoom(self) -> float:
        """The size of the page that is read now."""
        return self._scale(self.page()) * 72 / self.logicalDpiX() if self._sizes else 1.0

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()
        self._tell_page()
        self._resting.start()

    def _tell_page(self) -> None:
        if (page := self.page()) != self._now:
            self._now = page
            self.turned.emit(page)

    def _rest(self) -> None:
        if 0 <= self._now < len(self._sizes):
            self.setAccessibleDescription(self.page_words(self._now)[:4000])
        self.rested.emit()

    def still(self) -> None:
        """Tell nothing more until the person moves again."""
        self._resting.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        page, within = self.place()
        super().resizeEvent(event)
        if self._sizes:
            self._lay_out()
            self.go_to(page, within)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, bar = event.key(), self.verticalScrollBar()
        if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            bar.setValue(0 if key == Qt.Key.Key_Home else bar.maximum())
        elif key == Qt.Key.Key_Space:
            back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            bar.setValue(bar.value() + (-1 if back else 1) * int(bar.pageStep() * 0.9))
        else:
            super().keyPressEvent(event)

    # Words

    def page_words(self, page: int) -> str:
        """All that the page says."""
        return self._document.getAllText(page).text()[: PAGE - 1]

    def selected(self) -> tuple[int, int] | None:
        """Where the selected words begin and end; None where nothing is selected."""
        if self._selection is None or self._from is None or not self._selection.isValid():
            return None
        page = self._from[0]
        return page * PAGE + self._selection.startIndex(), page * PAGE + self._selection.endIndex()

    def selected_words(self) -> str:
        """The selected words."""
        return self._selection.text() if self._selection is not None else ""

    def passage(self) -> tuple[Anchor, int]:
        """The anchor of the selected words on their page, and the page. Raises: ValueError for none."""
        if (selected := self.selected()) is None:
            raise ValueError("nothing is selected")
        page, start = divmod(selected[0], PAGE)
        text, words = self.page_words(page), self.selected_words()
        if text[start : start + len(words)] != words:
            start = max(0, text.find(words))
        return anchor(text, start, min(len(text), start + len(words))), page

    def span_of(self, page: int, where: Anchor) -> tuple[int, int] | None:
        """Where a passage stands, by its page; None where there is no such page."""
        if not 0 <= page < len(self._sizes) or where.start + len(where.quote) >= PAGE:
            return None
        self._quotes[f"{page}-{where.start}-{len(where.quote)}"] = where.quote
        start = page * PAGE + where.start
        return start, start + len(where.quote)

    def select(self, page: int, start: QPointF, end: QPointF) -> None:
        """Select the words between two places of a page (in points)."""
        self._from = (page, start)
        chosen = self._document.getSelection(page, start, end)
        self._selection = chosen if chosen.isValid() and chosen.text().strip() else None
        self.viewport().update()
        self.selectionChanged.emit()

    def clear_selection(self) -> None:
        """Select nothing."""
        self._selection = self._from = None
        self.viewport().update()
        self.selectionChanged.emit()

    def set_highlights(self, highlights: Iterable[Highlight]) -> None:
        """Show these passages, and no others, in their colours."""
        self._highlights, self._bounds = {}, {}
        for one in highlights:
            self._highlights.setdefault(one.start // PAGE, []).append(one)
        self.viewport().update()

    def go_to_words(self, start: int, end: int) -> None:
        """Bring a passage to the upper part of the window."""
        page = start // PAGE
        if page < len(self._sizes):
            bounds = self._bounds_of(start, end)
            top = bounds[0].top() * self._scale(page) if bounds else 0.0
            self.verticalScrollBar().setValue(round(self._tops[page] + top - self.viewport().height() / 4))

    def show_found(self, index: int) -> None:
        """Go to a place of the search, and select its words."""
        self._found = index
        link = self._search.resultAtIndex(index)
        page, bounds = link.page(), link.rectangles()
        if 0 <= page < len(self._sizes) and bounds:
            top = bounds[0].top() * self._scale(page)
            self.verticalScrollBar().setValue(round(self._tops[page] + top - self.viewport().height() / 3))
            first, last = bounds[0], bounds[-1]
            inside = QPointF(first.left() + 0.5, first.center().y())
            self.select(page, inside, QPointF(last.right() - 0.5, last.center().y()))
        self.viewport().update()

    def _bounds_of(self, start: int, end: int) -> list[QRectF]:
        """The lines of a passage in points of its page."""
        page, first = divmod(start, PAGE)
        length = end - start
        quote = self._quotes.get(f"{page}-{first}-{length}", "")
        for shift in sorted(range(-_SHIFT, _SHIFT + 1), key=abs):
            if first + shift < 0:
                continue
            chosen = self._document.getSelectionAtIndex(page, first + shift, length)
            if not quote or chosen.text() == quote:
                return lines_of(chosen.bounds())
        return []

    # Drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), QColor(colours().rail))
        missing = []
        for page in self._seen():
            rect = self._rect(page)
            painter.fillRect(rect, Qt.GlobalColor.white)
            if (image := self._cache.get(page)) is not None:
                self._cache.move_to_end(page)
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                painter.drawImage(rect, image)
            if image is None or image.size() != self._pixels(page):
                missing.append(page)
            self._draw_marks(painter, page)
        painter.end()
        if missing and self._waiting is None:
            self._waiting = (missing[0], self._pixels(missing[0]))
            self._renderer.requestPage(*self._waiting)

    def _draw_marks(self, painter: QPainter, page: int) -> None:
        # Pages are white whatever the colours of the window are: so the light ones, under the ink.
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        for one in self._highlights.get(page, ()):
            if one.id not in self._bounds:
                self._bounds[one.id] = self._bounds_of(one.start, one.end)
            for bounds in self._bounds[one.id]:
                painter.fillRect(self._on_view(page, bounds), QColor(getattr(LIGHT, one.colour)))
        if self._search.searchString():
            for link in self._search.resultsOnPage(page):
                for bounds in link.rectangles():
                    painter.fillRect(self._on_view(page, bounds), QColor(LIGHT.mark))
        if self._selection is not None and self._from is not None and self._from[0] == page:
            for bounds in lines_of(self._selection.bounds()):
                painter.fillRect(self._on_view(page, bounds), QColor(_SELECTED))
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        for one in self._highlights.get(page, ()):
            if one.noted or one.chosen:  # not by colour alone
                style = Qt.PenStyle.SolidLine if one.chosen else Qt.PenStyle.DotLine
                painter.setPen(QPen(QColor(LIGHT.accent if one.chosen else LIGHT.ink), 1.5, style))
                for bounds in self._bounds[one.id]:
                    where = self._on_view(page, bounds)
                    painter.drawLine(where.bottomLeft(), where.bottomRight())

    def _pixels(self, page: int) -> QSize:
        rect, ratio = self._rect(page), self.devicePixelRatioF()
        width, height = rect.width() * ratio, rect.height() * ratio
        less = min(1.0, (MAX_PIXELS / max(1.0, width * height)) ** 0.5)
        return QSize(max(1, int(width * less)), max(1, int(height * less)))

    def _rendered(self, page: int, size: QSize, image: QImage) -> None:
        if self._waiting is None or self._waiting != (page, size):
            return
        self._waiting = None
        if image.isNull():  # a page that cannot be drawn is drawn as an empty one, once
            image = QImage(size, QImage.Format.Format_Grayscale8)
            image.fill(255)
        self._cache[page] = image
        self._cache.move_to_end(page)
        while len(self._cache) > 1 and sum(one.sizeInBytes() for one in self._cache.values()) > MAX_CACHE:
            self._cache.popitem(last=False)
        self.viewport().update()

    # The mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._sizes:
            page = self._page_at(event.position().y())
            if self._selection is not None:
                self.clear_selection()
            self._from = (page, self._point(page, event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self._from is not None:
            page, start = self._from
            self.select(page, start, self._point(page, event.position()))
            self._from = (page, start)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._selection is not None or not self._sizes:
            return
        page = self._page_at(event.position().y())
        where = self._point(page, event.position())
        for one in reversed(self._highlights.get(page, [])):
            if any(bounds.contains(where) for bounds in self._bounds.get(one.id, ())):
                self.touched.emit(one.id)
                return

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())


def lines_of(pieces: Iterable[QPolygonF]) -> list[QRectF]:
    """One box for each line, of the many overlapping ones that words and letters have."""
    lines: list[QRectF] = []
    for piece in pieces:
        box = piece.boundingRect()
        last = lines[-1] if lines else QRectF()
        near = abs(box.center().y() - last.center().y()) < max(box.height(), last.height()) / 2
        apart = max(box.left() - last.right(), last.left() - box.right())
        if lines and near and apart < 3 * max(box.height(), last.height()):
            lines[-1] = last.united(box)
        else:
            lines.append(box)
    return lines
