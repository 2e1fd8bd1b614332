"""How long things take, and waiting: an interface, so that hours of bad links can be lived through in a test."""

from __future__ import annotations

import time
from typing import Protocol

from sync.cancel import Cancel


class Clock(Protocol):
    """A clock that only rises; it has no date and orders nothing but the waits of one sync."""

    def now(self) -> float:
        """Seconds since some moment."""
        ...

    def wait(self, seconds: float, cancel: Cancel | None) -> None:
        """Wait so long, or until somebody asks to stop."""
        ...


class SystemClock:
    """The clock of this computer."""

    def now(self) -> float:
        """As `Clock.now`."""
        return time.monotonic()

    def wait(self, seconds: float, cancel: Cancel | None) -> None:
        """As `Clock.wait`."""
        if cancel is None:
            time.sleep(seconds)
        else:
            cancel.wait(seconds)


SYSTEM = SystemClock()
