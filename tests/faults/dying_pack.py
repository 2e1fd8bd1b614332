"""A program that is killed in the middle: `python -m tests.faults.dying_pack INSTANT COUNTED PROGRAM ARGUMENT…`.

PROGRAM is hubshelf or hubshelf-hub. Counted is each opening, renaming and removing of a file whose path has
COUNTED in it; the process kills itself by SIGKILL just before number INSTANT. 0 lets it live, and writes the count
of all to standard error as `instants N`.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from typing import Any


def main() -> None:
    instant, counted, program = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    sys.argv = [program, *sys.argv[4:]]
    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in ("open", "os.rename", "os.remove", "os.mkdir"):
            return
        if (
            counted not in os.fsdecode(arguments[0])
            if isinstance(arguments[0], str | bytes | os.PathLike)
            else True
        ):
            return
        seen += 1
        if seen == instant:
            os.kill(os.getpid(), signal.SIGKILL)

    if program == "hubshelf":
        from desktop.cli import main as run
    else:
        from hub.cli import main as run
    atexit.register(lambda: sys.stderr.write(f"instants {seen}\n"))
    sys.addaudithook(watch)
    run()


if __name__ == "__main__":
    main()
