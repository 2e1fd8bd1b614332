"""The thread that keeps a shelf in step: it wakes, waits, pauses and stops, and never dies of a known error."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from resources_cache.errors import MassDeletion
from resources_cache.library import MANY_DELETED
from sync.background import BackgroundSync, Event, SyncFailed, SyncFinished, SyncProgress, SyncStarted
from sync.errors import AuthNeeded, BudgetReached, Cancelled, Unreachable
from sync.transport import HttpTransport
from tests.sync.hub_simulator import HubSimulator
from tests.sync.simulated_shelf import Shelf, card


class Listener:
    """Collects events; progress apart, they are taken one by one."""

    def __init__(self) -> None:
        self.progress = 0
        self.threads: set[int] = set()
        self._events: queue.Queue[Event] = queue.Queue()

    def __call__(self, event: Event) -> None:
        self.threads.add(threading.get_ident())
        if isinstance(event, SyncProgress):
            self.progress += 1
        else:
            self._events.put(event)

    def next(self, seconds: float = 5) -> Event:
        return self._events.get(timeout=seconds)

    def report(self) -> Any:
        assert isinstance(self.next(), SyncStarted)
        event = self.next()
        assert isinstance(event, SyncFinished), event
        return event.report

    def failure(self) -> SyncFailed:
        assert isinstance(self.next(), SyncStarted)
        event = self.next()
        assert isinstance(event, SyncFailed), event
        return event

    def quiet(self, seconds: float) -> bool:
        try:
            self._events.get(timeout=seconds)
        except queue.Empty:
            return True
        return False


Make = Callable[..., BackgroundSync]


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def make(shelf: Shelf, listener: Listener) -> Iterator[Make]:
    made: list[BackgroundSync] = []

    def make_one(path: Path | None = None, **options: Any) -> BackgroundSync:
        options = {"in_step_seconds": 60.0, "shortest_seconds": 0.0, "chance": Random(1), **options}
        made.append(BackgroundSync(path or shelf.home.path, listener, **options))
        return made[-1]

    yield make_one
    for one in made:
        assert one.stop(5), "the thread did not end"


def test_it_syncs_at_once_and_when_woken(hub: HubSimulator, shelf: Shelf, listener: Listener, make: Make) -> None:
    sync = make()
    sync.start()
    sync.start()
    assert listener.report().up_to_date
    assert listener.progress > 3
    assert listener.threads == {next(iter(listener.threads))} - {threading.get_ident()}
    hub.publish({"public/cards/en": [card(1, title="News")]})
    sync.wake("person")
    assert listener.report().records == 1
    shelf.agrees()
    assert listener.quiet(0.3)


def test_it_comes_back_by_itself(hub: HubSimulator, listener: Listener, make: Make) -> None:
    make(in_step_seconds=0.2).start()
    for _ in range(3):
        assert listener.report().up_to_date


def test_hints_wait_a_little_and_a_person_does_not(listener: Listener, make: Make) -> None:
    sync = make(shortest_seconds=30.0)
    sync.start()
    listener.report()
    sync.wake("network")
    assert listener.quiet(0.3)
    sync.wake("person")
    assert listener.report().up_to_date


def test_a_failure_is_told_with_the_time_of_the_next_attempt(
    hub: HubSimulator, listener: Listener, make: Make
) -> None:
    address = ["http://127.0.0.1:1"]
    sync = make(connect=lambda url: HttpTransport(address[0]))
    sync.start()
    failed = listener.failure()
    assert isinstance(failed.error, Unreachable)
    assert failed.retry_at is not None
    assert failed.retry_at > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert listener.quiet(0.3)
    address[0] = hub.url
    sync.wake("person")
    assert listener.report().up_to_date


def test_what_trying_again_does_not_change_is_no_failure(
    hub: HubSimulator, listener: Listener, make: Make
) -> None:
    hub.devices.clear()
    make().start()
    report = listener.report()
    assert isinstance(report.error, AuthNeeded)


def test_a_mass_deletion_waits_for_the_person_and_costs_little_meanwhile(
    hub: HubSimulator, shelf: Shelf, listener: Listener, make: Make
) -> None:
    many = range(1000, 1000 + 2 * MANY_DELETED)
    hub.publish({"public/cards/en": [card(n) for n in many]})
    sync = make()
    sync.start()
    assert listener.report().up_to_date
    gone = [{"id": card(n)["id"], "deleted": True} for n in many]
    hub.publish({"public/cards/en": gone})
    sync.wake("person")
    assert isinstance(listener.report().error, MassDeletion)
    assert listener.quiet(1.0), "it is not tried again and again"
    sync.wake("person")
    report = listener.report()
    assert isinstance(report.error, MassDeletion)
    assert report.bytes_down < 1_500, "what was fetched is not fetched again"


def test_pausing_stops_what_runs_and_resuming_goes_on(
    hub: HubSimulator, shelf: Shelf, listener: Listener, make: Make
) -> None:
    hub.fault = lambda seen, answer: None if seen.kind == "object" else answer
    sync = make()
    sync.start()
    time.sleep(0.4)
    started = time.monotonic()
    sync.pause()
    assert isinstance(listener.report().error, Cancelled)
    assert time.monotonic() - started < 1.5
    sync.wake("person")
    assert listener.quiet(0.3)
    hub.fault = None
    hub.stalled.set()
    sync.resume()
    assert listener.report().up_to_date
    shelf.agrees()


def test_stopping_ends_a_blocked_sync(hub: HubSimulator, make: Make) -> None:
    hub.fault = lambda seen, answer: None
    sync = make()
    sync.start()
    time.sleep(0.3)
    started = time.monotonic()
    assert sync.stop(5)
    assert time.monotonic() - started < 1.5


def test_without_a_hub_it_keeps_quiet_until_a_person_asks(tmp_path: Path, listener: Listener, make: Make) -> None:
    sync = make(tmp_path / "nobody")
    sync.start()
    assert listener.quiet(0.3)
    sync.wake("person")
    event = listener.next()
    assert isinstance(event, SyncFailed)
    assert event.error.code == "not-enrolled"
    assert event.retry_at is None


def test_a_fault_of_the_program_is_told_and_the_thread_goes_on(
    hub: HubSimulator, shelf: Shelf, listener: Listener, make: Make
) -> None:
    bugs: list[BaseException] = []
    broken = [True]

    def connect(url: str | None) -> HttpTransport:
        if broken:
            broken.clear()
            raise ZeroDivisionError("a mistake")
        return HttpTransport(url)

    sync = make(connect=connect, on_bug=bugs.append)
    sync.start()
    event = listener.next()
    assert isinstance(event, SyncFailed)
    assert event.error.code == "bug"
    assert event.retry_at is not None
    assert [type(bug) for bug in bugs] == [ZeroDivisionError]
    sync.wake("person")
    assert listener.report().up_to_date


def test_a_daily_limit_is_kept(hub: HubSimulator, shelf: Shelf, listener: Listener, make: Make) -> None:
    shelf.set(daily_limit=3000)
    sync = make()
    sync.start()
    assert isinstance(listener.report().error, BudgetReached)
    sync.wake("person")
    assert isinstance(listener.report().error, BudgetReached)
    with shelf.home.own() as own:
        assert 0 < own.spent() <= 3000
    shelf.set(daily_limit=None)
    sync.wake("person")
    assert listener.report().up_to_date


def test_what_is_spent_while_a_sync_begins_counts(
    hub: HubSimulator, shelf: Shelf, listener: Listener, make: Make
) -> None:
    """A question about the price that ended just before went over the limit of the day by what it had cost."""

    def connect(url: str | None) -> HttpTransport:
        with shelf.home.own() as own:
            own.add_sync({"kind": "price", "bytes_up": 500, "bytes_down": 2500})
        return HttpTransport(url)

    shelf.set(daily_limit=4000)
    sync = make(connect=connect)
    sync.start()
    assert isinstance(listener.report().error, BudgetReached)
    with shelf.home.own() as own:
        assert 3000 <= own.spent() <= 4000
