"""Collections: records that a person put together under a name, to read, cite or hand on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from resources_cache import removed
from resources_cache.database import Store
from resources_cache.identity import new_id, utc_now

LONGEST = 200
"""Characters of a name."""


@dataclass(frozen=True)
class Collection:
    """A collection: its id, its name, and how many records are in it."""

    id: str
    title: str
    count: int


@dataclass(frozen=True)
class Collected:
    """A record in a collection: its id, its title at that time, and when it was put there."""

    id: str
    title: str
    created: str


class Collections:
    """The collections of one own.db connection; reached as ``own.collections``. Each method is one transaction.

    Those that write raise DiskFull, StoreBusy, StoreDamaged or StoreUnwritable with nothing changed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def make(self, title: str) -> str:
        """The id of the collection of this name, which is made where there is none. Raises: ValueError for ""."""
        title = " ".join(title.split())[:LONGEST]
        if not title:
            raise ValueError("a collection needs a name")
        with self._store.transaction() as store:
            known = store.value("SELECT id FROM collections WHERE title=?", (title,))
            if known is None:
                known = new_id()
                store.execute("INSERT INTO collections VALUES (?, ?, ?)", (known, title, utc_now()))
        return str(known)

    def all(self) -> list[Collection]:
        """Every collection, by name."""
        rows = self._store.rows(
            "SELECT id, title, (SELECT count(*) FROM collected WHERE collection=c.id) FROM collections c"
            " ORDER BY title COLLATE NOCASE, id"
        )
        return [Collection(*row) for row in rows]

    def put(self, collection: str, records: Iterable[tuple[str, str]]) -> int:
        """Put records, as (id, title), into a collection; returns how many were not in it."""
        with self._store.transaction() as store:
            before = int(store.connection.total_changes)
            store.executemany(
                "INSERT OR IGNORE INTO collected SELECT ?, ?, ?, ? WHERE EXISTS"
                " (SELECT 1 FROM collections WHERE id=?)",
                [(collection, id_, title, utc_now(), collection) for id_, title in records],
            )
            return int(store.connection.total_changes) - before

    def records(self, collection: str) -> list[Collected]:
        """What is in a collection, the last put there first."""
        rows = self._store.rows(
            "SELECT record, title, created FROM collected WHERE collection=? ORDER BY created DESC, record DESC",
            (collection,),
        )
        return [Collected(*row) for row in rows]

    def take_out(self, collection: str, records: Iterable[str]) -> list[Collected]:
        """Take records out of a collection; returns what was taken out, for ``put_back``."""
        wanted = set(records)
        with self._store.transaction() as store:
            gone = [one for one in self.records(collection) if one.id in wanted]
            named = self._named(collection)
            if gone and named:
                body = {"rows": _as_rows(collection, gone), "collection": named}
                removed.keep(store, "collected", f"{collection}\n{gone[0].id}", gone[0].title, body)
            store.executemany(
                "DELETE FROM collected WHERE collection=? AND record=?", [(collection, one.id) for one in gone]
            )
        return gone

    def put_back(self, collection: str, records: Iterable[Collected]) -> None:
        """Put back what was taken out, as it was."""
        rows = _as_rows(collection, records)
        with self._store.transaction() as store:
            store.executemany("INSERT OR IGNORE INTO collected VALUES (?, ?, ?, ?)", rows)
            if rows:
                key = f"{collection}\n{rows[0][1]}"
                removed.settle(store, "collected", key, lambda body: body["rows"] == rows)

    def rename(self, collection: str, title: str) -> None:
        """Give a collection another name. Raises: ValueError for ""."""
        title = " ".join(title.split())[:LONGEST]
        if not title:
            raise ValueError("a collection needs a name")
        self._store.execute("UPDATE collections SET title=? WHERE id=?", (title, collection))

    def forget(self, collection: str) -> None:
        """Forget a collection; its records stay where they are."""
        with self._store.transaction() as store:
            if named := self._named(collection):
                body = {"rows": _as_rows(collection, self.records(collection)), "collection": named}
                removed.keep(store, "collection", collection, named[1], body)
            store.execute("DELETE FROM collected WHERE collection=?", (collection,))
            store.execute("DELETE FROM collections WHERE id=?", (collection,))

    def _named(self, collection: str) -> list[str] | None:
        row = self._store.row("SELECT id, title, created FROM collections WHERE id=?", (collection,))
        return None if row is None else list(row)


def _as_rows(collection: str, records: Iterable[Collected]) -> list[list[str]]:
    return [[collection, one.id, one.title, one.created] for one in records]
