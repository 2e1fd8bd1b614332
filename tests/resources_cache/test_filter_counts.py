"""The counts of the filters equal what SQL counts, whatever is chosen, also after the shelf has changed; and a
list that is known by its row numbers is the list that is read page by page."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random

import pytest

from resources_cache import browse, filter_counts
from resources_cache.cards import Cursor, Filters, Record
from resources_cache.library import Library

KINDS = ("resource", "thread", "expert", "event")


def records(count: int, seed: int) -> list[Record]:
    random = Random(seed)
    found: list[Record] = []
    for n in range(count):
        record: Record = {
            "id": f"{seed}-{n:04}",
            "type": random.choice(KINDS),
            "title": random.choice("abcé") * 3,
            "lang": random.choice(("en", "fr", "")),
            "themes": random.sample(("water", "markets", "girls"), random.randrange(3)),
            "countries": random.sample(("KE", "BI"), random.randrange(3)),
            "updated": f"2026-10-{1 + n % 28:02}T00:00:00Z",
        }
        if record["type"] == "resource":
            record |= {"resource_type": random.choice(("report", "guide", "thread")), "year": 2020 + n % 4}
            record["policy_cycle"] = random.choice(("", "planning"))
        found.append(record)
        if n % 3 == 0:
            found.append({"id": f"{seed}-{n:04}-t", "type": "text", "resource": record["id"], "body": "words"})
    return found


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path / "library.db")
    library.apply("public/cards/en", records(120, 1), Cursor(1, 1))
    return library


def every_choice() -> list[Filters]:
    chosen = product(("", "en"), ("", "water"), ("", "KE"), ("", "report", "thread"), (None, 2021), ("", "thread"))
    return [
        Filters(lang=lang, theme=theme, country=country, type=type_, year=year, kind=kind)
        for lang, theme, country, type_, year, kind in chosen
    ]


@pytest.mark.parametrize("types", [("resource",), KINDS])
def test_counts_are_those_of_sql(library: Library, types: tuple[str, ...]) -> None:
    store = library._store
    choices = [*every_choice(), Filters(policy_cycle="planning"), Filters(since="2026-10-12T00:00:00Z")]
    for filters in choices:
        assert library.facets(filters, types) == browse.facets(store, filters, types), filters
    assert library.facets(Filters(), types)["theme"], "there is something to count"


def test_counts_follow_what_another_program_writes(library: Library) -> None:
    before = library.facets()
    with Library(library.path) as other:
        other.apply("public/cards/fr", records(60, 2), Cursor(1, 1))
    after = library.facets()
    assert after == browse.facets(library._store, Filters(), ("resource",)) != before


@pytest.mark.parametrize("sort", ["newest", "title", "year"])
def test_the_order_is_that_of_the_pages(library: Library, sort: str) -> None:
    for filters in (Filters(), Filters(theme="water"), Filters(lang="en", year=2022)):
        rows = library.order(KINDS, filters, sort)
        listed = library.browse(KINDS, filters, sort, 0, 500)
        assert len(rows) == listed.total > 0
        found = library.cards_at(rows)
        assert [found[row] for row in rows] == listed.items
        assert library.ids_at(rows) == [card.id for card in listed.items]


def test_what_is_gone_is_left_out(library: Library) -> None:
    rows = library.order()
    first, second = library.ids_at(rows[:2])
    library.apply("public/cards/en", [{"id": first, "deleted": True}], Cursor(1, 2))
    assert library.ids_at(rows[:2]) == [second]
    assert list(library.cards_at(rows[:2])) == [rows[1]]


def test_an_unknown_order_is_refused(library: Library) -> None:
    with pytest.raises(ValueError, match="sort must be one of"):
        library.order(sort="rid; DROP TABLE records")


def test_a_value_for_each_record_is_counted_without_memory_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filter_counts, "_MOST_VALUES", 40)
    with Library(tmp_path / "library.db") as library:
        found = [{**record, "themes": [f"theme {n}"]} for n, record in enumerate(records(60, 3))]
        library.apply("public/cards/en", found, Cursor(1, 1))
        for filters in (Filters(), Filters(theme="theme 7"), Filters(lang="en")):
            assert library.facets(filters) == browse.facets(library._store, filters, ("resource",))
        assert not library._filter_counts._bits
