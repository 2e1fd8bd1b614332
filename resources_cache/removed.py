"""What a person removed of their own work, kept in own.db for 30 days so that it can be brought back.

A row is written in the transaction of the removal itself: either both are on the disk or neither. Its age counts
the time that passes between two looks at the clock; a step back counts nothing, and a step of more than
``LONGEST_STEP`` no more than that: a battery that died, or a wrong year that is set right, empties nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from resources_cache.database import Store
from resources_cache.errors import NotFound
from resources_cache.identity import utc_now

KEPT_DAYS = 30
MOST = 1_000
"""So many removals are kept, the last ones."""
MOST_CHARACTERS = 32_000_000
"""So much of what was removed is kept; the last removal always is, however long."""
LONGEST_STEP = 7 * 86_400
"""Seconds that one look at the clock adds to the age at most."""

SCHEMA = (
    "CREATE TABLE removed (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL,"
    " title TEXT NOT NULL, removed_at TEXT NOT NULL, age INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL)",
    "CREATE INDEX removed_by_key ON removed (kind, key)",
)
_LOOKED = "removed_looked"
"""The setting that says when the ages were last counted on (UTC)."""
_TITLE = 300


@dataclass(frozen=True)
class Removed:
    """One removal. ``kind``: "saved", "note", "highlight", "draft", "attachment", "collection", "collected",
    "search" or "outbox". ``title``: the (first) thing's; ``count``: how many things; ``removed_at``: UTC ISO 8601;
    ``body``: what ``bringing_back`` needs (JSON object)."""

    id: int
    kind: str
    key: str
    title: str
    removed_at: str
    count: int
    body: dict[str, Any]


def keep(store: Store, kind: str, key: str, title: str, body: dict[str, Any]) -> None:
    """Keep what is being removed, within the transaction of the removal.

    ``key``: what it is told by, so that ``settle`` finds it. ``body``: a list ``rows`` in it is so many things.
    """
    assert store.connection.in_transaction, "what is removed is kept by the same transaction"
    # Escapes beyond ASCII, as in the outbox: lone surrogates that somebody pasted are kept as they are.
    store.execute(
        "INSERT INTO removed (kind, key, title, removed_at, body) VALUES (?, ?, ?, ?, ?)",
        (kind, key, _line(title), utc_now(), json.dumps(body, separators=(",", ":"))),
    )
    tidy(store)


def settle(store: Store, kind: str, key: str, same: Callable[[dict[str, Any]], bool] = lambda _body: True) -> None:
    """What was removed is there again by another way (an undo): it is not listed as removed any more."""
    for id_, body in store.rows("SELECT id, body FROM removed WHERE kind=? AND key=?", (kind, key)):
        if same(json.loads(body)):
            store.execute("DELETE FROM removed WHERE id=?", (id_,))


def tidy(store: Store) -> None:
    """Let go of what is older than ``KEPT_DAYS``, and of what is beyond ``MOST`` or ``MOST_CHARACTERS``."""
    with store.transaction():
        now = utc_now()
        passed = _seconds(_looked(store), now)
        # A step back only moves the look. The same statements whatever the time: tests end them one by one.
        store.execute("UPDATE removed SET age = age + ?", (min(max(0, passed), LONGEST_STEP),))
        store.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_LOOKED, json.dumps(now)))
        store.execute("DELETE FROM removed WHERE age > ?", (KEPT_DAYS * 86_400,))
        store.execute(
            "DELETE FROM removed WHERE id <= (SELECT id FROM removed ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (MOST,),
        )
        store.execute(
            "DELETE FROM removed WHERE id < (SELECT max(id) FROM removed) AND id IN (SELECT id FROM"
            " (SELECT id, sum(length(body)) OVER (ORDER BY id DESC) AS total FROM removed) WHERE total > ?)",
            (MOST_CHARACTERS,),
        )


class RecentlyRemoved:
    """What was removed, of one own.db connection; reached as ``own.removed``.

    Those that write are one transaction and raise DiskFull, StoreBusy, StoreDamaged or StoreUnwritable with
    nothing changed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[Removed]:
        """The last removed first."""
        return [_removed(row) for row in self._rows("ORDER BY id DESC")]

    def one(self, id_: int) -> Removed:
        """One removal. Raises: NotFound."""
        for row in self._rows("WHERE id=?", (id_,)):
            return _removed(row)
        raise NotFound("This is not among what was removed any more.", "It may be back already: look at My shelf.")

    def newest(self) -> int:
        """The id of the newest removal ever made, whether it is still here or not; 0 where there was none."""
        return int(self._store.value("SELECT seq FROM sqlite_sequence WHERE name='removed'") or 0)

    def last_after(self, id_: int) -> Removed | None:
        """The last removal that is here and came after ``id_``."""
        return next((_removed(row) for row in self._rows("WHERE id>? ORDER BY id DESC LIMIT 1", (id_,))), None)

    def forget(self, ids: Iterable[int]) -> None:
        """Remove for good. What was taken back before it was ever offered to the hub leaves the outbox too."""
        with self._store.transaction() as store:
            for id_ in ids:
                store.execute(
                    "DELETE FROM outbox WHERE state='withdrawn' AND attempted=0 AND became IS NULL"
                    " AND id=(SELECT key FROM removed WHERE kind='outbox' AND id=?)"
                    " AND NOT EXISTS (SELECT 1 FROM outbox AS older WHERE older.became=outbox.id)",
                    (id_,),
                )
                store.execute("DELETE FROM removed WHERE id=?", (id_,))

    def tidy(self) -> None:
        """Let go of what is too old or too much."""
        tidy(self._store)

    def _rows(self, which: str, values: tuple[Any, ...] = ()) -> list[Any]:
        return self._store.rows(f"SELECT id, kind, key, title, removed_at, body FROM removed {which}", values)


def _removed(row: Any) -> Removed:
    id_, kind, key, title, at, text = row
    found = json.loads(text)
    body = found if isinstance(found, dict) else {}
    rows = body.get("rows")
    return Removed(id_, kind, key, title, at, len(rows) if isinstance(rows, list) else 1, body)


def _line(text: str) -> str:
    """One line, without what SQLite cannot keep."""
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())[:_TITLE]


def _looked(store: Store) -> str:
    found = store.value("SELECT value FROM settings WHERE key=?", (_LOOKED,))
    value = json.loads(found) if found is not None else ""
    return value if isinstance(value, str) else ""


def _seconds(before: str, now: str) -> int:
    """From one UTC time to another; 1 where there was none before, so that counting begins."""
    try:
        return round((datetime.fromisoformat(now) - datetime.fromisoformat(before)).total_seconds())
    except (ValueError, TypeError):
        return 1
