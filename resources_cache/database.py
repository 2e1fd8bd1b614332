"""One SQLite connection of a store: opening, migrating, transactions, and errors in words.

SQLite is ``pysqlite3``'s, never the standard library's: versions before 3.51.3 could corrupt a
database in WAL mode. A ``Store`` belongs to the thread that opened it.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pysqlite3 import dbapi2

from resources_cache.errors import (
    CacheError,
    DiskFull,
    NotFound,
    StoreBusy,
    StoreDamaged,
    StoreTooNew,
    StoreUnwritable,
)
from resources_cache.placing import put_in_place
from resources_cache.precedence import give_way

if TYPE_CHECKING:
    import sqlite_utils

MIN_SQLITE = (3, 51, 3)
"""The first SQLite without the WAL corruption."""

BUSY_TIMEOUT_MS = 15_000

Watcher = Callable[[str], None]
"""Called with the SQL before each statement, "COMMIT" included; what it raises, the caller gets."""

Migration = Callable[["Store"], None]
"""One step of a schema; runs inside a transaction of its own."""

Row = tuple[Any, ...]

_DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT"}
_BUSY = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL"}
_REFUSED = {"SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR", "SQLITE_AUTH", "SQLITE_NOLFS"}


def sqlite_version() -> str:
    """The version of the SQLite that the stores run on, such as "3.53.4"."""
    return str(dbapi2.sqlite_version)


def as_cache_error(error: BaseException, path: Path) -> CacheError | None:
    """The known error that an SQLite or operating-system error stands for; None for a bug of ours."""
    if isinstance(error, CacheError):
        return error
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFull(f"The disk is full: {path.name} could not be written.")
        return StoreUnwritable(f"{path.name} could not be read or written: {error.strerror or error}.")
    if not isinstance(error, dbapi2.Error):
        return None
    name = getattr(error, "sqlite_errorname", None) or ""
    main = "_".join(name.split("_")[:2])
    if main == "SQLITE_FULL":
        return DiskFull(f"The disk is full: {path.name} could not be written, and the change was undone.")
    if main in _DAMAGED:
        return StoreDamaged(f"{path.name} is damaged ({error}).")
    if main in _BUSY:
        return StoreBusy(f"{path.name} is in use by another program.")
    if main in _REFUSED:
        return StoreUnwritable(f"{path.name} could not be read or written ({error}).")
    return None


class known_errors:
    """Turn SQLite's and the system's errors inside the block into CacheErrors; let bugs through as they are.

    A class, and one object for all statements of a store: `contextmanager` costs more than a small query.
    """

    __slots__ = ("_path", "_suspects")

    def __init__(self, path: Path, *, suspects: bool = False) -> None:
        """``suspects``: note beside the file that it was found damaged, so that its next opening looks closer."""
        self._path, self._suspects = path, suspects

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        known = as_cache_error(error, self._path) if isinstance(error, (dbapi2.Error, OSError)) else None
        if self._suspects and isinstance(known or error, StoreDamaged):
            with suppress(OSError):  # the damage itself is what the caller has to hear of
                suspicion(self._path).touch()
        if known is not None and known is not error:
            raise known from error


class Store:
    """A connection with WAL, foreign keys, a busy timeout and explicit transactions."""

    def __init__(self, path: Path, connection: Any, watcher: Watcher | None) -> None:
        self.path = path
        self.connection = connection
        self._watcher = watcher
        self._depth = 0
        self._errors = known_errors(path, suspects=True)

    @property
    def tables(self) -> sqlite_utils.Database:
        """The same connection as sqlite-utils sees it, for migrations (imported only when one runs)."""
        import sqlite_utils

        return sqlite_utils.Database(self.connection)

    def execute(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Any:
        """Run one statement and return its cursor.

        Raises: CacheError for what comes from outside (disk, lock, damage).
        """
        with self._errors:
            self._watch(sql)
            return self.connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row. Raises as ``execute``."""
        with self._errors:
            self._watch(sql)
            self.connection.executemany(sql, rows)

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """All rows of a query. Raises as ``execute``; errors met while reading are mapped as well."""
        with self._errors:
            self._watch(sql)
            found: list[Row] = self.connection.execute(sql, parameters).fetchall()
            return found

    def rows_at_once(self, columns: str, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """The named ``columns`` (no blobs) of a query's rows, in its order, worked out in a single step.

        Between two steps a thread has to wait for its turn again while another one computes (Python runs one at
        a time), so a list of two hundred rows would take two hundred waits, this takes one. Raises as ``execute``.
        """
        found = self.value(f"SELECT json_group_array(json_array({columns})) FROM ({sql})", parameters)
        return [tuple(row) for row in json.loads(found)]

    def blobs_at_once(
        self, number: str, blob: str, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()
    ) -> list[tuple[int, bytes]]:
        """As ``rows_at_once`` for two columns, a number and a text or blob, of which the bytes are returned.

        They come end to end: ten times as fast as in hexadecimal digits. Raises as ``execute``.
        """
        row = self.row(
            "SELECT json_group_array(a), json_group_array(length(b)), CAST(group_concat(b, '') AS BLOB)"
            f" FROM (SELECT {number} AS a, CAST({blob} AS BLOB) AS b FROM ({sql}))",
            parameters,
        )
        numbers, lengths, joined = row or ("[]", "[]", b"")
        found: list[tuple[int, bytes]] = []
        at = 0
        for number, length in zip(json.loads(numbers), json.loads(lengths), strict=True):
            found.append((int(number), joined[at : at + length]))
            at += length
        return found

    def row(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Row | None:
        """The first row of a query, or None. Raises as ``execute``."""
        with self._errors:
            self._watch(sql)
            found: Row | None = self.connection.execute(sql, parameters).fetchone()
            return found

    def value(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Any:
        """The first column of the first row, or None. Raises as ``execute``."""
        found = self.row(sql, parameters)
        return found[0] if found else None

    def each(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Generator[Row, None, None]:
        """Rows one by one, for results too large to hold. Raises as ``execute``."""
        with self._errors:
            self._watch(sql)
            yield from self.connection.execute(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[Store]:
        """All or nothing: takes the write lock at once, commits at the end, undoes all on any exception.

        A transaction inside another one is part of the outer one.
        Raises: StoreBusy where another writer keeps the lock; DiskFull and others at any statement.
        """
        if self._depth:
            self._depth += 1
            try:
                yield self
            finally:
                self._depth -= 1
            return
        self.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield self
            self.execute("COMMIT")
        except BaseException:
            # SQLite has undone it by itself after some errors (a full disk); only then is there nothing to undo.
            if self.connection.in_transaction:
                with self._errors:
                    self.connection.execute("ROLLBACK")
            raise
        finally:
            self._depth = 0

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """Several queries that see one and the same state, whatever a writer does meanwhile."""
        if self._depth or self.connection.in_transaction:
            yield self
            return
        self.execute("BEGIN")
        try:
            yield self
        finally:
            if self.connection.in_transaction:
                with self._errors:
                    self.connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection; closing twice does nothing."""
        self.connection.close()

    def damaged(self, message: str) -> StoreDamaged:
        """The error for damage that SQLite does not see, to be raised; the next opening looks at everything."""
        with suppress(OSError):
            suspicion(self.path).touch()
        return StoreDamaged(message)

    def _watch(self, sql: str) -> None:
        give_way()
        if self._watcher is not None:
            self._watcher(sql)


def open_store(
    path: Path,
    migrations: Sequence[Migration],
    *,
    synchronous: str = "NORMAL",
    read_only: bool = False,
    on_statement: Watcher | None = None,
    page_bytes: int = 4096,
) -> Store:
    """Open the store at ``path``, creating it and running the migrations it lacks.

    ``synchronous``: "NORMAL" (a power cut may undo the last transactions, never tear one) or "FULL".
    ``page_bytes``: the size of a new store's pages. ``read_only``: refuse writes on this connection.
    ``on_statement``: watches every statement (see Watcher).
    Raises: NotFound (read-only and missing), StoreDamaged, StoreTooNew, StoreBusy, StoreUnwritable, DiskFull.
    """
    if synchronous not in ("NORMAL", "FULL"):
        raise ValueError(f"synchronous must be NORMAL or FULL, not {synchronous!r}")
    if read_only and not path.exists():
        raise NotFound(f"There is no {path.name} yet.", "Synchronise once, or open a pack.")
    with known_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = dbapi2.connect(str(path), isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
    store = Store(path, connection, on_statement)
    try:
        store.execute(f"PRAGMA page_size={page_bytes}")
        _configure(store, synchronous)
        _migrate(store, migrations)
        if read_only:
            store.execute("PRAGMA query_only=ON")
    except BaseException:
        store.close()
        raise
    return store


def suspicion(path: Path) -> Path:
    """The marker left when damage was met in use, so that the next opening looks at the whole file."""
    return path.with_name(path.name + ".suspect")


def looks_sound(store: Store) -> None:
    """SQLite's quick check of the whole file. Raises: StoreDamaged."""
    found = store.rows("PRAGMA quick_check(1)")
    if found != [("ok",)]:
        raise StoreDamaged(f"{store.path.name} is damaged ({found[0][0] if found else 'no answer'}).")


@contextmanager
def opening_alone(path: Path) -> Iterator[None]:
    """One opener at a time, over all threads and programs; SQLite's own lock on an empty file is portable.

    Raises: StoreBusy, StoreUnwritable.
    """
    lock = path.with_name(path.name + ".lock")
    with known_errors(lock):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = dbapi2.connect(str(lock), isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
    try:
        with known_errors(lock):
            connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


def set_aside(path: Path, damage: str) -> Path:
    """Rename a damaged store, with its write-ahead log, to ``….damaged-<time>``; returns the new path.

    Raises: StoreDamaged where the system keeps the file locked; DiskFull, StoreUnwritable.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    with known_errors(path):
        try:
            put_in_place(path, aside)
        except PermissionError as error:  # Windows, while another program has it open
            raise StoreDamaged(
                damage, "Close every Hubshelf window and open it again, so that the damaged file can be set aside."
            ) from error
        for suffix in ("-wal", "-shm", "-journal"):
            with suppress(FileNotFoundError):
                os.replace(path.with_name(path.name + suffix), aside.with_name(aside.name + suffix))
    return aside


def _configure(store: Store, synchronous: str) -> None:
    mode = store.value("PRAGMA journal_mode=WAL")
    if mode != "wal":
        raise StoreUnwritable(
            f"{store.path.name} cannot use SQLite's write-ahead log here (it stays in {mode!r} mode).",
            "Keep Hubshelf's folder on a local disk, not on a network drive.",
        )
    store.execute(f"PRAGMA synchronous={synchronous}")
    store.execute("PRAGMA foreign_keys=ON")
    store.execute("PRAGMA cache_size=-16000")


def _migrate(store: Store, migrations: Sequence[Migration]) -> None:
    """Each step and its number in one transaction, so that a cut leaves a whole version."""
    newest = len(migrations)
    version = int(store.value("PRAGMA user_version"))
    if version > newest:
        raise StoreTooNew(
            f"{store.path.name} was written by a newer Hubshelf (schema {version}; this one knows {newest})."
        )
    while version < newest:
        with store.transaction():
            # Another process may have migrated while we waited for the lock.
            version = int(store.value("PRAGMA user_version"))
            if version < newest:
                migrations[version](store)
                version += 1
                store.execute(f"PRAGMA user_version={version}")


def statements(script: str) -> list[str]:
    """The statements of a schema script, split at blank lines (no trigger bodies, so no parser is needed)."""
    return [part.strip() for part in script.split("\n\n") if part.strip()]
