"""The tables of library.db, step by step. A step, once released, never changes; new needs are new steps."""

from __future__ import annotations

from resources_cache import labels, notices, suggestions, works
from resources_cache.database import Migration, Store, statements
from resources_cache.search_index import begin_renewal, create

_FIRST = """
CREATE TABLE records (
  rid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, stream TEXT NOT NULL, generation TEXT NOT NULL,
  type TEXT NOT NULL, owner TEXT NOT NULL, owner_rid INTEGER, lang TEXT NOT NULL, year INTEGER,
  title TEXT NOT NULL, sort_title TEXT NOT NULL, updated TEXT NOT NULL, resource_type TEXT NOT NULL,
  policy_cycle TEXT NOT NULL, activity TEXT NOT NULL, size INTEGER NOT NULL)

CREATE TABLE bodies (rid INTEGER PRIMARY KEY, body TEXT NOT NULL)

CREATE TABLE links (facet TEXT NOT NULL, value TEXT NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY (facet, value, rid)) WITHOUT ROWID

CREATE INDEX links_by_record ON links (rid)

CREATE INDEX records_by_stream ON records (stream, generation)

CREATE INDEX records_by_owner ON records (owner, type) WHERE owner <> ''

CREATE INDEX records_by_update ON records (type, updated)

CREATE INDEX records_by_title ON records (type, sort_title)

CREATE INDEX records_by_year ON records (type, year)

CREATE VIRTUAL TABLE search USING fts5(title, summary, body, content='', contentless_delete=1, tokenize='ascii')

CREATE TABLE cursors (stream TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  generation TEXT NOT NULL, parts INTEGER NOT NULL) WITHOUT ROWID

CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, version INTEGER NOT NULL,
  body BLOB NOT NULL, complete INTEGER NOT NULL, seen TEXT NOT NULL)

CREATE TABLE documents (hash TEXT PRIMARY KEY, body BLOB NOT NULL)

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
"""


def _first(store: Store) -> None:
    for statement in statements(_FIRST):
        store.execute(statement)


def _displaced(store: Store) -> None:
    """A record that moves may arrive in its new stream before it is deleted from the old one, or the old
    stream may still deliver an earlier edition of it. The copies that are not shown wait here, so that the
    order in which streams are fetched makes no difference in the end."""
    store.execute(
        "CREATE TABLE displaced (id TEXT NOT NULL, stream TEXT NOT NULL, generation TEXT NOT NULL,"
        " body TEXT NOT NULL, PRIMARY KEY (id, stream)) WITHOUT ROWID"
    )


def _indexed(store: Store) -> None:
    """A digest of what was indexed of each record: unchanged text is not indexed again, and a check can
    show that the index equals the content. A later step fills it: the whole index is made anew there."""
    store.tables.table("indexed").create({"rid": int, "digest": bytes}, pk="rid", not_null={"digest"})


def _counted(store: Store) -> None:
    """Filters show counts: one index that holds all they count, so that no row is read for it."""
    store.execute("CREATE INDEX records_by_facets ON records (type, lang, resource_type, year, policy_cycle)")


def _walked(store: Store) -> None:
    """A stream is read from its newest record on: the index by stream holds the id. With generation and size it
    still answers alone what is swept and how much of each stream is here."""
    store.execute("DROP INDEX records_by_stream")
    store.execute("CREATE INDEX records_by_stream ON records (stream, id, generation, size)")


def _gathered(store: Store) -> None:
    """A segment's words are gathered whole in memory and written once: with FTS5's own 1 MB they went to disk in
    several parts, which then had to be merged."""
    store.execute("INSERT INTO search(search, rank) VALUES ('hashsize', 8388608)")


def _wire_2(store: Store) -> None:
    """Places are now counted in publications: what an older wire noted means nothing any more. The content stays
    readable, and the next sync replaces it feed by feed."""
    store.execute("UPDATE cursors SET epoch = 0, seq = 0, generation = '', parts = 0")
    store.execute("DELETE FROM head")
    store.execute("DELETE FROM documents")


def _by_language(store: Store) -> None:
    """Names have a column of their own, and the index is in stems by language. The summary column, which held
    the names, is not what it was, so the table is made anew."""
    store.execute("DROP TABLE search")
    store.execute(
        "CREATE VIRTUAL TABLE search USING fts5(title, names, summary, body, content='', contentless_delete=1,"
        " tokenize='ascii')"
    )
    store.execute("INSERT INTO search(search, rank) VALUES ('hashsize', 8388608)")  # a later step fills it


def _words(store: Store) -> None:
    """The words of the index with the number of records that have them: what was meant by one that none has."""
    store.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab(search, 'row')")


def _labelled(store: Store) -> None:
    """The names of themes and concepts, by which a query is widened."""
    store.execute(
        "CREATE TABLE labels (words TEXT NOT NULL, rid INTEGER NOT NULL, start TEXT NOT NULL,"
        " count INTEGER NOT NULL)"
    )
    store.execute("CREATE INDEX labels_by_words ON labels (words)")
    store.execute("CREATE INDEX labels_by_start ON labels (start, count)")
    store.execute("CREATE INDEX labels_by_record ON labels (rid)")
    labels.rebuild(store)


def _works(store: Store) -> None:
    """Which records are one work, so that a search answers with one of them. Filled when the shelf is opened."""
    for statement in works.SCHEMA:
        store.execute(statement)
    store.execute("DELETE FROM meta WHERE key='work_rules'")


def _titled(store: Store) -> None:
    """Titles by the beginnings of their words, for suggestions. Filled when the shelf is opened."""
    store.execute(suggestions.SCHEMA)
    store.execute("DELETE FROM meta WHERE key='title_rules'")


def _packed(store: Store) -> None:
    """Bodies are zstd frames from now on, with these dictionaries (resources_cache/bodies.py); those that are here
    stay as they are."""
    store.execute(
        "CREATE TABLE dictionaries (id INTEGER PRIMARY KEY, kind TEXT NOT NULL UNIQUE, body BLOB NOT NULL)"
    )


def _weighed(store: Store) -> None:
    """Text editions have an index of their own, and the owner of many rows is looked up at once."""
    store.execute("DROP TABLE vocabulary")
    store.execute("DROP TABLE search")
    create(store)
    store.execute("CREATE INDEX records_by_rid ON records (rid, owner_rid)")
    store.execute("DELETE FROM indexed")
    begin_renewal(store)
    store.execute("DELETE FROM meta WHERE key='text_rules'")  # it is new: not once more when the shelf is opened


def _curated(store: Store) -> None:
    """What ranking asks of a record stands in its row. Of those that are here it is filled in when they are
    indexed anew, which the new rules of the index bring with them."""
    store.execute("ALTER TABLE records ADD COLUMN curated INTEGER NOT NULL DEFAULT 0")


def _noticed(store: Store) -> None:
    """Which resources were corrected, superseded or withdrawn. Filled when the shelf is opened."""
    store.execute(notices.SCHEMA)
    store.execute("DELETE FROM meta WHERE key='notice_rules'")


MIGRATIONS: tuple[Migration, ...] = (
    _first,
    _displaced,
    _indexed,
    _counted,
    _walked,
    _gathered,
    _wire_2,
    _by_language,
    _words,
    _labelled,
    _works,
    _titled,
    _packed,
    _weighed,
    _curated,
    _noticed,
)
