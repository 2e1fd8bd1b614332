"""What a hub of an earlier version said once, said to today's client: nothing is lost, all that can be is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resources_cache.cards import Cursor
from sync.engine import enrol, price_once, sync_once
from sync.home import Home
from sync.report import SyncReport
from sync.transport import HttpTransport
from tests.compatibility.conversation import RecordedHub, conversation, mac_v1, recorded_hub, with_mac_v2


def member_of(hub: RecordedHub, folder: Path) -> Home:
    """A shelf that enrolled with the recorded hub."""
    home = Home(folder / "shelf")
    enrol(home, hub.url, "CODE-CODE-CODE", "Room 12")
    return home


def ask(home: Home) -> str:
    with home.own() as own:
        return own.outbox.add("ask", "Solar tablets?", {"kind": "question", "title": "Solar tablets?"}).id


def synced(home: Home, hub: RecordedHub) -> SyncReport:
    with HttpTransport(hub.url) as transport:
        return sync_once(home, transport)


def state(home: Home, item: str) -> str:
    with home.own() as own:
        return own.outbox.item(item).state


def record(home: Home, id_: str) -> dict[str, Any] | None:
    with home.library() as library:
        return library.get(id_)


def test_the_recordings_are_what_the_formulas_make() -> None:
    """The two things that the recorded hub makes anew are made as the real one made them."""
    one = conversation(1)[1]
    assert mac_v1("5" * 64, "1" * 32, one.answer) == one.answer_headers["Hubshelf-MAC"]
    two = conversation(2)[1]
    assert with_mac_v2(two.answer, "5" * 64, two.body[33:45]) == two.answer
    assert with_mac_v2(two.answer, "5" * 64, bytes(12)) != two.answer


def test_a_hub_of_version_1_takes_the_question_and_its_content_is_refused(tmp_path: Path) -> None:
    with recorded_hub(1) as hub:
        home = member_of(hub, tmp_path)
        here = {"id": "r-1", "type": "resource", "title": "Here already", "lang": "en"}
        with home.library() as library:
            library.apply("public/cards/en", [here], Cursor(1, 1))
        question = ask(home)
        report = synced(home, hub)
        assert report.error is not None
        assert report.error.code == "hub-too-old"
        assert "up to date" in report.error.advice
        assert not report.up_to_date
        assert report.operations_sent == 1
        assert state(home, question) == "received"
        mine = record(home, question)
        assert mine is not None
        assert (mine["title"], mine["state"]) == ("Solar tablets?", "submitted")
        kept = record(home, "r-1")
        assert kept is not None
        assert kept["title"] == "Here already"
        with home.library() as library:
            assert [hit.id for hit in library.search("already").results] == ["r-1"]
        # A second sync sends nothing again, and nothing of the hub's content was asked for.
        again = synced(home, hub)
        assert again.error is not None
        assert [[one["id"] for one in sent] for sent in hub.operations] == [[question], []]
        assert not [path for _, path in hub.asked if path.startswith(("/p/v1/objects", "/p/v1/documents"))]


def test_a_lost_answer_of_a_hub_of_version_1_is_asked_for_again(tmp_path: Path) -> None:
    with recorded_hub(1) as hub:
        home = member_of(hub, tmp_path)
        question = ask(home)
        hub.lose = 1
        lost = synced(home, hub)
        assert lost.error is not None
        assert state(home, question) == "sending"
        synced(home, hub)
        assert state(home, question) == "received"
        sent = [[one["id"] for one in found] for found in hub.operations]
        assert set(map(tuple, sent)) == {(question,)}
        assert len(sent) == 2


def test_the_price_at_a_hub_of_version_1_is_an_error_and_sends_nothing(tmp_path: Path) -> None:
    with recorded_hub(1) as hub:
        home = member_of(hub, tmp_path)
        question = ask(home)
        with HttpTransport(hub.url) as transport, pytest.raises(Exception, match="protocol 1"):
            price_once(home, transport)
        assert state(home, question) == "waiting"
        assert all(not found for found in hub.operations)


def test_a_hub_of_version_2_is_read_to_the_end(tmp_path: Path) -> None:
    with recorded_hub(2) as hub:
        home = member_of(hub, tmp_path)
        question = ask(home)
        first = synced(home, hub)
        assert first.up_to_date, first
        assert state(home, question) == "received"
        one, two = record(home, "r-0"), record(home, "r-1")
        assert one is not None
        assert two is not None
        assert (one["title"], two["title"]) == ("Écoles sans réseau", "Schools without a link")
        assert one["texts"][0]["body"].startswith("Rain, radio and chalk.")
        second = synced(home, hub)
        assert second.up_to_date, second
        edited = record(home, "r-0")
        assert edited is not None
        assert edited["title"] == "Écoles sans réseau, deux ans après"
        assert synced(home, hub).records == 0
        with home.library() as library, home.own() as own:
            assert all(check.ok for check in [*library.check(), *own.check()])
