"""A new PC that dies while it takes over a shelf: killed by SIGKILL at one instant of the change to own.db.

    python -m tests.faults.dying_mover HOME FILE PASSPHRASE INSTANT

INSTANT counts the writes from where the verified file is laid beside own.db. Prints the number of the COMMIT when
it got through.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from resources_cache.own import Own
from sync.home import Home
from sync.moving import move_in

_MATTERS = ("COMMIT", "INSERT", "UPDATE", "DELETE")


class DyingHome(Home):
    """A home that counts what is about to be done to own.db."""

    def __init__(self, path: Path, instant: int) -> None:
        super().__init__(path)
        self.count, self.commit = -1, 0
        self._instant = instant

    def own(self) -> Own:
        return Own(self.path / "own.db", on_statement=self._before)

    def _before(self, statement: str) -> None:
        if statement.startswith("ATTACH"):
            self.count = 0
        elif self.count >= 0 and statement.startswith(_MATTERS):
            self.count += 1
            if statement == "COMMIT" and not self.commit:
                self.commit = self.count
            if self.count == self._instant:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    path, file, passphrase, instant = sys.argv[1:]
    home = DyingHome(Path(path), int(instant))
    move_in(home, Path(file), passphrase)
    sys.stdout.write(f"{home.commit}\n")


if __name__ == "__main__":
    main()
