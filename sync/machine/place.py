"""Where the library of a machine lies, and how a file in a folder that others write is read.

    library/head, library/root    the newest complete head that was verified, and the root document in force
    library/checked               its time is when all was last in step
    library/objects/ab/abcd…      segments and documents by their SHA-256 (`resources_cache.files`)
    library/files/ab/abcd…        files that people downloaded, by their SHA-256
    shelf/                        the shelf of who keeps it, readable by that account alone
    handed-in/                    what people hand in: they may add to it, and neither list nor take away

Everything is public content and verified by whoever reads it, so nothing here needs to be believed.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from resources_cache.files import FileStore
from sync.machine_files import machine_folder, redirected
from sync.policies import Policies

KEY = "machine_library_mb"
"""The policy that says how large it may grow, in megabytes; 0: there is none."""


@dataclass(frozen=True)
class Place:
    """The folders of one machine's library. `quota`: bytes for all that is in it."""

    folder: Path
    quota: int

    @property
    def library(self) -> Path:
        return self.folder / "library"

    @property
    def shelf(self) -> Path:
        return self.folder / "shelf"

    @property
    def handed_in(self) -> Path:
        return self.folder / "handed-in"

    @property
    def head(self) -> Path:
        return self.library / "head"

    @property
    def root(self) -> Path:
        return self.library / "root"

    @property
    def checked(self) -> Path:
        """A file that says by its time when the library was last in step."""
        return self.library / "checked"

    def objects(self) -> FileStore:
        """Segments and documents, for who keeps the library. Raises CacheError."""
        return FileStore(self.library / "objects", self.quota)

    def files(self) -> FileStore:
        """Downloaded files, for who keeps the library: in the room that content leaves. Raises CacheError."""
        return FileStore(self.library / "files", max(0, self.quota - self.objects().used()))

    def named(self, kind: str, digest: str) -> Path:
        """Where the object or file of that name would be; `kind`: "objects" or "files"."""
        return self.library / kind / digest[:2] / digest


def place(decided: Policies) -> Place | None:
    """Return where this machine's library is; None where nobody decided that there is one."""
    quota = decided.value(KEY)
    return Place(data_folder(), quota * 1_000_000) if quota else None


def data_folder() -> Path:
    """Where this system keeps what programs of the whole machine hold."""
    if sys.platform == "win32" or redirected() is not None:
        return machine_folder()
    return Path("/var/lib/hubshelf")


def opened(path: Path, most: int) -> int | None:
    """Open a file to be read; None where it is none, is larger than `most` bytes, or may not be read.

    No link is followed, and nothing is waited for: others may have put anything there. The caller closes it.
    """
    how = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, how)
    except OSError:
        return None
    try:
        found = os.fstat(handle)
        if stat.S_ISREG(found.st_mode) and found.st_size <= most:
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def read(path: Path, most: int) -> bytes | None:
    """Return the whole of a file as `opened` opens it, None where there is none."""
    handle = opened(path, most)
    if handle is None:
        return None
    try:
        with os.fdopen(handle, "rb") as source:
            data = source.read(most + 1)
    except OSError:
        return None
    return data if len(data) <= most else None
