"""Packs behind the window: one is taken in or written at a time, on a thread of its own, whatever page is shown.

It waits for a sync that is at work, tells how far it is in bytes, and can be stopped. What came of it stays here
until the next one, so that a page which is made anew can still say it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from desktop.amounts import size
from desktop.background import Lane
from desktop.error_words import KnownError, Trouble
from desktop.shelf import Shelf
from desktop.sticks import Stick, sticks
from desktop.words import _

if TYPE_CHECKING:
    from desktop.context import Context
    from sync.cancel import Cancel
    from sync.packs.exporting import Exported
    from sync.packs.importing import Imported

T = TypeVar("T")
_OFTEN = 0.1
"""Seconds between two words about progress, at least."""
_LOOK_AGAIN = 0.3
"""Seconds after which it is looked again whether the sync has ended."""
_PLACES = ("sync", "first-run")
"""Pages that say themselves what came of a pack."""
_TELL_PAGES = 2.0
"""Seconds after which pages show what came so far."""


@dataclass(frozen=True)
class Moment:
    """How far it is. `doing`: "in", "out" or "" (nothing); `part` of taking in: "" (content), "files" or "keep".

    `waiting`: a sync is at work. `done`, `total`: bytes; `records` came.
    """

    doing: str = ""
    part: str = ""
    waiting: bool = False
    stopping: bool = False
    done: int = 0
    total: int = 0
    records: int = 0


@dataclass(frozen=True)
class Wanted:
    """What a person wants on a stick beside messages: whether the library, in which languages (BCP 47; none means
    all), and whether downloaded files."""

    content: bool = True
    files: bool = False
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of the last one: what it brought, or what was written where, or what went wrong."""

    brought: Imported | None = None
    written: Exported | None = None
    place: str = ""
    error: KnownError | None = None
    doing: str = ""


class Packs(QObject):
    """Signals: `changed` (how far it is), `ended` (with its `Outcome`)."""

    changed = Signal()
    ended = Signal(object)
    _told = Signal(object)

    def __init__(
        self, context: Context, parent: QObject | None = None, find: Callable[[], list[Stick]] = sticks
    ) -> None:
        super().__init__(parent)
        self._context = context
        self.find = find
        self.moment = Moment()
        self.outcome: Outcome | None = None
        self._cancel: Cancel | None = None
        self._again: Callable[[], object] | None = None
        self._resume = False
        self._pages_told = 0.0
        self._told.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether one is being taken in or written."""
        return bool(self.moment.doing)

    def take_in(self, source: Any, *, trusted: str = "", keep: bool = False, files: bool = False) -> None:
        """Take in the pack at `source` (a path, or a volume that is open).

        `trusted`: the fingerprint that a person said yes to; `keep`, `files`: as `sync.packs.importing` has them.
        """

        def work(shelf: Shelf, cancel: Cancel, told: Callable[[Any], None]) -> Imported:
            from sync.packs.importing import import_pack

            return import_pack(
                shelf.home, source, accept=trusted, keep=keep, files=files, progress=told, cancel=cancel
            )

        def done(brought: Imported) -> None:
            self._end(Outcome(brought=brought, error=brought.error, doing="in"))

        self._run("in", lambda: self.take_in(source, trusted=trusted, keep=keep, files=files), work, done)

    def put(self, target: Path, name: str, wanted: Wanted, *, replace: bool = False) -> None:
        """Write a pack to `target`, which people know as `name`; `replace`: whatever pack lies there."""

        def work(shelf: Shelf, cancel: Cancel, told: Callable[[Any], None]) -> Exported:
            from sync.packs.exporting import export_pack

            return export_pack(shelf.home, target, **asdict(wanted), replace=replace, progress=told, cancel=cancel)

        def done(written: Exported) -> None:
            self._end(Outcome(written=written, place=name, doing="out"))

        def once_more() -> None:
            self.put(target, name, wanted, replace=replace)

        self._run("out", once_more, work, done)

    def again(self) -> None:
        """The last one once more: it goes on where it stopped."""
        if self._again is not None and not self.busy:
            self._again()

    def cancel(self) -> None:
        """Stop what is at work; what came stays."""
        if self._cancel is not None and self.busy:
            self._set(replace(self.moment, stopping=True))
            self._cancel.cancel()

    def pause_the_sync(self) -> None:
        """Let a sync that is at work wait until this is over."""
        if self.busy and self._context.sync.status.state == "running":
            self._resume = True
            self._context.sync.pause()

    def stop(self) -> None:
        """The window closes: end what is at work."""
        if self._cancel is not None:
            self._cancel.cancel()

    def _run(
        self,
        doing: str,
        again: Callable[[], object],
        work: Callable[[Shelf, Cancel, Callable[[Any], None]], T],
        done: Callable[[T], None],
    ) -> None:
        from sync.cancel import Cancel

        if self.busy:
            return
        self._cancel = cancel = Cancel()
        self._again, self.outcome = again, None
        self._set(Moment(doing))
        emit = self._told.emit

        def alone(shelf: Shelf) -> T:
            return _when_it_is_quiet(lambda: work(shelf, cancel, _seldom(emit)), cancel, emit)

        def failed(error: KnownError) -> None:
            self._end(Outcome(error=error, doing=doing))

        self._context.background.run(alone, done, failed, self, lane=Lane.PACK)

    def _take(self, told: Any) -> None:
        """A word from the thread: None while it waits for a sync, else a `sync.report.Progress`."""
        if not self.busy:
            return
        if told is None:
            self._set(replace(self.moment, waiting=True))
            return
        now = self.moment
        more = told.records > now.records
        part = "" if told.phase != "files" else "keep" if told.stream else "files"
        # Between two steps it is not known how much there is: what was said last stands until then.
        done, total = (told.bytes_done, told.bytes_total) if told.bytes_total else (now.done, now.total)
        records = max(now.records, told.records)
        self._set(replace(now, part=part, waiting=False, done=done, total=total, records=records))
        if more and time.monotonic() - self._pages_told > _TELL_PAGES:
            self._pages_told = time.monotonic()
            self._context.sync.arrived.emit()

    def _set(self, moment: Moment) -> None:
        self.moment = moment
        self._context.sync.carry(_in_words(moment))
        self.changed.emit()

    def _end(self, outcome: Outcome) -> None:
        context = self._context
        self.outcome, self._cancel = outcome, None
        self._set(Moment())
        if self._resume:
            self._resume = False
            context.sync.resume()
        context.sync.nudge("pack")  # a sync that found the shelf taken meanwhile
        context.downloads.wake()
        context.downloads.changed.emit()  # what waited may have come
        context.sync.arrived.emit()
        context.notices.outbox_changed.emit()
        if context.navigator.here.page not in _PLACES:
            self._tell_elsewhere(outcome)
        self.ended.emit(outcome)

    def _tell_elsewhere(self, outcome: Outcome) -> None:
        """Say in a word what came of it to a person who is at something else by now."""
        notices = self._context.notices
        if outcome.error is not None and outcome.error.code != "cancelled":
            notices.problem.emit(Trouble(outcome.error, self.again))
        elif outcome.error is None:
            done = _("The pack is taken in.") if outcome.doing == "in" else _("The pack is written.")
            notices.said.emit(done)


def _in_words(moment: Moment) -> str:
    if not moment.doing:
        return ""
    if moment.total and not moment.waiting:
        words = (
            _("Taking in a pack: {done} of {total}")
            if moment.doing == "in"
            else _("Writing a pack: {done} of {total}")
        )
        return words.format(done=size(min(moment.done, moment.total)), total=size(moment.total))
    return _("Taking in a pack") if moment.doing == "in" else _("Writing a pack")


def _when_it_is_quiet(do: Callable[[], T], cancel: Cancel, told: Callable[[Any], object]) -> T:
    """Do it as soon as no other sync works on this shelf."""
    from sync.errors import Cancelled, SyncBusy

    while True:
        try:
            return do()
        except SyncBusy:
            told(None)
            if cancel.wait(_LOOK_AGAIN):
                raise Cancelled("It was stopped before it began, as asked.") from None


def _seldom(told: Callable[[Any], object]) -> Callable[[Any], None]:
    """Tell progress not more often than a person can see, and its beginning and its end in any case."""
    last = 0.0

    def tell(progress: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _OFTEN or progress.bytes_done >= progress.bytes_total:
            last = now
            told(progress)

    return tell
