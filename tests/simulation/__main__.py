"""`python -m tests.simulation --seeds 50000` runs so many histories; `--seed N` replays one and tells it."""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import time
from collections import Counter

import click

from tests.simulation.batches import BATCH, batches, live, memory_folder, prepare_worker
from tests.simulation.history import History
from tests.simulation.violation import Violation

_BATCHES_OF_A_WORKER = 10
"""Each history leaves about 200 KB behind (every encoder of pyppmd 1.3.1 leaks 7), so workers are renewed."""


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
    # Not forked from here: a worker sets SQLite up before its first connection.
    context = multiprocessing.get_context("forkserver" if sys.platform.startswith("linux") else "spawn")
    context.set_forkserver_preload(["tests.simulation.batches"])
    with context.Pool(given.processes, prepare_worker, maxtasksperchild=_BATCHES_OF_A_WORKER) as pool:
        for count, seen, stories in pool.imap(live, batches(given.first, given.seeds)):
            done, failed = done + count, failed + stories
            faults += seen
            for story in stories:
                click.echo(story)
            if done % (20 * BATCH) == 0:
                rate = done * 60 / (time.monotonic() - started)
                click.echo(f"{done} histories, {rate:.0f} a minute, {len(failed)} failed", err=True)
            if len(failed) >= given.stop:
                break
    rate = done * 60 / (time.monotonic() - started)
    for name, count in faults.most_common():
        click.echo(f"{count:>10,}  {name}")
    click.echo(f"{done:,} histories from seed {given.first} on, {rate:,.0f} a minute, {len(failed)} failed")
    return 1 if failed else 0


def replay(seed: int) -> int:
    """Live through one history again and tell it."""
    prepare_worker()
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
