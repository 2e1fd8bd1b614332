"""Stopping a sync from another thread: at once, also while it waits for bytes that never come."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sync.errors import Cancelled


class Cancel:
    """Given to a sync; `cancel()` from any thread ends it. It cannot be undone."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def cancel(self) -> None:
        """Ask the sync to stop; returns at once."""
        with self._lock:
            self._event.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def check(self) -> None:
        """Raise Cancelled if somebody asked to stop."""
        if self._event.is_set():
            raise Cancelled("The sync was stopped, as asked.")

    def wait(self, seconds: float) -> bool:
        """Wait at most so long, or until somebody asked to stop; return whether they did."""
        return self._event.wait(seconds)

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` on `cancel()` (now, if that was already); returns what ends the watch."""
        with self._lock:
            self._callbacks.append(callback)
        if self._event.is_set():
            callback()

        def forget() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return forget
