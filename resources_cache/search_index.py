"""Writing the search index, in one place. Every function runs in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence

from resources_cache import bodies
from resources_cache.database import Store
from resources_cache.records import COLUMNS, Indexed, indexed
from resources_cache.text import Group

_AT_ONCE = 500  # values in one statement
_ADD = f"INSERT INTO search(rowid, {', '.join(COLUMNS)}) VALUES (?{', ?' * len(COLUMNS)})"


def add(store: Store, rows: Sequence[tuple[int, Indexed]]) -> None:
    """Index these records by rid; none of them is in the index."""
    if not rows:
        return
    store.executemany(_ADD, [(rid, *found.columns) for rid, found in rows])
    store.executemany("INSERT INTO indexed VALUES (?, ?)", [(rid, found.digest) for rid, found in rows])
    known = languages(store)
    met = known.union(*(found.languages for _, found in rows))
    if met != known:
        store.execute("INSERT OR REPLACE INTO meta VALUES ('languages', ?)", (json.dumps(sorted(met)),))


def remove(store: Store, rids: Sequence[int]) -> None:
    """Take these rows, which are in the index, out of it."""
    if rids:
        store.executemany("DELETE FROM search WHERE rowid=?", [(rid,) for rid in rids])
        store.executemany("DELETE FROM indexed WHERE rid=?", [(rid,) for rid in rids])


def rebuild(store: Store) -> None:
    """Build the index anew from the stored records."""
    store.execute("INSERT INTO search(search) VALUES ('delete-all')")
    store.execute("DELETE FROM indexed")
    store.execute("DELETE FROM meta WHERE key='languages'")
    last = -1
    while batch := store.rows("SELECT rid, body FROM bodies WHERE rid > ? ORDER BY rid LIMIT 500", (last,)):
        last = batch[-1][0]
        rows = [(rid, indexed(bodies.load(store, body))) for rid, body in batch]
        add(store, [(rid, found) for rid, found in rows if found])


def languages(store: Store) -> frozenset[str]:
    """The languages that the index was prepared in; one of which all is gone may still be among them."""
    found = store.value("SELECT value FROM meta WHERE key='languages'")
    return frozenset(json.loads(found)) if found else frozenset()


def holds(store: Store, group: Group) -> bool:
    """Whether the index has anything of what a group means."""
    return store.value("SELECT 1 FROM search WHERE search MATCH ? LIMIT 1", (group.expression(),)) is not None


def documents(store: Store, words: Sequence[str]) -> dict[str, int]:
    """In how many records each of these index words is, of those that are in any."""
    found: dict[str, int] = {}
    for at in range(0, len(words), _AT_ONCE):
        some = words[at : at + _AT_ONCE]
        marks = ",".join("?" * len(some))
        found.update(store.rows(f"SELECT term, doc FROM vocabulary WHERE term IN ({marks})", some))
    return found
