"""Making a new build from the one that is here and a step: aside, each file verified, then put in place at once.

Killed at any instant the folder of builds has what it had before; the next attempt begins anew from the step.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from resources_cache.placing import put_in_place
from sync.protocol.build_folders import Installed, write_description
from sync.protocol.build_steps import contents, read_header
from sync.protocol.builds import Build, BuildDamaged, BuildNoRoom, Item, Listing
from sync.protocol.durable import sync_folder
from sync.protocol.errors import ProtocolError

PART = ".part"
"""How the name of a build that is being made ends."""
_SPARE = 16 * 1024 * 1024
_PIECE = 1 << 20

Told = Callable[[int, int], None]
"""Called with bytes made and bytes to be made."""


def folder_name(build: Build) -> str:
    """How the folder of a build is called: its version and the beginning of its tree's name."""
    return f"{build.version}-{build.tree[:12]}"


def stage(
    step: Path,
    build: Build,
    old: Installed | None,
    place: Path,
    told: Told | None = None,
) -> Installed:
    """Make `build` from `old` (None: from nothing) and the step in the file `step`, in a folder below `place`.

    Raises BuildDamaged, BuildNoRoom, OSError, and whatever `told` raises; nothing of it is in place then.
    """
    final = place / folder_name(build)
    aside = final.with_name(final.name + PART)
    place.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(aside, ignore_errors=True)
    try:
        with step.open("rb") as source:
            made = _make(source, build, old, aside, told)
    except (BuildDamaged, BuildNoRoom):
        shutil.rmtree(aside, ignore_errors=True)
        raise
    except ProtocolError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise BuildDamaged(f"The update is not what it should be: {error}") from None
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    shutil.rmtree(final, ignore_errors=True)
    put_in_place(aside, final)
    sync_folder(place)
    return replace(made, folder=final)


def _make(source: BinaryIO, build: Build, old: Installed | None, aside: Path, told: Told | None) -> Installed:
    header = read_header(source)
    if not header.start:
        old = None
    listing = header.apply(old.listing if old is not None else None)
    if listing.name != build.tree:
        raise BuildDamaged("The update leads to another version than the hub signed.")
    room = shutil.disk_usage(aside.parent).free
    if listing.size + _SPARE > room:
        raise BuildNoRoom(f"The new version needs {listing.size + _SPARE:,} bytes; there is room for {room:,}.")
    aside.mkdir()
    done = 0

    def write(item: Item, pieces: Iterable[bytes]) -> None:
        nonlocal done
        done += _put(aside, item, pieces)
        if told is not None:
            told(done, listing.size)

    for item, pieces in contents(source, header, old.folder if old is not None else None):
        write(item, pieces)
    new = {item.path for item in header.put}
    for path, item in listing.items.items():
        if old is not None and path not in new:
            write(item, () if item.link else _read(old.folder / path))
    made = Installed(aside, build.platform, build.version, build.program, listing)
    if made.program not in listing.items:
        raise BuildDamaged("The update has nothing that could be started.")
    write_description(made, aside)
    for folder in {aside, *((aside / path).parent for path in listing.items)}:
        sync_folder(folder)
    return made


def is_whole(made: Installed) -> bool:
    """Whether each file of a build is there with its size; whatever else lies in its folder does not matter."""
    return all(_is_there(made.folder / path, item) for path, item in made.listing.items.items())


def verify(folder: Path, listing: Listing) -> list[str]:
    """Return the paths of files that are missing or are not what the listing says."""
    return [path for path, item in listing.items.items() if not _is_there(folder / path, item, closely=True)]


def _is_there(path: Path, item: Item, *, closely: bool = False) -> bool:
    try:
        if item.link:
            return os.readlink(path).replace(os.sep, "/") == item.link
        if path.is_symlink() or path.stat().st_size != item.size:
            return False
        return not closely or _digest(_read(path)) == item.hash
    except OSError:
        return False


def _put(aside: Path, item: Item, pieces: Iterable[bytes]) -> int:
    path = aside / item.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if item.link:
        os.symlink(item.link, path)
        return 0
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as target:
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())
    if size != item.size or digest.hexdigest() != item.hash:
        raise BuildDamaged(f"A file of the update is not what the hub signed ({item.path}).")
    if os.name != "nt":
        path.chmod(0o755 if item.runs else 0o644)
    return size


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while piece := source.read(_PIECE):
            yield piece


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
