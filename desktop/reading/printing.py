"""A text on paper or as a PDF: its title above, its source and the page's number below, in dark on white.

Nothing is fetched: what is laid out is the page as the reader shows it, which holds no pictures. Fonts are the
reader's, with the same families behind the first one for scripts that it lacks, and are embedded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEventLoop, QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QPagedPaintDevice,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QTextBlock,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextOption,
)

from desktop.reading.markup import style_sheet
from desktop.theme import LIGHT
from resources_cache.errors import StoreUnwritable

MARGIN_MM = 18.0
POINTS = 10.5
_SMALL = 0.8
_EDGE = 2.0  # dots; positions are rounded
_NAME = re.compile(r"[^\w\- ]+")


@dataclass(frozen=True)
class Sheet:
    """What is printed: the page's HTML, and the words around it. `page_words` has the holes {page} and {count}."""

    html: str
    title: str
    source: str
    page_words: str
    font: QFont
    right_to_left: bool = False
    author: str = ""


def file_name(title: str, ending: str) -> str:
    """A name for a file about `title` that every system takes, at most 80 characters before its ending."""
    plain = " ".join(_NAME.sub(" ", title).split())[:80].strip()
    return f"{plain or 'hubshelf'}.{ending}"


def page_layout(country_letter: bool = False) -> QPageLayout:
    """A4 (or, where people use it, Letter), upright, with the same margins all round."""
    size = QPageSize(QPageSize.PageSizeId.Letter if country_letter else QPageSize.PageSizeId.A4)
    margins = QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM)
    return QPageLayout(size, QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter)


def save_pdf(sheet: Sheet, path: Path, letter: bool = False) -> int:
    """Write the sheet into a PDF; returns the number of its pages. Raises: StoreUnwritable."""
    writer = QPdfWriter(str(path))
    writer.setPageLayout(page_layout(letter))
    writer.setTitle(sheet.title)
    writer.setAuthor(sheet.author)
    writer.setCreator("Hubshelf")
    pages = print_sheet(sheet, writer)
    del writer  # it is written to its end only now
    if not pages or not path.exists() or path.stat().st_size == 0:
        raise StoreUnwritable(f"{path.name} could not be written.", "Choose another folder, or free some space.")
    return pages


def print_sheet(sheet: Sheet, device: QPagedPaintDevice) -> int:
    """Draw the sheet on paper or into a PDF; returns the number of pages, 0 where the device takes nothing."""
    waiting = QEventLoop()  # a document wants its thread to have timers, also where none of them will ever fire
    painter = QPainter()
    if not painter.begin(device):
        return 0
    try:
        return _draw(sheet, device, painter)
    finally:
        painter.end()
        del waiting


def _draw(sheet: Sheet, device: QPagedPaintDevice, painter: QPainter) -> int:
    font = QFont(sheet.font)
    font.setPointSizeF(POINTS)
    small = QFont(font)
    small.setPointSizeF(POINTS * _SMALL)
    line = QFontMetricsF(small, device).height()
    width, height = float(device.width()), float(device.height())
    # A line above with the title, one or more below with source and number, and their distance from the text.
    below = _words(painter, small, sheet.source, QRectF(0, 0, width * 0.78, height), sheet.right_to_left).height()
    below = min(max(below, line), 4 * line)
    body = QRectF(0, 2 * line, width, height - 3.5 * line - below)
    document = QTextDocument()
    document.documentLayout().setPaintDevice(device)
    document.setDefaultFont(font)
    document.setDocumentMargin(0)
    document.setDefaultStyleSheet(style_sheet(LIGHT, POINTS))
    document.setHtml(sheet.html)
    document.setPageSize(QSizeF(body.width(), body.height()))
    _keep_headings(document, body.height())
    count = document.pageCount()
    for page in range(count):
        if page and not _next(device):
            return page
        painter.save()
        painter.translate(body.left(), body.top() - page * body.height())
        # What begins at the very edge is of the next page.
        document.drawContents(painter, QRectF(0, page * body.height(), body.width(), body.height() - _EDGE))
        painter.restore()
        painter.setFont(small)
        painter.setPen(Qt.GlobalColor.darkGray)
        if page:
            title = QFontMetricsF(small, device).elidedText(sheet.title, Qt.TextElideMode.ElideRight, width)
            _words(painter, small, title, QRectF(0, 0, width, line * 1.5), sheet.right_to_left, draw=True)
        foot = QRectF(0, height - below, width, below)
        numbered = sheet.page_words.format(page=page + 1, count=count)
        lead = QRectF(foot.left() + (foot.width() * 0.22 if sheet.right_to_left else 0), foot.top(),
                      foot.width() * 0.78, foot.height())  # fmt: skip
        _words(painter, small, sheet.source, lead, sheet.right_to_left, draw=True)
        _words(painter, small, numbered, foot, not sheet.right_to_left, draw=True)
    return count


def _keep_headings(document: QTextDocument, height: float) -> None:
    """Begin a new page before a heading that would stand alone at the foot of one; Qt has no rule for that."""
    layout = document.documentLayout()
    block = document.begin()
    while block.isValid() and (following := block.next()).isValid():
        if block.blockFormat().headingLevel():
            here, after = (_first_line(one, layout.blockBoundingRect(one).top()) for one in (block, following))
            if int((here + _EDGE) // height) != int((after + _EDGE) // height):
                form = block.blockFormat()
                form.setPageBreakPolicy(QTextFormat.PageBreakFlag.PageBreak_AlwaysBefore)
                QTextCursor(block).setBlockFormat(form)
        block = following


def _first_line(block: QTextBlock, top: float) -> float:
    """Where the first line of a block begins: a block may begin on one page and its first line on the next."""
    lines = block.layout()
    return lines.position().y() + lines.lineAt(0).y() if lines.lineCount() else top


def _next(device: QPagedPaintDevice) -> bool:
    return device.newPage()


def _words(painter: QPainter, font: QFont, words: str, box: QRectF, right: bool, *, draw: bool = False) -> QRectF:
    """Lay words out in a box, at its right or left side; returns the room that they take."""
    painter.setFont(font)
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    option = QTextOption(side | Qt.AlignmentFlag.AlignAbsolute)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
    if draw:
        painter.drawText(box, words, option)
    return painter.boundingRect(box, words, option)
