"""What an administrator decided for this PC: `policies.json` of the machine, which a person cannot write.

A JSON object. A key that is not known, or has a wrong value, is reported and passed over, never fatal; a file that
cannot be read is as if it were not there, and is reported too.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST = 64 * 1024
"""Bytes of the file."""
KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "lan_sharing": (lambda value: isinstance(value, bool), "true or false"),
    "updates": (lambda value: isinstance(value, bool), "true or false"),
}
"""Each key with what its value may be, and that in words."""


@dataclass(frozen=True)
class Policies:
    """`lan_sharing`: whether this PC shares with its neighbours, None where the person decides. `updates`: whether
    the program brings itself up to date, None where the person decides. `problems`: what is wrong with the file,
    in words."""

    lan_sharing: bool | None = None
    updates: bool | None = None
    problems: list[str] = field(default_factory=list)


def place() -> Path:
    """Return where the file of this machine is."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "Hubshelf" / "policies.json"
    return Path("/etc/hubshelf/policies.json")


def policies(path: Path | None = None) -> Policies:
    """Return what is decided; nothing where there is no file."""
    file = path or place()
    try:
        with file.open("rb") as source:
            data = source.read(MOST + 1)
    except FileNotFoundError:
        return Policies()
    except OSError as error:
        return Policies(problems=[f"{file} cannot be read ({error.strerror or error})."])
    try:
        found = json.loads(data) if len(data) <= MOST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return Policies(problems=[f"{file} is no JSON object of at most {MOST:,} bytes: nothing in it counts."])
    right: dict[str, Any] = {}
    problems = []
    for key, value in found.items():
        if key not in KEYS:
            problems.append(f"“{key[:80]}” is no policy that this version knows.")
        elif not KEYS[key][0](value):
            problems.append(f"“{key}” is to be {KEYS[key][1]}; it is not in force.")
        else:
            right[key] = value
    return Policies(**right, problems=problems)
