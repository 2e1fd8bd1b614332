"""Names that last: a rename that survives a power cut, and one that waits for whoever has the file open."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut or a stick pulled out, where folders can be opened."""
    if os.name == "nt":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def put_in_place(aside: Path, path: Path) -> None:
    """Rename `aside` to `path`, in the place of a file that was there. Raises OSError.

    On Windows nothing that somebody has open is renamed, and scanners open whatever is new: it is tried again
    there for two seconds.
    """
    for wait in (0.02, 0.08, 0.4, 1.5) if sys.platform == "win32" else ():
        try:
            os.replace(aside, path)
        except PermissionError:
            time.sleep(wait)
        else:
            return
    os.replace(aside, path)
