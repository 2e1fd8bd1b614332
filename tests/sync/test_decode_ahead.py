"""The next segment is decoded while one is applied: the same comes out, and what is wrong is still found out."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from resources_cache.files import FileStore
from sync.decoding import DecodeAhead
from sync.objects import Ranges
from sync.pace import Pace
from sync.protocol.feeds import SegmentRef
from sync.protocol.segments import PPMD, PRIMED, Segment, codec, decode, encode, unpack
from sync.transport import HttpTransport
from tests.sync.hub_simulator import HubSimulator
from tests.sync.simulated_shelf import Shelf, long_card

WORDS = [f"{first}{second}" for first in ("water", "school", "radio", "teacher") for second in range(90)]


def segment(seed: int, words: int = 3000) -> Segment:
    body = " ".join(Random(seed).choices(WORDS, k=words))
    return encode([b"@public/texts/en/data", b'{"id":"t%d","body":"%s"}' % (seed, body.encode())])


def test_what_comes_out_is_what_decoding_gives() -> None:
    ahead = DecodeAhead()
    for seed in range(3):
        one = segment(seed)
        assert codec(one.data) == PPMD
        ahead.begin(one.ref, one.data)
        raw = ahead.take(one.ref)
        assert raw is not None
        assert decode(one.data, one.ref, raw=raw) == decode(one.data, one.ref)
        assert ahead.take(one.ref) is None
    ahead.close()


def test_only_one_is_under_way_at_a_time() -> None:
    ahead, first, second = DecodeAhead(), segment(1), segment(2)
    ahead.begin(first.ref, first.data)
    ahead.begin(second.ref, second.data)
    assert ahead.take(second.ref) is None
    ahead.close()


@pytest.mark.parametrize("place", [-1, 60, 2])
def test_what_is_damaged_is_left_to_whoever_applies_it(place: int) -> None:
    ahead, one = DecodeAhead(), segment(1)
    data = bytearray(one.data)
    data[place] ^= 1
    ahead.begin(one.ref, bytes(data))
    assert ahead.take(one.ref) is None
    ahead.close()


def test_what_was_primed_is_not_decoded_before_its_time() -> None:
    prefix = segment(1, 2000)
    raw = unpack(prefix.data, prefix.ref)
    one = encode(raw.splitlines(), raw)
    assert codec(one.data) == PRIMED
    ahead = DecodeAhead()
    ahead.begin(one.ref, one.data)
    assert ahead.take(one.ref) is None
    ahead.close()


def test_what_has_arrived_is_moved_without_waiting_and_without_a_request(
    hub: HubSimulator, tmp_path: Path
) -> None:
    parts = [Random(n).randbytes(150_000) for n in range(3)]
    bulk = hub.put(b"".join(parts))
    refs = [SegmentRef(hub.put(part).hash, len(part)) for part in parts]
    source = SegmentRef(bulk.hash, 450_000)
    store = FileStore(tmp_path, 10**9)
    arrived: list[int] = []
    with HttpTransport(hub.url) as transport, Ranges(transport, store, Pace(10**6)) as ranges:
        ranges.bring(refs[0], source, 0, 300_000)
        before = transport.traffic.requests
        for number in (1, 2):
            deadline = time.monotonic() + 10
            while not (data := ranges.bring_what_came(refs[number], source, 150_000 * number, arrived.append)):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert data == parts[number]
            ranges.bring(refs[number], source, 150_000 * number, 0)
        assert transport.traffic.requests == before
    assert sum(arrived) == 300_000


def test_nothing_comes_that_was_not_asked_for(hub: HubSimulator, tmp_path: Path) -> None:
    bulk = hub.put(bytes(450_000))
    source = SegmentRef(bulk.hash, 450_000)
    with HttpTransport(hub.url) as transport, Ranges(transport, FileStore(tmp_path, 10**9), Pace()) as ranges:
        assert ranges.bring_what_came(SegmentRef("ab" * 32, 9), source, 0, lambda _: None) == b""
        ranges.bring(SegmentRef("cd" * 32, 100_000), source, 0, 300_000)
        # What comes next lies elsewhere.
        assert ranges.bring_what_came(SegmentRef("ab" * 32, 9), source, 200_000, lambda _: None) == b""
        assert transport.traffic.requests == 1


def test_a_first_sync_of_large_segments_agrees(hub: HubSimulator, shelf: Shelf) -> None:
    """Over a real connection, with more bytes than are read before the thread begins."""
    swahili, spanish = ([long_card(first + n) for n in range(350)] for first in (1000, 3000))
    hub.publish({"public/cards/sw": swahili, "public/cards/es": spanish}, segment_records=90)
    report = shelf.sync()
    assert report.up_to_date
    assert report.bytes_down > 300_000
    shelf.agrees()
