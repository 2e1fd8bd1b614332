"""Runs over several streams, and what the sync reads back of a stream."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2

from resources_cache.cards import Cursor, StoredHead
from resources_cache.database import open_store
from resources_cache.errors import BadRecord
from resources_cache.library import Library
from resources_cache.library_schema import MIGRATIONS
from resources_cache.text import folding, prepare

OLD, NEW = "public/texts/fr/water", "public/texts/fr/seeds"
HEAD = StoredHead(2, 9, b"signed", True, "2026-01-01T00:00:00Z")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library.db") as library:
        yield library


def resource(id_: str, title: str = "", **more: Any) -> dict[str, Any]:
    return {"id": id_, "type": "resource", "title": title or id_, **more}


def gone(id_: str) -> dict[str, Any]:
    return {"id": id_, "deleted": True}


def assert_sound(library: Library) -> None:
    assert [check for check in library.check() if not check.ok] == []


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)])
@pytest.mark.parametrize("news", [[], [resource("r", "revised before it left")]])
def test_a_record_that_moves_inside_a_run_is_shown_once_in_its_new_stream(
    shelf: Library, order: tuple[str, str], news: list[dict[str, Any]]
) -> None:
    shelf.apply(OLD, [resource("r", "wells"), resource("stays")], Cursor(1, 1))
    moved = resource("r", "pumps")
    brought = {OLD: [*news, gone("r")], NEW: [moved]}
    shelf.apply_run({stream: brought[stream] for stream in order}, {OLD: Cursor(1, 2), NEW: Cursor(1, 2)})
    assert shelf.record(NEW, "r") == moved
    assert shelf.record(OLD, "r") is None
    assert {stream: state.records for stream, state in shelf.streams().items()} == {OLD: 1, NEW: 1}
    assert [hit.title for hit in shelf.search("pumps wells revised").results] == ["pumps"]
    # Nothing of it waits anywhere: deleted from its new stream, it is gone.
    shelf.apply(NEW, [gone("r")], Cursor(1, 3))
    assert shelf.get("r") is None
    assert_sound(shelf)


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)])
def test_a_sweep_reaches_every_stream_of_the_run(shelf: Library, order: tuple[str, str]) -> None:
    shelf.apply_run(
        {OLD: [resource("moves"), resource("left")], NEW: [resource("also left")], "other": [resource("kept")]},
        {OLD: Cursor(1, 1), NEW: Cursor(1, 1), "other": Cursor(1, 1)},
        mark="g1",
    )
    silent = {"emptied": Cursor(1, 1)}
    shelf.apply_run({"emptied": [resource("x")]}, silent, mark="g1")
    done = shelf.apply_run(
        {NEW: [resource("moves")]},
        {**{stream: Cursor(1, 9) for stream in order}, **silent},
        sweep=True,
        mark="g2",
    )
    assert (done.put, done.deleted) == (1, 3)
    assert {card.id for card in shelf.browse().items} == {"moves", "kept"}
    assert shelf.record(NEW, "moves") == resource("moves")
    assert shelf.record(OLD, "moves") is None
    assert shelf.cursors() == {OLD: Cursor(1, 9), NEW: Cursor(1, 9), "other": Cursor(1, 1), **silent}
    assert_sound(shelf)


def test_a_cursor_may_come_without_changes_but_no_changes_without_a_cursor(shelf: Library) -> None:
    done = shelf.apply_run({OLD: [resource("r")]}, {OLD: Cursor(1, 4, "run", 2), NEW: Cursor(1, 4)})
    assert (done.put, done.deleted) == (1, 0)
    assert shelf.cursors() == {OLD: Cursor(1, 4, "run", 2), NEW: Cursor(1, 4)}
    with pytest.raises(ValueError, match="seeds"):
        shelf.apply_run({OLD: [resource("r2")], NEW: []}, {OLD: Cursor(1, 5)})
    with pytest.raises(ValueError, match="apply_personal"):
        shelf.apply_run({}, {"personal": Cursor(1, 5)})
    with pytest.raises(ValueError, match="apply_personal"):
        shelf.advance_cursors(["personal"], 1, 5)
    assert shelf.get("r2") is None
    assert shelf.cursors()[OLD] == Cursor(1, 4, "run", 2)


def state(library: Library) -> tuple[Any, ...]:
    records = [library.record(stream, id_) for stream in (OLD, NEW) for id_ in ("a", "b", "c", "\ud7ff")]
    return records, library.cursors(), library.head(), library.search("water seeds").total


@pytest.mark.parametrize("bad", [{"type": "resource"}, resource("\ud800"), {"id": "c", "set": {1}}])
def test_a_bad_record_in_the_last_stream_undoes_the_first(shelf: Library, bad: Any) -> None:
    shelf.apply(OLD, [resource("a", "water")], Cursor(1, 1))
    before = state(shelf)
    with pytest.raises(BadRecord):
        shelf.apply_run(
            {OLD: [gone("a"), resource("b", "seeds")], NEW: [resource("a"), bad]},
            {OLD: Cursor(1, 2), NEW: Cursor(1, 2)},
        )
    assert state(shelf) == before


def test_an_interrupted_source_undoes_the_run(shelf: Library) -> None:
    shelf.apply(OLD, [resource("a", "water")], Cursor(1, 1))
    before = state(shelf)

    def cut() -> Iterator[Mapping[str, Any]]:
        yield resource("b", "water")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shelf.apply_run({OLD: [gone("a")], NEW: cut()}, {OLD: Cursor(1, 2), NEW: Cursor(1, 2)}, sweep=True)
    assert state(shelf) == before


def test_reading_goes_on_while_a_run_is_applied(shelf: Library) -> None:
    """Also opening: another part of the program may begin to read at any moment. It all sees the state before."""
    shelf.apply(OLD, [resource("a", "water")], Cursor(1, 1))
    seen: list[Any] = []

    def look() -> Iterator[Mapping[str, Any]]:
        yield from (resource(f"r{n}", "water") for n in range(1000))
        with Library(shelf.path) as reader:
            seen.append((reader.counts(), reader.search("water").total, reader.browse().total, reader.cursors()))
            seen.append((reader.get("r0"), reader.facets()["kind"], [r["id"] for r in reader.newest([OLD, NEW])]))

    shelf.apply_run({NEW: look()}, {NEW: Cursor(1, 2)})
    assert seen == [
        ({"resource": 1}, 1, 1, {OLD: Cursor(1, 1)}),
        (None, [("resource", 1)], ["a"]),
    ]
    assert shelf.search("water", limit=0).total == 1001


class DiesAt:
    """Fails the i-th database call and all after it, as a process does that is killed there."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, sql: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise dbapi2.OperationalError("told to fail")


@pytest.mark.parametrize("work", ["run", "head", "advance"])
def test_all_of_it_or_nothing_whichever_call_fails(tmp_path: Path, work: str) -> None:
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.apply_run(
            {OLD: [resource("a", "water"), resource("b", "water")], NEW: [resource("c", "seeds")]},
            {OLD: Cursor(1, 1), NEW: Cursor(1, 1)},
            mark="g1",
        )
        before = state(library)
    for at in range(200):
        try:
            with Library(path, on_statement=DiesAt(at)) as library:
                if work == "run":
                    library.apply_run(
                        {NEW: [resource("a", "seeds"), gone("c")], OLD: [gone("a")]},
                        {OLD: Cursor(1, 2), NEW: Cursor(1, 2)},
                        sweep=True,
                        mark="g2",
                    )
                elif work == "head":
                    library.save_head(HEAD, [OLD, NEW])
                else:
                    library.advance_cursors([OLD, NEW], 1, 2)
        except dbapi2.OperationalError:
            with Library(path) as library:
                assert state(library) == before
                assert_sound(library)
        else:
            break
    with Library(path) as library:
        assert state(library) != before
        assert_sound(library)


def test_cursors_advance_with_the_head_or_without(shelf: Library) -> None:
    shelf.apply(OLD, [], Cursor(1, 3, "run", 2))
    shelf.apply("other", [], Cursor(1, 3))
    shelf.advance_cursors([OLD, NEW], 1, 7)
    assert shelf.cursors() == {OLD: Cursor(1, 7), NEW: Cursor(1, 7), "other": Cursor(1, 3)}
    shelf.advance_cursors([], 4, 4)
    shelf.save_head(HEAD, [NEW, "first seen"])
    assert shelf.head() == HEAD
    assert shelf.cursors() == {
        OLD: Cursor(1, 7), NEW: Cursor(2, 9), "other": Cursor(1, 3), "first seen": Cursor(2, 9),
    }  # fmt: skip


def test_a_record_is_read_back_as_filed_under_a_stream(shelf: Library) -> None:
    shown, waiting = resource("r", "shown", x_unknown=[1, None]), resource("r", "waiting")
    shelf.apply(OLD, [waiting], Cursor(1, 1))
    shelf.apply(NEW, [shown], Cursor(1, 1))
    shelf.apply("talk", [{"id": "x", "type": "text", "resource": "r", "body": "…"}], Cursor(1, 1))
    assert shelf.record(NEW, "r") == shown
    assert shelf.record(OLD, "r") == waiting
    assert shelf.record("talk", "r") is None
    assert shelf.record(NEW, "nobody") is None


def test_the_newest_come_first_by_the_bytes_of_their_ids(shelf: Library) -> None:
    # By UTF-16 the last two would stand the other way round.
    ids = ["A", "a", "a\x00", "b", "é", "ٱ", "\uffee", "\U0001f4d6"]
    for number, id_ in enumerate(ids):
        shelf.apply(f"s{number % 3}", [resource(id_)], Cursor(1, 1))
    shelf.apply("s3", [resource("c")], Cursor(1, 1))
    assert [record["id"] for record in shelf.newest(["s0", "s1", "s2", "s1", "none"])] == ids[::-1]
    assert list(shelf.newest(["s3"])) == [resource("c")]
    assert list(shelf.newest([])) == []
    # A copy that waits while another stream shows the record is still its stream's.
    shelf.apply("s9", [resource("b", "copy that is shown")], Cursor(1, 1))
    assert [record for record in shelf.newest(["s0", "s1", "s2"]) if record["id"] == "b"] == [resource("b")]


def test_what_is_read_first_is_one_state_and_stopping_lets_go_of_it(shelf: Library) -> None:
    shelf.apply_run(
        {s: [resource(f"{n:03}{s}", "x") for n in range(100)] for s in "ab"}, {s: Cursor(1, 1) for s in "ab"}
    )
    reading = shelf.newest(["a", "b"])
    assert [next(reading)["id"] for _ in range(3)] == ["099b", "099a", "098b"]
    with Library(shelf.path) as writer:
        writer.drop_stream("a")
    assert next(reading)["id"] == "098a"
    reading.close()
    assert [record["id"] for record in islice(shelf.newest(["a", "b"]), 2)] == ["099b", "098b"]
    shelf.apply("a", [], Cursor(1, 2))


def test_the_first_records_of_large_streams_are_not_sorted_for(tmp_path: Path) -> None:
    """Counted in the steps of SQLite's machine, which a slow computer does not change."""
    streams = [f"s{n}" for n in range(40)]
    with Library(tmp_path / "library.db") as library:
        library.apply_run(
            {s: [resource(f"{n:05}{s}") for n in range(100)] for s in streams}, {s: Cursor(1, 1) for s in streams}
        )
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        library._store.connection.set_progress_handler(count, 10)
        assert len(list(islice(library.newest(streams), 50))) == 50
        few = steps
        assert len(list(library.newest(streams))) == 4000
        assert steps - few > 10 * few


def test_a_library_of_the_step_before_is_walked_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    open_store(path, MIGRATIONS[:4]).close()
    connection = dbapi2.connect(str(path))
    for rid, id_ in enumerate(("b", "c", "a"), 1):
        connection.execute(
            "INSERT INTO records VALUES (?, ?, 's', 'g', 'theme', '', NULL, '', NULL, '', '', '', '', '', '', 9)",
            (rid, id_),
        )
        connection.execute("INSERT INTO bodies VALUES (?, json_object('id', ?, 'type', 'theme'))", (rid, id_))
    connection.commit()
    connection.close()
    with Library(path) as library:
        assert [record["id"] for record in library.newest(["s"])] == ["c", "b", "a"]
        assert library.streams()["s"].bytes == 27
        library.apply("s", [], Cursor(1, 1), sweep=True, mark="g2")
        assert library.counts() == {}


CHANGE = st.tuples(
    st.sampled_from(["s1", "s2", "s3"]), st.sampled_from("abcd"), st.booleans(), st.sampled_from(["eau", "sel"])
)


@settings(max_examples=60)
@given(st.lists(CHANGE, max_size=20), st.permutations(["s1", "s2", "s3"]), st.booleans())
def test_a_run_equals_the_streams_one_after_the_other(
    history: list[tuple[str, str, bool, str]], order: list[str], sweep: bool
) -> None:
    """A dict per stream is the model: what is filed under a stream is what its own changes say, and each id that
    is filed anywhere is shown exactly once."""
    start = {s: [resource(id_, "vieux") for id_ in ids] for s, ids in (("s1", "ab"), ("s2", "bc"))}
    model = {s: {r["id"]: r for r in start.get(s, [])} for s in order}
    marked: dict[str, set[str]] = {s: set() for s in order}
    run: dict[str, list[dict[str, Any]]] = {s: [] for s in order}
    for stream, id_, deleted, title in history:
        run[stream].append(gone(id_) if deleted else resource(id_, title))
        model[stream].pop(id_, None)
        marked[stream].discard(id_)
        if not deleted:
            model[stream][id_] = resource(id_, title)
            marked[stream].add(id_)
    if sweep:
        model = {s: {id_: r for id_, r in found.items() if id_ in marked[s]} for s, found in model.items()}
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "library.db") as library:
        library.apply_run(start, {s: Cursor(1, 1) for s in start}, mark="g1")
        library.apply_run(run, {s: Cursor(1, 2) for s in order}, sweep=sweep, mark="g2")
        for stream, found in model.items():
            assert {id_: library.record(stream, id_) for id_ in "abcd"} == {id_: found.get(id_) for id_ in "abcd"}
        filed = [record["id"] for record in library.newest(order)]
        assert filed == sorted((id_ for found in model.values() for id_ in found), reverse=True)
        assert_sound(library)


def test_a_text_cut_in_pieces_is_prepared_as_if_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "L’école—des_filles, 教育政策について。ไทย e\u0301te\u0301 co\u00adop हिन्दी में " * 40
    whole = prepare(text)
    for size in (1, 7, 64):
        monkeypatch.setattr(folding, "_PIECE", size)
        assert prepare(text) == whole
    assert prepare("x" * 500 + " end", "sw") == "x" * 60 + " end"
