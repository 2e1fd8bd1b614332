"""A computer that the hub's team marked as lost: all that was a person's goes, what is for everybody stays.

Begun anew at each contact until it is done: the hub's address and the secret by which it knows this device go
last.
"""

from __future__ import annotations

import contextlib
import shutil

from resources_cache.library import Library
from resources_cache.own import Own
from sync.home import Home

_STAYS = ("library.db", "own.db", "builds", "secrets")
"""Beginnings of the names of what is not simply deleted. The first two are emptied of what was personal."""

_KNOWN = ("root", "head_seen")
"""Of the hub, for whoever enrols again: its keys, and what the library here must not go back behind."""


def wipe(home: Home, own: Own, library: Library) -> None:
    """Remove own work, answers, attachments, downloaded files, backups, logs and secrets.

    Raises CacheError, SecretsUnusable; the next contact goes on then.
    """
    for entry in sorted(home.path.iterdir()):
        if entry.name.startswith(_STAYS) or entry.name.endswith(".lock"):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):  # on Windows a window may have it open
                entry.unlink()
    library.apply_personal([], 0, 0, reset=True)
    own.erase(_KNOWN)
    home.secrets().forget()
