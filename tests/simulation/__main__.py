"""`python -m tests.simulation --seeds 50000` runs so many histories; `--seed N` replays one and tells it."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click

from tests.simulation.history import History
from tests.simulation.simulated_reader import Violation

os.environ["HUBSHELF_KEYRING"] = "off"
_BATCH = 50


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


def batches(first: int, count: int) -> Iterator[range]:
    """The seeds, cut into parts for the processes."""
    for start in range(first, first + count, _BATCH):
        yield range(start, min(start + _BATCH, first + count))


def main() -> int:
    """Run what the command line asks for; 1 where an invariant did not hold."""
    parser = argparse.ArgumentParser(prog="tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many histories")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--stop", type=int, default=5, help="stop after so many failures")
    given = parser.parse_args()
    if given.seed is not None:
        return replay(given.seed)
    started = time.monotonic()
    done, faults, failed = 0, Counter[str](), list[str]()
    with ProcessPoolExecutor(given.processes) as pool:
        for count, seen, stories in pool.map(live, batches(given.first, given.seeds)):
            done, failed = done + count, failed + stories
            faults += seen
            for story in stories:
                click.echo(story)
            if done % (20 * _BATCH) == 0:
                rate = done * 60 / (time.monotonic() - started)
                click.echo(f"{done} histories, {rate:.0f} a minute, {len(failed)} failed", err=True)
            if len(failed) >= given.stop:
                pool.shutdown(cancel_futures=True)
                break
    rate = done * 60 / (time.monotonic() - started)
    for name, count in faults.most_common():
        click.echo(f"{count:>10,}  {name}")
    click.echo(f"{done:,} histories from seed {given.first} on, {rate:,.0f} a minute, {len(failed)} failed")
    return 1 if failed else 0


def replay(seed: int) -> int:
    """Live through one history again and tell it."""
    folder = memory_folder()
    history = History(seed, folder / "h")
    try:
        history.run()
    except Violation as violation:
        click.echo(violation)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    click.echo(history.story())
    return 0


if __name__ == "__main__":
    sys.exit(main())
