"""After an update that indexes otherwise: the shelf opens at once, answers, and is indexed anew bit by bit."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2

from resources_cache import library as library_module
from resources_cache.cards import Cursor
from resources_cache.library import Library


def resource(n: int, words: str = "") -> dict[str, Any]:
    return {"id": f"r{n:04}", "type": "resource", "lang": "en", "title": f"zz{n}only water", "summary": words}


RECORDS = [
    *(resource(n) for n in range(60)),
    *(
        {"id": f"t{n}", "type": "text", "resource": f"r{n:04}", "lang": "en", "body": "deep wells"}
        for n in range(9)
    ),
    {"id": "v:1", "type": "concept", "labels": {"en": "Water", "fr": "Onde"}},
]


@pytest.fixture(autouse=True)
def _few_at_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_module, "_AT_OPENING", 10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A shelf whose index was made by other rules: every word in it is another."""
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.apply("s", RECORDS, Cursor(1, 1))
    spoil(path)
    return path


def spoil(path: Path) -> None:
    connection = dbapi2.connect(str(path))
    connection.executescript(
        "DELETE FROM texts; INSERT INTO texts(rowid, words) SELECT rid, '5old' FROM records WHERE type = 'text';"
        "DELETE FROM search;"
        "INSERT INTO search(rowid, title) SELECT rid, 'old' FROM records WHERE type = 'resource';"
        "DELETE FROM pairs; UPDATE indexed SET digest = x'00'; DELETE FROM labels;"
        "UPDATE meta SET value = 'older' WHERE key = 'text_rules'"
    )
    connection.close()


def bad(library: Library) -> list[str]:
    return [check.name for check in library.check() if not check.ok]


def found(library: Library, text: str) -> list[str]:
    return [hit.id for hit in library.search(text, as_typed=True, limit=100).results]


def test_a_large_shelf_opens_before_it_is_indexed_anew_and_answers(path: Path) -> None:
    with Library(path) as library:
        assert library.index_left() == len(RECORDS) - 10
        # The newest are done; of the rest the old index answers, and the page says so.
        assert found(library, "wells ") == [f"r{n:04}" for n in range(8, -1, -1)]
        assert len(found(library, "old ")) == 60
        assert library.search("old ").not_indexed == 60
        assert found(library, "zz3only ") == []
        assert bad(library) == []
        steps = [library.renew_index(25), library.renew_index(25), library.renew_index(25)]
        assert steps == [35, 10, 0]
        assert found(library, "old ") == []
        assert found(library, "zz3only ") == ["r0003"]
        assert library.search("zz3only ").not_indexed == library.index_left() == library.renew_index() == 0
        assert bad(library) == []
        assert set(found(library, "onde ")) == {f"r{n:04}" for n in range(60)}


def test_a_small_shelf_is_done_when_it_is_open(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.apply("s", RECORDS[:9], Cursor(1, 1))
    spoil(path)
    with Library(path) as library:
        assert library.index_left() == 0
        assert bad(library) == []
        assert found(library, "zz3only ") == ["r0003"]


def test_what_comes_and_goes_meanwhile_is_indexed_as_it_should_be(path: Path) -> None:
    with Library(path) as library:
        library.apply(
            "s", [resource(2, "changed"), resource(90, "new"), {"id": "r0003", "deleted": True}], Cursor(1, 2)
        )
        assert found(library, "changed ") == ["r0002"]
        assert found(library, "new ") == ["r0090"]
        assert bad(library) == []
        while library.renew_index(7):
            library.apply("s", [resource(5, "again"), {"id": "r0006", "deleted": True}], Cursor(1, 3))
        assert bad(library) == []
        assert (found(library, "changed "), found(library, "again ")) == (["r0002"], ["r0005"])
        assert found(library, "zz3only ") == found(library, "zz6only ") == found(library, "old ") == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a child of this process")
def test_killed_before_any_statement_it_goes_on_where_it_was(path: Path) -> None:
    kept = path.read_bytes()
    at, ended = 0, False
    while not ended:
        path.write_bytes(kept)
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        ended = renewed_in_a_child(path, kill_at=at)
        with Library(path) as library:
            while library.renew_index(30):
                pass
            assert bad(library) == [], at
            assert found(library, "old ") == []
            assert len(found(library, "water ")) == 60
        at += 1
    assert at > 20


def renewed_in_a_child(path: Path, kill_at: int) -> bool:
    """Open and renew in a child, which is killed before a statement; whether it came to its end."""
    left = kill_at

    def watch(sql: str) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    child = os.fork()
    if child == 0:
        try:
            with Library(path, on_statement=watch) as library:
                while library.renew_index(30):
                    pass
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed"
    return not os.WIFSIGNALED(status)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM texts WHERE rowid = 62", "DELETE FROM search WHERE rowid = 7",
        "DELETE FROM indexed WHERE rid = 5", "UPDATE indexed SET digest = x'00' WHERE rid = 5",
        "INSERT INTO search(rowid, title) VALUES (900, 'stray')", "INSERT INTO indexed VALUES (901, x'00')",
        "DELETE FROM labels", "DELETE FROM pairs WHERE rid = 62", "UPDATE pairs SET bits = x'0f' WHERE rid = 62",
    ],
)  # fmt: skip
def test_mending_indexes_anew_what_differs_and_nothing_else(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.apply("s", RECORDS, Cursor(1, 1))
        assert library.mend_index() == 0
    connection = dbapi2.connect(str(path))
    connection.execute(damage)
    connection.commit()
    connection.close()
    with Library(path) as library:
        assert "search index equals the content" in bad(library)
        assert library.mend_index() == (0 if "labels" in damage else 1)
        assert bad(library) == []
        assert library.mend_index() == 0
        assert found(library, "stray ") == []
        assert len(found(library, "water ")) == 60
