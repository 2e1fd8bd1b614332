"""The hub's home: the one folder with its database, files, keys and what it serves.

``db.sqlite3``  everything people and facilitators wrote, unless DATABASE_URL names another database
``objects/``    files by content hash
``served/``     the public plane: immutable segments, manifests, the head
``members/``    the same for members only, sealed; given out against a device's token
``keys/``       signing keys, 0600
``secret_key``  Django's secret, 0600
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import platformdirs

from .errors import HomeUnusable, NotInitialised

ENVIRONMENT_VARIABLE = "HUBSHELF_HUB_HOME"


def default_home() -> Path:
    """The folder that the operating system sets aside for this program's data."""
    return Path(platformdirs.user_data_dir("hubshelf-hub", appauthor=False))


def hub_home() -> Path:
    """The home in force: ``HUBSHELF_HUB_HOME`` or the default. It need not exist yet."""
    named = os.environ.get(ENVIRONMENT_VARIABLE, "")
    return Path(named).expanduser().absolute() if named else default_home()


def database_path(home: Path) -> Path:
    return home / "db.sqlite3"


def objects_folder(home: Path) -> Path:
    return home / "objects"


def served_folder(home: Path) -> Path:
    return home / "served"


def members_folder(home: Path) -> Path:
    return home / "members"


def attachments_folder(home: Path) -> Path:
    """What members attached to their questions: never served, shown to facilitators only."""
    return home / "attachments"


def keys_folder(home: Path) -> Path:
    return home / "keys"


def secret_key_path(home: Path) -> Path:
    return home / "secret_key"


def prepare(home: Path) -> None:
    """Make the folders and the secret key where they are missing.

    Raises HomeUnusable when the folder cannot be written.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        for folder in (objects_folder(home), served_folder(home)):
            folder.mkdir(exist_ok=True)
        keys_folder(home).mkdir(mode=0o700, exist_ok=True)
        write_private(secret_key_path(home), secrets.token_urlsafe(48), keep=True)
    except OSError as error:
        raise HomeUnusable(home, error) from error


def write_private(path: Path, text: str, *, keep: bool) -> None:
    """Write ``text`` to a file that only its owner may read; with ``keep`` an existing file stays.

    The file appears whole: a crash half-way leaves a temporary file, never half a key.
    """
    if keep and path.exists() and path.stat().st_size > 0:
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)


def secret_key(home: Path) -> str:
    """Django's secret key, or one for this process alone where ``init`` has not run yet."""
    try:
        stored = secret_key_path(home).read_text(encoding="utf-8").strip()
    except OSError:
        stored = ""
    return stored or secrets.token_urlsafe(48)


def require_initialised(home: Path) -> None:
    """Raises NotInitialised when ``init`` has not been run for this home."""
    if not secret_key_path(home).exists():
        raise NotInitialised(home)
