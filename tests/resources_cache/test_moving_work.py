"""One's own work in a file for a new PC: what comes out of it, and that no other file is ever taken for it."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from resources_cache.attachments import Attachments
from resources_cache.errors import CacheError
from resources_cache.files import FileStore
from resources_cache.moving import ShelfInUse, pack, stage, take_over
from resources_cache.own import Own
from resources_cache.passphrase_file import (
    MoveFileDamaged,
    MoveFileTooNew,
    NotAMoveFile,
    PassphraseTooShort,
    SealedReader,
    SealedWriter,
    WrongPassphrase,
)
from resources_cache.sealed_pieces import PIECE

PASSPHRASE = "four quiet words here"
CHEAP = 14
MOST = 1_000_000


def sealed(data: bytes) -> bytes:
    out = io.BytesIO()
    writer = SealedWriter(out, PASSPHRASE, cost=CHEAP)
    for start in range(0, len(data), 50_000):
        writer.write(data[start : start + 50_000])
    writer.finish()
    return out.getvalue()


def opened(data: bytes, passphrase: str = PASSPHRASE) -> bytes:
    reader, parts = SealedReader(io.BytesIO(data), passphrase), []
    while part := reader.read(70_000):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_what_was_sealed_comes_out_whatever_its_size(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert opened(sealed(data)) == data


def test_pieces_that_change_places_or_come_from_elsewhere_do_not_open() -> None:
    whole = sealed(random.Random(1).randbytes(3 * PIECE))
    head, each = len(sealed(b"")) - 16, PIECE + 16
    first, second = whole[head : head + each], whole[head + each : head + 2 * each]
    third = whole[head + 2 * each :]
    other = sealed(random.Random(1).randbytes(3 * PIECE))
    for forged in (
        whole[:head] + second + first + third,
        whole[:head] + first + third,
        whole[:head] + first + second,
        whole + third,
        whole + sealed(b"")[head:],
        whole[:head] + other[head:],
    ):
        with pytest.raises(MoveFileDamaged):
            opened(forged)


def test_each_wrong_file_is_refused_for_what_it_is() -> None:
    whole = sealed(b"notes")
    with pytest.raises(WrongPassphrase):
        opened(whole, "four quiet words hera")
    with pytest.raises(MoveFileTooNew):
        opened(whole[:8] + b"\x02" + whole[9:])
    for other in (b"", b"\x89PNG\r\n\x1a\n" + b"x" * 200, whole[:5]):
        with pytest.raises(NotAMoveFile):
            opened(other)
    with pytest.raises(PassphraseTooShort):
        SealedWriter(io.BytesIO(), "seven77")


def test_a_header_that_asks_for_all_memory_is_refused_before_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    from resources_cache import passphrase_file

    whole = sealed(b"notes")
    asked: list[int] = []
    monkeypatch.setattr(passphrase_file, "_keys", lambda *_: asked.append(1))
    for place, value in ((9, 19), (9, 63), (10, 255), (11, 200), (11, 0)):
        header = whole[:place] + bytes([value]) + whole[place + 1 : 60]
        with pytest.raises(MoveFileDamaged):
            opened(header + hashlib.sha256(header).digest()[:8] + whole[68:])
    assert not asked


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """The file of a shelf with a bit of everything."""
    with Own(tmp_path / "old" / "own.db") as own:
        files = FileStore(tmp_path / "old" / "attachments", MOST)
        paper = tmp_path / "plan.txt"
        paper.write_bytes(random.Random(2).randbytes(90_000))
        attached = Attachments.of(own, files).take(paper).to_json()
        own.save_draft("ask", {"title": "Half a question", "attachments": [attached]})
        own.set_note("r-1", "Ask Njeri.")
        own.bookmark("r-1", "Cards and radio")
        own.outbox.add("ask", "First", {"kind": "question"})
        own.set_setting("languages", ["en"])
        own.set_setting("complete_at", [1, 9, {}])
        pack(own, files, tmp_path / "shelf.move", PASSPHRASE, made="", about={"token": "t"}, cost=CHEAP)
    return tmp_path / "shelf.move"


def take(new: Path, file: Path, **how: bool) -> None:
    with Own(new / "own.db") as own:
        staged = stage(file, PASSPHRASE, new / "moving-in", most_file=MOST)
        try:
            take_over(
                own, FileStore(new / "attachments", MOST), staged, {"moved_in": "d"}, replace=how.get("r", False)
            )
        finally:
            staged.discard()


def test_all_own_work_arrives_under_a_new_epoch(moved: Path, tmp_path: Path) -> None:
    with Own(tmp_path / "old" / "own.db") as own:
        before, items = own.device(), own.outbox.items()
    take(tmp_path / "new", moved)
    with Own(tmp_path / "new" / "own.db") as own:
        assert own.notes() == {"r-1": "Ask Njeri."}
        assert [one.title for one in own.bookmarks()] == ["Cards and radio"]
        assert own.setting("languages") == ["en"]
        assert (own.setting("complete_at"), own.setting("moved_in")) == (None, "d")
        draft = own.draft("ask")
        assert draft is not None
        kept = FileStore(tmp_path / "new" / "attachments", MOST)
        assert kept.verify(draft["attachments"][0]["hash"])
        (item,) = own.outbox.items()
        assert (item.id, item.state) == (items[0].id, "waiting")
        assert (item.epoch, item.counter) == (own.device().epoch, 1)
        assert own.device().epoch > before.epoch
    assert not (tmp_path / "new" / "moving-in").exists()


def test_what_was_recently_removed_goes_along(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    with Own(old / "own.db") as own:
        files = FileStore(old / "attachments", MOST)
        own.set_note("r-1", "Ask Njeri.")
        own.set_note("r-1", "")
        pack(own, files, tmp_path / "shelf.move", PASSPHRASE, made="", about={"token": "t"}, cost=CHEAP)
    take(new, tmp_path / "shelf.move")
    with Own(new / "own.db") as own:
        (one,) = own.removed.all()
        own.bring_back(one.id)
        assert own.notes() == {"r-1": "Ask Njeri."}
        own.set_note("r-1", "")
        assert own.removed.newest() > one.id


def test_work_that_is_there_already_is_not_written_over(moved: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    with Own(new / "own.db") as own:
        own.set_note("r-9", "Mine")
    with pytest.raises(ShelfInUse):
        take(new, moved)
    with Own(new / "own.db") as own:
        assert own.notes() == {"r-9": "Mine"}
    take(new, moved, r=True)
    kept = sorted((new / "backups").glob("own-*.db"))[0]
    with Own(new / "own.db") as own:
        assert own.notes() == {"r-1": "Ask Njeri."}
    (new / "aside").mkdir()
    kept.rename(new / "aside" / "own.db")
    with Own(new / "aside" / "own.db") as own:
        assert own.notes() == {"r-9": "Mine"}


def test_a_file_with_any_byte_changed_or_cut_anywhere_changes_nothing(moved: Path, tmp_path: Path) -> None:
    whole, chance = moved.read_bytes(), random.Random(7)
    flips = [0, 8, 9, 12, 30, 65, 70, len(whole) - 1, *chance.sample(range(len(whole)), 16)]
    cuts = [0, 8, 40, 68, 84, len(whole) - 16, len(whole) - 1, *chance.sample(range(len(whole)), 12)]

    def flipped(place: int) -> bytes:
        return whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]

    forgeries: list[Callable[[], bytes]] = [
        *((lambda place=place: flipped(place)) for place in flips),
        *((lambda place=place: whole[:place]) for place in cuts),
        lambda: whole + b"\0",
    ]
    new, forged = tmp_path / "new", tmp_path / "forged.move"
    with Own(new / "own.db") as own:
        own.set_setting("languages", ["fr"])
        before = (own.settings(), own.notes(), own.outbox.items(), own.device())
        for number, make in enumerate(forgeries):
            forged.write_bytes(make())
            with pytest.raises(CacheError) as refused:
                stage(forged, PASSPHRASE, new / "moving-in", most_file=MOST)
            assert refused.value.code in {
                "move-file-damaged", "not-a-move-file", "move-file-too-new", "wrong-passphrase",
            }, number  # fmt: skip
            assert not (new / "moving-in").exists()
        assert (own.settings(), own.notes(), own.outbox.items(), own.device()) == before
    assert not (new / "attachments").exists()
