"""Records that are one work are one answer, which says what else there is; whatever comes in whatever order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2

from resources_cache import works
from resources_cache.cards import Cursor, Edition, Filters
from resources_cache.library import Library


def resource(id_: str, title: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "type": "resource", "lang": "en", "title": title, **more}


def grouped(library: Library) -> set[frozenset[str]]:
    """The works of more than one record, by the ids of these."""
    found: dict[int, set[str]] = {}
    for id_, work in library._store.rows("SELECT id, work FROM works JOIN records USING (rid)"):
        found.setdefault(work, set()).add(id_)
    return {frozenset(ids) for ids in found.values()}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library.db") as library:
        yield library


def put(library: Library, *records: dict[str, Any]) -> None:
    library.apply("s", records, Cursor(1, 1))
    assert [check for check in library.check() if not check.ok] == []


LONG = "دليل المدرسة الرقمية في الأماكن الجافة"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (resource("a", "Wells", identifiers={"doi": "10.1000/AbC"}),
         resource("b", "Puits", url="https://doi.org/10.1000/abc", lang="fr")),
        (resource("a", "Wells", identifiers={"doi": ["doi:10.1000/abc.", "x"]}),
         resource("b", "Pumps", identifiers={"doi": "https://dx.doi.org/10.1000/ABC"})),
        (resource("a", "Annual report", year=2020, publisher="UNICEF"),
         resource("b", "ANNUAL  réport.", year="2020", authors=["Unicef"])),
        (resource("a", "Wells", year=2020, authors=[{"family": "Wairimu", "given": "Grace"}]),
         resource("b", "Wells", year=2020, authors=["Wairimu, Grace"], identifiers={"doi": "10.1000/abc"})),
        (resource("a", "Wells", year=2020, publisher="P", translations=[{"lang": "fr", "title": "Puits"}]),
         resource("b", "Puits", year=2020, publisher="P", lang="fr")),
        (resource("a", "Dry schools", year=2022, authors=["Ali"], translations=[{"lang": "ar", "title": LONG}]),
         resource("b", LONG, year=2022, authors=["علي"], lang="ar")),
        (resource("a", "W", year=2020, publisher="P", identifiers={"doi": "10.1000/a"},
                  translations=[{"lang": "fr", "title": "Puits"}]),
         resource("b", "Puits", year=2020, publisher="P", lang="fr", identifiers={"doi": "10.1000/b"})),
    ],
)  # fmt: skip
def test_what_is_one_work(library: Library, one: dict[str, Any], other: dict[str, Any]) -> None:
    put(library, one, other)
    assert grouped(library) == {frozenset("ab")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (resource("a", "Annual report", year=2020, publisher="P"),
         resource("b", "Annual report", year=2021, publisher="P")),
        (resource("a", "Annual report", year=2020, publisher="P"),
         resource("b", "Annual report", year=2020, publisher="Q")),
        (resource("a", "Annual report"), resource("b", "Annual report")),
        (resource("a", "Annual report", year=2020), resource("b", "Annual report", year=2020)),
        (resource("a", "Wells", year=2020, publisher="P", identifiers={"doi": "10.1000/a"}),
         resource("b", "Wells", year=2020, publisher="P", identifiers={"doi": "10.1000/b"})),
        (resource("a", LONG, year=2020, publisher="P"), resource("b", LONG, year=2020, publisher="Q")),
        (resource("a", "W", year=2020, publisher="P", translations=[{"lang": "fr", "title": "Puits"}]),
         resource("b", "Puits", year=2020, publisher="Q", lang="fr")),
        (resource("a", "Wells", url="https://doi.org/"), resource("b", "Wells", url="https://doi.org/")),
        ({"id": "a", "type": "thread", "title": "Wells", "year": 2020, "publisher": "P"},
         resource("b", "Wells", year=2020, publisher="P")),
    ],
)  # fmt: skip
def test_what_is_not(library: Library, one: dict[str, Any], other: dict[str, Any]) -> None:
    put(library, one, other)
    assert grouped(library) == set()


def test_a_key_of_very_many_joins_nothing_and_joins_again_when_they_are_fewer(library: Library) -> None:
    many = [resource(f"r{n}", f"Form {n}", identifiers={"doi": "10.1000/form"}) for n in range(31)]
    put(library, *many)
    assert grouped(library) == set()
    put(library, {"id": "r7", "deleted": True})
    assert grouped(library) == {frozenset(one["id"] for one in many if one["id"] != "r7")}
    put(library, many[7])
    assert grouped(library) == set()


@pytest.mark.parametrize(
    "odd",
    [
        {"identifiers": {"doi": {"a": 1}}}, {"identifiers": {"doi": ["\ud800 10.1000/\ud800"]}},
        {"identifiers": [1]}, {"translations": [{"title": 7}, 3, {"title": "x" * 9_999}] * 500},
        {"year": 2**70}, {"year": "\ud800"}, {"title": ["x"]}, {"authors": [{"name": 3}]}, {"publisher": [None]},
    ],
)  # fmt: skip
def test_odd_fields_are_no_errors_and_few_keys(library: Library, odd: dict[str, Any]) -> None:
    put(library, resource("a", "Wells", year=2020, publisher="P") | odd, resource("b", "Wells"))
    assert len(works.keys(resource("a", "W", year=2020, publisher="P") | odd)) < 40


FOLDED = [
    resource("en", "Wells and pumps", identifiers={"doi": "10.1000/w"}, summary="pumps pumps pumps"),
    resource("fr", "Puits et pompes (pumps)", lang="fr", identifiers={"doi": "10.1000/w"}),
    resource("ar", "آبار", lang="ar", identifiers={"doi": "10.1000/w"}),
    *(resource(f"r{n}", f"Pumps {n}", year=2000 + n) for n in range(12)),
]


def test_one_answer_that_says_what_else_there_is(library: Library) -> None:
    put(library, *FOLDED)
    page = library.search("pumps")
    assert page.total == 13
    assert len(page.results) == 13
    hit = next(hit for hit in page.results if hit.editions)
    assert hit.id == "en"
    assert hit.editions == (Edition("ar", "آبار", "ar"), Edition("fr", "Puits et pompes (pumps)", "fr"))
    assert library.editions("fr") == [Edition("ar", "آبار", "ar"), Edition("en", "Wells and pumps", "en")]
    assert library.editions("r1") == library.editions("nothing") == []
    assert library.search("pumps", Filters(lang="fr")).results[0].id == "fr"
    assert library.search("آبار").results[0].id == "ar"
    assert library.search("pumps", limit=0).total == 13


def test_the_languages_of_the_reader_choose_which(library: Library) -> None:
    put(library, *FOLDED)
    plain, french = library.search("pumps"), library.search("pumps", reads=["fr-CA", "sw"])
    assert [hit.id for hit in french.results] == ["fr" if hit.id == "en" else hit.id for hit in plain.results]
    # What does not have the words is no answer, whoever reads it.
    assert "ar" not in {hit.id for hit in library.search("pumps", reads=["ar"]).results}


def test_pages_fit_together(library: Library) -> None:
    twins = [
        resource(f"{lang}{n}", f"Pumps {n}", lang=lang, identifiers={"doi": f"10.1000/{n}"})
        for n in range(40)
        for lang in ("en", "fr", "es")
    ]
    put(library, *twins)
    for reads in ((), ("fr",)):
        whole = [hit.id for hit in library.search("pumps", limit=200, reads=reads).results]
        assert len(whole) == len({id_[2:] for id_ in whole}) == 40
        for size in (7, 20, 33):
            pages = [library.search("pumps", None, size, at, reads=reads) for at in range(0, 40, size)]
            assert [hit.id for page in pages for hit in page.results] == whole
            assert {page.total for page in pages} == {40}


def test_pages_are_full_where_most_rows_are_of_the_same_works(library: Library) -> None:
    put(
        library,
        *(resource(f"{n}-{m}", "Pumps", identifiers={"doi": f"10.1000/{n}"}) for n in range(12) for m in range(9)),
    )
    assert len(library.search("pumps", limit=12).results) == 12
    assert len(library.search("pumps", limit=7, offset=5).results) == 7


def test_other_names_find_no_work_again(library: Library) -> None:
    put(
        library,
        {"id": "c", "type": "concept", "labels": {"en": ["Water"], "fr": ["Eau"]}},
        resource("a", "Water", identifiers={"doi": "10.1000/w"}),
        resource("b", "Eau", lang="fr", identifiers={"doi": "10.1000/w"}),
        resource("d", "More water"),
    )
    page = library.search("eau ")
    assert [(hit.id, hit.by) for hit in page.results] == [("b", ""), ("d", "Water")]
    assert page.total == 2


def test_a_shelf_of_before_finds_its_works_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with Library(path) as library:
        put(library, *FOLDED)
    connection = dbapi2.connect(str(path))
    connection.executescript("DELETE FROM works; DELETE FROM work_keys; DELETE FROM meta WHERE key='work_rules'")
    connection.close()
    with Library(path) as library:
        assert grouped(library) == {frozenset({"en", "fr", "ar"})}
        assert [check for check in library.check() if not check.ok] == []


def test_the_doctor_sees_a_wrong_work(library: Library) -> None:
    put(library, *FOLDED)
    library._store.execute("UPDATE works SET work = work + 1 WHERE rid = (SELECT max(rid) FROM works)")
    assert [check.name for check in library.check() if not check.ok] == ["search index equals the content"]
    library.rebuild_index()
    assert [check for check in library.check() if not check.ok] == []


_CHANGES = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {"title": st.sampled_from(["Wells", "Puits", "Pozos"]), "year": st.sampled_from([2020, 2021]),
                 "publisher": st.sampled_from(["P", "Q"])},
                optional={
                    "identifiers": st.sampled_from([{"doi": "10.1000/a"}, {"doi": "10.1000/b"}]),
                    "translations": st.lists(
                        st.fixed_dictionaries({"title": st.sampled_from(["Wells", "Puits", "Pozos"])}), max_size=2
                    ),
                },
            ),
        ),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(_CHANGES, min_size=1, max_size=6))
def test_works_depend_on_the_content_alone(steps: list[list[tuple[int, dict[str, Any] | None]]]) -> None:
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "library.db") as library:
        for seq, step in enumerate(steps, start=1):
            changes = [
                {"id": f"r{n}", "deleted": True} if fields is None else resource(f"r{n}", "") | fields
                for n, fields in step
            ]
            library.apply("s", changes, Cursor(1, seq))
            assert works.problem(library._store) == ""
        # The other way round: the whole content in one go, from the last record to the first.
        last = [record for n in range(8, -1, -1) if (record := library.record("s", f"r{n}"))]
        with Library(Path(folder) / "other.db") as other:
            other.apply("s", last, Cursor(1, 1))
            assert grouped(other) == grouped(library)
