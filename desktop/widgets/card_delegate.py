"""Draws a card: title in up to two lines, its summary, and a quiet last line with badges; mirrored for Arabic."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.icons import pixmap
from desktop.theme import STEP, colours, in_text
from desktop.widgets.basics import sized_font

if TYPE_CHECKING:
    from desktop.widgets.cards import CardRow

ROW = int(Qt.ItemDataRole.UserRole) + 1
MARK_ON, MARK_OFF = "\x02", "\x03"
_SIDE = 2 * STEP
_ICON = 20
_BOX = 18
BOX_COLUMN = _SIDE + _BOX + 12
"""Pixels at the beginning of a row in which its box stands, while rows are being chosen."""
_BADGE_ICON = 14
_LAID_OUT = 100
"""Texts that stay laid out, those drawn last: some screens of rows."""
_NARROW = 560
_WIDEST = 860  # at 100 % of text; longer lines are hard to follow back to their beginning


def marked_ranges(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Text without its marks, and the (start, length) of each marked run."""
    if MARK_ON not in text and MARK_OFF not in text:
        return text, []
    plain: list[str] = []
    ranges: list[tuple[int, int]] = []
    start = -1
    length = 0
    for letter in text:
        if letter == MARK_ON:
            start = length
        elif letter == MARK_OFF:
            if start >= 0:
                ranges.append((start, length - start))
            start = -1
        else:
            plain.append(letter)
            length += 1
    return "".join(plain), ranges


class _Words:
    """One text laid out in at most `most` lines of `width` pixels, the last one elided."""

    def __init__(self, text: str, font: QFont, width: int, most: int, mirrored: bool, mark: QColor | None) -> None:
        plain, ranges = marked_ranges(" ".join(text.split()))
        option = QTextOption()
        side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        option.setAlignment(side | Qt.AlignmentFlag.AlignAbsolute)
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        metrics = QFontMetrics(font)
        step = _step(metrics)
        # More letters than this never fit (none is narrower than 3 pixels): they are not even looked at.
        plain = plain[: most * max(1, width) // 3 + 1]
        if most == 1:
            plain = metrics.elidedText(plain, Qt.TextElideMode.ElideRight, width - 2)
        ranges = [(s, min(n, len(plain) - s)) for s, n in ranges if s < len(plain)]
        for _attempt in range(2):
            self.layout = QTextLayout(plain, font)
            self.layout.setTextOption(option)
            formats = []
            if mark is not None:
                look = QTextCharFormat()
                look.setBackground(mark)
                look.setFontWeight(QFont.Weight.DemiBold)
                for start, length in ranges:
                    piece = QTextLayout.FormatRange()
                    piece.start, piece.length, piece.format = start, length, look
                    formats.append(piece)
            self.layout.setFormats(formats)
            self.layout.beginLayout()
            starts: list[tuple[int, int]] = []
            while len(starts) < most and (line := self.layout.createLine()).isValid():
                line.setLineWidth(max(1, width))
                line.setPosition(QPointF(0, len(starts) * step))
                starts.append((line.textStart(), line.textLength()))
            self.layout.endLayout()
            end = sum(starts[-1]) if starts else 0
            if end >= len(plain):
                break
            # Too long: cut the last line where it fits and lay out once more.
            head = plain[: starts[-1][0]]
            last = metrics.elidedText(plain[starts[-1][0] :], Qt.TextElideMode.ElideRight, width - 4)
            plain = head + last
            ranges = [(s, min(n, len(plain) - s)) for s, n in ranges if s < len(plain)]

    def draw(self, painter: QPainter, x: float, y: float, colour: QColor) -> None:
        painter.setPen(colour)
        self.layout.draw(painter, QPointF(x, y))


def _step(metrics: QFontMetrics) -> int:
    """From one line to the next, in pixels."""
    return round(metrics.height() * 1.16)


def _height(text: str, metrics: QFontMetrics, width: int, most: int) -> int:
    """The height that `_Words` needs, without laying anything out: lists measure many more rows than they draw."""
    lines = 1
    if most > 1 and metrics.horizontalAdvance(text[: width // 2]) > width - 2:
        lines = most
    return lines * _step(metrics)


class CardDelegate(QStyledItemDelegate):
    """Draws the rows of a `CardModel`; `compact` leaves out the last line (suggestions).

    `even`: all rows are of one height, so that a list of a hundred thousand is laid out at once: title and summary
    share three lines, and badges for which there is no room are left out.
    """

    def __init__(self, view: QListView, *, compact: bool = False, even: bool = False) -> None:
        super().__init__(view)
        self._view = view
        self._compact = compact
        self._even = even
        self._icon, self._badge = in_text(_ICON), in_text(_BADGE_ICON)  # as large as the words beside them
        self._title_font = sized_font(1.08, QFont.Weight.DemiBold)
        self._line_font = sized_font(1.0)
        self._meta_font = sized_font(0.9)
        self._section_font = sized_font(1.2, QFont.Weight.DemiBold)
        self._title_metrics = QFontMetrics(self._title_font)
        self._line_metrics = QFontMetrics(self._line_font)
        self._meta_metrics = QFontMetrics(self._meta_font)
        self._section_metrics = QFontMetrics(self._section_font)
        self._heights: dict[tuple[int, Any, bool], int] = {}
        self._laid_out: OrderedDict[tuple[Any, ...], _Words] = OrderedDict()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        row = index.data(ROW)
        width = self._view.viewport().width()
        if row is None or width <= 0:
            return QSize(0, 0)
        if self._even:
            return QSize(width, self._even_height(width))
        if index.data(Qt.ItemDataRole.CheckStateRole) is not None:
            width -= BOX_COLUMN - _SIDE
        first = index.row() == 0
        key = (width, row, first and row.section)  # above the first heading there is less room
        if key not in self._heights:
            if len(self._heights) > 20_000:
                self._heights.clear()
            self._heights[key] = self._lay_out(None, QRect(0, 0, width, 0), row, first=first)
        return QSize(self._view.viewport().width(), self._heights[key])

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row = index.data(ROW)
        if row is None:
            return
        rect: QRect = option.rect
        state = option.state
        painter.save()
        painter.setLayoutDirection(self._view.layoutDirection())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        c = colours()
        if not row.section:
            chosen = bool(state & QStyle.StateFlag.State_Selected)
            if chosen or state & QStyle.StateFlag.State_MouseOver:
                ground = QColor(c.wash)
                if not chosen:
                    ground.setAlphaF(0.5)
                painter.fillRect(rect, ground)
            if chosen:
                left = rect.right() - 2 if self._mirrored() else rect.left()
                painter.fillRect(QRect(left, rect.top(), 3, rect.height()), QColor(c.accent))
            painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), QColor(c.hairline))
            if state & QStyle.StateFlag.State_HasFocus and self._view.hasFocus():
                painter.setPen(QColor(c.accent))
                painter.drawRoundedRect(QRectF(rect).adjusted(1.5, 1.5, -1.5, -2.5), 4, 4)
        checked = index.data(Qt.ItemDataRole.CheckStateRole)
        if checked is not None:
            self._draw_box(painter, rect, checked == Qt.CheckState.Checked)
            side = BOX_COLUMN - _SIDE
            rect = rect.adjusted(0, 0, -side, 0) if self._mirrored() else rect.adjusted(side, 0, 0, 0)
        if kept := self.reserved(row):
            rect = rect.adjusted(kept, 0, 0, 0) if self._mirrored() else rect.adjusted(0, 0, -kept, 0)
        self._lay_out(painter, rect, row, first=index.row() == 0)
        painter.restore()

    def reserved(self, row: CardRow) -> int:
        """Pixels at the end of a row in which its words do not stand."""
        return 0

    def _words(self, text: str, font: QFont, width: int, most: int, mirrored: bool, mark: QColor | None) -> _Words:
        """A text laid out, or as it was laid out when it was last drawn: half of what a row costs."""
        key = (text, id(font), width, most, mirrored, mark and mark.rgba())
        words = self._laid_out.pop(key, None) or _Words(text, font, width, most, mirrored, mark)
        self._laid_out[key] = words
        if len(self._laid_out) > _LAID_OUT:
            self._laid_out.popitem(last=False)
        return words

    def _draw_box(self, painter: QPainter, rect: QRect, checked: bool) -> None:
        c = colours()
        left = rect.right() - _SIDE - _BOX + 1 if self._mirrored() else rect.left() + _SIDE
        box = QRectF(left + 0.5, rect.top() + 14.5, _BOX - 1, _BOX - 1)
        painter.setPen(QColor(c.accent if checked else c.edge))
        painter.setBrush(QColor(c.accent if checked else c.sheet))
        painter.drawRoundedRect(box, 4, 4)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if checked:
            painter.drawPixmap(left + 2, rect.top() + 16, pixmap("check", c.on_accent, _BOX - 4))

    def _even_height(self, width: int) -> int:
        body = 2 * _step(self._title_metrics) + _step(self._line_metrics) + 2
        return 24 + body + 3 + self._meta_lines(width) * (self._meta_metrics.height() + 4)

    def _meta_lines(self, width: int) -> int:
        """In how many lines the badges of even rows stand: beside a reader they need two."""
        return 1 if width >= _NARROW else 2

    def _mirrored(self) -> bool:
        return self._view.layoutDirection() == Qt.LayoutDirection.RightToLeft

    def _lay_out(self, painter: QPainter | None, rect: QRect, row: CardRow, *, first: bool) -> int:
        """Draw the row (or only measure it, without a painter); returns its height in pixels."""
        c, mirrored = colours(), self._mirrored()
        if row.section:
            top = STEP if first else 4 * STEP
            if painter:
                words = self._words(row.title, self._section_font, rect.width() - 2 * _SIDE, 1, mirrored, None)
                words.draw(painter, rect.left() + _SIDE, rect.top() + top, QColor(c.ink))
            return top + _step(self._section_metrics) + STEP
        lead = _SIDE + (self._icon + 12 if row.picture else 0)
        width = min(rect.width() - lead - _SIDE, in_text(_WIDEST))
        left = rect.right() + 1 - lead - width if mirrored else rect.left() + lead
        y = float(rect.top() + (STEP if self._compact else 12))
        most = 1 if self._compact else 2
        if painter:
            if row.picture:
                icon_left = rect.right() - _SIDE - self._icon + 1 if mirrored else rect.left() + _SIDE
                painter.drawPixmap(icon_left, round(y) + 1, pixmap(row.picture, c.muted, self._icon))
            title = self._words(row.title, self._title_font, width, most, mirrored, QColor(c.mark))
            title.draw(painter, left, y, QColor(c.ink))
        tall = _height(row.title, self._title_metrics, width, most)
        y += tall
        lines = row.lines
        if self._even and tall == _step(self._title_metrics):
            lines += 1  # what the title leaves is the summary's
        if row.line:
            if painter:
                line = self._words(row.line, self._line_font, width, lines, mirrored, QColor(c.mark))
                line.draw(painter, left, y + 1, QColor(c.ink if MARK_ON in row.line else c.muted))
            y += _height(row.line, self._line_metrics, width, lines) + 2
        if row.meta or row.badges:
            y += 3
            y += self._last_line(painter, row, left, y, width, mirrored)
        return round(y - rect.top() + (STEP if self._compact else 12))

    def _last_line(
        self, painter: QPainter | None, row: CardRow, left: int, y: float, width: int, mirrored: bool
    ) -> int:
        """Meta and badges, on one line where they fit and on several where they do not; returns the height."""
        metrics, c = self._meta_metrics, colours()
        step = metrics.height() + 4
        pieces = [(row.meta, "muted", "", "")] if row.meta else []
        pieces += [(b.text, b.tone, b.picture, b.swatch) for b in row.badges]
        x, lines = 0, 1
        for words, tone, picture, swatch in pieces:
            room = self._badge + 5 if picture or swatch else 0
            wide = min(width, metrics.horizontalAdvance(words) + room + 2)
            if x and x + wide > width:
                if self._even and lines == self._meta_lines(self._view.viewport().width()):
                    break
                x, lines = 0, lines + 1
            if painter:
                top = round(y) + (lines - 1) * step
                start = left + (width - x - wide if mirrored else x)
                if swatch:
                    patch_left = start + wide - self._badge if mirrored else start
                    patch = QRectF(patch_left + 0.5, top + (metrics.height() - self._badge) // 2 + 0.5, 13, 13)
                    painter.setPen(QColor(c.edge))
                    painter.setBrush(QColor(getattr(c, swatch)))
                    painter.drawRoundedRect(patch, 3, 3)
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                elif picture:
                    icon_left = start + wide - self._badge if mirrored else start
                    icon_top = top + (metrics.height() - self._badge) // 2
                    painter.drawPixmap(icon_left, icon_top, pixmap(picture, getattr(c, tone), self._badge))
                painter.setFont(self._meta_font)
                painter.setPen(QColor(getattr(c, tone)))
                shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, wide - room)
                box = QRect(start if mirrored else start + room, top, wide - room, metrics.height())
                side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
                painter.drawText(box, side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, shown)
            x += wide + 2 * STEP
        return lines * step
