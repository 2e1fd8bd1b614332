"""Whatever arrives, a decoder ends in a ProtocolError or in good content, soon, and within its memory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.protocol import documents, envelope, feeds, limits, messages, patches, ppmd, segments
from sync.protocol.errors import ProtocolError
from sync.protocol.head import Head, ObjectRef, root_version, verify_head
from sync.protocol.numbers import write_number
from sync.protocol.problems import Problem
from sync.protocol.signing import SigningKey
from sync.protocol.trust import make_root, pin
from sync.protocol.wire_json import dump, sha256

HOSTILE = Path(__file__).with_name("hostile.py")
TOKEN, NONCE = "5e" * 32, bytes(12)
MIB = 1024 * 1024
SECONDS, MEGABYTES = 2.0, 160


def segment(codec: int, raw: bytes, rest: bytes, size: int | None = None) -> bytes:
    head = b"HS\x02" + bytes([codec]) + write_number(len(raw) if size is None else size)
    return head + hashlib.sha256(raw).digest() + rest


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def zstd_segment(raw: bytes) -> bytes:
    return segment(segments.ZSTD, raw, zstd.compress(raw, 3))


def ppmd_segment(payload: bytes, size: int, order: int = 16) -> bytes:
    return segment(segments.PPMD, b"", bytes([order, 26]) + payload, size)


def primed_segment(payload: bytes, size: int) -> bytes:
    return segment(segments.PRIMED, b"", bytes([8, 26]) + write_number(limits.PREFIX) + payload, size)


def filled(line: bytes, size: int = limits.SEGMENT_RAW - 100) -> bytes:
    head = b"@public/cards/en\n"
    return head + line * ((size - len(head)) // len(line))


def record_of(inside: bytes, size: int = limits.RECORD - 100) -> bytes:
    """Records that are one list each, as many as a segment holds."""
    line = b'{"id":"a","x":[' + inside * (size // len(inside)) + b"0]}\n"
    return filled(line)


def slow_words() -> bytes:
    chosen = random.Random(3)
    words = [chosen.randbytes(12) for _ in range(3000)]
    raw = b"".join(chosen.choice(words) for _ in range(480_000))
    return segment(segments.PPMD, raw, bytes([16, 26]) + ppmd.compress(raw, 16, 26))


def sealed_ask(packed: bytes) -> bytes:
    return b"\x02" + bytes.fromhex(TOKEN) + NONCE + envelope._mac(TOKEN, b"ask\n", NONCE, packed) + packed


def sealed_answer(packed: bytes) -> bytes:
    return write_number(len(packed)) + envelope._mac(TOKEN, b"answer\n", NONCE, packed) + packed


def open_string(size: int, end: bytes = b"") -> bytes:
    """Brackets to be counted, and behind them a string that only seems to end, again and again."""
    return b'{"id":"a","x":[' + b"[]," * 40 + b'"' + b'\\"' * (size // 2) + end


HEAVY: dict[str, tuple[str, Callable[[], bytes]]] = {
    "PPMd: noise": ("segment", lambda: ppmd_segment(noise(MIB - 100), limits.SEGMENT_RAW)),
    "PPMd: zeros": ("segment", lambda: ppmd_segment(bytes(MIB - 100), limits.SEGMENT_RAW)),
    "PPMd: bytes 254": ("segment", lambda: ppmd_segment(b"\xfe" * (MIB - 100), limits.SEGMENT_RAW, 2)),
    "PPMd: cut": ("segment", lambda: ppmd_segment(ppmd.compress(noise(500_000), 16, 26)[:-1000], 500_000)),
    "PPMd: a bomb": (
        "segment",
        lambda: ppmd_segment(ppmd.compress(bytes(17 * MIB), 8, 26), limits.SEGMENT_RAW, 8),
    ),
    "primed: noise": ("segment", lambda: primed_segment(noise(MIB - 100), limits.SEGMENT_RAW)),
    "primed: zeros": ("segment", lambda: primed_segment(bytes(MIB - 100), limits.SEGMENT_RAW)),
    "zstd: a bomb": ("segment", lambda: segment(1, b"", zstd.compress(bytes(400 * MIB)), limits.SEGMENT_RAW)),
    "lines: many small": ("segment", lambda: zstd_segment(filled(b'{"id":"a"}\n'))),
    "lines: empty": ("segment", lambda: zstd_segment(filled(b"\n"))),
    "lines: streams": ("segment", lambda: zstd_segment(filled(b"@a/b\n"))),
    "lines: as many as are read": (
        "segment",
        lambda: zstd_segment(filled(b'{"id":"a"}\n', limits.VALUES // 3 * 11)),
    ),
    "lines: long and all right": (
        "segment",
        lambda: zstd_segment(filled(b'{"id":"a","x":"' + b"y" * 3000 + b'"}\n')),
    ),
    "JSON: lists": ("segment", lambda: zstd_segment(record_of(b"[],"))),
    "JSON: objects": ("segment", lambda: zstd_segment(record_of(b'{"":0},'))),
    "JSON: commas in strings": ("segment", lambda: zstd_segment(record_of(b'",,,,,,,,,,,,,,,,,,,,",'))),
    "JSON: escapes": (
        "segment",
        lambda: zstd_segment(filled(b'{"id":"a","x":"' + b"\\u00e9" * 500_000 + b'"}\n')),
    ),
    "JSON: a string without an end": ("segment", lambda: zstd_segment(filled(open_string(MIB, b"\n")))),
    "JSON: a long number": (
        "segment",
        lambda: zstd_segment(filled(b'{"id":"a","x":' + b"9" * 4_000_000 + b"}\n")),
    ),
    "document: noise": ("document", lambda: noise(MIB)),
    "document: a bomb": ("document", lambda: zstd.compress(bytes(400 * MIB))),
    "document patch: noise": ("document-patch", lambda: noise(MIB)),
    "message: noise": ("message", lambda: b"\x01" + write_number(limits.SYNC_RESPONSE) + noise(MIB)),
    "message: zeros": ("message", lambda: b"\x01" + write_number(limits.SYNC_RESPONSE) + bytes(MIB)),
    "request: noise": (
        "ask",
        lambda: sealed_ask(b"\x02" + write_number(limits.SYNC_REQUEST) + noise(MIB - 200)),
    ),
    "request: lists": ("request", lambda: b'{"have":[' + b"[]," * 300_000 + b"[]]}"),
    "request: a string without an end": ("request", lambda: open_string(MIB - 200)),
    "answer: noise": ("answer", lambda: sealed_answer(b"\x02" + write_number(MIB) + noise(MIB))),
    "answer: noise, byte by byte": ("answer-slowly", lambda: write_number(200_000) + noise(200_000)),
    "answer: things of nothing": (
        "answer",
        lambda: (
            envelope.answer(TOKEN, NONCE, messages.SyncResponse(1, 1))
            + envelope.inline(b"o", "0" * 64, b"") * (MIB // 35)
        ),
    ),
    "answer: lists": ("response", lambda: b'{"epoch":1,"cursor":1,"items":[' + b"{}," * 300_000 + b"{}]}"),
    "patch: many edits": ("patch", lambda: dump({"edit": {"text": [[n, 0, "x"] for n in range(80_000)]}})),
    "patch: nothing to take away": ("patch", lambda: dump({"unset": ["text"] * 100_000})),
    "index: noise": ("index", lambda: noise(MIB)),
    "index: lists": ("index", lambda: b'{"feeds":[' + b"[]," * 300_000 + b"{}]}"),
    "index: a string without an end": ("index", lambda: open_string(MIB)),
    "history: runs of nothing": (
        "history",
        lambda: dump({"feed": "f", "fine": 1, "runs": [[1, 2]] * 100_000}),
    ),
    "snapshot: segments of nothing": (
        "snapshot",
        lambda: dump(
            {"feed": "f", "at": 1, "bulk": ["0" * 64, 0], "offset": 0, "segments": ["0" * 64, 0] * 14_000}
        ),
    ),
}
ACCEPTED = {
    "lines: as many as are read",
    "lines: long and all right",
    "JSON: escapes",
    "answer: noise, byte by byte",
    "answer: things of nothing",
    "patch: many edits",
    "snapshot: segments of nothing",
}


def cost(reader: str, data: bytes, folder: Path) -> dict[str, float]:
    if not Path("/proc/self/status").exists():
        pytest.skip("the memory of a process is measured on Linux only")
    file = folder / "input"
    file.write_bytes(data)
    done = subprocess.run(
        [sys.executable, str(HOSTILE), reader, str(file)],
        capture_output=True,
        timeout=20,
        env={**os.environ, "PYTHONPATH": str(HOSTILE.parents[2])},
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", HEAVY)
def test_a_mebibyte_of_anything_costs_little(name: str, tmp_path: Path) -> None:
    reader, make = HEAVY[name]
    found = cost(reader, make(), tmp_path)
    assert (found["error"] == "") == (name in ACCEPTED), found
    assert found["seconds"] <= SECONDS, found
    assert found["megabytes"] <= MEGABYTES, found


@pytest.mark.slow
def test_what_was_made_to_decode_slowly_ends_too(tmp_path: Path) -> None:
    found = cost("segment", slow_words(), tmp_path)
    assert found["error"] in ("Malformed", "TooLarge")
    assert found["seconds"] <= SECONDS, found
    assert found["megabytes"] <= MEGABYTES, found


RAW = segments.stream_line("public/cards/en") + b"\n" + b'{"id":"a","title":"some words"}\n' * 8
KNOWN = b'{"id":"b","title":"other words"}\n' * 12
GOOD_SEGMENTS = [
    segment(segments.IDENTITY, RAW, RAW),
    zstd_segment(RAW),
    segment(segments.PPMD, RAW, bytes([6, 20]) + ppmd.compress(RAW, 6, 20)),
    segment(
        segments.PRIMED,
        RAW,
        bytes([6, 20]) + write_number(len(KNOWN)) + ppmd.compress(RAW, 6, 20, KNOWN),
    ),
]
OLD = {"id": "a", "text": "one two three four " * 30, "year": 1}
PATCH = patches.make(OLD, {**OLD, "text": str(OLD["text"]).replace("two", "too", 1), "year": 2})
INDEX = feeds.Index(
    1,
    2,
    (
        feeds.Feed(
            "public/cards/en",
            2,
            (feeds.StreamSize("public/cards/en", 10, 1),),
            (feeds.SnapshotRef(1, ObjectRef("0" * 64, 9), 10),),
            (feeds.Run(1, 2, (feeds.SegmentRef("1" * 64, 7),)),),
        ),
    ),
).to_bytes()
KEY = SigningKey(bytes([7]) * 32)
ROOT = pin(make_root(1, [KEY.public], [KEY.public], "2030-01-01T00:00:00Z", [KEY]))
HEAD = Head(1, 2, 1, 2, ObjectRef(sha256(INDEX), len(INDEX)), "A hub", "2026-11-22", "2027-11-22").sign(KEY)
ASKED = messages.Operation("op-1", 1, 1, "ask", {"title": "Solar?", "body": "words " * 20, "lang": "en"})
ASK = envelope.ask(TOKEN, NONCE, messages.SyncRequest((1, 2), (1, 2), (ASKED,)))
ANSWER = envelope.answer(TOKEN, NONCE, messages.SyncResponse(1, 2, head=HEAD))
ANSWER += envelope.inline(b"d", "0" * 64, b"frame") + envelope.inline(b"o", "1" * 64, b"object" * 9, 7)


def decode_segment(data: bytes) -> None:
    ref = feeds.SegmentRef(sha256(data), len(data))
    found = segments.decode(data, ref, lambda size: KNOWN[:size])
    assert all(isinstance(change["id"], str) for _, change in found.changes)


def read_all(data: bytes) -> None:
    for _ in envelope.AnswerReader(TOKEN, NONCE, operations=(ASKED,)).feed(data):
        pass


def reseal(data: bytes) -> None:
    """What is behind the MAC, as the hub itself could have sealed it."""
    with contextlib.suppress(ProtocolError):
        read_all(sealed_answer(data))
    with contextlib.suppress(ProtocolError):
        envelope.read_ask(sealed_ask(data))


def apply_change(data: bytes) -> None:
    change = json.loads(data)
    if isinstance(change, dict):
        patches.apply(OLD, {**change, "id": "a", "was": PATCH["was"] if PATCH else ""})


DECODERS: dict[str, tuple[list[bytes], Callable[[bytes], object]]] = {
    "segment": (GOOD_SEGMENTS, decode_segment),
    "document": (
        [documents.pack(INDEX), documents.patch(INDEX, INDEX[:-40])],
        lambda data: documents.unpatch(data, INDEX[:-40], ObjectRef(sha256(INDEX), len(INDEX)), limits.DOCUMENT),
    ),
    "ask": ([ASK], envelope.read_ask),
    "answer": ([ANSWER], read_all),
    "sealed": ([ASK[61:], envelope.pack(b'{"epoch":1,"cursor":1,"items":[{"of":0}]}')], reseal),
    "request": (
        [messages.SyncRequest((1, 2), (1, 2), (ASKED,), 3).to_bytes()],
        messages.SyncRequest.from_bytes,
    ),
    "response": (
        [messages.SyncResponse(1, 2, (messages.Receipt("op-1", True),), ({"id": "op-1"},)).to_bytes([ASKED])],
        lambda data: messages.SyncResponse.from_bytes(data, [ASKED]),
    ),
    "problem": ([Problem("x", "t", "drop").to_bytes()], Problem.from_bytes),
    "index": ([INDEX], feeds.Index.from_bytes),
    "parts": ([INDEX.replace(b'{"epoch":1', b'{"feed":"f","epoch":1')], feeds.Parts.from_bytes),
    "history": ([feeds.History("f", 1, (feeds.Run(1, 2, ()),)).to_bytes()], feeds.History.from_bytes),
    "snapshot": (
        [feeds.Snapshot("f", 1, ObjectRef("0" * 64, 99), 1, (feeds.SegmentRef("1" * 64, 7),)).to_bytes()],
        feeds.Snapshot.from_bytes,
    ),
    "head": ([HEAD], lambda data: (root_version(data), verify_head(data, ROOT, (0, 0), 2))),
}


@st.composite
def damaged(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    """A good input with bytes changed, cut, doubled or put in; or anything."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    data = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        how = draw(st.sampled_from(["set", "cut", "take", "put", "double", "digit"]))
        if how == "set" and place < len(data):
            data[place] = draw(st.integers(0, 255))
        elif how == "cut":
            del data[place:]
        elif how == "take":
            del data[place : place + draw(st.integers(1, 9))]
        elif how == "put":
            data[place:place] = draw(st.binary(max_size=9))
        elif how == "double":
            data[place:place] = data[place : place + draw(st.integers(1, 40))]
        elif how == "digit":
            data[place : place + 1] = draw(
                st.sampled_from([b"-1", b"null", b"[]", b"{}", b'""', b"1e9", b"9" * 20])
            )
    return bytes(data)


def survives(name: str, data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        DECODERS[name][1](data)


def test_the_samples_are_good_ones() -> None:
    for samples, decode in DECODERS.values():
        for sample in samples[:1]:
            decode(sample)


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
@settings(max_examples=150)
def test_damage_ends_in_one_of_our_errors(name: str, data: st.DataObject) -> None:
    survives(name, data.draw(damaged(DECODERS[name][0])))


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
@settings(max_examples=5000)
def test_much_damage_ends_in_one_of_our_errors(name: str, data: st.DataObject) -> None:
    survives(name, data.draw(damaged(DECODERS[name][0])))


changes = st.fixed_dictionaries(
    {},
    optional={
        "set": st.dictionaries(
            st.sampled_from(["text", "year", "id", "new"]), st.integers() | st.text(max_size=3)
        ),
        "unset": st.lists(st.sampled_from(["text", "year", "id", "new"]) | st.integers(), max_size=3),
        "edit": st.dictionaries(
            st.sampled_from(["text", "year", "new"]),
            st.lists(st.lists(st.integers(-2, 700) | st.text(max_size=3), max_size=4), max_size=4),
        ),
    },
)


@given(changes)
def test_any_change_of_a_record_ends_in_a_record_or_one_of_our_errors(change: dict[str, object]) -> None:
    with contextlib.suppress(ProtocolError):
        apply_change(dump(change))
