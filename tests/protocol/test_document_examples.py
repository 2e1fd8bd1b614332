"""docs/protocol.md is normative: its examples are what the code makes, byte for byte."""

from __future__ import annotations

import re
from pathlib import Path

from sync.protocol import VERSION, documents, envelope, patches, segments
from sync.protocol.devices import DeviceEntry, DevicesAnswer, DevicesRequest, MoveRequest
from sync.protocol.feeds import Feed, History, Index, Parts, Run, SegmentRef, Snapshot, SnapshotRef, StreamSize
from sync.protocol.head import Head, ObjectRef
from sync.protocol.messages import EnrolRequest, Operation, Receipt, SyncRequest, SyncResponse, token_hash
from sync.protocol.problems import Problem
from sync.protocol.signing import SigningKey
from sync.protocol.trust import make_root
from sync.protocol.wire_json import dump, sha256

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
KEY = SigningKey(bytes([7]) * 32)
TOKEN, NONCE = "a" * 64, bytes(12)
OPERATION = Operation(
    "01920000-0000-7000-8000-000000000001", 1, 1, "ask", {"kind": "question", "title": "Solar tablets?"}
)
STREAM = "public/cards/fr"
OLD = {"id": "r1", "type": "resource", "lang": "fr", "title": "Écoles sans réseau", "year": 2024}
NEW = {**OLD, "title": "Écoles sans réseau, deux ans après", "year": 2026}

THIS = DeviceEntry("device-1", "Room 12", "Linux", "2026-09-14T08:30:00Z", "2026-09-14T08:31:00Z", this=True)


def reference(raw: bytes) -> ObjectRef:
    return ObjectRef(sha256(raw), len(raw))


def run_segment() -> segments.Segment:
    return segments.encode([segments.stream_line(STREAM), *run_lines()])


def run_lines() -> list[bytes]:
    patch = {"id": "r1", "was": sha256(dump(OLD))[:16], "set": {"title": NEW["title"], "year": 2026}}
    return [segments.change_line(patch), segments.deletion_line("r0")]


def examples() -> dict[str, bytes]:
    """Every example of the page, by name, made by the code."""
    first = segments.encode([segments.stream_line(STREAM), segments.change_line(OLD)])
    second = run_segment()
    snapshot = Snapshot(STREAM, 1, ObjectRef(sha256(first.data), len(first.data)), 0, (first.ref,)).to_bytes()
    run = Run(1, 2, (second.ref,))
    feed = Feed(
        STREAM,
        2,
        (StreamSize(STREAM, first.ref.size, 1),),
        (SnapshotRef(1, reference(snapshot), first.ref.size),),
        (run,),
    )
    index = Index(1, 2, (feed,)).to_bytes()
    head = Head(
        epoch=1,
        version=2,
        root=1,
        client=VERSION,
        index=reference(index),
        hub="Sample hub",
        published="2026-09-14T08:30:00Z",
        expires="2026-12-13T08:30:00Z",
    )
    request = SyncRequest((1, 2), (1, 0), (OPERATION,), at=2, room=65536)
    receipt = Receipt(OPERATION.id, True, OPERATION.id, "2026-09-14T08:31:00Z", "submitted")
    item = {**OPERATION.body, "id": OPERATION.id, "type": "request", "state": "submitted", "revision": 1}
    response = SyncResponse(1, 1, (receipt,), (item,))
    return {
        "segment of the snapshot, raw": segments.decode(first.data, first.ref).raw.strip(),
        "segment of the run, raw": segments.decode(second.data, second.ref).raw.strip(),
        "segment of the run, as sent": second.data.hex().encode(),
        "snapshot": snapshot,
        "index": index,
        "history": History(STREAM, 1, (run,)).to_bytes(),
        "head": head.sign(KEY).strip(),
        "root": make_root(1, [KEY.public], [KEY.public], "2029-09-14T00:00:00Z", [KEY]).strip(),
        "enrolment": EnrolRequest("K7QD-9XWM-3F2P", "device-1", TOKEN, "Room 12").to_bytes(),
        "token hash": token_hash(TOKEN).encode(),
        "sync request, raw": request.to_bytes(),
        "sync request, as sent": envelope.ask(TOKEN, NONCE, request).hex().encode(),
        "sync answer, raw": response.to_bytes((OPERATION,)),
        "sync answer, as sent, with the run's segment from its byte 40 on": (
            envelope.answer(TOKEN, NONCE, response, (OPERATION,))
            + envelope.inline(envelope.OBJECT, second.ref.hash, second.data, 40)
        )
        .hex()
        .encode(),
        "list of devices": DevicesRequest("7" * 32, "device-2", "Linux").to_bytes(),
        "list of devices, answered": DevicesAnswer((THIS,)).to_bytes(),
        "move": MoveRequest("7" * 32, "device-3", "b" * 64, "Room 12", "Linux").to_bytes(),
        "problem": Problem("device-revoked", "This device was revoked on the hub.", "auth", 401).to_bytes(),
    }


def on_the_page() -> dict[str, str]:
    found = re.findall(r"^\*\*([^\n*]+)\*\*\n```\n(.*?)\n```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return dict(found)


def test_every_example_is_what_the_code_makes() -> None:
    made = {name: data.decode().strip() for name, data in examples().items()}
    assert on_the_page() == made


def test_the_examples_of_the_page_read_back() -> None:
    page = on_the_page()
    for kind, name in ((Index, "index"), (History, "history"), (Snapshot, "snapshot")):
        assert kind.from_bytes(page[name].encode()).to_bytes().decode() == page[name]
    assert SyncRequest.from_bytes(page["sync request, raw"].encode()).operations == (OPERATION,)
    token, nonce, request = envelope.read_ask(bytes.fromhex(page["sync request, as sent"]))
    assert (token, nonce, request.to_bytes().decode()) == (TOKEN, NONCE, page["sync request, raw"])
    assert EnrolRequest.from_bytes(page["enrolment"].encode()).to_bytes().decode() == page["enrolment"]
    assert Problem.from_bytes(page["problem"].encode()).to_bytes().decode() == page["problem"]


def test_a_reader_gets_from_the_snapshot_to_the_new_record_by_the_page_alone() -> None:
    page = on_the_page()
    index = Index.from_bytes(page["index"].encode())
    sent = bytes.fromhex(page["segment of the run, as sent"])
    (ref,) = index.feeds[0].recent[0].segments
    ((stream, patch), (_, deletion)) = segments.decode(sent, ref).changes
    assert (stream, patches.apply(OLD, patch), deletion["id"]) == (STREAM, NEW, "r0")


def test_the_answer_of_the_page_is_read_piece_by_piece() -> None:
    data = bytes.fromhex(on_the_page()["sync answer, as sent, with the run's segment from its byte 40 on"])
    reader = envelope.AnswerReader(TOKEN, NONCE, operations=(OPERATION,))
    events = [event for byte in data for event in reader.feed(bytes([byte]))]
    assert isinstance(events[0], envelope.Message)
    assert events[0].response.items[0]["title"] == "Solar tablets?"
    assert events[0].response.receipts[0].id == OPERATION.id
    begun = events[1]
    assert isinstance(begun, envelope.Begun)
    rest = b"".join(event.data for event in events if isinstance(event, envelope.Piece))
    assert (begun.offset, rest) == (40, run_segment().data[40:])
    assert reader.finished


def test_documents_and_parts_read_back() -> None:
    raw = on_the_page()["index"].encode()
    ref = reference(raw)
    assert documents.unpack(documents.pack(raw), ref, 10_000) == raw
    feed = Index.from_bytes(raw).feeds[0]
    assert Parts.from_bytes(Parts("public/texts/fr", (feed,)).to_bytes()).feeds == (feed,)
    assert SegmentRef(*feed.recent[0].to_json()[2:4]) == feed.recent[0].segments[0]
