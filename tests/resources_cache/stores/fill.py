"""Fills two stores by whatever code is on the path: how the files beside this one were made.

    git worktree add --detach OLD COMMIT && cd OLD && PYTHONPATH=OLD python fill.py FOLDER

for the last commit that had each version of a schema; then `own.db` and `library.db` packed with zstd, by their
`user_version`. A new version of a schema adds the file of the one before it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pysqlite3 import dbapi2

from resources_cache.cards import Cursor
from resources_cache.library import Library
from resources_cache.own import Own

CARD = {
    "id": "r1",
    "type": "resource",
    "title": "Écoles connectées",
    "summary": "Des tablettes pour chaque école.",
    "lang": "fr",
    "year": 2024,
    "themes": ["access"],
    "country": "BJ",
    "authors": ["Afi Dossou"],
    "updated": "2026-01-02T00:00:00Z",
}
TEXT = {
    "id": "x1",
    "type": "text",
    "resource": "r1",
    "lang": "fr",
    "format": "plain",
    "body": "Les enseignants partagent des tablettes.",
}
THREAD = {
    "id": "t1",
    "type": "thread",
    "title": "Radios in the rain",
    "lang": "en",
    "themes": ["access"],
    "updated": "2026-01-03T00:00:00Z",
    "messages": [],
}


def fill(folder: Path) -> None:
    """Write both stores into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with Library(folder / "library.db") as library:
        library.apply("public/cards/fr", [CARD], Cursor(1, 3))
        library.apply("public/texts/fr", [TEXT], Cursor(1, 2))
        library.apply("public/talk/en", [THREAD], Cursor(1, 1))
    with Own(folder / "own.db") as own:
        own.set_setting("languages", ["fr", "en"])
        own.set_setting("hub_url", "https://hub.example.org")
        own.save_draft("ask", {"title": "Half a question"})
        own.bookmark("r1", "Écoles connectées")
        own.set_note("r1", "Read the second chapter again.")
        own.set_reading_place("r1", 0.5)
        own.pin("ab" * 32)
        own.outbox.add("ask", "How many tablets?", {"kind": "question", "body": "One for each child?"})
        own.outbox.add("reply", "A reply", {"thread": "t1", "body": "We did it with radios."})
        own.add_sync({"bytes_up": 100, "bytes_down": 900, "requests": 2}, day="2026-01-03")
    for name in ("own.db", "library.db"):
        connection = dbapi2.connect(str(folder / name))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


if __name__ == "__main__":
    fill(Path(sys.argv[1]))
