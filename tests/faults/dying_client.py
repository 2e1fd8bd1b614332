"""A client that dies: asks, syncs, and is killed by SIGKILL at one instant of its work with the databases.

    python -m tests.faults.dying_client HOME URL INSTANT TITLE

INSTANT counts the statements that matter (BEGIN, COMMIT, every write) over both stores; the process kills itself
just before that one. Prints "done N" when it got through, N being how many there were.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from resources_cache.library import Library
from resources_cache.own import Own
from sync.engine import sync_once
from sync.home import Home
from sync.transport import HttpTransport

_MATTERS = ("BEGIN", "COMMIT", "INSERT", "UPDATE", "DELETE", "REPLACE")


class DyingHome(Home):
    """A home whose stores count what they are about to do."""

    def __init__(self, path: Path, instant: int) -> None:
        super().__init__(path)
        self.count = 0
        self._instant = instant

    def library(self) -> Library:
        return Library(self.path / "library.db", on_statement=self._before)

    def own(self) -> Own:
        return Own(self.path / "own.db", on_statement=self._before)

    def _before(self, statement: str) -> None:
        if statement.lstrip().upper().startswith(_MATTERS):
            self.count += 1
            if self.count == self._instant:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    path, url, instant, title = sys.argv[1:]
    home = DyingHome(Path(path), int(instant))
    with home.own() as own:
        own.outbox.add("ask", title, {"kind": "question", "title": title, "body": ""})
    with HttpTransport(url) as transport:
        sync_once(home, transport)
    sys.stdout.write(f"done {home.count}\n")


if __name__ == "__main__":
    main()
