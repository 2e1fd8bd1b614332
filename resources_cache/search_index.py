"""Writing the search index, in one place. Every function that writes runs in the caller's transaction.

Two FTS5 tables without content and one of neighbours, a row under its rid (docs/adr/0013-search-index.md):

    search   everything but text editions, with places: bm25, phrases, columns
    texts    text editions, each word once behind a digit for its weight (resources_cache/text/impact.py)
    pairs    which words of a text edition are neighbours (resources_cache/text/pairs.py)

Titles by the beginnings of their words, which are searched too, are kept by resources_cache/suggestions.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from resources_cache import bodies, labels
from resources_cache.database import Store
from resources_cache.records import COLUMNS, Indexed, indexed
from resources_cache.text.impact import USUAL, weighed
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
_NEAR = 1.25  # times; what is nearer than that stays
_IN_MEMORY = 8 << 20  # bytes gathered before they are written: a segment's words go to disk once


def create(store: Store) -> None:
    """Make the empty tables of the index, and the views of their words (``…_words``: term, doc)."""
    for table, names in COLUMNS_OF.items():
        store.execute(f"CREATE VIRTUAL TABLE {table} USING fts5({', '.join(names)}, {_OPTIONS}{_DETAIL[table]})")
        store.execute(f"INSERT INTO {table}({table}, rank) VALUES ('hashsize', {_IN_MEMORY})")
        store.execute(f"CREATE VIRTUAL TABLE {table}_words USING fts5vocab({table}, 'row')")
    store.execute("CREATE TABLE pairs (rid INTEGER PRIMARY KEY, bits BLOB NOT NULL)")


def kept(found: Indexed, usual: int) -> tuple[str, tuple[str, ...]]:
    """The table that holds a record, and its columns there. ``usual``: that of the shelf."""
    return ("texts", (weighed(found.columns[_BODY], usual),)) if found.long else ("search", found.columns)


def usual(store: Store) -> int:
    """Words of a text edition of usual length on this shelf, by the first ones that came: what BM25 measures the
    others against. It is settled by ``_SETTLED`` texts and then stays, since all that is indexed hangs on it."""
    found = store.value("SELECT value FROM meta WHERE key='usual_words'")
    return USUAL if found is None else int(found)


def neighbours(found: Indexed) -> bytes:
    """What ``pairs`` holds of a record; nothing for what ``search`` holds."""
    return signature(found.columns[_BODY]) if found.long else b""


def add(store: Store, rows: Sequence[tuple[int, Indexed]]) -> None:
    """Index these records by rid; none of them is in the index."""
    if not rows:
        return
    _learn(store, [found for _rid, found in rows if found.long])
    _add(store, rows)


def _learn(store: Store, texts: Sequence[Indexed]) -> None:
    """Let these texts have their say in what is usual; the few that are here already are indexed by it."""
    seen, words = json.loads(store.value("SELECT value FROM meta WHERE key='texts_seen'") or "[0, 0]")
    if not texts or seen >= _SETTLED:
        return
    now = seen + len(texts)
    words += sum(found.columns[_BODY].count(" ") + 1 for found in texts)
    store.execute("INSERT OR REPLACE INTO meta VALUES ('texts_seen', ?)", (json.dumps([now, words]),))
    mean, before = max(1, round(words / now)), usual(store)
    if not seen or (any(seen < step <= now for step in _LOOKS) and not before / _NEAR < mean < before * _NEAR):
        store.execute("INSERT OR REPLACE INTO meta VALUES ('usual_words', ?)", (str(mean),))
        here = [rid for (rid,) in store.rows("SELECT id FROM texts_docsize")]
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
    store.execute("DELETE FROM meta WHERE key IN ('languages', 'index_below', 'texts_seen', 'usual_words')")


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


def _by_table(rows: Iterable[tuple[int, Indexed]], usual: int) -> dict[str, list[tuple[int | str, ...]]]:
    found: dict[str, list[tuple[int | str, ...]]] = {}
    for rid, one in rows:
        table, columns = kept(one, usual)
        found.setdefault(table, []).append((rid, *columns))
    return found
