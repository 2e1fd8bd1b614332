"""Days on which everything goes wrong: each ends in words that a person understands, with their work whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libfaketime
import pytest

from resources_cache.own import Own
from sync.home import LIBRARY_BEGUN_ANEW, OWN_FROM_BACKUP, Home
from tests.journeys.hands import Window
from tests.journeys.test_main_job import RECORDS
from tests.mounts import ALONE, needs_mounts
from tests.programs import HubProgram, ShelfProgram, copy_home, write_records

QUESTION = "How many tablets for forty pupils?"
TITLE = "What would you like to know?"


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with a few records, and a shelf that is in step with it and has asked something."""
    folder = tmp_path_factory.mktemp("ready")
    with HubProgram(folder / "hub").init() as hub:
        hub.run("import", write_records(folder / "records.jsonl", RECORDS))
        hub.run("publish")
        hub.start()
        shelf = ShelfProgram(folder / "shelf").enrol(hub)
        shelf.ask("Who has trained by radio?")
        assert shelf.run("sync")["up_to_date"]
        (folder / "port").write_text(str(hub.port))
    return folder


@pytest.fixture
def hub(ready: Path, tmp_path: Path) -> Iterator[HubProgram]:
    with HubProgram(copy_home(ready / "hub", tmp_path / "hub")) as hub:
        hub.port = int((ready / "port").read_text())
        hub.start()
        yield hub


@pytest.fixture
def home(ready: Path, tmp_path: Path) -> Path:
    return copy_home(ready / "shelf", tmp_path / "shelf")


def titles(home: Path) -> list[str]:
    """What the person has asked, as own.db has it."""
    with Home(home).own() as own:
        return [str(item.body.get("title")) for item in own.outbox.items()]


def test_the_cable_is_pulled_and_put_back(hub: HubProgram, home: Path) -> None:
    with Window(home) as window:
        window.waits_for("In step", "New on your shelf")
        hub.stop()
        window.clicks("Ask")
        window.types(TITLE, QUESTION)
        window.clicks("Send")
        window.clicks("Outbox")
        window.waits_for_row(QUESTION, "Waiting for a connection")
        window.opens_sync()
        window.clicks("Sync now")
        window.waits_for("There is no connection right now.", "Everything on your shelf can still be read")
        hub.start()
        window.clicks("Sync now")
        window.clicks("Outbox")
        window.waits_for_row(QUESTION, "Received by the hub")
    assert len(hub.do("requests")) == 2


def test_the_power_goes_while_a_question_is_written(hub: HubProgram, home: Path) -> None:
    with Window(home) as window:
        window.waits_for("In step", "New on your shelf")
        window.clicks("Ask")
        window.types(TITLE, QUESTION)
        window.types("Details", "Two schools share a")
        window.do("see")
        written = home / "own.db"
        _until(lambda: "share a" in str(_draft(written)))
        window.kill()
    with Window(home) as window:
        window.waits_for("Hubshelf did not end as it should last time.", "What you wrote is safe")
        window.waits_for(QUESTION, "Two schools share a")
        window.types("Details", " generator.")
        window.clicks("Send")
        window.clicks("Outbox")
        window.waits_for_row(QUESTION, "Received by the hub")
    assert len(hub.do("requests")) == 2


@needs_mounts
def test_the_disk_is_full(hub: HubProgram, home: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = 'mount -t tmpfs -o size=24m tmpfs "$0" && cp -a "$1/." "$0" && shift && exec "$@"'
    with Window(disk, under=[*ALONE, "sh", "-c", mount, str(disk), str(home)]) as window:
        window.waits_for("In step", "New on your shelf")
        window.clicks("Ask")
        window.types(TITLE, "Before it was full")
        window.do("fill", path=f"{disk}/filling")
        window.types("Details", "A long story. " * 300)
        window.waits_for("The disk of this computer is full.", "What was saved before is safe.")
        assert window.sees("A long story. A long story."), "what was typed stays in the form"
        window.clicks("Free some space")
        window.waits_for("My shelf")
        window.do("free", path=f"{disk}/filling")
        window.clicks("Ask")
        window.waits_for("Before it was full", "A long story. A long story.")
        window.types("Details", "And its end.")
        window.clicks("Send")
        window.clicks("Outbox")
        window.waits_for_row("Before it was full", "Received by the hub")
    (sent,) = [one for one in hub.do("requests").values() if one["title"] == "Before it was full"]
    assert sent["body"] == "A long story. " * 300 + "And its end."


def test_what_came_from_the_hub_is_damaged(hub: HubProgram, home: Path) -> None:
    _spoil(home / "library.db")
    with Window(home) as window:
        window.waits_for("The file with what came from the hub was damaged", "Your own work is safe.")
        window.clicks("Sync now")
        window.clicks("Library")
        window.waits_for("Teacher training where there is no network")
        window.clicks("Outbox")
        window.waits_for("Who has trained by radio?")
    assert Home(home).mended() == [], "it is told once"
    assert list(home.glob("library.db.damaged-*"))


def test_the_own_work_is_damaged(hub: HubProgram, home: Path) -> None:
    _spoil(home / "own.db")
    with Window(home) as window:
        window.waits_for("The last good copy was put back.", "nothing was deleted")
        window.clicks("Outbox")
        window.waits_for_row("Who has trained by radio?", "Received by the hub")
        window.clicks("Ask")
        window.types(TITLE, QUESTION)
        window.clicks("Send")
        window.clicks("Outbox")
        window.waits_for(QUESTION)
        _until(lambda: window.sees("Received by the hub") and len(hub.do("requests")) == 2)
    assert list(home.glob("own.db.damaged-*"))
    with Window(home) as window:
        window.waits_for("In step", "New on your shelf")
        assert not window.sees("The last good copy was put back.")


def test_two_stores_were_mended_by_another_program(home: Path) -> None:
    _spoil(home / "own.db")
    _spoil(home / "library.db")
    shelf = Home(home)
    with shelf.own(), shelf.library():
        pass
    assert shelf.mended() == [OWN_FROM_BACKUP, LIBRARY_BEGUN_ANEW]
    with Window(home) as window:
        window.waits_for("The last good copy was put back.")


@needs_mounts
def test_nothing_may_be_written(home: Path) -> None:
    lock = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    with Window(home, under=[*ALONE, "sh", "-c", lock, str(home)]) as window:
        window.waits_for("The folder of the shelf cannot be written.")
        assert not window.sees("Traceback")
    assert titles(home) == ["Who has trained by radio?"]


@pytest.mark.parametrize("days", [-900, 900])
def test_the_clock_is_wrong_by_years(hub: HubProgram, home: Path, days: int) -> None:
    shown = {**libfaketime.get_reload_information()[1], "FAKETIME": f"{days:+}d"}
    with Window(home, extra=shown) as window:
        window.waits_for("New on your shelf")
        window.clicks("Ask")
        window.types(TITLE, QUESTION)
        window.clicks("Send")
        window.opens_sync()
        window.clicks("Sync now")
        window.waits_for("The date or the time of this computer is wrong.", "Your work is safe")
        window.clicks("Outbox")
        window.waits_for_row(QUESTION, "Received by the hub")
    assert len(hub.do("requests")) == 2
    with Window(home) as window:
        window.waits_for("In step", "New on your shelf")
        assert not window.sees("The date or the time of this computer is wrong.")


def test_the_hub_is_put_back_to_yesterday(hub: HubProgram, home: Path, tmp_path: Path) -> None:
    hub.do("backup", folder=str(tmp_path / "backup"))
    with Window(home) as window:
        window.waits_for("In step", "New on your shelf")
        window.clicks("Ask")
        window.types(TITLE, QUESTION)
        window.clicks("Send")
        window.clicks("Outbox")
        window.waits_for_row(QUESTION, "Received by the hub")
        hub.stop()
        hub.do("restore", folder=str(tmp_path / "backup"))
        hub.rest()
        hub.run("publish")
        hub.start()
        assert len(hub.do("requests")) == 1, "the backup does not know the second question"
        window.opens_sync()
        window.clicks("Sync now")
        _until(lambda: len(hub.do("requests")) == 2)
        window.clicks("Outbox")
        window.waits_for_row(QUESTION, "Received by the hub")


def _draft(path: Path) -> object:
    with Own(path) as own:
        return own.draft("ask")


def _spoil(path: Path) -> None:
    """As a failing disk does: pages in the middle of a file hold something else."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[4096:middle] = b"\xa5" * (middle - 4096)
    path.write_bytes(content)


def _until(true: object) -> None:
    import time

    assert callable(true)
    end = time.monotonic() + 40
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
