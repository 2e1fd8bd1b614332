"""What no index leads to any more is removed, late enough that readers half-way through it can finish.

Only files below `served/objects`, `served/documents` and `members` are ever looked at; attachments and resources'
files lie elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from hub.home import members_folder, served_folder
from hub.models import ServedName
from hub.publishing import changes, epochs, served

INDEXES_KEPT = 64
"""Indexes whose objects and documents stay, the newest ones."""
DAYS_KEPT = timedelta(days=7)
_ROWS = 2000
_SWEPT = "swept"


def note(names: Iterable[tuple[str, str]], version: int) -> None:
    """Note, inside the caller's transaction, that the index of `version` leads to `names` and to no others."""
    wanted = set(names)
    known = {
        (kind, digest): (number, left)
        for number, kind, digest, left in ServedName.objects.values_list("id", "kind", "hash", "left")
    }
    ServedName.objects.bulk_create(
        [ServedName(kind=kind, hash=digest) for kind, digest in sorted(wanted - known.keys())], batch_size=_ROWS
    )
    back = [number for name, (number, left) in known.items() if left is not None and name in wanted]
    gone = [number for name, (number, left) in known.items() if left is None and name not in wanted]
    for start in range(0, len(back), _ROWS):
        ServedName.objects.filter(id__in=back[start : start + _ROWS]).update(left=None, left_at=None)
    for start in range(0, len(gone), _ROWS):
        ServedName.objects.filter(id__in=gone[start : start + _ROWS]).update(left=version, left_at=timezone.now())


def collect(home: Path) -> int:
    """Remove what has not been led to for 64 indexes and 7 days; returns how many files that were."""
    epoch, version = epochs.current()
    changes.drop_other_epochs(home, epoch)
    rows = ServedName.objects.filter(left__lte=version - INDEXES_KEPT, left_at__lt=timezone.now() - DAYS_KEPT)
    removed = remove(home, [(row.kind, row.hash) for row in rows])
    if time.time() - float(epochs.get_value(_SWEPT, 0)) > timedelta(days=1).total_seconds():
        removed += _sweep(home)
        epochs.set_value(_SWEPT, time.time())
    return removed


def remove(home: Path, names: Iterable[tuple[str, str]]) -> int:
    """Remove these objects and documents now."""
    count = 0
    for kind, digest in names:
        served.path_of(home, kind, digest).unlink(missing_ok=True)
        ServedName.objects.filter(kind=kind, hash=digest).delete()
        count += 1
    return count


def _sweep(home: Path) -> int:
    """Remove old files that no publication ever finished with: it died, or it spoke an older wire."""
    known = set(ServedName.objects.values_list("kind", "hash"))
    old = time.time() - DAYS_KEPT.total_seconds()
    removed = 0
    for kind, folder in (
        (served.OBJECT, served_folder(home) / "objects"),
        (served.DOCUMENT, served_folder(home) / "documents"),
        (served.SEALED, members_folder(home)),
    ):
        for path in folder.rglob("*") if folder.is_dir() else ():
            if (kind, path.name) in known or not path.is_file() or path.stat().st_mtime > old:
                continue
            path.unlink(missing_ok=True)
            removed += 1
    return removed
