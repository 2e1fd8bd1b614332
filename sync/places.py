"""Where things of a person lie on this computer; loaded by every start, so nothing heavy is imported here."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path


def builds_place() -> Path:
    """Return where a person's newer builds of the program lie, whichever shelf they use."""
    given = os.environ.get("HUBSHELF_HOME")
    return (Path(given) if given else user_data_path("Hubshelf", appauthor=False)) / "builds"
