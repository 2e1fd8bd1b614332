"""A person's own work in one file for a new PC: notes, highlights, shelf, drafts, outbox, settings, attachments.

Inside the sealed file (``passphrase_file``): length (4 bytes, big endian) and JSON of the list of contents,
own.db, and the attachments in the order of the list. Reading goes into a folder of its own first; only when the
last byte is verified does one transaction of own.db put the new in the place of the old, so that a kill at any
instant leaves one or the other. Where own work was here, a backup of it is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2

from resources_cache import backups
from resources_cache.database import Store, known_errors, looks_sound, open_store
from resources_cache.downloads import Download, Downloads
from resources_cache.errors import CacheError, StoreDamaged, StoreTooNew
from resources_cache.files import FileStore
from resources_cache.own import Own
from resources_cache.own_schema import MIGRATIONS
from resources_cache.passphrase_file import (
    USUAL_COST,
    MoveFileDamaged,
    MoveFileTooNew,
    SealedReader,
    SealedWriter,
)
from resources_cache.placing import put_in_place

ENDING = ".hubshelf-move"
MOVED_OUT = "moved_out"
"""Setting: when this shelf was moved to another PC (UTC), or None. While it stands nothing is sent from here."""
MOVED_IN = "moved_in"
"""Setting: the id of the new device that this shelf becomes at its next contact, or None."""
LIBRARY_ANEW = "library_anew"
"""Setting: true where what came from the hub is another hub's, and goes before the next sync."""

_LIST = 4 * 1024 * 1024
_OWN_DB = 1024 * 1024 * 1024
_FILES = 10_000
_PART = 1024 * 1024
_LOCAL_SETTINGS = (MOVED_OUT, MOVED_IN, LIBRARY_ANEW, "complete_at", "link_rate", "last_in_step", "news_applied")
"""Settings that speak of one PC, its link, or the library that stays there."""
_LOCAL_TABLES = ("device", "syncs")
_WORK = ("outbox", "drafts", "bookmarks", "notes", "annotations", "collections", "searches", "removed")
"""Tables of what a person wrote or chose; a shelf where one has a row is in use."""
_JSON = (
    ("settings", "value"),
    ("outbox", "body"),
    ("drafts", "content"),
    ("searches", "filters"),
    ("removed", "body"),
)


class ShelfInUse(CacheError):
    """There is own work on the shelf that another one should take the place of."""

    code = "shelf-in-use"
    default_advice = "Use another folder (--home), or `hubshelf move-in --replace`, which keeps a backup."


class FileExists(CacheError):
    """A file of that name is there already."""

    code = "file-exists"
    default_advice = "Choose another name, or another folder."


@dataclass(frozen=True)
class Contents:
    """What is in the file. ``made``: UTC; ``about``: what else the maker says (JSON object).

    ``own_bytes``: of own.db; ``files``: the attachments as (hex SHA-256, bytes).
    """

    made: str
    own_bytes: int
    files: tuple[tuple[str, int], ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of everything in it."""
        return self.own_bytes + sum(size for _hash, size in self.files)


@dataclass(frozen=True)
class Staged:
    """A file that was read and verified to its last byte: its contents, and the folder that they are in."""

    contents: Contents
    folder: Path

    @property
    def own_path(self) -> Path:
        return self.folder / "own.db"

    def discard(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def pack(
    own: Own,
    files: FileStore,
    target: Path,
    passphrase: str,
    *,
    made: str,
    about: Mapping[str, Any],
    wanted: Iterable[Download] = (),
    overwrite: bool = False,
    cost: int = USUAL_COST,
) -> Contents:
    """Write all own work to ``target``, read it back, and return what is in it.

    ``wanted``: files that the new PC fetches. Where anything fails there is no ``target``, or the one of before.
    Raises: FileExists, PassphraseTooShort, DiskFull, StoreUnwritable, MoveFileDamaged (what was written cannot be
    read back: the disk or stick is failing), CacheError.
    """
    if target.exists() and not overwrite:
        raise FileExists(f"There is a file named {target.name} already.")
    folder = _fresh(own.path.with_name("moving-out"))
    part = target.with_name(target.name + ".part")
    try:
        copy = _snapshot(own, folder / "own.db", wanted)
        with known_errors(target):
            attached = tuple((one, files.path(one).stat().st_size) for one in files.hashes())
            contents = Contents(made, copy.stat().st_size, attached, about)
            with part.open("wb") as out:
                with suppress(OSError):  # what FAT does not know
                    part.chmod(0o600)
                writer = SealedWriter(out, passphrase, cost=cost)
                _write(writer, contents, [copy, *(files.path(one) for one, _size in attached)])
                writer.finish()
                out.flush()
                os.fsync(out.fileno())
            with part.open("rb") as back:
                _read_through(SealedReader(back, passphrase))
            put_in_place(part, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return contents


def stage(source: Path, passphrase: str, folder: Path, *, most_file: int) -> Staged:
    """Read ``source`` into ``folder`` (which is made anew) and verify all of it; nothing else is changed.

    ``most_file``: bytes that one attachment may have. Raises: NotAMoveFile, MoveFileTooNew, MoveFileDamaged,
    WrongPassphrase, DiskFull, StoreUnwritable.
    """
    _fresh(folder)
    try:
        with known_errors(source), source.open("rb") as file:
            reader = SealedReader(file, passphrase)
            contents = _read_contents(reader, most_file)
            _copy_out(reader, folder / "own.db", contents.own_bytes)
            for hash_, size in contents.files:
                if _copy_out(reader, folder / hash_, size) != hash_:
                    raise MoveFileDamaged("An attachment in the file is not the one it is said to be.")
            if reader.read(1):
                raise MoveFileDamaged("There is more in the file than it says.")
        _check_own(folder / "own.db")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Staged(contents, folder)


def in_use(own: Own) -> bool:
    """Whether a person wrote or kept something on this shelf."""
    return any(own._store.value(f"SELECT EXISTS (SELECT 1 FROM {table})") for table in _WORK)


def take_over(own: Own, files: FileStore, staged: Staged, settings: Mapping[str, Any], *, replace: bool) -> None:
    """Put the staged work in the place of this shelf's, in one transaction; ``settings`` are set with it.

    What waits gets numbers of a new device epoch; nothing keeps those of the old PC.
    Raises: ShelfInUse (unless ``replace``), DiskFull, StoreBusy, StoreUnwritable, with nothing changed.
    """
    if in_use(own):
        if not replace:
            raise ShelfInUse("There is work of somebody on this PC's shelf already.")
        own.backup()
    for hash_, _size in staged.contents.files:
        # Content-addressed: until something names them they are strays, which are tidied away.
        files.put(staged.folder / hash_)
    store = own._store
    store.execute("ATTACH ? AS moved", (str(staged.own_path),))
    try:
        with store.transaction():
            epoch = int(store.value("SELECT epoch FROM moved.device"))
            for table, columns in _tables():
                names = ", ".join(columns)
                store.execute(f"DELETE FROM main.{table}")
                store.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM moved.{table}")
            for key in _LOCAL_SETTINGS:
                store.execute("DELETE FROM main.settings WHERE key=?", (key,))
            for key, value in settings.items():
                store.execute("INSERT OR REPLACE INTO main.settings VALUES (?, ?)", (key, json.dumps(value)))
            backups.begin_epoch(store, epoch)
    finally:
        store.execute("DETACH moved")
    backups.bear_witness(store)
    # Should own.db be damaged now, nobody's earlier work may come back in its place.
    own.backup()


def set_moved(own: Own, *, out: str | None, becomes: str | None = None) -> None:
    """Note that this shelf was moved out at ``out`` (UTC); with None, that it goes on here, as the device
    ``becomes`` and in a new epoch. One transaction. Raises: CacheError."""
    with own._store.transaction():
        own.set_setting(MOVED_OUT, out)
        own.set_setting(MOVED_IN, becomes)
        if out is None:
            backups.begin_epoch(own._store)


def _fresh(folder: Path) -> Path:
    with known_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
    return folder


def _snapshot(own: Own, copy: Path, wanted: Iterable[Download]) -> Path:
    """A copy of own.db as it is at one instant, without what only this PC needs."""
    own._store.execute("VACUUM INTO ?", (str(copy),))
    store = open_store(copy, MIGRATIONS)
    try:
        store.execute("DELETE FROM syncs")
        Downloads(store).add(wanted)
        # One file, without a log beside it.
        store.value("PRAGMA journal_mode=DELETE")
    finally:
        store.close()
    return copy


def _write(writer: SealedWriter, contents: Contents, sources: Iterable[Path]) -> None:
    listed = json.dumps(
        {
            "made": contents.made,
            "own": contents.own_bytes,
            "files": [list(one) for one in contents.files],
            "about": dict(contents.about),
        }
    ).encode()
    writer.write(len(listed).to_bytes(4, "big") + listed)
    for source in sources:
        with source.open("rb") as file:
            while part := file.read(_PART):
                writer.write(part)


def _read_through(reader: SealedReader) -> None:
    while reader.read(_PART):
        pass


def _read_contents(reader: SealedReader, most_file: int) -> Contents:
    length = int.from_bytes(reader.read_exactly(4), "big")
    if length > _LIST:
        raise MoveFileDamaged("The list of what is in the file is too long.")
    try:
        listed = json.loads(reader.read_exactly(length))
        made, own_bytes, about = listed["made"], listed["own"], listed["about"]
        files = tuple((hash_, size) for hash_, size in listed["files"])
        sound = (
            isinstance(made, str)
            and isinstance(about, dict)
            and _count(own_bytes, _OWN_DB)
            and len(files) <= _FILES
            and len({hash_ for hash_, _size in files}) == len(files)
            and all(_is_hash(hash_) and _count(size, most_file) for hash_, size in files)
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise MoveFileDamaged("The list of what is in the file cannot be read.")
    return Contents(made, own_bytes, files, about)


def _count(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef")


def _copy_out(reader: SealedReader, target: Path, size: int) -> str:
    """Write the next ``size`` bytes to ``target``; returns their SHA-256."""
    digest = hashlib.sha256()
    # "x": nothing that is there is written over or followed.
    with known_errors(target), target.open("xb") as out:
        while size:
            part = reader.read_exactly(min(size, _PART))
            digest.update(part)
            out.write(part)
            size -= len(part)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def _check_own(path: Path) -> None:
    """Bring the own.db of an older version up to date, and see that it is one. Raises as ``stage``."""
    try:
        _refuse_machinery(path)
        store = open_store(path, MIGRATIONS)
        try:
            looks_sound(store)
            for table, columns in _tables():
                found = {str(row[1]) for row in store.rows(f"PRAGMA table_info({table})")}
                if not found.issuperset(columns):
                    raise MoveFileDamaged(f"The work in the file lacks “{table}”.")
            for table, column in _JSON:
                if store.value(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE NOT json_valid({column}))"):
                    raise MoveFileDamaged(f"What is in the file under “{table}” cannot be read.")
            if store.value("SELECT count(*) FROM device WHERE typeof(epoch)='integer' AND epoch>0") != 1:
                raise MoveFileDamaged("The file names no device.")
            store.value("PRAGMA journal_mode=DELETE")
        finally:
            store.close()
    except StoreTooNew:
        raise MoveFileTooNew("The file was made by a newer Hubshelf than this one.") from None
    except StoreDamaged as error:
        raise MoveFileDamaged(f"The work in the file is damaged ({error}).") from None


def _refuse_machinery(path: Path) -> None:
    """Ours has tables and indexes only: what could run at a migration or a reading is nobody's of us."""
    with known_errors(path):
        connection = dbapi2.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            connection.execute("PRAGMA trusted_schema=OFF")
            kinds = {kind for (kind,) in connection.execute("SELECT DISTINCT type FROM sqlite_master")}
            virtual = connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%' OR sql LIKE '%GENERATED%'"
            ).fetchone()
        finally:
            connection.close()
    if kinds - {"table", "index"} or virtual[0]:
        raise MoveFileDamaged("The work in the file is not of the kind that Hubshelf writes.")


def _tables() -> list[tuple[str, list[str]]]:
    """The tables that move, as this version's own.db has them, each with its columns."""
    connection = dbapi2.connect(":memory:", isolation_level=None)
    plain = Store(Path(":memory:"), connection, None)
    try:
        for step in MIGRATIONS:
            step(plain)
        names = plain.rows("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'")
        return [
            (str(name), [str(row[1]) for row in plain.rows(f"PRAGMA table_info({name})")])
            for (name,) in names
            if name not in _LOCAL_TABLES
        ]
    finally:
        plain.close()
