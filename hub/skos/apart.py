"""Reading a SKOS file in a process that can spend only so much and cannot take the hub down with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import hub
from hub.errors import ImportProblem

SECONDS = 60
"""Processor time; the UNESCO Thesaurus (2.6 MB) takes half a second."""
_BYTES = 2 << 30
_PATIENCE = 4  # wall time over processor time, on a busy machine


def read_apart(path: Path) -> dict[str, Any]:
    """What ``hub.skos.reading`` finds in the file. Raises ImportProblem."""
    if not path.is_file():
        raise ImportProblem(f"There is no file {path}.", "Check the name.")
    # -P: no module is taken from the folder that the command was given in, which may be one of downloads.
    command = [sys.executable, "-P", "-m", "hub.skos.reading", str(path), str(SECONDS), str(_BYTES)]
    modules = os.pathsep.join([str(Path(hub.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": modules.rstrip(os.pathsep)}
    patience = SECONDS * _PATIENCE
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=patience, env=environment)
    except subprocess.TimeoutExpired:
        raise _too_much(path) from None
    if done.returncode < 0 or (done.returncode and b"MemoryError" in done.stderr):
        raise _too_much(path)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    found: dict[str, Any] = json.loads(done.stdout)
    if "fault" in found:
        raise ImportProblem(f"{path.name} was not loaded: {found['fault']}. Nothing was changed.", found["advice"])
    return found


def _too_much(path: Path) -> ImportProblem:
    return ImportProblem(
        f"{path.name} was not loaded: reading it takes too much time or memory. Nothing was changed.",
        "Load a part of the vocabulary, or save it as Turtle.",
    )
