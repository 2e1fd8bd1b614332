"""Time and chance of a simulated history: both come from its seed, so that it replays to the byte."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from sync.cancel import Cancel

_BEGINNING = 1_780_000_000.0


class VirtualClock:
    """Implements `sync.clock.Clock`; `date` is what the computer believes, and may jump either way."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.date = _BEGINNING

    def now(self) -> float:
        return self.elapsed

    def wait(self, seconds: float, cancel: Cancel | None) -> None:
        if cancel is None or not cancel.cancelled:
            self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.elapsed += seconds
        self.date += seconds


@contextmanager
def one_world(clock: VirtualClock, seed: int) -> Iterator[None]:
    """Take the system's randomness and date from the history meanwhile: ids, nonces, keys."""
    chance = Random(f"system {seed}")
    kept = os.urandom, random._urandom, time.time_ns, time.time  # type: ignore[attr-defined]  # where secrets reads
    state = random.getstate()
    os.urandom = random._urandom = chance.randbytes  # type: ignore[attr-defined]  # as above
    time.time_ns = lambda: int(clock.date * 1e9)
    time.time = lambda: clock.date
    random.seed(seed)
    try:
        yield
    finally:
        os.urandom, random._urandom, time.time_ns, time.time = kept  # type: ignore[attr-defined]  # as above
        random.setstate(state)
