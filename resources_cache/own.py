"""The person's own work, in own.db: outbox, drafts, settings, bookmarks, highlights, notes, where reading stopped.

Nothing here can be fetched from anywhere else, so writes are synced to the disk (``synchronous=FULL``), there
are verified backups, and a damaged file is set aside and never deleted. An ``Own`` belongs to the thread
that opened it; each thread opens its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from resources_cache import backups, removed, saved_searches
from resources_cache.annotations import Annotation, Annotations
from resources_cache.cards import Check, Filters
from resources_cache.checks import check_file, check_sqlite
from resources_cache.collections import Collections
from resources_cache.database import Store, Watcher
from resources_cache.downloads import Downloads
from resources_cache.errors import SettingLocked
from resources_cache.identity import local_day, utc_now
from resources_cache.outbox import Item, Outbox
from resources_cache.remembered import Memory
from resources_cache.removed import RecentlyRemoved
from resources_cache.saved_searches import SavedSearch

if TYPE_CHECKING:
    from resources_cache.bringing_back import BroughtBack

__all__ = [
    "Annotation", "Annotations", "Bookmark", "Device", "Draft", "FilePlace", "Item", "Outbox", "Own", "Place",
    "SavedSearch", "StoredSync",
]  # fmt: skip

_KEPT_SYNCS = 2_000
FILE_PLACES = 500
"""So many files have a place where reading of them stopped."""


@dataclass(frozen=True)
class Device:
    """This copy of the person's work: ``id`` (UUIDv7), and ``epoch``, which rises when the copy is restored."""

    id: str
    epoch: int


@dataclass(frozen=True)
class Draft:
    """Something half written: its key, the JSON object, and when it was saved."""

    key: str
    content: dict[str, Any]
    updated: str


@dataclass(frozen=True)
class Bookmark:
    """A saved record: its id, its title at that time, and when."""

    id: str
    title: str
    created: str


@dataclass(frozen=True)
class Place:
    """Where reading stopped: ``fraction`` of the text, 0 to 1."""

    id: str
    fraction: float
    updated: str


@dataclass(frozen=True)
class FilePlace:
    """Where reading of a file stopped: a page or chapter from 0, how far ``within`` it (0..1), and the size it is
    read in (1: its own; 0: as wide as the window)."""

    page: int = 0
    within: float = 0.0
    zoom: float = 0.0


@dataclass(frozen=True)
class StoredSync:
    """One sync of the history: when it was kept (UTC), bytes both ways with headers, and the whole report."""

    at: str
    bytes: int
    report: dict[str, Any]


_ABOUT = ("title", "kind", "target")
"""What of a draft says what it is about."""


def _attached(content: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The files of a draft by their hash."""
    found = (content or {}).get("attachments")
    listed = found if isinstance(found, list) else []
    return {str(one["hash"]): dict(one) for one in listed if isinstance(one, dict) and one.get("hash")}


def _is_file(hash_: str, body: Mapping[str, Any]) -> bool:
    return bool(body["file"].get("hash") == hash_)


def _written(content: Mapping[str, Any]) -> str:
    """The words of a draft, or the name of a file with it; "" where there is nothing to bring back."""
    words = [content.get(name) for name in ("body", "decision")]
    words += [file.get("name") for file in _attached(content).values()]
    words.append(content.get("title"))
    return next((word.strip() for word in words if isinstance(word, str) and word.strip()), "")


BACKUP_HOURS = 4
"""Hours of work that a damaged file costs at most, where the window is open or something is synced meanwhile."""


class Own:
    """own.db, opened for one thread. Use as a context manager or call ``close``.

    Every method that writes is one transaction, and raises DiskFull, StoreBusy, StoreDamaged or
    StoreUnwritable with nothing changed.
    """

    def __init__(self, path: Path, *, on_statement: Watcher | None = None) -> None:
        """Open (create, upgrade, or, where it is damaged, restore) the store at ``path``.

        ``recovered`` then says what was done about damage, or is None; ``from_backup`` whether a backup stands in
        for what was damaged.
        Raises: StoreTooNew, StoreBusy, StoreUnwritable, DiskFull; StoreDamaged only where the damaged file
        cannot be set aside.
        """
        self.path = Path(path)
        self._store: Store
        self._locked: dict[str, Any] = {}
        self._otherwise: dict[str, Any] = {}
        self._store, recovery = backups.open_own(self.path, on_statement)
        self.recovered = recovery.words if recovery is not None else None
        self.from_backup = recovery is not None and recovery.from_backup
        self.outbox = Outbox(self._store, before_leaving=lambda: backups.bear_witness(self._store))
        self.annotations = Annotations(self._store)
        self.downloads = Downloads(self._store)
        self.collections = Collections(self._store)
        self.memory = Memory(self._store)
        self.removed = RecentlyRemoved(self._store)

    def __enter__(self) -> Own:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; closing twice does nothing."""
        self._store.close()

    # Settings and device

    def setting(self, key: str, default: Any = None) -> Any:
        """A setting's JSON value, or ``default`` where it was never set; but first what was decided."""
        if key in self._locked:
            return self._locked[key]
        found = self._store.value("SELECT value FROM settings WHERE key=?", (key,))
        return self._otherwise.get(key, default) if found is None else json.loads(found)

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a JSON value. Raises: TypeError where it is not JSON; SettingLocked where another was decided."""
        if key in self._locked and self._locked[key] != value:
            raise SettingLocked("Your administrator decided this for this PC, so it was not changed.")
        self._store.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, json.dumps(value)))

    def forget_setting(self, key: str) -> None:
        """As if it had never been set."""
        self._store.execute("DELETE FROM settings WHERE key=?", (key,))

    def decide(self, locked: Mapping[str, Any], otherwise: Mapping[str, Any]) -> None:
        """From now on, for this object: settings that cannot be changed, and values for those never set."""
        self._locked, self._otherwise = dict(locked), dict(otherwise)

    def is_locked(self, key: str) -> bool:
        """Whether a setting cannot be changed."""
        return key in self._locked

    def settings(self) -> dict[str, Any]:
        """All settings that were set."""
        return {k: json.loads(v) for k, v in self._store.rows("SELECT key, value FROM settings ORDER BY key")}

    def device(self) -> Device:
        """Who this copy is to the hub."""
        row = self._store.row("SELECT id, epoch FROM device")
        assert row is not None, "own.db has no device row"
        return Device(str(row[0]), int(row[1]))

    def new_device_epoch(self) -> Device:
        """Begin a new epoch: counters start anew and unsent items get new ones. Returns the device."""
        backups.begin_epoch(self._store)
        return self.device()

    # Drafts, saved as they are typed

    def save_draft(self, key: str, content: Mapping[str, Any]) -> None:
        """Keep what is half written under ``key`` (a form or "reply:<id>"), replacing what was there.

        Files that were attached to it and are no more can be brought back (``removed``).
        """
        with self._store.transaction() as store:
            begun = self.draft(key)
            if begun is None and key.startswith("edit:"):
                row = store.value("SELECT body FROM outbox WHERE id=?", (key.removeprefix("edit:"),))
                begun = json.loads(row) if row is not None else None
            before, now = _attached(begun), _attached(content)
            for hash_ in before.keys() - now.keys():
                file = before[hash_]
                kept = {"file": file, "draft": {name: content[name] for name in _ABOUT if name in content}}
                removed.keep(store, "attachment", key, str(file.get("name") or ""), kept)
            for hash_ in now.keys() - before.keys():
                removed.settle(store, "attachment", key, partial(_is_file, hash_))
            store.execute(
                "INSERT OR REPLACE INTO drafts VALUES (?, ?, ?)", (key, json.dumps(dict(content)), utc_now())
            )

    def draft(self, key: str) -> dict[str, Any] | None:
        """What is half written under ``key``, or None."""
        found = self._store.value("SELECT content FROM drafts WHERE key=?", (key,))
        return None if found is None else dict(json.loads(found))

    def drafts(self) -> list[Draft]:
        """All that is half written, last saved first."""
        rows = self._store.rows("SELECT key, content, updated FROM drafts ORDER BY updated DESC, key")
        return [Draft(key, json.loads(content), updated) for key, content, updated in rows]

    def delete_draft(self, key: str) -> None:
        """Throw a draft away; where anything was written in it, it can be brought back (``removed``)."""
        with self._store.transaction() as store:
            row = store.row("SELECT key, content, updated FROM drafts WHERE key=?", (key,))
            if row is not None:
                content = json.loads(row[1])
                if words := _written(content):
                    removed.keep(
                        store, "draft", key, str(content.get("title") or "") or words, {"rows": [list(row)]}
                    )
                self.drop_draft(key)

    def drop_draft(self, key: str) -> None:
        """Forget a draft that went to the outbox: what was written in it is there."""
        self._store.execute("DELETE FROM drafts WHERE key=?", (key,))

    # Bookmarks, notes, reading place, pins

    def bookmark(self, id_: str, title: str) -> None:
        """Save a record; saving it again changes only the title."""
        self._store.execute(
            "INSERT INTO bookmarks VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET title=excluded.title",
            (id_, title, utc_now()),
        )

    def unbookmark(self, id_: str) -> None:
        """Take a record out of the saved ones."""
        self.unbookmark_all([id_])

    def unbookmark_all(self, ids: Iterable[str]) -> list[Bookmark]:
        """Take records out of the saved ones; returns what was taken out, the last saved first.

        Together they are one removal (``removed``).
        """
        wanted = set(ids)
        with self._store.transaction() as store:
            gone = [one for one in self.bookmarks() if one.id in wanted]
            if gone:
                rows = [[one.id, one.title, one.created] for one in gone]
                removed.keep(store, "saved", gone[0].id, gone[0].title, {"rows": rows})
                store.executemany("DELETE FROM bookmarks WHERE id=?", [(one.id,) for one in gone])
        return gone

    def put_bookmarks_back(self, gone: Iterable[Bookmark]) -> None:
        """Undo ``unbookmark``: each is at its place among the others again."""
        rows = [[one.id, one.title, one.created] for one in gone]
        with self._store.transaction() as store:
            store.executemany("INSERT OR IGNORE INTO bookmarks VALUES (?, ?, ?)", rows)
            if rows:
                removed.settle(store, "saved", rows[0][0], lambda body: body["rows"] == rows)

    def bookmarks(self) -> list[Bookmark]:
        """The saved records, last saved first."""
        return [Bookmark(*row) for row in self._store.rows(
            "SELECT id, title, created FROM bookmarks ORDER BY created DESC, id DESC")]  # fmt: skip

    def set_note(self, id_: str, body: str) -> None:
        """Keep the person's note on a record; an empty one is removed."""
        with self._store.transaction() as store:
            if body:
                store.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", (id_, body, utc_now()))
                removed.settle(store, "note", id_, lambda kept: kept["rows"][0][1] == body)
                return
            row = store.row("SELECT id, body, updated FROM notes WHERE id=?", (id_,))
            if row is not None:
                removed.keep(store, "note", id_, str(row[1]), {"rows": [list(row)]})
                store.execute("DELETE FROM notes WHERE id=?", (id_,))

    def note(self, id_: str) -> str:
        """The person's note on a record, or ""."""
        return str(self._store.value("SELECT body FROM notes WHERE id=?", (id_,)) or "")

    def notes(self) -> dict[str, str]:
        """All notes by record id, last written first."""
        return dict(self._store.rows("SELECT id, body FROM notes ORDER BY updated DESC, id"))

    def written(self) -> dict[str, str]:
        """All that was written or marked on each record, as one text by its id: what a search looks through."""
        found = self.notes()
        for one in self.annotations.everything():
            parts = (found.get(one.resource, ""), one.note, one.anchor.quote)
            found[one.resource] = "\n".join(part for part in parts if part)
        return found

    def reading_place(self, id_: str) -> float:
        """Where reading stopped, as a fraction of the text from 0 to 1; 0 where it never began."""
        return float(self._store.value("SELECT fraction FROM places WHERE id=?", (id_,)) or 0.0)

    def set_reading_place(self, id_: str, fraction: float, *, reset: bool = False) -> None:
        """Keep the furthest place; with ``reset``, this one. Values beyond 0 and 1 are taken as these.

        Raises: ValueError for a fraction that is no number.
        """
        if fraction != fraction:
            raise ValueError("the reading place is not a number")
        place = min(1.0, max(0.0, float(fraction)))
        self._store.execute(
            "INSERT INTO places VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET updated=excluded.updated,"
            " fraction = iif(?, excluded.fraction, max(fraction, excluded.fraction))",
            (id_, place, utc_now(), reset),
        )

    def reading_places(self, limit: int = 10) -> list[Place]:
        """Where reading stopped, the last read first."""
        rows = self._store.rows("SELECT id, fraction, updated FROM places ORDER BY updated DESC LIMIT ?", (limit,))
        return [Place(*row) for row in rows]

    def file_place(self, hash_: str) -> FilePlace:
        """Where reading of a file stopped, by its hex SHA-256; its beginning where it never began."""
        rows = self._store.rows("SELECT page, within, zoom FROM file_places WHERE hash=?", (hash_,))
        return FilePlace(*rows[0]) if rows else FilePlace()

    def file_read_last(self, id_: str, hashes: Sequence[str]) -> str:
        """Which of a record's files was read after its text, by hex SHA-256; "" where the text was, or none."""
        holes = ", ".join("?" * len(hashes))
        found = self._store.value(
            f"SELECT hash FROM file_places WHERE hash IN ({holes})"
            " AND updated >= coalesce((SELECT updated FROM places WHERE id=?), '') ORDER BY updated DESC LIMIT 1",
            (*hashes, id_),
        )
        return str(found or "")

    def set_file_place(self, hash_: str, place: FilePlace) -> None:
        """Keep where reading of a file is; the places of the ``FILE_PLACES`` last read files are kept.

        Raises: ValueError for a page below 0 or numbers that are none.
        """
        if place.page < 0 or not (isfinite(place.within) and isfinite(place.zoom)):
            raise ValueError("this is no place in a file")
        within, zoom = min(1.0, max(0.0, place.within)), min(100.0, max(0.0, place.zoom))
        with self._store.transaction():
            self._store.execute(
                "INSERT OR REPLACE INTO file_places VALUES (?, ?, ?, ?, ?)",
                (hash_, place.page, within, zoom, utc_now()),
            )
            self._store.execute(
                "DELETE FROM file_places WHERE hash IN"
                " (SELECT hash FROM file_places ORDER BY updated DESC, hash LIMIT -1 OFFSET ?)",
                (FILE_PLACES,),
            )

    def pin(self, hash_: str) -> None:
        """Keep a downloaded file, by hex SHA-256, whatever eviction does."""
        self._store.execute("INSERT OR IGNORE INTO pins VALUES (?, ?)", (hash_, utc_now()))

    def unpin(self, hash_: str) -> None:
        """Let eviction have the file again."""
        self._store.execute("DELETE FROM pins WHERE hash=?", (hash_,))

    def pins(self) -> set[str]:
        """The hashes of the files to keep."""
        return {str(hash_) for (hash_,) in self._store.rows("SELECT hash FROM pins")}

    # Saved searches

    def save_search(self, words: str, filters: Filters, seen: str) -> None:
        """Keep a search, seen up to ``seen`` (``Library.newest_change`` of now)."""
        saved_searches.save(self._store, words, filters, seen)

    def look_at_search(self, words: str, filters: Filters, seen: str) -> None:
        """Note that a kept search was looked at; one that is not kept is not noted."""
        saved_searches.look(self._store, words, filters, seen)

    def forget_search(self, words: str, filters: Filters) -> None:
        """Keep a search no longer."""
        saved_searches.forget(self._store, words, filters)

    def put_search_back(self, gone: SavedSearch) -> None:
        """Undo ``forget_search``."""
        saved_searches.put_back(self._store, gone)

    def searches(self) -> list[SavedSearch]:
        """The kept searches, last saved first."""
        return saved_searches.kept(self._store)

    # What was removed

    def bring_back(self, id_: int) -> BroughtBack:
        """Put one removal (``removed.all``) back where it was, in one transaction.

        Raises: NotFound (it is back or gone already), NotEditable (sent meanwhile).
        """
        from resources_cache import bringing_back

        return bringing_back.bring_back(self, id_)

    # History of syncs

    def add_sync(self, report: Mapping[str, Any], *, day: str | None = None) -> None:
        """Keep a sync's report. ``bytes_up`` + ``bytes_down`` count as spent on ``day`` (local; today if None).

        A report with an ``id`` replaces the one kept under it, so that a running sync may save what it has
        spent so far and a killed one is still accounted for.
        """
        spent = int(report.get("bytes_up") or 0) + int(report.get("bytes_down") or 0)
        id_ = report.get("id")
        with self._store.transaction() as store:
            store.execute(
                "INSERT INTO syncs (id, at, day, bytes, report) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id)"
                " DO UPDATE SET at=excluded.at, bytes=excluded.bytes, report=excluded.report",
                (
                    id_ if isinstance(id_, str) else None,
                    utc_now(),
                    day or local_day(),
                    spent,
                    json.dumps(dict(report)),
                ),
            )
            removed.tidy(store)
            store.execute("DELETE FROM syncs WHERE n <= (SELECT max(n) FROM syncs) - ?", (_KEPT_SYNCS,))

    def syncs(self, limit: int = 50) -> list[StoredSync]:
        """The last syncs, newest first."""
        rows = self._store.rows("SELECT at, bytes, report FROM syncs ORDER BY n DESC LIMIT ?", (max(0, limit),))
        return [StoredSync(at, spent, json.loads(report)) for at, spent, report in rows]

    def spent(self, day: str | None = None) -> int:
        """Bytes that syncs moved both ways on a local day "YYYY-MM-DD" (today if None)."""
        return int(
            self._store.value("SELECT coalesce(sum(bytes), 0) FROM syncs WHERE day=?", (day or local_day(),))
        )

    # Safety

    def backup(self) -> Path:
        """Write a verified copy into ``backups/`` beside own.db and thin out old ones; returns its path.

        Raises: DiskFull, StoreUnwritable; StoreDamaged where the copy does not verify (it is then removed).
        """
        return backups.write_backup(self._store)

    def backup_if_due(self, hours: float = BACKUP_HOURS) -> Path | None:
        """As ``backup``, where the last one is older than ``hours``; else None."""
        return backups.write_backup(self._store) if backups.is_due(self.path, hours) else None

    def check(self) -> list[Check]:
        """What `hubshelf doctor` says of the person's work: sound file, backups, what is stuck in the outbox."""
        advice = "Close Hubshelf and open it again: the last good backup is restored and the damaged file kept."
        found = [check_sqlite(), check_file(self._store, advice), backups.check_backups(self.path)]
        stuck = len(self.outbox.items(["attention"])) if found[1].ok else 0
        detail = f"{stuck} refused by the hub" if stuck else "nothing was refused"
        found.append(
            Check(
                "outbox", not stuck, detail, "Open the outbox: it says why, and what to change." if stuck else ""
            )
        )
        return found
