"""A rename that waits for whoever has the file open."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


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
