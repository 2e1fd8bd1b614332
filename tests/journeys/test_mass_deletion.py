"""A hub that removes much of a shelf at once is asked about first, in the window and on the command line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources_cache.cards import Cursor
from resources_cache.errors import MassDeletion
from resources_cache.library import MANY_DELETED, Library
from tests.journeys.hands import Window
from tests.programs import HubProgram, ShelfProgram, write_records

MANY = MANY_DELETED + 50


def records(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"r-{n}", "type": "resource", "lang": "en", "title": f"Water report {n}", "licence": "CC-BY-4.0",
         "updated": "2026-05-01T08:00:00Z"}
        for n in range(count)
    ]  # fmt: skip


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProgram]:
    with HubProgram(tmp_path / "hub").init() as hub:
        hub.run("import", write_records(tmp_path / "records.jsonl", records(2 * MANY)))
        hub.run("publish")
        hub.start()
        yield hub


def withdraw(hub: HubProgram, count: int, first: int = 0) -> None:
    for n in range(first, first + count):
        hub.do("withdraw", id=f"r-{n}")
    hub.do("publish")


def resources(shelf: ShelfProgram) -> int:
    return int(shelf.run("status")["records"]["resource"])


def test_nothing_goes_until_the_person_lets_it(hub: HubProgram, tmp_path: Path) -> None:
    shelf = ShelfProgram(tmp_path / "shelf").enrol(hub)
    assert shelf.run("sync")["up_to_date"]
    withdraw(hub, MANY)
    shelf.ask("Is this meant?")
    report = shelf.run("sync", expect=1)
    assert report["error"]["code"] == "mass-deletion"
    assert resources(shelf) == 2 * MANY
    assert len(hub.do("requests")) == 1, "what a person writes goes all the same"
    assert shelf.run("sync", expect=1)["error"]["code"] == "mass-deletion", "it is asked until it is answered"

    with Window(shelf.home) as window:
        window.waits_for("New on your shelf")
        window.opens_sync()
        window.clicks("Sync now")
        window.waits_for("The hub wants to remove more than a fifth of your shelf.", "Nothing was removed.")
        assert resources(shelf) == 2 * MANY
        window.clicks("Let it happen")
        end = time.monotonic() + 40
        while resources(shelf) > MANY:
            assert time.monotonic() < end, window.do("see")
            time.sleep(0.2)
    assert resources(shelf) == MANY

    # Once: the next time it is asked again, and the command line has the same answer.
    withdraw(hub, MANY - 10, MANY)
    assert shelf.run("sync", expect=1)["error"]["code"] == "mass-deletion"
    assert shelf.run("sync", "--let-remove")["up_to_date"]
    assert resources(shelf) == 10


def test_a_few_are_not_asked_about(hub: HubProgram, tmp_path: Path) -> None:
    shelf = ShelfProgram(tmp_path / "shelf").enrol(hub)
    assert shelf.run("sync")["up_to_date"]
    withdraw(hub, 40)
    assert shelf.run("sync")["up_to_date"]
    assert resources(shelf) == 2 * MANY - 40


def test_deletions_of_one_sync_count_together(tmp_path: Path) -> None:
    gone = [{"id": f"r-{n}", "deleted": True} for n in range(MANY)]
    with Library(tmp_path / "library.db") as library:
        library.apply("public/cards/en", records(5 * MANY), Cursor(1, 1))
        stream, cursor = "public/cards/en", {"public/cards/en": Cursor(1, 2)}
        library.apply_run({stream: gone[:60]}, cursor, deleted_before=0)
        with pytest.raises(MassDeletion):
            library.apply_run({stream: gone[60:]}, cursor, deleted_before=MANY)
        assert library.counts()["resource"] == 5 * MANY - 60
        library.apply_run({stream: gone[60:]}, cursor, deleted_before=60)
        assert library.counts()["resource"] == 4 * MANY
