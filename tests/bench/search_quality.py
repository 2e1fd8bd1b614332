"""`make bench-search`: how good the answers of the search are, on collections that others judged.

    python -m tests.bench.search_quality [--only cranfield,xquad/en] [--systems hubshelf,fts5] [--conditions typed]

Whole questions are the queries. nDCG@10 (Järvelin and Kekäläinen, TOIS 20(4), 2002), MRR@10 and Recall@20 of
Hubshelf (texts as summaries; as text editions, which are indexed otherwise), of SQLite's FTS5 as it comes (porter,
words joined by OR), and of Xapian (English or the collection's own stems, words joined by OR) where the system's
Python has it. Each also with the accents of the query left out, and
with two neighbouring letters of one word of each query swapped. The figures go to build/bench/search-quality.json.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from resources_cache.cards import Cursor
from resources_cache.database import dbapi2
from resources_cache.library import Library
from tests.bench.sync_corpus import BENCH

DATA = Path(__file__).parents[3] / "shared" / "data" / "search"
SPACED = ("en", "es", "de", "ro", "ru", "el", "tr", "ar", "hi", "vi")
COLLECTIONS = ("cranfield", "cisi", *(f"xquad/{code}" for code in (*SPACED, "th", "zh")))
KEPT = BENCH / "search-quality.json"
XAPIAN = Path(__file__).with_name("search_xapian.py")

Search = Callable[[str], list[str]]
"""A query → ids of the best 20, best first."""


class Collection:
    """Documents, queries and judgements of one folder; ``lang`` is what its records say they are written in."""

    def __init__(self, name: str) -> None:
        folder = DATA / name
        self.name, self.lang = name, name.partition("/")[2] or "en"
        self.documents = _lines(folder / "corpus.jsonl")
        self.judged: dict[str, dict[str, float]] = {}
        for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
            query, document, grade = line.split("\t")
            if float(grade) > 0:
                self.judged.setdefault(query, {})[document] = float(grade)
        self.queries = {q["_id"]: q["text"] for q in _lines(folder / "queries.jsonl") if q["_id"] in self.judged}


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def without_accents(text: str) -> str:
    """As people type who do without: Latin and Greek accents gone, ı as i; other scripts as they are."""
    split = unicodedata.normalize("NFD", text)
    bare = "".join(c for c in split if not 0x0300 <= ord(c) <= 0x036F).replace("ı", "i").replace("đ", "d")
    return unicodedata.normalize("NFC", bare)


def swapped(text: str) -> str:
    """Two neighbouring letters inside one word of five letters or more changed over; which, the text decides."""
    chance = random.Random(text)
    words = list(re.finditer(r"[^\W\d_]{5,}", text))
    if not words:
        return text
    word = chance.choice(words)
    places = [at for at in range(word.start() + 1, word.end() - 2) if text[at] != text[at + 1]]
    if not places:
        return text
    at = chance.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


CONDITIONS: dict[str, Callable[[str], str]] = {
    "typed": lambda text: text,
    "no accents": without_accents,
    "swapped": swapped,
}


@contextmanager
def hubshelf(collection: Collection) -> Iterator[Search]:
    """A shelf with the collection as resources, through the search that people use."""
    records = [
        {"id": d["_id"], "type": "resource", "title": d["title"], "summary": d["text"], "lang": collection.lang}
        for d in collection.documents
    ]
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "library.db") as library:
        library.apply("s", records, Cursor(1, 1))
        yield lambda text: [hit.id for hit in library.search(text, limit=20).results]


@contextmanager
def editions(collection: Collection) -> Iterator[Search]:
    """The same with the texts as text editions, of which the index keeps weights and no places."""
    records: list[dict[str, Any]] = []
    for d in collection.documents:
        records += [
            {"id": d["_id"], "type": "resource", "title": d["title"], "lang": collection.lang},
            {"id": f"text {d['_id']}", "type": "text", "resource": d["_id"], "format": "plain", "body": d["text"],
             "lang": collection.lang},
        ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "library.db") as library:
        library.apply("s", records, Cursor(1, 1))
        yield lambda text: [hit.id for hit in library.search(text, limit=20).results]


@contextmanager
def fts5(collection: Collection) -> Iterator[Search]:
    """SQLite's FTS5 with its own tokenizer (unicode61), words joined by OR, title weight 4."""
    connection = dbapi2.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE s USING fts5(id UNINDEXED, title, text)")
    connection.executemany(
        "INSERT INTO s VALUES (?, ?, ?)", [(d["_id"], d["title"], d["text"]) for d in collection.documents]
    )

    def search(text: str) -> list[str]:
        words = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", text))
        if not words:
            return []
        rows = connection.execute(
            "SELECT id FROM s WHERE s MATCH ? ORDER BY bm25(s, 0, 4.0, 1.0), rowid LIMIT 20", (words,)
        )
        return [row[0] for row in rows]

    yield search
    connection.close()


@contextmanager
def xapian(collection: Collection) -> Iterator[Search]:
    """Xapian with the stems of the language it knows, words joined by OR, in a process of the system's Python."""
    process = subprocess.Popen(
        [SYSTEM_PYTHON, str(XAPIAN)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout
    stdin.write(json.dumps({"lang": collection.lang, "documents": collection.documents}) + "\n")

    def search(text: str) -> list[str]:
        stdin.write(json.dumps(text) + "\n")
        stdin.flush()
        found: list[str] = json.loads(stdout.readline())
        return found

    try:
        yield search
    finally:
        stdin.close()
        process.wait(10)
        stdout.close()


SYSTEM_PYTHON = "/usr/bin/python3"
SYSTEMS = {"hubshelf": hubshelf, "editions": editions, "fts5": fts5, "xapian": xapian}


def measures(judged: dict[str, float], found: Sequence[str]) -> tuple[float, float, float]:
    """(nDCG@10, MRR@10, Recall@20) of one answer list."""
    got = sum(judged.get(id_, 0) / math.log2(n + 2) for n, id_ in enumerate(found[:10]))
    ideal = sum(g / math.log2(n + 2) for n, g in enumerate(sorted(judged.values(), reverse=True)[:10]))
    first = next((n for n, id_ in enumerate(found[:10]) if id_ in judged), None)
    recall = len(judged.keys() & set(found[:20])) / len(judged)
    return got / ideal, 0.0 if first is None else 1 / (first + 1), recall


def evaluate(collection: Collection, system: str, conditions: Sequence[str]) -> dict[str, list[float]]:
    """Condition → means of ``measures`` over all judged queries."""
    result = {}
    with SYSTEMS[system](collection) as search:
        for condition in conditions:
            change = CONDITIONS[condition]
            rows = [
                measures(collection.judged[id_], search(change(text))) for id_, text in collection.queries.items()
            ]
            result[condition] = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    return result


def has_xapian() -> bool:
    """Whether the system's Python has python3-xapian (Debian)."""
    if not os.access(SYSTEM_PYTHON, os.X_OK):
        return False
    return subprocess.run([SYSTEM_PYTHON, "-c", "import xapian"], capture_output=True, check=False).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(COLLECTIONS), help="collections, separated by commas")
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--conditions", default=",".join(CONDITIONS))
    options = parser.parse_args()
    if not DATA.is_dir():
        print(f"The collections are not here ({DATA}): nothing is measured.")
        return 0
    systems = options.systems.split(",")
    if "xapian" in systems and not has_xapian():
        print("Without Xapian: Debian's python3-xapian is not installed.", file=sys.stderr)
        systems.remove("xapian")
    BENCH.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    for name in options.only.split(","):
        collection = Collection(name)
        for system in systems:
            found = evaluate(collection, system, options.conditions.split(","))
            kept.setdefault(name, {}).setdefault(system, {}).update(found)
            print(name, system, {c: [round(x, 4) for x in m] for c, m in found.items()}, file=sys.stderr)
        KEPT.write_text(json.dumps(kept, indent=1))
    _print_table(kept)
    return 0


def _print_table(kept: dict[str, Any]) -> None:
    table = Table(title="nDCG@10 / MRR@10 / Recall@20, whole questions as queries")
    table.add_column("collection")
    columns = [(system, condition) for system in SYSTEMS for condition in CONDITIONS]
    columns = [(s, c) for s, c in columns if any(c in one.get(s, {}) for one in kept.values())]
    for system, condition in columns:
        table.add_column(f"{system}\n{condition}", justify="right")
    rows = {name: kept[name] for name in COLLECTIONS if name in kept}
    spaced = [kept[f"xquad/{code}"] for code in SPACED if f"xquad/{code}" in kept]
    for name, row in rows.items():
        table.add_row(name, *(_shown([row], s, c) for s, c in columns))
    table.add_row("xquad, spaced", *(_shown(spaced, s, c) for s, c in columns))
    Console(width=None if sys.stdout.isatty() else 190).print(table)


def _shown(rows: Sequence[dict[str, Any]], system: str, condition: str) -> str:
    found = [row[system][condition] for row in rows if condition in row.get(system, {})]
    if not found:
        return ""
    return " ".join(f"{sum(column) / len(found):.3f}" for column in zip(*found, strict=True))


if __name__ == "__main__":
    sys.exit(main())
