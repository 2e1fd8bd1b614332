"""What is remembered of the resources that a person saved, marked or cited, in own.db.

A hub may withdraw a resource, or delete it from every shelf. What the person needs then, to tell what their notes
are about and to correct what they cited, is kept here: title, authors, year, publisher, when it was cited, and
which notice of the hub they have seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from resources_cache.database import Store
from resources_cache.identity import utc_now

MOST_AUTHORS = 50
LONGEST = 1_000
"""Characters of a title, a publisher or all the authors together."""

SCHEMA = (
    "CREATE TABLE remembered (id TEXT PRIMARY KEY, title TEXT NOT NULL, authors TEXT NOT NULL, year INTEGER,"
    " publisher TEXT NOT NULL, lang TEXT NOT NULL, cited TEXT NOT NULL, seen TEXT NOT NULL) WITHOUT ROWID"
)
_KEPT = (
    "SELECT id FROM bookmarks UNION SELECT id FROM notes UNION SELECT resource FROM annotations"
    " UNION SELECT record FROM collected UNION SELECT id FROM remembered WHERE cited<>''"
)


@dataclass(frozen=True)
class Remembered:
    """``cited``: when it was cited last (UTC ISO 8601) or "". ``seen``: the mark of the notice seen, or ""."""

    id: str
    title: str
    authors: tuple[str, ...]
    year: int | None
    publisher: str
    lang: str = ""
    cited: str = ""
    seen: str = ""


class Memory:
    """Of one own.db connection; reached as ``own.memory``. Each method is one transaction.

    Those that write raise DiskFull, StoreBusy, StoreDamaged or StoreUnwritable with nothing changed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Remember these resources as they are now; other kinds of records are passed over."""
        from resources_cache.records import Filed, card, file_record

        rows = []
        for record in records:
            if record.get("type") != "resource":
                continue
            filed: Filed = file_record(record)
            authors = card(record, has_text=False, messages=0).authors[:MOST_AUTHORS]
            publisher = record.get("publisher")
            said = publisher[:LONGEST] if isinstance(publisher, str) else ""
            names = [name[:LONGEST] for name in authors]
            rows.append((filed.id, filed.title[:LONGEST], json.dumps(names), filed.year, said, filed.lang))
        self._store.executemany(
            "INSERT INTO remembered VALUES (?, ?, ?, ?, ?, ?, '', '') ON CONFLICT (id) DO UPDATE SET"
            " title=excluded.title, authors=excluded.authors, year=excluded.year, publisher=excluded.publisher,"
            " lang=excluded.lang",
            rows,
        )

    def cite(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Remember these resources, and that they were cited now."""
        cited = [record for record in records if record.get("type") == "resource"]
        with self._store.transaction():
            self.keep(cited)
            now = utc_now()
            self._store.executemany(
                "UPDATE remembered SET cited=? WHERE id=?", [(now, str(record["id"])) for record in cited]
            )

    def see(self, id_: str, mark: str) -> None:
        """The person has seen the notice of this mark."""
        self._store.execute("UPDATE remembered SET seen=? WHERE id=?", (mark, id_))

    def of(self, id_: str) -> Remembered | None:
        """What is remembered of a resource, or None."""
        row = self._store.row("SELECT * FROM remembered WHERE id=?", (id_,))
        return _remembered(row) if row is not None else None

    def kept(self) -> set[str]:
        """The ids of all that the person saved, put into a collection, marked, wrote a note on, or cited."""
        return {str(id_) for (id_,) in self._store.rows(_KEPT)}

    def known(self) -> dict[str, Remembered]:
        """What is remembered of those of ``kept``, by id."""
        rows = self._store.rows(f"SELECT * FROM remembered WHERE id IN ({_KEPT})")
        return {str(row[0]): _remembered(row) for row in rows}


def _remembered(row: Any) -> Remembered:
    id_, title, authors, year, publisher, lang, cited, seen = row
    return Remembered(id_, title, tuple(json.loads(authors)), year, publisher, lang, cited, seen)
