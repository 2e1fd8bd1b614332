"""Saved searches: kept once, and new is what came or changed since the person last looked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resources_cache.cards import Cursor, Filters
from resources_cache.library import Library
from resources_cache.own import Own
from resources_cache.saved_searches import news


def record(id_: str, updated: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "type": "resource", "lang": "en", "title": f"Wells {id_}", "updated": updated, **more}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path / "library.db")
    library.apply("s", [record("a", "2026-01-01T00:00:00Z"), record("b", "2026-01-02T00:00:00Z")], Cursor(1, 1))
    return library


def test_what_came_and_what_changed_is_new_until_it_is_looked_at(tmp_path: Path, library: Library) -> None:
    with Own(tmp_path / "own.db") as own:
        own.save_search(" wells ", Filters(lang="en"), library.newest_change())
        own.save_search("nothing of that", Filters(), library.newest_change())
        assert {saved.words: news(library, saved) for saved in own.searches()} == {
            "wells": 0,
            "nothing of that": 0,
        }
        library.apply(
            "s",
            [
                record("a", "2026-02-01T00:00:00Z", title="Wells, corrected"),
                record("c", "2026-02-02T00:00:00Z"),
                record("d", "2026-02-02T00:00:00Z", lang="fr"),
                record("e", "2026-02-02T00:00:00Z", title="Ponds"),
            ],
            Cursor(1, 2),
        )
        wells = next(saved for saved in own.searches() if saved.words == "wells")
        assert news(library, wells) == 2
        found = library.search("wells", Filters(lang="en", since=wells.seen)).results
        assert {hit.id for hit in found} == {"a", "c"}
        own.look_at_search("wells", Filters(lang="en"), library.newest_change())
        assert [news(library, saved) for saved in own.searches()] == [0, 0]


def test_a_search_is_kept_once_and_may_be_forgotten(tmp_path: Path) -> None:
    with Own(tmp_path / "own.db") as own:
        for seen in ("", "2026-01-01T00:00:00Z"):
            own.save_search("eau", Filters(theme="water"), seen)
        own.save_search("eau", Filters(), "")
        kept = {(saved.words, saved.filters): saved.seen for saved in own.searches()}
        assert kept == {("eau", Filters(theme="water")): "2026-01-01T00:00:00Z", ("eau", Filters()): ""}
        own.forget_search("eau", Filters(theme="water"))
        own.look_at_search("never kept", Filters(), "x")
        assert [saved.filters for saved in own.searches()] == [Filters()]


def test_an_empty_shelf_has_no_newest_change(tmp_path: Path) -> None:
    with Library(tmp_path / "library.db") as library:
        assert library.newest_change() == ""
