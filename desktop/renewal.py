"""After an update that indexes otherwise: the search index is made anew behind the window, a little at a time."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from desktop.background import Background, Lane

_PAUSE_MS = 100  # between two batches: the shelf is for reading meanwhile, and a person's writes wait for none


class Renewal(QObject):
    """Calls `Library.renew_index` until nothing is left."""

    def __init__(self, background: Background, parent: QObject) -> None:
        super().__init__(parent)
        self._background = background
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.go_on)

    def go_on(self) -> None:
        """Do the next batch, and then the rest."""
        self._background.run(
            lambda shelf: shelf.library.renew_index(),
            lambda left: self._timer.start() if left else None,
            lambda problem: None,  # whatever needs the shelf says so
            self,
            key="index",
            lane=Lane.WRITE,
        )

    def stop(self) -> None:
        """Leave the rest for the next time."""
        self._timer.stop()
