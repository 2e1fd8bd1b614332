"""PPMd through its bindings: every input comes back, training is shared, bad input ends in an error."""

from __future__ import annotations

import gc
import random
import sys
import threading

import pyppmd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.protocol import ppmd
from sync.protocol.errors import Malformed

WORDS = "The district had forty schools and the nearest of them was a day away; solar panels, radios, books. "


def prose(seed: int, size: int) -> bytes:
    chosen = random.Random(seed)
    words = WORDS.split()
    return " ".join(chosen.choice(words) for _ in range(size // 2 + 1)).encode()[:size]


@settings(max_examples=60)
@given(
    raw=st.binary(min_size=1, max_size=3000) | st.builds(prose, st.integers(), st.integers(1, 5000)),
    prefix=st.binary(max_size=600) | st.builds(prose, st.integers(), st.integers(0, 5000)),
    order=st.sampled_from(ppmd.ORDERS),
    memory_log=st.sampled_from(range(16, 23)),
)
def test_what_is_coded_comes_back(raw: bytes, prefix: bytes, order: int, memory_log: int) -> None:
    payload = ppmd.compress(raw, order, memory_log, prefix)
    assert ppmd.expand(payload, len(raw), order, memory_log, prefix) == raw


@pytest.mark.parametrize("prefix_size", [0, 1, 2, 3, 4, 5, 511, 512, 513, 70_000])
@pytest.mark.parametrize("size", [1, 2, 3, 511, 513, 40_000])
def test_what_the_coder_emitted_for_a_prefix_of_any_size_is_final(prefix_size: int, size: int) -> None:
    for kind in (prose(1, prefix_size), bytes(prefix_size), random.Random(2).randbytes(prefix_size)):
        for raw in (prose(3, size), bytes(size), b"\xff" * size, random.Random(4).randbytes(size)):
            assert len(raw) == size
            assert ppmd.expand(ppmd.compress(raw, 6, 20, kind), size, 6, 20, kind) == raw


def test_a_full_block_of_output_loses_nothing() -> None:
    # Given at once, some of these inputs come out of the bindings damaged: see the module.
    for seed in range(40):
        raw = random.Random(seed).randbytes(40_000 + 7 * seed)
        assert ppmd.expand(ppmd.compress(raw, 6, 22), len(raw), 6, 22) == raw


def test_a_model_that_fills_its_memory_starts_again_on_both_sides() -> None:
    raw = random.Random(5).randbytes(300_000)
    assert ppmd.expand(ppmd.compress(raw, 8, 16), len(raw), 8, 16) == raw


def test_training_pays() -> None:
    known, raw = prose(6, 60_000), prose(7, 600)
    assert len(ppmd.compress(raw, 8, 22, known)) < 0.8 * len(ppmd.compress(raw, 8, 22))


def test_the_bytes_of_the_coder_stay_what_they_are() -> None:
    # A changed coder on one side only would make every shelf fetch snapshots; these bytes are the wire.
    coded = ppmd.compress(WORDS.encode(), 6, 22, b"The district had forty schools. " * 20)
    assert coded.hex() == EXPECTED, coded.hex()


EXPECTED = "1362c1f038177e763d8229cd01b316957444c0a2209149424ac8a3025960552fd7f1dc331377200364db3087c771551d"


def test_a_cut_stream_is_malformed_and_its_decoder_is_led_to_its_end() -> None:
    raw = prose(8, 4000)
    payload = ppmd.compress(raw, 6, 22)
    threads = threading.active_count()
    for size in range(0, len(payload) - 8, 5):
        try:
            found = ppmd.expand(payload[:size], len(raw), 6, 22)
        except Malformed:
            continue
        assert found != raw
    gc.collect()
    assert threading.active_count() == threads


def test_running_out_of_input_is_met_and_survived() -> None:
    """Random padding starves a decoder where zeros contradict it: both ends are ends."""
    reached = 0
    for seed in range(150):
        try:
            ppmd.expand(random.Random(seed).randbytes(40), 5000, 6, 22)
        except Malformed as error:
            reached += "cut short" in str(error)
    assert reached > 5


def test_a_stream_that_makes_the_decoder_answer_nothing_is_malformed() -> None:
    with pytest.raises(Malformed):
        ppmd.expand(b"\xff" * 20, 100, 6, 22)
    with pytest.raises(SystemError):
        pyppmd.Ppmd8Decoder(6, 1 << 22).decode(b"\xff" * 20, 100)


@pytest.mark.parametrize(("order", "memory_log"), [(1, 22), (17, 22), (6, 15), (6, 27)])
def test_a_model_out_of_bounds_is_refused(order: int, memory_log: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        ppmd.compress(b"a", order, memory_log)
    with pytest.raises(ValueError, match="outside"):
        ppmd.expand(b"a", 1, order, memory_log)


def test_nothing_of_what_is_encoded_is_kept() -> None:
    raw = prose(9, 5000)
    before = sys.getrefcount(raw)
    for _ in range(5):
        ppmd.compress(raw, 6, 22, raw)
    assert sys.getrefcount(raw) == before


def test_coders_in_several_threads_do_not_disturb_each_other() -> None:
    wrong: list[int] = []

    def work(seed: int) -> None:
        raw, known = prose(seed, 3000), prose(seed + 100, 3000)
        for _ in range(5):
            if ppmd.expand(ppmd.compress(raw, 6, 20, known), len(raw), 6, 20, known) != raw:
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
