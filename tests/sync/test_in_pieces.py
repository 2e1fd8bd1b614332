"""Ranges in pieces on real sockets: one request is ahead, and nothing is lost where nobody understands that."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from resources_cache.files import FileStore
from sync.answers import read_all
from sync.errors import CutOff, Offline, TimedOut
from sync.objects import Ranges
from sync.pace import LARGEST, SLOW, SMALLEST, TRUSTED_SECONDS, Pace
from sync.protocol.feeds import SegmentRef
from sync.protocol.paths import object_path
from sync.protocol.wire_json import sha256
from sync.transport import HttpTransport, Request
from tests.bench.sync_tls import make_certificates
from tests.programs import HubProgram

CONTENT = Random(5).randbytes(60_000)
_ASKED = re.compile(rb"GET (\S+) HTTP/1.1\r\n(?:.*\r\n)*?Range: bytes=(\d+)-(\d+)\r\n")


@dataclass
class Visit:
    """One connection to a `Server`: what has been asked on it, and what was read and not looked at yet."""

    socket: socket.socket
    number: int
    asked: list[tuple[int, int]] = field(default_factory=list)
    rest: bytes = b""

    def request(self) -> tuple[int, int] | None:
        """Read one request and return the range asked for; None where there are no more."""
        while b"\r\n\r\n" not in self.rest:
            piece = self.socket.recv(65_536)
            if not piece:
                return None
            self.rest += piece
        one, _, self.rest = self.rest.partition(b"\r\n\r\n")
        found = _ASKED.match(one + b"\r\n")
        span = (int(found[2]), int(found[3])) if found else (0, len(CONTENT) - 1)
        self.asked.append(span)
        return span


Answer = Callable[[Visit, tuple[int, int]], bool]
"""Answers one request on a connection; False closes it."""


def answer(span: tuple[int, int], more: str = "") -> bytes:
    first, last = span
    head = f"HTTP/1.1 206 Some\r\nContent-Range: bytes {first}-{last}/{len(CONTENT)}\r\n{more}"
    return f"{head}Content-Length: {last - first + 1}\r\n\r\n".encode() + CONTENT[first : last + 1]


@contextmanager
def serving(say: Answer) -> Iterator[tuple[str, list[Visit]]]:
    """A server that reads one request, answers it, and only then looks at the next."""
    listener = socket.create_server(("127.0.0.1", 0))
    visits: list[Visit] = []
    threads: list[threading.Thread] = []

    def visit(one: Visit) -> None:
        with one.socket, suppress(OSError):
            while (span := one.request()) is not None:
                if not say(one, span):
                    return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            visits.append(Visit(connection, len(visits)))
            threads.append(threading.Thread(target=visit, args=(visits[-1],), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", visits
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for one in visits:
            with suppress(OSError):
                one.socket.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)


def well(visit: Visit, span: tuple[int, int]) -> bool:
    visit.socket.sendall(answer(span))
    return True


def wanted(first: int, last: int, piece: int, first_piece: int = 0) -> Request:
    return Request("GET", "/x", {"Range": f"bytes={first}-{last}"}, piece=piece, first_piece=first_piece)


def fetch(transport: HttpTransport, first: int, last: int, piece: int) -> bytes:
    with transport.open(wanted(first, last, piece)) as reply:
        assert reply.status == 206
        assert reply.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
        return b"".join(reply.pieces())


def until_cut(transport: HttpTransport, request: Request) -> tuple[bytes, Offline | None]:
    got = b""
    try:
        with transport.open(request) as reply:
            for piece in reply.pieces():
                got += piece
    except Offline as error:
        return got, error
    return got, None


def test_the_pieces_are_the_range_and_every_byte_and_request_is_counted() -> None:
    with serving(well) as (url, visits), HttpTransport(url) as transport:
        assert fetch(transport, 100, 50_099, 8_000) == CONTENT[100:50_100]
        assert fetch(transport, 7, 7, 8_000) == CONTENT[7:8]
    assert [len(visit.asked) for visit in visits] == [8]
    assert visits[0].asked[:2] == [(100, 8_099), (8_100, 16_099)]
    assert transport.traffic.requests == 8
    assert transport.traffic.down == sum(len(answer(span)) for span in visits[0].asked)


def test_the_first_piece_may_be_longer_and_the_next_is_asked_for_while_it_arrives() -> None:
    def half(visit: Visit, span: tuple[int, int]) -> bool:
        whole = answer(span)
        visit.socket.sendall(whole[: len(whole) // 2])
        if span[1] < 39_999 and not visit.rest:
            visit.rest += visit.socket.recv(65_536)  # waits for it: without one, the test ends in a timeout
        visit.socket.sendall(whole[len(whole) // 2 :])
        return True

    long_first = wanted(0, 39_999, 5_000, 28_000)
    with (
        serving(half) as (url, visits),
        HttpTransport(url) as transport,
        transport.open(long_first) as reply,
    ):
        assert b"".join(reply.pieces()) == CONTENT[:40_000]
    assert visits[0].asked == [(0, 27_999), (28_000, 32_999), (33_000, 37_999), (38_000, 39_999)]


def test_the_next_request_leaves_before_the_answer_is_whole() -> None:
    def half(visit: Visit, span: tuple[int, int]) -> bool:
        whole = answer(span)
        visit.socket.sendall(whole[: len(whole) // 2])
        last = span[1] == 29_999
        if not last and not visit.rest:
            visit.rest += visit.socket.recv(65_536)  # waits for it: without one, the test ends in a timeout
        visit.socket.sendall(whole[len(whole) // 2 :])
        return True

    with serving(half) as (url, visits), HttpTransport(url, read_seconds=5) as transport:
        assert fetch(transport, 0, 29_999, 10_000) == CONTENT[:30_000]
    assert len(visits) == 1


def test_a_server_that_closes_after_each_answer_is_asked_for_the_rest_in_one() -> None:
    def once(visit: Visit, span: tuple[int, int]) -> bool:
        visit.socket.sendall(answer(span, "Connection: close\r\n"))
        return False

    with serving(once) as (url, visits), HttpTransport(url) as transport:
        assert fetch(transport, 0, 59_999, 5_000) == CONTENT
    assert [visit.asked for visit in visits] == [[(0, 4_999)], [(5_000, 59_999)]]


def test_a_server_that_forgets_what_was_sent_ahead_is_asked_in_one_before_long() -> None:
    def forgetful(visit: Visit, span: tuple[int, int]) -> bool:
        visit.socket.sendall(answer(span))
        with suppress(TimeoutError):
            visit.socket.settimeout(0.05)
            visit.socket.recv(65_536)
        visit.socket.settimeout(None)
        visit.rest = b""
        return True

    with serving(forgetful) as (url, _), HttpTransport(url, read_seconds=0.3) as transport:
        for _ in range(2):
            with pytest.raises(TimedOut):
                fetch(transport, 0, 19_999, 5_000)
        assert fetch(transport, 0, 19_999, 5_000) == CONTENT[:20_000]


def test_a_server_that_closes_without_a_word_costs_two_attempts() -> None:
    def rude(visit: Visit, span: tuple[int, int]) -> bool:
        visit.socket.sendall(answer(span))
        return False

    with serving(rude) as (url, visits), HttpTransport(url) as transport:
        got = b""
        while len(got) < 40_000:
            more, _ = until_cut(transport, wanted(len(got), 39_999, 5_000))
            assert more
            got += more
    assert got == CONTENT[:40_000]
    assert visits[-1].asked[-1][1] == 39_999
    assert len(visits) < 9


@pytest.mark.parametrize(
    "other",
    [
        b"HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n",
        answer((0, 4_999)),
        b"HTTP/1.1 206 Some\r\nContent-Range: bytes 5000-9999/60000\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=["gone", "another range", "another length"],
)
def test_another_answer_in_the_middle_ends_it_after_what_was_right(other: bytes) -> None:
    def turns(visit: Visit, span: tuple[int, int]) -> bool:
        visit.socket.sendall(answer(span) if span[0] == 0 else other)
        return True

    with serving(turns) as (url, _), HttpTransport(url) as transport:
        got, error = until_cut(transport, wanted(0, 19_999, 5_000))
    assert isinstance(error, CutOff)
    assert got == CONTENT[:5_000]


def test_another_first_answer_is_shown_as_it_is() -> None:
    def gone(visit: Visit, span: tuple[int, int]) -> bool:
        visit.socket.sendall(b"HTTP/1.1 404 Gone\r\nContent-Length: 4\r\n\r\nnone")
        return True

    with serving(gone) as (url, visits), HttpTransport(url) as transport:
        with transport.open(wanted(0, 19_999, 5_000)) as reply:
            assert reply.status == 404
            assert read_all(reply, 100) == b"none"
        assert visits[0].asked == [(0, 4_999)]


def test_what_came_before_a_cut_is_kept() -> None:
    def cut(visit: Visit, span: tuple[int, int]) -> bool:
        visit.socket.sendall(answer(span)[: 9_000 if span[0] else None])
        return not span[0]

    with serving(cut) as (url, _), HttpTransport(url) as transport:
        got, error = until_cut(transport, wanted(0, 39_999, 10_000))
    assert error is not None
    assert 18_000 < len(got) < 20_000
    assert got == CONTENT[: len(got)]


def test_other_requests_meanwhile_and_after_giving_up_get_their_own_answers() -> None:
    with serving(well) as (url, visits), HttpTransport(url) as transport:
        with transport.open(wanted(0, 49_999, 5_000)) as reply:
            pieces = reply.pieces()
            first = next(pieces)
            with transport.open(wanted(33, 44, 0)) as other:
                assert read_all(other, 100) == CONTENT[33:45]
            with transport.open(wanted(1_000, 40_000, 5_000)) as other:
                assert read_all(other, 50_000) == CONTENT[1_000:40_001]
            second = next(pieces)
            assert first + second == CONTENT[: len(first) + len(second)]
        # Given up with an answer under way: the next request must not get that.
        with transport.open(wanted(55, 66, 0)) as other:
            assert read_all(other, 100) == CONTENT[55:67]
    assert visits[1].asked == [(33, 44), (1_000, 40_000)]


def test_bytes_behind_an_answer_are_nobodys_unless_one_was_asked_for() -> None:
    smuggled = answer((0, 99)).replace(CONTENT[:100], b"!" * 100)

    def smuggle(visit: Visit, span: tuple[int, int]) -> bool:
        visit.socket.sendall(answer(span) + (smuggled if visit.number == 0 else b""))
        return True

    with serving(smuggle) as (url, _), HttpTransport(url) as transport:
        for _ in range(3):
            with transport.open(wanted(0, 99, 0)) as reply:
                assert read_all(reply, 1_000) == CONTENT[:100]


def test_a_connection_that_was_idle_for_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(well) as (url, visits), HttpTransport(url) as transport:
        fetch(transport, 0, 99, 0)
        fetch(transport, 100, 199, 0)
        assert len(visits) == 1
        monkeypatch.setattr("sync.connections.IDLE_SECONDS", 0.05)
        time.sleep(0.1)
        fetch(transport, 200, 299, 0)
    assert [visit.asked for visit in visits] == [[(0, 99), (100, 199)], [(200, 299)]]
    assert transport.traffic.requests == 3


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_real_hub_gives_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secure: bool) -> None:
    hub = HubProgram(tmp_path / "hub").init()
    name = sha256(CONTENT)
    stored = tmp_path / "hub" / "served" / "objects" / name[:2] / name
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_bytes(CONTENT)
    whole = SegmentRef(name, len(CONTENT))
    authority, pem = make_certificates(tmp_path / "certificates")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    try:
        hub.start(*(("--certificate", pem, "--key", pem) if secure else ()))
        url = f"https://localhost:{hub.port}" if secure else hub.url
        last = len(CONTENT) - 1
        with HttpTransport(url) as transport:
            with transport.open(
                Request("GET", object_path(name), {"Range": f"bytes=0-{last}"}, piece=4_096)
            ) as reply:
                assert b"".join(reply.pieces()) == CONTENT
            assert transport.traffic.requests == 15
        slow = Pace()
        slow.went(30_000, 1.0)
        slow.waited(0.4)
        store = FileStore(tmp_path / "store", 10**9)
        with HttpTransport(url) as transport, Ranges(transport, store, slow) as ranges:
            ranges.bring(whole, whole, 0, 0)
            assert transport.traffic.requests > 2
        with store.partial(name, len(CONTENT)) as partial:
            assert partial.path.read_bytes() == CONTENT
    finally:
        hub.stop()


def test_only_a_slow_link_that_may_drop_is_asked_in_pieces() -> None:
    fast, slow = Pace(), Pace()
    for pace, rate in ((fast, SLOW * 2), (slow, SLOW // 2)):
        assert pace.portion(100.0).piece == 0, "nothing is known yet"
        pace.waited(0.5)
        pace.waited(0.4)
        pace.waited(2.0)
        pace.went(rate, 1.0)
    assert fast.portion(101.0).piece == 0
    piece = slow.portion(101.0).piece
    assert 0.5 * SLOW / 2 * 0.4 < piece < SLOW / 2 * 0.4
    assert slow.portion(100.0 + TRUSTED_SECONDS).piece == 0, "it has held so long"


def test_a_link_that_drops_is_asked_in_pieces_when_it_may_drop_again() -> None:
    pace = Pace()
    pace.portion(0.0)
    pace.waited(0.4)
    for _ in range(10):
        pace.went(30_000, 1.0)
    pace.heard(20.0)
    pace.lost(5.0)
    early = pace.portion(45.0)
    assert SMALLEST < early.first <= 14 * 30_000, "the long one ends when care begins"
    assert 0 < early.piece < early.first < early.size
    assert pace.portion(45.0 + 14.1).piece > 0
    assert pace.portion(45.0 + 14.1).first == 0
    assert pace.portion(45.0 + 300).piece > 0, "it is never trusted again"
    pace.heard(55.0)
    pace.dropped()
    pace.dropped()
    assert 0 < pace.portion(90.0).first <= 7 * 30_000, "it held for ten seconds only"
    assert pace.portion(90.0 + 7.1).first == 0
    assert pace.portion(90.0 + 7.1).size <= LARGEST
    assert Pace().portion(0.0).piece == 0


def test_a_loss_at_once_says_nothing_about_how_long_the_link_holds() -> None:
    pace = Pace()
    pace.waited(0.4)
    pace.went(30_000, 1.0)
    pace.portion(10.0)
    pace.heard(10.5)
    pace.lost(5.0)
    assert pace.portion(12.0).piece > 0
