"""A shelf's home whose disk can fail: of all statements and writes, the n-th one fails or ends the process.

The stores are the real ones, on real SQLite files; only where they would reach the disk something can go wrong.
"""

from __future__ import annotations

import errno
from collections import Counter
from pathlib import Path

from resources_cache.database import Watcher
from resources_cache.errors import DiskFull
from resources_cache.files import FileStore, Partial
from resources_cache.library import Library
from resources_cache.own import Own
from sync.home import Home
from tests.simulation.carried_bytes import CarriedBytes
from tests.simulation.virtual_link import Died

_INCOMING = 64 * 1024 * 1024


class Trouble:
    """Fails the n-th access to the disk, once: "full", "lost" (an input/output error) or "died"; 0 for never."""

    def __init__(self, at: int = 0, how: str = "full", faults: Counter[str] | None = None) -> None:
        self.at, self.how = at, how
        self.seen = 0
        self.faults: Counter[str] = Counter() if faults is None else faults

    def __call__(self, what: str) -> None:
        self.seen += 1
        if self.seen != self.at:
            return
        self.faults[f"disk: {self.how} at {'a write' if what == 'write' else 'a statement'}"] += 1
        if self.how == "died":
            raise Died
        if self.how == "full":
            raise OSError(errno.ENOSPC, "no space left on the simulated disk")
        raise OSError(errno.EIO, "the simulated disk failed")


class FailingHome(Home):
    """A home whose stores and segments under way stand on such a disk."""

    def __init__(self, path: Path, trouble: Trouble, carried: CarriedBytes | None = None) -> None:
        super().__init__(path)
        self._trouble, self._carried = trouble, carried

    @property
    def _watcher(self) -> Watcher | None:
        return self._trouble if self._trouble.at else None

    def library(self) -> Library:
        return Library(self.path / "library.db", on_statement=self._watcher)

    def own(self) -> Own:
        return Own(self.path / "own.db", on_statement=self._watcher)

    def incoming(self) -> FileStore:
        return _FailingStore(self.path / "incoming", _INCOMING, self._trouble, self._carried)


class _FailingStore(FileStore):
    def __init__(self, root: Path, quota: int, trouble: Trouble, carried: CarriedBytes | None = None) -> None:
        super().__init__(root, quota)
        self._trouble, self._carried = trouble, carried

    def partial(self, hash_: str, size: int) -> Partial:
        return _FailingPartial(self, hash_, size, self._trouble, self._carried)


class _FailingPartial(Partial):
    def __init__(
        self, store: FileStore, hash_: str, size: int, trouble: Trouble, carried: CarriedBytes | None = None
    ) -> None:
        super().__init__(store, hash_, size)
        self._trouble, self._carried = trouble, carried

    def write(self, data: bytes) -> None:
        try:
            self._trouble("write")
        except OSError:
            # A full disk takes the beginning of what is written.
            self._write(data[: len(data) // 2])
            raise DiskFull("The simulated disk is full.") from None
        except Died:
            self._write(data[: len(data) // 2])
            raise
        self._write(data)

    def _write(self, data: bytes) -> None:
        offset = self.offset
        super().write(data)
        if self._carried is not None:
            self._carried.wrote(self.hash, offset, data)
