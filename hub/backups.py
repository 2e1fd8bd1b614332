"""Backups of a hub on SQLite, and how one is put back: with a new epoch, so that no shelf is misled.

A backup is a folder: `db.sqlite3` (a consistent copy, made while the hub runs), `objects/`, `attachments/`,
`keys/`, `root/` and `secret_key`. Whoever has it can sign as the hub: keep it as safe as the hub itself. A hub on
PostgreSQL is backed up with that database's own tools and started with `hubshelf-hub new-epoch` after a restore.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from hub.errors import HubError
from hub.home import attachments_folder, database_path, keys_folder, objects_folder, secret_key_path, served_folder
from hub.publishing import epochs


class BackupProblem(HubError):
    code = "backup-problem"


def backup(home: Path, target: Path) -> Path:
    """Copy the hub in `home` into the new folder `target` and return it; the hub may go on serving.

    Raises BackupProblem where the folder exists already, cannot be written, or the database is not SQLite.
    """
    if connection.vendor != "sqlite":
        raise BackupProblem(
            "This hub keeps its database in PostgreSQL.",
            "Back it up with pg_dump, and copy the folders objects, attachments, keys and served/root beside it.",
        )
    try:
        target.mkdir(parents=True, mode=0o700)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(target / "db.sqlite3")])
        shutil.copytree(objects_folder(home), target / "objects")
        if attachments_folder(home).is_dir():
            shutil.copytree(attachments_folder(home), target / "attachments")
        shutil.copytree(keys_folder(home), target / "keys")
        shutil.copytree(served_folder(home) / "root", target / "root")
        shutil.copy2(secret_key_path(home), target / "secret_key")
    except OSError as error:
        raise BackupProblem(f"The backup in {target} was not finished: {error.strerror}.", _TRY_AGAIN) from error
    return target


_TRY_AGAIN = "Remove the folder, choose another one or free some space, and run the command again."


def restore(home: Path, source: Path) -> int:
    """Put the backup in `source` in place of the hub in `home` and return the new epoch.

    The hub must not be running. The present database is set aside in `home`, never deleted. Files, keys and root
    documents that are there stay as they are: shelves may have followed a change of key since the backup.
    Raises BackupProblem, and then nothing was changed.
    """
    if connection.vendor != "sqlite":
        raise BackupProblem(
            "This hub keeps its database in PostgreSQL.",
            "Restore it with pg_restore, then run `hubshelf-hub new-epoch`.",
        )
    if not (source / "db.sqlite3").is_file():
        raise BackupProblem(f"There is no backup in {source}; nothing was changed.", "Name the backup's folder.")
    connection.close()
    database = database_path(home)
    incoming = database.with_name("db.sqlite3.incoming")
    aside = database.with_name(f"db.sqlite3.before-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S')}")
    try:
        shutil.copy2(source / "db.sqlite3", incoming)
        for name, folder in (
            ("objects", objects_folder(home)),
            ("attachments", attachments_folder(home)),
            ("keys", keys_folder(home)),
            ("root", served_folder(home) / "root"),
        ):
            _add_missing(source / name, folder)
        if attachments_folder(home).is_dir():
            attachments_folder(home).chmod(0o700)
        if not secret_key_path(home).exists():
            shutil.copy2(source / "secret_key", secret_key_path(home))
        for suffix in ("", "-wal", "-shm"):
            old = database.with_name(database.name + suffix)
            if old.exists():
                old.replace(aside.with_name(aside.name + suffix))
        incoming.replace(database)
    except OSError as error:
        raise BackupProblem(
            f"The backup in {source} could not be put back: {error.strerror}.", _TRY_AGAIN
        ) from error
    call_command("migrate", interactive=False, verbosity=0)
    return epochs.begin_new_epoch(home)


def _add_missing(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
        elif not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
