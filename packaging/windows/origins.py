"""Whether every compiled file of a build for Windows comes from where it should.

That is: from a wheel, as its list of files (RECORD) names it; from the interpreter; or it is one of our own
programs, which PyInstaller makes of its starter. Anything else stops the build, such as a library of the system
that built it, or one that only stands in for a library of Windows where that is tried without Windows.
"""

from __future__ import annotations

import base64
import csv
import hashlib
from collections.abc import Iterable
from pathlib import Path

from frozen_folder import compiled

PROGRAMS = ("hubshelf.exe", "hubshelfw.exe")


def known(interpreter: Path, libraries: Path) -> set[bytes]:
    """The SHA-256 of every file that may be in a build. `interpreter`: its folder; `libraries`: that of wheels."""
    found = {
        _digest(path)
        for path in [*interpreter.glob("*.dll"), *(interpreter / "DLLs").glob("*")]
        if path.suffix in (".dll", ".pyd")
    }
    for record in libraries.glob("*.dist-info/RECORD"):
        if record.parent.name.startswith("pyinstaller-"):
            continue
        with record.open(encoding="utf-8", newline="") as rows:
            for name, said, _size in csv.reader(rows):
                method, _, value = said.partition("=")
                if method == "sha256" and name.endswith((".dll", ".pyd")):
                    found.add(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    return found


def strangers(folder: Path, may_be: Iterable[bytes]) -> list[str]:
    """The compiled files in `folder` that come from nowhere known, by their paths there."""
    allowed = frozenset(may_be)
    return sorted(
        path.relative_to(folder).as_posix()
        for path in compiled(folder)
        if _digest(path) not in allowed and path.relative_to(folder).as_posix() not in PROGRAMS
    )


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
