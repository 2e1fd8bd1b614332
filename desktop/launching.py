"""Where a packaged Hubshelf begins: the newest build that is ready starts, for the window or for a command.

Before a newer one took over nothing but the standard library and one small module was loaded.
"""

from __future__ import annotations

import sys
from pathlib import Path


def begin() -> None:
    """Start as the program that was installed."""
    arguments = sys.argv[1:]
    if getattr(sys, "frozen", False):
        from sync.places import builds_place
        from sync.updates.starting import start_newest

        window = not arguments or arguments[0] == "open" or arguments[0].startswith("hubshelf:")
        start_newest(Path(sys.executable).parent, builds_place(), arguments, counts=window)
    from desktop.cli import main

    main()


if __name__ == "__main__":
    begin()
