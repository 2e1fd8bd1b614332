"""The main job, with the real programs over real sockets: fill a hub, read offline, ask offline, be answered."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources_cache.library import Library
from tests.faults.bad_link import Fault, bad_link
from tests.programs import BIN, HubProgram, ShelfProgram, copy_home, write_records

THREAD = {
    "id": "t-1",
    "type": "thread",
    "title": "Teacher training by radio",
    "lang": "en",
    "themes": ["capacity-and-culture"],
    "updated": "2026-05-02T08:00:00Z",
}
RECORDS = [
    {
        "id": "r-1",
        "type": "resource",
        "title": "Teacher training where there is no network",
        "summary": "How three districts trained their teachers with cards and radio.",
        "text": "Tutors came once a term.\n\nThe training was recorded, and teachers listened in pairs.",
        "authors": ["Njeri Kamau"],
        "year": 2024,
        "country": "KE",
        "lang": "en",
        "themes": ["capacity-and-culture"],
        "licence": "CC-BY-4.0",
        "updated": "2026-05-01T08:00:00Z",
    },
    {
        "id": "r-2",
        "type": "resource",
        "title": "Former les enseignants à distance",
        "summary": "Une formation sans connexion.",
        "lang": "fr",
        "country": "SN",
        "themes": ["capacity-and-culture"],
        "updated": "2026-05-01T08:00:00Z",
    },
    THREAD,
    {"id": "m-1", "type": "message", "thread": "t-1", "author": "Amina", "body": "We used pairs of teachers.",
     "updated": "2026-05-02T09:00:00Z"},
    {"id": "s-1", "type": "summary", "thread": "t-1", "title": "What worked", "body": "Pairs worked [1].",
     "cites": ["m-1"], "lang": "en", "updated": "2026-05-03T09:00:00Z"},
]  # fmt: skip


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub's home with a few records, published, not running."""
    folder = tmp_path_factory.mktemp("published")
    with HubProgram(folder / "hub").init() as hub:
        report = hub.run("import", write_records(folder / "records.jsonl", RECORDS))
        assert (report["created"], report["rejected"]) == (len(RECORDS), [])
        hub.run("publish")
    return folder / "hub"


@pytest.fixture
def hub(published: Path, tmp_path: Path) -> Iterator[HubProgram]:
    """A copy of it, serving."""
    with HubProgram(copy_home(published, tmp_path / "hub")) as hub:
        hub.start()
        yield hub


@pytest.fixture
def shelf(tmp_path: Path) -> ShelfProgram:
    return ShelfProgram(tmp_path / "shelf")


def test_reading_and_searching_with_the_hub_stopped(hub: HubProgram, shelf: ShelfProgram) -> None:
    shelf.enrol(hub)
    report = shelf.run("sync")
    assert report["up_to_date"]
    hub.stop()

    found = shelf.run("search", "teacher training")
    assert found["total"] >= 2
    assert {"r-1", "t-1"} <= {hit["id"] for hit in found["results"]}
    assert "[" in found["results"][0]["snippet"]
    assert shelf.run("search", "former enseignants", "--lang", "fr")["results"][0]["id"] == "r-2"
    mended = shelf.run("search", "teahcer training")
    assert (mended["instead"], mended["total"]) == ("teacher training", found["total"])
    assert "instead" not in shelf.run("search", "teahcer", "--as-typed")
    shelf.run("search", "teacher training", "--lang", "en", "--save")
    saved = {"query": "teacher training", "filters": {"lang": "en"}, "new": 0}
    assert shelf.run("searches")["searches"] == [saved]
    assert shelf.run("search", "formation à distance")["results"][0]["id"] == "r-2"

    shown = shelf.run("show", "r-1")
    assert shown["kind"] == "resource"
    for key in ("title", "summary", "year", "licence", "authors"):
        assert shown[key] == RECORDS[0][key]
    assert "listened in pairs" in shown["texts"][0]["body"]
    thread = shelf.run("show", "t-1")
    assert [message["body"] for message in thread["messages"]] == ["We used pairs of teachers."]
    assert thread["summaries"][0]["cites"] == ["m-1"]

    status = shelf.run("status")
    assert status["hub"] == hub.url
    assert status["last_in_step"]
    assert shelf.run("doctor")["ok"]
    with Library(shelf.home / "library.db") as library, library._store.transaction() as store:
        store.execute("DELETE FROM indexed WHERE rid = 1")
    bad = [check for check in shelf.run("doctor", expect=1)["checks"] if not check["ok"]]
    assert [check["advice"].split("`")[1] for check in bad] == ["hubshelf doctor --mend"]
    assert shelf.run("doctor", "--mend")["ok"]
    assert shelf.run("doctor")["ok"]


def test_asking_offline_is_sent_once_and_answered(hub: HubProgram, shelf: ShelfProgram) -> None:
    shelf.enrol(hub)
    shelf.run("sync")
    hub.stop()

    asked = shelf.ask("How many tablets for forty pupils?")
    assert asked["state"] == "waiting"
    assert shelf.run("sync", expect=1)["error"]["code"]
    assert [item["state"] for item in shelf.run("outbox")["items"]] == ["waiting"]
    assert shelf.run("status")["waiting"] == 1

    hub.start()
    report = shelf.run("sync")
    assert report["operations_sent"] == 1
    assert shelf.run("show", asked["id"])["state"] == "received"
    questions = hub.run("questions")["questions"]
    assert [(q["id"], q["title"]) for q in questions] == [(asked["id"], "How many tablets for forty pupils?")]

    answer = hub.home / "answer.txt"
    answer.write_text("Twenty: two pupils share one.", encoding="utf-8")
    hub.run("reply", asked["id"], "--body-file", answer)
    assert shelf.run("sync")["requests"] == 1
    shown = shelf.run("show", asked["id"])
    assert shown["state"] == "answered"
    assert [reply["body"] for reply in shown["replies"]] == ["Twenty: two pupils share one."]
    assert [item["state"] for item in shelf.run("outbox")["items"]] == ["answered"]
    assert len(hub.run("questions")["questions"]) == 1


@pytest.mark.parametrize("at", [0, 1, 100, 150])
def test_a_lost_answer_makes_no_second_question(hub: HubProgram, shelf: ShelfProgram, at: int) -> None:
    shelf.enrol(hub)
    shelf.run("sync")
    shelf.ask("Is this asked once?")
    with bad_link(hub.port, Fault("cut", at)) as link:
        _point(shelf, link.url)
        shelf.run("sync", "--patience", "2", expect=1)
        assert [item["state"] for item in shelf.run("outbox")["items"]] == ["sending"]
    _point(shelf, hub.url)
    shelf.run("sync")
    assert [item["state"] for item in shelf.run("outbox")["items"]] == ["received"]
    assert len(hub.run("questions")["questions"]) == 1


def test_a_day_later_costs_little(hub: HubProgram, shelf: ShelfProgram, tmp_path: Path) -> None:
    shelf.enrol(hub)
    shelf.run("sync")
    idle = shelf.run("sync")
    assert (idle["requests"], idle["up_to_date"]) == (1, True)
    assert idle["bytes_down"] < 1024
    assert idle["bytes_up"] < 1024

    changed = [{**RECORDS[0], "title": "Teacher training, second edition"}, {"id": "r-2", "deleted": True}]
    hub.run("import", write_records(tmp_path / "day2.jsonl", changed))
    hub.run("publish")
    assert shelf.run("sync")["up_to_date"]
    assert shelf.run("show", "r-1")["title"] == "Teacher training, second edition"
    assert shelf.run("show", "r-2", expect=1)["error"]["code"] == "not-found"
    assert all(hit["id"] != "r-2" for hit in shelf.run("search", "enseignants")["results"])


def test_a_revoked_device_reads_on_and_keeps_its_outbox(hub: HubProgram, shelf: ShelfProgram) -> None:
    shelf.enrol(hub)
    shelf.run("sync")
    device = hub.run("devices")["devices"][0]["id"]
    hub.run("revoke", device)
    shelf.ask("Still here?")
    refused = shelf.run("sync", expect=1)
    assert refused["error"]["code"] == "device-revoked"
    assert shelf.run("outbox")["items"][0]["state"] in ("waiting", "sending")
    assert shelf.run("search", "training")["total"] > 0


def test_errors_are_words_and_one_json_document(tmp_path: Path) -> None:
    shelf = ShelfProgram(tmp_path / "shelf")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    for arguments in (
        ["sync"],
        ["show", "nothing"],
        ["enrol", "http://hub.example.org", "CODE"],
        ["enrol", f"http://127.0.0.1:{port}", "AAAA-BBBB-CCCC"],
    ):
        error = shelf.run(*arguments, expect=1)["error"]
        assert set(error) >= {"code", "message", "advice"}
        assert error["message"].endswith((".", "”"))
    assert shelf.run("ask", "--title", "No body", expect=2)["error"]["code"] == "usage"
    assert shelf.run("dance", expect=2)["error"]["code"] == "usage"
    assert shelf.run("search", '"( AND * NEAR -"')["total"] == 0
    assert shelf.run("outbox") == {"items": []}


def _point(shelf: ShelfProgram, url: str) -> None:
    """Tell a shelf that its hub has moved, as a signed redirect will one day."""
    from sync.home import Home

    with Home(shelf.home).own() as own:
        own.set_setting("hub_url", url)


def test_what_a_command_writes_into_a_pipe_is_utf_8_whatever_the_system_would_write(tmp_path: Path) -> None:
    # As on Windows, where programs write cp1252 into pipes.
    told = {**os.environ, "HUBSHELF_KEYRING": "off", "PYTHONIOENCODING": "cp1252"}
    shelf = [BIN / "hubshelf", "--home", tmp_path / "shelf"]
    title = "كم لوحا لكل مدرسة؟"
    subprocess.run([*shelf, "ask", "--title", title, "--body-file", "-"], env=told, input=b"", check=True)
    done = subprocess.run([*shelf, "outbox", "--json"], env=told, capture_output=True, check=True)
    assert json.loads(done.stdout.decode("utf-8"))["items"][0]["title"] == title
    done = subprocess.run([*shelf, "show", title], env=told, capture_output=True, check=False)
    assert (done.returncode, title in done.stderr.decode("utf-8")) == (1, True)
