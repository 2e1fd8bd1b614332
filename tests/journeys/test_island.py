"""An island: a desktop that never had a network is filled, asks, and is answered, with nothing but sticks."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from resources_cache.attachments import Attachments, open_files
from resources_cache.library import Library
from resources_cache.own import Own
from sync.home import Home
from sync.protocol.uploads import FILE
from tests.journeys.test_main_job import RECORDS
from tests.programs import HubProgram, ShelfProgram, write_records

INSIDE = {
    "id": "t-2",
    "title": "What ministries tell each other",
    "visibility": "members",
    "messages": ["A cadmium heron was seen."],
}
PLAN = b"%PDF-1.7 forty pupils, twenty tablets. " * 5000
EVIDENCE = "%PDF-1.7 one tablet for two pupils, in 31 of 40 trials. " * 3000


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProgram]:
    with HubProgram(tmp_path / "hub") as hub:
        hub.init()
        hub.run("import", write_records(tmp_path / "records.jsonl", RECORDS))
        hub.do("discuss", **INSIDE)
        hub.run("publish")
        hub.start()
        yield hub


def filled(home: Path, stick: Path) -> ShelfProgram:
    shelf = ShelfProgram(home)
    assert shelf.run("pack", "import", stick, "--yes", "--keep")["complete"]
    return shelf


def readable(place: Path) -> list[Path]:
    """Files in which somebody could read what is attached to the question, or to its answer."""
    files = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return [path for path in files if any(one in path.read_bytes() for one in (PLAN[:60], EVIDENCE[:60].encode()))]


def item(shelf: ShelfProgram, id_: str) -> dict[str, Any]:
    return next(one for one in shelf.run("outbox")["items"] if one["id"] == id_)


def records(home: Path) -> dict[str, Any]:
    with Library(home / "library.db") as library:
        return {
            str(one["id"]): {key: value for key, value in one.items() if key not in ("received", "changed")}
            for one in library.newest(list(library.cursors()))
        }


def test_a_question_and_its_answer_travel_on_sticks(hub: HubProgram, tmp_path: Path) -> None:
    # 1. The hub makes a pack, and a desktop without any network is filled from it, once a person said yes.
    first = hub.run("pack", "export", tmp_path / "stick")
    assert (first["streams"] > 3, first["left_out"]) == (True, [])
    island = ShelfProgram(tmp_path / "island")
    refused = island.run("pack", "import", tmp_path / "stick", expect=1)["error"]
    assert refused["code"] == "pack-not-confirmed"
    assert "Hubshelf" in refused["message"]
    island = filled(island.home, tmp_path / "stick")
    assert island.run("show", "r-1")["title"] == RECORDS[0]["title"]
    assert island.run("search", "teacher training")["total"] >= 2
    assert island.run("sync", expect=1)["error"]["code"] == "not-enrolled"

    # 2. A person with a code on paper joins, asks, and writes it all to a stick, with the library for a neighbour.
    island.run("pack", "join", hub.invite("amina@ministry.example"))
    plan = tmp_path / "plan.pdf"
    plan.write_bytes(PLAN)
    asked = island.ask("How many tablets for forty pupils?", attach=plan)
    left = island.run("pack", "export", tmp_path / "out")
    assert (left["operations"], left["streams"]) == (1, first["streams"] - 1), "sealed streams need their key"
    assert (left["attachments"], left["attachment_bytes"], left["attachments_left"]) == (1, len(PLAN), 0)
    waiting = item(island, asked["id"])
    assert waiting["state"] == "waiting"
    assert waiting["left_on_stick"]
    assert [(one["name"], bool(one["left_on_stick"])) for one in waiting["attachments"]] == [("plan.pdf", True)]
    shown = island.run("pack", "show", tmp_path / "out")
    assert (shown["parcels"], shown["parcel_bytes"] > len(PLAN)) == (1, True)
    neighbour = filled(tmp_path / "neighbour", tmp_path / "out")
    assert records(neighbour.home) == records(island.home)

    # 3. Somebody with a link carries it on, and the stick itself comes to the hub, too: it takes effect once.
    carrier = ShelfProgram(tmp_path / "carrier").enrol(hub, "bo@ministry.example")
    assert carrier.run("sync")["up_to_date"]
    brought = carrier.run("pack", "import", tmp_path / "out")
    assert (brought["envelopes"], brought["parcels"]) == (1, 1)
    carried = carrier.run("pack", "export", tmp_path / "carried.hubshelf-pack")
    assert (carried["envelopes"], carried["operations"], carried["parcels"]) == (1, 0, 1)
    assert [*readable(tmp_path / "carried.hubshelf-pack"), *readable(carrier.home)] == []
    taken = hub.run("pack", "import", tmp_path / "carried.hubshelf-pack")
    assert (taken["letters"], taken["joined"], taken["operations"], taken["known"]) == (1, 1, 1, 0)
    again = hub.run("pack", "import", tmp_path / "out")
    assert (again["letters"], again["joined"], again["operations"], again["known"]) == (1, 0, 0, 1)
    assert [(one["files"]["files"], one["files"]["known"]) for one in (taken, again)] == [(1, 0), (0, 1)]
    assert hub.do("attached", id=asked["id"]) == {"plan.pdf": sha256(PLAN).hexdigest()}
    questions = hub.run("questions")["questions"]
    assert [(one["id"], one["title"]) for one in questions] == [
        (asked["id"], "How many tablets for forty pupils?")
    ]

    # 4. The answer comes back on a stick, with the key for what only members may read.
    hub.do("reply", id=asked["id"], body="One for two, says the evidence.", files={"evidence.pdf": EVIDENCE})
    made = hub.run("pack", "export", tmp_path / "stick")
    assert (made["answers"], made["returns"]) == (1, 1)
    assert readable(tmp_path / "stick") == []
    home = island.run("pack", "import", tmp_path / "stick")
    assert (home["receipts"], home["member"], home["error"]) == (1, "amina@ministry.example", None)
    assert (home["arrived"], home["returns"], home["return_bytes"]) == (1, 1, len(EVIDENCE))
    shown = island.run("show", asked["id"])
    assert (shown["state"], [one["body"] for one in shown["replies"]]) == (
        "answered",
        ["One for two, says the evidence."],
    )
    (file,) = shown["replies"][0]["attachments"]
    assert Home(island.home).files().path(file["hash"]).read_text() == EVIDENCE
    now = item(island, asked["id"])
    assert (now["left_on_stick"], now["attachments"][0]["state"]) == (None, "delivered")
    assert island.run("show", "t-2")["messages"][0]["body"] == "A cadmium heron was seen."

    # 5. Both stores agree: what a desktop with a link has, and the island's.
    reader = ShelfProgram(tmp_path / "reader").enrol(hub, "amina@ministry.example")
    reader.run("sync")
    assert records(reader.home) == records(island.home)
    assert reader.run("show", asked["id"])["replies"] == shown["replies"]
    with Own(island.home / "own.db") as own:
        assert [one.state for one in own.outbox.items()] == ["answered"]
        assert Attachments.of(own, open_files(island.home, FILE)).outstanding() == []

    # 6. What has arrived does not travel on: neither the file of the question, nor that of the answer.
    assert island.run("pack", "export", tmp_path / "out")["attachments"] == 0
    hub.run("pack", "import", tmp_path / "out")
    assert hub.run("pack", "export", tmp_path / "out")["returns"] == 0
    assert island.run("pack", "show", tmp_path / "out")["parcels"] == 0


def test_what_was_left_on_a_stick_goes_by_wire_where_a_link_comes_first(hub: HubProgram, tmp_path: Path) -> None:
    shelf = ShelfProgram(tmp_path / "shelf").enrol(hub)
    shelf.run("sync")
    asked = shelf.ask("Who pays for the radios?")
    assert shelf.run("pack", "export", tmp_path / "out")["operations"] == 1
    shelf.run("sync")
    assert item(shelf, asked["id"])["state"] == "received"
    taken = hub.run("pack", "import", tmp_path / "out")
    assert (taken["operations"], taken["known"]) == (0, 1)
    assert len(hub.run("questions")["questions"]) == 1
    # And the other way round: the letter first, then the wire.
    second = shelf.ask("Who repairs them?")
    shelf.run("pack", "export", tmp_path / "out")
    assert hub.run("pack", "import", tmp_path / "out")["operations"] == 1
    shelf.run("sync")
    assert item(shelf, second["id"])["state"] == "received"
    assert len(hub.run("questions")["questions"]) == 2


def test_an_island_that_gets_a_link_is_the_device_that_joined_by_hand(hub: HubProgram, tmp_path: Path) -> None:
    hub.run("pack", "export", tmp_path / "stick")
    island = filled(tmp_path / "island", tmp_path / "stick")
    code = hub.invite("amina@ministry.example")
    island.run("pack", "join", code)
    asked = island.ask("Is there a link?")
    island.run("pack", "export", tmp_path / "out")
    hub.run("pack", "import", tmp_path / "out")
    island.run("enrol", hub.url, code)
    island.run("sync")
    assert item(island, asked["id"])["state"] == "received"
    assert len(hub.run("devices")["devices"]) == 1
    assert len(hub.run("questions")["questions"]) == 1


def test_a_code_that_nobody_knows_is_refused_in_words(hub: HubProgram, tmp_path: Path) -> None:
    hub.run("pack", "export", tmp_path / "stick")
    island = filled(tmp_path / "island", tmp_path / "stick")
    island.run("pack", "join", "AAAA-BBBB-CCCC")
    asked = island.ask("Does anybody hear?")
    island.run("pack", "export", tmp_path / "stick")
    assert hub.run("pack", "import", tmp_path / "stick")["refused"] == 1
    hub.run("pack", "export", tmp_path / "stick")
    answer = island.run("pack", "import", tmp_path / "stick")
    assert "unknown-code" in answer["refused"]["type"]
    assert item(island, asked["id"])["state"] == "waiting"
    assert hub.run("questions")["questions"] == []
