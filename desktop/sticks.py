"""Sticks that are in this computer, by the names that people know them by.

What counts as a stick is where the system mounts what is put in; a volume elsewhere counts once it has a pack. Ask
behind the window: a stick that is going away makes the system wait.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PySide6.QtCore import QStorageInfo

FOLDER = "hubshelf-pack"
"""As `sync.protocol.packs.FOLDER`, which is not loaded for looking round."""
_MOUNTED = ("/media", "/run/media", "/mnt", "/Volumes")
"""Where Linux and macOS put what a person plugs in."""
_REMOVABLE = 2  # DRIVE_REMOVABLE of GetDriveTypeW
_MOST = 20


@dataclass(frozen=True)
class Stick:
    """A volume: the name that it was given, where it is, whether a pack lies on it, and whether it can be written
    on. `room`: free bytes."""

    name: str
    path: Path
    has_pack: bool
    writable: bool
    room: int


def sticks() -> list[Stick]:
    """Return the sticks that are in now, those with a pack first; what cannot be read is no stick."""
    return chosen(QStorageInfo.mountedVolumes())


def chosen(volumes: Iterable[QStorageInfo]) -> list[Stick]:
    """Return those of the volumes that are sticks, or have a pack."""
    found: list[Stick] = []
    for volume in volumes:
        if not volume.isValid() or not volume.isReady() or volume.isRoot():
            continue
        path = Path(volume.rootPath())
        has_pack = _has_pack(path)
        if not has_pack and not is_plugged_in(volume.rootPath()):
            continue
        named = volume.name() or path.name or str(path)
        # Whoever made the stick has named it: what turns words round, or breaks the line, is left out.
        name = "".join(one for one in named if one.isprintable()).strip() or str(path)
        found.append(Stick(name[:80], path, has_pack, not volume.isReadOnly(), volume.bytesAvailable()))
    found.sort(key=lambda stick: (not stick.has_pack, stick.name.casefold(), str(stick.path)))
    return found[:_MOST]


def is_plugged_in(root: str) -> bool:
    """Whether a volume mounted at `root` is one that people put in and take out."""
    if sys.platform == "win32":
        import ctypes

        kind: int = ctypes.windll.kernel32.GetDriveTypeW(root.replace("/", "\\"))
        return kind == _REMOVABLE
    place = PurePosixPath(root)
    return any(place.is_relative_to(parent) and str(place) != parent for parent in _MOUNTED)


def _has_pack(path: Path) -> bool:
    try:
        return os.path.isdir(path / FOLDER)
    except OSError:
        return False
