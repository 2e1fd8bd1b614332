"""Letters to the hub and its answers, by hand: the page's examples byte for byte, and what strangers may try."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import by_hand, parcels
from sync.protocol.errors import BadMac, Malformed, ProtocolError, TooLarge
from sync.protocol.messages import Operation, Receipt, SyncRequest, SyncResponse, token_hash
from sync.protocol.signing import SigningKey

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol-packs.md"
EXAMPLES = dict(
    re.findall(r"^\*\*([^*]+)\*\*\n```\n(.*?)\n```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
)
HASHED = token_hash("a" * 64)
OTHER = token_hash("b" * 64)
SECRET = bytes([9]) * 32
KEY = SigningKey(bytes([7]) * 32)
DIGEST = "0" * 64
NUMBER = by_hand.numbered(1, 1)
HUB = by_hand.public_key(SECRET)
ASK = Operation(
    "01920000-0000-7000-8000-000000000001", 1, 1, "ask", {"kind": "question", "title": "Solar tablets?"}
)
LETTER = by_hand.Letter(
    by_hand.tag_of(HASHED), (1, 1), "2026-05-03T08:30:00Z", SyncRequest(personal=(1, 0), operations=(ASK,))
)
RECEIPT = Receipt(ASK.id, True, ASK.id, "2026-05-20T08:31:00Z", "submitted")
ANSWER = by_hand.Answer((1, 0), (1, 1), SyncResponse(1, 1, (RECEIPT,)))


def test_the_page_says_the_bytes() -> None:
    assert EXAMPLES["tag"] == by_hand.tag_of(HASHED)
    assert EXAMPLES["box"] == HUB.hex()
    assert EXAMPLES["letter"].encode() == LETTER.to_bytes()
    assert EXAMPLES["envelope"] == by_hand.seal_letter(LETTER, HASHED, HUB, bytes([5]) * 32).hex()
    assert EXAMPLES["answer, inside"].encode() == ANSWER.to_bytes()
    assert EXAMPLES["answer"] == by_hand.seal_answer(ANSWER, HASHED, NUMBER, KEY, bytes(12)).hex()
    digest = hashlib.sha256(b"abc").hexdigest()
    parcel = parcels.to_hub("a" * 64, HUB, digest, 3)
    assert EXAMPLES["parcel"] == b"".join(parcel.pieces([b"abc"])).hex()
    returned = parcels.to_device(HASHED, digest, 3, [b"abc"], KEY)
    assert EXAMPLES["return"] == b"".join(returned.pieces([b"abc"])).hex()


def test_what_is_said_of_files_is_bounded() -> None:
    files = by_hand.Files((DIGEST,), (DIGEST, "1" * 64))
    letter = by_hand.Letter(LETTER.tag, (1, 2), "", LETTER.request, files=files)
    assert by_hand.Letter.from_bytes(letter.to_bytes()).files == files
    answer = by_hand.Answer((1, 0), (1, 1), SyncResponse(1, 1), arrived=(DIGEST,))
    assert by_hand.Answer.from_bytes(answer.to_bytes()).arrived == (DIGEST,)
    for wrong in ([DIGEST] * 201, ["x"], [7], "x", {}, [None]):
        for says in ({"sent": wrong}, {"wants": wrong}, wrong):
            with pytest.raises(Malformed):
                by_hand.Files.from_json(says if says != {} else 7)


def test_the_hub_opens_a_letter_and_knows_its_writer() -> None:
    joining = by_hand.Joining("K7QD-9XWM-3F2P", "device-1", "Room 12", HASHED)
    letter = by_hand.Letter(LETTER.tag, (1, 2), "", LETTER.request, joining)
    found = by_hand.open_envelope(by_hand.seal_letter(letter, HASHED, HUB), SECRET)
    assert found.letter == letter
    found.require_from(HASHED)
    with pytest.raises(BadMac):
        found.require_from(OTHER)
    # Nothing in it tells a carrier whose it is, and no two are alike.
    assert by_hand.seal_letter(LETTER, HASHED, HUB) != by_hand.seal_letter(LETTER, HASHED, HUB)
    assert bytes.fromhex(LETTER.tag) not in by_hand.seal_letter(LETTER, HASHED, HUB)
    with pytest.raises(Malformed):
        by_hand.open_envelope(by_hand.seal_letter(letter, HASHED, HUB), bytes([8]) * 32)


def test_a_letter_that_was_wrapped_anew_is_not_its_writers() -> None:
    """The MAC is over the keys of its envelope: what was inside one fits into no other."""
    first = by_hand.open_envelope(by_hand.seal_letter(LETTER, HASHED, HUB), SECRET)
    second = by_hand.open_envelope(by_hand.seal_letter(LETTER, HASHED, HUB), SECRET)
    assert first._mac != second._mac


def test_only_the_device_opens_its_answer() -> None:
    data = by_hand.seal_answer(ANSWER, HASHED, 7, KEY)
    assert by_hand.open_answer(data, HASHED) == ANSWER
    with pytest.raises(BadMac):
        by_hand.open_answer(data, OTHER)


def test_nobody_but_the_hub_makes_an_answer_that_displaces_another() -> None:
    tag, hub = by_hand.tag_of(HASHED), {KEY.key_id: KEY.public}
    stranger = SigningKey(bytes([6]) * 32)
    data = by_hand.seal_answer(ANSWER, HASHED, 7, KEY)
    before, same = (by_hand.seal_answer(ANSWER, HASHED, n, KEY) for n in (6, 7))
    assert by_hand.newer_answer(data, None, tag, hub)
    assert by_hand.newer_answer(data, before, tag, hub)
    assert not by_hand.newer_answer(data, same, tag, hub)
    forged = by_hand.seal_answer(ANSWER, HASHED, 9, stranger)
    raised = data[:20] + (2**63).to_bytes(8, "big") + data[28:]
    of_another = by_hand.seal_answer(ANSWER, OTHER, 9, KEY)  # real, and under the wrong name
    for wrong in (forged, raised, of_another, data[:-1], data + b"x", b"HSA\x01" + bytes(200), b""):
        assert not by_hand.newer_answer(wrong, None, tag, hub)
        assert by_hand.newer_answer(data, wrong, tag, hub), "and one that lies there already goes"
    assert not by_hand.newer_answer(data, None, tag, {}), "who knows no hub cannot tell"
    restored = by_hand.seal_answer(ANSWER, HASHED, by_hand.numbered(2, 1), KEY)
    assert by_hand.newer_answer(
        restored, by_hand.seal_answer(ANSWER, HASHED, by_hand.numbered(1, 900), KEY), tag, hub
    )


def test_bounds() -> None:
    long = Operation(ASK.id, 1, 1, "ask", {"body": "x" * (by_hand.LETTER_MOST + 1)})
    with pytest.raises(TooLarge):
        by_hand.seal_letter(by_hand.Letter(LETTER.tag, (1, 1), "", SyncRequest(operations=(long,))), HASHED, HUB)
    with pytest.raises(Malformed):
        by_hand.seal_letter(LETTER, HASHED, bytes(32))  # a key of small order agrees on nothing secret


@given(st.binary(max_size=400), st.integers(0, 400), st.integers(0, 255))
def test_damaged_and_invented_ones_are_known_errors(noise: bytes, place: int, value: int) -> None:
    envelope = bytearray(by_hand.seal_letter(LETTER, HASHED, HUB, bytes([5]) * 32))
    answer = bytearray(by_hand.seal_answer(ANSWER, HASHED, 1, KEY, bytes(12)))
    for good in (envelope, answer):
        good[place % len(good)] ^= value or 1
    for data in (bytes(envelope), noise, b"HSB\x01" + noise, bytes(envelope[:place])):
        with pytest.raises(ProtocolError):
            by_hand.open_envelope(data, SECRET).require_from(HASHED)
    # A carrier refuses it wherever it was changed; the signature is the carriers', the device has its own proof.
    assert not by_hand.newer_answer(bytes(answer), None, by_hand.tag_of(HASHED), {KEY.key_id: KEY.public})
    in_signature = place % len(answer) >= len(answer) - 64
    for data in (bytes(answer), noise, b"HSA\x01" + noise, bytes(answer[:place])):
        if in_signature and data == bytes(answer):
            continue
        with pytest.raises(ProtocolError):
            by_hand.open_answer(data, HASHED)
    for parse in (by_hand.Letter.from_bytes, by_hand.Answer.from_bytes):
        with pytest.raises(ProtocolError):
            parse(noise)
