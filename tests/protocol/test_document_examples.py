"""docs/protocol.md is normative: its examples are what the code makes, byte for byte."""

from __future__ import annotations

import re
from pathlib import Path

from sync.protocol import segments
from sync.protocol.catalogue import Index, Manifest, Run, StreamEntry
from sync.protocol.head import Head, ObjectRef
from sync.protocol.messages import (
    EnrolRequest,
    Operation,
    Receipt,
    SyncRequest,
    SyncResponse,
    answer_mac,
    token_hash,
)
from sync.protocol.problems import Problem
from sync.protocol.signing import SigningKey
from sync.protocol.trust import make_root
from sync.protocol.wire_json import sha256

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
KEY = SigningKey(bytes([7]) * 32)
TOKEN, NONCE = "a" * 64, "0" * 32
OPERATION_ID = "01920000-0000-7000-8000-000000000001"


def examples() -> dict[str, bytes]:
    """Every example of the page, by name, made by the code."""
    line = segments.change_line({"id": "r1", "type": "resource", "title": "Écoles sans réseau", "lang": "fr"})
    segment = segments.encode([line, segments.deletion_line("r0")])
    manifest = Manifest("public/cards/fr", 1, 1, (Run(0, 1, True, (segment.ref,)),))
    body = manifest.to_bytes()
    entry = StreamEntry(manifest.stream, 1, ObjectRef(sha256(body), len(body)), segment.ref.size, 1)
    index = Index(1, (entry,)).to_bytes()
    head = Head(
        epoch=1,
        version=1,
        root=1,
        client=1,
        index=ObjectRef(sha256(index), len(index)),
        hub="Sample hub",
        published="2026-09-14T08:30:00Z",
        expires="2026-12-13T08:30:00Z",
    )
    question = Operation(OPERATION_ID, 1, 1, "ask", {"kind": "question", "title": "Solar tablets?"})
    receipt = Receipt(OPERATION_ID, True, OPERATION_ID, "2026-09-14T08:31:00Z", "submitted")
    answer = SyncResponse(1, 1, (receipt,)).to_bytes()
    return {
        "segment, decoded": line + b"\n" + segments.deletion_line("r0") + b"\n",
        "manifest": body,
        "index": index,
        "head": head.sign(KEY).strip(),
        "root": make_root(1, [KEY.public], [KEY.public], "2029-09-14T00:00:00Z", [KEY]).strip(),
        "enrolment": EnrolRequest("K7QD-9XWM-3F2P", "device-1", TOKEN, "Room 12").to_bytes(),
        "token hash": token_hash(TOKEN).encode(),
        "sync request": SyncRequest(NONCE, (1, 1), (1, 0), (question,)).to_bytes(),
        "sync answer": answer,
        "Hubshelf-MAC of that answer": answer_mac(TOKEN, NONCE, answer).encode(),
        "problem": Problem("device-revoked", "This device was revoked on the hub.", "auth", 401).to_bytes(),
    }


def on_the_page() -> dict[str, str]:
    found = re.findall(r"^\*\*(.+?)\*\*\n```\n(.*?)\n```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return dict(found)


def test_every_example_is_what_the_code_makes() -> None:
    made = {name: data.decode().strip() for name, data in examples().items()}
    assert on_the_page() == made


def test_the_examples_read_back() -> None:
    made = examples()
    assert Manifest.from_bytes(made["manifest"]).to_bytes() == made["manifest"]
    assert Index.from_bytes(made["index"]).to_bytes() == made["index"]
    assert SyncRequest.from_bytes(made["sync request"]).to_bytes() == made["sync request"]
    assert SyncResponse.from_bytes(made["sync answer"]).to_bytes() == made["sync answer"]
    assert EnrolRequest.from_bytes(made["enrolment"]).to_bytes() == made["enrolment"]
    assert Problem.from_bytes(made["problem"]).to_bytes() == made["problem"]
