"""Files that a person asks for: written whole or not at all, with errors that the window has words for."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def save_file(path: Path, data: bytes) -> None:
    """Write a file in the place of one that was there. Raises: DiskFull, StoreUnwritable."""
    from resources_cache.database import known_errors  # behind the window, where the stores are

    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with known_errors(path):
        try:
            part.write_bytes(data)
            os.replace(part, path)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise
