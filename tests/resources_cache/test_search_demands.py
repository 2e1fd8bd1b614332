"""What a query demands, on a shelf: quoted words, exclusions, titles, names, countries and years."""

from __future__ import annotations

import pytest

from resources_cache.cards import Cursor, Filters
from resources_cache.library import Library

RECORDS = [
    {"id": "wells", "type": "resource", "lang": "en", "title": "Water from wells",
     "summary": "Digging deep wells.",
     "authors": ["Aïssa Diallo"], "year": 2016, "countries": ["KE"]},
    {"id": "fish", "type": "resource", "lang": "en", "title": "Ponds",
     "summary": "Fish, wells and water in Kenya.",
     "authors": ["Jean Paul Wells"], "year": 2019, "countries": ["TG"]},
    {"id": "eau", "type": "resource", "lang": "fr", "title": "L'eau des écoles",
     "summary": "Des puits formés à la main",
     "publisher": "Éditions du Puits", "year": 2024,
     "translations": [{"lang": "en", "title": "Water at schools", "summary": "Wells dug by hand"}]},
]  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("shelf") / "library.db")
    library.apply("s", RECORDS, Cursor(1, 1))
    return library


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("water ", "wells fish eau"), ("water -fish ", "wells eau"), ("water -fish -school ", "wells"),
        ('"deep wells"', "wells"), ('"wells deep"', ""), ('water "by hand"', "eau"), ("title:ponds ", "fish"),
        ("title:wells ", "wells"), ("author:wells ", "fish"), ("auteur:diallo water ", "wells"),
        ('author:"jean paul"', "fish"), ("autor:editions ", "eau"), ("country:ke ", "wells"),
        ("water country:TG ", "fish"),
        ("country:Kenya ", "fish"), ("year:2016", "wells"), ("water year:2016-2019 ", "wells fish"),
        ("year:2017-2030 -fish ", "fish eau"), ("2019 ", "fish"), ("2015-2017 ", "wells"),
        ("titre:écoles ", "eau"),
        ("formees ", "eau"), ("formé", "eau"), ("puit", "eau"), ("schooling ", "eau"), ("-fish", "fish"),
    ],
)  # fmt: skip
def test_demands_are_met(library: Library, query: str, ids: str) -> None:
    assert {hit.id for hit in library.search(query).results} == set(ids.split())


def test_filters_of_the_query_and_of_the_page_both_hold(library: Library) -> None:
    assert library.search("water year:2016-2019 ", Filters(country="TG")).total == 1
    assert library.search("year:2016-2024 ").total == 3
    assert library.search("year:2016", Filters(lang="fr")).total == 0


def test_a_translation_is_in_its_own_language(library: Library) -> None:
    assert [hit.id for hit in library.search("digging hands ").results][-1] == "eau"
    assert library.search("écoles ").results[0].snippet
