"""What is done with sticks, where one may mount: `python -m tests.faults.stick_hand ACTION KIND BASES N…`.

BASES is a folder with packs `old`, `new` and `other` and shelves `empty` and `filled` (of `old`). A PLACE says
after how much of all bytes the stick is pulled out, in hundredths. What is not as it must be ends in a traceback;
a line of JSON says what happened.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from resources_cache.errors import CacheError
from resources_cache.library import Library
from sync.errors import SyncError
from sync.home import Home
from sync.packs.importing import import_pack
from sync.protocol import packs
from sync.protocol.errors import ProtocolError
from sync.protocol.pack_volumes import FolderVolume, Target, ZipTarget, opened
from sync.protocol.pack_writing import Pack, write
from sync.protocol.packs import PackError
from tests.faults.sticks import Stick

KNOWN = (SyncError, CacheError, ProtocolError)
GONE = ("pack-unwritable", "pack-unreadable")


class Watched:
    """Counts bytes and does something once so many have passed; `between`: only when a file was written whole."""

    def __init__(self, left: int, then: Callable[[], None], *, between: bool = False) -> None:
        self.passed, self._left, self._then, self._between = 0, left, then, between
        self._due = False

    def __call__(self, count: int) -> None:
        before = self.passed
        self.passed += count
        self._due = self._due or before <= self._left < self.passed
        if not self._between:
            self.rest()

    def rest(self) -> None:
        """A file was written."""
        if self._due:
            self._due = False
            self._then()

    def each(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            for start in range(0, len(piece), 512):
                part = piece[start : start + 512]
                self(len(part))
                yield part


class WatchedFolder(FolderVolume):
    def __init__(self, root: Path, watch: Watched) -> None:
        super().__init__(root)
        self._watch = watch

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        super().put(name, self._watch.each(pieces))
        self._watch.rest()

    def open(self, name: str) -> BinaryIO:
        file, watch = super().open(name), self._watch

        class Counted(io.BufferedReader):
            def read(self, size: int | None = -1) -> bytes:
                watch(min(file_size if size is None or size < 0 else size, file_size))
                return super().read(size)

        file_size = self.size(name) or 0
        return Counted(file.detach())  # type: ignore[attr-defined]  # a buffered reader of ours


class WatchedFile(ZipTarget):
    def __init__(self, path: Path, watch: Watched) -> None:
        super().__init__(path)
        self._watch = watch

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        super().put(name, self._watch.each(pieces))


def rewrite(source: Path, target: Target) -> None:
    with opened(source) as volume:
        verified = packs.verify(volume, None)
        found = packs.contained(volume, verified.head, lambda _feed: True)
        write(Pack(verified, [(volume, list(found.entries.values()))]), target)


def whole(place: Path) -> bytes:
    """The head of the pack there, once all of it was read and is what its names promise."""
    with opened(place) as volume:
        verified = packs.verify(volume, None)
        for entry in packs.contained(volume, verified.head, lambda _feed: True).entries.values():
            data = packs.read(volume, entry.name, entry.size)
            assert not entry.digest or packs.sha256(data) == entry.digest
        return verified.document


def content(home: Home) -> dict[str, str]:
    with Library(home.path / "library.db") as library:
        return {str(one["id"]): str(one.get("title")) for one in list(library.newest(list(library.cursors())))}


def shelf(bases: Path, name: str) -> Home:
    home = Home(Path(tempfile.mkdtemp(prefix="shelf-")))
    shutil.copytree(bases / name, home.path, dirs_exist_ok=True)
    return home


def exports(
    kind: str, bases: Path, places: list[int], *, one_file: bool = False, between: bool = False
) -> list[str]:
    """Pull the stick out while the new pack is written over the old one; then write it again."""
    old, new = whole(bases / "old"), whole(bases / "new")
    measure = Watched(-1, lambda: None)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        shutil.copytree(bases / "old", folder, dirs_exist_ok=True)
        rewrite(bases / "new", WatchedFolder(Path(folder) / packs.FOLDER, measure))
    total = sum(path.stat().st_size for path in (bases / "new").rglob("*") if path.is_file())
    total, outcomes = total if one_file else measure.passed, []
    for place in places:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            stick = Stick(Path(folder), kind)
            at = stick.path / ("all.hubshelf-pack" if one_file else packs.FOLDER)
            rewrite(bases / "old", ZipTarget(at) if one_file else FolderVolume(at))
            watch = Watched(total * place // 100, stick.pull_out, between=between)
            target = WatchedFile(at, watch) if one_file else WatchedFolder(at, watch)
            try:
                rewrite(bases / "new", target)
            except PackError as error:
                outcomes.append(error.code)
                stick.put_in_again()
            else:
                assert watch.passed <= total * place // 100, "a stick that was gone took all of it"
                outcomes.append("whole")
            assert outcomes[-1] in (*GONE, "whole")
            assert whole(at) in (old, new)
            rewrite(bases / "new", ZipTarget(at) if one_file else FolderVolume(at))
            assert whole(at) == new
            left = [path.name for path in stick.path.rglob("*") if path.name.startswith(".part-")]
            assert not left, left
            stick.take_out()
    return outcomes


def imports(kind: str, bases: Path, places: list[int]) -> list[str]:
    """Pull the stick out while it is read; then put it in and read on."""
    expected, measure = shelf(bases, "filled"), Watched(-1, lambda: None)
    assert import_pack(expected, WatchedFolder(bases / "new" / packs.FOLDER, measure)).error is None
    outcomes = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        stick = Stick(Path(folder), kind)
        at = stick.path / packs.FOLDER
        rewrite(bases / "new", FolderVolume(at))
        for place in places:
            home = shelf(bases, "filled")
            before = content(home)
            # What was read once stays in the system's memory, as with a stick: it is mounted afresh.
            stick.pull_out()
            stick.put_in_again()
            try:
                error: Any = import_pack(
                    home, WatchedFolder(at, Watched(measure.passed * place // 100, stick.pull_out)), keep=True
                ).error
            except KNOWN as raised:
                error = raised
            outcomes.append("whole" if error is None else error.code)
            assert error is None or error.code in GONE, error
            assert content(home).keys() >= before.keys()
            if error is not None or not is_in(stick.path):
                stick.put_in_again()
            assert import_pack(home, stick.path, keep=True).error is None
            assert content(home) == content(expected)
            assert whole(home.path / "carry") == whole(bases / "new")
            shutil.rmtree(home.path)
        stick.take_out()
    shutil.rmtree(expected.path)
    return outcomes


def is_in(path: Path) -> bool:
    """Whether a stick is there; one whose driver died with it says an error instead."""
    try:
        return path.is_mount()
    except OSError:
        return False


def bad_ones(bases: Path) -> dict[str, str]:
    """A stick that is full at once, one that fills up later, one that is read-only, and one of another hub."""
    found = {}

    def error_of(act: Callable[[], object]) -> str:
        try:
            done = act()
        except KNOWN as error:
            return error.code if str(error) and getattr(error, "advice", "") else "no words"
        return str(getattr(getattr(done, "error", None), "code", ""))

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        stick = Stick(Path(folder) / "full", "unmounted", 2)
        at = stick.path / packs.FOLDER
        rewrite(bases / "old", FolderVolume(at))
        filler = stick.path / "films"
        filler.write_bytes(bytes(2 * 1024**2 - 400 * 1024))
        found["full at once"] = error_of(lambda: rewrite(bases / "new", FolderVolume(at)))
        assert whole(at) == whole(bases / "old")
        filler.unlink()

        def fill() -> None:
            with filler.open("wb", 0) as file:
                try:
                    while True:
                        file.write(bytes(4096))
                except OSError:
                    return

        found["full on the way"] = error_of(lambda: rewrite(bases / "new", WatchedFolder(at, Watched(8000, fill))))
        assert whole(at) == whole(bases / "old")
        filler.unlink()
        rewrite(bases / "new", FolderVolume(at))
        assert whole(at) == whole(bases / "new")
        stick.only_read()
        found["read-only, written"] = error_of(lambda: rewrite(bases / "old", FolderVolume(at)))
        found["read-only, as a file"] = error_of(
            lambda: rewrite(bases / "old", ZipTarget(stick.path / "a.hubshelf-pack"))
        )
        home = shelf(bases, "filled")
        found["read-only, read"] = error_of(lambda: import_pack(home, stick.path))
        stick.take_out()
        other = Stick(Path(folder) / "other", "unmounted", 8)
        shutil.copytree(bases / "other" / packs.FOLDER, other.path / packs.FOLDER)
        before = content(home)
        found["another hub's"] = error_of(lambda: import_pack(home, other.path, keep=True))
        assert content(home) == before
        other.take_out()
        shutil.rmtree(home.path)
    return found


def main() -> None:
    action, kind, bases = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    places = [int(one) for one in sys.argv[4:]]
    if action == "bad":
        told: Any = bad_ones(bases)
    elif action == "import":
        told = imports(kind, bases, places)
    else:
        told = exports(kind, bases, places, one_file=action == "export-file", between=action == "export-between")
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
