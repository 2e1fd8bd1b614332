"""`make bench-search-speed`: how fast the search answers, how fast the index grows, and what it takes on disk.

    python -m tests.bench.search_speed [--size 10000|100000] [--library FILE]

The seeded corpus of ../shared/bench goes through ``Library.apply_run`` in runs of 4 MB; then its 200 queries
(words, beginnings of words, phrases) are asked, each three times after once to warm up, and the median of each
counts; "others between": not three times in a row, but each time after all the others. "Answers" are as people
type them: the last word may be unfinished, and is looked for as a beginning too.
"Suggestions" are what is shown while each of them is typed.
The figures go to build/bench/search-speed-SIZE.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from resources_cache.cards import Cursor
from resources_cache.library import Library
from tests.bench.sync_corpus import BENCH, corpus
from tests.bench.sync_links import ToolsMissing

RUN = 4_000_000
"""Characters of a run: what a sync applies in one transaction."""
ROUNDS = 3
PLAIN_FTS5 = {10_000: 99.7, 100_000: 989.0}
"""MB that plain FTS5 takes with its content (../shared/bench/PEERS.md)."""
SHARE = 0.60

Changes = dict[str, list[dict[str, Any]]]


def changes(folder: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(stream, record) as the hub publishes the corpus; ``kind``: "cards" or "texts"."""
    with (folder / "base.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["type"] != "resource":
                if kind == "cards":
                    yield "public/discussions", record
                continue
            body = record.pop("text")
            record["countries"] = [record.pop("country")]
            lang, theme = record["lang"], record["themes"][0]
            if kind == "cards":
                yield f"public/cards/{lang}", record
            else:
                text = {
                    "id": "t" + record["id"], "type": "text", "resource": record["id"], "lang": lang,
                    "format": "plain", "body": body, "updated": record["updated"],
                }  # fmt: skip
                yield f"public/texts/{lang}/{theme}", text


def fill(library: Library, folder: Path, kind: str) -> dict[str, float]:
    """Apply all of one kind in runs; records, seconds on the clock and of the processor without making them."""
    wall = processor = 0.0
    records = number = 0
    run: Changes = {}
    size = 0

    def apply() -> None:
        nonlocal wall, processor, number, run, size
        number += 1
        clock, cpu = time.perf_counter(), time.process_time()
        library.apply_run(run, {stream: Cursor(1, number) for stream in run})
        wall += time.perf_counter() - clock
        processor += time.process_time() - cpu
        run, size = {}, 0

    for stream, record in changes(folder, kind):
        run.setdefault(stream, []).append(record)
        records += 1
        size += len(record.get("body", "")) + len(record.get("summary", "")) + 200
        if size >= RUN:
            apply()
    apply()
    return {"records": records, "wall": wall, "processor": processor}


def on_disk(path: Path) -> dict[str, float]:
    """MB of each table and index, and of the file; the write-ahead log is emptied first."""
    with Library(path) as library:
        library._store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    found = {"library.db": path.stat().st_size / 1e6}
    with closing(sqlite3.connect(path)) as database:  # pysqlite3 comes without dbstat
        try:
            rows = database.execute(
                "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC"
            ).fetchall()
        except sqlite3.OperationalError:
            rows = []
    return found | {name: size / 1e6 for name, size in rows}


def queries(folder: Path) -> list[tuple[str, str]]:
    """(kind, what is typed) of each query of the corpus."""
    asked = json.loads((folder / "queries.json").read_text(encoding="utf-8"))
    return [
        (one["kind"], f'"{" ".join(one["terms"])}"' if one["kind"] == "phrase" else " ".join(one["terms"]))
        for one in asked
    ]


def ask(
    library: Library, asked: list[tuple[str, str]], *, counts: bool = False, apart: bool = False
) -> list[tuple[str, float, float]]:
    """(kind, ms on the clock, ms of the processor) of each query, the median of the rounds; ``apart``: each after
    all the others, so that nothing of it is at hand but what the whole shelf keeps."""
    for _, text in asked:
        library.search(text, counts=counts)
    order = [at for _ in range(ROUNDS) for at in range(len(asked))]
    spent: list[list[tuple[float, float]]] = [[] for _ in asked]
    for at in order if apart else sorted(order):
        clock, cpu = time.perf_counter(), time.process_time()
        library.search(asked[at][1], counts=counts)
        spent[at].append(((time.perf_counter() - clock) * 1000, (time.process_time() - cpu) * 1000))
    medians = [[statistics.median(each) for each in zip(*one, strict=True)] for one in spent]
    return [(kind, clock, cpu) for (kind, _), (clock, cpu) in zip(asked, medians, strict=True)]


def suggest(library: Library, asked: list[tuple[str, str]]) -> list[tuple[str, float, float]]:
    """(kind, ms on the clock, ms of the processor) of the suggestions, concepts with them, for all that stands in
    the field while a query is typed letter by letter, from the second one on; each once after once to warm up."""
    typed = [(kind, text[:size]) for kind, text in asked for size in range(2, len(text) + 1)]
    found = []
    for warm in (False, True):
        for kind, text in typed:
            clock, cpu = time.perf_counter(), time.process_time()
            library.suggest(text)
            library.concepts(text)
            if warm:
                spent = (time.perf_counter() - clock, time.process_time() - cpu)
                found.append((kind, *(1000 * seconds for seconds in spent)))
    return found


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(size: int, path: Path) -> dict[str, Any]:
    """All figures, with the load of the machine before and after."""
    folder = corpus(size)
    result: dict[str, Any] = {"size": size, "load_before": os.getloadavg()}
    if not path.exists():
        with Library(path) as library:
            for kind in ("cards", "texts"):
                result[kind] = fill(library, folder, kind)
    result["disk"] = on_disk(path)
    asked = queries(folder)
    finished = [(kind, text if kind in ("prefix", "phrase") else text + " ") for kind, text in asked]
    with Library(path, read_only=True) as library:
        result["answers"] = ask(library, asked)
        result["answers, others between"] = ask(library, asked, apart=True)
        result["answers, words finished"] = ask(library, finished)
        result["with counts"] = ask(library, asked, counts=True)
        result["suggestions"] = suggest(library, asked)
    result["load_after"] = os.getloadavg()
    return result


def show(result: dict[str, Any]) -> None:
    """The figures beside their targets."""
    table = Table(
        title=f"{result['size']:,} resources, load {result['load_before'][0]:.1f} to {result['load_after'][0]:.1f}"
    )
    for heading in ("figure", "clock", "processor", "target"):
        table.add_column(heading)
    built: dict[str, Any] = {kind: result[kind] for kind in ("cards", "texts") if kind in result}
    if len(built) == 2:
        clocks = ("records", "wall", "processor")
        built["cards and texts"] = {clock: sum(one[clock] for one in built.values()) for clock in clocks}
    for kind, one in built.items():
        rates = [f"{one['records'] / one[clock]:,.0f} / s" for clock in ("wall", "processor")]
        table.add_row(f"{one['records']:,.0f} {kind} applied", *rates, "3,000" if kind == "cards" else "800")
    most = SHARE * PLAIN_FTS5.get(result["size"], 0)
    for name, megabytes in list(result["disk"].items())[:12]:
        table.add_row(
            f"MB of {name}", f"{megabytes:.1f}", "", f"{most:.1f}" if name == "library.db" and most else ""
        )
    targets_of = {"with counts": ("", "100"), "suggestions": ("", "30")}
    answers = ("answers", "answers, others between", "answers, words finished")
    for name in (*answers, "with counts", "suggestions"):
        rows, targets = result[name], targets_of.get(name, ("3", "15"))
        for share, target in zip((0.5, 0.99), targets, strict=True):
            clock, cpu = (percentile([row[at] for row in rows], share) for at in (1, 2))
            table.add_row(f"{name}, p{share * 100:.0f}", f"{clock:.1f} ms", f"{cpu:.1f} ms", target)
        for kind in dict.fromkeys(row[0] for row in rows):
            some = [row[1] for row in rows if row[0] == kind]
            table.add_row(f"  {kind}: p50 / most", f"{statistics.median(some):.1f} / {max(some):.1f} ms", "", "")
    Console(width=None if sys.stdout.isatty() else 110).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--library", type=Path, help="a library.db to fill, or one that is filled already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hubshelf-speed-") as folder:
        try:
            result = measure(options.size, options.library or Path(folder) / "library.db")
        except ToolsMissing as missing:
            print(f"{missing}: nothing is measured.")
            return 0
    BENCH.mkdir(parents=True, exist_ok=True)
    (BENCH / f"search-speed-{options.size}.json").write_text(json.dumps(result, indent=1))
    show(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
