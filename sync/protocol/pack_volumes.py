"""Where packs lie: a folder on a stick, or one file. The only module here that touches a disk, since hub and shelf
must write a stick in the same way.

A folder is written name by name: aside, to the disk, then renamed, so that whatever has a name is whole. The
one-file form is a plain ZIP without compression (ADR 18): a person can look into it, and any name of it is read
without reading the others. What is read is hostile: links and devices are not followed, and a list of names is
bounded before it is read.
"""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
import shutil
import stat
import struct
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from resources_cache.placing import put_in_place
from sync.protocol.durable import sync_folder
from sync.protocol.packs import (
    ENDING,
    FAT_FILE,
    FOLDER,
    HEAD,
    NotAPack,
    NotInPack,
    PackDamaged,
    PackError,
    PackFileTooLarge,
    PackNoRoom,
    PackUnreadable,
    PackUnwritable,
    Volume,
    sealed_mail,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9.]{0,80}(?:/[a-z0-9][a-z0-9.]{0,80}){0,2}")
"""What this program calls anything in a pack: nothing that leads out of it, or that FAT does not take."""
_ASIDE = ".part-"
_DIRECTORY = 8 * 1024 * 1024
"""Bytes of a ZIP's list of names: some 50,000 of ours. A list of the shortest names has four times as many, which
take about 100 MB of memory once they are read."""
_LISTED = 46 + 28
"""Bytes that a name takes in that list beside its own, at most."""
_LOCAL = struct.Struct("<4s5H3L2H")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")


class Target(Protocol):
    """Where a pack is written to; `one_file`: all of it becomes one file."""

    @property
    def one_file(self) -> bool: ...

    def size(self, name: str) -> int | None:
        """Return the bytes of what is there under a name; None for nothing."""
        ...

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file whole or not at all. Raises PackNoRoom, PackFileTooLarge, PackUnwritable."""
        ...

    def names(self, folder: str, most: int) -> list[str]: ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there. Raises PackUnwritable."""
        ...

    def room(self) -> int:
        """Return how many bytes there is room for. Raises PackUnwritable."""
        ...

    def longest(self) -> int | None:
        """Return how many bytes a file there may have; None for no bound that is known."""
        ...

    def tidy(self) -> None:
        """Remove what an earlier attempt left half-written."""
        ...

    def mail(self) -> dict[str, bytes]:
        """Return the sealed messages that writing would take away, and that therefore go into what is written."""
        ...

    def lying(self) -> AbstractContextManager[Volume | None]:
        """Return the pack that writing would take away; None where what lies there stays. Close it before
        `finish`."""
        ...

    def finish(self) -> None:
        """All was put: bring it to the disk. Raises as `put`."""
        ...

    def give_up(self) -> None:
        """Something failed: leave nothing half-written that can be removed."""
        ...


class FolderVolume:
    """A pack in a folder, read and written."""

    one_file = False

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._device: int | None = None
        with suppress(OSError):
            self._same()

    def size(self, name: str) -> int | None:
        try:
            found = self._path(name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            self._require_here()
            return None
        except OSError as error:
            raise PackUnreadable(f"The pack cannot be read ({error.strerror or error}).") from None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def open(self, name: str) -> BinaryIO:
        path = self._path(name)
        try:
            # Neither a link nor a device of whoever made the stick: those are not opened, or would keep us
            # waiting.
            if not stat.S_ISREG(path.lstat().st_mode):
                raise NotInPack(f"“{name}” is no plain file in this pack.")
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | _BINARY
            return _reader(os.open(path, flags))
        except (FileNotFoundError, NotADirectoryError):
            self._require_here()
            raise NotInPack(f"The pack has no “{name}”.") from None
        except OSError as error:
            raise PackUnreadable(f"The pack cannot be read ({error.strerror or error}).") from None

    def names(self, folder: str, most: int) -> list[str]:
        found: list[str] = []
        try:
            with os.scandir(self._path(folder)) as entries:
                for entry in entries:
                    if len(found) >= most:
                        break
                    found.append(entry.name)
        except (FileNotFoundError, NotADirectoryError):
            self._require_here()
            return []
        except OSError as error:
            raise PackUnreadable(f"The pack cannot be read ({error.strerror or error}).") from None
        return sorted(found)

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        path = self._path(name)
        aside = path.with_name(f"{_ASIDE}{secrets.token_hex(4)}")
        with unwritable(self.root):
            self._make(path.parent)
            try:
                with aside.open("xb") as file:
                    for piece in pieces:
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                put_in_place(aside, path)
            except BaseException:
                with suppress(OSError):
                    aside.unlink(missing_ok=True)
                raise
            sync_folder(path.parent)

    def remove(self, name: str) -> None:
        with unwritable(self.root):
            self._path(name).unlink(missing_ok=True)

    def room(self) -> int:
        with unwritable(self.root):
            self._make(self.root)
            return _room(self.root)

    def longest(self) -> int | None:
        return FAT_FILE if is_fat(self.root) else None

    def tidy(self) -> None:
        with suppress(OSError):
            for folder, _folders, files in os.walk(self.root):
                for one in files:
                    if one.startswith(_ASIDE):
                        (Path(folder) / one).unlink(missing_ok=True)

    def mail(self) -> dict[str, bytes]:
        return {}  # they stay where they are

    def lying(self) -> AbstractContextManager[Volume | None]:
        return nullcontext()

    def finish(self) -> None:
        with unwritable(self.root):
            sync_folder(self.root)

    def give_up(self) -> None:
        """What has a name is whole, and stays for the next attempt."""

    def _path(self, name: str) -> Path:
        return self.root / checked(name)

    def _same(self) -> bool:
        """Whether the folder is still on the disk where it was found first, if it was found."""
        try:
            device = self.root.stat().st_dev
        except (FileNotFoundError, NotADirectoryError):
            return self._device is None
        if self._device is None:
            self._device = device
        return device == self._device

    def _require_here(self) -> None:
        """Tell what a pack does not have from a stick that is gone: a desktop that unmounts it leaves an empty
        folder of another disk. Raises PackUnreadable."""
        try:
            if self._same():
                return
        except OSError as error:
            raise PackUnreadable(f"The pack cannot be read ({error.strerror or error}).") from None
        raise PackUnreadable("The stick is not there any more.")

    def _make(self, folder: Path) -> None:
        """Make a folder of the pack; nothing is made or written behind one that is a link, nor on another disk
        once the stick is gone."""
        if not self._same():
            raise PackUnwritable("The stick is not there any more.")
        self.root.mkdir(parents=True, exist_ok=True)
        self._same()
        place = self.root
        for part in ("", *folder.relative_to(self.root).parts):
            place = place / part
            with suppress(FileExistsError):
                place.mkdir()
            if not stat.S_ISDIR(place.lstat().st_mode):
                raise PackUnwritable(f"“{place.name}” on the stick is a link: nothing is written through it.")


class ZipVolume:
    """A pack in one file, read. Close it in the end."""

    def __init__(self, path: Path) -> None:
        """Raises NotAPack, PackDamaged, PackUnreadable."""
        try:
            self._file = _reader(os.open(path, os.O_RDONLY | _BINARY))
        except OSError as error:
            raise PackUnreadable(f"“{path.name}” cannot be opened ({error.strerror or error}).") from None
        try:
            _bounded(self._file)
            self._zip = zipfile.ZipFile(self._file)
        except OSError as error:
            self._file.close()
            raise PackUnreadable(f"“{path.name}” cannot be read ({error.strerror or error}).") from None
        except (zipfile.BadZipFile, ValueError, struct.error, NotImplementedError, OverflowError) as error:
            self._file.close()
            raise NotAPack(f"“{path.name}” is no pack, or not all of one ({error}).") from None
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def size(self, name: str) -> int | None:
        found = self._info(name)
        return None if found is None else found.file_size

    def open(self, name: str) -> BinaryIO:
        found = self._info(name)
        if found is None:
            raise NotInPack(f"The pack has no “{name}”.")
        try:
            self._file.seek(found.header_offset)
            header = self._file.read(_LOCAL.size)
        except (OSError, ValueError) as error:
            raise PackUnreadable(f"“{name}” of the pack cannot be read ({error}).") from None
        if not header.startswith(b"PK\x03\x04") or len(header) < _LOCAL.size:
            raise PackDamaged(f"“{name}” is not where the pack says.")
        *_rest, named, extra = _LOCAL.unpack(header)
        start = found.header_offset + _LOCAL.size + named + extra
        return cast(BinaryIO, io.BufferedReader(_Stored(self._file, start, found.file_size)))

    def names(self, folder: str, most: int) -> list[str]:
        begin = checked(folder) + "/"
        found = [name[len(begin) :] for name in self._zip.namelist() if name.startswith(begin)]
        return sorted(found)[:most]

    def _info(self, name: str) -> zipfile.ZipInfo | None:
        try:
            found = self._zip.getinfo(checked(name))
        except KeyError:
            return None
        # Ours are stored as they are: nothing of this file is ever unpacked.
        plain = found.compress_type == zipfile.ZIP_STORED and found.file_size == found.compress_size
        return found if plain and not found.flag_bits & 0x1 else None


class ZipTarget:
    """A pack in one file, written aside and put in its place when it is whole."""

    one_file = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_name(f"{_ASIDE}{path.name}")
        self._zip: zipfile.ZipFile | None = None
        self._listed = 0

    def size(self, name: str) -> int | None:
        del name
        return None

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        self._listed += len(name) + _LISTED
        if self._listed > _DIRECTORY:
            raise PackFileTooLarge("The pack has more parts than one file may list: make a folder of it.")
        with unwritable(self._path.parent):
            if self._zip is None:
                self._zip = zipfile.ZipFile(self._aside, "w", zipfile.ZIP_STORED, allowZip64=True)
            info = zipfile.ZipInfo(checked(name), (1980, 1, 1, 0, 0, 0))
            with self._zip.open(info, "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)

    def names(self, folder: str, most: int) -> list[str]:
        del folder, most
        return []

    def remove(self, name: str) -> None:
        """What was not put is not in it."""

    def room(self) -> int:
        with unwritable(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return _room(self._path.parent)

    def longest(self) -> int | None:
        """All of it is one file."""
        return FAT_FILE if is_fat(self._path.parent) else None

    def tidy(self) -> None:
        with suppress(OSError):
            self._aside.unlink(missing_ok=True)

    def mail(self) -> dict[str, bytes]:
        with self.lying() as before:
            return {} if before is None else sealed_mail(before)

    @contextmanager
    def lying(self) -> Iterator[Volume | None]:
        try:
            before = ZipVolume(self._path) if self._path.exists() else None
        except PackError:
            before = None  # no pack of ours, or none that could still be read
        try:
            yield before
        finally:
            if before is not None:
                before.close()

    def finish(self) -> None:
        with unwritable(self._path.parent):
            assert self._zip is not None, "a pack has at least a list of its contents"
            self._zip.close()
            with self._aside.open("rb+") as file:
                os.fsync(file.fileno())
            put_in_place(self._aside, self._path)
            sync_folder(self._path.parent)

    def give_up(self) -> None:
        with suppress(OSError, ValueError):
            if self._zip is not None:
                self._zip.close()
        self.tidy()


@contextmanager
def opened(source: Path) -> Iterator[Volume]:
    """Yield the pack at `source`: a stick with one, its folder, or a file. Raises NotAPack, PackUnreadable."""
    try:
        is_file = source.is_file()
        folders = (source / FOLDER, source) if source.is_dir() else ()
        folder = next((one for one in folders if one.name == FOLDER and one.is_dir()), None)
        folder = folder or next((one for one in folders if (one / HEAD).is_file()), None)
    except OSError as error:
        raise PackUnreadable(f"{source} cannot be read ({error.strerror or error}).") from None
    if is_file:
        archive = ZipVolume(source)
        try:
            yield archive
        finally:
            archive.close()
    elif folder is not None:
        yield FolderVolume(folder)
    else:
        raise NotAPack(f"There is no pack in {source}.")


def target_at(target: Path) -> FolderVolume | ZipTarget:
    """Return where a pack for `target` is written: a file where the name ends like one, else a folder on a
    stick."""
    if target.name.endswith(ENDING):
        return ZipTarget(target)
    return FolderVolume(target if target.name == FOLDER else target / FOLDER)


def checked(name: str) -> str:
    """Return the name. Raises ValueError for one that this program does not give."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise ValueError(f"not a name in a pack: {name!r}")
    return name


@contextmanager
def unwritable(place: Path) -> Iterator[None]:
    """Turn errors of the system into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PackNoRoom(f"There is no room left in {place}.") from None
        if error.errno == errno.EFBIG:
            raise PackFileTooLarge(f"A file of the pack is too large for {place}.") from None
        raise PackUnwritable(f"The pack cannot be written to {place} ({error.strerror or error}).") from None


def is_fat(place: Path) -> bool:
    """Whether a folder lies on FAT, where a file has less than 4 GB; False where that cannot be known."""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines()
        there = place.resolve()
    except OSError:
        return False
    best, kind = "", ""
    for line in mounts:
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        mounted = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), parts[1])
        if len(mounted) >= len(best) and there.is_relative_to(mounted):
            best, kind = mounted, parts[2]
    return kind in ("vfat", "msdos")


def _room(place: Path) -> int:
    """The bytes that are free. A disk that says nothing of its size (telephones, some drivers) may have any."""
    found = shutil.disk_usage(place)
    return found.free if found.total else sys.maxsize


_BINARY = getattr(os, "O_BINARY", 0)


class _File(io.FileIO):
    """A file of a stick, read: that the stick was pulled out is told by reading, and closing says no more."""

    def close(self) -> None:
        with suppress(OSError):
            super().close()


def _reader(handle: int) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_File(handle, "rb")))


class _Stored(io.RawIOBase):
    """The bytes of a stored entry, from `start` on; several may be read in turn from the one file."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._place = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._place)
        data = self._file.read(min(len(buffer), self._size - self._place))
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = min(max(0, base + offset), self._size)
        return self._place

    def tell(self) -> int:
        return self._place


def _bounded(file: BinaryIO) -> None:
    """Look at the end of a ZIP, where it says how long its list of names is, before anybody reads that list.

    Source: APPNOTE.TXT 6.3.10, 4.3.14 to 4.3.16. Raises NotAPack, PackDamaged.
    """
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - _END.size - 65_535))
    tail = file.read(_END.size + 65_535)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < _END.size:
        raise NotAPack("This file is no pack, or not all of one.")
    size = _END.unpack_from(tail, place)[5]
    before = length - len(tail) + place - _LOCATOR_64.size
    if before >= 0 and (locator := tail[max(0, place - _LOCATOR_64.size) : place]).startswith(b"PK\x06\x07"):
        # Readers look where this says, or just before it: neither may be longer.
        for where in (_LOCATOR_64.unpack(locator)[2], before - _END_64.size):
            if 0 <= where <= length - _END_64.size:
                file.seek(where)
                size = max(size if size != 0xFFFFFFFF else 0, _END_64.unpack(file.read(_END_64.size))[8])
    if size > _DIRECTORY:
        raise PackDamaged("The file lists more than a pack can have.")
    file.seek(0)
