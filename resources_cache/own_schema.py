"""The tables of own.db, step by step. A step, once released, never changes; new needs are new steps."""

from __future__ import annotations

from resources_cache import remembered, removed
from resources_cache.database import Migration, Store, statements
from resources_cache.identity import new_id

_FIRST = """
CREATE TABLE device (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, epoch INTEGER NOT NULL,
  counter INTEGER NOT NULL)

CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID

CREATE TABLE outbox (id TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
  state TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL, counter INTEGER NOT NULL,
  epoch INTEGER NOT NULL, attempted INTEGER NOT NULL DEFAULT 0, receipt TEXT, problem TEXT)

CREATE INDEX outbox_by_state ON outbox (state, counter)

CREATE TABLE drafts (key TEXT PRIMARY KEY, content TEXT NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID

CREATE TABLE bookmarks (id TEXT PRIMARY KEY, title TEXT NOT NULL, created TEXT NOT NULL) WITHOUT ROWID

CREATE TABLE places (id TEXT PRIMARY KEY, fraction REAL NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID

CREATE TABLE syncs (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, at TEXT NOT NULL, day TEXT NOT NULL,
  bytes INTEGER NOT NULL, report TEXT NOT NULL)

CREATE INDEX syncs_by_day ON syncs (day)
"""


def _first(store: Store) -> None:
    for statement in statements(_FIRST):
        store.execute(statement)
    store.execute("INSERT INTO device VALUES (1, ?, 1, 0)", (new_id(),))


def _corrections(store: Store) -> None:
    """A rejected operation that is corrected leaves under a new id, since the hub remembers its verdict by
    the old one: ``became`` leads from the old item to the new. ``answered`` outlives a hub's new epoch, in
    which the item is offered again."""
    table = store.tables.table("outbox")
    table.add_column("became", str)
    table.add_column("answered", str)
    store.execute("UPDATE outbox SET answered = updated WHERE state = 'answered'")


def _notes(store: Store) -> None:
    """Private notes on a record: one text for each, and the files a person pinned, which eviction spares."""
    store.execute(
        "CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID"
    )
    store.execute("CREATE TABLE pins (hash TEXT PRIMARY KEY, created TEXT NOT NULL) WITHOUT ROWID")


def _uploads(store: Store) -> None:
    """How far each attachment is, by the SHA-256 of its bytes. What is attached to what stands in the outbox's
    bodies alone, so that a question is queued with its attachments by one row."""
    store.execute(
        "CREATE TABLE uploads (hash TEXT PRIMARY KEY, state TEXT NOT NULL, done INTEGER NOT NULL,"
        " place TEXT NOT NULL, failures INTEGER NOT NULL, problem TEXT, updated TEXT NOT NULL) WITHOUT ROWID"
    )


def _searches(store: Store) -> None:
    """Saved searches. ``seen``: the newest change on the shelf when the person last looked (UTC ISO 8601)."""
    store.execute(
        "CREATE TABLE searches (words TEXT NOT NULL, filters TEXT NOT NULL, seen TEXT NOT NULL,"
        " created TEXT NOT NULL, PRIMARY KEY (words, filters)) WITHOUT ROWID"
    )


def _annotations(store: Store) -> None:
    """Highlights and notes on passages: the words, what stood around them, and where (see ``anchors``)."""
    store.execute(
        "CREATE TABLE annotations (id TEXT PRIMARY KEY, resource TEXT NOT NULL, lang TEXT NOT NULL,"
        " quote TEXT NOT NULL, prefix TEXT NOT NULL, suffix TEXT NOT NULL, start INTEGER NOT NULL,"
        " colour TEXT NOT NULL, note TEXT NOT NULL, title TEXT NOT NULL, created TEXT NOT NULL,"
        " updated TEXT NOT NULL) WITHOUT ROWID"
    )
    store.execute("CREATE INDEX annotations_by_resource ON annotations (resource, start)")


def _files(store: Store) -> None:
    """Passages of files: which file by its SHA-256 ("" for the text edition), and which page of it from 0. And
    where reading of a file stopped: a page or chapter, how far in it (0..1), the size it is read in (0: fitted).
    """
    table = store.tables.table("annotations")
    table.add_column("file", str, not_null_default="")
    table.add_column("page", int, not_null_default=0)
    store.execute(
        "CREATE TABLE file_places (hash TEXT PRIMARY KEY, page INTEGER NOT NULL, within REAL NOT NULL,"
        " zoom REAL NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID"
    )


def _downloads(store: Store) -> None:
    """The queue of files to fetch, in the order of ``place``; how far each is, the file store knows."""
    store.execute(
        "CREATE TABLE downloads (hash TEXT PRIMARY KEY, resource TEXT NOT NULL, name TEXT NOT NULL,"
        " size INTEGER NOT NULL, replaces TEXT NOT NULL, paused INTEGER NOT NULL, problem TEXT NOT NULL,"
        " place INTEGER NOT NULL, created TEXT NOT NULL) WITHOUT ROWID"
    )


def _collections(store: Store) -> None:
    """Records put together under a name."""
    store.execute("CREATE TABLE collections (id TEXT PRIMARY KEY, title TEXT NOT NULL, created TEXT NOT NULL)")
    store.execute(
        "CREATE TABLE collected (collection TEXT NOT NULL, record TEXT NOT NULL, title TEXT NOT NULL,"
        " created TEXT NOT NULL, PRIMARY KEY (collection, record)) WITHOUT ROWID"
    )


def _remembered(store: Store) -> None:
    """What is kept in mind of the resources that were saved, marked or cited (see ``remembered``)."""
    store.execute(remembered.SCHEMA)


def _removed(store: Store) -> None:
    """What was removed and can be brought back (see ``removed``)."""
    for statement in removed.SCHEMA:
        store.execute(statement)


def _anyway(store: Store) -> None:
    """Downloads that a person let come although their own limits say wait; none did before."""
    store.execute("ALTER TABLE downloads ADD COLUMN anyway INTEGER NOT NULL DEFAULT 0")


def _by_hand(store: Store) -> None:
    """When an item was left on a stick, sealed to the hub (UTC ISO 8601), NULL for one that was not."""
    store.tables.table("outbox").add_column("carried", str)


def _parcels(store: Store) -> None:
    """When a file was left on a stick, sealed to the hub (UTC ISO 8601), NULL for one that was not."""
    store.tables.table("uploads").add_column("carried", str)


MIGRATIONS: tuple[Migration, ...] = (
    _first,
    _corrections,
    _notes,
    _uploads,
    _searches,
    _annotations,
    _files,
    _downloads,
    _collections,
    _remembered,
    _removed,
    _anyway,
    _by_hand,
    _parcels,
)
