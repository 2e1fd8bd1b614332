"""What an administrator decided, in the window: the field is grey, and a line says why."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QWidget

from desktop.widgets.basics import muted
from desktop.words import _


def managed_note() -> QLabel:
    """A line that says who decided; hidden until `show_managed`."""
    note = muted(_("Managed by your administrator."))
    note.hide()
    return note


def show_managed(locked: bool, note: QLabel, *fields: QWidget) -> None:
    """Make `fields` grey with the reason below, or let a person choose."""
    note.setVisible(locked)
    for field in fields:
        field.setEnabled(not locked)
        # Somebody who does not see the line below hears it with the field.
        field.setAccessibleDescription(note.text() if locked else "")
