"""Whoever draws for a person goes first: threads at work on the stores wait a moment before their next statement.

Python runs one thread at a time and asks nobody which is urgent. A window that draws goes in and out of Python
hundreds of times, and each time another thread may take the turn: 20 ms of drawing took 90 beside four that read
and write. The one that draws says so here. It is waited for at most `MOST_S` at a time, so that nothing ever
stands still for it, and never by itself.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MOST_S = 0.025
"""Seconds that a statement waits at most: half of the 50 ms within which the window answers."""

_NICE = 5  # a third of the share that others have, not nothing: who holds Python's lock must get on
_BELOW_NORMAL = -1

_free = threading.Event()
_free.set()
_first = 0
"""The thread that goes first, while `_free` is not set."""


def take() -> None:
    """This thread goes first until `leave` is called."""
    global _first
    _first = threading.get_ident()
    _free.clear()


def leave() -> None:
    """Nobody goes first any more."""
    _free.set()


@contextmanager
def first() -> Iterator[None]:
    """This thread goes first for as long as this lasts; inside another one (or `take`) nothing changes."""
    if not _free.is_set():
        yield
        return
    take()
    try:
        yield
    finally:
        leave()


def step_back() -> None:
    """Let the system, too, prefer the other threads of this program to the one that calls this.

    SQLite works without Python's lock, and a PC has few processors: two reads and a sync would leave the window a
    third of one. On Linux a thread has a nice value of its own (setpriority(2), NOTES), on Windows a priority;
    elsewhere, and where the system refuses, all stay alike.
    """
    with suppress(OSError):
        if sys.platform == "linux":
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICE)
        elif sys.platform == "win32":
            kernel = ctypes.windll.kernel32
            kernel.SetThreadPriority(kernel.GetCurrentThread(), _BELOW_NORMAL)


def holder() -> int:
    """The thread that goes first (its `threading.get_ident`), 0 for none."""
    return 0 if _free.is_set() else _first


def give_way() -> None:
    """Wait while another thread goes first."""
    if not _free.is_set() and threading.get_ident() != _first:
        _free.wait(MOST_S)
