"""The care of what is on this computer: backups of the person's own work, and what they should know of a store
that had to be mended or a clock that is wrong, each told once."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer

from desktop.background import Lane
from desktop.context import Context

WRONG_BY_S = 12 * 3600
"""Seconds that a clock may be wrong before it is told: less does not show in a date for long."""

BACKUP_EVERY_MS = 3_600_000
"""Between two looks at whether a backup is due; one is also looked at after each sync."""


class ComputerNote(Exception):
    """Something about this computer, told with the words of `error_table` for its `code`."""

    advice = "The disk of this computer may be failing: have it looked at."

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ClockWrong(ComputerNote):
    """The clock differs from the hub's."""

    advice = "Set the date and the time of this computer, and its time zone."

    def __init__(self, ahead: float) -> None:
        super().__init__("clock-wrong", f"The clock is {ahead:+,.0f} seconds ahead of the hub's.")


class Care(QObject):
    """Tells what is new of these, and keeps backups: at the start, and after each sync."""

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._clock_told = False
        context.sync.ended.connect(self._synced)
        self._listening = True
        self._timer = QTimer(self)
        self._timer.setInterval(BACKUP_EVERY_MS)
        self._timer.timeout.connect(self.back_up)

    def back_up(self) -> None:
        """Write a backup of the person's own work where one is due, and look again from time to time."""
        self._timer.start()
        self._context.background.run(
            lambda shelf: shelf.own.backup_if_due(),
            lambda _path: None,
            lambda problem: None,  # a full disk is told where something is to be kept
            self,
            key="backup",
            lane=Lane.WRITE,
        )

    def stop(self) -> None:
        """Leave the rest for the next time."""
        self._timer.stop()
        if self._listening:  # a window that was closed already is stopped once more at the end
            self._listening = False
            self._context.sync.ended.disconnect(self._synced)

    def look(self) -> None:
        """Tell of stores that were mended since the person was last told."""
        self._context.read(lambda shelf: shelf.home.mended(), self._mended, self, key="mended")

    def _mended(self, found: list[str]) -> None:
        if found:
            # The gravest alone: what came from the hub comes again by itself.
            self._context.notices.problem.emit(ComputerNote(found[0], f"Mended: {', '.join(found)}."))
            self._context.write(lambda shelf: shelf.home.told(), lambda _done: None, self)

    def _synced(self, report: Any) -> None:
        ahead = getattr(report, "clock_ahead", None)
        if ahead is not None and abs(ahead) >= WRONG_BY_S and not self._clock_told:
            self._clock_told = True
            self._context.notices.problem.emit(ClockWrong(ahead))
        self.look()
        self.back_up()
