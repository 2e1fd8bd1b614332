"""Counts by filter say what a search with that filter finds, whatever was asked and whatever else is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources_cache.browse import facets
from resources_cache.cards import Cursor, Filters
from resources_cache.counting import FACETS
from resources_cache.library import Library
from resources_cache.own import Own
from resources_cache.own_search import search_all

CHOICES: dict[str, list[Any]] = {
    "lang": ["en", "fr", "sw"], "type": ["guide", "report", "thread"], "year": [2020, 2021],
    "policy_cycle": ["development"], "theme": ["a", "b"], "country": ["KE", "SN"], "kind": ["resource", "thread"],
}  # fmt: skip


def records() -> Iterator[dict[str, Any]]:
    for n in range(24):
        doi = {"identifiers": {"doi": f"10.1000/{n // 2}"}} if n % 6 < 2 else {}
        yield {
            "id": f"r{n}", "type": "resource", "title": f"Wells {n}", "lang": ["en", "fr", "sw", ""][n % 4],
            "year": [2020, 2021, None][n % 3], "resource_type": ["guide", "report"][n // 3 % 2],
            "policy_cycle": ["development", ""][n % 2], "themes": [["a"], ["a", "b"], [], ["b"]][n // 2 % 4],
            "countries": [["KE"], [], ["KE", "SN"]][n // 4 % 3], "updated": f"2026-01-{n + 1:02}T00:00:00Z",
        } | doi  # fmt: skip
        yield {
            "id": f"x{n}",
            "type": "text",
            "resource": f"r{n}",
            "lang": "en",
            "body": "wells " + "pump " * (n % 2),
        }
    yield {"id": "t", "type": "thread", "title": "Wells in talk", "lang": "en", "themes": ["a"]}
    yield {"id": "m", "type": "message", "thread": "t", "body": "A pump"}
    yield {"id": "c", "type": "concept", "labels": {"en": ["Pump"], "fr": ["Pompe"]}}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("shelf") / "library.db") as library:
        library.apply("s", list(records()), Cursor(1, 1))
        assert library.search("wells").total == 21, "some are one work"
        yield library


_FILTERS = st.builds(
    Filters,
    since=st.sampled_from([None, "2026-01-09T00:00:00Z"]),
    **{name: st.sampled_from([None, None, *values]) for name, values in CHOICES.items()},
)
_QUERIES = st.sampled_from(
    ["wells", "wells -pump", '"wells pump"', "pompe ", "pump", "country:KE", "country:KE year:2020 wells",
     "year:2020", "welsl", "nothing"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_QUERIES, _FILTERS)
def test_each_count_is_what_the_search_finds(library: Library, query: str, filters: Filters) -> None:
    page = library.search(query, filters, counts=True)
    assert page.total == library.search(query, filters).total
    assert list(page.facets) == list(facets(library._store, Filters(), ("resource",))) == list(FACETS)
    for name, pairs in page.facets.items():
        for value, count in pairs:
            asked: Any = int(value) if name == "year" else value
            narrowed = replace(filters, **{name: asked})
            if name == "type" or not filters.type:
                assert count == library.search(query, narrowed, limit=0).total > 0, (name, value)
        values = {value for value, _count in pairs}
        for value in map(str, CHOICES[name]):
            if value not in values and value != "thread":
                other: Any = int(value) if name == "year" else value
                assert library.search(query, replace(filters, **{name: other}), limit=0).total == 0


def test_they_are_ordered_as_elsewhere_and_only_where_they_are_asked_for(library: Library) -> None:
    page = library.search("wells", counts=True)
    assert page.facets["theme"] == [("a", 11), ("b", 10)]
    assert [year for year, _count in page.facets["year"]] == ["2021", "2020"]
    assert page.facets["kind"] == [("resource", 20), ("thread", 1)]
    assert library.search("wells").facets == {}
    assert library.search("", counts=True).facets == {}


def test_counts_follow_the_shelf(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    one = {"id": "a", "type": "resource", "title": "Wells", "lang": "fr"}
    with Library(path) as library, Library(path) as other:
        for number, lang in enumerate(["fr", "en", "sw"], start=1):
            (library if number == 2 else other).apply("s", [{**one, "lang": lang}], Cursor(1, number))
            assert library.search("wells", counts=True).facets["lang"] == [(lang, 1)]
        other.apply("s", [{"id": "a", "deleted": True}, {"id": "b", "type": "odd"}], Cursor(1, 9))
        assert library.search("wells", counts=True).facets["lang"] == []


def test_many_records_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources_cache.counting._ROWS", 3)
    with Library(tmp_path / "library.db") as library:
        library.apply("s", list(records()), Cursor(1, 1))
        assert library.search("wells", counts=True).facets["theme"] == [("a", 11), ("b", 10)]


def test_what_the_person_wrote_is_counted_by_kind(tmp_path: Path) -> None:
    with Library(tmp_path / "library.db") as library, Own(tmp_path / "own.db") as own:
        library.apply("s", list(records()), Cursor(1, 1))
        own.set_note("r1", "Which wells?")
        own.outbox.add("ask", "Wells", {"kind": "question", "body": "?"})
        for kind in (None, "note"):
            counted = dict(search_all(library, own, "wells", Filters(kind=kind), counts=True).facets["kind"])
            assert counted == {"resource": 20, "thread": 1, "note": 1, "item": 1}
        narrowed = search_all(library, own, "wells", Filters(lang="en"), counts=True)
        assert set(dict(narrowed.facets["kind"])) == {"resource", "thread"}
        assert search_all(library, own, "", counts=True).total == 0
