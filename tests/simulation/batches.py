"""Batches of histories, and the processes that live through them."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.simulation.fresh_stores import for_one_thread
from tests.simulation.history import History
from tests.simulation.violation import Violation

os.environ["HUBSHELF_KEYRING"] = "off"
BATCH = 50
"""Histories that a process lives through before it tells of them."""


def memory_folder() -> Path:
    """A new folder, in memory where the system has such a place: histories are not about the disk's speed."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="hubshelf-", dir=memory if memory.is_dir() else None))


def live(seeds: range) -> tuple[int, Counter[str], list[str]]:
    """Run histories; return how many, what went wrong in them on purpose, and the stories of those that failed."""
    folder = memory_folder()
    faults: Counter[str] = Counter()
    failed = []
    try:
        for seed in seeds:
            history = History(seed, folder / f"h{seed}")
            try:
                history.run()
            except Violation as violation:
                failed.append(str(violation))
            faults += history.faults
            faults["syncs"] += sum(step.startswith(("sync", "settle")) for step in history.steps)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return len(seeds), faults, failed


def prepare_worker() -> None:
    """Make a process fit for nothing but histories."""
    for_one_thread()
    # What a history leaves is let go by its references; looking for circles all the time costs a twentieth.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def batches(first: int, count: int) -> Iterator[range]:
    """The seeds, cut into parts for the processes."""
    for start in range(first, first + count, BATCH):
        yield range(start, min(start + BATCH, first + count))
