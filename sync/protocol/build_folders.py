"""What a build knows of itself: `build.json` in its folder, written when it is packaged, with all its files."""

from __future__ import annotations

import hashlib
import json
import os
import platform as system
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.protocol.builds import Item, Listing, NotABuild, listing, version_order
from sync.protocol.errors import ProtocolError

BUILD = "build.json"
_MOST = 8 * 1024 * 1024
_PIECE = 1 << 20
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_SYSTEMS = {"win32": "windows", "darwin": "macos"}


@dataclass(frozen=True)
class Installed:
    """A build in `folder`. `program`: the path in it of what is started."""

    folder: Path
    platform: str
    version: str
    program: str
    listing: Listing

    @property
    def order(self) -> tuple[int, ...]:
        """What versions are compared by."""
        return version_order(self.version)


def this_platform() -> str:
    """The platform of this computer, as builds name theirs."""
    machine = system.machine().lower()
    return f"{_SYSTEMS.get(sys.platform, sys.platform)}-{_MACHINES.get(machine, machine)}"


def running() -> Installed:
    """The build that this program is. Raises NotABuild."""
    if not getattr(sys, "frozen", False):
        raise NotABuild("This Hubshelf runs from its sources.")
    return installed(Path(sys.executable).parent)


def installed(folder: Path) -> Installed:
    """Read the build in `folder`; its files are not looked at. Raises NotABuild."""
    try:
        with (folder / BUILD).open("rb") as source:
            data = source.read(_MOST + 1)
        body: dict[str, Any] = json.loads(data) if len(data) <= _MOST else {}
        return Installed(
            folder,
            str(body["platform"]),
            str(body["version"]),
            str(body["program"]),
            listing(Item.from_json(one) for one in body["files"]),
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError, ProtocolError) as error:
        raise NotABuild(f"{folder} holds no build that says what it is ({type(error).__name__}).") from None


def describe(folder: Path, version: str, program: str, platform: str = "") -> Installed:
    """Write what the tree in `folder` is beside its files, and return it.

    Raises OSError, and ProtocolError for a tree that no build may be.
    """
    (folder / BUILD).unlink(missing_ok=True)
    made = Installed(folder, platform or this_platform(), version, program, listing(_walk(folder)))
    write_description(made, folder)
    return made


def write_description(made: Installed, folder: Path) -> None:
    """Write `build.json` of a build into `folder`, on the disk when this returns. Raises OSError."""
    body = {
        "platform": made.platform,
        "version": made.version,
        "program": made.program,
        "files": made.listing.to_json(),
    }
    with (folder / BUILD).open("wb") as target:
        target.write(json.dumps(body, separators=(",", ":")).encode())
        target.flush()
        os.fsync(target.fileno())


def _walk(folder: Path) -> list[Item]:
    found = []
    for parent, folders, files in os.walk(folder):
        for name in sorted([*files, *(one for one in folders if (Path(parent) / one).is_symlink())]):
            path = Path(parent) / name
            named = path.relative_to(folder).as_posix()
            if path.is_symlink():
                found.append(Item(named, link=os.readlink(path).replace(os.sep, "/")))
            else:
                size, digest = _measure(path)
                runs = bool(path.stat().st_mode & stat.S_IXUSR) if os.name != "nt" else path.suffix == ".exe"
                found.append(Item(named, size, digest, runs))
    return [Item.from_json(one.to_json()) for one in found]  # checked as one that comes from elsewhere


def _measure(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source:
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()
