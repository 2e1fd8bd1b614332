"""A hub that removes much at once is asked about first; what has nothing to do with that goes on meanwhile."""

from __future__ import annotations

import pytest

from resources_cache.errors import MassDeletion
from resources_cache.library import MANY_DELETED
from sync.running import LET_REMOVE
from tests.sync.hub_simulator import HubSimulator
from tests.sync.simulated_shelf import Shelf, card, text

MANY = range(1000, 1000 + 2 * MANY_DELETED)


@pytest.fixture
def full(hub: HubSimulator, shelf: Shelf) -> Shelf:
    hub.publish({"public/cards/en": [card(n) for n in MANY]})
    assert shelf.sync().up_to_date
    return shelf


def here(shelf: Shelf, *ids: str) -> list[str | None]:
    """The titles, labels or bodies under these ids; None for those that are not on the shelf."""
    with shelf.home.library() as library:
        found = [library.get(one) for one in ids]
    return [None if one is None else one.get("title") or one["id"] for one in found]


def all_here(shelf: Shelf) -> bool:
    return None not in here(shelf, *(card(n)["id"] for n in MANY))


def let_remove(shelf: Shelf) -> None:
    with shelf.home.own() as own:
        own.set_setting(LET_REMOVE, True)


def test_other_feeds_go_on_and_what_is_written_goes(hub: HubSimulator, full: Shelf) -> None:
    asked = full.ask("Is this meant?")
    gone = [{"id": card(n)["id"], "deleted": True} for n in MANY]
    hub.publish({"public/cards/en": [*gone, card(7, title="Changed with it")]})
    hub.publish({"public/cards/fr": [card(101, "fr", title="Nouveau")], "public/texts/en/teaching": [text(40)]})
    for _again in range(2):
        report = full.sync()
        assert isinstance(report.error, MassDeletion)
        assert not report.up_to_date
        assert all_here(full)
        assert here(full, "r-0101", "t-0040") == ["Nouveau", "t-0040"]
        assert here(full, "r-0007") != ["Changed with it"], "what came with the deletions waits with them"
        assert full.states()[asked] == "received"
    hub.publish({"public/vocab": [{"id": "later", "type": "theme", "labels": {"en": "later"}}]})
    assert isinstance(full.sync().error, MassDeletion)
    assert here(full, "later") == ["later"]
    let_remove(full)
    assert full.sync().up_to_date
    full.agrees()


def test_a_stream_that_the_hub_takes_away_is_asked_about_too(hub: HubSimulator, full: Shelf) -> None:
    del hub.feeds["public/cards/en"], hub.streams["public/cards/en"]
    hub.publish({"public/cards/fr": [card(101, "fr", title="Nouveau")]})
    report = full.sync()
    assert isinstance(report.error, MassDeletion)
    assert not report.up_to_date
    assert all_here(full)
    assert here(full, "r-0101") == ["Nouveau"]
    let_remove(full)
    assert full.sync().up_to_date
    full.agrees()


def test_a_choice_of_the_person_is_not_asked_about(hub: HubSimulator, full: Shelf) -> None:
    full.set(languages=["fr"])
    report = full.sync()
    assert report.error is None
    assert report.up_to_date
    assert here(full, "r-1000", "r-0101")[0] is None


def test_a_hub_that_came_back_from_a_backup_is_asked_about_what_it_lost(hub: HubSimulator, full: Shelf) -> None:
    hub.streams["public/cards/en"].records = {
        id_: line for id_, line in hub.streams["public/cards/en"].records.items() if id_ < "r-1000"
    }
    hub.restore()
    report = full.sync()
    assert isinstance(report.error, MassDeletion)
    assert all_here(full)
    let_remove(full)
    assert full.sync().up_to_date
    full.agrees()
