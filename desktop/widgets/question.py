"""A question before something is done that cannot simply be undone, and a word where there is no window yet."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop.widgets.basics import button, heading, label
from desktop.widgets.dialog import Dialog
from desktop.words import _


def ask_first(parent: QWidget, words: str, meaning: str, action: str, then: Callable[[], object]) -> Dialog:
    """Ask `words`, say what it means, and do `then` when the person chooses `action`."""
    dialog = Dialog(parent, words)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.body.addWidget(heading(words))
    dialog.body.addWidget(label(meaning))
    dialog.foot.addWidget(button(_("Cancel"), "", "", dialog.reject))
    dialog.foot.addWidget(button(action, "primary", "", dialog.accept))
    dialog.accepted.connect(lambda: then())
    dialog.open()
    return dialog


def tell_alone(words: str, meaning: str) -> None:
    """Say `words` in a window of their own and wait until it is closed; for programs that open no other."""
    dialog = Dialog(None, "Hubshelf")
    dialog.body.addWidget(heading(words))
    dialog.body.addWidget(label(meaning))
    dialog.foot.addWidget(button(_("Close"), "primary", "", dialog.accept))
    dialog.exec()
