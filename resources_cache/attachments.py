"""Files that a person attached to a question or a reply: the shelf's own copies, and how far each has gone.

The bytes are copied into a content-addressed folder before anything names them, so that moving or changing the
original loses nothing. What is attached to what stands in the bodies of the outbox (key ``attachments``), and the
table ``uploads`` keeps only how far each file is: queueing a question with its files is one row, and a kill at any
instant leaves either all of it or nothing.

    waiting ──begin──> sending ──delivered──> delivered
                          └──attention──> attention ──retry──> waiting

A file leaves after the hub has received the operation that names it, never before: until then it can be withdrawn.
"""

from __future__ import annotations

import json
import mimetypes
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from resources_cache.database import Row, Store
from resources_cache.errors import CacheError
from resources_cache.files import FileStore
from resources_cache.identity import utc_now
from resources_cache.own import Own

FOLDER = "attachments"
"""The folder of the copies, beside own.db."""

_NAME = 200
_STRAY_SECONDS = 86_400
"""Age at which a copy that nothing names any more is removed."""
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")


class NotAttachable(CacheError):
    """A file that cannot be attached. Nothing was copied or queued."""

    code = "not-attachable"
    default_advice = "Choose another file, or make it smaller."


@dataclass(frozen=True)
class Attached:
    """A copied file: hex SHA-256, bytes, the original's name, media type by its name."""

    hash: str
    size: int
    name: str
    media_type: str

    def to_json(self) -> dict[str, Any]:
        """As it stands in the list ``attachments`` of an outbox body."""
        return {"hash": self.hash, "size": self.size, "name": self.name, "media_type": self.media_type}


@dataclass(frozen=True)
class Upload:
    """An attachment and how far it is.

    ``state`` is "waiting", "sending", "delivered" or "attention"; ``done``: bytes that the hub has confirmed;
    ``place``: the hub's id of the upload, "" before it is known; ``failures``: how often the hub found other
    bytes than announced; ``problem``: why it needs attention (a JSON object), or None; ``carried``: when it was
    last left on a stick (UTC), or None.
    """

    hash: str
    size: int
    name: str
    state: str
    done: int
    place: str
    failures: int
    problem: dict[str, Any] | None
    carried: str | None = None


def open_files(home: Path, most: int) -> FileStore:
    """The folder of copies in a shelf's home; one file has at most ``most`` bytes. Nothing is ever evicted.

    Raises: StoreUnwritable, DiskFull.
    """
    return FileStore(home / FOLDER, most)


class Attachments:
    """The attachments of one shelf, for the thread that opened its ``Own``.

    Every method that writes is one transaction and raises DiskFull, StoreBusy, StoreDamaged or StoreUnwritable
    with nothing changed.
    """

    def __init__(self, store: Store, files: FileStore) -> None:
        self._store = store
        self.files = files

    @classmethod
    def of(cls, own: Own, files: FileStore) -> Attachments:
        """The attachments of an opened own.db, on its connection."""
        return cls(own._store, files)

    def take(self, source: Path, name: str | None = None) -> Attached:
        """Copy a file into the shelf; what is returned goes into the body of the operation.

        ``name``: how it is called for others (the file's own name when None).
        Raises: NotAttachable for what is no file, is empty, too large or unreadable; DiskFull, StoreUnwritable.
        """
        most = self.files.quota_bytes
        label = clean_name(name or source.name)
        try:
            if not source.is_file():
                raise NotAttachable(f"“{label}” is not a file that can be attached.")
            size = source.stat().st_size
            with source.open("rb") as original:
                original.read(1)
        except OSError as error:
            raise NotAttachable(f"“{label}” could not be read ({error.strerror or error}).") from None
        if size == 0:
            raise NotAttachable(f"“{label}” is empty.")
        if size > most:
            raise NotAttachable(f"“{label}” is {size:,} bytes; at most {most:,} can be attached.")
        hash_ = self.files.put(source)
        # What was copied counts: the original may have changed meanwhile.
        size = self.files.path(hash_).stat().st_size
        if not 0 < size <= most:
            raise NotAttachable(f"“{label}” changed while it was copied.", "Attach it again.")
        kind = (mimetypes.guess_type(label)[0] or "").lower()
        return Attached(hash_, size, label, kind if _MEDIA_TYPE.fullmatch(kind) else "application/octet-stream")

    def due(self) -> list[Upload]:
        """What has to go to the hub now: files of received operations, each once, the oldest question first."""
        return [one for one in self._of("received", "answered") if one.state in ("waiting", "sending")]

    def outstanding(self) -> list[Upload]:
        """Everything that has not arrived, also what waits for its question to leave first or needs attention."""
        found = self._of("waiting", "sending", "received", "answered")
        return [one for one in found if one.state != "delivered"]

    def of_body(self, body: Mapping[str, Any]) -> list[Upload]:
        """How far the attachments of one outbox item's body are, in its order."""
        return [self._upload(one["hash"], one["size"], one["name"]) for one in body.get("attachments") or []]

    def begin(self, hash_: str) -> None:
        """It is being sent from now on."""
        self._set(hash_, state="sending")

    def note(self, hash_: str, place: str, done: int) -> None:
        """The hub has ``done`` bytes of it, under its id ``place`` ("" where that is no longer known)."""
        self._set(hash_, state="sending", place=place, done=done)

    def delivered(self, hash_: str) -> None:
        """The hub has all of it and has verified it."""
        self._set(hash_, state="delivered", problem=None)

    def left_by_hand(self, hashes: Iterable[str]) -> None:
        """They are on a stick, sealed to the hub. They wait as before: for a link, or for the hub's answer by
        hand."""
        with self._store.transaction():
            for hash_ in hashes:
                self._set(hash_, carried=utc_now())

    def failed(self, hash_: str) -> int:
        """The hub found other bytes than announced and discarded them. Returns how often that happened so far."""
        with self._store.transaction():
            self._set(hash_, state="sending", place="", done=0)
            self._store.execute("UPDATE uploads SET failures = failures + 1 WHERE hash=?", (hash_,))
            return int(self._store.value("SELECT failures FROM uploads WHERE hash=?", (hash_,)))

    def set_aside(self, hash_: str, problem: Mapping[str, Any]) -> None:
        """It will not be accepted as it is, and needs the person's attention."""
        self._set(hash_, state="attention", problem=json.dumps(dict(problem)))

    def retry(self, hash_: str) -> None:
        """The person wants it tried again, from its beginning."""
        with self._store.transaction():
            self._set(hash_, state="waiting", place="", done=0, problem=None, carried=None)
            self._store.execute("UPDATE uploads SET failures=0 WHERE hash=?", (hash_,))

    def reoffer(self) -> int:
        """After the hub came back from a backup: offer what had arrived again. Returns how many files.

        What the hub still has costs one request each.
        """
        with self._store.transaction():
            hashes = self._store.rows("SELECT hash FROM uploads WHERE state='delivered'")
            kept = [hash_ for (hash_,) in hashes if self.files.has(hash_)]
            for hash_ in kept:
                self._set(hash_, state="waiting", place="", done=0, carried=None)
        return len(kept)

    def tidy(self, keep_days: int = 90) -> int:
        """Remove copies that nothing names (a day old), and delivered ones after ``keep_days``. Returns how many.

        Delivered copies stay that long so that they can be offered again to a hub that lost them.
        Raises: DiskFull, StoreUnwritable.
        """
        before = (datetime.now(UTC) - timedelta(days=keep_days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        gone = 0
        for hash_ in self.files.hashes():
            old = self._store.value(
                "SELECT 1 FROM uploads WHERE hash=? AND state='delivered' AND updated < ?", (hash_, before)
            )
            if old or (self._age(hash_) > _STRAY_SECONDS and not self._named(hash_)):
                gone += self.files.remove(hash_)
        for aside in self.files.root.glob(".put-*"):
            with suppress(OSError):  # another window's copy that finished just now
                if time.time() - aside.stat().st_mtime > _STRAY_SECONDS:
                    aside.unlink()
        return gone

    def _of(self, *states: str) -> list[Upload]:
        marks = ",".join("?" * len(states))
        rows = self._store.rows(
            "SELECT json_extract(named.value, '$.hash'), json_extract(named.value, '$.size'),"
            " json_extract(named.value, '$.name') FROM outbox, json_each(outbox.body, '$.attachments') AS named"
            f" WHERE outbox.state IN ({marks}) ORDER BY outbox.created, outbox.rowid, named.key",
            states,
        )
        unique: dict[str, Row] = {}
        for row in rows:
            unique.setdefault(row[0], row)
        return [self._upload(*row) for row in unique.values()]

    def _upload(self, hash_: str, size: int, name: str) -> Upload:
        row = self._store.row(
            "SELECT state, done, place, failures, problem, carried FROM uploads WHERE hash=?", (hash_,)
        )
        if row is None:
            return Upload(hash_, size, name, "waiting", 0, "", 0, None)
        state, done, place, failures, problem, carried = row
        why = json.loads(problem) if problem else None
        return Upload(hash_, size, name, state, done, place, failures, why, carried)

    def _set(self, hash_: str, **values: object) -> None:
        """Change the named columns of a file's row, making it first where there is none."""
        columns = ", ".join(f"{column}=?" for column in values)
        with self._store.transaction():
            self._store.execute(
                "INSERT OR IGNORE INTO uploads (hash, state, done, place, failures, updated)"
                " VALUES (?, 'waiting', 0, '', 0, ?)",
                (hash_, utc_now()),
            )
            self._store.execute(
                f"UPDATE uploads SET {columns}, updated=? WHERE hash=?", (*values.values(), utc_now(), hash_)
            )

    def _named(self, hash_: str) -> bool:
        """Whether anything that may still be sent, a draft, or what can be brought back names the file."""
        return bool(
            self._store.value(
                "SELECT EXISTS (SELECT 1 FROM outbox WHERE instr(body, ?) AND (state <> 'withdrawn'"
                " OR EXISTS (SELECT 1 FROM removed WHERE kind='outbox' AND key=outbox.id)))"
                " OR EXISTS (SELECT 1 FROM drafts WHERE instr(content, ?))"
                " OR EXISTS (SELECT 1 FROM removed WHERE instr(body, ?))",
                (hash_, hash_, hash_),
            )
        )

    def _age(self, hash_: str) -> float:
        try:
            return time.time() - (self.files.root / hash_[:2] / hash_).stat().st_mtime
        except FileNotFoundError:
            return 0.0


def clean_name(name: str) -> str:
    """A file's name as others may see it: one line, no folders, at most 200 characters with its ending."""
    name = _UNFIT.sub(" ", name).strip() or "file"
    if name in (".", ".."):
        return "file"
    if len(name) > _NAME:
        stem, dot, ending = name.rpartition(".")
        keep = f"{dot}{ending}" if stem and len(ending) <= 10 else ""
        name = name[: _NAME - len(keep)] + keep
    return name
