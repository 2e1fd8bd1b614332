"""Notices of resources: taken out of hostile records, found without reading any, and put below in a search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resources_cache.cards import Cursor
from resources_cache.library import Library
from resources_cache.notices import Notice, notice_of
from resources_cache.own import Own

STREAM = "public/cards/en"


def resource(id_: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "type": "resource", "lang": "en", "title": "Costing school meals", "year": 2020, **more}


def put(library: Library, *records: dict[str, Any]) -> None:
    seq = library.cursors().get(STREAM, Cursor()).seq
    library.apply(STREAM, records, Cursor(1, seq + 1))


def test_a_notice_is_taken_out_and_what_is_none_is_not() -> None:
    told = {"kind": "superseded", "note": {"en": "Old.", "fr": "Ancien."}, "since": "2026-05-03", "by": "new"}
    found = notice_of(resource("old", notice=told))
    assert found == Notice("superseded", (("en", "Old."), ("fr", "Ancien.")), "2026-05-03", "new")
    assert found.words(["fr-CA"]) == ("Ancien.", "fr")
    assert found.words(["ar"]) == ("Old.", "en")
    hostile = {"kind": "corrected", "note": {"<b>": "x", "en": "x" * 5000, "fr": 7}, "since": "soon", "by": "../x"}
    bounded = notice_of(resource("old", notice=hostile))
    assert bounded == Notice("corrected", (("en", "x" * 1000),))
    for none in (None, "withdrawn", {}, {"kind": "burnt"}, {"kind": ["withdrawn"]}):
        assert notice_of(resource("old", notice=none)) is None


@pytest.mark.parametrize("kind", ["superseded", "withdrawn"])
def test_what_is_out_of_date_stands_below(tmp_path: Path, kind: str) -> None:
    with Library(tmp_path / "library.db") as library:
        put(
            library,
            resource("old", summary="meals meals", authors=["A"]),
            resource("new", year=2021, authors=["B"]),
        )
        before = [hit.id for hit in library.search("costing school meals").results]
        put(library, resource(before[0], summary="meals meals", authors=["C"], notice={"kind": kind}))
        page = library.search("costing school meals")
        assert [hit.id for hit in page.results] == before[::-1]
        assert [hit.notice for hit in page.results] == ["", kind]
        assert library.noticed(["old", "new"]) == {before[0]: Notice(kind)}
        put(library, {"id": before[0], "deleted": True})
        assert library.noticed(["old", "new"]) == {}


def test_a_shelf_that_had_them_before_it_knew_them_finds_them(tmp_path: Path) -> None:
    with Library(tmp_path / "library.db") as library:
        put(library, resource("old", notice={"kind": "corrected"}), resource("new"))
        with library._store.transaction() as store:
            store.execute("DELETE FROM notices")
            store.execute("DELETE FROM meta WHERE key='notice_rules'")
    with Library(tmp_path / "library.db") as library:
        assert set(library.noticed(["old", "new"])) == {"old"}


def test_what_was_cited_is_remembered(tmp_path: Path) -> None:
    with Own(tmp_path / "own.db") as own:
        own.memory.cite([resource("r-1", authors=["Kamau, N."], publisher="MoE"), {"id": "t", "type": "thread"}])
        own.bookmark("r-2", "Saved")
        assert own.memory.kept() == {"r-1", "r-2"}
        own.memory.see("r-1", "withdrawn|||0")
        own.memory.keep([resource("r-1", authors=["Kamau, N."], title="New title")])
        (known,) = own.memory.known().values()
        assert (known.title, known.authors, known.seen) == ("New title", ("Kamau, N.",), "withdrawn|||0")
        assert known.cited
