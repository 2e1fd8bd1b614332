"""Packs, made by a real hub and taken in by real shelves: whole, by difference, pulled out, and hostile."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources_cache.errors import CacheError
from resources_cache.library import Library
from sync.errors import SyncError
from sync.home import Home
from sync.packs.exporting import export_pack, weigh
from sync.packs.importing import Imported, import_pack, show_pack
from sync.protocol import packs
from sync.protocol.errors import ProtocolError
from sync.protocol.pack_volumes import FolderVolume, opened, target_at
from sync.protocol.pack_writing import InTheWay, Pack, Written, write
from sync.protocol.packs import (
    NotAPack,
    NothingToCarry,
    OtherHubsPack,
    PackDamaged,
    PackInTheWay,
    PackNoRoom,
    PackNotConfirmed,
    PackOlder,
    PackUnwritable,
)
from tests.programs import HubProgram, write_records

KNOWN = (SyncError, CacheError, ProtocolError)


@dataclass(frozen=True)
class Made:
    """Two packs of one hub, the older and the newer, the newer in one file, and one of another hub."""

    old: Path
    new: Path
    file: Path
    other: Path
    french: Path


def cards(count: int, lang: str = "en") -> list[dict[str, Any]]:
    return [
        {
            "id": f"{lang}{n}",
            "type": "resource",
            "title": f"Guide {n} to rain and {n * 7919} other things",
            "text": f"What rain does to {n * 104_729} roofs. " * 60,
            "lang": lang,
        }
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("packs")
    with HubProgram(folder / "hub").init() as hub, HubProgram(folder / "hub2").init(own_keys=True) as other:
        hub.do("import", file=str(write_records(folder / "a.jsonl", [*cards(60), *cards(20, "fr")])))
        hub.do("publish")
        hub.run("pack", "export", folder / "old")
        hub.do("import", file=str(write_records(folder / "b.jsonl", cards(90))))
        hub.do("edit", id="en1", title="Guide 1, anew")
        hub.do("publish")
        hub.run("pack", "export", folder / "new")
        hub.run("pack", "export", folder / "all.hubshelf-pack")
        hub.run("pack", "export", folder / "french", "--lang", "fr")
        other.do("import", file=str(write_records(folder / "c.jsonl", cards(3))))
        other.do("publish")
        other.run("pack", "export", folder / "other")
        yield Made(
            folder / "old", folder / "new", folder / "all.hubshelf-pack", folder / "other", folder / "french"
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "shelf")


def content(home: Home) -> dict[str, str]:
    with Library(home.path / "library.db") as library:
        found = list(library.newest(list(library.cursors())))
    return {str(one["id"]): str(one["title"]) for one in found if one["type"] == "resource"}


def take(home: Home, source: Any, **how: Any) -> Imported:
    return import_pack(home, source, accept=True, **how)


def copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target / packs.FOLDER


def all_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_shelf_is_filled_and_brought_forward(made: Made, home: Home, tmp_path: Path) -> None:
    with pytest.raises(PackNotConfirmed, match="Hubshelf"):
        import_pack(home, made.old)
    assert content(home) == {}
    done = take(home, made.old)
    assert (done.error, done.hub_name, len(content(home))) == (None, "Hubshelf", 80)
    again = import_pack(home, made.old)
    assert again.report is not None
    assert (again.error, again.report.records, again.report.segments_applied) == (None, 0, 0)
    newer = import_pack(home, made.file)
    assert (newer.error, len(content(home)), content(home)["en1"]) == (None, 110, "Guide 1, anew")
    with home.own() as own:
        assert own.setting("link_rate") is None, "a stick says nothing of the link"
        assert own.setting("hub_url") is None
    other = Home(tmp_path / "other")
    take(other, made.new)
    assert content(other) == content(home)


def test_older_packs_and_those_of_other_hubs_change_nothing(made: Made, home: Home) -> None:
    take(home, made.new)
    before = content(home)
    with pytest.raises(PackOlder, match="older state"):
        take(home, made.old)
    with pytest.raises(OtherHubsPack, match="another hub"):
        take(home, made.other)
    assert content(home) == before


def test_what_a_pack_leaves_out_stays(made: Made, home: Home) -> None:
    take(home, made.old)
    done = take(home, made.french)
    assert done.error is not None
    assert done.error.code == "not-in-pack"
    assert len(content(home)) == 80, "what was here stays"
    assert import_pack(home, made.new).error is None
    assert len(content(home)) == 110


def test_a_shelf_gives_on_what_it_keeps(made: Made, home: Home, tmp_path: Path) -> None:
    take(home, made.old)
    with pytest.raises(NothingToCarry):
        export_pack(home, tmp_path / "stick")
    take(home, made.new, keep=True)
    first = export_pack(home, tmp_path / "stick")
    assert first.written.new == first.written.files > 5
    assert all_files(tmp_path / "stick") != {}
    second = export_pack(home, tmp_path / "stick")
    assert (second.written.new, second.written.removed) == (0, 0)
    far = Home(tmp_path / "far")
    take(far, tmp_path / "stick", keep=True)
    assert content(far) == content(home)
    export_pack(far, tmp_path / "on.hubshelf-pack")
    farther = Home(tmp_path / "farther")
    take(farther, tmp_path / "on.hubshelf-pack")
    assert content(farther) == content(home)


def test_a_pack_of_another_hub_or_a_newer_one_is_replaced_only_when_asked(
    made: Made, home: Home, tmp_path: Path
) -> None:
    stranger, older = tmp_path / "stranger", tmp_path / "older"
    take(home, made.new, keep=True)
    shutil.copytree(made.other, stranger)
    before = all_files(stranger)
    with pytest.raises(PackInTheWay, match="another hub"):
        export_pack(home, stranger)
    assert all_files(stranger) == before
    found = weigh(home, stranger).in_the_way
    assert found is not None
    assert not found.newer
    export_pack(home, stranger, replace=True)
    assert weigh(home, stranger).in_the_way is None
    take(Home(tmp_path / "next"), stranger)

    shutil.copytree(made.new, older)
    behind = Home(tmp_path / "behind")
    take(behind, made.old, keep=True)
    with pytest.raises(PackInTheWay, match="newer pack of Hubshelf"):
        export_pack(behind, older)
    assert weigh(behind, older).in_the_way == InTheWay("Hubshelf", _published(made.new), True)
    (older / "hubshelf-pack" / "head").write_bytes(b"no head")
    export_pack(behind, older)  # what nobody can take in is no loss
    take(Home(tmp_path / "last"), older)


def _published(pack: Path) -> str:
    return str(show_pack(pack)["published"])


def test_what_was_damaged_on_the_disk_is_not_given_on(made: Made, home: Home, tmp_path: Path) -> None:
    take(home, made.new, keep=True)
    _flip(some(home.path / "carry", "objects")[0])
    with pytest.raises(PackDamaged):
        export_pack(home, tmp_path / "stick")
    with pytest.raises(NotAPack):
        show_pack(tmp_path / "stick")
    take(home, made.new)  # of the right size, so that only its hash can tell
    assert export_pack(home, tmp_path / "stick").written.new > 5


def test_a_second_export_writes_what_changed_and_takes_away_what_is_no_longer_named(
    made: Made, tmp_path: Path
) -> None:
    stick = copy(made.old, tmp_path / "stick")
    (stick / "outbox").mkdir()
    (stick / "outbox" / ("0" * 64)).write_bytes(b"somebody's")
    written = rewrite(made.new, FolderVolume(stick))
    assert 0 < written.new < written.files
    same = {name: data for name, data in all_files(stick).items() if not name.startswith("outbox")}
    assert same.keys() == all_files(made.new / packs.FOLDER).keys()
    assert (stick / "outbox" / ("0" * 64)).exists()


def rewrite(source: Path, target: Any) -> Written:
    with opened(source) as volume:
        verified = packs.verify(volume, None)
        found = packs.contained(volume, verified.head, lambda _feed: True)
        return write(Pack(verified, [(volume, list(found.entries.values()))]), target)


class Breaking(FolderVolume):
    """A stick that fails after so many bytes were written to it, or read from it."""

    def __init__(self, root: Path, left: int, error: int = errno.EIO) -> None:
        super().__init__(root)
        self.left, self.error = left, error

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise OSError(self.error, os.strerror(self.error))

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        def counted() -> Iterator[bytes]:
            for piece in pieces:
                self.spend(len(piece))
                yield piece

        super().put(name, counted())

    def remove(self, name: str) -> None:
        with_errors = self.left < 0
        if with_errors:
            raise PackUnwritable("The stick is gone.")
        super().remove(name)

    def open(self, name: str) -> BinaryIO:
        file = super().open(name)
        volume = self

        class Counted(io.BufferedReader):
            def read(self, size: int | None = -1) -> bytes:
                data = super().read(size)
                volume.spend(len(data))
                return data

        return Counted(file.detach())  # type: ignore[attr-defined]  # a buffered reader of ours


def test_pulled_out_while_it_is_written_the_stick_has_the_old_pack_or_the_new_one(
    made: Made, tmp_path: Path
) -> None:
    whole = Breaking(copy(made.old, tmp_path / "whole"), 2**40)
    rewrite(made.new, whole)
    total = 2**40 - whole.left  # bytes that are written where nothing fails
    old, new = (
        packs.verify(FolderVolume(made.old / packs.FOLDER), None),
        packs.verify(FolderVolume(made.new / packs.FOLDER), None),
    )
    for step in range(21):
        stick = copy(made.old, tmp_path / f"stick{step}")
        kind, expected = ((errno.EIO, PackUnwritable), (errno.ENOSPC, PackNoRoom))[step % 2]
        try:
            rewrite(made.new, Breaking(stick, total * step // 20, kind))
        except expected:
            pass
        else:
            assert step == 20
        found = packs.verify(FolderVolume(stick), None)
        assert found.document in (old.document, new.document)
        packs.contained(FolderVolume(stick), found.head, lambda _feed: True)  # all of it is there
        for name, data in all_files(stick).items():
            if name.startswith("objects"):
                assert packs.sha256(data) == Path(name).name
        rewrite(made.new, FolderVolume(stick))
        assert all_files(stick).keys() == all_files(made.new / packs.FOLDER).keys()
        # On an empty stick there is a whole pack, or none.
        empty = tmp_path / f"empty{step}"
        try:
            rewrite(made.new, Breaking(empty, total * step // 20))
        except PackUnwritable:
            with pytest.raises(NotAPack):
                show_pack(empty)


def test_pulled_out_while_it_is_read_it_goes_on_where_it_stopped(made: Made, home: Home) -> None:
    source = made.new / packs.FOLDER
    total = sum(len(data) for data in all_files(source).values())
    failed = 0
    take(home, made.old)
    for step in range(21):
        before = content(home)
        try:
            done = take(home, Breaking(source, total * step // 40))
        except KNOWN:
            failed += 1
        else:
            failed += done.error is not None
            assert done.error is None or done.error.code == "pack-unreadable"
        assert content(home).keys() >= before.keys()
    assert failed > 3
    assert take(home, made.new).error is None
    assert (len(content(home)), content(home)["en1"]) == (110, "Guide 1, anew")


def test_room_is_looked_for_before_anything_is_written(made: Made, tmp_path: Path) -> None:
    class Small(FolderVolume):
        def room(self) -> int:
            return 10_000

    with pytest.raises(PackNoRoom, match="10,000"):
        rewrite(made.new, Small(tmp_path / "stick"))
    assert not list(tmp_path.rglob("objects"))


def test_nothing_is_written_through_a_link_or_where_nothing_can_be(made: Made, tmp_path: Path) -> None:
    outside, stick = tmp_path / "outside", tmp_path / "stick" / packs.FOLDER
    outside.mkdir()
    stick.mkdir(parents=True)
    (stick / "objects").symlink_to(outside)
    with pytest.raises(PackUnwritable, match="link"):
        rewrite(made.new, FolderVolume(stick))
    assert list(outside.iterdir()) == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(PackUnwritable):
        rewrite(made.new, target_at(tmp_path / "file" / "deeper"))
    with pytest.raises(PackUnwritable):
        rewrite(made.new, target_at(tmp_path / "file" / "deeper" / "one.hubshelf-pack"))


# What a stranger may do to a pack: each takes its folder and does one thing to it.


def some(pack: Path, folder: str) -> list[Path]:
    return sorted(path for path in (pack / folder).rglob("*") if path.is_file())


def each(folder: str, change: Callable[[Path], object]) -> Callable[[Path], None]:
    def do(pack: Path) -> None:
        for path in some(pack, folder):
            change(path)

    return do


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _long(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(3 * 1024**3)


def _moved_out(pack: Path) -> None:
    shutil.move(pack / "objects", pack.parent / "elsewhere")
    (pack / "objects").symlink_to(pack.parent / "elsewhere")


def _many_letters(pack: Path) -> None:
    (pack / "outbox").mkdir()
    for number in range(1500):
        (pack / "outbox" / f"{number:064x}").write_bytes(b"HSB\x01" + bytes(100))
    (pack / "outbox" / "..hidden").write_bytes(b"x")
    (pack / "outbox" / ("f" * 64)).symlink_to("/etc/passwd")


def _big_answers(pack: Path) -> None:
    (pack / "answers").mkdir()
    for number in range(20):
        with (pack / "answers" / f"{number:032x}").open("wb") as file:
            file.truncate(1024**3)


def _contents(pack: Path) -> None:
    (pack / "contents.json").write_text("[" * 200_000)
    (pack / "readme.txt").unlink()


def _foreign_root(pack: Path) -> None:
    (pack / "root" / "1").write_bytes((pack / "head").read_bytes())


HOSTILE: dict[str, Callable[[Path], object]] = {
    "no head": lambda pack: (pack / "head").unlink(),
    "an empty head": lambda pack: (pack / "head").write_bytes(b""),
    "a long head": lambda pack: _long(pack / "head"),
    "a changed head": lambda pack: _flip(pack / "head"),
    "no root": lambda pack: (pack / "root" / "1").unlink(),
    "another root": _foreign_root,
    "a root that is a pipe": lambda pack: _pipe(pack / "root" / "1"),
    "documents changed": each("documents", _flip),
    "documents cut": each("documents", _cut),
    "long documents": each("documents", _long),
    "documents that are links": each("documents", _link),
    "no documents": lambda pack: shutil.rmtree(pack / "documents"),
    "objects changed": each("objects", _flip),
    "objects cut": each("objects", _cut),
    "objects that are links": each("objects", _link),
    "objects that are pipes": each("objects", _pipe),
    "objects that are folders": each("objects", _folder),
    "no objects": lambda pack: shutil.rmtree(pack / "objects"),
}
HARMLESS: dict[str, Callable[[Path], object]] = {
    "objects elsewhere": _moved_out,
    "many letters": _many_letters,
    "big answers": _big_answers,
    "contents": _contents,
    "strange names": lambda pack: (pack / "objects" / "…\x01 na:me").mkdir(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pack_is_an_error_in_words(made: Made, home: Home, tmp_path: Path, name: str) -> None:
    pack = copy(made.new, tmp_path / "stick")
    take(home, made.old)
    HOSTILE[name](pack)
    before, around = content(home), sorted(path.name for path in tmp_path.iterdir())
    try:
        error: Any = take(home, pack.parent, keep=True).error
    except KNOWN as raised:
        error = raised
    assert error is not None
    assert error.code.startswith(("pack-", "not-")), error
    assert "sign in" not in f"{error} {error.advice}"
    assert content(home) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == around
    assert take(home, made.new).error is None
    assert len(content(home)) == 110


def test_gigabytes_behind_an_object_are_not_read(made: Made, home: Home, tmp_path: Path) -> None:
    """What comes before them may be right; where it is asked for in ranges, the size is wrong."""
    pack = copy(made.new, tmp_path / "stick")
    each("objects", _long)(pack)
    done = take(home, pack.parent, keep=True)
    assert done.error is not None
    assert done.error.code == "pack-damaged"
    assert take(home, made.new).error is None


@pytest.mark.parametrize("name", HARMLESS)
def test_what_nobody_signed_is_passed_over(made: Made, home: Home, tmp_path: Path, name: str) -> None:
    pack = copy(made.new, tmp_path / "stick")
    HARMLESS[name](pack)
    done = take(home, pack.parent)
    assert (done.error, len(content(home))) == (None, 110)
    assert show_pack(pack.parent)["verified"]
    kept = [path for path in (home.path / "carry").rglob("*") if path.is_file()]
    assert len(kept) <= 1000
    assert sum(path.stat().st_size for path in kept) < 17 * 1024**2


def zipped(made: Made, target: Path, change: Callable[[str], dict[str, Any]]) -> Path:
    """The pack in one file, each entry written as `change` of its name says (`as_`, `how`)."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in all_files(made.new / packs.FOLDER).items():
            how = change(name)
            archive.writestr(how.get("as_", name), data, how.get("how", zipfile.ZIP_STORED))
    return target


def long_list(count: int, *, honest: bool) -> bytes:
    """A ZIP64 of nothing but a list of `count` names; not `honest`: its locator leads to that of an empty one."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 45, 45, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    listed = entry * count

    def record(size: int) -> bytes:
        return struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, 56)

    empty, true = record(0), record(len(listed))
    where = len(empty) + len(listed) if honest else 0
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, where, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return empty + listed + true + locator + end


def test_hostile_files(made: Made, home: Home, tmp_path: Path) -> None:
    good = made.file.read_bytes()

    def refused(data: bytes) -> None:
        path = tmp_path / "bad.hubshelf-pack"
        path.write_bytes(data)
        try:
            error: Any = take(home, path).error
        except KNOWN as raised:
            error = raised
        assert error is not None
        assert content(home) == {}

    refused(b"")
    refused(b"PK\x05\x06")
    refused(good[: len(good) // 2])
    refused(good[:-1])
    refused(good[len(good) // 2 :])
    # A list of names that would take all memory is refused before it is read, wherever its length is told.
    for number, where in enumerate((True, False)):
        path = tmp_path / f"list{number}.hubshelf-pack"
        path.write_bytes(long_list(200_000, honest=where))
        with pytest.raises(PackDamaged, match="more than a pack"):
            take(home, path)
        path.unlink()
    # Packed entries do not exist, so that nothing is ever unpacked; names that lead out are asked for by nobody.
    bombs = zipped(made, tmp_path / "bombs.hubshelf-pack", lambda _name: {"how": zipfile.ZIP_DEFLATED})
    refused(bombs.read_bytes())
    out = zipped(made, tmp_path / "out.hubshelf-pack", lambda name: {"as_": f"../../{name}"})
    refused(out.read_bytes())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "bad.hubshelf-pack", "bombs.hubshelf-pack", "out.hubshelf-pack", "shelf",
    ]  # fmt: skip
    assert take(home, made.file).error is None


def fuzz(made: Made, folder: Path, place: float, noise: bytes) -> None:
    """Write `noise` somewhere into the file; whatever then is taken in is what the hub signed."""
    data = bytearray(made.file.read_bytes())
    start = int(place * (len(data) - 1))
    data[start : start + len(noise)] = noise
    path = folder / "fuzzed.hubshelf-pack"
    path.write_bytes(data)
    home = Home(folder / "shelf")
    with suppress(*KNOWN):
        take(home, path)
    signed = {f"en{n}" for n in range(90)} | {f"fr{n}" for n in range(20)}
    assert content(home).keys() <= signed
    shutil.rmtree(home.path)


_ANY = {"place": st.floats(0, 1), "noise": st.binary(min_size=1, max_size=64)}
_QUICK = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=25, suppress_health_check=_QUICK)
@given(**_ANY)
def test_noise_anywhere_in_a_file(made: Made, tmp_path: Path, place: float, noise: bytes) -> None:
    fuzz(made, tmp_path, place, noise)


@pytest.mark.slow
@settings(max_examples=2000, suppress_health_check=_QUICK)
@given(**_ANY)
def test_noise_anywhere_in_a_file_for_long(made: Made, tmp_path: Path, place: float, noise: bytes) -> None:
    fuzz(made, tmp_path, place, noise)


def test_what_a_pack_says_of_itself_is_shown_and_not_believed(made: Made, tmp_path: Path) -> None:
    pack = copy(made.new, tmp_path / "stick")
    (pack / "contents.json").write_text(json.dumps({"hub": "Another one", "bytes": 7}))
    shown = show_pack(tmp_path / "stick")
    assert (shown["hub"], shown["verified"], shown["says"]) == ("Hubshelf", True, {"bytes": 7})
    with pytest.raises(NotAPack):
        show_pack(tmp_path)
    with pytest.raises((NotAPack, PackDamaged)):
        show_pack(Path("/dev/null"))
