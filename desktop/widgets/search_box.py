"""The search field of the top line: suggestions as one types, everything on Enter, Ctrl+K from anywhere."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.amounts import number
from desktop.card_rows import suggestion_row
from desktop.context import Context
from desktop.navigation import Place
from desktop.shelf import Shelf
from desktop.theme import in_text
from desktop.widgets.cards import CardList, CardRow
from desktop.widgets.glass_field import GlassField
from desktop.words import _, isolate, ngettext

_SUGGESTED = 7
_PAUSE_MS = 60
_LEAST = 100  # pixels, at 100 % of text
"""Between two letters of somebody who types fast: the list comes when the hand rests."""


class SearchBox(GlassField):
    """A field with a list under it; the list lies over the page and never takes the focus away."""

    def __init__(self, context: Context, over: QWidget) -> None:
        super().__init__()
        self._context = context
        self._hints = (_("Search everything (Ctrl+E)"), _("Search everything"), _("Search"))
        self.setPlaceholderText(self._hints[0])
        self.setAccessibleName(_("Search everything"))
        self.setMaximumWidth(max(560, self._wide_enough(self._hints[0])))
        self._over = over
        self.popup = QFrame(over)
        self.popup.setObjectName("popup")
        self.list = CardList(_("Suggestions"), compact=True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.opened.connect(self._open)
        inner = QVBoxLayout(self.popup)
        inner.setContentsMargins(4, 4, 4, 4)
        inner.addWidget(self.list)
        self.popup.hide()
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_PAUSE_MS)
        self._typing.timeout.connect(self._suggest)
        self.textEdited.connect(lambda _text: self._typing.start())
        self.returnPressed.connect(self._enter)
        over.installEventFilter(self)

    def least_width(self) -> int:
        """Pixels that the field needs to show its shortest hint whole, and a word or two that are typed."""
        return max(in_text(_LEAST), self._wide_enough(self._hints[-1]))

    def _wide_enough(self, hint: str) -> int:
        return (
            self.fontMetrics().horizontalAdvance(hint) + in_text(16) + 40
        )  # the glass before it, and a margin at each end

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        fitting = (hint for hint in self._hints if self._wide_enough(hint) <= self.width())
        self.setPlaceholderText(next(fitting, self._hints[-1]))

    def show_words(self, words: str) -> None:
        """Hold these words: those of the search that is shown, however the person came to it."""
        if words != self.text().strip():
            self.setText(words)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.popup.isVisible():
            self._place()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self.popup.isVisible():
            row = self.list.currentIndex().row() + (1 if key == Qt.Key.Key_Down else -1)
            self._choose(max(-1, min(self.list.cards.rowCount() - 1, row)))
            return
        if key == Qt.Key.Key_Escape and self.popup.isVisible():
            self.popup.hide()
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        QTimer.singleShot(150, self._left)  # a click into the list takes the focus away for a moment, too

    def _left(self) -> None:
        if not self.hasFocus():
            self.popup.hide()

    def _suggest(self) -> None:
        words = self.text()
        if not words.strip():
            self.popup.hide()
            return

        def read(shelf: Shelf) -> list[CardRow]:
            from resources_cache.own_search import suggest_all

            found = suggest_all(shelf.library, shelf.own, words, _SUGGESTED, shelf.reads)
            kept = {saved.words: saved for saved in reversed(shelf.own.searches())}
            return [suggestion_row(one, self._context, kept.get(one.title)) for one in found]

        self._context.read(read, lambda found: self._show(words, found), self, key="suggest")

    def _show(self, words: str, rows: list[CardRow]) -> None:
        if words != self.text() or not self.hasFocus():
            return
        every = _("Search for “{words}” in full text").format(words=isolate(words.strip()))
        rows = [*rows, CardRow(title=every, picture="search", place=Place("search", query=words.strip()))]
        self.list.setCurrentIndex(self.list.cards.index(-1, 0))
        self.list.cards.set_rows(rows)
        self.popup.show()
        self.popup.raise_()
        self._place()
        self._say(ngettext("{count} suggestion", "{count} suggestions", len(rows)).format(count=number(len(rows))))

    def _choose(self, row: int) -> None:
        """Choose a row of the list, or with -1 what is typed; the focus stays in the field."""
        self.list.setCurrentIndex(self.list.cards.index(row, 0))
        if (chosen := self.list.current_row()) is not None:
            self._say(chosen.spoken())

    def _say(self, words: str) -> None:
        """Tell screen readers what the field, which has the focus, does not hold."""
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    def _place(self) -> None:
        over = self._over
        corner = self.mapTo(over, QPoint(0, self.height() + 4))
        # As wide as titles need, which large text does not leave to the field itself.
        width = min(max(self.width(), in_text(420)), over.width() - 32)
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            corner.setX(corner.x() + self.width() - width)
        corner.setX(max(16, min(corner.x(), over.width() - 16 - width)))
        self.popup.setFixedWidth(width)
        self.list.doItemsLayout()
        rows = self.list.cards.rowCount()
        height = sum(self.list.sizeHintForRow(i) for i in range(rows)) + 12
        self.popup.setFixedHeight(min(height, over.height() - corner.y() - 16))
        self.popup.move(corner)

    def _enter(self) -> None:
        row = self.list.current_row() if self.popup.isVisible() else None
        if row is not None:
            self._open(row)
        elif words := self.text().strip():
            self.popup.hide()
            self._context.navigator.go(Place("search", query=words))

    def _open(self, row: CardRow) -> None:
        self.popup.hide()
        if row.place is not None:
            self._context.navigator.go(row.place)
