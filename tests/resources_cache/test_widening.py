"""A query that names a theme or concept finds what has its other names: after the direct answers, and marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2

from resources_cache import library_schema
from resources_cache.cards import Cursor, Filters
from resources_cache.library import Library
from resources_cache.text import parse, prepare
from resources_cache.widening import MAX_NAMES, Widened, widened

CONCEPTS: list[dict[str, Any]] = [
    {"id": "v", "type": "vocabulary", "labels": {"en": "School thesaurus"}},
    {"id": "v:c1", "type": "concept", "labels": {
        "en": ["Teacher education", "Instructor preparation"], "fr": ["Formation des enseignants"],
        "es": ["Formación de docentes"]}},
    {"id": "v:c2", "type": "concept", "labels": {"en": ["Water"], "fr": ["Eau"], "sw": ["Maji"]}},
    {"id": "v:c3", "type": "concept", "labels": {"en": ["Format"], "fr": ["Format"], "zh": ["格式"]}},
    {"id": "v:c4", "type": "concept", "labels": {"en": ["Drinking water"], "fr": ["Eau potable"]}},
    {"id": "wells", "type": "theme", "labels": {"en": "Wells", "fr": "Puits"}, "order": 1},
]  # fmt: skip
RECORDS: list[dict[str, Any]] = [
    {"id": "both", "type": "resource", "lang": "en", "title": "Teacher education", "summary": "A formation."},
    {"id": "tutors", "type": "resource", "lang": "en", "title": "Tutors", "countries": ["KE"], "year": 2020,
     "summary": "Instructors and their preparation, or instructor preparation."},
    {"id": "cards", "type": "resource", "lang": "en", "title": "Teacher education by cards", "year": 2021},
    {"id": "rocks", "type": "resource", "lang": "en", "title": "Rocks", "summary": "The formation of mountains."},
    {"id": "wet", "type": "resource", "lang": "en", "title": "Wells", "summary": "Where water is."},
    {"id": "talk", "type": "thread", "lang": "en", "title": "A talk"},
    {"id": "said", "type": "message", "thread": "talk", "body": "We did teacher education for it.", "lang": "en"},
]  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("shelf") / "library.db") as library:
        library.apply("public/cards/en", RECORDS, Cursor(1, 1))
        library.apply("public/vocabularies", CONCEPTS, Cursor(1, 1))
        yield library


def found(library: Library, query: str, **options: Any) -> list[tuple[str, str]]:
    """(id, by) of the answers."""
    return [(hit.id, hit.by) for hit in library.search(query, **options).results]


def test_other_names_follow_the_direct_answers_and_say_which(library: Library) -> None:
    page = library.search("formation des enseignants ")
    assert {hit.id for hit in page.results if not hit.by} == {"both", "rocks"}
    assert {(hit.id, hit.by) for hit in page.results[2:]} == {
        ("cards", "Teacher education"), ("tutors", "Instructor preparation"), ("talk", "Teacher education"),
    }  # fmt: skip
    assert page.total == 5
    scores = [hit.score for hit in page.results]
    assert scores == sorted(scores, reverse=True)
    assert all("\x02" in hit.snippet for hit in page.results)


def test_pages_come_one_after_another(library: Library) -> None:
    whole = found(library, "formation des enseignants ")
    for size in (1, 2, 3, 4):
        parts = [found(library, "formation des enseignants ", limit=size, offset=at) for at in range(0, 6, size)]
        assert [one for part in parts for one in part] == whole
    assert library.search("formation des enseignants ", limit=0).total == 5
    assert library.search("formation des enseignants ", limit=1).total == 5


@pytest.mark.parametrize(
    ("query", "by"),
    [
        ("eau ", {"wet": "Water"}), ("EAU", {"wet": "Water"}), ("maji ", {"wet": "Water"}),
        ("puits", {"wet": "Wells"}),
        # The longest name counts: "eau potable" is not water of any kind.
        ("eau potable ", {}), ("eau -potable ", {"wet": "Water"}), ("puits eau ", {"wet": "Wells"}),
        ("eau 2015-2016 potable ", {"wet": "Water"}),
        ("formacion de docentes ", {"cards": "Teacher education", "tutors": "Instructor preparation",
                                    "talk": "Teacher education", "both": "Teacher education"}),
        # Whoever demands, gets no more than that.
        ('"formation des enseignants"', {}), ("title:eau ", {}), ("author:eau ", {}), ("-eau -xyz ", {}),
        ('eau "teacher education"', {}), ("eau year:2021", {}), ("formation d'enseignants ", {}),
    ],
)  # fmt: skip
def test_what_is_widened(library: Library, query: str, by: dict[str, str]) -> None:
    assert {id_: name for id_, name in found(library, query) if name} == by


def test_nothing_is_looked_for_where_it_could_find_nothing(library: Library) -> None:
    for query in ('eau "teacher education"', "eau title:water", '"eau"', "-eau", "year:2021", "drinking ", "xyz "):
        wanted = parse(query, ["en"])
        assert widened(library._store, query, wanted) == Widened(wanted, wanted, None), query


def test_exclusions_filters_years_and_countries_hold_for_other_names(library: Library) -> None:
    names = "formation des enseignants "
    assert ("cards", "Teacher education") not in found(library, names + "-cards ")
    assert {id_ for id_, by in found(library, names, filters=Filters(kind="thread")) if by} == {"talk"}
    assert {id_ for id_, by in found(library, names + "country:KE ") if by} == {"tutors"}
    assert {id_ for id_, by in found(library, names + "year:2021 ") if by} == {"cards"}
    assert library.search(names + "country:KE ").total == 1


def test_small_words_of_a_name_find_nothing_by_themselves(library: Library) -> None:
    """Spanish is no language of this shelf, so nobody would know "de" for a small word."""
    library.apply("x", [{"id": "de", "type": "resource", "lang": "en", "title": "De Maupassant"}], Cursor(1, 1))
    try:
        assert ("de", "") in found(library, "casa de docentes ")
        assert "de" not in dict(found(library, "formación de docentes "))
    finally:
        library.drop_stream("x")


def test_a_word_of_a_name_is_typed_well_and_one_beside_it_is_mended(library: Library) -> None:
    near = {"id": "near", "type": "resource", "lang": "en", "title": "Beau and docenten, formations"}
    library.apply("x", [near], Cursor(1, 1))
    try:
        for query in ("formación de docentes ", "maji "):
            page = library.search(query)
            assert page.instead == ""
            assert "near" not in {hit.id for hit in page.results}
        both = library.search("maji docentex ")
        assert both.instead == "maji docenten "
        assert [(hit.id, hit.by) for hit in both.results] == [("near", ""), ("wet", "Water")]
    finally:
        library.drop_stream("x")


def test_a_name_that_shares_a_word_ranks_direct_answers_higher(library: Library) -> None:
    many = [
        {
            "id": f"n{n}",
            "type": "resource",
            "lang": "en",
            "title": "Formation",
            "summary": f"Formation formation {n}",
        }
        for n in range(40)
    ]
    one = {"id": "one", "type": "resource", "lang": "en", "title": "On rocks",
           "summary": "Of walls, floors, roofs and much else, such as formation abroad."}  # fmt: skip
    labels = {"en": ["Formation abroad"], "fr": ["Formation à l'étranger"]}
    name = {"id": "g", "type": "concept", "labels": labels}
    library.apply("x", [*many, one, name], Cursor(1, 1))
    try:
        assert found(library, "formation etranger ", limit=3)[0][0] != "one"
        assert found(library, "formation à l'étranger ", limit=3)[0] == ("one", "")
    finally:
        library.drop_stream("x")


def test_concepts_are_in_no_list_count_or_filter(library: Library) -> None:
    assert library.counts() == {"message": 1, "resource": 5, "theme": 1, "thread": 1}
    assert library.vocabulary() == {"wells": {"en": "Wells", "fr": "Puits"}}
    assert {kind for kind, _ in library.facets()["kind"]} == {"resource", "thread"}
    assert found(library, "thesaurus ") == []
    assert library.streams()["public/vocabularies"].records == len(CONCEPTS)


def test_names_follow_what_is_filed(tmp_path: Path) -> None:
    def by(query: str = "eau ") -> list[str]:
        return [name for _, name in found(library, query, as_typed=True)]

    with Library(tmp_path / "library.db") as library:
        library.apply("public/cards/en", RECORDS, Cursor(1, 1))
        assert by() == []
        library.apply("public/vocabularies", CONCEPTS, Cursor(1, 1))
        assert by() == ["Water"]
        water = {**CONCEPTS[2], "labels": {"en": ["Water"], "fr": ["Onde"]}}
        library.apply("public/vocabularies", [water], Cursor(1, 2))
        assert (by(), by("onde ")) == ([], ["Water"])
        library.apply("public/vocabularies", [{"id": "v:c2", "deleted": True}], Cursor(1, 3))
        assert by("onde ") == []
        library.apply("public/vocabularies", [water], Cursor(1, 4))
        library.rebuild_index()
        assert by("onde ") == ["Water"]
        assert all(check.ok for check in library.check())
        library._store.execute("DELETE FROM labels WHERE rid = (SELECT rid FROM records WHERE id = 'v:c2')")
        assert [check.name for check in library.check() if not check.ok] == ["search index equals the content"]
        library.rebuild_index()
        assert all(check.ok for check in library.check())
        library.drop_stream("public/vocabularies")
        assert by("onde ") == []
        library.apply("public/vocabularies", [water], Cursor(1, 1))
        library.clear()
        library.apply("public/cards/en", RECORDS, Cursor(1, 1))
        assert by("onde ") == []
        assert all(check.ok for check in library.check())


def test_a_shelf_from_before_there_were_names_gets_them(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.apply("s", [*RECORDS, *CONCEPTS], Cursor(1, 1))
    connection = dbapi2.connect(str(path))
    before = library_schema.MIGRATIONS.index(library_schema._labelled)
    connection.executescript(
        "DROP TABLE labels; DELETE FROM meta WHERE key = 'label_languages';"
        # What later steps make.
        "DROP TABLE work_keys; DROP TABLE works; DROP TABLE titles; DROP TABLE dictionaries; DROP TABLE pairs;"
        "ALTER TABLE records DROP COLUMN curated; DROP TABLE notices;"
        "DROP INDEX records_by_rid; DROP TABLE search_words; DROP TABLE texts_words; DROP TABLE texts;"
        "CREATE VIRTUAL TABLE vocabulary USING fts5vocab(search, 'row');"
        f"PRAGMA user_version = {before};"
    )
    connection.close()
    with Library(path) as library:
        assert found(library, "puits eau ") == [("wet", "Wells")]
        assert all(check.ok for check in library.check())


def test_a_record_that_becomes_something_else_loses_its_names(tmp_path: Path) -> None:
    with Library(tmp_path / "library.db") as library:
        library.apply("s", [*RECORDS, CONCEPTS[2]], Cursor(1, 1))
        library.apply("s", [{**CONCEPTS[2], "type": "resource", "title": "Odd"}], Cursor(1, 2))
        assert found(library, "eau ") == []
        assert all(check.ok for check in library.check())


def test_the_number_of_names_is_bounded(tmp_path: Path) -> None:
    many = {
        "id": "m",
        "type": "concept",
        "labels": {"fr": ["Eau"], "en": ["Water " * 60] + [f"Liquid number{n}" for n in range(900)]},
    }
    with Library(tmp_path / "library.db") as library:
        library.apply("s", [*RECORDS, many, {**many, "id": "n", "labels": {"fr": "x " * 500}}], Cursor(1, 1))
        also = widened(library._store, "eau ", parse("eau ", ["en"])).also
        assert also is not None
        assert len(also.groups) == MAX_NAMES


@pytest.mark.parametrize(
    "labels",
    [None, [], "Eau", {"fr": None}, {"fr": [1, None, {}]}, {"fr": [""]}, {"": "Eau"}, {"fr": ["\ud800 eau"]}],
)
def test_labels_of_any_shape_do_no_harm(tmp_path: Path, labels: Any) -> None:
    with Library(tmp_path / "library.db") as library:
        library.apply("s", [*RECORDS, {"id": "odd", "type": "concept", "labels": labels}], Cursor(1, 1))
        library.search("eau ")
        assert all(check.ok for check in library.check())


_SOME = st.sampled_from(
    [
        "formation",
        "des",
        "enseignants",
        "eau",
        "water",
        "格式",
        "teacher",
        "education",
        "-",
        '"',
        "title:",
        "x",
        "de",
    ]
)


@settings(max_examples=150)
@given(st.one_of(st.lists(_SOME, max_size=7).map(" ".join), st.text(max_size=40)))
def test_every_answer_has_a_word_of_the_query_or_of_its_widening(library: Library, text: str) -> None:
    page = library.search(text, limit=50)
    assert page.total >= len(page.results)
    ids = [hit.id for hit in page.results]
    assert len(ids) == len(set(ids))
    marks = [bool(hit.by) for hit in page.results]
    assert marks == sorted(marks), "what was found by other names comes last"
    for hit in page.results:
        if hit.by:
            record = library.get(hit.id) or {}
            words = " ".join(
                [record.get("title", ""), record.get("summary", "")]
                + [one.get("body", "") for one in record.get("messages", [])]
            )
            assert f" {prepare(hit.by, 'en')} " in f" {prepare(words, 'en')} "
    assert library.search(text, limit=0).total == page.total
    assert library.search(text, replace(Filters(), kind="resource"), limit=0).total <= page.total
