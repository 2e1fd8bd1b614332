"""A shelf that was changed behind its back: noticed when news is made for the old content, and put right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from resources_cache import bodies
from tests.faults.conftest import articles
from tests.faults.shelves import Shelf, agree
from tests.programs import HubProgram, write_records

NEWEST = "a1-0159"
"""The record whose line is the end of what primes the next run."""


def damage(shelf: Shelf, record: str, **fields: Any) -> None:
    """Change a record's body as a failing disk or a curious person would."""
    with shelf.home.library() as library, library._store.transaction() as store:
        where = "rid=(SELECT rid FROM records WHERE id=?)"
        body = bodies.unpack(store, store.value(f"SELECT body FROM bodies WHERE {where}", (record,)))
        changed = json.dumps(
            {**json.loads(body), **fields}, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        assert changed != body
        store.execute(f"UPDATE bodies SET body=? WHERE {where}", (changed, record))


def remove(shelf: Shelf, record: str) -> None:
    """Take a record away, as if it had never come."""
    with shelf.home.library() as library:
        here = library.cursors()["public/cards/en"]
        assert library.apply("public/cards/en", [{"id": record, "deleted": True}], here).deleted == 1


def in_step(shelf: Shelf, hub: HubProgram) -> int:
    """Sync; return how many bytes came."""
    report = shelf.sync(hub.url)
    assert report is not None
    assert report.error is None, report.error
    assert report.up_to_date
    return report.bytes_down


@pytest.fixture
def shelf(large_hub: HubProgram, tmp_path: Path) -> Shelf:
    found = Shelf(tmp_path / "shelf").enrol(large_hub)
    found.sync(large_hub.url)
    return found


def test_an_edit_of_a_record_that_is_otherwise_here_brings_the_feed_whole(
    large_hub: HubProgram, shelf: Shelf
) -> None:
    damage(shelf, "a1-0003", summary="Something else")
    large_hub.do("edit", id="a1-0003", title="Edited at the hub")
    large_hub.do("publish")
    in_step(shelf, large_hub)
    assert shelf.titles()["a1-0003"] == "Edited at the hub"
    agree(shelf, large_hub)


def test_an_edit_of_a_record_that_is_lost_brings_the_feed_whole(large_hub: HubProgram, shelf: Shelf) -> None:
    remove(shelf, "a1-0003")
    large_hub.do("edit", id="a1-0003", title="Edited at the hub")
    large_hub.do("publish")
    in_step(shelf, large_hub)
    agree(shelf, large_hub)


def test_news_primed_with_a_record_that_is_otherwise_here_brings_the_feed_whole(
    large_hub: HubProgram, shelf: Shelf, tmp_path: Path
) -> None:
    damage(shelf, NEWEST, title="Not what the hub believes")
    large_hub.do("import", file=str(write_records(tmp_path / "news.jsonl", articles(5, seed=8))))
    large_hub.do("publish")
    in_step(shelf, large_hub)
    agree(shelf, large_hub)


def test_damage_is_shown_to_nobody_as_news(large_hub: HubProgram, shelf: Shelf, tmp_path: Path) -> None:
    """What is not damaged is brought as news: only the feed that does not fit is fetched whole."""
    damage(shelf, NEWEST, title="Not what the hub believes")
    sound = Shelf(tmp_path / "sound").enrol(large_hub, "sound@ministry.example")
    in_step(sound, large_hub)
    large_hub.do("import", file=str(write_records(tmp_path / "news.jsonl", articles(5, seed=8))))
    large_hub.do("publish")
    as_news = in_step(sound, large_hub)
    put_right = in_step(shelf, large_hub)
    whole = Shelf(tmp_path / "whole").enrol(large_hub, "whole@ministry.example")
    assert as_news < put_right < as_news + in_step(whole, large_hub) // 2
    agree(shelf, large_hub)
    agree(sound, large_hub)
