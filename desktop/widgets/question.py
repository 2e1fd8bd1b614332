"""A question before something is done that cannot simply be undone, and a word where there is no window yet."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop.theme import STEP
from desktop.widgets.basics import button, heading, label
from desktop.words import _


def ask_first(parent: QWidget, words: str, meaning: str, action: str, then: Callable[[], object]) -> QDialog:
    """Ask `words`, say what it means, and do `then` when the person chooses `action`."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(words)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setMinimumWidth(420)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(3 * STEP, 3 * STEP, 3 * STEP, 2 * STEP)
    column.setSpacing(STEP)
    column.addWidget(heading(words))
    column.addWidget(label(meaning))
    line = QHBoxLayout()
    line.addStretch(1)
    line.addWidget(button(_("Cancel"), "", "", dialog.reject))
    line.addWidget(button(action, "primary", "", dialog.accept))
    column.addSpacing(STEP)
    column.addLayout(line)
    dialog.accepted.connect(lambda: then())
    dialog.open()
    return dialog


def tell_alone(words: str, meaning: str) -> None:
    """Say `words` in a window of their own and wait until it is closed; for programs that open no other."""
    dialog = QDialog()
    dialog.setWindowTitle("Hubshelf")
    dialog.setMinimumWidth(420)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(3 * STEP, 3 * STEP, 3 * STEP, 2 * STEP)
    column.setSpacing(STEP)
    column.addWidget(heading(words))
    column.addWidget(label(meaning))
    line = QHBoxLayout()
    line.addStretch(1)
    line.addWidget(button(_("Close"), "primary", "", dialog.accept))
    column.addSpacing(STEP)
    column.addLayout(line)
    dialog.exec()
