"""The shelf as sync, window and command line use it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2

from resources_cache.cards import Cursor, Filters, StoredHead
from resources_cache.database import MIN_SQLITE, sqlite_version
from resources_cache.errors import BadRecord, NotFound
from resources_cache.library import Library

CARDS, TALK, TEXTS = "public/cards/fr", "public/talk/fr", "public/texts/fr/water"


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library.db") as library:
        yield library


def resource(id_: str, title: str = "", **more: Any) -> dict[str, Any]:
    return {"id": id_, "type": "resource", "title": title or id_, "updated": "2026-01-01T00:00:00Z", **more}


def ids(page: Any) -> list[str]:
    return [hit.id for hit in page.results]


def assert_sound(library: Library) -> None:
    assert [check for check in library.check() if not check.ok] == []


def test_what_was_applied_is_read_back_whole_with_its_cursor(shelf: Library) -> None:
    record = resource("r1", "L’école", x_unknown={"kept": [1, None]}, themes=["water"])
    assert shelf.apply(CARDS, [record], Cursor(1, 7)).put == 1
    assert shelf.get("r1") == {**record, "texts": []}
    assert shelf.cursors() == {CARDS: Cursor(1, 7)}
    assert shelf.get("nobody") is None
    assert shelf.streams()[CARDS].records == 1
    assert shelf.counts() == {"resource": 1}


def test_a_deletion_under_another_stream_does_nothing(shelf: Library) -> None:
    shelf.apply(CARDS, [resource("r1")], Cursor(1, 1))
    assert shelf.apply("public/cards/en", [{"id": "r1", "deleted": True}], Cursor(1, 1)).deleted == 0
    assert shelf.get("r1") is not None
    assert shelf.apply(CARDS, [{"id": "r1", "deleted": True}], Cursor(1, 2)).deleted == 1
    assert shelf.get("r1") is None
    assert_sound(shelf)


def test_a_moved_record_survives_late_news_from_its_old_stream(shelf: Library) -> None:
    shelf.apply("new", [resource("r1", "moved here")], Cursor(1, 5))
    shelf.apply("old", [resource("r1", "an earlier edition")], Cursor(1, 1))
    shelf.apply("old", [{"id": "r1", "deleted": True}], Cursor(1, 2))
    found = shelf.get("r1")
    assert found is not None
    assert found["title"] == "moved here"
    assert ids(shelf.search("moved")) == ["r1"]
    assert ids(shelf.search("earlier")) == []
    assert_sound(shelf)


def test_the_end_of_a_snapshot_sweeps_what_it_did_not_bring(shelf: Library) -> None:
    shelf.apply(CARDS, [resource("old"), resource("kept")], Cursor(1, 1), mark="g1")
    shelf.apply("other", [resource("elsewhere")], Cursor(1, 1), mark="g1")
    shelf.apply(CARDS, [resource("kept")], Cursor(1, 1, "g2", 1), mark="g2")
    assert shelf.cursors()[CARDS] == Cursor(1, 1, "g2", 1)
    assert shelf.get("old") is not None
    done = shelf.apply(CARDS, [resource("new")], Cursor(1, 9), sweep=True, mark="g2")
    assert (done.put, done.deleted) == (1, 1)
    assert {card.id for card in shelf.browse().items} == {"kept", "new", "elsewhere"}
    assert_sound(shelf)


def test_dropping_a_stream_takes_its_records_and_cursor(shelf: Library) -> None:
    shelf.apply(CARDS, [resource("r1", "tablets")], Cursor(1, 1))
    shelf.apply(TALK, [{"id": "t1", "type": "thread", "title": "tablets"}], Cursor(1, 1))
    assert shelf.drop_stream(CARDS) == 1
    assert list(shelf.streams()) == [TALK]
    assert ids(shelf.search("tablets")) == ["t1"]
    assert_sound(shelf)


def test_texts_and_messages_answer_for_the_record_they_belong_to(shelf: Library) -> None:
    # Children may come before the record that they belong to; alone they are no result.
    shelf.apply(TEXTS, [{"id": "x1", "type": "text", "resource": "r1", "format": "html",
                         "body": "<p>Le <b>forage</b> &amp; l’eau</p>"}], Cursor(1, 1))  # fmt: skip
    shelf.apply(TALK, [{"id": "m1", "type": "message", "thread": "t1", "body": "forage au village"},
                       {"id": "m2", "type": "message", "thread": "t1", "body": "un autre forage"},
                       {"id": "s1", "type": "summary", "thread": "t1", "title": "", "body": "Sur le forage [1]"}],
                Cursor(1, 1))  # fmt: skip
    assert shelf.search("forage").total == 0
    shelf.apply(CARDS, [resource("r1", "Eau")], Cursor(1, 1))
    shelf.apply(TALK, [{"id": "t1", "type": "thread", "title": "Puits", "messages": 2}], Cursor(1, 2))
    page = shelf.search("forage")
    assert page.total == 2
    assert {(hit.id, hit.kind, hit.title) for hit in page.results} == {
        ("r1", "resource", "Eau"),
        ("t1", "thread", "Puits"),
    }
    snippet = next(hit.snippet for hit in page.results if hit.id == "r1")
    assert snippet == "Le \x02forage\x03 & l’eau"
    thread = shelf.get("t1")
    assert thread is not None
    assert [m["id"] for m in thread["messages"]] == ["m1", "m2"]
    assert [s["id"] for s in thread["summaries"]] == ["s1"]
    assert shelf.browse().items[0].has_text
    assert shelf.threads().items[0].messages == 2
    shelf.apply(CARDS, [{"id": "r1", "deleted": True}], Cursor(1, 2))
    assert ids(shelf.search("forage")) == ["t1"]
    assert_sound(shelf)


def test_personal_requests_are_kept_apart_and_found(shelf: Library) -> None:
    request = {"id": "q1", "type": "request", "kind": "question", "title": "Solar pumps?", "state": "assigned"}
    reply = {
        "id": "a1",
        "type": "reply",
        "request": "q1",
        "author": "Ada",
        "body": "Use gravel",
        "created": "2026",
    }
    shelf.apply_personal([request, reply], 3, 41)
    assert shelf.personal_cursor() == (3, 41)
    assert shelf.streams() == {}
    assert shelf.get("q1") == {**request, "replies": [reply]}
    assert [(hit.id, hit.kind) for hit in shelf.search("gravel").results] == [("q1", "request")]
    shelf.apply_personal([{**request, "id": "q2"}], 4, 1, reset=True)
    assert shelf.get("q1") is None
    assert shelf.personal_cursor() == (4, 1)
    with pytest.raises(ValueError, match="apply_personal"):
        shelf.apply("personal", [], Cursor())


def test_filters_narrow_lists_counts_and_search_alike(shelf: Library) -> None:
    shelf.apply(CARDS, [
        resource("a", "Water one", lang="fr", year=2020, themes=["water", "health"], countries=["KE"],
                 resource_type="report", policy_cycle="assessment", updated="2026-03-01T00:00:00Z"),
        resource("b", "Água two", lang="pt", year=2021, themes=["water"], countries=["KE", "TG"],
                 resource_type="toolkit", updated="2026-02-01T00:00:00Z"),
        resource("c", "Zebra water", lang="fr", year=2021, themes=["seeds"], resource_type="report"),
        {"id": "t", "type": "thread", "title": "water talk", "lang": "fr", "activity": "planning",
         "themes": ["water"]},
    ], Cursor(1, 1))  # fmt: skip
    facets = shelf.facets(Filters(theme="water"))
    assert facets["theme"] == [("water", 2), ("health", 1), ("seeds", 1)]  # its own filter is left open
    assert facets["lang"] == [("fr", 1), ("pt", 1)]
    assert facets["country"] == [("KE", 2), ("TG", 1)]
    assert facets["year"] == [("2021", 1), ("2020", 1)]
    assert facets["kind"] == [("resource", 2), ("thread", 1)]
    assert [c.id for c in shelf.browse(filters=Filters(country="KE")).items] == ["a", "b"]
    assert [c.id for c in shelf.browse(sort="title").items] == ["b", "a", "c"]
    assert [c.id for c in shelf.browse(sort="year").items] == ["b", "c", "a"]
    page = shelf.browse(limit=1, offset=1)
    assert (page.total, [c.id for c in page.items]) == (3, ["b"])
    assert set(ids(shelf.search("water", Filters(lang="fr")))) == {"a", "c", "t"}
    assert ids(shelf.search("water", Filters(kind="thread"))) == ["t"]
    assert ids(shelf.search("water", Filters(type="report", theme="water"))) == ["a"]
    assert ids(shelf.search("water", Filters(year=2020))) == ["a"]
    assert ids(shelf.search("water", Filters(policy_cycle="assessment"))) == ["a"]
    assert [c.id for c in shelf.threads("water", "planning").items] == ["t"]
    assert shelf.threads("seeds").total == 0
    assert [c.id for c in shelf.latest(["resource"], "2026-01-15T00:00:00Z", 5)] == ["a", "b"]
    with pytest.raises(ValueError, match="sort"):
        shelf.browse(sort="size")


def test_pages_of_results_add_up_to_the_total(shelf: Library) -> None:
    shelf.apply(CARDS, [resource(f"r{n}", f"water point {n}") for n in range(25)], Cursor(1, 1))
    seen = [id_ for start in range(0, 30, 10) for id_ in ids(shelf.search("water", limit=10, offset=start))]
    assert len(seen) == len(set(seen)) == 25
    assert shelf.search("water", limit=10, offset=100).total == 25


def test_the_title_weighs_more_and_small_words_do_not_rule(shelf: Library) -> None:
    shelf.apply(CARDS, [
        resource("title", "Tablets", summary="About other things entirely in this place"),
        resource("body", "Other things", summary="Somewhere tablets are named in this place"),
        resource("the", "The the the the", summary="the the of the"),
    ], Cursor(1, 1))  # fmt: skip
    assert ids(shelf.search("the use of the tablets")) == ["title", "body"]
    assert ids(shelf.search("the")) == ["the"]


def test_head_and_documents(shelf: Library) -> None:
    assert shelf.head() is None
    head = StoredHead(1, 2, b"signed", False, "2026-01-01T00:00:00Z")
    shelf.save_head(head)
    assert shelf.head() == head
    shelf.save_document("aa", b"one")
    shelf.save_document("bb", b"two")
    assert shelf.forget_documents({"bb"}) == 1
    assert (shelf.document("aa"), shelf.document("bb")) == (None, b"two")
    shelf.clear()
    assert shelf.head() is None
    assert shelf.document("bb") is None


def test_vocabulary_follows_the_themes_own_order(shelf: Library) -> None:
    shelf.apply("public/vocab", [
        {"id": "b", "type": "theme", "labels": {"en": "Bees"}, "order": 2},
        {"id": "a", "type": "theme", "labels": {"en": "Apples", "fr": "Pommes"}, "order": 9},
    ], Cursor(1, 1))  # fmt: skip
    assert list(shelf.vocabulary().items()) == [("b", {"en": "Bees"}), ("a", {"en": "Apples", "fr": "Pommes"})]


@pytest.mark.parametrize("bad", [{"type": "resource"}, {"id": ""}, {"id": 3}, ["id"]])
def test_a_record_that_cannot_be_kept_leaves_everything_as_it_was(shelf: Library, bad: Any) -> None:
    shelf.apply(CARDS, [resource("r1")], Cursor(1, 1))
    with pytest.raises(BadRecord) as caught:
        shelf.apply(CARDS, [resource("r2"), bad], Cursor(1, 2))
    assert caught.value.code == "bad-record"
    assert shelf.cursors()[CARDS] == Cursor(1, 1)
    assert shelf.get("r2") is None


def test_fields_of_odd_shapes_are_kept_raw_and_shown_as_absent(shelf: Library) -> None:
    odd = {"id": "r1", "type": "resource", "title": 7, "summary": None, "themes": "water",
           "authors": {"name": "A"},
           "year": "2019-05", "files": [None, {"size": "big"}, {"size": True}], "translations": "no",
           "identifiers": [1], "lang": ["fr"], "body": "lone \ud800 surrogate",
           "subjects": ["a\ud800b"]}  # fmt: skip
    shelf.apply(CARDS, [odd], Cursor(1, 1))
    assert shelf.get("r1") == {**odd, "texts": []}
    card = shelf.browse().items[0]
    assert (card.title, card.year, card.themes, card.authors, card.files_bytes) == (
        "",
        2019,
        ("water",),
        ("A",),
        0,
    )
    shelf.facets()
    assert shelf.search("surrogate").total == 0
    assert_sound(shelf)


def test_two_threads_objects_see_each_others_commits(tmp_path: Path) -> None:
    with Library(tmp_path / "library.db") as writer, Library(tmp_path / "library.db", read_only=True) as reader:
        writer.apply(CARDS, [resource("r1")], Cursor(1, 1))
        assert reader.get("r1") is not None
        assert all(check.ok for check in reader.check())
    with pytest.raises(NotFound):
        Library(tmp_path / "none.db", read_only=True)


def test_the_doctor_sees_an_index_that_differs_from_the_content(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    records = [resource("r1", "water"), resource("r2", "seeds")]

    def findings() -> list[str]:
        with Library(path) as library:
            return [check.name for check in library.check() if not check.ok]

    with Library(path) as library:
        library.apply(CARDS, records, Cursor(1, 1))
    assert findings() == []
    damage = (
        "UPDATE bodies SET body = replace(body, 'water', 'fire')",
        "DELETE FROM indexed WHERE rid = 1",
        "INSERT INTO indexed VALUES (99, x'00')",
        "DELETE FROM search WHERE rowid = 2",
        "DELETE FROM search WHERE rowid = 2; INSERT INTO search(rowid, title) VALUES (2, 'other')",
    )
    for script in damage:
        with Library(path) as library:
            library.clear()
            library.apply(CARDS, records, Cursor(1, 1))
        connection = dbapi2.connect(str(path))
        connection.executescript(script)
        connection.close()
        assert "search index equals the content" in findings(), script
        with Library(path) as library:
            library.rebuild_index()
        assert "search index equals the content" not in findings(), script


def test_an_index_made_by_other_rules_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.apply(CARDS, [resource("r1", "water")], Cursor(1, 1))
    connection = dbapi2.connect(str(path))
    connection.executescript(
        "DELETE FROM search WHERE rowid = 1; INSERT INTO search(rowid, title) VALUES (1, 'watr');"
        "UPDATE meta SET value = 'older' WHERE key = 'text_rules'"
    )
    connection.close()
    with Library(path) as library:
        assert ids(library.search("water")) == ["r1"]
        assert_sound(library)


def test_it_runs_on_the_bundled_sqlite_not_the_standard_librarys() -> None:
    assert tuple(map(int, sqlite_version().split("."))) >= MIN_SQLITE
    assert not issubclass(dbapi2.Connection, sqlite3.Connection)
