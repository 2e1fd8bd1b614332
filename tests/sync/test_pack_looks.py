"""What is told of a pack before it is taken in or written, and stopping both in the middle."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from resources_cache.downloads import Download
from resources_cache.library import Library
from sync.cancel import Cancel
from sync.errors import Cancelled
from sync.home import Home
from sync.packs.exporting import export_pack, weigh
from sync.packs.importing import import_pack
from sync.packs.looking import look
from sync.protocol import packs
from sync.protocol.pack_volumes import FolderVolume, opened
from sync.protocol.packs import NotAPack, PackNotConfirmed, PackOlder
from sync.report import Progress
from tests.programs import HubProgram, write_records


def cards(count: int, lang: str = "en") -> list[dict[str, Any]]:
    return [
        {"id": f"{lang}{n}", "type": "resource", "title": f"Guide {n}", "text": f"Rain {n}. " * 90, "lang": lang}
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An older and a newer pack of one hub."""
    folder = tmp_path_factory.mktemp("packs")
    with HubProgram(folder / "hub").init() as hub:
        hub.do("import", file=str(write_records(folder / "a.jsonl", [*cards(30), *cards(10, "fr")])))
        hub.do("publish")
        hub.run("pack", "export", folder / "old")
        hub.do("import", file=str(write_records(folder / "b.jsonl", cards(40))))
        hub.do("publish")
        hub.run("pack", "export", folder / "new")
    return folder / "old", folder / "new"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "shelf")


def titles(home: Home) -> set[str]:
    with Library(home.path / "library.db") as library:
        return {str(one["id"]) for one in library.newest(list(library.cursors())) if one["type"] == "resource"}


def test_a_pack_is_looked_at_before_anything_changes(made: tuple[Path, Path], home: Home, tmp_path: Path) -> None:
    old, new = made
    first = look(home, new)
    assert (first.hub, first.is_new_hub, first.is_here, first.keeps) == ("Hubshelf", True, False, False)
    assert len(first.fingerprint) == 64
    assert {offer.lang for offer in first.offers if offer.tier == "cards"} == {"en", "fr"}
    assert first.records >= 50
    assert first.content == first.to_keep > 1000
    assert titles(home) == set()
    # Another stick was put in after the person said yes: that yes was to other keys.
    with pytest.raises(PackNotConfirmed):
        import_pack(home, new, accept="0" * 64)
    assert import_pack(home, new, accept=first.fingerprint, keep=True).error is None
    again = look(home, new)
    assert (again.is_new_hub, again.is_here, again.keeps, again.to_keep) == (False, True, True, 0)
    with pytest.raises(PackOlder):
        look(home, old)
    with pytest.raises(NotAPack):
        look(home, tmp_path)


def test_what_a_stick_only_says_is_bounded(made: tuple[Path, Path], home: Home, tmp_path: Path) -> None:
    class Boasting(FolderVolume):
        def open(self, name: str) -> BinaryIO:
            if name == packs.CONTENTS:
                (tmp_path / "said").write_text(
                    '{"files": 1e400, "bytes": -5, "left_out": [1, {"name": "a\\nb", "why": 7}]}'
                )
                return (tmp_path / "said").open("rb")
            return super().open(name)

    found = look(home, Boasting(made[1] / packs.FOLDER))
    assert (found.files, found.file_bytes, found.left_out_count) == (0, 0, 1)
    assert (found.left_out[0].name, found.left_out[0].why) == ("a b", "7")


def test_what_goes_on_a_stick_is_weighed_first(made: tuple[Path, Path], home: Home, tmp_path: Path) -> None:
    import_pack(home, made[1], accept=True)
    nothing = weigh(home, tmp_path / "stick")
    assert nothing.nothing
    assert nothing.room > 0
    import_pack(home, made[1], keep=True)
    before = weigh(home, tmp_path / "stick")
    assert not (tmp_path / "stick").exists(), "weighing writes nothing"
    assert before.content == before.new > 1000
    assert before.new < before.needed < before.room
    done = export_pack(home, tmp_path / "stick")
    assert done.written.new_bytes == before.new
    assert weigh(home, tmp_path / "stick").new == 0
    assert weigh(home, tmp_path / "stick", content=False).nothing


class Stops(FolderVolume):
    """A stick; somebody asks to stop when it is about to give the n-th file."""

    def __init__(self, root: Path, cancel: Cancel, after: int) -> None:
        super().__init__(root)
        self.cancel, self.left = cancel, after

    def open(self, name: str) -> BinaryIO:
        self.left -= 1
        if self.left < 0:
            self.cancel.cancel()
        return super().open(name)


def test_taking_in_is_stopped_at_any_file_and_goes_on(made: tuple[Path, Path], home: Home) -> None:
    source = made[1] / packs.FOLDER
    stopped = 0
    for after in range(2, 40, 3):
        cancel = Cancel()
        try:
            done = import_pack(home, Stops(source, cancel, after), accept=True, keep=True, cancel=cancel)
        except Cancelled:
            stopped += 1
            continue
        if done.error is None:
            break
        assert done.error.code == "cancelled"
        stopped += 1
    assert stopped > 3
    assert import_pack(home, source, keep=True).error is None
    assert len(titles(home)) == 50
    with opened(source) as there:
        verified = packs.verify(there, None)
    assert packs.verify(FolderVolume(home.path / "carry"), None).document == verified.document


def test_writing_is_stopped_and_leaves_the_pack_of_before(
    made: tuple[Path, Path], home: Home, tmp_path: Path
) -> None:
    import_pack(home, made[0], accept=True, keep=True)
    export_pack(home, tmp_path / "stick")
    before = packs.verify(FolderVolume(tmp_path / "stick" / packs.FOLDER), None).document
    import_pack(home, made[1])
    cancel = Cancel()

    def told(progress: Progress) -> None:
        assert progress.bytes_total >= progress.bytes_done
        cancel.cancel()

    with pytest.raises(Cancelled):
        export_pack(home, tmp_path / "stick", progress=told, cancel=cancel)
    assert packs.verify(FolderVolume(tmp_path / "stick" / packs.FOLDER), None).document == before
    export_pack(home, tmp_path / "stick")
    assert packs.verify(FolderVolume(tmp_path / "stick" / packs.FOLDER), None).document != before


def test_a_file_that_waited_comes_with_a_pack_and_waits_no_more(
    made: tuple[Path, Path], home: Home, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    shutil.copytree(made[1], stick)
    data = b"A guide in forty pages. " * 1000
    digest = hashlib.sha256(data).hexdigest()
    place = stick / packs.FOLDER / packs.object_name(digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    with home.own() as own:
        own.downloads.add([Download(digest, "en1", "guide.pdf", len(data))])
        own.downloads.add([Download("0" * 64, "en2", "other.pdf", 7)])
    done = import_pack(home, stick, accept=True)
    assert (done.error, done.files, done.file_bytes) == (None, 1, len(data))
    assert home.files().has(digest)
    with home.own() as own:
        assert [one.hash for one in own.downloads.items()] == ["0" * 64], "the other waits on"
