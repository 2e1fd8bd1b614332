"""Less memory for the same work: what glibc would keep apart for each thread."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_M_ARENA_MAX = -8  # mallopt(3)


def share_one_arena() -> None:
    """Let all threads take memory from one heap, where the C library is glibc; elsewhere nothing is done.

    Each thread would get a heap of its own, and what it frees stays there: 5 to 6 MB for the window's. Python runs
    one thread at a time, so that they hardly ever wait for one another there. To be called before there are many.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
