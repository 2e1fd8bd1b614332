"""From what a person did, or what came for the window, until it is drawn: threads of the stores wait for it."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from resources_cache import precedence


class FirstTurn(QObject):
    """Belongs to the window's thread."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._stopped = False
        self._drawn = QTimer(self)
        self._drawn.setSingleShot(True)
        self._drawn.setInterval(0)  # it comes after all that was posted, and drawing is
        self._drawn.timeout.connect(precedence.leave)

    def take(self) -> None:
        """Go first until what is to be drawn now is drawn."""
        if not self._stopped:  # no loop runs any more that would end it
            precedence.take()
            self._drawn.start()

    def stop(self) -> None:
        """Nobody waits any more."""
        self._stopped = True
        self._drawn.stop()
        precedence.leave()
