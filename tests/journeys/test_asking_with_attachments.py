"""Asking with a file through two power cuts: nothing is lost, nothing arrives twice, and the answer is judged."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resources_cache.attachments import Attachments, open_files
from resources_cache.library import Library
from resources_cache.own import Own
from sync.home import Home
from sync.protocol import uploads as wire
from tests.faults.bad_link import Fault, bad_link
from tests.journeys.officer_at_window import BODY, TITLE
from tests.journeys.test_main_job import RECORDS
from tests.programs import ROOT, HubProgram, ShelfProgram, write_records

SIZE = 3_000_000
STILTS = b"school,height\n" * 20_000
ENVIRONMENT = {
    **os.environ,
    "HUBSHELF_KEYRING": "off",
    "QT_QPA_PLATFORM": "offscreen",
    "LANG": "C.UTF-8",
    "PYTHONPATH": str(ROOT),
}


class Officer:
    """The process of the window; what it says, line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def says(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the window ended"
        said: dict[str, Any] = json.loads(line)
        return said


@contextmanager
def officer(home: Path, stage: str, *more: str | Path) -> Iterator[Officer]:
    """The officer at the window; at the end of the block the power goes (SIGKILL)."""
    program = [sys.executable, "-m", "tests.journeys.officer_at_window", home, stage, *more]
    process = subprocess.Popen(program, env=ENVIRONMENT, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield Officer(process)
    finally:
        process.kill()
        process.wait(15)
        assert process.stdout is not None
        process.stdout.close()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def arrived(hub: HubProgram) -> int:
    """Bytes of the attachment that the hub has, whole or not."""
    folder = hub.home / "attachments"
    files = [*folder.glob("incoming/*.part"), *folder.glob("kept/*/*")]
    return sum(path.stat().st_size for path in files if path.exists())


def kept(hub: HubProgram) -> list[bytes]:
    return [path.read_bytes() for path in (hub.home / "attachments").glob("kept/*/*")]


def test_asking_with_a_file_through_two_power_cuts(tmp_path: Path) -> None:
    content = random.Random(5).randbytes(SIZE)
    file = tmp_path / "plan.bin"
    file.write_bytes(content)
    shelf = ShelfProgram(tmp_path / "shelf")
    with HubProgram(tmp_path / "hub").init() as hub:
        hub.run("import", write_records(tmp_path / "records.jsonl", RECORDS))
        hub.run("publish")
        hub.start()
        code = hub.run("invite", "zephyrine@ministry.example", "--name", "Zephyrine Obonyo")["code"]
        shelf.run("enrol", hub.url, code)
        shelf.run("sync")
        with bad_link(hub.port) as link:
            with Home(shelf.home).own() as own:
                own.set_setting("hub_url", link.url)
            _write_and_lose_power(shelf.home, file)
            request = _send_and_lose_power(shelf.home, hub, link)
            _nothing_is_lost(shelf.home, hub, request, content, link)
        _the_answer_comes_and_is_judged(shelf.home, hub, request)
        _the_community_reads_what_it_may(tmp_path, hub, request)


def _write_and_lose_power(home: Path, file: Path) -> None:
    with officer(home, "write", file) as person:
        assert person.says()["form"]["title"] == TITLE
        assert person.says() == {"typed": 100}
    file.unlink()  # the original moves away: the shelf has its own copy


def _send_and_lose_power(home: Path, hub: HubProgram, link: Any) -> str:
    # Each connection dies after 150 kB of what is sent, so that the file is on its way for long enough.
    link.default = Fault("cut-request", 150_000)
    with officer(home, "send") as person:
        form = person.says()["form"]
        assert (form["title"], form["anonymous"]) == (TITLE, True)
        typed = form["body"].removeprefix(BODY)
        assert set(typed) == {"."}
        assert len(typed) >= 60, "of what was typed in the last second and before, without a pause, most is here"
        assert [one["name"] for one in form["attachments"]] == ["plan.bin"]
        assert person.says() == {"sent": True}
        until(lambda: arrived(hub) > 200_000)
    assert 200_000 < arrived(hub) < SIZE, "the power went in the middle of the file"
    (question,) = hub.run("questions")["questions"]
    assert question["title"] == TITLE
    request: str = question["id"]
    return request


def _nothing_is_lost(home: Path, hub: HubProgram, request: str, content: bytes, link: Any) -> None:
    with Own(home / "own.db") as own:
        (item,) = own.outbox.items()
        assert (item.id, item.title) == (request, TITLE)
        assert item.body["body"].startswith(BODY)
        (upload,) = Attachments.of(own, open_files(home, wire.FILE)).outstanding()
        assert (upload.name, upload.size) == ("plan.bin", SIZE)
        assert 0 < upload.done <= arrived(hub)
    link.default = Fault()
    before, sent = arrived(hub), link.bytes_up
    ShelfProgram(home).run("sync")
    assert [hashlib.sha256(one).hexdigest() for one in kept(hub)] == [hashlib.sha256(content).hexdigest()]
    assert link.bytes_up - sent < SIZE - before + 50_000, "what had arrived does not go again"
    assert len(hub.run("questions")["questions"]) == 1


def _the_answer_comes_and_is_judged(home: Path, hub: HubProgram, request: str) -> None:
    with Home(home).own() as own:
        own.set_setting("hub_url", hub.url)
    answer = hub.home / "answer.txt"
    answer.write_text("It holds, but build on stilts.", encoding="utf-8")
    (hub.home / "stilts.csv").write_bytes(STILTS)
    hub.run("reply", request, "--body-file", answer, "--attach", hub.home / "stilts.csv")
    assert hub.run("share", request, "--answers", expect=1)["error"]["code"] == "not-allowed"
    with officer(home, "judge") as person:
        reads = person.says()["reads"]
        assert "It holds, but build on stilts." in reads
        assert "Received by the hub" in reads
        assert person.says() == {"fetched": hashlib.sha256(STILTS).hexdigest()}
        assert person.says() == {"said": True}
        until(lambda: hub.run("questions")["questions"][0]["satisfaction"] == "partly")
    (question,) = hub.run("questions")["questions"]
    assert (question["satisfaction_words"], question["may_publish"]) == ("The costs are missing.", True)


def _the_community_reads_what_it_may(tmp_path: Path, hub: HubProgram, request: str) -> None:
    thread = hub.run("share", request, "--answers")["thread"]
    hub.run("publish")
    other = ShelfProgram(tmp_path / "other").enrol(hub, "colleague@elsewhere.example")
    other.run("sync")
    with Library(other.home / "library.db") as library:
        found = library.get(thread)
        assert found is not None
        asked, answered = (message["body"] for message in found["messages"])
        assert asked.startswith(BODY)
        assert answered == "It holds, but build on stilts."
        assert library.get(request) is None, "the request itself stays between the asker and the team"
    everything = b"".join(path.read_bytes() for path in other.home.rglob("*") if path.is_file())
    assert b"ephyrine" not in everything
    assert b"Obonyo" not in everything
    assert TITLE.encode() in everything, "the same bytes are found where they are"
