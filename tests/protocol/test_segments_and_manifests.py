"""Segments survive the round trip, hostile ones are refused, and manifests lead from anywhere to the newest."""

from __future__ import annotations

import contextlib
import dataclasses
import json

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import limits, segments
from sync.protocol.catalogue import Manifest, Run, SegmentRef
from sync.protocol.errors import Malformed, ProtocolError, TooLarge, UnknownCodec, WrongHash
from sync.protocol.wire_json import dump, load_object, sha256

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
records = st.builds(
    lambda rest, name: {**rest, "id": name},
    st.dictionaries(st.text(), json_values, max_size=5),
    st.text(min_size=1, max_size=40),
)


@given(st.lists(records, min_size=1, max_size=20))
def test_what_is_encoded_is_what_is_decoded(changes: list[dict[str, object]]) -> None:
    lines = [segments.change_line(change) for change in changes]
    segment = segments.encode(lines)
    expected = [json.loads(line) for line in lines]
    assert segments.decode(segment.data, segment.ref) == expected


def noise(seed: int) -> str:
    return "".join(sha256(f"{seed}.{part}".encode()) for part in range(40))


def test_splitting_keeps_every_line_in_order_and_below_the_bounds() -> None:
    lines = [segments.change_line({"id": f"r{n}", "text": noise(n)}) for n in range(900)]
    cut = list(segments.split(lines, target=50_000, raw_target=400_000))
    assert len(cut) > 10
    assert all(len(segment.data) <= 50_000 for segment in cut)
    found = [change["id"] for segment in cut for change in segments.decode(segment.data, segment.ref)]
    assert found == [f"r{n}" for n in range(900)]


def sample() -> segments.Segment:
    return segments.encode([segments.change_line({"id": f"r{n}", "title": "water " * 50}) for n in range(50)])


def test_every_damaged_byte_and_every_truncation_is_refused() -> None:
    segment = sample()
    assert segment.ref.codec == "zstd"
    for position in range(len(segment.data)):
        damaged = bytearray(segment.data)
        damaged[position] ^= 0x40
        with pytest.raises(WrongHash):
            segments.decode(bytes(damaged), segment.ref)
        with pytest.raises(WrongHash):
            segments.decode(segment.data[:position], segment.ref)


def rename(data: bytes, ref: SegmentRef) -> SegmentRef:
    """A reference whose outer hash is right, as a hostile hub could sign it."""
    return dataclasses.replace(ref, hash=sha256(data), size=len(data))


def test_a_truncated_frame_under_its_own_hash_is_refused() -> None:
    segment = sample()
    short = segment.data[:-6]
    with pytest.raises(Malformed):
        segments.decode(short, rename(short, segment.ref))


def test_bytes_behind_the_frame_are_refused() -> None:
    segment = sample()
    long = segment.data + b"more"
    with pytest.raises(Malformed):
        segments.decode(long, rename(long, segment.ref))


def test_a_bomb_is_stopped_at_the_announced_size() -> None:
    bomb = zstd.compress(b"0" * 200_000_000)
    ref = SegmentRef(sha256(bomb), len(bomb), "zstd", 1000, "0" * 64, 1)
    with pytest.raises((WrongHash, Malformed)):
        segments.decode(bomb, ref)


def test_a_frame_with_a_huge_window_is_refused() -> None:
    options = {
        zstd.CompressionParameter.window_log: 27,
        zstd.CompressionParameter.compression_level: 3,
        zstd.CompressionParameter.content_size_flag: 0,
    }
    compressor = zstd.ZstdCompressor(options=options)
    frame = compressor.compress(b'{"id":"a"}\n' * 10) + compressor.flush()
    with pytest.raises(Malformed):
        segments.decode(frame, SegmentRef(sha256(frame), len(frame), "zstd", 110, "0" * 64, 10))


def test_other_content_under_a_right_name_is_refused() -> None:
    segment = sample()
    with pytest.raises(WrongHash):
        segments.decode(segment.data, dataclasses.replace(segment.ref, raw_hash="0" * 64))
    with pytest.raises(Malformed):
        segments.decode(segment.data, dataclasses.replace(segment.ref, records=49))
    with pytest.raises(UnknownCodec):
        segments.decode(segment.data, dataclasses.replace(segment.ref, codec="lzma9"))


@pytest.mark.parametrize("line", [b"[]", b'{"title":"no id"}', b'{"id":7}', b"not json", b'{"id":"a","id":"b"}'])
def test_a_line_that_is_no_record_is_refused(line: bytes) -> None:
    segment = segments.encode([line])
    with pytest.raises(Malformed):
        segments.decode(segment.data, segment.ref)


def test_a_manifest_with_an_oversized_segment_is_refused() -> None:
    ref = dataclasses.replace(sample().ref, size=limits.SEGMENT + 1)
    with pytest.raises(TooLarge):
        Manifest.from_bytes(Manifest("public/cards/en", 1, 1, (Run(0, 1, True, (ref,)),)).to_bytes())


@given(st.binary(max_size=300))
def test_no_bytes_make_a_reader_fail_in_any_other_way(data: bytes) -> None:
    for read in (Manifest.from_bytes, lambda d: load_object(d, 100, "thing")):
        with contextlib.suppress(ProtocolError):
            read(data)


@pytest.mark.parametrize("levels", [40, 90_000])
def test_deep_nesting_is_refused_before_it_is_parsed(levels: int) -> None:
    with pytest.raises(Malformed):
        load_object(b'{"a":' + b"[" * levels + b"]" * levels + b"}", 1_000_000, "thing")


def test_brackets_inside_strings_are_no_nesting() -> None:
    assert load_object(b'{"a":"' + b"[" * 100 + b'\\""}', 1000, "thing")["a"].startswith("[[")


def ref(size: int) -> SegmentRef:
    return SegmentRef(sha256(str(size).encode()), size, "zstd", size, "0" * 64, 1)


def history(publications: int, full_at: list[int]) -> Manifest:
    """The manifest that the hub's rule gives after so many publications of 10 bytes each."""
    runs = [Run(0, n, True, (ref(50 * n),)) for n in full_at]
    for n in range(2, publications + 1):
        span = 1
        while n % span == 0 and n - span > 0:
            runs.append(Run(n - span, n, False, (ref(8 * span + 2),)))
            span *= 2
    return Manifest("public/cards/en", 1, publications, tuple(runs))


@given(st.integers(1, 300), st.data())
def test_a_path_leads_from_any_point_to_the_newest_in_few_runs(publications: int, data: st.DataObject) -> None:
    manifest = history(publications, [1])
    start = data.draw(st.integers(0, publications))
    path = manifest.path(start)
    at = start
    for run in path:
        assert run.full or run.start == at
        at = run.end
    assert at == publications
    assert len(path) <= 2 * max(1, publications).bit_length() + 1


def test_a_long_absence_takes_the_full_run_where_that_is_cheaper() -> None:
    manifest = history(64, [1])
    huge = dataclasses.replace(manifest, runs=(*manifest.runs, Run(0, 64, True, (ref(5),))))
    assert [run.full for run in huge.path(3)] == [True]
    assert huge.path(64) == ()


def test_a_manifest_without_a_way_is_malformed() -> None:
    with pytest.raises(Malformed):
        Manifest("public/cards/en", 1, 9, (Run(4, 9, False, (ref(1),)),)).path(3)


def test_equal_values_give_equal_bytes() -> None:
    assert dump({"b": 1, "a": "é"}) == dump({"a": "é", "b": 1}) == '{"a":"é","b":1}'.encode()
