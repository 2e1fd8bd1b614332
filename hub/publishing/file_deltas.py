"""New versions of files for readers of the old ones: what differs, made when it is first wanted.

`served/deltas/ab/<name>` holds one delta each (`sync.protocol.file_deltas`); an empty file says that there is none
worth having, so that nobody tries again. Only pairs of files that a published resource names are ever compared.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from pathlib import Path

from hub.home import served_folder
from hub.models import PublicState, StoredFile
from hub.objects import object_path
from sync.protocol import file_deltas
from sync.protocol.wire_json import is_digest

WAIT = 5.0
"""Seconds that a request waits for another delta to be made; then its reader gets the whole file."""
_STALE = 3600.0
"""Seconds after which a file that is being written counts as given up."""

_making = threading.Lock()
_log = logging.getLogger(__name__)


def find(home: Path, old: str, new: str) -> Path | None:
    """Return where the delta from the file `old` to the file `new` lies; None where readers take the whole file.

    The first call for a pair makes it: seconds of a processor and some 500 MB of memory for the largest files,
    one at a time in each process.
    """
    if not (is_digest(old) and is_digest(new)):
        return None
    listed = StoredFile.objects.filter(hash=new, replaces=old, resource__state=PublicState.PUBLISHED)
    if not listed.exists():
        return None
    path = _place(home, file_deltas.delta_name(old, new))
    if not path.exists() and not _make(home, path, old, new):
        return None
    return path if path.stat().st_size else None


def _place(home: Path, name: str) -> Path:
    return served_folder(home) / "deltas" / name[:2] / name


def _make(home: Path, path: Path, old: str, new: str) -> bool:
    """Write the delta, or the empty file that stands for none; False where that is not possible now."""
    if not _making.acquire(timeout=WAIT):
        return False
    try:
        if not path.exists():
            _drop_unused(home)
            _write(path, _compare(object_path(old), object_path(new)))
    except OSError as error:
        _log.warning("a delta of a file could not be made: %s", error.strerror or type(error).__name__)
        return False
    finally:
        _making.release()
    return True


def _compare(old: Path, new: Path) -> bytes:
    """Return the delta, nothing where it is not worth having. Raises OSError."""
    size = new.stat().st_size
    if not file_deltas.may_differ(old.stat().st_size, size):
        return b""
    delta = file_deltas.make(new.read_bytes(), old.read_bytes())
    return delta if len(delta) <= file_deltas.most(size) else b""


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _drop_unused(home: Path) -> None:
    """Remove deltas between files that no resource names any more, and what a process left that died."""
    pairs = StoredFile.objects.exclude(replaces="").values_list("replaces", "hash")
    wanted = {file_deltas.delta_name(old, new) for old, new in pairs}
    for path in (served_folder(home) / "deltas").glob("*/*"):
        given_up = not path.name.startswith(".") or path.stat().st_mtime < time.time() - _STALE
        if path.name not in wanted and given_up:
            path.unlink(missing_ok=True)
