"""Packs that came with the computer: an installer or an image put them where ordinary people cannot write.

They are verified like any pack. Where the administrator named the hub's key, that is what is believed; else a
folder that only administrators write stands for the question whose pack it is, which is asked about sticks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from resources_cache.errors import CacheError
from sync.cancel import Cancel
from sync.errors import SyncError
from sync.home import Home
from sync.machine_files import NotTheMachines, machine_folder, redirected, require_the_machines
from sync.packs.importing import BY_PACK, Imported, import_pack, known
from sync.policies import Policies
from sync.protocol import packs
from sync.protocol.errors import ProtocolError
from sync.protocol.pack_volumes import opened
from sync.report import KnownError, ProgressCallback

NAME = "preload"
_MOST = 20
"""Packs in all folders that are looked at."""
_ENTRIES = 50_000
"""Files of one of them that are looked at; one with more is not believed for its place alone."""


@dataclass(frozen=True)
class Preloaded:
    """A pack: of which hub, when it was published (UTC), the fingerprint of its first root.

    `why`: why it is not used, in words; "" where it is. `is_new`: it has something that was not taken in yet.
    """

    path: Path
    hub: str = ""
    published: str = ""
    fingerprint: str = ""
    why: str = ""
    is_new: bool = False


def folders() -> list[Path]:
    """Return where such packs may lie on this machine, beside the program first."""
    if redirected() is not None:
        return [machine_folder() / NAME]
    beside = [Path(sys.executable).parent / NAME] if getattr(sys, "frozen", False) else []
    if sys.platform == "win32":
        return [*beside, machine_folder() / NAME]
    return [*beside, Path("/usr/share/hubshelf") / NAME, Path("/var/lib/hubshelf") / NAME]


def find(home: Home) -> list[Preloaded]:
    """Return the packs that came with this computer, the newest publication first. Raises CacheError."""
    found = [_looked_at(home, path) for path in islice(_candidates(), _MOST)]
    return sorted(found, key=lambda one: one.published, reverse=True)


def new(home: Home) -> list[Preloaded]:
    """Return those of which something is to be taken in. Raises CacheError, NotTrusted."""
    return [one for one in find(home) if one.is_new]


def take_in(
    home: Home, *, progress: ProgressCallback | None = None, cancel: Cancel | None = None
) -> list[tuple[Preloaded, Imported | None, KnownError | ProtocolError | None]]:
    """Take in all that is new, with files; returns what came of each. What is wrong with one stops no other.

    Raises SyncBusy, Cancelled, CacheError.
    """
    done: list[tuple[Preloaded, Imported | None, KnownError | ProtocolError | None]] = []
    for one in new(home):
        try:
            brought = import_pack(
                home, one.path, accept=one.fingerprint, files=True, progress=progress, cancel=cancel
            )
        except ProtocolError as error:
            done.append((one, None, error))
        else:
            done.append((one, brought, brought.error))
    return done


def _candidates() -> Iterator[Path]:
    for folder in folders():
        try:
            if (folder / packs.FOLDER).is_dir() or (folder / packs.HEAD).is_file():
                yield folder
                continue
            inside = sorted(islice(folder.iterdir(), 200))
        except OSError:
            continue  # none there, as on most computers
        for one in inside:
            if one.name.endswith(packs.ENDING) or one.is_dir():
                yield one


def _looked_at(home: Home, path: Path) -> Preloaded:
    try:
        with home.own() as own, home.library() as library, opened(path) as volume:
            pinned, seen = known(own, library)
            verified = packs.verify(volume, pinned)
            taken = own.setting(BY_PACK)
    except (ProtocolError, SyncError, OSError) as error:
        return Preloaded(path, why=str(error))
    head, fingerprint = verified.head, verified.roots[0].fingerprint
    is_here = isinstance(taken, dict) and taken.get("order") == list(head.order)
    is_new = head.order >= seen and not is_here
    # Who could have written what is here already no longer matters.
    why = _stranger(home.policies, path, fingerprint) if is_new else ""
    hub, published = packs.plain(head.hub), packs.plain(head.published)
    return Preloaded(path, hub, published, fingerprint, why, is_new and not why)


def _stranger(decided: Policies, path: Path, fingerprint: str) -> str:
    """Return why nobody vouches for a pack, in words; "" where somebody does."""
    wanted = decided.value("hub_key")
    if wanted is not None:
        return (
            ""
            if fingerprint == wanted
            else f"It is signed by {fingerprint[:16]}, not by the key that was decided."
        )
    try:
        require_the_machines(path)
        for count, one in enumerate(_inside(path)):
            if count >= _ENTRIES:
                return f"It has more than {_ENTRIES:,} files. Name the hub's key (hub_key) instead."
            require_the_machines(one)
    except NotTheMachines as error:
        return f"{error}, so it is not believed without hub_key."
    except OSError as error:
        return f"It cannot be read ({error.strerror or error})."
    return ""


def _inside(path: Path) -> Iterator[Path]:
    if path.is_dir():
        for folder, names, files in os.walk(path):
            # What is named by its hash proves itself; the folders that it lies in are looked at all the same.
            keep = files if not {"objects", "documents"} & set(Path(folder).parts[-2:]) else []
            yield from (Path(folder) / name for name in (*names, *keep))


def problems(home: Home) -> list[str]:
    """Return what keeps such packs from being used, in words, for `hubshelf doctor`."""
    try:
        return [f"{one.path}: {one.why}" for one in find(home) if one.why]
    except (SyncError, CacheError) as error:
        return [str(error)]
