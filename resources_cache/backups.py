"""Opening own.db safely: recognising damage and copies, restoring the last good backup, writing backups.

A witness file beside own.db remembers which file it was and how far the device's counter had come. A file
that is another one, or that has gone back, is a copy or a restored backup; it begins a new device epoch, so
that no counter of the old one is ever used twice.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pysqlite3 import dbapi2

from resources_cache.cards import Check
from resources_cache.database import (
    Store,
    Watcher,
    known_errors,
    looks_sound,
    open_store,
    opening_alone,
    set_aside,
    suspicion,
)
from resources_cache.errors import CacheError, StoreDamaged
from resources_cache.outbox import Outbox
from resources_cache.own_schema import MIGRATIONS
from resources_cache.placing import put_in_place

_PREFIX = "own-"
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_WITNESSED = ("file", "epoch", "counter")


class Recovery(NamedTuple):
    """What was done about damage, in words, and whether a backup was put in the place of what was damaged."""

    words: str
    from_backup: bool


def open_own(path: Path, watcher: Watcher | None) -> tuple[Store, Recovery | None]:
    """Open own.db and say what was done about damage (None where there was none).

    Raises: StoreTooNew, StoreBusy, StoreUnwritable, DiskFull; StoreDamaged where the damaged file cannot be
    set aside.
    """
    with opening_alone(path):
        recovered = None
        try:
            store = _open_sound(path, watcher)
        except StoreDamaged as damage:
            recovered = _restore(path, str(damage))
            store = _open_sound(path, watcher)
        try:
            _follow_witness(store, restored=recovered is not None)
        except BaseException:
            store.close()
            raise
    return store, recovered


def begin_epoch(store: Store, at_least: int = 0) -> None:
    """A new device epoch, larger than the present one and ``at_least``; unsent items get counters of it.

    How much larger is left to chance: a PC's image that was copied to a hundred others begins a hundred new
    epochs from one and the same, and each should be its own. They stay below 2**21 for hundreds of copies.
    """
    with store.transaction():
        store.execute(
            "UPDATE device SET epoch = max(epoch, ?) + ?, counter = 0", (at_least, 1 + secrets.randbelow(4096))
        )
        Outbox(store).renumber()


def write_backup(store: Store) -> Path:
    """See ``Own.backup``."""
    folder = _folder(store.path)
    with known_errors(store.path):
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{_PREFIX}{datetime.now(UTC).strftime(_STAMP)}.db"
        aside = target.with_suffix(".part")
        aside.unlink(missing_ok=True)
        try:
            store.execute("VACUUM INTO ?", (str(aside),))
            problem = _problem_of(aside)
            if problem:
                raise StoreDamaged(f"The backup of {store.path.name} did not verify ({problem}).")
            with aside.open("rb+") as file:
                os.fsync(file.fileno())
            put_in_place(aside, target)
        finally:
            aside.unlink(missing_ok=True)
        _thin(folder)
    return target


def is_due(path: Path, hours: float) -> bool:
    """Whether the newest backup of own.db at ``path`` is older than ``hours``, or there is none."""
    found = _backups(_folder(path))
    return not found or time.time() - found[0].stat().st_mtime > hours * 3600


def check_backups(path: Path) -> Check:
    """Whether the newest backup is there and sound."""
    found = _backups(_folder(path))
    if not found:
        return Check("backups", True, "none yet; one is written after a sync")
    problem = _problem_of(found[0])
    detail = f"{len(found)} kept, the newest is {found[0].name}"
    if problem:
        return Check(
            "backups", False, f"{detail}, and is damaged ({problem})", "Check this disk: it may be failing."
        )
    return Check("backups", True, detail)


def _open_sound(path: Path, watcher: Watcher | None) -> Store:
    store = open_store(path, MIGRATIONS, synchronous="FULL", on_statement=watcher)
    try:
        looks_sound(store)
        suspicion(path).unlink(missing_ok=True)
    except BaseException:
        store.close()
        raise
    return store


def _restore(path: Path, damage: str) -> Recovery:
    """Set the damaged file aside and put the newest backup that verifies in its place. Says what was done."""
    aside = set_aside(path, damage)
    with known_errors(path):
        for backup in _backups(_folder(path)):
            if _problem_of(backup) is None:
                copy = path.with_name(path.name + ".restoring")
                copy.write_bytes(backup.read_bytes())
                with copy.open("rb+") as file:
                    os.fsync(file.fileno())
                put_in_place(copy, path)
                when = datetime.fromtimestamp(backup.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")
                told = f"{damage} The backup of {when} was restored; the damaged file was kept as {aside.name}."
                return Recovery(told, True)
    told = f"{damage} There was no good backup, so a new one was begun; the damaged file was kept as {aside.name}."
    return Recovery(told, False)


def _follow_witness(store: Store, *, restored: bool) -> None:
    """Begin a new epoch for a copy or a restored file, then remember this one."""
    known = _witness(store.path)
    epoch, counter = _progress(store)
    untouched = known is None and (epoch, counter) == (1, 0)
    with known_errors(store.path):
        moved = known is not None and (known[0] != _file(store.path) or known[1:] > (epoch, counter))
    if restored or moved or (known is None and not untouched):
        begin_epoch(store, known[1] if known else 0)
    bear_witness(store)


def bear_witness(store: Store) -> None:
    """Remember beside own.db which file it is and how far its counter has come: at each opening, and before
    anything leaves, so that a file put back from before that moment is recognised.

    Raises: DiskFull, StoreUnwritable.
    """
    path = store.path
    witness = path.with_name(path.name + ".witness")
    with known_errors(path):
        now = (_file(path), *_progress(store))
        if _witness(path) != now:
            aside = witness.with_name(f"{witness.name}.{os.getpid()}-{threading.get_ident()}")
            aside.write_text(json.dumps(dict(zip(_WITNESSED, now, strict=True))), encoding="utf-8")
            put_in_place(aside, witness)


def _witness(path: Path) -> tuple[str, int, int] | None:
    """(file, epoch, counter) as last remembered; None where there is no witness or it cannot be read."""
    try:
        seen = json.loads(path.with_name(path.name + ".witness").read_text(encoding="utf-8"))
        return str(seen["file"]), int(seen["epoch"]), int(seen["counter"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _progress(store: Store) -> tuple[int, int]:
    row = store.row("SELECT epoch, counter FROM device")
    assert row is not None, "own.db has no device row"
    return int(row[0]), int(row[1])


def _file(path: Path) -> str:
    """What the system knows the file by: a copy is another file, a renamed one the same."""
    return str(path.stat().st_ino)


def _problem_of(path: Path) -> str | None:
    """What is wrong with a database file, or None. Opens it read-only, so that looking changes nothing."""
    try:
        with known_errors(path):
            connection = dbapi2.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
            try:
                found = connection.execute("PRAGMA integrity_check(1)").fetchone()
                device = connection.execute("SELECT count(*) FROM device").fetchone()
            finally:
                connection.close()
    except (CacheError, dbapi2.Error) as error:
        return str(error)
    if found[0] != "ok":
        return str(found[0])
    return None if device[0] == 1 else "it holds no device"


def _folder(path: Path) -> Path:
    return path.parent / "backups"


def _backups(folder: Path) -> list[Path]:
    """Finished backups of ours, newest first; other files in the folder are nobody's business."""
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.glob(f"{_PREFIX}*.db") if _made(p) is not None), reverse=True)


def _made(backup: Path) -> datetime | None:
    """When a backup was made, by its name; None for a name that we did not give."""
    try:
        return datetime.strptime(backup.stem.removeprefix(_PREFIX), _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _thin(folder: Path) -> None:
    """Keep the last three, then the newest of each day for a week, then the newest of each week for eight."""
    seen: set[str] = set()
    now = datetime.now(UTC)
    for number, backup in enumerate(_backups(folder)):
        when = _made(backup) or now
        age = now - when
        slot = when.strftime("day %Y-%m-%d") if age < timedelta(days=7) else when.strftime("week %G-%V")
        keep = number < 3 or (slot not in seen and age < timedelta(weeks=8))
        seen.add(slot)
        if not keep:
            with suppress(FileNotFoundError):
                backup.unlink()
