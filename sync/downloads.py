"""The queue of downloads, worked off behind the window: one file at a time, in the person's order.

What a person allows a sync holds here too: bytes a day, hours, and, where they said so, no connection that is paid
by the byte; a file that the person lets come anyway passes these, and its bytes count as spent all the same. A
file that is stopped goes on at its byte. Files come after syncs: while one runs, or all is paused, the queue is
held.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from resources_cache.downloads import Download
from resources_cache.errors import CacheError, DiskFull, StoreBusy, StoreUnwritable
from resources_cache.precedence import step_back
from sync.backoff import next_delay
from sync.cancel import Cancel
from sync.errors import (
    AuthNeeded,
    BadCertificate,
    Cancelled,
    CaptivePortal,
    HubProblem,
    InsecureAddress,
    NotEnrolled,
    Offline,
    OtherHub,
    SyncError,
)
from sync.files import fetch_file
from sync.home import Home
from sync.machine.taking import hand_in
from sync.manners import Manners
from sync.neighbours.giving import note_file
from sync.report import Progress
from sync.transport import Transport

WAIT_METERED = "downloads_wait_metered"
"""Setting of own.db: true where downloads wait while the connection is paid by the byte."""
LIMITS = frozenset({"metered", "hours", "budget"})
"""Why nothing comes where it is the person's own limits that say so: one file can be let past them."""
_NO_ROOM_SECONDS = 300.0
_TELL_SECONDS = 0.2
"""Between two events of progress."""


@dataclass(frozen=True)
class Standing:
    """What the queue is doing. `hash`: the file that is coming, `done` of `size` bytes, at `rate` bytes a second.

    `why`: why nothing comes: "held" (a sync runs, or all is paused), "metered", "hours", "budget", "offline",
    "portal", "hub" (no hub, or it refuses), "room" (the disk is full), "paused" (each file is), "" (none waits).
    """

    hash: str = ""
    done: int = 0
    size: int = 0
    rate: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class Arrived:
    """A file is here, verified."""

    download: Download


@dataclass(frozen=True)
class SetAside:
    """A file could not be had; `code` of the error says why, and the queue went on to the next."""

    download: Download
    code: str


Event = Standing | Arrived | SetAside


class DownloadQueue:
    """A thread for the queue of one shelf. All methods may be called from any thread; events come on its own."""

    def __init__(
        self,
        home_path: Path,
        on_event: Callable[[Event], None],
        *,
        connect: Callable[[str | None], Transport] | None = None,
        now: Callable[[], datetime] = datetime.now,
        chance: Random | None = None,
    ) -> None:
        """`connect` makes the transport of each file, `now` gives the local time for the hours allowed."""
        self._home_path = home_path
        self._on_event = on_event
        self._connect = connect
        self._now = now
        self._chance = chance or Random()
        self._condition = threading.Condition()
        self._due: float | None = 0.0
        self._held = False
        self._metered = False
        self._stopping = False
        self._failures = 0
        self._running: tuple[str, Cancel] | None = None
        self._told = Standing()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; a second call changes nothing."""
        with self._condition:
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._work, name="downloads", daemon=True)
                self._thread.start()

    def wake(self, first: str | None = None) -> None:
        """The queue was changed, or the link: look again. `first`: the file that should be coming now ("" for
        none), so that another one that is coming stops; None where that did not change."""
        with self._condition:
            self._failures = 0
            self._due = time.monotonic()
            running = self._running if first is not None and self._running and self._running[0] != first else None
            self._condition.notify_all()
        if running is not None:
            running[1].cancel()

    def hold(self, held: bool) -> None:
        """Let nothing come until told otherwise; what is coming stops where it is."""
        self._set(held=held)

    def set_metered(self, metered: bool) -> None:
        """The connection is (not) paid by the byte, as far as the system knows."""
        self._set(metered=metered)

    def stop(self, timeout: float = 5.0) -> bool:
        """End the thread and wait for it at most `timeout` seconds; return whether it has ended."""
        with self._condition:
            self._stopping = True
            running, thread = self._running, self._thread
            self._condition.notify_all()
        if running is not None:
            running[1].cancel()
        if thread is None or thread is threading.current_thread():
            return thread is None
        thread.join(timeout)
        return not thread.is_alive()

    def _set(self, *, held: bool | None = None, metered: bool | None = None) -> None:
        with self._condition:
            before = (self._held, self._metered)
            self._held = self._held if held is None else held
            self._metered = self._metered if metered is None else metered
            if before == (self._held, self._metered):
                return
            running = self._running
            self._due = time.monotonic()
            self._condition.notify_all()
        # What is coming is looked at again: with less allowed it does not go on.
        if running is not None and (held or metered):
            running[1].cancel()

    def _work(self) -> None:
        step_back()
        while self._wait():
            try:
                rest = self._step()
            except (SyncError, CacheError) as error:
                self._tell(Standing(why="room" if isinstance(error, DiskFull | StoreUnwritable) else "hub"))
                rest = _NO_ROOM_SECONDS
            with self._condition:
                if self._due is None and rest is not None:  # else somebody asked to look again meanwhile
                    self._due = time.monotonic() + rest

    def _wait(self) -> bool:
        with self._condition:
            while not self._stopping:
                rest = None if self._due is None else self._due - time.monotonic()
                if rest is not None and rest <= 0:
                    self._due = None
                    return True
                self._condition.wait(rest)
            return False

    def _step(self) -> float | None:
        """Bring one file, or say why none comes; the seconds until the next step, None: when something changes."""
        home = Home(self._home_path)
        with home.own() as own:
            wanted, waiting = own.downloads.next(), own.downloads.items()
            let_past = own.downloads.next(anyway=True)
            manners = Manners.of(own)
            metered = own.setting(WAIT_METERED) is True
        if wanted is None:
            self._tell(Standing(why="paused" if waiting else ""))
            return None
        why, rest = self._obstacle(manners, metered, home.hub_url)
        bound = manners.left_today if manners.binding else None
        if why in LIMITS and let_past is not None and bound != 0:
            return self._bring(home, let_past, bound)
        if why:
            self._tell(Standing(why=why))
            return rest
        return self._bring(home, wanted, bound if wanted.anyway else manners.left_today)

    def _obstacle(self, manners: Manners, metered: bool, hub: str | None) -> tuple[str, float | None]:
        now = self._now()
        if self._held:
            return "held", None
        if hub is None:
            return "hub", None
        if metered and self._metered:
            return "metered", None
        if (rest := manners.wait(now)) > 0:
            return "hours", rest
        if manners.left_today is not None and manners.left_today <= 0:
            midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=1, microsecond=0)
            return "budget", max(1.0, (midnight - now).total_seconds())
        return "", None

    def _bring(self, home: Home, wanted: Download, left: int | None) -> float | None:
        """Fetch one file, at most `left` bytes of it now."""
        cancel = Cancel()
        with self._condition:
            if self._stopping or self._held:
                return 0.0
            self._running = (wanted.hash, cancel)
        began, told, start = time.monotonic(), 0.0, -1

        def progress(at: Progress) -> None:
            nonlocal told, start
            start = at.bytes_done if start < 0 else start
            moved, now = at.bytes_done - start, time.monotonic()
            if left is not None and moved >= left:
                cancel.cancel()
            if now - told >= _TELL_SECONDS or at.bytes_done >= at.bytes_total:
                told = now
                rate = moved / (now - began) if now > began else 0.0
                self._tell(Standing(wanted.hash, at.bytes_done, at.bytes_total, rate))

        self._tell(Standing(wanted.hash, home.files().partial_size(wanted.hash), wanted.size))
        try:
            fetch_file(
                home, wanted.hash, wanted.size, progress, cancel, replaces=wanted.replaces, connect=self._connect
            )
        except Cancelled:
            return 0.0
        except (Offline, CaptivePortal) as error:
            return self._later("portal" if isinstance(error, CaptivePortal) else "offline", 0.0)
        except HubProblem as error:
            if error.retry_after or error.problem.action == "retry":
                return self._later("hub", error.retry_after)
            return self._pass_over(home, wanted, error.code)
        except (DiskFull, StoreUnwritable, StoreBusy):
            raise
        except (AuthNeeded, BadCertificate, InsecureAddress, NotEnrolled, OtherHub):
            return self._later("hub", _NO_ROOM_SECONDS)  # it stands in the way of every file
        except (SyncError, CacheError) as error:
            return self._pass_over(home, wanted, error.code)
        finally:
            with self._condition:
                self._running = None
        with home.own() as own:
            own.downloads.remove(wanted.hash)
            note_file(own, wanted.hash, wanted.resource)
        with suppress(CacheError):  # it was removed again already
            hand_in(home, wanted.hash, wanted.resource, home.files().path(wanted.hash))
        self._failures = 0
        self._tell(Arrived(wanted))
        return 0.0

    def _later(self, why: str, least: float) -> float:
        self._failures += 1
        self._tell(Standing(why=why))
        return max(least, next_delay(self._failures, self._chance))

    def _pass_over(self, home: Home, wanted: Download, code: str) -> float:
        with home.own() as own:
            own.downloads.set_aside(wanted.hash, code)
        self._tell(SetAside(wanted, code))
        return 0.0

    def _tell(self, event: Event) -> None:
        if isinstance(event, Standing):
            if event == self._told:
                return
            self._told = event
        self._on_event(event)
