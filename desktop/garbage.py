"""Circular garbage is looked for in portions that nobody notices.

Python stops all threads while it looks through what has lived for long (`gc`, generation 2): with a window, its
modules and a sync that takes tens of milliseconds, wherever a person happens to be. What survived a search that
took long is therefore put aside (`gc.freeze`), so that the next one looks at newer things only, and all of it is
looked through while the window is not the one in use.
"""

from __future__ import annotations

import gc
import time
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

LONG_S = 0.010
"""A search of this length leaves less than half of the 50 ms within which the window answers, also on a PC that
is half as fast."""

_EVERY_S = 600.0
_AFTER_MS = 2_000
_PORTIONS = (700, 10, 5)
"""New objects before a search among the newest; searches before one of the next generation, twice. Python's own
are 700, 10, 10: half the portion, twice as often."""


_USUAL = gc.get_threshold()  # before any window; one may be made while another still stands


class Garbage(QObject):
    """Watches the searches for circular garbage from the first painted window on; one per program."""

    def __init__(self, qt: QGuiApplication) -> None:
        super().__init__(qt)
        self._began = 0.0
        self._stopped = False
        self._whole = time.monotonic()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_AFTER_MS)
        self._rest.timeout.connect(self._look_through_all)
        qt.applicationStateChanged.connect(self._state_changed)

    def start(self) -> None:
        """What is here now stays: modules, the window, the pages that are open. Not after `stop`."""
        if self._stopped:
            return  # the window was closed before it was painted
        gc.set_threshold(*_PORTIONS)
        gc.callbacks.append(self._watch)
        gc.freeze()

    def stop(self) -> None:
        """As it was before the start."""
        self._stopped = True
        if self._watch in gc.callbacks:
            gc.callbacks.remove(self._watch)
            gc.set_threshold(*_USUAL)
            gc.unfreeze()
        self._rest.stop()

    def _watch(self, phase: str, info: dict[str, Any]) -> None:
        # Called on whichever thread allocates: nothing of Qt here.
        if phase == "start":
            self._began = time.perf_counter()
        elif info["generation"] == 2 and time.perf_counter() - self._began > LONG_S:
            gc.freeze()

    def _state_changed(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive:
            self._rest.stop()
        elif time.monotonic() - self._whole > _EVERY_S:
            self._rest.start()

    def _look_through_all(self) -> None:
        self._whole = time.monotonic()
        gc.unfreeze()
        gc.collect()
        gc.freeze()
