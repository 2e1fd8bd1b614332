"""What lies in a shelf's files, read past the code under test: the checker's own eyes.

A store that was closed in good order has no write-ahead log, so its file is all of it and is read as it lies.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backports import zstd
from pysqlite3 import dbapi2

from resources_cache.cards import Cursor
from resources_cache.library import Library
from resources_cache.library_schema import MIGRATIONS
from resources_cache.records import PERSONAL
from sync.protocol.segments import change_line

Lines = dict[str, dict[str, bytes]]
"""Stream → id → the record's canonical JSON."""


@dataclass
class Content:
    """library.db: what people are shown, what waits behind it, how far each stream is, the head."""

    shown: Lines = field(default_factory=dict)
    """Each record once, under the stream whose copy is shown."""
    waiting: Lines = field(default_factory=dict)
    """Copies under other streams, which nobody sees."""
    places: dict[str, Cursor] = field(default_factory=dict)
    head: tuple[int, int] | None = None


@dataclass(frozen=True)
class OwnItem:
    """One row of the outbox."""

    id: str
    title: str
    state: str
    receipt: str | None
    problem: str | None


@dataclass
class OwnWork:
    """own.db: what the person wrote, the newest head that was ever verified, bytes noted as spent."""

    items: dict[str, OwnItem]
    head_seen: tuple[int, int]
    spent: int


def state_of(path: Path) -> tuple[int, int, bool]:
    """What tells whether a store has changed: size and check sum of its file, and whether it has a log."""
    data = path.read_bytes() if path.exists() else b""
    return len(data), zlib.crc32(data), _log(path).exists()


def read_library(path: Path) -> Content:
    """Return the content of library.db at `path`; nothing where the file is missing."""
    if not path.exists():
        return Content()
    with _rows(path) as database:
        if database.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS):
            return _content(database)
    # It was left in the middle of being made, so it is made first.
    Library(path).close()
    return read_library(path)


def _content(database: Any) -> Content:
    found = Content()
    shown: Lines = defaultdict(dict)
    dictionaries = {
        id_: zstd.ZstdDict(body) for id_, body in database.execute("SELECT id, body FROM dictionaries")
    }
    for stream, id_, body in database.execute("SELECT stream, id, body FROM records JOIN bodies USING (rid)"):
        if stream != PERSONAL:
            shown[stream][id_] = change_line(_record(body, dictionaries))
    waiting: Lines = defaultdict(dict)
    for stream, id_, body in database.execute("SELECT stream, id, body FROM displaced"):
        waiting[stream][id_] = change_line(_record(body, dictionaries))
    found.shown, found.waiting = dict(shown), dict(waiting)
    for stream, *rest in database.execute("SELECT stream, epoch, seq, generation, parts FROM cursors"):
        found.places[stream] = Cursor(*rest)
    found.head = database.execute("SELECT epoch, version FROM head").fetchone()
    return found


def _record(body: str | bytes, dictionaries: dict[int, zstd.ZstdDict]) -> Any:
    if isinstance(body, bytes):
        body = zstd.decompress(body, dictionaries.get(zstd.get_frame_info(body).dictionary_id)).decode()
    return json.loads(body)


def read_own(path: Path) -> OwnWork:
    """Return what own.db at `path` holds."""
    with _rows(path) as database:
        rows = database.execute("SELECT id, title, state, receipt, problem FROM outbox").fetchall()
        seen = database.execute("SELECT value FROM settings WHERE key='head_seen'").fetchone()
        spent = database.execute("SELECT coalesce(sum(bytes), 0) FROM syncs").fetchone()[0]
    epoch, version = json.loads(seen[0] if seen else "null") or (0, 0)
    return OwnWork({row[0]: OwnItem(*row) for row in rows}, (epoch, version), spent)


@contextmanager
def _rows(path: Path) -> Iterator[Any]:
    how = "mode=rw" if _log(path).exists() else "mode=ro&immutable=1"
    with closing(dbapi2.connect(f"{path.as_uri()}?{how}", uri=True)) as database:
        yield database


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
