"""Reading an answer while the one who asked for it is busy with what came before.

What has arrived lies in the system's buffer until somebody reads it, and a link that is reset takes it along:
on a bad link that is tens of kilobytes that were paid for. So a thread reads on, up to a bound.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator

LEAST_AHEAD = 256 * 1024
"""Bytes that may be held in any case: a fast link waits for the reader then, as it would without a thread. More
would only mean that on such a link bytes come long before anybody has a use for them."""
_PATIENCE = 0.5
"""Seconds: on Windows, a wait without an end cannot be interrupted from the keyboard."""


class ReadAhead:
    """Iterates over `pieces`, which another thread reads. What went wrong comes after what arrived before it."""

    def __init__(self, pieces: Iterator[bytes], most: int = LEAST_AHEAD) -> None:
        """`pieces` is read by that thread alone; `most` bytes wait at most, or one piece where it is longer."""
        self._pieces = pieces
        self._most = most
        self._waiting: deque[bytes] = deque()
        self._held = 0
        self._over = False
        self._error: BaseException | None = None
        self._stopped = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, name="read-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next piece, in the order in which they arrived; raises what reading raised."""
        with self._changed:
            while not (self._waiting or self._over):
                self._changed.wait(_PATIENCE)
            if self._waiting:
                return self._take()
            if self._error is not None:
                raise self._error
            raise StopIteration

    def hold(self, most: int) -> None:
        """From now on hold up to `most` bytes, but not fewer than LEAST_AHEAD."""
        with self._changed:
            self._most = max(LEAST_AHEAD, most)
            self._changed.notify_all()

    def next_if_here(self) -> bytes:
        """Return the next piece if it is here already, else nothing; never waits, never raises."""
        with self._changed:
            return self._take() if self._waiting else b""

    def stop(self, wake: Callable[[], None]) -> None:
        """End the thread; `wake` ends a read that is under way, and is called only where there may be one."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            reading = not self._over
        if reading:
            wake()
        self._thread.join()

    def _take(self) -> bytes:
        piece = self._waiting.popleft()
        self._held -= len(piece)
        self._changed.notify_all()
        return piece

    def _read(self) -> None:
        error: BaseException | None = None
        try:
            for piece in self._pieces:
                with self._changed:
                    self._waiting.append(piece)
                    self._held += len(piece)
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: self._held < self._most or self._stopped)
                    if self._stopped:
                        return
        except BaseException as caught:  # it is for whoever iterates, on another thread
            error = caught
        finally:
            with self._changed:
                self._over, self._error = True, error
                self._changed.notify_all()
