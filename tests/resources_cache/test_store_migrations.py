"""Stores of the first schema, written here by hand in SQL, become current ones without loss."""

from __future__ import annotations

import json
from pathlib import Path

from pysqlite3 import dbapi2

from resources_cache import library_schema, own_schema
from resources_cache.cards import Cursor
from resources_cache.library import Library
from resources_cache.own import Own

LIBRARY_1 = """
CREATE TABLE records (
  rid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, stream TEXT NOT NULL, generation TEXT NOT NULL,
  type TEXT NOT NULL, owner TEXT NOT NULL, owner_rid INTEGER, lang TEXT NOT NULL, year INTEGER,
  title TEXT NOT NULL, sort_title TEXT NOT NULL, updated TEXT NOT NULL, resource_type TEXT NOT NULL,
  policy_cycle TEXT NOT NULL, activity TEXT NOT NULL, size INTEGER NOT NULL);
CREATE TABLE bodies (rid INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE links (facet TEXT NOT NULL, value TEXT NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY (facet, value, rid)) WITHOUT ROWID;
CREATE INDEX links_by_record ON links (rid);
CREATE INDEX records_by_stream ON records (stream, generation);
CREATE INDEX records_by_owner ON records (owner, type) WHERE owner <> '';
CREATE INDEX records_by_update ON records (type, updated);
CREATE INDEX records_by_title ON records (type, sort_title);
CREATE INDEX records_by_year ON records (type, year);
CREATE VIRTUAL TABLE search USING fts5(title, summary, body, content='', contentless_delete=1, tokenize='ascii');
CREATE TABLE cursors (stream TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  generation TEXT NOT NULL, parts INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, version INTEGER NOT NULL,
  body BLOB NOT NULL, complete INTEGER NOT NULL, seen TEXT NOT NULL);
CREATE TABLE documents (hash TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO records VALUES (1, 'r1', 's', 'g', 'resource', '', 1, 'fr', 2020, 'Écoles', 'ecoles',
  '2026-01-01T00:00:00Z', 'report', '', '', 80);
INSERT INTO bodies VALUES (1,
  '{"id":"r1","type":"resource","title":"Écoles","lang":"fr","year":2020,"themes":["a"]}');
INSERT INTO links VALUES ('theme', 'a', 1);
INSERT INTO records VALUES (2, 'x1', 't', '', 'text', 'r1', 1, 'fr', NULL, '', '', '', '', '', '', 60);
INSERT INTO bodies VALUES (2, '{"id":"x1","type":"text","resource":"r1","body":"des tablettes"}');
INSERT INTO search(rowid, title, summary, body) VALUES (1, 'stale words', '', '');
INSERT INTO cursors VALUES ('s', 1, 9, '', 0), ('t', 1, 4, 'run', 2);
INSERT INTO head VALUES (1, 1, 7, x'0102', 1, '2026-01-01T00:00:00Z');
INSERT INTO documents VALUES ('aa', x'03');
INSERT INTO meta VALUES ('personal', '[2, 5]');
PRAGMA user_version = 1;
"""

OWN_1 = """
CREATE TABLE device (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, epoch INTEGER NOT NULL,
  counter INTEGER NOT NULL);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (id TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
  state TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL, counter INTEGER NOT NULL,
  epoch INTEGER NOT NULL, attempted INTEGER NOT NULL DEFAULT 0, receipt TEXT, problem TEXT);
CREATE INDEX outbox_by_state ON outbox (state, counter);
CREATE TABLE drafts (key TEXT PRIMARY KEY, content TEXT NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE bookmarks (id TEXT PRIMARY KEY, title TEXT NOT NULL, created TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE places (id TEXT PRIMARY KEY, fraction REAL NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE syncs (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, at TEXT NOT NULL, day TEXT NOT NULL,
  bytes INTEGER NOT NULL, report TEXT NOT NULL);
CREATE INDEX syncs_by_day ON syncs (day);
INSERT INTO device VALUES (1, 'dev', 3, 12);
INSERT INTO settings VALUES ('languages', '["fr"]');
INSERT INTO outbox VALUES ('o1', 'ask', 'T', '{"a":1}', 'answered', 'c', 'u', 11, 3, 1, '{"ok":1}', NULL);
INSERT INTO outbox VALUES ('o2', 'ask', 'W', '{}', 'waiting', 'c', 'u', 12, 3, 0, NULL, NULL);
INSERT INTO outbox VALUES ('o3', 'reply', 'S', '{}', 'sending', 'c', 'u', 10, 3, 1, NULL, NULL);
INSERT INTO drafts VALUES ('ask', '{"title":"half"}', 'u');
INSERT INTO bookmarks VALUES ('r1', 'Écoles', 'c');
INSERT INTO places VALUES ('r1', 0.5, 'u');
INSERT INTO syncs (at, day, bytes, report) VALUES ('u', '2026-01-01', 77, '{}');
PRAGMA user_version = 1;
"""


def write(path: Path, script: str) -> None:
    connection = dbapi2.connect(str(path))
    connection.executescript(script)
    connection.close()


def version_of(path: Path) -> int:
    connection = dbapi2.connect(str(path))
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return int(found)


def test_a_first_library_becomes_current(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    write(path, LIBRARY_1)
    with Library(path) as library:
        record = library.get("r1")
        assert record is not None
        assert record["title"] == "Écoles"
        assert [t["id"] for t in record["texts"]] == ["x1"]
        # What the first wire noted of places means nothing to the second; what people read stays.
        assert library.cursors() == {"s": Cursor(), "t": Cursor()}
        assert library.head() is None
        assert library.document("aa") is None
        assert library.personal_cursor() == (2, 5)
        # The index is made anew from the records, whatever the old one held.
        assert [hit.id for hit in library.search("tablette").results] == ["r1"]
        assert library.search("stale").total == 0
        assert [c for c in library.check() if not c.ok] == []
        library.apply("other", [{"id": "r1", "type": "resource", "title": "moved"}], Cursor(1, 1))
        library.apply("other", [{"id": "r1", "deleted": True}], Cursor(1, 2))
        assert library.get("r1") == record
    assert version_of(path) == len(library_schema.MIGRATIONS) >= 3


def test_a_first_own_store_becomes_current(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    write(path, OWN_1)
    with Own(path) as own:
        device = own.device()
        # Nothing witnessed this file yet, so it may be a copy: a new epoch, and the unsent item numbered in it.
        assert device.id == "dev"
        assert device.epoch > 3
        items = {item.id: item for item in own.outbox.items()}
        assert {k: v.state for k, v in items.items()} == {"o1": "answered", "o2": "waiting", "o3": "sending"}
        assert items["o1"].receipt == {"ok": 1}
        assert (items["o2"].epoch, items["o2"].counter) == (device.epoch, 1)
        assert (items["o3"].epoch, items["o3"].counter) == (3, 10)
        assert own.outbox.reoffer() == 1
        own.outbox.receive("o1", {"ok": 2})
        assert own.outbox.item("o1").state == "answered"
        assert own.setting("languages") == ["fr"]
        assert own.draft("ask") == {"title": "half"}
        assert [b.title for b in own.bookmarks()] == ["Écoles"]
        assert own.reading_place("r1") == 0.5
        assert own.spent("2026-01-01") == 77
        own.set_note("r1", "mine")
        assert own.notes() == {"r1": "mine"}
    assert version_of(path) == len(own_schema.MIGRATIONS) >= 3


def test_a_fresh_store_has_the_schema_of_an_upgraded_one(tmp_path: Path) -> None:
    def schema(path: Path) -> str:
        connection = dbapi2.connect(str(path))
        rows = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall()
        connection.close()
        return json.dumps([[t, n, " ".join((s or "").split())] for t, n, s in rows])

    write(tmp_path / "old-library.db", LIBRARY_1)
    write(tmp_path / "old-own.db", OWN_1)
    for name in ("library", "own"):
        for age in ("old", "new"):
            (Library if name == "library" else Own)(tmp_path / f"{age}-{name}.db").close()
        assert schema(tmp_path / f"old-{name}.db") == schema(tmp_path / f"new-{name}.db")
