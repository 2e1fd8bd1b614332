"""Sync behind the window: a thread that keeps a shelf in step and says how it goes.

It waits for a reason (a person, a new item in the outbox, a change of network) or for its time: a quarter of an
hour when all is in step, the backoff after a failure. It never dies of a known error. A fault of the program is
told as a failure with the code "bug", and given to `on_bug`, so that tests are loud.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from resources_cache.errors import CacheError, MassDeletion
from resources_cache.precedence import step_back
from sync.backoff import SHORTEST, next_delay
from sync.cancel import Cancel
from sync.errors import (
    AuthNeeded,
    BudgetReached,
    Cancelled,
    HubProblem,
    InsecureAddress,
    NotEnrolled,
    ShelfMoved,
    SyncBusy,
    SyncError,
    UpgradeNeeded,
)
from sync.home import Home
from sync.joining import has_site_code, join_site
from sync.manners import Manners
from sync.neighbours.office import Office, sync_in_turn
from sync.report import KnownError, Progress, SyncReport
from sync.transport import Transport

IN_STEP_SECONDS = 15 * 60.0
"""Between two syncs when nothing calls for one earlier."""
_BUSY_SECONDS = 30.0
_PATIENCE_SECONDS = 30.0
"""For a link that came and went; after that the backoff decides."""
_PERSON = "person"
"""The reason that never waits, and that is answered even where there is nothing to do."""

_FOR_A_PERSON = (AuthNeeded, BudgetReached, Cancelled, MassDeletion, ShelfMoved, UpgradeNeeded)
"""What trying again by itself would not change."""


@dataclass(frozen=True)
class SyncStarted:
    """A sync begins; `reason` as given to `wake`, or "timer"."""

    reason: str


@dataclass(frozen=True)
class SyncProgress:
    """How far the running sync is."""

    progress: Progress


@dataclass(frozen=True)
class SyncFinished:
    """A sync is over and trying again by itself would change nothing; `report.error` may still say something."""

    report: SyncReport


@dataclass(frozen=True)
class SyncFailed:
    """A sync did not work out; `retry_at` is the UTC time (ISO 8601) of the next attempt, None for never."""

    error: KnownError
    retry_at: str | None


Event = SyncStarted | SyncProgress | SyncFinished | SyncFailed


class ProgramFault(SyncError):
    """Something that should never happen; the cause is chained."""

    code = "bug"
    advice = "Send the report to the people who make Hubshelf. What you wrote is safe on this computer."


class BackgroundSync:
    """A thread for one shelf. All methods may be called from any thread; events come on its own."""

    def __init__(
        self,
        home_path: Path,
        on_event: Callable[[Event], None],
        *,
        connect: Callable[[str | None], Transport] | None = None,
        on_bug: Callable[[BaseException], None] | None = None,
        chance: Random | None = None,
        in_step_seconds: float = IN_STEP_SECONDS,
        shortest_seconds: float = SHORTEST,
        now: Callable[[], datetime] = datetime.now,
        office: Office | None = None,
    ) -> None:
        """`connect` makes the transport of each sync. `in_step_seconds` is the quiet interval and
        `shortest_seconds` the least time between two syncs that no person asked for. `now` gives the local time,
        for the hours in which a sync may run by itself. `office`: the shelf's place among its neighbours."""
        self._home_path = home_path
        self._on_event = on_event
        self._connect = connect
        self._on_bug = on_bug
        self._chance = chance or Random()
        self._in_step_seconds = in_step_seconds
        self._shortest = shortest_seconds
        self._now = now
        self._office = office
        self._condition = threading.Condition()
        self._reasons: list[str] = []
        self._paused = False
        self._stopping = False
        self._running: Cancel | None = None
        self._failures = 0
        self._ended = -shortest_seconds + time.monotonic()
        self._due = time.monotonic()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; the first sync comes at once. A second call changes nothing."""
        with self._condition:
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._work, name="sync", daemon=True)
                self._thread.start()

    def wake(self, reason: str) -> None:
        """Ask for a sync; "person" runs at once, others not sooner than a few seconds after the last one.

        While one is running, another follows it.
        """
        with self._condition:
            self._reasons.append(reason)
            self._condition.notify_all()

    def pause(self) -> None:
        """Stop moving bytes until `resume`; what is running ends within a second or so."""
        with self._condition:
            self._paused = True
            running = self._running
            self._condition.notify_all()
        if running is not None:
            running.cancel()

    def resume(self) -> None:
        """Go on after `pause`, with a sync at once."""
        with self._condition:
            self._paused = False
            self._due = time.monotonic()
            self._condition.notify_all()

    def stop(self, timeout: float = 5.0) -> bool:
        """End the thread and wait for it at most `timeout` seconds; return whether it has ended."""
        with self._condition:
            self._stopping = True
            running, thread = self._running, self._thread
            self._condition.notify_all()
        if running is not None:
            running.cancel()
        if thread is None or thread is threading.current_thread():
            return thread is None
        thread.join(timeout)
        if not thread.is_alive() and self._office is not None:
            self._office.stop()
        return not thread.is_alive()

    def _work(self) -> None:
        step_back()
        while (reason := self._wait()) is not None:
            try:
                self._sync(reason)
            except Exception as error:
                fault = ProgramFault(f"Hubshelf made a mistake ({type(error).__name__}: {error}).")
                fault.__cause__ = error
                self._tell(SyncFailed(fault, self._plan_retry()))
                if self._on_bug is not None:
                    self._on_bug(error)

    def _wait(self) -> str | None:
        """Wait until a sync is due; return its reason and note that it runs, or None to end."""
        with self._condition:
            while not self._stopping:
                now = time.monotonic()
                rest = self._due - now
                if self._reasons:
                    earliest = now if _PERSON in self._reasons else self._ended + self._shortest
                    rest = min(rest, earliest - now)
                if self._paused:
                    self._condition.wait()
                elif rest > 0:
                    self._condition.wait(rest)
                else:
                    reason = _PERSON if _PERSON in self._reasons else next(iter(self._reasons), "timer")
                    self._reasons.clear()
                    self._running = Cancel()
                    return reason
            return None

    def _sync(self, reason: str) -> None:
        cancel = self._running
        assert cancel is not None
        try:
            report = self._run(reason, cancel)
        finally:
            with self._condition:
                self._running = None
                self._ended = time.monotonic()
                # A person's own hours may have set an earlier or later time already.
                self._due = max(self._due, self._ended + self._in_step_seconds)
        if report is None:
            return
        error = report.error
        if error is None or isinstance(
            error, AuthNeeded | BudgetReached | Cancelled | MassDeletion | UpgradeNeeded
        ):
            self._failures = 0
            self._tell(SyncFinished(report))
        elif isinstance(error, NotEnrolled | InsecureAddress):
            self._tell(SyncFailed(error, None))
        elif isinstance(error, SyncBusy):
            self._tell(SyncFailed(error, self._retry_in(_BUSY_SECONDS)))
        elif isinstance(error, HubProblem) and error.retry_after:
            # The hub knows better than we do when it can take more.
            self._failures += 1
            own_choice = next_delay(self._failures, self._chance)
            self._tell(SyncFailed(error, self._retry_in(max(own_choice, error.retry_after))))
        else:
            self._tell(SyncFailed(error, self._plan_retry()))

    def _run(self, reason: str, cancel: Cancel) -> SyncReport | None:
        """Sync once; None where nobody asked and there is no hub, or it is not the hour."""
        try:
            home = Home(self._home_path)
            url = home.hub_url
            by_itself = url is None and has_site_code(home.policies)
            if url is None and reason != _PERSON and not by_itself:
                return None
            with home.own() as own:
                manners = Manners.of(own)
            if reason != _PERSON and (rest := manners.wait(self._now())) > 0:
                self._retry_in(rest)
                return None
            if by_itself:
                join_site(home, platform.node(), connect=self._connect)
                url = home.hub_url
            transport = (self._connect or home.connect)(url)
        except (SyncError, CacheError) as error:
            return SyncReport(error=error)
        self._tell(SyncStarted(reason))
        try:
            return sync_in_turn(
                self._office,
                home,
                transport,
                by_person=reason == _PERSON,
                progress=lambda progress: self._tell(SyncProgress(progress)),
                cancel=cancel,
                daily_limit=True,
                patience=_PATIENCE_SECONDS,
            )
        except CacheError as error:
            return SyncReport(error=error)
        finally:
            transport.close()

    def _plan_retry(self) -> str:
        self._failures += 1
        return self._retry_in(next_delay(self._failures, self._chance))

    def _retry_in(self, seconds: float) -> str:
        with self._condition:
            self._due = time.monotonic() + seconds
        return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _tell(self, event: Event) -> None:
        self._on_event(event)
