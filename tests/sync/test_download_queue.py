"""The queue of downloads against a hub: its order, pauses, what a person allows, restarts, and what goes wrong."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from resources_cache.downloads import Download
from sync.downloads import WAIT_METERED, Arrived, DownloadQueue, Event, SetAside, Standing
from sync.files import fetch_file
from sync.home import Home
from sync.machine_files import VARIABLE
from sync.protocol.wire_json import sha256
from tests.sync.hub_simulator import Answer, HubSimulator, Seen
from tests.sync.simulated_shelf import Shelf

FILES = [random.Random(n).randbytes(60_000 + n) for n in range(4)]
NOON = datetime(2026, 11, 20, 12, 0)


def wanted(n: int) -> Download:
    return Download(sha256(FILES[n]), f"r{n}", f"{n}.pdf", len(FILES[n]))


class Heard:
    """What a queue told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def arrived(self) -> list[str]:
        return [event.download.name for event in self.events if isinstance(event, Arrived)]

    def whys(self) -> list[str]:
        return [event.why for event in self.events if isinstance(event, Standing) and not event.hash]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def queue(hub: HubSimulator, shelf: Shelf, heard: Heard) -> Iterator[Callable[..., DownloadQueue]]:
    """Puts files in the queue of an enrolled shelf, and makes what works it off."""
    shelf.enrol()
    hub.objects.update({sha256(data): data for data in FILES})
    made: list[DownloadQueue] = []

    def make(*numbers: int, **options: Any) -> DownloadQueue:
        with shelf.home.own() as own:
            own.downloads.add(wanted(n) for n in numbers)
        queue = DownloadQueue(shelf.home.path, heard.events.append, **options)
        made.append(queue)
        return queue

    yield make
    for one in made:
        assert one.stop()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def waiting(shelf: Shelf) -> list[tuple[str, bool, str]]:
    with shelf.home.own() as own:
        return [(one.name, one.paused, one.problem) for one in own.downloads.items()]


def test_files_come_in_the_persons_order(shelf: Shelf, heard: Heard, queue: Callable[..., DownloadQueue]) -> None:
    made = queue(0, 1, 2, 3)
    with shelf.home.own() as own:
        own.downloads.move(sha256(FILES[3]), "first")
        own.downloads.move(sha256(FILES[2]), "up")
        own.downloads.move(sha256(FILES[3]), "down")
        own.downloads.pause(sha256(FILES[1]))
    made.start()
    until(lambda: heard.whys()[-1:] == ["paused"])
    assert heard.arrived() == ["0.pdf", "3.pdf", "2.pdf"]
    assert waiting(shelf) == [("1.pdf", True, "")]
    store = shelf.home.files()
    assert all(store.path(sha256(FILES[n])).read_bytes() == FILES[n] for n in (0, 2, 3))
    with shelf.home.own() as own:
        own.downloads.resume()
    made.wake()
    until(lambda: heard.arrived()[-1] == "1.pdf" and heard.whys()[-1] == "")


def slow(hub: HubSimulator, gate: threading.Event) -> threading.Event:
    """The hub says nothing to who asks for the first file until the gate opens; the event: somebody asked."""
    asked = threading.Event()

    def answer(seen: Seen, found: Answer) -> Answer | None:
        if gate.is_set() or not seen.path.endswith(sha256(FILES[0])):
            return found
        asked.set()
        return None

    hub.fault = answer
    return asked


def test_another_put_first_takes_its_place(
    hub: HubSimulator, shelf: Shelf, heard: Heard, queue: Callable[..., DownloadQueue]
) -> None:
    gate = threading.Event()
    slow(hub, gate)
    made = queue(0, 1)
    made.start()
    until(lambda: any(isinstance(e, Standing) and e.hash == sha256(FILES[0]) for e in heard.events))
    with shelf.home.own() as own:
        own.downloads.move(sha256(FILES[1]), "first")
    made.wake(sha256(FILES[1]))
    gate.set()
    until(lambda: heard.arrived() == ["1.pdf", "0.pdf"])


def test_held_it_moves_no_byte(
    hub: HubSimulator, shelf: Shelf, heard: Heard, queue: Callable[..., DownloadQueue]
) -> None:
    made = queue(0)
    made.hold(True)
    with hub.counting() as seen:
        made.start()
        until(lambda: heard.whys() == ["held"])
        made.wake()
        time.sleep(0.1)
    assert seen == []
    made.hold(False)
    until(lambda: heard.arrived() == ["0.pdf"])


def test_hours_budget_and_metered_links_are_kept(
    hub: HubSimulator, shelf: Shelf, heard: Heard, queue: Callable[..., DownloadQueue]
) -> None:
    shelf.set(allowed_hours=[["22:00", "06:00"]])
    made = queue(0, now=lambda: NOON)
    with hub.counting() as seen:
        made.start()
        until(lambda: heard.whys() == ["hours"])
        shelf.set(allowed_hours=[], daily_limit=1)
        with shelf.home.own() as own:
            own.add_sync({"bytes_down": 5})
        made.wake()
        until(lambda: heard.whys() == ["hours", "budget"])
        shelf.set(daily_limit=0, **{WAIT_METERED: True})
        made.set_metered(True)
        until(lambda: heard.whys() == ["hours", "budget", "metered"])
    assert seen == []
    made.set_metered(False)
    until(lambda: heard.arrived() == ["0.pdf"])


def test_one_file_is_let_past_the_limits_and_no_other(
    hub: HubSimulator, shelf: Shelf, heard: Heard, queue: Callable[..., DownloadQueue]
) -> None:
    shelf.set(allowed_hours=[["22:00", "06:00"]], daily_limit=1, **{WAIT_METERED: True})
    made = queue(0, 1, 2, now=lambda: NOON)
    made.set_metered(True)
    with shelf.home.own() as own:
        own.downloads.let_past(sha256(FILES[1]))
        own.downloads.move(sha256(FILES[2]), "first")  # first of all, but not let past
        spent = own.spent()
    made.start()
    until(lambda: heard.whys()[-1:] == ["metered"])
    assert heard.arrived() == ["1.pdf"]
    assert [name for name, *_ in waiting(shelf)] == ["2.pdf", "0.pdf"]
    with shelf.home.own() as own:
        assert own.spent() - spent >= len(FILES[1]), "its bytes count all the same"
        assert own.downloads.next(anyway=True) is None


def test_nothing_is_let_past_an_administrators_limit(
    shelf: Shelf,
    heard: Heard,
    queue: Callable[..., DownloadQueue],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = tmp_path / "machine"
    machine.mkdir(mode=0o755)
    (machine / "policies.json").write_text('{"daily_limit_kb": 1}')
    (machine / "policies.json").chmod(0o644)
    monkeypatch.setenv(VARIABLE, str(machine))
    made = queue(0)
    with shelf.home.own() as own:
        own.add_sync({"bytes_down": 1_000})
        own.downloads.let_past(sha256(FILES[0]))
    made.start()
    until(lambda: heard.whys() == ["budget"])
    assert heard.arrived() == []


def test_a_file_that_is_paused_is_no_longer_let_past(shelf: Shelf, queue: Callable[..., DownloadQueue]) -> None:
    queue(0, 1)
    with shelf.home.own() as own:
        own.downloads.let_past(sha256(FILES[1]))
        assert [(one.name, one.anyway) for one in own.downloads.items()] == [("1.pdf", True), ("0.pdf", False)]
        own.downloads.pause(sha256(FILES[1]))
        own.downloads.resume()
        assert own.downloads.get(sha256(FILES[1])) == wanted(1)
        assert own.downloads.get("f" * 64) is None


def test_let_past_the_limits_it_still_waits_for_a_sync(
    hub: HubSimulator, shelf: Shelf, heard: Heard, queue: Callable[..., DownloadQueue]
) -> None:
    made = queue(0)
    with shelf.home.own() as own:
        own.downloads.let_past(sha256(FILES[0]))
    made.hold(True)
    with hub.counting() as seen:
        made.start()
        until(lambda: heard.whys() == ["held"])
    assert seen == []
    made.hold(False)
    until(lambda: heard.arrived() == ["0.pdf"])


def test_a_file_larger_than_the_day_allows_comes_over_several_days(
    hub: HubSimulator, shelf: Shelf, heard: Heard, queue: Callable[..., DownloadQueue]
) -> None:
    large = random.Random(9).randbytes(3_000_000)
    hub.objects[sha256(large)] = large
    with shelf.home.own() as own:
        spent = own.spent()
        own.downloads.add([Download(sha256(large), "r", "large.pdf", len(large))])
    shelf.set(daily_limit=spent + 1_000_000)
    made = queue()
    made.start()
    until(lambda: heard.whys() == ["budget"])
    came = shelf.home.files().partial_size(sha256(large))
    assert 900_000 < came < 2_000_000
    shelf.set(daily_limit=0)
    made.wake()
    until(lambda: heard.arrived() == ["large.pdf"])
    assert shelf.home.files().path(sha256(large)).read_bytes() == large


def test_after_a_cut_and_a_restart_it_goes_on_at_the_byte(
    hub: HubSimulator, shelf: Shelf, heard: Heard, queue: Callable[..., DownloadQueue]
) -> None:
    hub.cut_after["object"] = [5_000, 100]
    first = queue(0)
    first.start()
    until(lambda: heard.whys() == ["offline"])
    assert first.stop()
    came = shelf.home.files().partial_size(sha256(FILES[0]))
    assert came > 4_000
    with hub.counting() as seen:
        queue().start()
        until(lambda: heard.arrived() == ["0.pdf"])
    assert seen[0].range.startswith(f"bytes={came}-")


def test_what_the_hub_does_not_have_is_passed_over(
    hub: HubSimulator, shelf: Shelf, heard: Heard, queue: Callable[..., DownloadQueue]
) -> None:
    del hub.objects[sha256(FILES[0])]
    hub.objects[sha256(FILES[1])] = bytes(len(FILES[1]))  # other bytes than the name says
    made = queue(0, 1, 2)
    made.start()
    until(lambda: heard.whys()[-1:] == ["paused"])
    assert heard.arrived() == ["2.pdf"]
    aside = [(e.download.name, e.code) for e in heard.events if isinstance(e, SetAside)]
    assert [name for name, _code in aside] == ["0.pdf", "1.pdf"]
    assert waiting(shelf) == [(name, False, code) for name, code in aside]
    assert not shelf.home.files().has(sha256(FILES[1]))
    hub.objects[sha256(FILES[0])] = FILES[0]
    with shelf.home.own() as own:
        own.downloads.resume(sha256(FILES[0]))
    made.wake()
    until(lambda: heard.arrived() == ["2.pdf", "0.pdf"])


def test_without_a_hub_it_waits(tmp_path: Path, heard: Heard) -> None:
    home = Home(tmp_path / "guest")
    with home.own() as own:
        own.downloads.add([wanted(0)])
    queue = DownloadQueue(home.path, heard.events.append)
    queue.start()
    until(lambda: heard.whys() == ["hub"])
    assert queue.stop()
    with home.own() as own:
        assert own.downloads.next() == wanted(0)


def test_two_that_want_the_same_file_do_not_spoil_it(
    hub: HubSimulator, shelf: Shelf, heard: Heard, queue: Callable[..., DownloadQueue]
) -> None:
    gate = threading.Event()
    asked = slow(hub, gate)
    made = queue(0)
    made.start()
    assert asked.wait(30)  # else the gate opens before its request is there
    other = threading.Thread(target=lambda: fetch_file(shelf.home, sha256(FILES[0]), len(FILES[0])))
    other.start()
    with hub.counting() as seen:
        gate.set()
        made.hold(True)  # the queue lets go of it, in favour of the other
        other.join(30)
        made.hold(False)
        until(lambda: heard.arrived() == ["0.pdf"])
    assert not other.is_alive()
    assert len(seen) == 1, "the one found it there that the other had fetched"
