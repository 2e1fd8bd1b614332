"""The hub with 100,000 resources: what a full build of it costs, and a day that is published into it.

What was built is kept under build/bench, so that the day can be measured again without the build. Processor time
is that of all processes of a command: where the machine has other things to do, it says more than wall time.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from statistics import median

from tests.bench.sync_corpus import BENCH, a_day, corpus
from tests.bench.sync_stage import Ran, run
from tests.bench.sync_tasks import MB, Bench, Result, Task
from tests.programs import HubProgram, copy_home

SIZE = 100_000
_TIMES = 3
_TIMEOUT = 7200.0


def full_build(bench: Bench) -> Result:
    """A full build of 100,000 resources, in place of the hub that was built before."""
    result, source = Result(), corpus(SIZE)
    for old in BENCH.glob(f"large-{SIZE}-*"):
        shutil.rmtree(old)
    folder = BENCH / f"large-{SIZE}-{bench.digest}"
    home = HubProgram(folder / "hub").init().home
    imported = run("hubshelf-hub", "import", source / "base.jsonl", home=home, timeout=_TIMEOUT)
    built = run("hubshelf-hub", "publish", home=home, timeout=_TIMEOUT)
    result.add("load of the machine, its own included", os.getloadavg()[1])
    (folder / "facts.json").write_text(json.dumps({"publish_seconds": built.seconds}))  # written last
    result.add("hub: import of 100,000 resources", imported.seconds, "s")
    result.add("hub: full build of 100,000", built.seconds, "s", most=600)
    result.add("hub: full build of 100,000, processor time", built.processor, "s")
    result.add("hub: full build of 100,000, peak memory in MB", built.peak / MB)
    return result


def a_day_into_it(bench: Bench) -> Result:
    """50 new, 20 edited, 5 deleted and 10 messages published into the hub that was built last."""
    if not _kept():
        full_build(bench)
    result = Result()
    days: list[Ran] = []
    idle: list[Ran] = []
    with tempfile.TemporaryDirectory(prefix="large-day-", dir=BENCH) as folder:
        imported, home = Path(folder) / "imported", Path(folder) / "hub"
        copy_home(_kept()[-1] / "hub", imported)
        run("hubshelf-hub", "import", a_day(corpus(SIZE)), home=imported)
        for _ in range(_TIMES):
            copy_home(imported, home)
            os.sync()  # or the copy is still being written while the hub waits for its own bytes
            days.append(run("hubshelf-hub", "publish", home=home))
            idle.append(run("hubshelf-hub", "publish", home=home))
            shutil.rmtree(home)
    result.add("load of the machine, its own included", os.getloadavg()[0])
    name = "hub: publish a day into 100,000"
    result.add(f"{name}, median of {_TIMES}", median(day.seconds for day in days), "s", most=5)
    result.add(f"{name}, fastest", min(day.seconds for day in days), "s")
    result.add(f"{name}, processor time, median", median(day.processor for day in days), "s")
    result.add(f"{name}, peak memory in MB", max(day.peak for day in days) / MB, most=500)
    result.add("hub: publish nothing into 100,000, median", median(one.seconds for one in idle), "s")
    return result


LARGE: dict[str, Task] = {"100k": full_build, "100k-day": a_day_into_it}


def _kept() -> list[Path]:
    """Return the folders of the hubs that were built to the end, the newest last."""
    written = sorted(BENCH.glob(f"large-{SIZE}-*/facts.json"), key=lambda facts: facts.stat().st_mtime)
    return [facts.parent for facts in written]
