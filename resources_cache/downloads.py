"""The files that a person asked for and that are not here yet, in the order in which they are to come.

The queue stands in own.db, so that it outlives restarts; how far each file is, the file store knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from resources_cache.database import Row, Store
from resources_cache.identity import utc_now

MOST = 10_000
"""Files in the queue; more are refused."""
_COLUMNS = "hash, resource, name, size, replaces, paused, problem, anyway"


@dataclass(frozen=True)
class Download:
    """One file of the queue, by its hex SHA-256. ``size``: bytes; ``replaces``: the version before it, or "".

    ``problem``: the code of what stands in its way, "" for nothing: it is then passed over until it is resumed.
    ``anyway``: the person lets this one come past their own limits (hours, bytes a day, metered links).
    """

    hash: str
    resource: str
    name: str
    size: int
    replaces: str = ""
    paused: bool = False
    problem: str = ""
    anyway: bool = False


class Downloads:
    """The queue of one own.db connection; reached as ``own.downloads``. Each method is one transaction.

    Those that write raise DiskFull, StoreBusy, StoreDamaged or StoreUnwritable with nothing changed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, wanted: Iterable[Download], *, first: bool = False) -> int:
        """Put files at the end of the queue (or before all others); returns how many were not in it.

        One that is in it already stays at its place, and is tried again where it was paused or had a problem.
        """
        count = 0
        with self._store.transaction() as store:
            room = MOST - int(store.value("SELECT count(*) FROM downloads"))
            for one in wanted:
                if store.value("SELECT 1 FROM downloads WHERE hash=?", (one.hash,)):
                    store.execute("UPDATE downloads SET paused=0, problem='' WHERE hash=?", (one.hash,))
                elif count < room:
                    store.execute(
                        "INSERT INTO downloads"
                        " (hash, resource, name, size, replaces, paused, problem, place, created)"
                        " SELECT ?, ?, ?, ?, ?, 0, '', coalesce(max(place), 0) + 1, ? FROM downloads",
                        (one.hash, one.resource, one.name, one.size, one.replaces, utc_now()),
                    )
                    count += 1
                if first:
                    self._put_first(one.hash)
        return count

    def items(self) -> list[Download]:
        """All that wait, in their order."""
        rows = self._store.rows(f"SELECT {_COLUMNS} FROM downloads ORDER BY place, hash")
        return [_download(row) for row in rows]

    def get(self, hash_: str) -> Download | None:
        """The file of this hash; None where it is not in the queue."""
        row = self._store.row(f"SELECT {_COLUMNS} FROM downloads WHERE hash=?", (hash_,))
        return None if row is None else _download(row)

    def next(self, *, anyway: bool = False) -> Download | None:
        """The first that may come: neither paused nor with a problem. `anyway`: of those let past the limits."""
        row = self._store.row(
            f"SELECT {_COLUMNS} FROM downloads WHERE NOT paused AND problem='' AND anyway >= ?"
            " ORDER BY place, hash LIMIT 1",
            (int(anyway),),
        )
        return None if row is None else _download(row)

    def move(self, hash_: str, where: str) -> None:
        """Move a file "first", "up" or "down" in the queue; nothing where it is not in it. Raises: ValueError."""
        if where not in ("first", "up", "down"):
            raise ValueError(f"cannot move a download {where!r}")
        with self._store.transaction() as store:
            place = store.value("SELECT place FROM downloads WHERE hash=?", (hash_,))
            if place is None:
                return
            if where == "first":
                self._put_first(hash_)
                return
            than, by = ("<", "DESC") if where == "up" else (">", "ASC")
            other = store.row(
                f"SELECT hash, place FROM downloads WHERE place {than} ? ORDER BY place {by} LIMIT 1", (place,)
            )
            if other is not None:
                store.execute("UPDATE downloads SET place=? WHERE hash=?", (other[1], hash_))
                store.execute("UPDATE downloads SET place=? WHERE hash=?", (place, other[0]))

    def pause(self, hash_: str = "") -> None:
        """Let one file wait, or all of them; one that was let past the limits is no longer."""
        self._store.execute("UPDATE downloads SET paused=1, anyway=0 WHERE ? IN ('', hash)", (hash_,))

    def resume(self, hash_: str = "") -> None:
        """Go on with one file, or with all, also where something stood in the way."""
        self._store.execute("UPDATE downloads SET paused=0, problem='' WHERE ? IN ('', hash)", (hash_,))

    def let_past(self, hash_: str) -> None:
        """Let one file come first, and past the person's own limits, until it is here, paused or taken out."""
        with self._store.transaction() as store:
            store.execute("UPDATE downloads SET anyway=1, paused=0, problem='' WHERE hash=?", (hash_,))
            self._put_first(hash_)

    def remove(self, hash_: str) -> None:
        """Take a file out of the queue: it is here, or no longer wanted."""
        self._store.execute("DELETE FROM downloads WHERE hash=?", (hash_,))

    def set_aside(self, hash_: str, problem: str) -> None:
        """Note the code of what stands in a file's way, so that the others come meanwhile."""
        self._store.execute("UPDATE downloads SET problem=? WHERE hash=?", (problem, hash_))

    def _put_first(self, hash_: str) -> None:
        self._store.execute(
            "UPDATE downloads SET place = (SELECT min(place) - 1 FROM downloads) WHERE hash=?", (hash_,)
        )


def _download(row: Row) -> Download:
    hash_, resource, name, size, replaces, paused, problem, anyway = row
    return Download(hash_, resource, name, size, replaces, bool(paused), problem, bool(anyway))
