"""Ranked search over everything on the shelf."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from resources_cache import works
from resources_cache.bodies import load, readable
from resources_cache.browse import conditions
from resources_cache.cards import Filters, Hit, SearchPage
from resources_cache.counting import Counting
from resources_cache.database import Store
from resources_cache.editions import LESS, Folding, Found
from resources_cache.passages import passage
from resources_cache.ranking import CANDIDATES, READ, WEIGHTS, Candidate, Ranker, within_reach
from resources_cache.records import SEARCHED_SQL, parts
from resources_cache.search_index import documents, holds, languages
from resources_cache.text import Group, Query, parse, text_language
from resources_cache.text.folding import WORD
from resources_cache.text.snippets import Marker
from resources_cache.text.spelling import mended, spelt
from resources_cache.widening import found_by, widened

__all__ = ["Filters", "Hit", "SearchPage", "search"]

_NO_NAME = re.compile(f"(?>{WORD.pattern})(?!:)")
"""A word that does not name a field of the query."""

_SPELT = 5
"""First answers in which a mended word is looked for as people write it."""


def search(
    store: Store,
    text: str,
    filters: Filters,
    limit: int,
    offset: int,
    as_typed: bool = False,
    reads: Collection[str] = (),
    counting: Counting | None = None,
) -> SearchPage:
    """See ``Library.search``; ``counting``: by filter, too."""
    limit, offset = max(0, limit), max(0, offset)
    with store.reading():
        wanted = parse(text, languages(store))
        if wanted.empty:
            return SearchPage(0, [])
        names = widened(store, text, wanted)
        slips: dict[str, Group] = {}
        if not as_typed:
            # A word of a name is typed well, whether or not any text has it; those beside it may not be.
            meant, slips = mended(
                wanted, lambda one: one.written in names.words or holds(store, one), partial(documents, store)
            )
            if slips:
                said = _with(text, {typed: group.written for typed, group in slips.items()})
                names = widened(store, said, meant)
        wanted, also = names.direct, names.also
        shown, folding = offset + limit, Folding(store, reads)
        asked = partial(_candidates, store, names.ranking, filters, folded=folding.needed)
        total, found = folding.best(asked, shown, max(CANDIDATES, shown))
        bodies = _Bodies(store)
        found = _ranked(found, wanted, bodies, shown)
        more: list[Found] = []
        if also is not None:
            total, more = _widened(store, wanted, also, filters, bodies, folding, total, found, shown)
        direct = found[offset:shown]
        more = more[max(0, offset - len(found)) :][: limit - len(direct)]
        bodies.load([rid for owner, _score, row in [*direct, *more] for rid in (owner, row)])
        facets = counting.facets(_either(wanted, also), filters) if counting else {}
        others = works.editions(store, [owner for owner, _score, _row in [*direct, *more]])
    marker = Marker(wanted)
    hits = [_hit(bodies[owner], bodies[row], score, wanted, marker) for owner, score, row in direct]
    if also is not None:
        marker = Marker(also)
        hits += [_hit(bodies[owner], bodies[row], score, also, marker, also.groups) for owner, score, row in more]
    for at, (owner, _score, _row) in enumerate([*direct, *more]):
        if owner in others:
            hits[at] = replace(hits[at], editions=tuple(others[owner]))
    return SearchPage(total, hits, _instead(text, slips, hits), facets)


def understood(store: Store, text: str) -> Query:
    """See ``Library.understood``."""
    return parse(text, languages(store))


def _instead(text: str, slips: Mapping[str, Group], hits: Sequence[Hit]) -> str:
    """The query with what was meant, spelt as the first answers spell it; "" where it stays as it is."""
    if not slips:
        return ""
    shown = [(f"{hit.title} {hit.snippet}", hit.lang) for hit in hits[:_SPELT]]
    meant = {typed: spelt(typed, group, shown) for typed, group in slips.items()}
    return _with(text, meant)


def _with(text: str, meant: Mapping[str, str]) -> str:
    return _NO_NAME.sub(lambda match: meant.get(match.group(), match.group()), text)


def _widened(
    store: Store,
    wanted: Query,
    also: Query,
    filters: Filters,
    bodies: _Bodies,
    folding: Folding,
    total: int,
    found: Sequence[Found],
    shown: int,
) -> tuple[int, list[Found]]:
    """How many answers there are with those of ``also``, and these, in their order, where ``shown`` reaches them.

    ``found``: the direct ones, all ``total`` of them where there are fewer than ``shown``.
    """
    both, _ = _candidates(store, _either(wanted, also), filters, 1, folded=folding.needed)
    if both == total or total >= shown:
        return both, []
    asked = partial(_candidates, store, also, filters, folded=folding.needed)
    _, more = folding.best(asked, shown - total, total + max(CANDIDATES, shown - total), besides=found)
    more = _ranked(more, also, bodies, shown - total)
    # Scores of two queries say nothing of each other: the best of these stays below the least direct one.
    least = min((score for _owner, score, _row in found), default=None)
    if least is not None and more and more[0][1] > 0:
        share = min(1.0, 0.99 * least / more[0][1])
        more = [(owner, score * share, row) for owner, score, row in more]
    return both, more


def _either(wanted: Query, also: Query | None) -> Query:
    return wanted if also is None else replace(also, groups=wanted.groups + also.groups)


def _candidates(
    store: Store, wanted: Query, filters: Filters, most: int, *, folded: bool
) -> tuple[int, list[Found]]:
    """How many answers there are, each work counted once where ``folded``, and the best ``most`` rows by bm25."""
    where, values = _narrowed(wanted, filters)
    expression = wanted.expression()
    if expression:
        # Texts and messages count for the record they are shown in; min() also picks the row it came from.
        narrowed = f" AND r.owner_rid IN (SELECT o.rid FROM records o WHERE 1{where})" if where else ""
        values = [expression, *values]
        sql = (
            f"WITH found AS MATERIALIZED"
            f" (SELECT rowid AS rid, bm25(search, {WEIGHTS}) AS score FROM search WHERE search MATCH ?),"
            " folded AS (SELECT r.owner_rid AS owner, min(f.score) AS best, f.rid AS rid"
            f" FROM found f JOIN records r ON r.rid = f.rid WHERE r.owner_rid IS NOT NULL{narrowed}"
            " GROUP BY r.owner_rid)"
        )
    else:
        sql = (
            "WITH folded AS (SELECT o.rid AS owner, 0.0 AS best, o.rid AS rid FROM records o"
            f" WHERE o.type IN ({SEARCHED_SQL}){where})"
        )
    total = f"count(*) OVER (){LESS if folded else ''}"
    sql += f" SELECT owner, best, rid, {total} AS total FROM folded ORDER BY best, owner DESC LIMIT ?"
    rows = store.rows_at_once("owner, best, rid, total", sql, [*values, most])
    return (int(rows[0][3]) if rows else 0), [(owner, -best, rid) for owner, best, rid, _ in rows]


def _narrowed(wanted: Query, filters: Filters) -> tuple[str, list[Any]]:
    """Conditions of the filters and of the query itself over ``records AS o``."""
    where, values = conditions(filters, "o")
    if wanted.country:
        where += " AND o.rid IN (SELECT rid FROM links WHERE facet = 'country' AND value = ?)"
        values.append(wanted.country)
    if wanted.years:
        where += " AND o.year BETWEEN ? AND ?"
        values += wanted.years
    return where, values


def _ranked(found: Sequence[Found], wanted: Query, bodies: _Bodies, shown: int) -> list[Found]:
    """The best ``CANDIDATES`` by their full score, the rest after them as they are; ties as they were."""
    close = within_reach([score for _owner, score, _row in found[:CANDIDATES]], shown)
    if not wanted.expression() or not close:
        return list(found)
    bodies.load([rid for owner, _score, row in found[:close] for rid in (owner, row)])
    ranker = Ranker(wanted, datetime.now(UTC).year)
    scored = [
        (owner, ranker.score(_candidate(score, bodies[owner], bodies[row])), row)
        for owner, score, row in found[:close]
    ]
    return sorted(scored, key=lambda one: -one[1]) + list(found[close:])


def _candidate(bm25: float, owner: Mapping[str, Any], row: Mapping[str, Any]) -> Candidate:
    title = _title(owner)
    text, lang = title, ""
    for column, part, tag in parts(row):
        if len(text) > READ:
            break
        lang = lang or tag
        if column != "title" or part != title:
            text = f"{text}\n{part}"
    year = owner.get("year")
    return Candidate(
        bm25,
        title,
        text,
        text_language(lang, text),
        year if isinstance(year, int) else None,
        bool(owner.get("collections")),
    )


class _Bodies:
    """Wire records by rid, read once each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[int, dict[str, Any]] = {}

    def __getitem__(self, rid: int) -> dict[str, Any]:
        return self._found[rid]

    def load(self, rids: Sequence[int]) -> None:
        """Read those of these that are not here yet."""
        missing = [rid for rid in dict.fromkeys(rids) if rid not in self._found]
        if missing:
            rows = self._store.rows_at_once(
                f"rid, {readable('body')}",
                f"SELECT rid, body FROM bodies WHERE rid IN ({','.join('?' * len(missing))})",
                missing,
            )
            self._found |= {rid: load(self._store, body) for rid, body in rows}


def _title(owner: Mapping[str, Any]) -> str:
    return next((text for column, text, _ in parts(owner) if column == "title"), "")


def _hit(
    owner: dict[str, Any],
    found: dict[str, Any],
    score: float,
    wanted: Query,
    marker: Marker,
    names: Sequence[Group] = (),
) -> Hit:
    """``names``: by which of these it was found is to be said."""
    year, lang = owner.get("year"), owner.get("lang")
    return Hit(
        id=owner["id"],
        kind=owner["type"],
        title=_title(owner),
        snippet=passage(found, wanted, marker),
        score=round(score, 8),
        lang=lang if isinstance(lang, str) else "",
        year=year if isinstance(year, int) else None,
        by=found_by(found, names),
    )
