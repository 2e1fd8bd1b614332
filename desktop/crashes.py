"""Faults of the program: noticed on every thread, written down, and told to the person in kind words.

`Crashes.install` puts itself where Python and Qt's slots leave unhandled exceptions, and has Python's faulthandler
write into `fault.txt` what the process was at when it is brought down (a fault in a library). `aftermath` finds
at the next start what a process that ended so has left behind.
"""

from __future__ import annotations

import faulthandler
import re
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from PySide6.QtCore import QObject, Signal

from desktop import session
from desktop.session import Session

FAULT = "fault.txt"
REPORT = "crash.txt"
_MOST = 65_536
"""Bytes that are read of each."""


class EndedBadly(Exception):
    """The window did not end as it should last time."""

    code = "ended-badly"
    advice = "Look at the report. If the power went away there is nothing to do."


class EndedAgain(EndedBadly):
    """It ended so soon after it had opened what was open: this time it begins at Home."""

    code = "ended-again"


@dataclass(frozen=True)
class Crash:
    """One fault: what to send (no private words in it), and what tells it from others."""

    report: str
    key: str


@dataclass(frozen=True)
class Aftermath:
    """What a window that did not end as it should has left: where the person was, and a report ("" for none)."""

    session: Session
    report: str

    @property
    def again(self) -> bool:
        """Whether it had opened what was open, and fell at once: opening it once more would lead in circles."""
        return self.session.restored and not self.session.steady

    @property
    def error(self) -> EndedBadly:
        """What is told of it."""
        return EndedAgain("It ended twice.") if self.again else EndedBadly("It did not end as it should.")


def aftermath(home: Path) -> Aftermath | None:
    """What the last window of `home` has left, where it did not end as it should.

    Only for who holds the window's lock, and before `Crashes.install`, which begins the files anew.
    """
    last = session.read(home)
    if last is None or last.ended:
        return None
    from desktop.crash_report import report_of_fault

    fault = report_of_fault(_read(home / FAULT))
    return Aftermath(last, "\n\n".join(part for part in (fault, _read(home / REPORT)) if part))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST).decode("utf-8", "replace")
    except OSError:
        return ""


class Crashes(QObject):
    """Notices unhandled exceptions; `happened` gives each Crash on the window's thread."""

    happened = Signal(object)

    def __init__(self, home: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._home = home
        self._told: set[str] = set()
        self._lock = threading.Lock()
        self._before: tuple[Any, Any, Any] | None = None
        self._file: IO[str] | None = None

    def install(self) -> None:
        """Watch from now on; what an earlier window left is forgotten."""
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        with suppress(OSError):
            (self._home / REPORT).unlink(missing_ok=True)
            self._file = (self._home / FAULT).open("w", encoding="utf-8")
            faulthandler.enable(self._file, all_threads=True)
        sys.excepthook = self._in_slot
        threading.excepthook = self._in_thread
        sys.unraisablehook = self._unraisable

    def remove(self) -> None:
        """Watch no longer: the window was closed as it should, and leaves no report."""
        if self._before is not None:
            sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
            self._before = None
        if self._file is not None:
            faulthandler.disable()
            self._file.close()
            self._file = None
        for name in (FAULT, REPORT):
            with suppress(OSError):
                (self._home / name).unlink(missing_ok=True)

    def _in_slot(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if self._before is not None:
            self._before[0](kind, error, trace)  # the log of whoever started it from a terminal
        self._note(error, threading.current_thread().name)

    def _in_thread(self, met: threading.ExceptHookArgs) -> None:
        if self._before is not None:
            self._before[1](met)
        if met.exc_value is not None:
            self._note(met.exc_value, met.thread.name if met.thread is not None else "a thread")

    def _unraisable(self, met: Any) -> None:
        if self._before is not None:
            self._before[2](met)
        if met.exc_value is not None:
            self._note(met.exc_value, threading.current_thread().name)

    def _note(self, error: BaseException, thread: str) -> None:
        if not isinstance(error, Exception):
            return  # somebody asked to stop
        from desktop.crash_report import key_of, report_of  # seldom needed

        key = key_of(error)
        with self._lock:
            # One fault in something that is drawn or asked for again and again is one fault.
            if key in self._told:
                return
            self._told.add(key)
        report = report_of(error, thread)
        with suppress(OSError):
            (self._home / REPORT).write_text(report, "utf-8")
        note_fault(self._home, error)
        self.happened.emit(Crash(report, key))


def note_fault(home: Path, error: BaseException) -> None:
    """Write into the log of the shelf that there was a fault, and of which kind (the report has the rest)."""
    from sync.logbook import Logbook

    Logbook(home).note("fault", kind=re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower())
