"""Search on collections that others made, with their judgements, and the speed that an old PC leaves room for."""

from __future__ import annotations

import json
import math
import random
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from resources_cache.cards import Cursor, Filters
from resources_cache.library import Library

pytestmark = pytest.mark.real_input


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def ndcg(library: Library, folder: Path, most: int) -> float:
    """Mean nDCG at 10 (Järvelin and Kekäläinen, TOIS 20(4), 2002) over the first ``most`` judged queries."""
    judged: dict[str, dict[str, float]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        fields = line.split("\t")
        if float(fields[-1]) > 0:
            judged.setdefault(fields[0], {})[fields[-2]] = float(fields[-1])
    scores = []
    for query in [q for q in lines(folder / "queries.jsonl") if q["_id"] in judged][:most]:
        gains = judged[query["_id"]]
        hits = library.search(query["text"], limit=10).results
        got = sum(gains.get(hit.id, 0) / math.log2(n + 2) for n, hit in enumerate(hits))
        best = sum(g / math.log2(n + 2) for n, g in enumerate(sorted(gains.values(), reverse=True)[:10]))
        scores.append(got / best)
    return sum(scores) / len(scores)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("cisi", 0.405), ("cranfield", 0.547), ("xquad/en", 0.982), ("xquad/es", 0.965), ("xquad/ar", 0.949),
        ("xquad/hi", 0.961), ("xquad/th", 0.972), ("xquad/zh", 0.972),
    ],
)  # fmt: skip
def test_what_is_relevant_comes_first(tmp_path: Path, shared_data: Path, name: str, least: float) -> None:
    """Records that do not say their language: what is asked of them here includes the guess."""
    folder = shared_data / "search" / name
    records = [
        {"id": d["_id"], "type": "resource", "title": d["title"], "summary": d["text"]}
        for d in lines(folder / "corpus.jsonl")
    ]
    with Library(tmp_path / "library.db") as library:
        library.apply("s", records, Cursor(1, 1))
        assert ndcg(library, folder, 200) >= least
        assert [c for c in library.check() if not c.ok] == []


def abstracts(shared_data: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted((shared_data / "records" / "eric").glob("*.json")):
        found += json.loads(path.read_text(encoding="utf-8"))["response"]["docs"]
    return found


@pytest.mark.slow
def test_ten_thousand_records_are_stored_and_searched_fast(tmp_path: Path, shared_data: Path) -> None:
    """In processor time, so that what else runs on the machine makes no difference."""
    docs, rng, count = abstracts(shared_data), random.Random(5), 10_000
    cards = [
        {"id": f"r{n}", "type": "resource", "title": docs[n % len(docs)]["title"],
         "lang": rng.choice(["en", "fr"]),
         "summary": docs[n % len(docs)].get("description", ""), "year": 1990 + n % 35, "countries": ["KE", "TG"],
         "themes": [f"t{n % 40}", f"t{n % 7}"], "resource_type": "report", "updated": f"2026-01-{1 + n % 28:02}"}
        for n in range(count)
    ]  # fmt: skip
    bodies = [d.get("description", "") for d in docs]
    texts = [
        {"id": f"x{n}", "type": "text", "resource": f"r{n}", "body": "\n".join(rng.choices(bodies, k=3))}
        for n in range(count)
    ]
    questions = [
        " ".join(rng.sample(body.split(), 2)) for body in rng.choices(bodies, k=100) if len(body.split()) > 2
    ]
    with Library(tmp_path / "library.db") as library:
        assert rate(library, "cards", cards) > 3_000
        assert rate(library, "texts", texts) > 800
        times = sorted(seconds(partial(library.search, q)) for q in questions)
        assert times[len(times) // 2] < 0.020
        assert times[-2] < 0.100
        assert min(seconds(lambda: library.facets(Filters(theme="t3"))) for _ in range(3)) < 0.050
        assert min(seconds(library.facets) for _ in range(3)) < 0.050
        assert min(seconds(lambda: library.browse(sort="title", offset=5000)) for _ in range(3)) < 0.050


def rate(library: Library, stream: str, records: list[dict[str, Any]]) -> float:
    start = time.process_time()
    for at in range(0, len(records), 1000):
        library.apply(stream, records[at : at + 1000], Cursor(1, at))
    return len(records) / (time.process_time() - start)


def seconds(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
