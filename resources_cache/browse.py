"""Lists of the shelf: pages of cards, counts for filters, discussions, what is new. Reads only."""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import pairwise
from typing import Any

from resources_cache import bodies
from resources_cache.cards import Card, Filters, Page, Record
from resources_cache.database import Row, Store
from resources_cache.records import SEARCHED, card

COLUMN_FACETS = {
    "kind": "type",
    "lang": "lang",
    "type": "resource_type",
    "year": "year",
    "policy_cycle": "policy_cycle",
}
LINK_FACETS = ("theme", "country")

_ORDERS = {
    "newest": "r.updated DESC, r.id DESC",
    "title": "r.sort_title, r.id",
    "year": "r.year DESC, r.sort_title, r.id",
}


_AMONG = "SELECT {} FROM records WHERE rid IN (SELECT value FROM json_each(?))"


def conditions(filters: Filters, alias: str) -> tuple[str, list[Any]]:
    """The filters as SQL over ``records AS alias``: (" AND …" or "", parameters)."""
    parts: list[str] = []
    values: list[Any] = []
    for column, wanted in (
        ("lang", filters.lang),
        ("year", filters.year),
        ("type", filters.kind),
        ("policy_cycle", filters.policy_cycle),
    ):
        if wanted not in (None, ""):
            parts.append(f"{alias}.{column} = ?")
            values.append(wanted)
    if filters.type:
        parts.append(f"({alias}.resource_type = ? OR {alias}.type = ?)")
        values += [filters.type, filters.type]
    if filters.since:
        parts.append(f"{alias}.updated > ?")
        values.append(filters.since)
    for facet in LINK_FACETS:
        wanted = getattr(filters, facet)
        if wanted:
            parts.append(f"{alias}.rid IN (SELECT rid FROM links WHERE facet = ? AND value = ?)")
            values += [facet, wanted]
    return "".join(f" AND {part}" for part in parts), values


def browse(store: Store, types: Sequence[str], filters: Filters, sort: str, offset: int, limit: int) -> Page:
    """See ``Library.browse``."""
    if sort not in _ORDERS:
        raise ValueError(f"sort must be one of {', '.join(_ORDERS)}, not {sort!r}")
    if not types:
        return Page(0, [])
    where, values = conditions(filters, "r")
    where = f"r.type IN ({','.join('?' * len(types))}){where}"
    values = [*types, *values]
    with store.reading():
        total = int(store.value(f"SELECT count(*) FROM records r WHERE {where}", values))
        rows = store.rows_at_once(
            "rid",
            f"SELECT r.rid FROM records r WHERE {where} ORDER BY {_ORDERS[sort]} LIMIT ? OFFSET ?",
            [*values, max(0, limit), max(0, offset)],
        )
        return Page(total, cards(store, [rid for (rid,) in rows]))


def order(store: Store, types: Sequence[str], filters: Filters, sort: str) -> array[int]:
    """See ``Library.order``."""
    if sort not in _ORDERS:
        raise ValueError(f"sort must be one of {', '.join(_ORDERS)}, not {sort!r}")
    if not types:
        return array("I")
    where, values = conditions(filters, "r")
    found = store.value(
        "SELECT group_concat(printf('%08x', rid), '') FROM (SELECT r.rid FROM records r"
        f" WHERE r.type IN ({','.join('?' * len(types))}){where} ORDER BY {_ORDERS[sort]})",
        [*types, *values],
    )
    # Digits of which each eight are a number: Python's lock is held for one millisecond, not for ten.
    rows = array("I", bytes.fromhex(found or ""))
    if sys.byteorder == "little":
        rows.byteswap()
    return rows


def cards_at(store: Store, rids: Sequence[int]) -> dict[int, Card]:
    """See ``Library.cards_at``."""
    if not rids:
        return {}
    with store.reading():
        return _cards_by_row(store, rids)


def ids_at(store: Store, rids: Sequence[int]) -> list[str]:
    """See ``Library.ids_at``."""
    rows = store.rows_at_once("rid, id", _AMONG.format("rid, id"), (json.dumps(list(rids)),))
    named: dict[int, str] = {rid: str(id_) for rid, id_ in rows}
    return [named[rid] for rid in rids if rid in named]


def threads(store: Store, theme: str | None, activity: str | None, offset: int, limit: int) -> Page:
    """See ``Library.threads``."""
    where, values = conditions(Filters(kind="thread", theme=theme), "r")
    if activity:
        where += " AND r.activity = ?"
        values.append(activity)
    with store.reading():
        total = int(store.value(f"SELECT count(*) FROM records r WHERE 1{where}", values))
        rows = store.rows_at_once(
            "rid",
            f"SELECT r.rid FROM records r WHERE 1{where} ORDER BY r.updated DESC, r.id DESC LIMIT ? OFFSET ?",
            [*values, max(0, limit), max(0, offset)],
        )
        return Page(total, cards(store, [rid for (rid,) in rows]))


def latest(store: Store, types: Sequence[str], since: str, limit: int) -> list[Card]:
    """See ``Library.latest``."""
    if not types:
        return []
    with store.reading():
        rows = store.rows_at_once(
            "rid",
            f"SELECT rid FROM records WHERE type IN ({','.join('?' * len(types))}) AND updated > ?"
            " ORDER BY updated DESC, id DESC LIMIT ?",
            [*types, since, max(0, limit)],
        )
        return cards(store, [rid for (rid,) in rows])


def changed_between(store: Store, types: Sequence[str], moments: Sequence[str]) -> list[int]:
    """See ``Library.changed_between``."""
    kinds = ",".join("?" * len(types))
    sql = f"SELECT count(*) FROM records WHERE type IN ({kinds}) AND updated > ? AND updated <= ?"
    with store.reading():
        return [int(store.value(sql, [*types, *between])) for between in pairwise(moments)]


def newest_change(store: Store) -> str:
    """See ``Library.newest_change``."""
    each = [store.value("SELECT max(updated) FROM records WHERE type = ?", (kind,)) for kind in SEARCHED]
    return max(filter(None, each), default="")


def newest(store: Store, streams: Sequence[str]) -> Iterator[Record]:
    """See ``Library.newest``. Each stream is walked down its own part of an index, and only as far as needed."""
    # A copy that waits while another stream shows the record belongs to its stream all the same.
    walks = [
        store.each(f"SELECT id, body FROM {source} WHERE stream=? ORDER BY id DESC", (stream,))
        for stream in dict.fromkeys(streams)
        for source in ("records JOIN bodies USING (rid)", "displaced")
    ]
    try:
        # Code points order as their UTF-8 does, so Python merges in the order in which SQLite walks.
        for _id, body in merge(*walks, reverse=True):
            yield bodies.load(store, body)
    finally:
        for walk in walks:
            walk.close()


def facets(store: Store, filters: Filters, types: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    """See ``Library.facets``. Each facet is counted with its own filter left open, so that a person can switch."""
    counts: list[str] = []
    values: list[Any] = []
    for name in (*COLUMN_FACETS, *LINK_FACETS):
        where, wanted = _scope(filters.without(name), SEARCHED if name == "kind" else types)
        if name in LINK_FACETS:
            value, source, where = (
                "l.value",
                "links l JOIN records r USING (rid)",
                f"l.facet = '{name}' AND {where}",
            )
        else:
            value, source = f"r.{COLUMN_FACETS[name]}", "records r"
        counts.append(
            f"SELECT '{name}' AS facet, {value} AS v, count(*) AS n FROM {source} WHERE {where} GROUP BY v"
        )
        values += wanted
    found: dict[str, list[Row]] = {name: [] for name in (*COLUMN_FACETS, *LINK_FACETS)}
    for name, *pair in store.rows_at_once("facet, v, n", " UNION ALL ".join(counts), values):
        found[name].append(tuple(pair))
    return {name: ordered(name, rows) for name, rows in found.items()}


def cards(store: Store, rids: Sequence[int]) -> list[Card]:
    """The cards of these rows, in this order."""
    found = _cards_by_row(store, rids) if rids else {}
    return [found[rid] for rid in rids if rid in found]


def _cards_by_row(store: Store, rids: Sequence[int]) -> dict[int, Card]:
    rows: dict[int, Row] = {
        row[0]: row
        for row in store.rows_at_once(
            "rid, has_text, messages",
            "SELECT r.rid,"
            " EXISTS (SELECT 1 FROM records c WHERE c.owner = r.id AND c.owner <> '' AND c.type = 'text')"
            " AS has_text,"
            " CASE r.type WHEN 'thread' THEN"
            " (SELECT count(*) FROM records c WHERE c.owner = r.id AND c.owner <> '' AND c.type = 'message')"
            " ELSE 0 END AS messages"
            f" FROM records r WHERE r.rid IN ({','.join('?' * len(rids))})",
            rids,
        )
    }
    records = bodies.many(store, rids)
    return {
        rid: card(records[rid], has_text=bool(rows[rid][1]), messages=int(rows[rid][2]))
        for rid in rids
        if rid in rows and rid in records
    }


def _scope(filters: Filters, types: Sequence[str]) -> tuple[str, list[Any]]:
    where, values = conditions(filters, "r")
    if filters.kind:
        return f"1{where}", values
    return f"r.type IN ({','.join('?' * len(types))}){where}", [*types, *values]


def ordered(name: str, rows: Sequence[Row]) -> list[tuple[str, int]]:
    """(value, count) of a facet in the order of ``Library.facets``; what has no value is left out."""
    pairs = [(str(value), int(count)) for value, count in rows if value not in (None, "")]
    if name == "year":
        return sorted(pairs, key=lambda pair: int(pair[0]), reverse=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
