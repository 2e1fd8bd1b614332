"""Sealed messages: what was asked is what is read, no changed byte passes, and answers arrive in any pieces."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.protocol import dictionaries, envelope, limits
from sync.protocol.dictionaries import NUMBERS, SHA256, dictionary, number_of
from sync.protocol.envelope import AnswerReader, Begun, Ended, Event, Message, Piece
from sync.protocol.errors import BadMac, Malformed, ProtocolError, TooLarge
from sync.protocol.messages import Operation, Receipt, SyncRequest, SyncResponse
from sync.protocol.numbers import write_number
from sync.protocol.subscriptions import Subscription
from sync.protocol.wire_json import sha256

TOKEN, NONCE = "5e" * 32, bytes(range(12))
OPERATION_ID = "0192c8a0-3e80-76d9-9e1c-f6811ab6b920"
QUESTION = (
    "Nous avons reçu quarante tablettes pour six écoles sans électricité stable. Quel régulateur de charge "
    "faut-il choisir, et comment former les enseignants à l’entretien des batteries pendant les pluies ? "
    "Les panneaux sont déjà posés sur le toit du bloc et le gardien peut les nettoyer chaque semaine."
)


def question(lang: str = "fr") -> Operation:
    body = {
        "kind": "question",
        "title": "Quel régulateur choisir ?",
        "body": QUESTION,
        "lang": lang,
        "themes": [],
    }
    return Operation(OPERATION_ID, 1, 7, "ask", body)


def request(*operations: Operation) -> SyncRequest:
    return SyncRequest((1, 37), (1, 12), operations, 37, Subscription(("fr",), None), 65_536, (("ab" * 8, 100),))


def response() -> SyncResponse:
    received = "2026-11-22T09:13:44.123Z"
    asked = question()
    item = {**asked.body, "id": OPERATION_ID, "type": "request", "state": "submitted", "created": received}
    return SyncResponse(1, 13, (Receipt(OPERATION_ID, True, OPERATION_ID, received, "submitted"),), (item,))


@given(st.text(max_size=300), st.sampled_from(["", "en", "fr-CA", "sw", "AR", "xx", "e"]))
def test_what_is_packed_comes_back(text: str, lang: str) -> None:
    raw = json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")
    packed = envelope.pack(raw, lang)
    assert envelope.unpack(packed, 10_000) == raw
    assert len(packed) <= len(raw) + 3


def test_the_language_of_a_question_makes_it_small() -> None:
    raw = request(question()).to_bytes()
    own, plain = envelope.pack(raw, "fr"), envelope.pack(raw)
    assert own[0] == NUMBERS["fr"]
    assert len(own) < 0.75 * len(plain) < 0.6 * len(raw)
    assert len(envelope.ask(TOKEN, NONCE, request(question()))) == len(own) + 61
    assert len(envelope.pack(request(question()).to_bytes(), "en")) > len(own)


def test_what_says_nothing_costs_next_to_nothing() -> None:
    """Bounds that a change for the worse would pass: bytes of a check, its answer, and that of a question."""
    assert len(envelope.ask(TOKEN, NONCE, SyncRequest((1, 37), (1, 12), at=37))) <= 110
    assert len(envelope.answer(TOKEN, NONCE, SyncResponse(1, 12))) <= 50
    assert len(envelope.answer(TOKEN, NONCE, response(), (question(),))) <= 60


def test_noise_is_sent_as_it_is() -> None:
    raw = bytes(range(256))
    assert envelope.pack(raw) == b"\xff" + write_number(256) + raw


def test_the_dictionaries_are_the_bytes_that_the_other_side_has() -> None:
    expected = ["skeleton", "en", "fr", "ar", "es", "pt", "sw"]
    assert list(SHA256) == expected
    assert sorted(NUMBERS.values()) == list(range(7))
    assert all(len(dictionary(number)) <= 49 * 1024 for number in range(7))
    assert len(dictionary(0)) < 1024
    assert all(dictionary(number).endswith(dictionary(0)) for number in range(7))
    # The constants themselves are the wire of version 2: they never change.
    assert sha256("".join(SHA256.values()).encode()) == DICTIONARIES
    with pytest.raises(KeyError):
        dictionary(7)


DICTIONARIES = "5aff07008722620878c70023372730aa2a05bef084b12df24900678c6592f35c"


def test_a_damaged_dictionary_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dictionaries.SHA256, "skeleton", "0" * 64)
    with pytest.raises(RuntimeError, match="Install"):
        dictionaries._read("skeleton")


def test_languages_find_their_dictionary() -> None:
    assert [number_of(lang) for lang in ("fr", "fr-CA", "PT-br", "zh", "", "frx")] == [2, 2, 5, 0, 0, 0]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", Malformed),
        (b"\x00", Malformed),
        (b"\x07\x01a", Malformed),
        (b"\xfe\x01a", Malformed),
        (b"\xff\x02a", Malformed),
        (b"\xff\x01ab", Malformed),
        (b"\x00" + write_number(1001), TooLarge),
        (b"\xff" + write_number(1001) + bytes(1001), TooLarge),
        (b"\x01\xff" * 3, Malformed),
    ],
)
def test_a_message_that_is_none_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        envelope.unpack(data, 1000)


@pytest.mark.parametrize("asked", [SyncRequest(), request(), request(question()), request(question("xx"))])
def test_what_is_asked_is_what_is_read(asked: SyncRequest) -> None:
    body = envelope.ask(TOKEN, NONCE, asked)
    assert envelope.ask_token(body) == TOKEN
    assert envelope.read_ask(body) == (TOKEN, NONCE, asked)


def test_a_request_changed_anywhere_is_refused() -> None:
    body = envelope.ask(TOKEN, NONCE, request(question()))
    for place in range(1, len(body)):
        with pytest.raises(BadMac):
            envelope.read_ask(body[:place] + bytes([body[place] ^ 4]) + body[place + 1 :])
    for place in range(len(body)):
        with pytest.raises(BadMac if place >= 61 else Malformed):
            envelope.read_ask(body[:place])
    with pytest.raises(Malformed):
        envelope.read_ask(b"\x01" + body[1:])
    with pytest.raises(TooLarge):
        envelope.read_ask(body + bytes(limits.SYNC_REQUEST))


def test_tokens_and_nonces_that_are_none_are_not_sent() -> None:
    for token, nonce in [("x" * 64, NONCE), ("AB" * 32, NONCE), ("ab", NONCE), (TOKEN, b"short")]:
        with pytest.raises(ValueError, match="has|have"):
            envelope.ask(token, nonce, SyncRequest())


THINGS: list[tuple[bytes, bytes, int]] = [
    (envelope.DOCUMENT, b"frame of a document", 0),
    (envelope.PATCH, bytes(32) + b"patch", 0),
    (envelope.OBJECT, b"o" * 3000, 1000),
    (envelope.OBJECT, b"", 0),
    (envelope.OBJECT, b"all there", 9),
]


def whole_answer() -> bytes:
    body = envelope.answer(TOKEN, NONCE, response(), (question(),))
    return body + b"".join(envelope.inline(kind, sha256(data), data, offset) for kind, data, offset in THINGS)


def read(reader: AnswerReader, pieces: list[bytes]) -> list[Event]:
    return [event for piece in pieces for event in reader.feed(piece)]


def joined(events: list[Event]) -> list[Any]:
    """The events with neighbouring pieces as one: they depend on how the bytes came."""
    found: list[Any] = []
    for event in events:
        if isinstance(event, Piece) and found and isinstance(found[-1], Piece):
            found[-1] = Piece(found[-1].data + event.data)
        else:
            found.append(event)
    return found


def expected() -> list[Any]:
    found: list[Any] = [Message(response())]
    for kind, data, offset in THINGS:
        found.append(Begun(kind, sha256(data), len(data), offset))
        if data[offset:]:
            found.append(Piece(data[offset:]))
        found.append(Ended())
    return found


@settings(max_examples=50)
@given(st.lists(st.integers(0, 5000), max_size=30))
def test_an_answer_is_read_however_it_is_cut_into_pieces(cuts: list[int]) -> None:
    body = whole_answer()
    places = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    pieces = [body[start:end] for start, end in zip(places, places[1:], strict=False)]
    reader = AnswerReader(TOKEN, NONCE, operations=(question(),))
    assert joined(read(reader, pieces)) == expected()
    assert reader.finished


def test_an_answer_is_read_byte_by_byte_and_finished_at_boundaries_only() -> None:
    body = whole_answer()
    reader = AnswerReader(TOKEN, NONCE, operations=(question(),))
    ends = 0
    events: list[Event] = []
    for place in range(len(body)):
        assert reader.finished == (bool(events) and isinstance(events[-1], Message | Ended) and ends == place)
        new = read(reader, [body[place : place + 1]])
        events += new
        if new and isinstance(new[-1], Message | Ended):
            ends = place + 1
    assert reader.finished
    assert joined(events) == expected()


def test_what_arrived_before_a_cut_is_there() -> None:
    body = whole_answer()
    reader = AnswerReader(TOKEN, NONCE, operations=(question(),))
    events = joined(read(reader, [body[:-2000]]))
    assert isinstance(events[-1], Piece)
    assert not reader.finished
    assert events[:-1] == expected()[: len(events) - 1]


def test_an_answer_changed_anywhere_is_refused() -> None:
    body = envelope.answer(TOKEN, NONCE, response(), (question(),))
    for place in range(len(body)):
        reader = AnswerReader(TOKEN, NONCE, operations=(question(),))
        try:
            events = read(reader, [body[:place] + bytes([body[place] ^ 8]) + body[place + 1 :]])
        except BadMac:
            continue
        assert events == []
        assert not reader.finished


@pytest.mark.parametrize(("token", "nonce"), [("6e" * 32, NONCE), (TOKEN, bytes(12))])
def test_an_answer_to_somebody_else_is_refused(token: str, nonce: bytes) -> None:
    with pytest.raises(BadMac):
        read(AnswerReader(token, nonce), [whole_answer()])


def test_a_request_is_no_answer_to_itself() -> None:
    asked = envelope.ask(TOKEN, NONCE, SyncRequest())
    reflected = write_number(len(asked) - 61) + asked[45:61] + asked[61:]
    with pytest.raises(BadMac):
        read(AnswerReader(TOKEN, NONCE), [reflected])


@pytest.mark.parametrize(
    ("behind", "error"),
    [
        (b"x", Malformed),
        (b"<html>", Malformed),
        (b"o" + bytes(32) + write_number(limits.SEGMENT + 1) + b"\0", TooLarge),
        (b"d" + bytes(32) + write_number(limits.DOCUMENT + 1) + b"\0", TooLarge),
        (b"o" + bytes(32) + b"\x05\x06", Malformed),
        (b"o" + bytes(32) + b"\xff" * 9, Malformed),
    ],
)
def test_what_stands_behind_an_answer_is_bounded(behind: bytes, error: type[Exception]) -> None:
    reader = AnswerReader(TOKEN, NONCE)
    body = envelope.answer(TOKEN, NONCE, SyncResponse(1, 2))
    events: list[Event] = []
    with pytest.raises(error):
        events.extend(reader.feed(body + behind))
    fresh = AnswerReader(TOKEN, NONCE)
    assert read(fresh, [body]) == [Message(SyncResponse(1, 2))]


def test_a_message_over_the_bound_is_refused_before_it_is_there() -> None:
    with pytest.raises(TooLarge):
        read(AnswerReader(TOKEN, NONCE, 1000), [write_number(1001)])
    with pytest.raises(TooLarge):
        read(AnswerReader(TOKEN, NONCE, 20), [envelope.answer(TOKEN, NONCE, SyncResponse(1, 2))])


def test_things_that_no_reader_takes_are_not_inlined() -> None:
    for kind, name, data, offset in [
        (b"x", "0" * 64, b"", 0),
        (b"o", "0" * 63, b"", 0),
        (b"o", "0" * 64, b"ab", 3),
        (b"o", "0" * 64, b"ab", -1),
        (b"o", "0" * 64, bytes(limits.SEGMENT + 1), 0),
    ]:
        with pytest.raises(ValueError, match="inlined|named"):
            envelope.inline(kind, name, data, offset)


@given(st.binary(max_size=200))
def test_no_bytes_make_a_reader_fail_in_any_other_way(data: bytes) -> None:
    for attempt in (
        lambda: envelope.unpack(data, 1000),
        lambda: envelope.read_ask(data),
        lambda: envelope.read_ask(b"\x02" + data),
        lambda: read(AnswerReader(TOKEN, NONCE), [data]),
        lambda: read(AnswerReader(TOKEN, NONCE), [envelope.answer(TOKEN, NONCE, SyncResponse(1, 2)) + data]),
    ):
        with contextlib.suppress(ProtocolError):
            attempt()
