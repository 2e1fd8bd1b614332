"""Titles while one types: those that have the words, in any script, and no others; in step with the records."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2

from resources_cache.cards import Cursor, Filters
from resources_cache.library import Library
from resources_cache.own import Own
from resources_cache.own_search import suggest_all

RECORDS: list[dict[str, Any]] = [
    {"id": "plain", "type": "resource", "lang": "en", "title": "Schools without a grid: the costs", "year": 2020},
    {"id": "short", "type": "resource", "lang": "en", "title": "Why schools close"},
    {"id": "french", "type": "resource", "lang": "fr", "title": "L’école sans réseau", "year": 2021,
     "translations": [{"lang": "en", "title": "The school off the grid"}]},
    {"id": "arabic", "type": "resource", "lang": "ar", "title": "تكوين مديري المدارس"},
    {"id": "thai", "type": "resource", "lang": "th", "title": "โรงเรียนในชนบท"},
    {"id": "chinese", "type": "resource", "lang": "zh", "title": "教育政策"},
    {"id": "talk", "type": "thread", "title": "Solar kits for schools"},
    {"id": "said", "type": "message", "thread": "talk", "title": "Grids", "body": "grids"},
    {"id": "person", "type": "expert", "name": "Wairimu Odera"},
    {"id": "theme", "type": "theme", "labels": {"en": "School grids", "fr": "Réseaux scolaires"}, "order": 1},
]  # fmt: skip


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library.db") as library:
        library.apply("s", RECORDS, Cursor(1, 1))
        yield library


def ids(library: Library, typed: str, **options: Any) -> list[str]:
    return [one.id for one in library.suggest(typed, **options)]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("sch", ["plain", "short", "talk", "french"]),
        ("schools", ["plain", "short", "talk"]),
        ("schools ", ["plain", "short", "talk", "french"]),  # finished: other endings, too
        ("SCHOOL gri", ["plain", "french"]),
        ("grid school", ["plain", "french"]),
        ("ecole res", ["french"]), ("l'école", ["french"]),
        ("مدار", ["arabic"]), ("المدارس", ["arabic"]), ("مدارس مد", ["arabic"]),
        ("โรงเรีย", ["thai"]), ("教", ["chinese"]), ("政策", ["chinese"]), ("策教", []),
        ("odera wai", ["person"]), ("grids", []), ("s", []), ("", []), ('"', []), ("school NOT grid*", []),
    ],
)  # fmt: skip
def test_titles_that_have_all_the_words(library: Library, typed: str, found: list[str]) -> None:
    assert sorted(ids(library, typed)) == sorted(found)


def test_what_begins_so_comes_first_then_the_languages_of_the_reader(library: Library) -> None:
    assert ids(library, "sch") == ["plain", "short", "french", "talk"]
    assert ids(library, "gri") == ["french", "plain"]
    assert ids(library, "gri", reads=["en-GB"]) == ["plain", "french"]
    assert ids(library, "sch", limit=2) == ["plain", "short"]
    assert ids(library, "sch", limit=0) == []


def test_the_title_that_has_the_words_is_shown_and_they_are_marked(library: Library) -> None:
    one = library.suggest("the off gr")[0]
    assert (one.id, one.kind, one.title, one.lang, one.year) == (
        "french", "resource", "The school off the grid", "en", 2021,
    )  # fmt: skip
    assert one.marked == "\x02The\x03 school \x02off\x03 \x02the\x03 \x02grid\x03"


def test_a_work_and_a_title_are_suggested_once(library: Library) -> None:
    twin = {"type": "resource", "lang": "en", "title": "Quokka", "identifiers": {"doi": "10.1000/q"}}
    same = {"type": "resource", "lang": "en", "title": "Quokka"}
    library.apply(
        "t",
        [{**twin, "id": "a"}, {**twin, "id": "b", "title": "Quokkas", "lang": "fr"}, {**same, "id": "c"}],
        Cursor(1, 1),
    )
    assert ids(library, "quok") in (["a"], ["c"])
    assert ids(library, "quok", reads=["fr"]) == ["b", "c"]


def test_themes_and_saved_searches_follow(tmp_path: Path, library: Library) -> None:
    with Own(tmp_path / "own.db") as own:
        own.save_search("grid costs", Filters(), "")
        found = suggest_all(library, own, "grid")
        assert [(one.kind, one.id) for one in found] == [
            ("resource", "french"), ("resource", "plain"), ("theme", "theme"), ("search", ""),
        ]  # fmt: skip
        assert (found[2].title, found[2].marked) == ("School grids", "School \x02grids\x03")
        assert [one.title for one in suggest_all(library, own, "reseaux sco")] == ["Réseaux scolaires"]
        own.set_setting("languages", ["en"])
        assert [one.id for one in suggest_all(library, own, "grid")][:2] == ["plain", "french"]


def test_titles_follow_their_records(tmp_path: Path, library: Library) -> None:
    # The same stems: the search index stays as it is, the words as they are written do not.
    library.apply("s", [{**RECORDS[1], "title": "Why school closes"}], Cursor(1, 2))
    assert ids(library, "closes") == ["short"]
    library.apply("s", [{"id": "short", "deleted": True}, {**RECORDS[0], "type": "odd"}], Cursor(1, 3))
    assert ids(library, "closes") == []
    assert ids(library, "costs") == []
    assert [check for check in library.check() if not check.ok] == []
    library._store.execute("DELETE FROM titles WHERE rowid=(SELECT rid FROM records WHERE id='thai')")
    assert [check.name for check in library.check() if not check.ok] == ["search index equals the content"]
    library.rebuild_index()
    assert ids(library, "โรงเรีย") == ["thai"]
    library.clear()
    assert ids(library, "sch") == []
    assert [check for check in library.check() if not check.ok] == []


def test_a_shelf_of_before_keeps_its_titles_when_it_is_opened(tmp_path: Path, library: Library) -> None:
    library.close()
    path = tmp_path / "library.db"
    connection = dbapi2.connect(str(path))
    connection.executescript(
        "INSERT INTO titles(titles) VALUES ('delete-all'); DELETE FROM meta WHERE key='title_rules'"
    )
    connection.close()
    with Library(path) as again:
        assert ids(again, "gri") == ["french", "plain"]
        assert [check for check in again.check() if not check.ok] == []


@settings(max_examples=200, deadline=None)
@given(typed=st.text(max_size=60))
def test_no_input_is_an_error_and_none_takes_long(shelf: Library, typed: str) -> None:
    began = time.monotonic()
    found = shelf.suggest(typed)
    assert time.monotonic() - began < 0.2
    assert all(one.marked.replace("\x02", "").replace("\x03", "") == one.title for one in found)


_WORDS = st.sampled_from(
    [
        "schools",
        "École",
        "straße",
        "Ørsted",
        "التعليم",
        "مدرسة",
        "कार्यक्रम",
        "โรงเรียน",
        "教育政策",
        "школа",
        "2030",
        "co-op",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_WORDS, min_size=1, max_size=5))
def test_any_beginning_of_a_title_finds_it(shelf: Library, words: list[str]) -> None:
    title = " ".join(words)
    shelf.apply("any", [{"id": "any", "type": "resource", "title": title}], Cursor(1, 1))
    for length in range(2, len(title) + 1):
        assert "any" in ids(shelf, title[:length], limit=50), title[:length]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("shelf") / "library.db") as library:
        library.apply("s", RECORDS, Cursor(1, 1))
        yield library


CONCEPTS = [
    {"id": "v", "type": "vocabulary", "labels": {"en": "Thesaurus"}},
    {"id": "v:1", "type": "concept", "labels": {"en": ["Teacher education", "Training of teachers"],
                                                "fr": "Formation des enseignants", "ar": "إعداد المعلمين"}},
    {"id": "v:2", "type": "concept", "labels": {"en": "Teaching methods", "fr": "Méthode pédagogique"}},
    {"id": "v:3", "type": "concept", "labels": {"en": "Methods of teaching"}},
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "reads", "expected"),
    [
        ("tea", [], ["Teaching methods", "Teacher education"]),
        ("teacher educatio", [], ["Teacher education"]),
        ("teacher education", [], ["Teacher education"]),
        ("formation des ens", [], ["Formation des enseignants"]),
        ("FORMATION DES E", ["fr"], ["Formation des enseignants"]),
        ("metho", [], ["Teaching methods", "Methods of teaching"]),
        ("metho", ["fr"], ["Méthode pédagogique", "Methods of teaching"]),
        ("إعداد المع", [], ["إعداد المعلمين"]),
        ("training", [], ["Training of teachers"]),
        ("thesaurus", [], []),
        ("zebra", [], []),
        ("t", [], []),
        ("", [], []),
    ],
)
def test_names_of_concepts(tmp_path: Path, typed: str, reads: list[str], expected: list[str]) -> None:
    with Library(tmp_path / "concepts.db") as library:
        library.apply("s", CONCEPTS, Cursor(1, 1))
        assert [one.title for one in library.concepts(typed, reads=reads)] == expected


def test_concepts_follow_titles_and_are_no_theme_again(tmp_path: Path, library: Library) -> None:
    theme = {"id": "x", "type": "theme", "labels": {"en": "School meals"}}
    concepts = [{"id": f"v:{n}", "type": "concept", "labels": {"en": name}}
                for n, name in enumerate(("School meals", "School buildings"))]  # fmt: skip
    library.apply("v", [theme, *concepts], Cursor(1, 1))
    with Own(tmp_path / "own.db") as own:
        found = [(one.kind, one.title) for one in suggest_all(library, own, "school")]
        assert found[-2:] == [("theme", "School meals"), ("concept", "School buildings")]
        assert found[0][0] == "resource"
