"""The one way to do work behind the window: `run(operation, success, failure, owner)`.

An operation gets a `Shelf` of its own thread and returns plain data. Its result comes back on the window's
thread, unless the widget that asked is gone or has asked again under the same key: then it is dropped.
Known failures (typed errors that carry a code and advice) go to `failure`; anything else is a fault of the
program and is raised on the window's thread, where it is loud.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal

from desktop.error_words import KnownError, is_known
from desktop.first_turn import FirstTurn
from desktop.shelf import Shelf
from resources_cache.precedence import step_back

T = TypeVar("T")


class Lane(Enum):
    """Which threads an operation waits for; a slow network never delays a page."""

    READ = "read"
    WRITE = "write"  # one thread: a person's writes keep their order
    NETWORK = "network"
    PACK = "pack"  # one thread: a pack takes minutes, and nothing else waits for it
    COUNT = (
        "count"  # one thread: what filters are counted with is in memory once (resources_cache/filter_counts.py)
    )


@dataclass(order=True)
class _Job:
    serial: int
    lane: Lane = field(compare=False)
    operation: Callable[[Shelf], Any] = field(compare=False)
    success: Callable[[Any], None] = field(compare=False)
    failure: Callable[[KnownError], None] = field(compare=False)
    owner: QObject = field(compare=False)
    slot: tuple[int, str] | None = field(compare=False)
    result: Any = field(default=None, compare=False)
    error: BaseException | None = field(default=None, compare=False)


class Background(QObject):
    """Threads that read and write the stores for the window; made and closed by the application."""

    _finished = Signal(object)

    def __init__(self, home: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._home = home
        self._serials = itertools.count(1)
        self._latest: dict[tuple[int, str], int] = {}
        self._open = 0
        self._lanes: dict[str, queue.SimpleQueue[_Job | None]] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False
        self.turn = FirstTurn(self)
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        operation: Callable[[Shelf], T],
        success: Callable[[T], None],
        failure: Callable[[KnownError], None],
        owner: QObject,
        *,
        key: str = "",
        lane: Lane = Lane.READ,
    ) -> None:
        """Do `operation` behind the window, then call `success` or `failure` on the window's thread.

        With a `key`, a newer request of the same owner under that key replaces this one, whose result is
        dropped (and whose work is skipped where it has not begun).
        """
        if self._closed:
            # A timer of a window that is going away: there is nobody to show it to. A write would be a loss.
            assert lane is not Lane.WRITE, "a write was asked for after closing"
            return
        serial = next(self._serials)
        slot = (id(owner), key) if key else None
        if slot:
            self._latest[slot] = serial
        self._open += 1
        self._queue(lane).put(_Job(serial, lane, operation, success, failure, owner, slot))

    @property
    def idle(self) -> bool:
        """Whether every request so far has been answered."""
        return self._open == 0

    def close(self, seconds: float = 5.0) -> None:
        """Do the writes that wait, drop reads and downloads; waits at most `seconds` for each thread."""
        self._closed = True
        self.turn.stop()
        for lane, waiting in self._lanes.items():
            for _ in range(_threads_of(lane)):
                waiting.put(None)
        for thread in self._threads:
            thread.join(seconds)

    def _queue(self, lane: Lane) -> queue.SimpleQueue[_Job | None]:
        if lane.value not in self._lanes:
            waiting: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
            self._lanes[lane.value] = waiting
            for i in range(_threads_of(lane.value)):
                thread = threading.Thread(
                    target=self._work, args=(waiting, lane), name=f"{lane.value}-{i}", daemon=True
                )
                self._threads.append(thread)
                thread.start()
        return self._lanes[lane.value]

    def _work(self, waiting: queue.SimpleQueue[_Job | None], lane: Lane) -> None:
        if lane is not Lane.WRITE:  # what a person wrote is on the disk before anything is read or drawn
            step_back()
        with Shelf(self._home) as shelf:
            while (job := waiting.get()) is not None:
                # A person's writes are done even when the window is closing; reads and downloads are not.
                if job.lane is Lane.WRITE or not (self._closed or self._superseded(job)):
                    try:
                        job.result = job.operation(shelf)
                    except BaseException as error:  # carried to the window's thread, where it is judged
                        job.error = error
                if not self._closed:
                    self._finished.emit(job)

    def _superseded(self, job: _Job) -> bool:
        return job.slot is not None and self._latest.get(job.slot, job.serial) != job.serial

    def _deliver(self, job: _Job) -> None:
        self._open -= 1
        if self._closed or self._superseded(job) or not shiboken6.isValid(job.owner):
            return
        self.turn.take()
        if job.error is None:
            job.success(job.result)
        elif is_known(job.error):
            job.failure(job.error)
        else:
            raise job.error


def _threads_of(lane: str) -> int:
    return 2 if lane == Lane.READ.value else 1
