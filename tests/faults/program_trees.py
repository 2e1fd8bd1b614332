"""Builds that run: the program of this checkout, started by its own path; only Python itself is not in them."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from sync.protocol.build_folders import describe
from tests.programs import ROOT

PROGRAM = """#!{python}
import os, sys
sys.frozen, sys.executable = True, os.path.abspath(__file__)
sys.path.insert(0, {root!r})
with open(os.environ["MARK"], "a") as mark:
    mark.write({version!r} + "\\n")
{more}
from desktop.launching import begin
begin()
"""
LIBRARY = random.Random(7).randbytes(3_000_000)


def make_build(folder: Path, version: str, more: str = "") -> Path:
    """A build whose program says in the file MARK that it ran. A two-line change is in its library and program."""
    (folder / "lib").mkdir(parents=True)
    lines = f"\n# version {version}\n".encode()
    (folder / "lib" / "library.so").write_bytes(LIBRARY[:1_000_000] + lines + LIBRARY[1_000_000:])
    for n in range(20):
        (folder / "lib" / f"module{n}.py").write_bytes(LIBRARY[n * 9_000 : (n + 1) * 9_000])
    program = folder / "hubshelf"
    program.write_text(PROGRAM.format(python=sys.executable, root=str(ROOT), version=version, more=more))
    program.chmod(0o755)
    describe(folder, version, "hubshelf")
    return folder
