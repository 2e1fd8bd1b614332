"""Downloaded files by their SHA-256: written aside, verified, then renamed into place.

Layout: ``ab/abcdef…`` (finished), ``partial/abcdef…`` (what has arrived so far; its size on disk is how far
a download got). Nothing unverified ever stands under a finished name. Last use is kept as the file's mtime.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from resources_cache.database import known_errors
from resources_cache.errors import FileDamaged, NotFound, QuotaExceeded
from resources_cache.placing import put_in_place

_HASH = re.compile("[0-9a-f]{64}")
_BLOCK = 1 << 20
_STALE = 7 * 86_400  # seconds after which a download under way counts as given up


def _checked(hash_: str) -> str:
    """The hash itself. Raises: ValueError unless it is 64 lower-case hex digits, so no name can leave the root."""
    if not isinstance(hash_, str) or not _HASH.fullmatch(hash_):
        raise ValueError(f"not a SHA-256 in lower-case hex: {hash_!r}")
    return hash_


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the system lets folders be opened."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks. Raises: OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


class Partial:
    """A download on its way: append bytes with ``write``, then ``finish``. ``offset`` bytes are already here."""

    def __init__(self, store: FileStore, hash_: str, size: int) -> None:
        """Raises: as ``FileStore.partial``."""
        self.hash = hash_
        self.size = size
        self._store = store
        self.path = store.root / "partial" / hash_
        with known_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and self.path.stat().st_size > size:
                self.path.unlink()
            self._file = self.path.open("ab", buffering=0)
        self.offset = self._file.tell()

    def write(self, data: bytes) -> None:
        """Append ``data``; it is on disk (not yet synced) when this returns, so that a cut loses nothing.

        Raises: FileDamaged (and removes the partial) when more arrives than was announced; DiskFull,
        StoreUnwritable: what was written before stays.
        """
        if self.offset + len(data) > self.size:
            self.discard()
            raise FileDamaged(
                f"More than the announced {self.size} bytes arrived, so this is not the file that was asked for.",
                self.hash,
                "",
            )
        view = memoryview(data)
        with known_errors(self.path):
            while view:
                count = self._file.write(view)
                self.offset += count
                view = view[count:]

    def finish(self) -> Path:
        """Verify the whole file and put it in its place; returns the path.

        Raises: FileDamaged (and removes the partial) when size or hash differ; DiskFull, StoreUnwritable.
        """
        with known_errors(self.path):
            os.fsync(self._file.fileno())
            self._file.close()
            got = sha256_of(self.path)
            if self.offset != self.size or got != self.hash:
                self.path.unlink(missing_ok=True)
                raise FileDamaged(
                    f"The downloaded file is not what the hub announced ({self.offset} of {self.size} bytes); "
                    "it was removed.",
                    self.hash,
                    got,
                )
            return self._store._settle(self.path, self.hash)

    def close(self) -> None:
        """Stop for now; what has arrived stays for the next time."""
        self._file.close()

    def restart(self) -> None:
        """Forget what has arrived and begin anew. Raises: DiskFull, StoreUnwritable."""
        with known_errors(self.path):
            self._file.truncate(0)
        self.offset = 0

    def discard(self) -> None:
        """Stop and remove what has arrived."""
        with known_errors(self.path):
            self._file.close()
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Partial:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FileStore:
    """The files under ``root``, meant to take up to ``quota_bytes``. Safe to open from several threads."""

    def __init__(self, root: Path, quota_bytes: int) -> None:
        """Raises: StoreUnwritable, DiskFull where the folder cannot be made."""
        self.root = Path(root)
        self.quota_bytes = quota_bytes
        with known_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)

    def has(self, hash_: str) -> bool:
        """Whether the verified file is here."""
        return self._place(hash_).is_file()

    def path(self, hash_: str) -> Path:
        """The file's path; counts as a use. Raises: NotFound."""
        place = self._place(hash_)
        try:
            os.utime(place)
        except FileNotFoundError:
            raise NotFound("This file is not on this computer.", "Download it first.") from None
        except OSError:
            pass  # a folder that cannot be written: the file is good all the same
        return place

    def partial(self, hash_: str, size: int) -> Partial:
        """Begin or go on with a download of ``size`` bytes.

        Raises: QuotaExceeded when it alone exceeds the quota; DiskFull, StoreUnwritable.
        """
        _checked(hash_)
        if size < 0:
            raise ValueError("size must not be negative")
        self._refuse_beyond_quota(size)
        return Partial(self, hash_, size)

    def partial_size(self, hash_: str) -> int:
        """Bytes of the file that have arrived so far; 0 where no download is on its way."""
        try:
            return (self.root / "partial" / _checked(hash_)).stat().st_size
        except FileNotFoundError:
            return 0

    def partial_bytes(self, hash_: str, size: int) -> bytes:
        """All bytes of a file that has arrived whole, not verified yet; nothing where it has not.

        Raises: CacheError.
        """
        if self.partial_size(hash_) != size:
            return b""
        path = self.root / "partial" / hash_
        with known_errors(path):
            return path.read_bytes()

    def partials(self) -> dict[str, int]:
        """Downloads under way: hash → bytes that have arrived."""
        found = {}
        with suppress(FileNotFoundError):
            for path in (self.root / "partial").iterdir():
                with suppress(FileNotFoundError):
                    found[path.name] = path.stat().st_size
        return found

    def put(self, source: Path | bytes) -> str:
        """Copy a file or bytes into the store; returns the hex SHA-256.

        Raises: QuotaExceeded, DiskFull, StoreUnwritable.
        """
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        self._refuse_beyond_quota(size)
        with known_errors(self.root):
            handle, name = tempfile.mkstemp(prefix=".put-", dir=self.root)
            aside = Path(name)
            try:
                with os.fdopen(handle, "wb") as file:
                    if isinstance(source, bytes):
                        file.write(source)
                    else:
                        with source.open("rb") as original:
                            shutil.copyfileobj(original, file, _BLOCK)
                    file.flush()
                    os.fsync(file.fileno())
                hash_ = sha256_of(aside)
                self._settle(aside, hash_)
            finally:
                aside.unlink(missing_ok=True)
        return hash_

    def adopt(self, path: Path, hash_: str) -> None:
        """Take a file of another store on the same disk, whose bytes were verified, as ``hash_``.

        Raises: DiskFull, StoreUnwritable.
        """
        with known_errors(path):
            self._settle(path, _checked(hash_))

    def used(self) -> int:
        """Bytes that finished and partial files take."""
        return sum(size for _path, size, _when in self._all())

    def evict(self, keep: Collection[str]) -> list[str]:
        """Remove the least recently used files until the quota is kept; those in ``keep`` stay.

        Downloads under way stay too, unless a week has passed. Returns the hashes of the finished files that went.
        """
        self.forget_removed()
        everything = sorted(self._all(), key=lambda entry: entry[2])
        left = sum(size for _path, size, _when in everything)
        gone: list[str] = []
        for path, size, when in everything:
            if left <= self.quota_bytes:
                break
            partial = path.parent.name == "partial"
            if path.name in keep or (partial and when > time.time() - _STALE):
                continue
            with known_errors(path):
                path.unlink(missing_ok=True)
            left -= size
            if not partial:
                gone.append(path.name)
        return gone

    def would_evict(self, size: int, keep: Collection[str]) -> list[tuple[str, int]]:
        """What ``evict`` would remove if ``size`` bytes more came: (hash, bytes) of finished files."""
        everything = sorted(self._all(), key=lambda entry: entry[2])
        left = size + sum(taken for _path, taken, _when in everything)
        gone: list[tuple[str, int]] = []
        for path, taken, when in everything:
            if left <= self.quota_bytes:
                break
            partial = path.parent.name == "partial"
            if path.name in keep or (partial and when > time.time() - _STALE):
                continue
            left -= taken
            if not partial:
                gone.append((path.name, taken))
        return gone

    def remove(self, hash_: str) -> bool:
        """Remove one finished file; False where it was not here."""
        place = self._place(hash_)
        with known_errors(place):
            there = place.is_file()
            place.unlink(missing_ok=True)
        return there

    def remove_for_now(self, hash_: str) -> bool:
        """Remove one finished file so that ``bring_back`` can undo it, until ``forget_removed`` or an eviction."""
        place, aside = self._place(hash_), self.root / "removed" / hash_
        with known_errors(place):
            if not place.is_file():
                return False
            aside.parent.mkdir(exist_ok=True)
            put_in_place(place, aside)
        return True

    def bring_back(self, hash_: str) -> bool:
        """Undo ``remove_for_now``; False where it is too late."""
        aside = self.root / "removed" / _checked(hash_)
        with known_errors(aside):
            if not aside.is_file():
                return False
            self._settle(aside, hash_)
        return True

    def forget_removed(self) -> None:
        """Let go of what was removed for now, and of the room it takes."""
        with known_errors(self.root):
            for path in (self.root / "removed").glob("*"):
                if _HASH.fullmatch(path.name):
                    path.unlink(missing_ok=True)

    def verify(self, hash_: str) -> bool:
        """Read the file and compare its hash; a damaged one is removed. Raises: NotFound."""
        place = self._place(hash_)
        if not place.is_file():
            raise NotFound("This file is not on this computer.", "Download it first.")
        with known_errors(place):
            if sha256_of(place) == hash_:
                return True
            place.unlink(missing_ok=True)
        return False

    def hashes(self) -> list[str]:
        """The hashes of all finished files."""
        return sorted(path.name for path, _size, _when in self._all() if path.parent.name != "partial")

    def _place(self, hash_: str) -> Path:
        return self.root / _checked(hash_)[:2] / hash_

    def _settle(self, aside: Path, hash_: str) -> Path:
        place = self._place(hash_)
        place.parent.mkdir(parents=True, exist_ok=True)
        put_in_place(aside, place)
        os.utime(place)
        _sync_folder(place.parent)
        return place

    def _all(self) -> Iterator[tuple[Path, int, float]]:
        """(path, bytes, last use in seconds) of each file of ours; strangers in the folder are not touched."""
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            if not folder.is_dir():
                continue
            for path in folder.iterdir():
                if _HASH.fullmatch(path.name) and (folder.name == "partial" or folder.name == path.name[:2]):
                    try:
                        status = path.stat()
                    except FileNotFoundError:
                        continue
                    yield path, status.st_size, status.st_mtime

    def _refuse_beyond_quota(self, size: int) -> None:
        if size > self.quota_bytes:
            raise QuotaExceeded(
                f"This file is {size:,} bytes; all downloaded files together may take {self.quota_bytes:,}."
            )
