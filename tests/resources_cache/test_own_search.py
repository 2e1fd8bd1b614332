"""The person's own words in the same search: notes, and what waits in the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resources_cache.cards import Cursor, Filters
from resources_cache.library import Library
from resources_cache.own import Own
from resources_cache.own_search import ITEM, NOTE, search_all

Shelf = tuple[Library, Own]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Library(tmp_path / "library.db") as library, Own(tmp_path / "own.db") as own:
        records = [
            {"id": f"r{n}", "type": "resource", "lang": "en", "title": f"Wells and pumps {n}", "year": 2020 + n}
            for n in range(5)
        ]
        library.apply("s", records, Cursor(1, 1))
        own.set_note("r1", "Ask Amina about the écoles with solar pumps.")
        own.set_note("gone", "Budget lines for tablets")
        own.outbox.add("ask", "Who repairs pumps?", {"kind": "question", "body": "Our district has forty wells."})
        yield library, own


def test_notes_and_what_waits_come_first(shelf: Shelf) -> None:
    page = search_all(*shelf, "pumps")
    assert [(hit.kind, hit.id) for hit in page.results[:1]] == [
        (ITEM, shelf[1].outbox.items()[0].id)
    ] or page.results
    assert {hit.kind for hit in page.results[:2]} == {NOTE, ITEM}
    assert page.total == 7
    note = next(hit for hit in page.results if hit.kind == NOTE)
    assert (note.id, note.title) == ("r1", "Wells and pumps 1")
    assert "\x02pumps\x03" in note.snippet


def test_a_note_is_found_by_its_own_words_with_and_without_accents(shelf: Shelf) -> None:
    for typed in ("amina", "ecoles", "écoles solar"):
        assert [(hit.kind, hit.id) for hit in search_all(*shelf, typed).results] == [(NOTE, "r1")]
    lost = search_all(*shelf, "tablets budget").results[0]
    assert (lost.id, lost.title) == ("gone", ""), "a note outlives its record"


def test_the_more_words_the_earlier(shelf: Shelf) -> None:
    assert search_all(*shelf, "forty pumps wells").results[0].kind == ITEM


def test_demands_exclusions_and_filters_hold(shelf: Shelf) -> None:
    library, own = shelf
    assert not [hit for hit in search_all(library, own, "pumps -solar").results if hit.kind == NOTE]
    assert [hit.kind for hit in search_all(library, own, '"solar pumps"').results] == [NOTE]
    assert not [hit for hit in search_all(library, own, "pumps year:2021").results if hit.kind in (NOTE, ITEM)]
    assert search_all(library, own, "pumps", Filters(kind=NOTE)).total == 1
    assert {hit.kind for hit in search_all(library, own, "pumps", Filters(lang="en")).results} == {"resource"}


def test_pages_join_without_gap_or_repetition(shelf: Shelf) -> None:
    whole = [(hit.kind, hit.id) for hit in search_all(*shelf, "pumps", limit=50).results]
    assert len(whole) == 7
    for size in (1, 2, 3, 4):
        pages = [
            (hit.kind, hit.id)
            for offset in range(0, 8, size)
            for hit in search_all(*shelf, "pumps", limit=size, offset=offset).results
        ]
        assert pages == whole


def test_what_the_hub_has_received_is_not_shown_twice(shelf: Shelf) -> None:
    library, own = shelf
    own.outbox.withdraw(own.outbox.items()[0].id)
    assert [hit.kind for hit in search_all(library, own, "district").results] == []
