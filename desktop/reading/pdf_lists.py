"""The lists beside the pages of a PDF: its pages small, and the places that a search found."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QIdentityProxyModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtPdf import QPdfDocument, QPdfPageRenderer, QPdfSearchModel
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.amounts import number
from desktop.theme import STEP, colours
from desktop.words import _, isolate

Index = QModelIndex | QPersistentModelIndex
SMALL = QSize(84, 112)
"""Pixels that a small page may take."""
_BREAK = "\u23ce"
"""What Qt writes for the end of a line."""
KEPT = 80
"""Small pages that are kept: 3 MB."""


class SmallPages(QAbstractListModel):
    """One row for each page; a page is drawn when its row is shown, one at a time, behind the window."""

    def __init__(self, document: QPdfDocument) -> None:
        super().__init__()
        self._document = document
        self._count = 0
        self._drawn: OrderedDict[int, QPixmap] = OrderedDict()
        self._wanted: list[int] = []
        self._busy = -1
        self._renderer = QPdfPageRenderer(self)
        self._renderer.setRenderMode(QPdfPageRenderer.RenderMode.MultiThreaded)
        self._renderer.setDocument(document)
        self._renderer.pageRendered.connect(self._rendered)

    def reset(self) -> None:
        """The document was loaded."""
        self.beginResetModel()
        self._drawn.clear()
        self._wanted.clear()
        self._busy, self._count = -1, self._document.pageCount()
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._count

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        page = index.row()
        if role == Qt.ItemDataRole.DisplayRole:
            return number(page + 1)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return _("Page {page}").format(page=number(page + 1))
        if role == Qt.ItemDataRole.DecorationRole:
            return self._small(page)
        return None

    def _small(self, page: int) -> QPixmap | None:
        if (found := self._drawn.get(page)) is not None:
            self._drawn.move_to_end(page)
            return found
        if page not in self._wanted and page != self._busy:
            self._wanted.append(page)
            del self._wanted[:-20]  # rows that were only passed by are drawn when they are seen again
            self._draw_next()
        return None

    def _draw_next(self) -> None:
        if self._busy < 0 and self._wanted:
            self._busy = self._wanted.pop()
            size = self._document.pagePointSize(self._busy).toSize().expandedTo(QSize(1, 1))
            self._renderer.requestPage(self._busy, size.scaled(SMALL, Qt.AspectRatioMode.KeepAspectRatio))

    def _rendered(self, page: int, _size: QSize, image: QImage) -> None:
        if page != self._busy:
            return
        self._busy = -1
        whole = QImage(image.size().expandedTo(QSize(1, 1)), QImage.Format.Format_RGB32)
        whole.fill(Qt.GlobalColor.white)
        painter = QPainter(whole)
        painter.drawImage(0, 0, image)
        painter.end()
        self._drawn[page] = QPixmap.fromImage(whole)
        while len(self._drawn) > KEPT:
            self._drawn.popitem(last=False)
        self.dataChanged.emit(self.index(page, 0), self.index(page, 0), [Qt.ItemDataRole.DecorationRole])
        self._draw_next()


class _SmallPage(QStyledItemDelegate):
    """A page with its number below it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(SMALL.width() + 2 * STEP, SMALL.height() + option.fontMetrics.height() + 2 * STEP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        c = colours()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(rect, QColor(c.wash))
        room = QRect(0, 0, SMALL.width(), SMALL.height())
        room.moveCenter(rect.center())
        room.moveTop(rect.top() + STEP // 2)
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        where = room
        if isinstance(picture, QPixmap):
            where = QRect(0, 0, picture.width(), picture.height())
            where.moveCenter(room.center())
            painter.drawPixmap(where.topLeft(), picture)
        painter.setPen(QColor(c.accent if chosen else c.edge))
        painter.drawRect(where.adjusted(-1, -1, 0, 0))
        if chosen and state & QStyle.StateFlag.State_HasFocus:
            painter.drawRect(where.adjusted(-2, -2, 1, 1))
        painter.setPen(QColor(c.ink if chosen else c.muted))
        below = QRect(rect.left(), room.bottom() + 2, rect.width(), rect.bottom() - room.bottom() - 2)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, str(index.data()))


class PageList(QListView):
    """The small pages; the chosen one is told as the person moves, with mouse or keys."""

    chosen = Signal(int)

    def __init__(self, document: QPdfDocument) -> None:
        super().__init__()
        self.pages = SmallPages(document)
        self.pages.setParent(self)
        self.setModel(self.pages)
        self.setItemDelegate(_SmallPage(self))
        self.setUniformItemSizes(True)
        self.setAccessibleName(_("Pages, small"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(SMALL.width() + 5 * STEP)
        self.setTabKeyNavigation(False)

    def show_page(self, page: int) -> None:
        """Choose the page that is read now, without telling it."""
        if page != self.currentIndex().row():
            self.selectionModel().blockSignals(True)
            self.setCurrentIndex(self.pages.index(page, 0))
            self.selectionModel().blockSignals(False)
            self.viewport().update()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        if current.isValid() and (self.hasFocus() or self.viewport().underMouse()):
            self.chosen.emit(current.row())


class _Places(QIdentityProxyModel):
    """What was found, each with its page and the words around it."""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        model = self.sourceModel()
        assert isinstance(model, QPdfSearchModel)
        link = model.resultAtIndex(index.row())
        _cut, _space, before = link.contextBefore()[-30:].replace(_BREAK, " ").partition(" ")
        after = link.contextAfter()[:50].replace(_BREAK, " ")
        around = " ".join(f"{before}{model.searchString()}{after}".split())
        return _("Page {page}: {words}").format(page=number(link.page() + 1), words=isolate(around))


class FoundList(QListView):
    """The places of a search."""

    chosen = Signal(int)

    def __init__(self, search: QPdfSearchModel) -> None:
        super().__init__()
        places = _Places(self)
        places.setSourceModel(search)
        self.setModel(places)
        self.setObjectName("plain")
        self.setWordWrap(True)
        self.setAccessibleName(_("Places found"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.activated.connect(lambda index: self.chosen.emit(index.row()))
        self.clicked.connect(lambda index: self.chosen.emit(index.row()))
