"""Records lie compressed; rows of an older Hubshelf stay as they are, and damage is told from absence."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2

from resources_cache import bodies
from resources_cache.cards import Cursor
from resources_cache.database import suspicion
from resources_cache.errors import StoreDamaged
from resources_cache.library import Library

WORDS = ["water", "school", "teacher", "pupil", "seed", "river", "maize", "market", "district", "report", "survey"]


def record(id_: str, size: int = 400, lang: str = "en") -> dict[str, Any]:
    chance = random.Random(id_)
    return {"id": id_, "type": "resource", "lang": lang, "title": f"Title of {id_}",
            "summary": " ".join(chance.choices(WORDS, k=size))}  # fmt: skip


RECORDS = [record(f"r{n:03}") for n in range(320)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.apply("s", RECORDS, Cursor(1, 1))
    return path


def change(path: Path, script: str, *values: Any) -> None:
    connection = dbapi2.connect(str(path))
    connection.execute(script, values)
    connection.commit()
    connection.close()


def stored(path: Path, what: str) -> Any:
    connection = dbapi2.connect(str(path))
    found = connection.execute(f"SELECT {what} FROM records JOIN bodies USING (rid)").fetchall()
    connection.close()
    return found


def test_bodies_are_frames_that_share_a_dictionary(path: Path) -> None:
    assert {kind for (kind,) in stored(path, "typeof(body)")} == {"blob"}
    ((size, raw),) = stored(path, "sum(length(body)), sum(size)")
    assert size < raw / 4
    with Library(path) as library:
        assert [library.record("s", r["id"]) for r in RECORDS] == RECORDS
        # A single record that comes later uses what was learnt.
        library.apply("s", [record("later")], Cursor(1, 2))
    (last,) = (size for size, id_ in stored(path, "length(body), id") if id_ == "later")
    assert last < 900


def test_old_plain_bodies_and_frames_stand_side_by_side(path: Path) -> None:
    change(path, "UPDATE bodies SET body=? WHERE rid=1", '{"id":"r000","type":"resource","title":"Plain old"}')
    with Library(path) as library:
        assert library.get("r000") == {"id": "r000", "type": "resource", "title": "Plain old", "texts": []}
        assert {card.title for card in library.browse(limit=400).items} >= {"Plain old", "Title of r001"}
        assert [r["id"] for r in library.newest(["s"])] == sorted((r["id"] for r in RECORDS), reverse=True)
        library.rebuild_index()
        assert library.search("plain ").results[0].id == "r000"
        assert library.search('"of r001"').results[0].id == "r001"
        assert [check for check in library.check() if not check.ok] == []


def test_a_copy_that_waits_comes_back_whole(path: Path) -> None:
    with Library(path) as library:
        library.apply("t", [{**RECORDS[5], "title": "Moved"}], Cursor(1, 1))
        assert library.record("s", "r005") == RECORDS[5]
        library.apply("t", [{"id": "r005", "deleted": True}], Cursor(1, 2))
        assert library.get("r005") == {**RECORDS[5], "texts": []}


def test_what_is_too_small_or_too_few_is_kept_without_a_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    few = [record("a"), record("b"), {"id": "c", "type": "theme", "labels": {"en": "Water"}}]
    with Library(path) as library:
        library.apply("s", few, Cursor(1, 1))
        assert [library.record("s", r["id"]) for r in few] == few
    assert [kind for (kind,) in stored(path, "typeof(body)")] == ["blob", "blob", "text"]
    connection = dbapi2.connect(str(path))
    assert connection.execute("SELECT count(*) FROM dictionaries").fetchone() == (0,)
    connection.close()


def cut(frame: bytes) -> bytes:
    return frame[:-6]


def flipped(frame: bytes) -> bytes:
    return frame[:-10] + bytes([frame[-10] ^ 1]) + frame[-9:]


def doubled(frame: bytes) -> bytes:
    return frame + frame


@pytest.mark.parametrize("damage", [cut, flipped, doubled, lambda _: b"no frame", lambda _: "[]", lambda _: "7b"])
def test_a_damaged_body_is_named_and_the_shelf_begun_anew(path: Path, damage: Callable[[bytes], Any]) -> None:
    connection = dbapi2.connect(str(path))
    (frame,) = connection.execute("SELECT body FROM bodies WHERE rid=8").fetchone()
    connection.close()
    change(path, "UPDATE bodies SET body=? WHERE rid=8", damage(frame))
    with Library(path) as library:
        assert library.get("r006") is not None
        with pytest.raises(StoreDamaged):
            library.get("r007")
        bad = {check.name: check.detail for check in library.check() if not check.ok}
        assert "r007" in bad["records"]
        assert "r006" not in bad["records"]
    assert suspicion(path).exists()
    with Library(path) as library:
        assert library.recovered is not None
        assert library.counts() == {}


def test_a_lost_dictionary_is_damage(path: Path) -> None:
    change(path, "DELETE FROM dictionaries")
    with Library(path) as library, pytest.raises(StoreDamaged):
        library.get("r001")


def test_a_frame_that_claims_to_be_huge_is_not_unpacked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LARGEST", 1_000)
    with Library(path) as library, pytest.raises(StoreDamaged):
        library.get("r001")


def test_clearing_forgets_the_dictionaries_and_learns_again(path: Path) -> None:
    with Library(path) as library:
        library.clear()
        french = [record(f"f{n}", lang="fr") for n in range(320)]
        library.apply("s", french, Cursor(1, 1))
        assert [library.record("s", r["id"]) for r in french] == french
    connection = dbapi2.connect(str(path))
    assert connection.execute("SELECT kind FROM dictionaries").fetchall() == [("resource/fr",)]
    connection.close()
