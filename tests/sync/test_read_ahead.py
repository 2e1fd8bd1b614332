"""A thread reads on while the one who asked is busy; what it read is never lost, and it always ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from sync.errors import CutOff
from sync.read_ahead import ReadAhead
from sync.transport import HttpTransport, Request
from tests.sync.hub_simulator import HubSimulator

PIECES = [bytes([n]) * 1000 for n in range(50)]


def threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "read-ahead"]


def until(true: object) -> None:
    deadline = time.monotonic() + 10
    assert callable(true)
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.005)


def test_what_arrived_before_a_cut_comes_before_the_error() -> None:
    def pieces() -> Iterator[bytes]:
        yield from PIECES
        raise CutOff("gone")

    ahead = ReadAhead(pieces())
    until(lambda: not threads())  # all of it was read, and the link went away, before anybody looked
    assert [next(ahead) for _ in PIECES] == PIECES
    with pytest.raises(CutOff):
        next(ahead)
    with pytest.raises(CutOff):
        next(ahead)
    ahead.stop(lambda: pytest.fail("nothing was being read"))


def test_no_more_is_held_than_allowed() -> None:
    taken: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        for piece in PIECES:
            taken.append(piece)
            yield piece

    ahead = ReadAhead(pieces(), most=5_000)
    until(lambda: len(taken) == 5)
    time.sleep(0.05)
    assert len(taken) == 5
    ahead.hold(1)  # no less than is always held, which is all of it here
    until(lambda: len(taken) == len(PIECES))
    assert list(ahead) == PIECES
    ahead.stop(lambda: None)
    assert not threads()


def test_stopping_wakes_a_read_that_waits_for_the_link() -> None:
    woken = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield PIECES[0]
        assert woken.wait(10)
        raise OSError("the socket was shut")

    ahead = ReadAhead(pieces())
    assert next(ahead) == PIECES[0]
    started = time.monotonic()
    ahead.stop(woken.set)
    assert time.monotonic() - started < 5
    assert not threads()


def test_an_answer_that_is_left_in_the_middle_ends_at_once(hub: HubSimulator) -> None:
    hub.objects["ab" * 32] = bytes(20_000_000)
    with HttpTransport(hub.url) as transport:
        started = time.monotonic()
        with transport.open(Request("GET", "/p/v1/objects/" + "ab" * 32)) as reply:
            assert reply.status == 200
            next(iter(reply.pieces()))
        assert time.monotonic() - started < 5
        assert not threads()
        # The connection is of no use any more; the next request has one of its own.
        with transport.open(Request("GET", "/p/v1/objects/" + "ab" * 32)) as reply:
            assert sum(map(len, reply.pieces())) == 20_000_000
        assert transport.traffic.down >= 20_000_000


def test_a_whole_answer_leaves_the_connection_open_for_the_next(hub: HubSimulator) -> None:
    hub.objects["cd" * 32] = bytes(500_000)
    with HttpTransport(hub.url) as transport:
        for _ in range(3):
            with transport.open(Request("GET", "/p/v1/objects/" + "cd" * 32)) as reply:
                assert sum(map(len, reply.pieces())) == 500_000
        assert transport._wire.connections == 1
    assert not threads()
