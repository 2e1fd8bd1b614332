"""Writing the search index, in one place. Every function that writes runs in the caller's transaction.

Two FTS5 tables without content and one of neighbours, a row under its rid (docs/adr/0013-search-index.md):

    search   everything but text editions, with places: phrases, columns
    texts    everything, each word once behind what says how much it weighs (resources_cache/text/impact.py)
    pairs    which words of a text edition are neighbours (resources_cache/text/pairs.py)

Titles by the beginnings of their words, which are searched too, are kept by resources_cache/suggestions.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from resources_cache import bodies, labels
from resources_cache.database import Store
from resources_cache.records import COLUMNS, Indexed, curated, indexed
from resources_cache.text.impact import USUAL, weighed, weighed_card
from resources_cache.text.pairs import signature

TABLES = ("search", "texts")

_OPTIONS = "content='', contentless_delete=1, tokenize='ascii'"
COLUMNS_OF = {"search": COLUMNS, "texts": ("words",)}
_DETAIL = {"search": "", "texts": ", detail=none"}
_ADD = {
    table: f"INSERT INTO {table}(rowid, {', '.join(names)}) VALUES (?{', ?' * len(names)})"
    for table, names in COLUMNS_OF.items()
}
_BODY = COLUMNS.index("body")
_AT_ONCE = 500  # values in one statement
_LOOKS = (16, 256)  # texts after which what is usual is looked at again
_SETTLED = _LOOKS[-1]
_LENGTH = {"texts": "usual_words", "others": "usual_other_words"}  # where what is usual of a kind is kept
_NEAR = 1.25  # times; what is nearer than that stays
_IN_MEMORY = 8 << 20  # bytes gathered before they are written: a segment's words go to disk once


def create(store: Store) -> None:
    """Make the empty tables of the index, and the views of their words (``…_words``: term, doc)."""
    for table, names in COLUMNS_OF.items():
        store.execute(f"CREATE VIRTUAL TABLE {table} USING fts5({', '.join(names)}, {_OPTIONS}{_DETAIL[table]})")
        store.execute(f"INSERT INTO {table}({table}, rank) VALUES ('hashsize', {_IN_MEMORY})")
        store.execute(f"CREATE VIRTUAL TABLE {table}_words USING fts5vocab({table}, 'row')")
    store.execute("CREATE TABLE pairs (rid INTEGER PRIMARY KEY, bits BLOB NOT NULL)")


class Usual(NamedTuple):
    """Words of a record of usual length on a shelf: what BM25 measures the others against."""

    texts: int = USUAL
    others: int = USUAL


def kept(found: Indexed, usual: Usual) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The tables that hold a record, each with its columns there. ``usual``: that of the shelf."""
    if found.long:
        yield "texts", (weighed(found.columns[_BODY], usual.texts),)
    else:
        yield "search", found.columns
        yield "texts", (weighed_card(found.columns, usual.others),)


def usual(store: Store) -> Usual:
    """By the first text editions that came, and the first others. It is settled by ``_SETTLED`` of a kind and then
    stays, since all that is indexed hangs on it."""
    return Usual(*(_settled(store, kind)[2] for kind in _LENGTH))


def _settled(store: Store, kind: str) -> tuple[int, int, int]:
    """Records of a kind that had their say, how many words they had together, and what is usual by that."""
    told = store.value("SELECT value FROM meta WHERE key=?", (f"{kind}_seen",))
    length = store.value("SELECT value FROM meta WHERE key=?", (_LENGTH[kind],))
    seen, words = json.loads(told) if told else (0, 0)
    return seen, words, USUAL if length is None else int(length)


def neighbours(found: Indexed) -> bytes:
    """What ``pairs`` holds of a record; nothing for what ``search`` holds."""
    return signature(found.columns[_BODY]) if found.long else b""


def add(store: Store, rows: Sequence[tuple[int, Indexed]]) -> None:
    """Index these records by rid; none of them is in the index."""
    if not rows:
        return
    for kind in _LENGTH:
        _learn(store, kind, [found for _rid, found in rows if found.long == (kind == "texts")])
    _add(store, rows)


def _learn(store: Store, kind: str, records: Sequence[Indexed]) -> None:
    """Let these records of a kind have their say in what is usual; the few that are here already are indexed by
    it."""
    seen, words, before = _settled(store, kind)
    if not records or seen >= _SETTLED:
        return
    now = seen + len(records)
    words += sum(column.count(" ") + 1 for found in records for column in found.columns if column)
    mean = max(1, round(words / now))
    anew = not seen or (any(seen < step <= now for step in _LOOKS) and not before / _NEAR < mean < before * _NEAR)
    store.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"{kind}_seen", json.dumps([now, words])))
    if anew:
        store.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_LENGTH[kind], str(mean)))
        others = "" if kind == "others" else "NOT "
        sql = f"SELECT id FROM texts_docsize WHERE id {others}IN (SELECT id FROM search_docsize)"
        here = [rid for (rid,) in store.rows(sql)]
        ready = _indexed_now(store, here)
        remove(store, here)
        _add(store, ready)


def _add(store: Store, rows: Sequence[tuple[int, Indexed]]) -> None:
    for table, some in _by_table(rows, usual(store)).items():
        store.executemany(_ADD[table], some)
    store.executemany(
        "INSERT INTO pairs VALUES (?, ?)", [(rid, bits) for rid, found in rows if (bits := neighbours(found))]
    )
    store.executemany("INSERT INTO indexed VALUES (?, ?)", [(rid, found.digest) for rid, found in rows])
    known = languages(store)
    met = known.union(*(found.languages for _, found in rows))
    if met != known:
        store.execute("INSERT OR REPLACE INTO meta VALUES ('languages', ?)", (json.dumps(sorted(met)),))


def remove(store: Store, rids: Sequence[int]) -> None:
    """Take these rows, which are in the index, out of it."""
    if rids:
        for table in (*TABLES, "pairs"):
            store.executemany(f"DELETE FROM {table} WHERE rowid=?", [(rid,) for rid in rids])
        store.executemany("DELETE FROM indexed WHERE rid=?", [(rid,) for rid in rids])


def clear(store: Store) -> None:
    """Empty the index."""
    for table in TABLES:
        store.execute(f"INSERT INTO {table}({table}) VALUES ('delete-all')")
    store.execute("DELETE FROM pairs")
    store.execute("DELETE FROM indexed")
    store.execute("DELETE FROM meta WHERE key IN ('languages', 'index_below')")
    for kind, length in _LENGTH.items():
        store.execute("DELETE FROM meta WHERE key IN (?, ?)", (f"{kind}_seen", length))


def begin_renewal(store: Store) -> None:
    """Note that every record is to be looked at by ``renew``; until then what is indexed of it answers."""
    store.execute(
        "INSERT OR REPLACE INTO meta SELECT 'index_below', CAST(max(rid) + 1 AS TEXT) FROM bodies HAVING count(*)"
    )


def left(store: Store) -> int:
    """How many records ``renew`` has yet to look at."""
    below = store.value("SELECT value FROM meta WHERE key='index_below'")
    return 0 if below is None else int(store.value("SELECT count(*) FROM records WHERE rid < ?", (int(below),)))


def renew(store: Store, most: int) -> bool:
    """Index the next ``most`` records anew, the newest first. Returns whether these were the last ones.

    Raises: StoreDamaged where a record cannot be read.
    """
    below = store.value("SELECT value FROM meta WHERE key='index_below'")
    if below is None:
        return True
    batch = store.rows("SELECT rid FROM bodies WHERE rid < ? ORDER BY rid DESC LIMIT ?", (int(below), most))
    rids = [rid for (rid,) in batch]
    again(store, rids)
    if len(rids) == most:
        store.execute("UPDATE meta SET value=? WHERE key='index_below'", (str(rids[-1]),))
        return False
    gone = store.rows("SELECT rid FROM indexed WHERE rid NOT IN (SELECT rid FROM bodies)")
    remove(store, [rid for (rid,) in gone])
    store.execute("DELETE FROM meta WHERE key='index_below'")
    return True


def again(store: Store, rids: Sequence[int]) -> None:
    """Index the records in these rows anew, the names of themes and concepts among them; of rows without a record
    nothing stays in the index."""
    remove(store, rids)
    for at in range(0, len(rids), _AT_ONCE):
        some = rids[at : at + _AT_ONCE]
        found = store.rows(f"SELECT rid, body FROM bodies WHERE rid IN ({','.join('?' * len(some))})", some)
        records = [(rid, bodies.load(store, body)) for rid, body in found]
        add(store, [(rid, ready) for rid, record in records if (ready := indexed(record))])
        store.executemany(
            "UPDATE records SET curated = 1 WHERE rid = ?", [(rid,) for rid, record in records if curated(record)]
        )
        named = [(rid, record) for rid, record in records if record.get("type") in labels.NAMING]
        labels.file(store, named, [rid for rid, _record in named])


def rebuild(store: Store) -> None:
    """Build the index anew from the stored records, names of themes and concepts included."""
    clear(store)
    labels.clear(store)
    begin_renewal(store)
    while not renew(store, _AT_ONCE):
        pass


def languages(store: Store) -> frozenset[str]:
    """The languages that the index was prepared in; one of which all is gone may still be among them."""
    found = store.value("SELECT value FROM meta WHERE key='languages'")
    return frozenset(json.loads(found)) if found else frozenset()


def _indexed_now(store: Store, rids: Sequence[int]) -> list[tuple[int, Indexed]]:
    return [(rid, found) for rid, record in bodies.many(store, rids).items() if (found := indexed(record))]


def _by_table(rows: Iterable[tuple[int, Indexed]], usual: Usual) -> dict[str, list[tuple[int | str, ...]]]:
    found: dict[str, list[tuple[int | str, ...]]] = {}
    for rid, one in rows:
        for table, columns in kept(one, usual):
            found.setdefault(table, []).append((rid, *columns))
    return found
