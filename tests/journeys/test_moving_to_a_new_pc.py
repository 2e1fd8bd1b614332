"""A person gets a new PC: one file, a passphrase, and each question stands once on the hub, whatever fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources_cache.attachments import Attachments, open_files
from sync.home import Home
from sync.moving import move_in, move_out, use_again
from tests.programs import ROOT, HubProgram, ShelfProgram

PASSPHRASE = "rain on a tin roof"
FILE = 25_000_000


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    """A hub with a discussion for members."""
    with HubProgram(tmp_path_factory.mktemp("moving") / "hub") as hub:
        hub.init()
        hub.do("discuss", id="t-members", title="Among ourselves", visibility="members", messages=["In trust."])
        hub.do("publish")
        hub.start()
        yield hub


def write(home: Path, *questions: str) -> str:
    """Write notes, a draft with a file, and questions that wait; returns the file's hash."""
    with Home(home).own() as own:
        own.set_note("r-1", "Ask Njeri.")
        paper = home / "plan.txt"
        paper.write_bytes(os.urandom(50_000))
        attached = Attachments.of(own, open_files(home, FILE)).take(paper)
        own.save_draft("ask", {"title": "Half a question", "attachments": [attached.to_json()]})
        for title in questions:
            own.outbox.add("ask", title, {"kind": "question", "body": ""})
    return attached.hash


def dies(home: Path, file: Path, instant: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.dying_mover", home, file, PASSPHRASE, str(instant)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, "HUBSHELF_KEYRING": "off", "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def titles(hub: HubProgram) -> list[str]:
    return sorted(row["title"] for row in hub.do("requests").values())


def member_threads(home: Path) -> list[str]:
    with Home(home).library() as library:
        return [name for name in library.cursors() if name.startswith("members")]


def test_a_shelf_moves_once_and_the_old_pc_is_told(hub: HubProgram, tmp_path: Path) -> None:
    old, new = ShelfProgram(tmp_path / "old").enrol(hub, "amina@ministry.example"), ShelfProgram(tmp_path / "new")
    assert old.run("sync")["up_to_date"]
    assert member_threads(old.home)
    attached = write(old.home, "How many tablets?", "Which radio?")
    word = tmp_path / "word.txt"
    word.write_text(PASSPHRASE + "\n", encoding="utf-8")
    file = tmp_path / "amina.hubshelf-move"
    out = old.run("move-out", file, "--passphrase-file", word)
    assert out["waiting"] == 2
    stays = old.run("sync", expect=1)
    assert (stays["error"]["code"], stays["operations_sent"]) == ("shelf-moved", 0)
    assert titles(hub) == []

    commit = int(dies(tmp_path / "count", file, 0))
    for instant in (commit // 2, commit):
        assert dies(new.home, file, instant) == ""
        with Home(new.home).own() as own:
            assert (own.notes(), own.outbox.items(), own.setting("hub_url")) == ({}, [], None)
    assert dies(new.home, file, commit + 1) == ""  # all is there, and what follows is made good by the sync
    with Home(new.home).own() as own:
        assert own.draft("ask") is not None
    assert open_files(new.home, FILE).verify(attached)

    report = new.run("sync")
    assert (report["operations_sent"], report["up_to_date"]) == (2, True)
    assert member_threads(new.home)
    assert titles(hub) == ["How many tablets?", "Which radio?"]

    # The old PC hears of it at its next contact, and lets go of what is for members; one's own work stays.
    told = old.run("sync", expect=1)
    assert told["error"]["code"] == "device-moved"
    assert member_threads(old.home) == []
    with Home(old.home).own() as own:
        assert own.notes() == {"r-1": "Ask Njeri."}
    old.run("use-again")
    assert old.run("sync", expect=1)["error"]["code"] == "device-moved"
    assert titles(hub) == ["How many tablets?", "Which radio?"]

    # With a code of its own it is a device beside the new one, and what it held still stands once.
    old.enrol(hub, "amina@ministry.example")
    assert old.run("sync")["up_to_date"]
    assert titles(hub) == ["How many tablets?", "Which radio?"]
    listed = new.run("devices")["devices"]
    assert [(one["this"], one["moved"], bool(one["revoked"])) for one in listed].count((True, False, False)) == 1
    (other,) = (one["id"] for one in listed if not one["this"] and not one["revoked"])
    after = new.run("devices", "--revoke", other)["devices"]
    assert [one["id"] for one in after if not one["revoked"]] == [one["id"] for one in after if one["this"]]
    assert old.run("sync", expect=1)["error"]["code"] == "device-revoked"
    assert member_threads(old.home) == []
    assert new.run("sync")["up_to_date"]


def test_of_two_that_hold_the_same_token_the_first_to_speak_goes_on(hub: HubProgram, tmp_path: Path) -> None:
    old, new = ShelfProgram(tmp_path / "old").enrol(hub, "joe@ministry.example"), ShelfProgram(tmp_path / "new")
    write(old.home, "Who repairs projectors?")
    before, file = titles(hub), tmp_path / "joe.hubshelf-move"
    move_out(Home(old.home), file, PASSPHRASE, cost=14)
    use_again(Home(old.home))
    assert old.run("sync")["operations_sent"] == 1
    move_in(Home(new.home), file, PASSPHRASE)
    refused = new.run("sync", expect=1)
    assert (refused["error"]["code"], refused["operations_sent"]) == ("device-moved", 0)
    new.enrol(hub, "joe@ministry.example")
    new.run("sync")
    assert titles(hub) == sorted([*before, "Who repairs projectors?"])
    with Home(new.home).own() as own:
        assert [one.state for one in own.outbox.items()] == ["received"]
