"""Any database call may fail, the disk may fill, another program may hold the lock, the process may die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2

from resources_cache import filing
from resources_cache.cards import Cursor
from resources_cache.database import open_store
from resources_cache.errors import DiskFull, StoreBusy, StoreDamaged, StoreTooNew, StoreUnwritable
from resources_cache.library import Library
from resources_cache.library_schema import MIGRATIONS
from resources_cache.own import Own

BASE = [{"id": f"r{n}", "type": "resource", "title": f"water {n}", "themes": ["a"]} for n in range(4)]
NEXT = [
    {"id": "r0", "type": "resource", "title": "seeds", "themes": ["b"]},
    {"id": "r1", "deleted": True},
    {"id": "r9", "type": "resource", "title": "water 9"},
    {"id": "x9", "type": "text", "resource": "r9", "body": "deep water"},
    {"id": "moved", "type": "thread", "title": "water talk"},
]


class FailAt:
    """Fails the i-th database call, and, as a dead process would, everything after it."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.failed = False

    def __call__(self, sql: str) -> None:
        self.left -= 1
        if self.left < 0:
            self.failed = True
            raise dbapi2.OperationalError(f"told to fail at: {sql[:40]}")


def content(library: Library) -> tuple[Any, ...]:
    wanted = [f"r{n}" for n in range(10)] + ["moved"]
    found = [library.get(id_) for id_ in wanted]
    hits = sorted(hit.id for hit in library.search("water", limit=50).results)
    return found, hits, library.cursors(), library.facets(), library.personal_cursor()


def each_call_failing(work: Callable[[FailAt], None], look: Callable[[], None]) -> int:
    """Run ``work`` with its first, second, … call failing until it gets through; ``look`` after each."""
    for at in range(500):
        fault = FailAt(at)
        try:
            work(fault)
        except dbapi2.OperationalError:
            assert fault.failed
            look()
            continue
        return at
    raise AssertionError("the work never got through")


@pytest.mark.parametrize("sweep", [False, True])
def test_apply_is_whole_or_absent_whichever_call_fails(tmp_path: Path, sweep: bool) -> None:
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.apply("s", BASE, Cursor(1, 1), mark="g1")
        library.apply("other", [NEXT[4]], Cursor(1, 1), mark="g1")
        before = content(library)

    def work(fault: FailAt) -> None:
        with Library(path, on_statement=fault) as library:
            library.apply("s", NEXT, Cursor(1, 2), sweep=sweep, mark="g2")

    def look() -> None:
        with Library(path) as library:
            assert content(library) == before
            assert [c for c in library.check() if not c.ok] == []

    assert each_call_failing(work, look) > 15
    with Library(path) as library:
        assert library.cursors()["s"] == Cursor(1, 2)
        assert library.get("r1") is None
        assert (library.get("r3") is None) is sweep
        assert [c for c in library.check() if not c.ok] == []


def test_personal_answers_are_whole_or_absent_whichever_call_fails(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.apply_personal([{"id": "q", "type": "request", "title": "water"}], 1, 1)

    def work(fault: FailAt) -> None:
        with Library(path, on_statement=fault) as library:
            library.apply_personal([{"id": "q2", "type": "request", "title": "seeds"}], 2, 5, reset=True)

    def look() -> None:
        with Library(path) as library:
            assert library.personal_cursor() == (1, 1)
            assert library.get("q") is not None
            assert library.get("q2") is None

    each_call_failing(work, look)


def test_the_outbox_loses_and_doubles_nothing_whichever_call_fails(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    with Own(path) as own:
        first = own.outbox.add("ask", "first", {"body": "1"})
        own.outbox.add("ask", "second", {"body": "2"}, state="draft")

    def states() -> dict[str, str]:
        with Own(path) as own:
            assert all(c.ok for c in own.check() if c.name != "outbox")
            return {item.title: item.state for item in own.outbox.items()}

    def adding(fault: FailAt) -> None:
        with Own(path, on_statement=fault) as own:
            own.outbox.add("ask", "third", {"body": "3"})

    each_call_failing(adding, lambda: _same(states(), {"first": "waiting", "second": "draft"}))

    def sending(fault: FailAt) -> None:
        with Own(path, on_statement=fault) as own:
            own.outbox.begin_sending([first.id])

    # Once it may have left, it must not look as if it had not.
    each_call_failing(sending, lambda: _one_of(states()["first"], "waiting", "sending"))
    assert states()["first"] == "sending"

    def receiving(fault: FailAt) -> None:
        with Own(path, on_statement=fault) as own:
            own.outbox.receive(first.id, {"revision": 1})

    each_call_failing(receiving, lambda: _same(states()["first"], "sending"))
    assert states() == {"first": "received", "second": "draft", "third": "waiting"}


def _same(found: Any, expected: Any) -> None:
    assert found == expected


def _one_of(found: Any, *allowed: Any) -> None:
    assert found in allowed


@pytest.mark.parametrize("name", ["library", "own"])
def test_creation_and_upgrade_survive_any_failing_call(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.db"

    def work(fault: FailAt) -> None:
        (Library if name == "library" else Own)(path, on_statement=fault).close()

    def look() -> None:
        connection = dbapi2.connect(str(path))
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()

    each_call_failing(work, look)


def test_a_full_disk_is_said_in_words_and_changes_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "library.db", MIGRATIONS)
    with store.transaction():
        filing.file_changes(store, "s", BASE, "")
    store.execute(f"PRAGMA max_page_count={store.value('PRAGMA page_count') + 8}")
    large = [{"id": f"big{n}", "type": "resource", "title": "x", "summary": f"word{n} " * 4000} for n in range(20)]
    with pytest.raises(DiskFull) as caught, store.transaction():
        filing.file_changes(store, "s", large, "")
    assert caught.value.code == "disk-full"
    assert "Free some space" in caught.value.advice
    assert store.value("SELECT count(*) FROM records") == len(BASE)
    store.close()
    with Library(tmp_path / "library.db") as library:
        assert [c for c in library.check() if not c.ok] == []


def test_a_lock_held_too_long_is_busy_not_damage(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with Library(path):
        holder = dbapi2.connect(str(path), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        store = open_store(path, MIGRATIONS)
        store.execute("PRAGMA busy_timeout=50")
        with pytest.raises(StoreBusy), store.transaction():
            pass
        assert store.rows("SELECT count(*) FROM records") == [(0,)]  # reading goes on
        store.close()
        holder.close()


def test_a_store_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    Own(path).close()
    connection = dbapi2.connect(str(path))
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreTooNew) as caught:
        Own(path)
    assert "newest Hubshelf" in caught.value.advice
    assert not list(tmp_path.glob("*.damaged-*"))


def test_a_folder_that_cannot_be_used_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreUnwritable):
        Library(tmp_path / "file" / "library.db")


def test_a_damaged_shelf_is_set_aside_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    path.write_bytes(b"this is no database" * 500)
    with pytest.raises(StoreDamaged):
        Library(path, read_only=True)
    with Library(path) as library:
        assert library.recovered is not None
        assert "damaged" in library.recovered
        assert library.cursors() == {}
        library.apply("s", BASE, Cursor(1, 1))
    assert len(list(tmp_path.glob("library.db.damaged-*"))) == 1
    with Library(path) as library:
        assert library.recovered is None
        assert library.cursors() == {"s": Cursor(1, 1)}


def test_damage_met_while_reading_is_repaired_at_the_next_opening(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.apply(
            "s", [{"id": f"r{n}", "type": "resource", "title": "x" * 500} for n in range(300)], Cursor(1, 1)
        )
    connection = dbapi2.connect(str(path))
    page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name='bodies'").fetchone()[0]
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))
    with Library(path) as library:
        assert library.recovered is None
        assert not all(check.ok for check in library.check())
        with pytest.raises(StoreDamaged):
            [library.get(f"r{n}") for n in range(300)]
    with Library(path) as library:
        assert library.recovered is not None
        assert library.counts() == {}


_WRITER = """
import sys
from pathlib import Path
from resources_cache.library import Library, Cursor
with Library(Path(sys.argv[1])) as library:
    start = library.cursors().get("s", Cursor()).seq
    for seq in range(start + 1, start + 100_000):
        library.apply("s", [{"id": f"r{seq}-{n}", "type": "resource", "title": f"water {seq}"} for n in range(20)],
                      Cursor(1, seq))
        print(seq, flush=True)
"""


def test_a_killed_process_leaves_cursor_and_records_in_step(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    seen = 0
    for wait in (0.02, 0.05, 0.08):
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        assert process.stdout is not None
        seen = int(process.stdout.readline())
        time.sleep(wait)
        process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        process.communicate()
        with Library(path) as library:
            seq = library.cursors()["s"].seq
            assert seq >= seen
            assert library.counts() == {"resource": seq * 20}
            assert library.search("water", limit=0).total == seq * 20
            assert [c for c in library.check() if not c.ok] == []
