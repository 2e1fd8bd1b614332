"""Which build starts. Decided before anything else is loaded, so nothing but the standard library is used here.

`state.json` in the folder of builds names the one that is in use, the one before it, how often it was begun
without coming up, and which ones did not. A build that did not come up three times is left for the one before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

STATE = "state.json"
STARTED = "HUBSHELF_BUILD"
"""Set to the folder of the installed build for a program that was chosen here; by hand, to anything, it keeps the
installed one."""
BUILD = "build.json"
"""In the folder of each build: what it is (`sync.protocol.build_folders`)."""
TRIES = 3
_MOST = 64 * 1024
_BAD = 20


@dataclass(frozen=True)
class Used:
    """A build in the folder of builds: its `folder` there, its `version`, the path of its `program` in it."""

    folder: str
    version: str
    program: str


@dataclass(frozen=True)
class Standing:
    """`current`: the build that starts next, None for the installed one. `before`: the one to go back to, None for
    the installed one. `tries`: how often `current` was begun since it last came up. `bad`: folders of builds that
    did not come up, or that a person went back from."""

    current: Used | None = None
    before: Used | None = None
    tries: int = 0
    bad: list[str] = field(default_factory=list)


def read(place: Path) -> Standing:
    """Return how it stands in the folder `place`; what cannot be read is as if there were no builds."""
    try:
        with (place / STATE).open("rb") as source:
            body = json.loads(source.read(_MOST))
        return Standing(
            _used(body.get("current")),
            _used(body.get("before")),
            int(body.get("tries", 0)),
            [str(one) for one in body.get("bad", [])][-_BAD:],
        )
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return Standing()


def write(place: Path, standing: Standing) -> None:
    """Keep it, at once or not at all. Raises OSError."""
    from resources_cache.placing import put_in_place  # not loaded by every start

    place.mkdir(parents=True, exist_ok=True)
    aside = place / f"{STATE}.{os.getpid()}"
    with aside.open("w", encoding="utf-8") as target:
        json.dump(asdict(standing), target)
        target.flush()
        os.fsync(target.fileno())
    put_in_place(aside, place / STATE)


def choose(place: Path, installed: str, *, counts: bool) -> Path | None:
    """Return the program of the build that is to start instead of the installed one of that version, if any.

    `counts`: a window opens; a build that is begun so three times without `came_up` is left. An installed one that
    is as new goes first.
    """
    standing = read(place)
    while (current := standing.current) is not None and _order(current.version) > _order(installed):
        program = place / current.folder / current.program
        if standing.tries < TRIES and program.is_file():
            if counts:
                with suppress(OSError):
                    write(place, replace(standing, tries=standing.tries + 1))
            return program
        standing = left(standing)
        with suppress(OSError):
            write(place, standing)
    return None


def left(standing: Standing) -> Standing:
    """The build in use is left for the one before it."""
    gone = standing.current
    bad = [*standing.bad, gone.folder][-_BAD:] if gone is not None else standing.bad
    return Standing(standing.before, None, 0, bad)


def came_up(place: Path) -> None:
    """The build that runs works: it is counted from the beginning again."""
    standing = read(place)
    if standing.tries:
        with suppress(OSError):
            write(place, replace(standing, tries=0))


def start_newest(here: Path, place: Path, arguments: Sequence[str], *, counts: bool) -> None:
    """Become the newest build, with the same arguments; return where the one in the folder `here` is it, or is
    none that says what it is."""
    if STARTED in os.environ:
        return
    try:
        with (here / BUILD).open("rb") as source:
            installed = str(json.load(source)["version"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return
    program = choose(place, installed, counts=counts)
    if program is None:
        return
    environment = {**os.environ, STARTED: str(here)}
    if sys.platform == "win32":
        # The one without a console, where that was begun.
        same = program.with_name(Path(sys.executable).name)
        sys.exit(subprocess.call([str(same if same.is_file() else program), *arguments], env=environment))
    with suppress(OSError):  # one that cannot be begun at all; the next start counts it
        os.execve(program, [str(program), *arguments], environment)


def _used(found: object) -> Used | None:
    if not isinstance(found, dict):
        return None
    folder, version, program = (found.get(key) for key in ("folder", "version", "program"))
    names = isinstance(folder, str) and isinstance(version, str) and isinstance(program, str)
    if not names or "/" in str(folder) or "\\" in str(folder) or ".." in (folder, *str(program).split("/")):
        return None
    return Used(str(folder), str(version), str(program))


def _order(version: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in version.split("."))
    except ValueError:
        return ()
