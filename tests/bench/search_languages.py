"""`make bench-search-languages`: what a vocabulary does for searches in another language.

    python -m tests.bench.search_languages [--seed 1]

The UNESCO Thesaurus (../shared/data/vocab) is loaded as the hub loads it. Two measurements, each with and without
the widening of queries, Recall@20:

- **made**: 3,000 records in English, French and Spanish, a thousand each. 50 concepts are drawn; the preferred
  label of each stands in the title or the summary of two records a language, among other labels of that language
  as filling. The queries are the labels, each asked for the records of another language. It shows that labels find
  labels: the texts are not what people write, and what a record is about is known only because it was put there.
- **eric**: the 3,034 English abstracts of ../shared/data/records/eric. 50 concepts are drawn of those whose
  English label stands word for word in 1 to 20 abstracts; these are what the French and the Spanish label have to
  find.

"In that language": the same with the filter set to the language of the records that are to be found.
Besides: what the labels weigh on the wire and on the shelf, and what they cost a query that names nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from rich.console import Console
from rich.table import Table

from hub.skos.reading import read
from resources_cache import search as searching
from resources_cache.cards import Cursor, Filters
from resources_cache.library import Library
from resources_cache.text import parse, prepare
from resources_cache.widening import Widened, widened
from sync.protocol.ppmd import compress
from sync.protocol.wire_json import dump
from tests.bench.sync_corpus import BENCH

SHARED = Path(__file__).parents[3] / "shared" / "data"
THESAURUS = SHARED / "vocab" / "unesco_thesaurus" / "unesco-thesaurus.ttl"
ERIC = SHARED / "records" / "eric"
LANGUAGES = ("en", "fr", "es")
SERVED = ("ar", "en", "es", "fr", "pt", "sw")
KEPT = BENCH / "search-languages.json"
CONCEPTS = 50

Labels = dict[str, list[str]]
Case = tuple[str, set[str]]
"""A query, and the ids that it has to find."""


def concepts() -> dict[str, Labels]:
    """The labels of every concept of the thesaurus by its id, in the languages that a hub serves by itself."""
    found: dict[str, Labels] = {}
    for uri, labels in read(THESAURUS)["concepts"].items():
        found[f"unesco:{uri.rsplit('/', 1)[1]}"] = {k: v for k, v in labels.items() if k in SERVED}
    return found


def vocabulary(of: dict[str, Labels]) -> list[dict[str, Any]]:
    """The records that a hub publishes of it."""
    return [{"id": id_, "type": "concept", "labels": labels} for id_, labels in sorted(of.items())]


def made(of: dict[str, Labels], dice: random.Random) -> tuple[list[dict[str, Any]], dict[str, list[Case]]]:
    """Records, and by direction ("fr → en") the queries with what they have to find."""
    whole = [one for _, one in sorted(of.items()) if all(lang in one for lang in LANGUAGES)]
    chosen = dice.sample(whole, CONCEPTS)
    records: list[dict[str, Any]] = []
    at: dict[tuple[int, str], set[str]] = {}
    for lang in LANGUAGES:
        # Nothing that is asked for stands in the filling, or it would have to be found there too.
        asked = [prepare(one[lang][0], lang) for one in chosen]
        filling = [one[lang][0] for one in whole if one not in chosen]
        filling = [text for text in filling if not any(f" {a} " in f" {prepare(text, lang)} " for a in asked)]
        places = dice.sample(range(1000), 2 * CONCEPTS)
        for n in range(1000):
            title, summary = dice.sample(filling, 3), dice.sample(filling, 12)
            if n in places:
                concept = places.index(n) // 2
                into = title if places.index(n) % 2 else summary
                into.insert(dice.randrange(len(into)), chosen[concept][lang][0])
                at.setdefault((concept, lang), set()).add(f"{lang}-{n}")
            records.append(
                {
                    "id": f"{lang}-{n}", "type": "resource", "lang": lang, "title": ", ".join(title),
                    "summary": ". ".join(summary) + ".",
                }
            )  # fmt: skip
    ways = [(a, b) for a in LANGUAGES for b in LANGUAGES if a != b and "en" in (a, b)]
    cases = {f"{a} → {b}": [(one[a][0] + " ", at[n, b]) for n, one in enumerate(chosen)] for a, b in ways}
    return records, cases


def eric(of: dict[str, Labels], dice: random.Random) -> tuple[list[dict[str, Any]], dict[str, list[Case]]]:
    """The abstracts, and French and Spanish labels with the abstracts that have the English one."""
    records = []
    for file in sorted(ERIC.glob("*.json")):
        for row in json.loads(file.read_text(encoding="utf-8"))["response"]["docs"]:
            records.append(
                {
                    "id": row["id"], "type": "resource", "lang": "en", "title": row["title"],
                    "summary": row.get("description", ""),
                }
            )  # fmt: skip
    texts = {r["id"]: f" {prepare(r['title'] + chr(10) + r['summary'], 'en')} " for r in records}
    fit: list[tuple[Labels, set[str]]] = []
    for _, one in sorted(of.items()):
        if all(lang in one for lang in LANGUAGES):
            label = f" {prepare(one['en'][0], 'en')} "
            having = {id_ for id_, text in texts.items() if label in text}
            if 1 <= len(having) <= 20:
                fit.append((one, having))
    chosen = dice.sample(fit, CONCEPTS)
    return records, {f"{lang} → en": [(one[lang][0] + " ", ids) for one, ids in chosen] for lang in ("fr", "es")}


@contextmanager
def shelf(records: Sequence[dict[str, Any]], labels: Sequence[dict[str, Any]]) -> Iterator[tuple[Library, Path]]:
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "library.db") as library:
        library.apply("public/cards", records, Cursor(1, 1))
        library.apply("public/vocabularies", labels, Cursor(1, 1))
        yield library, library.path


class Measured(NamedTuple):
    """Recall@20 in the mean, the share of answers marked as found by another name, milliseconds in the median."""

    recall: float
    marked: float
    ms: float


def measure(library: Library, cases: Sequence[Case], *, widen: bool = True, lang: str = "") -> Measured:
    """All of these queries, with the filter set to ``lang`` where it is given."""
    plain = mock.patch.object(searching, "widened", lambda _store, _text, wanted: Widened(wanted, wanted, None))
    shares, taken, marked, shown = [], [], 0, 0
    with nullcontext() if widen else plain:
        for query, wanted in cases:
            begun = time.perf_counter()
            hits = library.search(query, Filters(lang=lang or None), limit=20).results
            taken.append((time.perf_counter() - begun) * 1000)
            shares.append(len(wanted & {hit.id for hit in hits}) / len(wanted))
            marked += sum(bool(hit.by) for hit in hits)
            shown += len(hits)
    return Measured(statistics.mean(shares), marked / max(1, shown), statistics.median(taken))


def costs(library: Library, labels: Sequence[dict[str, Any]], dice: random.Random) -> dict[str, float]:
    """Bytes of the labels, and milliseconds that looking for names takes in queries that name nothing."""
    lines = b"".join(dump(one) + b"\n" for one in labels)
    store = library._store
    letters = "bdfgklmnprstvz"
    words = ["".join(dice.choice(letters) + dice.choice("aeiou") for _ in range(4)) for _ in range(400)]
    taken = []
    for count in [1, 2, 3, 4, 5, 8] * 40:
        query = " ".join(dice.sample(words, count))
        wanted = parse(query, ["en", "fr", "es"])
        with store.reading():
            tries = []
            for _ in range(4):  # the first remembers words; the best of the others is not what else was running
                begun = time.perf_counter()
                widened(store, query, wanted)
                tries.append((time.perf_counter() - begun) * 1000)
            taken.append(min(tries[1:]))
    taken.sort()
    return {
        "concepts": len(labels),
        "labels": sum(len(names) for one in labels for names in one["labels"].values()),
        "bytes raw": len(lines),
        "bytes PPMd": sum(
            len(compress(lines[at : at + (4 << 20)], 8, 24)) for at in range(0, len(lines), 4 << 20)
        ),
        "bytes of the prepared names": _names_size(library),
        "ms a query that names nothing, median": round(statistics.median(taken), 3),
        "ms a query that names nothing, p99": round(taken[len(taken) * 99 // 100], 3),
    }


def _names_size(library: Library) -> int:
    """Bytes of the table of prepared names and its indexes: the pages that would be free without it."""
    store = library._store
    store.execute("BEGIN")
    before = int(store.value("PRAGMA freelist_count"))
    store.execute("DELETE FROM labels")
    pages = int(store.value("PRAGMA freelist_count")) - before
    store.execute("ROLLBACK")
    return pages * int(store.value("PRAGMA page_size"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    seed = parser.parse_args().seed
    if not THESAURUS.is_file():
        print(f"The thesaurus is not here ({THESAURUS}): nothing is measured.")
        return 0
    of = concepts()
    labels = vocabulary(of)
    table = Table(title=f"Recall@20, {CONCEPTS} labels each, seed {seed}")
    for column in ("records", "query → records", "without", "with", "in that language", "marked", "ms"):
        table.add_column(column, justify="left" if column.endswith("records") else "right")
    kept: dict[str, Any] = {"seed": seed}
    for name, make in (("made", made), ("eric", eric)):
        records, ways = make(of, random.Random(seed))
        with shelf(records, labels) as (library, _path):
            for way, cases in ways.items():
                found = {
                    "without": measure(library, cases, widen=False),
                    "with": measure(library, cases),
                    "in that language": measure(library, cases, lang=way[-2:]),
                }
                kept.setdefault(name, {})[way] = {what: one._asdict() for what, one in found.items()}
                times = f"{found['without'].ms:.1f} / {found['with'].ms:.1f}"
                recalls = [f"{one.recall:.3f}" for one in found.values()]
                table.add_row(name, way, *recalls, f"{found['with'].marked:.2f}", times)
            if name == "eric":
                kept["costs"] = costs(library, labels, random.Random(seed))
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    for what, value in kept["costs"].items():
        print(f"{what}: {value:,}")
    BENCH.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
