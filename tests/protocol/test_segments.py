"""Segments survive the round trip in every codec, hostile ones are refused, and a wrong prefix is told apart."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.protocol import limits, ppmd, segments
from sync.protocol.errors import Malformed, ProtocolError, TooLarge, UnknownCodec, WrongHash, WrongPrefix
from sync.protocol.feeds import SegmentRef
from sync.protocol.numbers import read_number, try_number, write_number
from sync.protocol.wire_json import dump, sha256

STREAM = segments.stream_line("public/cards/en")
WORDS = ["school", "water", "teacher", "radio", "solar", "district", "report", "reading", "number", "village"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
records = st.builds(
    lambda rest, name: {**rest, "id": name},
    st.dictionaries(st.text().filter(lambda key: key != "deleted"), json_values, max_size=5),
    st.text(min_size=1, max_size=40),
)


def prose(seed: int, words: int) -> str:
    chosen = random.Random(seed)
    return " ".join(chosen.choice(WORDS) for _ in range(words))


def noise(seed: int, size: int) -> str:
    return random.Random(seed).randbytes(size // 2).hex()


def lines_of(count: int, text: Callable[[int], str]) -> list[bytes]:
    return [segments.change_line({"id": f"r{n}", "text": text(n)}) for n in range(count)]


def codec_of(segment: segments.Segment) -> int:
    return segment.data[3]


def sealed(codec: int, raw: bytes, rest: bytes, size: int | None = None) -> tuple[bytes, SegmentRef]:
    """A segment whose outer hash is right, as a hostile hub could sign it."""
    head = b"HS\x02" + bytes([codec]) + write_number(len(raw) if size is None else size)
    data = head + hashlib.sha256(raw).digest() + rest
    return data, SegmentRef(sha256(data), len(data))


RAW = b"@public/cards/en\n" + b'{"id":"a"}\n' * 20


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["public/cards/en", "public/talk/fr"]), records), min_size=1, max_size=20)
)
def test_what_is_encoded_is_what_is_decoded(changes: list[tuple[str, dict[str, Any]]]) -> None:
    lines: list[bytes] = []
    for stream, change in changes:
        lines += (segments.stream_line(stream), segments.change_line(change))
    segment = segments.encode(lines)
    decoded = segments.decode(segment.data, segment.ref)
    assert decoded.changes == [(stream, json.loads(dump(change))) for stream, change in changes]
    assert decoded.raw == b"".join(line + b"\n" for line in lines)


def test_a_deletion_and_a_patch_are_changes_too() -> None:
    patch = {"id": "b", "was": "0" * 16, "set": {"title": "t"}}
    segment = segments.encode([STREAM, segments.deletion_line("a"), segments.change_line(patch)])
    assert segments.decode(segment.data, segment.ref).changes == [
        ("public/cards/en", {"id": "a", "deleted": True}),
        ("public/cards/en", patch),
    ]


@pytest.mark.parametrize(
    ("lines", "codec"),
    [
        ([STREAM, b'{"id":"a"}'], segments.IDENTITY),
        ([STREAM, *lines_of(40, lambda n: prose(n, 60))], segments.PPMD),
        ([STREAM, *lines_of(6, lambda n: noise(n % 2, 20_000))], segments.ZSTD),
        ([STREAM, *lines_of(700, lambda n: prose(n, 400))], segments.PPMD),
    ],
)
def test_each_content_takes_the_codec_that_suits_it(lines: list[bytes], codec: int) -> None:
    segment = segments.encode(lines)
    assert codec_of(segment) == codec
    assert len(segments.decode(segment.data, segment.ref).changes) == len(lines) - 1


def primed() -> tuple[segments.Segment, bytes]:
    known = b"\n".join(lines_of(200, lambda n: prose(n, 60)))
    return segments.encode([STREAM, *lines_of(3, lambda n: prose(n + 50, 60))], known), known


def test_a_primed_segment_needs_what_it_was_coded_against() -> None:
    segment, known = primed()
    assert codec_of(segment) == segments.PRIMED
    asked: list[int] = []

    def give(size: int) -> bytes:
        asked.append(size)
        return known[-size:]

    assert len(segments.decode(segment.data, segment.ref, give).changes) == 3
    assert asked == [len(known)]
    others: list[Callable[[int], bytes] | None] = [
        None,
        lambda size: b"",
        lambda size: known[: size - 1],
        lambda size: known + b"x",
        lambda size: bytes(size),
        lambda size: known[:-1] + b"?",
        lambda size: b"?" + known[1:],
    ]
    for other in others:
        with pytest.raises(WrongPrefix):
            segments.decode(segment.data, segment.ref, other)


@pytest.mark.parametrize("size", [0, 1, segments.SHORTEST_PREFIX - 1, segments.SHORTEST_PREFIX, 1000])
def test_a_prefix_too_short_to_teach_anything_is_not_used(size: int) -> None:
    known = b"\n".join(lines_of(3, lambda n: prose(n + 50, 60)))[:size]
    segment = segments.encode([STREAM, *lines_of(3, lambda n: prose(n + 50, 60))], known)
    assert (codec_of(segment) == segments.PRIMED) == (size >= segments.SHORTEST_PREFIX)
    assert len(segments.decode(segment.data, segment.ref, lambda _: known).changes) == 3


def test_splitting_keeps_every_line_in_order_and_below_the_bounds() -> None:
    lines = [STREAM, *lines_of(130, lambda n: noise(n, 10_000)), segments.stream_line("public/talk/en")]
    lines += lines_of(130, lambda n: noise(n + 1000, 8000))
    cut = list(segments.split(lines, b"x" * 5000))
    assert len(cut) > 1
    assert all(len(one.data) <= limits.SEGMENT and codec_of(one) != segments.PRIMED for one in cut)
    changes = [change for one in cut for change in segments.decode(one.data, one.ref).changes]
    expected = [("public/cards/en", f"r{n}") for n in range(130)] + [
        ("public/talk/en", f"r{n}") for n in range(130)
    ]
    assert [(stream, change["id"]) for stream, change in changes] == expected


def test_what_fits_one_segment_is_primed_and_nothing_is_no_segment() -> None:
    segment, known = primed()
    lines = [STREAM, *lines_of(3, lambda n: prose(n + 50, 60))]
    assert list(segments.split(lines, known)) == [segment]
    assert list(segments.split([])) == []
    assert list(segments.split([STREAM, STREAM], known)) == []


def test_a_record_that_never_fits_and_a_line_without_a_stream_are_refused() -> None:
    with pytest.raises(ValueError, match="single record"):
        list(segments.split([STREAM, *lines_of(2, lambda n: noise(n, 2_200_000))]))
    with pytest.raises(ValueError, match="stream"):
        list(segments.split([b'{"id":"a"}']))


def test_many_small_values_are_cut_before_a_reader_would_refuse_them() -> None:
    lines = [STREAM, *(segments.change_line({"id": f"r{n}", "n": [[]] * 50}) for n in range(6000))]
    assert sum(map(len, lines)) < 2_000_000
    cut = list(segments.split(lines))
    assert len(cut) > 1
    assert sum(len(segments.decode(one.data, one.ref).changes) for one in cut) == 6000


def test_a_text_full_of_commas_is_one_value() -> None:
    segment = segments.encode([STREAM, segments.change_line({"id": "a", "text": '1,2,"x",' * 200_000})])
    assert len(segments.decode(segment.data, segment.ref).changes) == 1


def test_every_damaged_byte_and_every_truncation_is_refused() -> None:
    segment = segments.encode([STREAM, *lines_of(20, lambda n: prose(n, 20))])
    for position in range(len(segment.data)):
        damaged = bytearray(segment.data)
        damaged[position] ^= 0x40
        with pytest.raises(WrongHash):
            segments.decode(bytes(damaged), segment.ref)
        with pytest.raises(WrongHash):
            segments.decode(segment.data[:position], segment.ref)


@pytest.mark.parametrize("codec", [segments.ZSTD, segments.PPMD, segments.PRIMED])
def test_every_damage_under_its_own_name_is_refused(codec: int) -> None:
    data, _ = SAMPLES[codec]
    for position in range(len(data)):
        for damaged in (
            data[:position],
            data[:position] + bytes([data[position] ^ 0x21]) + data[position + 1 :],
        ):
            ref = SegmentRef(sha256(damaged), len(damaged))
            try:
                found = segments.decode(damaged, ref, lambda size: KNOWN[:size])
            except ProtocolError:
                continue
            # What ends in zeros may lack some; what comes out has its hash all the same.
            assert found.raw == RAW


KNOWN = b'{"id":"b","title":"something"}\n' * 20
SAMPLES = {
    segments.ZSTD: sealed(segments.ZSTD, RAW, zstd.compress(RAW, 3)),
    segments.PPMD: sealed(segments.PPMD, RAW, bytes([6, 20]) + ppmd.compress(RAW, 6, 20)),
    segments.PRIMED: sealed(
        segments.PRIMED, RAW, bytes([6, 20]) + write_number(len(KNOWN)) + ppmd.compress(RAW, 6, 20, KNOWN)
    ),
}


def test_the_samples_are_good_ones() -> None:
    for data, ref in SAMPLES.values():
        assert len(segments.decode(data, ref, lambda size: KNOWN[:size]).changes) == 20


@pytest.mark.parametrize(
    ("codec", "size", "rest", "error"),
    [
        (4, None, b"", UnknownCodec),
        (255, None, b"", UnknownCodec),
        (segments.IDENTITY, None, RAW + b"x", WrongHash),
        (segments.IDENTITY, limits.SEGMENT_RAW + 1, RAW, TooLarge),
        (segments.ZSTD, None, zstd.compress(RAW, 3) + b"more", Malformed),
        (segments.ZSTD, None, zstd.compress(RAW + RAW, 3), Malformed),
        (segments.ZSTD, 5, zstd.compress(bytes(200_000_000), 3), Malformed),
        (segments.ZSTD, None, b"", Malformed),
        (segments.PPMD, None, b"", Malformed),
        (segments.PPMD, None, bytes([6]), Malformed),
        (segments.PPMD, None, bytes([1, 20]), Malformed),
        (segments.PPMD, None, bytes([17, 20]), Malformed),
        (segments.PPMD, None, bytes([6, 10]), Malformed),
        (segments.PPMD, None, bytes([6, 27]), TooLarge),
        (segments.PPMD, None, bytes([6, 20]), ProtocolError),
        (segments.PPMD, None, bytes([6, 20]) + b"\xff" * 9, Malformed),
        (segments.PRIMED, None, bytes([6, 20]), Malformed),
        (segments.PRIMED, None, bytes([6, 20]) + write_number(limits.PREFIX + 1), TooLarge),
        (segments.PRIMED, None, bytes([6, 20]) + b"\xff" * 9, Malformed),
    ],
)
def test_what_no_hub_makes_is_refused(codec: int, size: int | None, rest: bytes, error: type[Exception]) -> None:
    data, ref = sealed(codec, RAW, rest, size)
    with pytest.raises(error):
        segments.decode(data, ref, lambda wanted: bytes(wanted))


def test_bytes_that_do_not_begin_like_a_segment_are_malformed() -> None:
    for data in (b"", b"HS", b"HS\x02", b"HS\x02\x00", b"HS\x01\x00" + bytes(60), b"<html>" * 20):
        with pytest.raises(Malformed):
            segments.decode(data, SegmentRef(sha256(data), len(data)))


def test_a_segment_over_the_bound_is_not_looked_at() -> None:
    data = b"HS\x02\x00" + bytes(limits.SEGMENT)
    with pytest.raises(TooLarge):
        segments.decode(data, SegmentRef(sha256(data), len(data)))


def test_a_frame_with_a_huge_window_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    compressor = zstd.ZstdCompressor(options=options)
    data, ref = sealed(segments.ZSTD, RAW, compressor.compress(RAW) + compressor.flush())
    with pytest.raises(Malformed):
        segments.decode(data, ref)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b'{"id":"a"}\n',
        b"@public/cards/en\n[]\n",
        b'@public/cards/en\n{"title":"no id"}\n',
        b'@public/cards/en\n{"id":7}\n',
        b'@public/cards/en\n{"id":""}\n',
        b"@public/cards/en\nnot json\n",
        b'@public/cards/en\n{"id":"a","id":"b"}\n',
        b'@public/cards/en\n{"id":"a","deleted":false}\n',
        b'@public/cards/en\n{"id":"a","deleted":1}\n',
        b'@public/cards/en\n{"id":"a"}',
        b'@public/cards/en\n\n{"id":"a"}\n',
        b'@public\n{"id":"a"}\n',
        b'@public//en\n{"id":"a"}\n',
        b'@\xff/cards\n{"id":"a"}\n',
        b"@public/" + b"x" * 200 + b'\n{"id":"a"}\n',
    ],
)
def test_lines_that_are_none_are_refused(raw: bytes) -> None:
    data, ref = sealed(segments.IDENTITY, raw, raw)
    with pytest.raises(Malformed):
        segments.decode(data, ref)


@given(st.integers(0, 2**53 - 1), st.binary(max_size=3))
def test_numbers_come_back_and_say_where_they_end(value: int, rest: bytes) -> None:
    written = write_number(value)
    assert read_number(b"x" + written + rest, 1) == (value, 1 + len(written))
    assert try_number(written[:-1], 0) is None


@pytest.mark.parametrize("data", [b"\x80\x00", b"\xff" * 7 + b"\x7f", b"\x80" * 8, b"\xff" * 20])
def test_numbers_that_nobody_writes_are_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_number(data, 0)


@pytest.mark.parametrize("value", [-1, 2**53])
def test_numbers_out_of_bounds_are_not_written(value: int) -> None:
    with pytest.raises(ValueError, match="not written"):
        write_number(value)
