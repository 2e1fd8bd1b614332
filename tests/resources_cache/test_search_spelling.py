"""Words typed wrong: one slip is mended from the shelf's own words, and nothing else is touched."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources_cache.cards import Cursor
from resources_cache.library import Library
from resources_cache.text import parse
from resources_cache.text.spelling import mended

RECORDS = [
    {"id": "t1", "type": "resource", "lang": "en", "title": "Teacher education", "summary": "Training in schools"},
    {"id": "t2", "type": "resource", "lang": "en", "title": "Teachers at work", "summary": "Schools and reading."},
    {"id": "fr", "type": "resource", "lang": "fr", "title": "L'évaluation des élèves", "summary": "À l'école."},
    {"id": "ru", "type": "resource", "lang": "ru", "title": "Подготовка учителей", "summary": "В школах"},
    {"id": "ar", "type": "resource", "lang": "ar", "title": "تدريب المعلمين", "summary": "في المدارس"},
    {"id": "rare", "type": "resource", "lang": "en", "title": "Raeding", "summary": "A town of that name."},
]  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("shelf") / "library.db")
    library.apply("s", RECORDS, Cursor(1, 1))
    return library


@pytest.mark.parametrize(
    ("typed", "first", "instead"),
    [
        ("educatoin", "t1", "education"),  # swapped
        ("eduction", "t1", "education"),  # left out
        ("educcation", "t1", "education"),  # one too many
        ("educatian", "t1", "education"),  # wrong
        ("teacher educatoin", "t1", "teacher education"),
        ("evaluaiton", "fr", "évaluation"),  # as the shelf writes it
        ("учиетлей", "ru", "учителей"),
        ("المعلمنين", "ar", "المعلمين"),
    ],
)
def test_one_slip_is_mended(library: Library, typed: str, first: str, instead: str) -> None:
    page = library.search(typed)
    assert [hit.id for hit in page.results][:1] == [first]
    assert page.instead == instead


@pytest.mark.parametrize(
    "typed",
    ["teacher", "teach", "raeding", "zzzzqqq", '"educatoin"', "-educatoin teacher", "title:educatoin", "abc",
     "20166", "edxuyation", "ทดสอบ", ""],
)  # fmt: skip
def test_what_something_has_or_nobody_can_tell_stays(library: Library, typed: str) -> None:
    assert library.search(typed).instead == ""


def test_as_typed_means_as_typed(library: Library) -> None:
    page = library.search("educatoin", as_typed=True)
    assert (page.total, page.instead) == (0, "")
    assert library.search("teacher educatoin", as_typed=True).total == 2


def test_swapped_letters_go_before_other_slips() -> None:
    # "from" and "forms" are one slip away from "form"; of "fomr" only the swap is.
    query, instead = mended(
        parse("fomr "), lambda group: False, lambda words: dict.fromkeys({"form", "fom"} & set(words), 9)
    )
    assert [group.written for group in instead.values()] == ["form"]
    assert query.groups[0].words == ("form",)


def test_no_more_than_four_words_are_mended() -> None:
    asked: list[int] = []

    def documents(words: list[str]) -> dict[str, int]:
        asked.append(len(words))
        return dict.fromkeys(words, 1)

    _, instead = mended(parse("abcdef bcdefg cdefgh defghi efghij fghijk"), lambda group: False, documents)  # type: ignore[arg-type]
    assert len(instead) == len(asked) == 4


def test_a_query_of_unknown_words_costs_a_bounded_number_of_looks() -> None:
    asked: list[int] = []

    def documents(words: list[str]) -> dict[str, int]:
        asked.append(len(words))
        return {}

    words = " ".join("qwertzuiopasdf"[at:] + "qwertzuiopasdf"[:at] for at in range(8))
    _, instead = mended(parse(f"{words} {'x' * 39}"), lambda group: False, documents)  # type: ignore[arg-type]
    assert (len(asked), instead) == (6, {})
    assert sum(asked) < 3_000


@given(st.text(max_size=200))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_is_answered_soon(library: Library, text: str) -> None:
    begun = time.process_time()
    page = library.search(text)
    assert time.process_time() - begun < 1.0
    assert (page.instead == "") or page.instead != text
