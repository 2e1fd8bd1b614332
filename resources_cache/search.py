"""Ranked search over everything on the shelf."""

from __future__ import annotations

import json
from typing import Any

from resources_cache.browse import conditions
from resources_cache.cards import Filters, Hit, SearchPage
from resources_cache.database import Store
from resources_cache.records import written
from resources_cache.text import Query, parse, snippet

__all__ = ["WEIGHTS", "Filters", "Hit", "SearchPage", "search"]

WEIGHTS = "4.0, 2.0, 1.0"
"""bm25 weights of title, summary and body: what a text is called says more than what it mentions."""


def search(store: Store, text: str, filters: Filters, limit: int, offset: int) -> SearchPage:
    """See ``Library.search``."""
    wanted = parse(text)
    if wanted.empty:
        return SearchPage(0, [])
    where, values = conditions(filters, "o")
    narrowed = f" AND r.owner_rid IN (SELECT o.rid FROM records o WHERE 1{where})" if where else ""
    # Texts and messages count for the record they are shown in; min() also picks the row it came from.
    sql = (
        "WITH found AS MATERIALIZED"
        f" (SELECT rowid AS rid, bm25(search, {WEIGHTS}) AS score FROM search WHERE search MATCH ?),"
        " folded AS (SELECT r.owner_rid AS owner, min(f.score) AS best, f.rid AS rid"
        f" FROM found f JOIN records r ON r.rid = f.rid WHERE r.owner_rid IS NOT NULL{narrowed}"
        " GROUP BY r.owner_rid)"
        " SELECT owner, best, rid, count(*) OVER () AS total FROM folded"
        " ORDER BY best, owner DESC LIMIT ? OFFSET ?"
    )
    with store.reading():
        rows = store.rows_at_once(
            "owner, best, rid, total", sql, [wanted.expression(), *values, max(1, limit), max(0, offset)]
        )
        if not rows:
            total = 0
            if offset > 0:
                total = search(store, text, filters, 1, 0).total
            return SearchPage(total, [])
        total = int(rows[0][3])
        if limit <= 0:
            return SearchPage(total, [])
        bodies = _bodies(store, {rid for row in rows for rid in (row[0], row[2])})
    return SearchPage(total, [_hit(bodies[owner], bodies[rid], best, wanted) for owner, best, rid, _ in rows])


def _bodies(store: Store, rids: set[int]) -> dict[int, dict[str, Any]]:
    rows = store.rows_at_once(
        "rid, body", f"SELECT rid, body FROM bodies WHERE rid IN ({','.join('?' * len(rids))})", list(rids)
    )
    return {rid: json.loads(body) for rid, body in rows}


def _hit(owner: dict[str, Any], found: dict[str, Any], best: float, wanted: Query) -> Hit:
    title, _summary, _body = written(owner)
    year = owner.get("year")
    lang = owner.get("lang")
    return Hit(
        id=owner["id"],
        kind=owner["type"],
        title=title.split("\n", 1)[0],
        snippet=_snippet(found, wanted),
        score=round(-best, 8),
        lang=lang if isinstance(lang, str) else "",
        year=year if isinstance(year, int) else None,
    )


def _snippet(record: dict[str, Any], wanted: Query) -> str:
    """From the field with the most of the words; body and summary before the title, which is shown anyway."""
    title, summary, body = written(record)
    best, most = "", -1
    for field in (summary, body, title):
        if field:
            shown, matches = snippet(field, wanted)
            if matches > most:
                best, most = shown, matches
    return best
