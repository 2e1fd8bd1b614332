"""Between the queue of downloads and the window: what it does becomes signals, and what a person does wakes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Qt, Signal

from desktop.shelf import Shelf
from desktop.words import N_, _, isolate, ngettext

if TYPE_CHECKING:
    from desktop.context import Context
    from resources_cache.downloads import Download
    from sync.downloads import Standing

WHY = {
    "held": N_("Waiting until the sync is done or goes on."),
    "metered": N_("Waiting for a connection that is not paid by the byte."),
    "hours": N_("Waiting for the hours you allow."),
    "budget": N_("What you allow a day is used up. It goes on tomorrow."),
    "offline": N_("Waiting for a connection. What came so far stays."),
    "portal": N_("Waiting: this network asks you to sign in first."),
    "hub": N_("Waiting until the hub can give files again."),
    "room": N_("Waiting: the disk of this computer is full."),
    "paused": N_("Paused."),
}
"""Why no file comes, by the words of `sync.downloads.Standing.why`."""


class Queue(Protocol):
    """What the window asks of `sync.downloads.DownloadQueue`."""

    def start(self) -> None: ...
    def wake(self, first: str | None = None) -> None: ...
    def hold(self, held: bool) -> None: ...
    def set_metered(self, metered: bool) -> None: ...
    def stop(self, timeout: float = 5.0) -> bool: ...


MakeQueue = Callable[[Path, Callable[[Any], None]], Queue]


def real_queue(home: Path, on_event: Callable[[Any], None]) -> Queue:
    """The queue that fetches; loaded behind the window when there is something to fetch."""
    from sync.downloads import DownloadQueue

    return DownloadQueue(home, on_event)


class Downloads(QObject):
    """Signals for the window: `changed` (the queue or what it does), `arrived` (a file, by its `Download`)."""

    changed = Signal()
    arrived = Signal(object)
    _event = Signal(object)

    def __init__(self, context: Context, parent: QObject, make: MakeQueue = real_queue) -> None:
        super().__init__(parent)
        self._context = context
        self._make = make
        self._queue: Queue | None = None
        self._stopped = False
        self._metered = False
        self.standing: Standing | None = None
        self._event.connect(self._take, Qt.ConnectionType.QueuedConnection)
        context.sync.changed.connect(self._sync_changed)
        context.sync.metered.connect(self.set_metered)
        context.sync.network_changed.connect(self.wake)

    def go_on(self) -> None:
        """Begin where the last window stopped, if anything waits."""

        def waits(shelf: Shelf) -> bool:
            shelf.files.forget_removed()  # of the window before: nobody can undo it any more
            return bool(shelf.own.downloads.items())

        self._start_if(waits)

    def add(self, wanted: Iterable[Download], *, first: bool = False) -> None:
        """Put files in the queue, and say so."""
        many = list(wanted)

        def put(shelf: Shelf) -> int:
            return shelf.own.downloads.add(many, first=first)

        def done(count: int) -> None:
            words = ngettext("{count} file waits to come.", "{count} files wait to come.", count)
            told = words.format(count=count) if count else _("These files wait to come already.")
            self._context.notices.said.emit(told)

        self.change(put, done)

    def change(
        self, operation: Callable[[Shelf], Any], done: Callable[[Any], object] = lambda _done: None
    ) -> None:
        """Change the queue with `operation`, in the order of the person's writes; what should come now comes."""

        def write(shelf: Shelf) -> tuple[Any, str]:
            result = operation(shelf)
            first = shelf.own.downloads.next()
            return result, first.hash if first else ""

        def written(answer: tuple[Any, str]) -> None:
            if self._queue is not None:
                self._queue.wake(answer[1])
            elif answer[1]:
                self._start_if(lambda _shelf: True)
            self.changed.emit()
            done(answer[0])

        self._context.write(write, written, self)

    def set_metered(self, metered: bool) -> None:
        """Take the system's hint whether the connection is paid by the byte."""
        self._metered = metered
        if self._queue is not None:
            self._queue.set_metered(metered)

    def wake(self) -> None:
        """The link or what is allowed may have changed."""
        if self._queue is not None:
            self._queue.wake()

    def stop(self) -> None:
        """End the queue's thread; what is coming goes on at its byte the next time."""
        self._stopped = True
        if self._queue is not None:
            self._queue.stop()
            self._queue = None

    def _start_if(self, wanted: Callable[[Shelf], bool]) -> None:
        home, told = self._context.home, self._event.emit

        def make(shelf: Shelf) -> Queue | None:
            return self._make(home, told) if wanted(shelf) else None

        self._context.read(make, self._start, self, key="queue")

    def _start(self, queue: Queue | None) -> None:
        if queue is None or self._stopped or self._queue is not None:
            return
        self._queue = queue
        self._sync_changed()
        queue.set_metered(self._metered)
        queue.start()

    def _sync_changed(self) -> None:
        if self._queue is not None:
            self._queue.hold(self._context.sync.status.state in ("running", "paused"))

    def _take(self, event: Any) -> None:
        if (arrived := getattr(event, "download", None)) is None:
            self.standing = event
        elif not hasattr(event, "code"):
            self._context.notices.said.emit(_("{name} is here.").format(name=isolate(arrived.name)))
            self.arrived.emit(arrived)
        self.changed.emit()
