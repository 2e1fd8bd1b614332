"""The report of a fault of the program: where it happened and on what, and nothing of what anybody wrote or read.

An exception's own words may quote a title, a path with somebody's name, or an address; so a report has its type,
the places in the code, and versions. Paths are cut to the part inside the package.
"""

from __future__ import annotations

import errno
import platform
import re
import sys
import traceback
from pathlib import Path, PurePath

_ROOT = Path(__file__).resolve().parent.parent
_OWN = ("desktop/", "sync/", "resources_cache/")
_FRAMES = 40
_CHAIN = 5
_MOST = 65_536
"""Characters of what a fault left behind that are looked at."""
_LINES = 400

_FATAL = re.compile(r"(?:Fatal Python error|Windows fatal exception): [A-Za-z0-9 _]{1,60}")
_THREAD = re.compile(r"(?:Current thread|Thread) 0x[0-9a-f]{1,16}(?: \(most recent call first\):)?")
_FRAME = re.compile(r'  File "([^"\n]{1,4096})", line (\d{1,9}|\?\?\?) in ([\w<>.]{1,200})')


def report_of(error: BaseException, thread: str = "") -> str:
    """The report of an unhandled exception; `thread`: the name of the thread that met it."""
    lines = [f"Unhandled exception in {_named(thread) or 'the window'}"]
    seen: list[BaseException] = []
    now: BaseException | None = error
    while now is not None and now not in seen and len(seen) < _CHAIN:
        seen.append(now)
        lines.append(f"{'because of ' if len(seen) > 1 else ''}{_kind(now)}")
        frames = traceback.extract_tb(now.__traceback__)[-_FRAMES:]
        lines += [f"  {inside(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
        now = now.__cause__ or (None if now.__suppress_context__ else now.__context__)
    return "\n".join([*lines, "", *facts()])


def key_of(error: BaseException) -> str:
    """What makes two faults the same one: the type, and the last place in the program's own code."""
    own = [f for f in traceback.extract_tb(error.__traceback__) if _is_own(f.filename)]
    return f"{type(error).__name__} {own[-1].filename}:{own[-1].lineno}" if own else type(error).__name__


def report_of_fault(left: str) -> str:
    """The report of what Python's faulthandler wrote while the process died; "" where there is nothing of it."""
    lines: list[str] = []
    for line in left[:_MOST].splitlines()[:_LINES]:
        if found := _FATAL.match(line) or _THREAD.match(line):
            lines.append(found[0])
        elif found := _FRAME.match(line):
            lines.append(f"  {inside(found[1])}:{found[2]} in {found[3]}")
    return "\n".join([*lines, "", *facts()]) if lines else ""


def facts() -> list[str]:
    """Versions of the program and of what it stands on."""
    return [
        f"Hubshelf {_version('hubshelf')}, Python {platform.python_version()}, "
        f"Qt {_version('PySide6-Essentials')}, SQLite {_sqlite()}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
    ]


def inside(path: str) -> str:
    """A path as far as it tells nothing of the computer: within this package or a library, else its last part."""
    plain = path.replace("\\", "/")
    if "/site-packages/" in plain:
        return plain.rpartition("/site-packages/")[2]
    if _is_packaged(plain):
        return plain
    root = _ROOT.as_posix() + "/"
    return plain.removeprefix(root) if plain.startswith(root) else PurePath(plain).name


def _is_own(path: str) -> bool:
    return _is_packaged(path) and path.startswith(_OWN) or Path(path).is_relative_to(_ROOT)


def _is_packaged(path: str) -> bool:
    """Whether it is a module inside the packaged program, whose code knows no more than its place there."""
    return bool(getattr(sys, "frozen", False)) and re.fullmatch(r"(?:\w+/){1,12}\w+\.py", path) is not None


def _kind(error: BaseException) -> str:
    kind = type(error)
    parts = [f"{kind.__module__}.{kind.__qualname__}"]
    if isinstance(error, OSError) and error.errno is not None:
        parts.append(errno.errorcode.get(error.errno, str(error.errno)))
    # Stable names of ours and of SQLite, which quote nothing.
    parts += [
        str(value) for name in ("code", "sqlite_errorname") if isinstance(value := getattr(error, name, None), str)
    ]
    return " ".join(part[:120] for part in parts)


def _named(thread: str) -> str:
    return thread if re.fullmatch(r"[A-Za-z0-9 ()_-]{1,60}", thread) and thread != "MainThread" else ""


def _sqlite() -> str:
    from pysqlite3 import dbapi2

    return str(dbapi2.sqlite_version)


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # slow to load, and seldom needed

    try:
        return version(package)
    except PackageNotFoundError:
        return "?" if package != "hubshelf" or not getattr(sys, "frozen", False) else "packaged"
