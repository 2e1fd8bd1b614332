"""The palette: one field that finds places, actions and what is on the shelf, by keys alone (Ctrl+K)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QPainter,
)
from PySide6.QtWidgets import QApplication, QFrame, QStyleOptionViewItem, QVBoxLayout, QWidget

from desktop.actions import Action
from desktop.context import Context
from desktop.navigation import Place
from desktop.shelf import Shelf
from desktop.suggesting import recently_read, titles
from desktop.theme import STEP, colours, in_text
from desktop.widgets.basics import muted, sized_font
from desktop.widgets.card_delegate import ROW, CardDelegate
from desktop.widgets.cards import CardList, CardRow
from desktop.widgets.glass_field import GlassField
from desktop.words import _, isolate

_SHORTEST = 2
_TYPING_MS = 100
_WIDEST = 640
_ACTIONS = 6
"""Actions that are shown for something typed; titles have the rest of the room."""


def folded(text: str) -> str:
    """`text` as it is compared: small letters, without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def matching(actions: Sequence[Action], text: str) -> list[Action]:
    """The actions that can be done here and now and have a word for each word typed; best first."""
    wanted = folded(text).split()
    found = []
    for place, action in enumerate(actions):
        if action.do is None:
            continue
        own = folded(action.words)
        words = [*own.split(), *action.name.split("-"), *action.likewise.split()]
        if all(any(word.startswith(one) for word in words) for one in wanted):
            found.append((not own.startswith(folded(text)), place, action))
    return [action for _begins, _place, action in sorted(found, key=lambda one: one[:2])]


class _Field(GlassField):
    """Keeps Tab, the arrows and Esc for the palette."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette

    def focusNextPrevChild(self, forward: bool) -> bool:
        self._palette.step(1 if forward else -1)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 5, Qt.Key.Key_PageUp: -5}
        if event.key() in steps:
            self._palette.step(steps[Qt.Key(event.key())])
        elif event.key() == Qt.Key.Key_Escape:
            self._palette.leave()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._palette.take()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason):
            self._palette.hide()


class _WithKeys(CardDelegate):
    """Draws the keys of an action at the end of its row."""

    def reserved(self, row: CardRow) -> int:
        keys = row.values.get("keys")
        return QFontMetrics(sized_font(0.95)).horizontalAdvance(keys) + 2 * STEP if keys else 0

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        row = index.data(ROW)
        if keys := row.values.get("keys") if row is not None else None:
            painter.save()
            painter.setFont(sized_font(0.95))
            painter.setPen(QColor(colours().muted))
            mirrored = self._mirrored()
            side = Qt.AlignmentFlag.AlignLeft if mirrored else Qt.AlignmentFlag.AlignRight
            lined = side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(option.rect.adjusted(2 * STEP, 0, -2 * STEP, 0), lined, keys)
            painter.restore()


class Palette(QFrame):
    """Lies over `over` while it is open; the field keeps the focus, and the chosen row is spoken."""

    def __init__(self, context: Context, over: QWidget, actions: Callable[[], Sequence[Action]]) -> None:
        super().__init__(over)
        self.setObjectName("popup")
        self._context, self._over, self._actions = context, over, actions
        self._before: QWidget | None = None
        self._recent: list[CardRow] = []
        self._titles: list[CardRow] = []
        self.field = _Field(self)
        name = _("Find a place, an action or a title")
        self.field.setPlaceholderText(name)
        self.field.setAccessibleName(name)
        self.list = CardList(_("Found"), compact=True)
        self.list.setItemDelegate(_WithKeys(self.list, compact=True))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.opened.connect(self._do)
        column = QVBoxLayout(self)
        column.setContentsMargins(STEP, STEP, STEP, STEP)
        column.setSpacing(STEP // 2)
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        column.addWidget(muted(_("Arrows choose, Enter opens, Esc leaves.")))
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._look)
        self.field.textChanged.connect(lambda _text: self._typed())
        over.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Come up empty, with what was read last and every place; a second time selects what is typed."""
        if self.isVisible():
            self.field.selectAll()
            return
        self._before = QApplication.focusWidget()
        self._recent, self._titles = [], []
        self.field.clear()
        self._fill()
        self.show()
        self.raise_()
        self._place()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._context.read(recently_read, self._show_recent, self, key="recent")

    def leave(self) -> None:
        """Go away and give the focus back."""
        self.hide()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus()

    def step(self, by: int) -> None:
        """Choose another row, round the ends where it is a single step."""
        rows = [place for place, row in enumerate(self.list.cards.rows) if not row.section]
        if not rows:
            return
        now = self.list.currentIndex().row()
        at = rows.index(now) + by if now in rows else 0
        at = at % len(rows) if abs(by) == 1 else max(0, min(len(rows) - 1, at))
        self._choose(rows[at], spoken=True)

    def take(self) -> None:
        """Do what is chosen."""
        if (row := self.list.current_row()) is not None:
            self._do(row)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _typed(self) -> None:
        if not self.field.text().strip():
            self._titles = []
        self._fill()
        self._typing.start()

    def _look(self) -> None:
        text = self.field.text().strip()
        if len(text) < _SHORTEST or not self.isVisible():
            return

        def read(shelf: Shelf) -> list[CardRow]:
            return titles(shelf, text)

        self._context.read(read, lambda rows: self._show_titles(text, rows), self, key="titles")

    def _show_recent(self, rows: list[CardRow]) -> None:
        self._recent = rows
        if self.isVisible() and not self.field.text():
            self._fill()

    def _show_titles(self, text: str, rows: list[CardRow]) -> None:
        if self.isVisible() and text == self.field.text().strip():
            self._titles = rows
            self._fill(keep=True)

    def _fill(self, *, keep: bool = False) -> None:
        """Show what fits what is typed; `keep`: the row that is chosen stays chosen, for only more was found."""
        text = self.field.text().strip()
        found = matching(self._actions(), text)
        rows: list[CardRow] = []
        if text:
            rows += [_row_of(action) for action in found[:_ACTIONS]]
            if self._titles:
                rows += [CardRow(title=_("On your shelf"), section=True), *self._titles]
            every = _("Search everything for “{words}”").format(words=isolate(text))
            rows.append(CardRow(id="search", title=every, picture="search", place=Place("search", query=text)))
        else:
            if self._recent:
                rows += [CardRow(title=_("Read last"), section=True), *self._recent]
            rows += [CardRow(title=_("Places and actions"), section=True), *map(_row_of, found)]
        chosen = self.list.current_row() if keep else None
        self.list.cards.set_rows(rows)
        places = [place for place, row in enumerate(rows) if not row.section]
        before = [place for place in places if chosen is not None and rows[place].id == chosen.id != "search"]
        self._place()
        self._choose((before or places)[0])

    def _choose(self, row: int, *, spoken: bool = False) -> None:
        index = self.list.cards.index(row, 0)
        self.list.setCurrentIndex(index)
        above = row > 0 and self.list.cards.rows[row - 1].section
        self.list.scrollTo(
            self.list.cards.index(row - 1, 0) if above else index
        )  # with the heading that it is under
        self.list.scrollTo(index)
        chosen = self.list.cards.rows[row]
        words = ". ".join(part for part in (chosen.spoken(), str(chosen.values.get("keys", ""))) if part)
        self.field.setAccessibleDescription(words)
        if spoken:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.field, words))

    def _do(self, row: CardRow) -> None:
        self.leave()
        if row.place is not None:
            self._context.navigator.go(row.place)
            return
        for action in self._actions():
            if action.name == row.id and action.do is not None:
                action.do()

    def _place(self) -> None:
        over = self._over
        width = min(in_text(_WIDEST), over.width() - 4 * STEP)
        self.setFixedWidth(width)
        self.list.doItemsLayout()
        height = sum(self.list.sizeHintForRow(place) for place in range(self.list.cards.rowCount()))
        around = self.sizeHint().height() - self.list.sizeHint().height()
        self.setFixedHeight(min(height + around + STEP, over.height() - 12 * STEP))
        self.move((over.width() - width) // 2, 6 * STEP)


def _row_of(action: Action) -> CardRow:
    return CardRow(
        id=action.name, title=action.words, picture=action.picture, values={"keys": action.spoken_keys()}
    )
