"""What every place of the window keeps to."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.context import Context
from desktop.navigation import Place


class Page(QWidget):
    """A place. `arrive` shows a `Place`; `refresh` reads again when the stores changed."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.setObjectName("page")

    def arrive(self, place: Place) -> None:
        """Show this place, and on it what `place` names."""
        self.refresh()

    def refresh(self) -> None:
        """Read what is shown again, keeping what the person is at."""
