"""`make bench`: the figures of docs/benchmarks.md, measured on this machine and printed as a table.

Counts (requests, bytes) hold anywhere; times depend on the machine and on what else it does. Without the folder of
real input the sample library stands in, and the table says so.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.programs import HubProgram, ShelfProgram

ROOT = Path(__file__).resolve().parents[2]
ERIC = sorted((ROOT.parent / "shared" / "data" / "records" / "eric").glob("*.json"))
SAMPLE = sorted((ROOT / "build" / "sample").glob("*.jsonl"))
QUERIES = [
    "teacher training", "school leadership", "mathematics", "early reading",
    "the use of technology in rural schools",
    "girls education", "assessment of learning outcomes", "offline", "professional development of teachers",
    "poverty", "immigrant students", "curriculum reform", "class size", "higher education finance", "motivation",
    "équité", "formation", "enseignants", "policy implementation research", "parent involvement", "lit", "mult",
    "special education inclusion", "dropout prevention", "science achievement gap", "\"professional development\"",
    "minority", "evaluation", "community", "student engagement online", "language", "social capital",
]  # fmt: skip


@dataclass
class Figure:
    """One line of the table."""

    what: str
    value: str
    target: str
    ok: bool


def main() -> int:
    figures: list[Figure] = []
    source = ERIC or SAMPLE
    with tempfile.TemporaryDirectory(prefix="hubshelf-bench-") as folder:
        home = Path(folder)
        with HubProgram(home / "hub").init() as hub:
            shelf = ShelfProgram(home / "shelf")
            figures += hub_figures(hub, source)
            figures += sync_figures(hub, shelf)
            figures += search_figures(shelf)
            figures += window_figures(hub, shelf, home)
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for heading in ("figure", "measured", "target", ""):
        table.add_column(heading)
    for figure in figures:
        table.add_row(figure.what, figure.value, figure.target, "ok" if figure.ok else "MISSED")
    Console(width=110).print(table)
    if not ERIC:
        print("Without the folder of real input the sample library was measured: figures are not comparable.")
    target = ROOT / "build" / "bench"
    target.mkdir(parents=True, exist_ok=True)
    (target / "results.json").write_text(json.dumps([figure.__dict__ for figure in figures], indent=1))
    return 0


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = action()
    return time.perf_counter() - started, result


def hub_figures(hub: HubProgram, source: list[Path]) -> list[Figure]:
    seconds, report = timed(lambda: hub.run("import", *source))
    again_seconds, again = timed(lambda: hub.run("import", *source))
    publish_seconds, published = timed(lambda: hub.run("publish"))
    idle_seconds, _ = timed(lambda: hub.run("publish"))
    return [
        Figure(f"import of {report['read']} records", f"{seconds:.1f} s", "20 s", seconds < 20),
        Figure("the same again: created", str(again["created"]), "0", again["created"] == 0),
        Figure("the same again", f"{again_seconds:.1f} s", "", True),
        Figure(f"publish of {published['put']} records", f"{publish_seconds:.1f} s", "", True),
        Figure("publish with nothing new", f"{idle_seconds:.1f} s", "", True),
    ]


def sync_figures(hub: HubProgram, shelf: ShelfProgram) -> list[Figure]:
    hub.start()
    shelf.enrol(hub)
    first = shelf.run("sync")
    idle = shelf.run("sync")
    records = sum(shelf.run("status")["records"].values())
    moved = f"{idle['bytes_up']} / {idle['bytes_down']}"
    small = idle["bytes_up"] < 1024 and idle["bytes_down"] < 1024
    return [
        Figure(f"first sync of {records} records", f"{first['seconds']:.2f} s", "5 s", first["seconds"] < 5),
        Figure("first sync, bytes down / requests", f"{first['bytes_down']:,} / {first['requests']}", "", True),
        Figure("no-change sync, requests", str(idle["requests"]), "1", idle["requests"] == 1),
        Figure("no-change sync, bytes up / down", moved, "< 1,024 each", small),
    ]


def search_figures(shelf: ShelfProgram) -> list[Figure]:
    from resources_cache.library import Library

    with Library(shelf.home / "library.db", read_only=True) as library:
        for query in QUERIES:
            library.search(query)
        times = sorted(timed(lambda q=query: library.search(q))[0] * 1000 for _ in range(8) for query in QUERIES)
    p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
    return [
        Figure(f"search with snippets, {len(times)} queries, p50", f"{p50:.1f} ms", "10 ms", p50 <= 10),
        Figure("search with snippets, p99", f"{p99:.1f} ms", "50 ms", p99 <= 50),
    ]


def window_figures(hub: HubProgram, shelf: ShelfProgram, home: Path) -> list[Figure]:
    starts = [window("start", shelf.home)["seconds"] for _ in range(4)][1:]
    second = ShelfProgram(home / "second-shelf").enrol(hub, "second@ministry.example")
    freeze = window("freeze", second.home)
    write = window("write", ShelfProgram(home / "third-shelf").enrol(hub, "third@ministry.example").home)
    best = min(starts)
    return [
        Figure("start to usable window, best of 3 (offscreen)", f"{best:.2f} s", "1.0 s", best <= 1.0),
        Figure(
            f"longest freeze during a first sync ({freeze['seconds']:.1f} s)",
            f"{freeze['longest_ms']:.0f} ms",
            "50 ms",
            freeze["longest_ms"] <= 50,
        ),
        Figure(
            f"longest freeze while 11,000 records with texts are written ({write['seconds']:.1f} s)",
            f"{write['longest_ms']:.0f} ms",
            "50 ms",
            write["longest_ms"] <= 50,
        ),
    ]


def window(what: str, home: Path) -> dict[str, Any]:
    """Run tests/bench/window.py in a fresh process; it prints one JSON document."""
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "bench" / "window.py", what, home, str(time.time())],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "HUBSHELF_KEYRING": "off", "PYTHONPATH": str(ROOT)},
        check=False,
    )
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


if __name__ == "__main__":
    sys.exit(main())
