"""What the next sync would cost, before it starts: bytes, minutes, and money where a MB has a price."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from desktop.amounts import duration, size
from desktop.context import Context
from desktop.error_words import KnownError, words_for
from desktop.money import SETTING, DataPrice
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import FlowLayout, button, label, muted
from desktop.widgets.fitting import EqualColumns
from desktop.words import _

if TYPE_CHECKING:
    from sync.engine import Price


@dataclass(frozen=True)
class Asked:
    """The hub's answer, and what a MB costs (None: nobody said)."""

    price: Price
    data: DataPrice | None


def ask_price(shelf: Shelf) -> Asked:
    """Ask the hub what is new and what it costs; nothing is sent or applied. Raises SyncError."""
    from sync.engine import price_once

    data = DataPrice.read(shelf.own.setting(SETTING))
    with closing(shelf.home.connect(shelf.home.hub_url)) as transport:
        return Asked(price_once(shelf.home, transport, daily_limit=True), data)


def price_words(asked: Asked) -> str:
    """`The next sync moves 1.2 MB · about 4 min · 0.06 USD`."""
    price = asked.price
    if not price.bytes:
        return _("Nothing is new, and nothing waits to be sent.")
    parts = [size(price.bytes)]
    if price.seconds is not None:
        parts.append(duration(price.seconds))
    if asked.data is not None:
        parts.append(asked.data.words(price.bytes))
    return _("The next sync moves {cost}").format(cost=" · ".join(parts))


class SyncPrice(QWidget):
    """A button that asks, the answer in words, and a field for the price of one MB."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.ask = button(_("What would it cost?"), "quiet", "", self._ask)
        self.answer = label("")
        self.answer.hide()
        self.field = QLineEdit()
        self.field.setMaxLength(30)
        self.field.setAccessibleName(_("Price of 1 MB"))
        self.field.editingFinished.connect(self._save)
        self._saved = ""
        self._note = muted("")
        self._say_how()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP)
        line = FlowLayout()
        line.addWidget(self.ask)
        column.addLayout(line)
        column.addWidget(self.answer)
        rule = EqualColumns()
        name = label(_("Price of 1 MB"), wrap=False)
        name.setBuddy(self.field)
        rule.addWidget(name)
        rule.addWidget(self.field)
        column.addLayout(rule)
        column.addWidget(self._note)

    def show_price(self, written: str) -> None:
        """Show the price that own.db keeps; what is being typed stays."""
        if not self.field.hasFocus():
            self._saved = written
            self.field.setText(written)

    def _say_how(self) -> None:
        self._note.setText(_("Such as 0.05 USD. Leave it empty where data costs nothing."))

    def _ask(self) -> None:
        self.ask.setEnabled(False)
        self._tell(_("Asking the hub what is new."))

        def shown(asked: Asked) -> None:
            self.ask.setEnabled(True)
            self._tell(price_words(asked))

        def failed(error: KnownError) -> None:
            self.ask.setEnabled(True)
            words = words_for(error)
            self._tell(f"{words.sentence} {words.next_step}")

        self._context.fetch(ask_price, shown, self, failed)

    def _tell(self, words: str) -> None:
        self.answer.setText(words)
        self.answer.show()

    def _save(self) -> None:
        written = self.field.text().strip()
        if written == self._saved:
            return
        if written and DataPrice.read(written) is None:
            self._note.setText(_("Write an amount and a currency, such as 0.05 USD."))
            return
        self._say_how()
        self._saved = written
        self._context.write(lambda shelf: shelf.own.set_setting(SETTING, written), lambda _done: None, self)
