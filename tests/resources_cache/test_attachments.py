"""Attachments on the shelf: copied before they are named, queued by one row, never lost, tidied when done."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources_cache.attachments import Attachments, NotAttachable, clean_name, open_files
from resources_cache.database import Store, open_store
from resources_cache.own import Own
from resources_cache.own_schema import MIGRATIONS

MOST = 100_000


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    with Own(tmp_path / "own.db") as own:
        yield own


@pytest.fixture
def queue(own: Own, tmp_path: Path) -> Attachments:
    return Attachments.of(own, open_files(tmp_path, MOST))


def file(folder: Path, content: bytes = b"plan", name: str = "plan.pdf") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def ask(own: Own, *hashes: dict[str, object], received: bool = True) -> str:
    item = own.outbox.add("ask", "Sound?", {"kind": "question", "attachments": list(hashes)})
    if received:
        own.outbox.begin_sending([item.id])
        own.outbox.receive(item.id, {"id": item.id})
    return item.id


def test_the_copy_outlives_the_original(queue: Attachments, tmp_path: Path) -> None:
    original = file(tmp_path, b"enrolment")
    taken = queue.take(original)
    original.unlink()
    assert queue.files.path(taken.hash).read_bytes() == b"enrolment"
    assert (taken.hash, taken.size) == (hashlib.sha256(b"enrolment").hexdigest(), 9)
    assert (taken.name, taken.media_type) == ("plan.pdf", "application/pdf")
    assert queue.take(file(tmp_path, b"x", "data.strange-ending")).media_type == "application/octet-stream"


def test_what_cannot_be_attached(queue: Attachments, tmp_path: Path) -> None:
    for wrong in (
        tmp_path / "missing.pdf",
        tmp_path,
        file(tmp_path, b"", "empty.pdf"),
        file(tmp_path, b"x" * (MOST + 1), "large.pdf"),
    ):
        with pytest.raises(NotAttachable) as refused:
            queue.take(wrong)
        assert wrong.name in str(refused.value)
    assert queue.files.hashes() == []
    assert queue.take(file(tmp_path, b"x" * MOST, "just.pdf")).size == MOST


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("plan.pdf", "plan.pdf"),
        ("two\nlines.pdf", "two lines.pdf"),
        ("gnp\u202e.exe", "gnp .exe"),
        ("a/b\\c", "a b c"),
        ("..", "file"),
        (" \t", "file"),
        ("x" * 300 + ".docx", "x" * 195 + ".docx"),
        ("y" * 300, "y" * 200),
        ("خطة التسجيل.pdf", "خطة التسجيل.pdf"),
    ],
)
def test_names_are_fit_for_others(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_a_file_leaves_after_its_question_was_received(own: Own, queue: Attachments, tmp_path: Path) -> None:
    taken = queue.take(file(tmp_path))
    waiting = ask(own, taken.to_json(), received=False)
    assert queue.due() == []
    assert [one.state for one in queue.outstanding()] == ["waiting"]
    own.outbox.withdraw(waiting)
    assert queue.outstanding() == []
    ask(own, taken.to_json())
    ask(own, taken.to_json())  # the same file twice leaves once
    assert [(one.hash, one.size, one.name, one.state) for one in queue.due()] == [
        (taken.hash, 4, "plan.pdf", "waiting")
    ]


def test_states(own: Own, queue: Attachments, tmp_path: Path) -> None:
    taken = queue.take(file(tmp_path))
    body = own.outbox.item(ask(own, taken.to_json())).body
    queue.begin(taken.hash)
    queue.note(taken.hash, "place-1", 3)
    (now,) = queue.due()
    assert (now.state, now.place, now.done) == ("sending", "place-1", 3)
    assert [queue.failed(taken.hash), queue.failed(taken.hash)] == [1, 2]
    assert (queue.due()[0].place, queue.due()[0].done) == ("", 0)
    queue.set_aside(taken.hash, {"title": "Too large"})
    assert queue.due() == []
    assert queue.of_body(body)[0].problem == {"title": "Too large"}
    assert queue.outstanding()[0].state == "attention"
    queue.retry(taken.hash)
    assert (queue.due()[0].state, queue.due()[0].failures, queue.due()[0].problem) == ("waiting", 0, None)
    queue.delivered(taken.hash)
    assert queue.due() == queue.outstanding() == []
    assert queue.of_body(body)[0].state == "delivered"
    assert queue.reoffer() == 1
    assert queue.due()[0].state == "waiting"


def test_the_oldest_question_goes_first_in_its_own_order(own: Own, queue: Attachments, tmp_path: Path) -> None:
    taken = [queue.take(file(tmp_path, str(n).encode(), f"{n}.pdf")).to_json() for n in range(4)]
    ask(own, taken[2], taken[0])
    ask(own, taken[3], taken[1])
    assert [one.name for one in queue.due()] == ["2.pdf", "0.pdf", "3.pdf", "1.pdf"]


def test_reopening_changes_nothing(own: Own, queue: Attachments, tmp_path: Path) -> None:
    taken = queue.take(file(tmp_path))
    ask(own, taken.to_json())
    queue.note(taken.hash, "place-1", 3)
    before = queue.due()
    with Own(tmp_path / "own.db") as again:
        assert Attachments.of(again, open_files(tmp_path, MOST)).due() == before


def test_a_failing_disk_changes_nothing(tmp_path: Path) -> None:
    """Fail each statement in turn: what is stored is the state before or after, and it can go on."""
    with Own(tmp_path / "own.db") as own:
        files = open_files(tmp_path, MOST)
        taken = Attachments.of(own, files).take(file(tmp_path))
        ask(own, taken.to_json())

    class Full(Exception):
        pass

    for step in range(1, 40):
        left = [step]

        def watch(_statement: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Full

        with Own(tmp_path / "own.db") as own:
            store: Store = own._store
            store._watcher = watch
            queue = Attachments(store, files)
            try:
                queue.failed(taken.hash)
            except Full:
                pass
            else:
                break
        with Own(tmp_path / "own.db") as own:
            (one,) = Attachments.of(own, files).due()
            assert one.failures == 0
    assert step > 4
    with Own(tmp_path / "own.db") as own:
        assert Attachments.of(own, files).due()[0].failures == 1


def test_tidying_keeps_what_may_still_be_needed(own: Own, queue: Attachments, tmp_path: Path) -> None:
    taken = [queue.take(file(tmp_path, str(n).encode(), f"{n}.pdf")) for n in range(5)]
    named, drafted, withdrawn, delivered, forgotten = taken
    ask(own, named.to_json())
    own.save_draft("ask", {"attachments": [drafted.to_json()]})
    own.outbox.withdraw(ask(own, withdrawn.to_json(), received=False))
    ask(own, delivered.to_json())
    queue.delivered(delivered.hash)
    assert queue.tidy() == 0
    aside = queue.files.root / ".put-killed"
    aside.write_bytes(b"half")
    long_ago = time.time() - 2 * 86_400
    for path in (aside, *(queue.files.root / one.hash[:2] / one.hash for one in taken)):
        os.utime(path, (long_ago, long_ago))
    assert queue.tidy() == 1
    assert set(queue.files.hashes()) == {named.hash, drafted.hash, withdrawn.hash, delivered.hash}
    own.removed.forget([one.id for one in own.removed.all()])  # now it cannot be brought back any more
    assert queue.tidy() == 1
    assert set(queue.files.hashes()) == {named.hash, drafted.hash, delivered.hash}
    assert not aside.exists()
    own._store.execute("UPDATE uploads SET updated='2020-01-01T00:00:00Z'")
    assert queue.tidy() == 1
    assert set(queue.files.hashes()) == {named.hash, drafted.hash}
    assert forgotten.hash not in queue.files.hashes()


def test_an_older_own_db_gets_the_table(tmp_path: Path) -> None:
    open_store(tmp_path / "own.db", MIGRATIONS[:3]).close()
    with Own(tmp_path / "own.db") as own:
        assert Attachments.of(own, open_files(tmp_path, MOST)).due() == []
