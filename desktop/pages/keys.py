"""All keys: what can be done from the keyboard, made from the table of actions itself."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QVBoxLayout

from desktop.actions import GROUPS
from desktop.context import Context
from desktop.pages.page import Page
from desktop.theme import STEP
from desktop.widgets.basics import Column, button, heading, label, muted, title
from desktop.words import N_, _


class KeysPage(Page):
    """Reached by F1 or Ctrl+?; what has no keys of its own is found in the palette."""

    TITLE = N_("All keys")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        column = Column(720)
        body = column.body
        body.addWidget(title(_(self.TITLE)))
        body.addWidget(label(_("Ctrl+K finds every place, every action and every title by a few letters of it.")))
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(3 * STEP)
        self.grid.setVerticalSpacing(STEP // 2)
        self.grid.setColumnStretch(0, 2)
        self.grid.setColumnStretch(1, 3)
        row = 0
        for group in GROUPS:
            actions = [action for action in context.actions if action.group == group and action.keys]
            if not actions:
                continue
            name = heading(_(group))
            name.setContentsMargins(0, 2 * STEP, 0, 0)
            self.grid.addWidget(name, row, 0, 1, 2)
            for action in actions:
                row += 1
                self.grid.addWidget(muted(action.spoken_keys().replace("+", "+\u200b")), row, 0)
                self.grid.addWidget(label(action.words), row, 1)
            row += 1
        body.addLayout(self.grid)
        body.addSpacing(2 * STEP)
        back = button(_("Back"), "", "back", context.navigator.back)
        line = QGridLayout()
        line.addWidget(back, 0, 0)
        line.setColumnStretch(1, 1)
        body.addLayout(line)
        body.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column)
        self._back = back

    def refresh(self) -> None:
        """It changes only with the language, and then it is made anew."""
        self._back.setFocus()
