"""Three desktops of one office behind one link: what one fetches the others take from it, whatever goes wrong."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from sync.clock import SystemClock
from sync.neighbours.giving import ADDRESSES, COUNTS, SHARING
from sync.neighbours.office import FRESH_S, Office, sync_in_turn
from sync.report import SyncReport
from sync.transport import HttpTransport
from tests.faults.bad_link import BadLink, bad_link
from tests.faults.conftest import articles
from tests.faults.shelves import Shelf, agree
from tests.faults.test_mirror_faults import objects_asked, publish_news
from tests.programs import HubProgram, write_records


class LaterClock(SystemClock):
    """The clock of this computer, and as many seconds later as a test wants."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


class Desk:
    """One desktop of the office: its shelf, and its place among the others."""

    def __init__(self, folder: Path, number: int) -> None:
        self.shelf = Shelf(folder / f"shelf-{number}")
        self.clock = LaterClock()
        self.office = Office(self.shelf.home, id_=f"{number:016x}", clock=self.clock)
        self.port = 0

    def sync(self, url: str, *, by_person: bool = False) -> SyncReport:
        with HttpTransport(url) as transport:
            return sync_in_turn(self.office, self.shelf.home, transport, by_person=by_person)


@contextmanager
def office(hub: HubProgram, folder: Path, count: int, *, members: bool = True) -> Iterator[list[Desk]]:
    """So many desktops that know each other's addresses and share."""
    desks = [Desk(folder, number) for number in range(1, count + 1)]
    with ExitStack() as stack:
        for desk in desks:
            if members:
                desk.shelf.enrol(hub, f"officer-{desk.office.id}@ministry.example")
            else:
                desk.shelf.look_around(hub)
            desk.shelf.choose(**{SHARING: True})
            desk.port = desk.office.serve(["127.0.0.1"])
            stack.callback(desk.office.stop)
        for desk in desks:
            others = [f"http://127.0.0.1:{other.port}" for other in desks if other is not desk]
            desk.shelf.choose(**{ADDRESSES: others})
        yield desks


def together(desks: list[Desk], url: str) -> list[SyncReport]:
    with ThreadPoolExecutor(len(desks)) as pool:
        return list(pool.map(lambda desk: desk.sync(url), desks))


def moved(link: BadLink) -> int:
    return link.bytes_up + link.bytes_down


@pytest.mark.parametrize("members", [True, False])
def test_one_fetches_and_the_others_follow(large_hub: HubProgram, tmp_path: Path, members: bool) -> None:
    with bad_link(large_hub.port) as alone:
        single = Desk(tmp_path / "alone", 9)
        if members:
            single.shelf.enrol(large_hub, "single@ministry.example")
        else:
            single.shelf.look_around(large_hub)
        assert single.sync(alone.url).up_to_date
        first = moved(alone)
        publish_news(large_hub, tmp_path)
        assert single.sync(alone.url).up_to_date
        news = moved(alone) - first
    with bad_link(large_hub.port) as link, office(large_hub, tmp_path, 3, members=members) as desks:
        # News are published already, so that a first sync is of everything.
        reports = together(desks, link.url)
        assert all(report.up_to_date for report in reports), reports
        everything = moved(link)
        assert everything <= 1.1 * (first + news), (everything, first, news)
        for desk in desks:
            agree(desk.shelf, large_hub)
        publish_more(large_hub, tmp_path)
        before = moved(link)
        # All was seen a moment ago, so nobody asks; a quarter of an hour later one does.
        assert all(report.up_to_date for report in together(desks, link.url))
        assert moved(link) == before
        for desk in desks:
            desk.clock.ahead += FRESH_S + 60
        reports = together(desks, link.url)
        assert all(report.up_to_date for report in reports), reports
        asked = moved(link) - before
        assert 0 < asked <= 1.1 * news, (asked, news)
        for desk in desks:
            agree(desk.shelf, large_hub)
        counts = []
        for desk in desks:
            desk.office.stop()
            with desk.shelf.home.own() as own:
                counts.append(own.setting(COUNTS))
        taken = sum(one.get("taken", 0) for one in counts)
        assert taken > 1.5 * first, counts
        assert sum(one.get("given", 0) for one in counts) >= taken


def publish_more(hub: HubProgram, folder: Path) -> None:
    hub.do("import", file=str(write_records(folder / "more.jsonl", articles(12, seed=19))))
    hub.do("publish")


def test_news_reach_all_when_they_reach_one(large_hub: HubProgram, tmp_path: Path) -> None:
    with office(large_hub, tmp_path, 3) as desks:
        assert desks[0].sync(large_hub.url).up_to_date
        nobody = "http://127.0.0.1:9"
        for desk in desks[1:]:
            desk.sync(nobody)
            agree(desk.shelf, large_hub)
        publish_news(large_hub, tmp_path)
        assert desks[1].sync(large_hub.url, by_person=True).up_to_date
        # The first is gone; the third has it from the second, without any link to the hub.
        desks[0].office.stop()
        desks[2].sync(nobody)
        agree(desks[2].shelf, large_hub)


def test_who_goes_away_in_the_middle_is_replaced(large_hub: HubProgram, tmp_path: Path) -> None:
    with office(large_hub, tmp_path, 3) as desks:
        leader, follower, other = desks
        stopping = threading.Event()

        class Dying(HttpTransport):
            """A link that carries some of it; then the PC is switched off."""

            def open(self, request):  # type: ignore[no-untyped-def]
                if self.traffic.down > 150_000:
                    leader.office.stop()
                    stopping.set()
                    self.interrupt()
                return super().open(request)

        def lead() -> None:
            with Dying(large_hub.url) as transport:
                sync_in_turn(leader.office, leader.shelf.home, transport)

        thread = threading.Thread(target=lead)
        thread.start()
        reports = together([follower, other], large_hub.url)
        thread.join(60)
        assert all(report.up_to_date for report in reports), reports
        agree(follower.shelf, large_hub)
        agree(other.shelf, large_hub)


def test_nothing_is_shared_where_nobody_said_yes(large_hub: HubProgram, tmp_path: Path) -> None:
    with bad_link(large_hub.port) as link, office(large_hub, tmp_path, 2) as desks:
        desks[1].shelf.choose(**{SHARING: False})
        assert desks[0].sync(link.url).up_to_date
        asked = len(objects_asked(link)) + link.bytes_down
        assert desks[1].sync(link.url).up_to_date
        assert len(objects_asked(link)) + link.bytes_down > 1.5 * asked
        assert not (desks[1].shelf.home.path / "given").exists()


@contextmanager
def spoiling(port: int, seed: int) -> Iterator[str]:
    """An address at which the neighbour on `port` answers, and what it says is spoiled: bytes changed, left out,
    put in or said twice, answers cut."""
    dice = random.Random(seed)
    listener = socket.create_server(("127.0.0.1", 0))

    def spoiled(data: bytes) -> bytes:
        kind = dice.randrange(8)
        at = dice.randrange(len(data)) if data else 0
        if kind == 0:
            return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]
        if kind == 1:
            return data[:at] + data[at + dice.randrange(1, 40) :]
        if kind == 2:
            return data[:at] + dice.randbytes(dice.randrange(1, 40)) + data[at:]
        if kind == 3:
            return data + data
        if kind == 4:
            raise ConnectionError
        return data

    def talk(near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", port), timeout=10) as far:
            near.settimeout(10)
            try:
                while asked := near.recv(65536):
                    far.sendall(asked)
                    far.settimeout(5)
                    near.sendall(spoiled(far.recv(65536)))
                    far.settimeout(0.2)
                    with suppress(TimeoutError):
                        while data := far.recv(65536):
                            near.sendall(spoiled(data))
            except OSError:
                pass

    def work() -> None:
        while True:
            try:
                near, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(near,), daemon=True).start()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.mark.parametrize(
    "seeds",
    [pytest.param(range(3), id="a-few"), pytest.param(range(3, 120), id="many", marks=pytest.mark.slow)],
)
def test_whatever_a_neighbour_says_the_shelf_is_that_of_the_hub(
    hub: HubProgram, tmp_path: Path, seeds: range
) -> None:
    with office(hub, tmp_path, 1) as (right,):
        assert right.sync(hub.url).up_to_date
        for seed in seeds:
            with spoiling(right.port, seed) as address:
                desk = Desk(tmp_path / str(seed), 2)
                desk.shelf.look_around(hub).choose(**{SHARING: True, ADDRESSES: [address]})
                before = {path for path in tmp_path.rglob("*") if path.parent == tmp_path}
                assert desk.sync(hub.url).up_to_date, seed
                desk.office.stop()
                assert {path for path in tmp_path.rglob("*") if path.parent == tmp_path} == before
            guest = {
                stream: records
                for stream, records in hub.do("sealed").items()
                if not stream.startswith("members/")
            }
            assert desk.shelf.held() == guest, seed
            desk.shelf.check()
