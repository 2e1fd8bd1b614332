"""The four kinds of what one can ask or share: buttons in two columns, or one choice where there is no room."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from desktop.state_words import ASK_KINDS
from desktop.theme import STEP
from desktop.widgets.basics import Choice, button
from desktop.widgets.fitting import EqualColumns
from desktop.words import _


class Kinds(QWidget):
    """`chosen` carries the kind that the person chose, not one that `choose` set."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        # No QButtonGroup: it would take all but one of them off the Tab key.
        self.buttons: dict[str, QPushButton] = {}
        self.choice = Choice(_("Ask or share"), [(kind, _(words)) for kind, (words, _icon) in ASK_KINDS.items()])
        self.choice.hide()
        self.choice.activated.connect(lambda _at: self.chosen.emit(self.choice.value()))
        columns = EqualColumns()
        for kind, (words, picture) in ASK_KINDS.items():
            made = button(_(words), "", picture)
            made.setCheckable(True)
            made.clicked.connect(lambda _checked=False, kind=kind: self.chosen.emit(kind))
            self.buttons[kind] = made
            columns.addWidget(made)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(columns)
        column.addWidget(self.choice)

    def choose(self, kind: str) -> None:
        """Show which kind it is."""
        for name, made in self.buttons.items():
            made.setChecked(name == kind)
        self.choice.choose(kind)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Four buttons one below the other would leave no room for what is to be written.
        widest = max(made.sizeHint().width() for made in self.buttons.values())
        narrow = 2 * widest + STEP > self.width()
        focused = self.focusWidget() if self.isAncestorOf(self.window().focusWidget() or self) else None
        self.choice.setVisible(narrow)
        for made in self.buttons.values():
            made.setVisible(not narrow)
        if focused is not None and focused.isHidden():
            (self.choice if narrow else self.buttons[self.choice.value()]).setFocus()
