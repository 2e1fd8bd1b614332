"""One decoder, one hostile input, in a process of its own that says what it cost.

`python hostile.py READER FILE` prints {"error", "seconds", "megabytes"}: the ProtocolError raised ("" for none),
the processor time of the decoder alone, and the peak of the process with Python and its modules. Anything else
ends in a traceback.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sync.protocol import documents, envelope, feeds, limits, messages, patches, segments
from sync.protocol.errors import ProtocolError
from sync.protocol.head import ObjectRef
from sync.protocol.wire_json import dump, sha256

TOKEN, NONCE = "5e" * 32, bytes(12)
ROOM = 1 << 30
"""Bytes of address space: a decoder that runs away ends here, not on the machine of whoever runs the tests."""


def read_segment(data: bytes) -> None:
    ref = feeds.SegmentRef(sha256(data), len(data))
    segments.decode(
        data, ref, lambda size: (b'{"id":"known","title":"words that both sides have"}\n' * 50_000)[:size]
    )


def read_document(data: bytes) -> None:
    documents.unpack(data, ObjectRef("0" * 64, limits.DOCUMENT), limits.DOCUMENT)


def read_document_patch(data: bytes) -> None:
    documents.unpatch(data, b"base " * 10_000, ObjectRef("0" * 64, limits.DOCUMENT), limits.DOCUMENT)


def read_answer(data: bytes) -> None:
    list(envelope.AnswerReader(TOKEN, NONCE).feed(data))


def read_answer_slowly(data: bytes) -> None:
    reader = envelope.AnswerReader(TOKEN, NONCE)
    for place in range(len(data)):
        list(reader.feed(data[place : place + 1]))


def apply_patch(data: bytes) -> None:
    old = {"id": "a", "text": "words " * 100_000}
    change = json.loads(data)
    patches.apply(old, {**change, "id": "a", "was": sha256(dump(old))[:16]})


READERS: dict[str, Callable[[bytes], object]] = {
    "segment": read_segment,
    "document": read_document,
    "document-patch": read_document_patch,
    "message": lambda data: envelope.unpack(data, limits.SYNC_RESPONSE),
    "ask": envelope.read_ask,
    "answer": read_answer,
    "answer-slowly": read_answer_slowly,
    "patch": apply_patch,
    "request": messages.SyncRequest.from_bytes,
    "response": messages.SyncResponse.from_bytes,
    "index": feeds.Index.from_bytes,
    "parts": feeds.Parts.from_bytes,
    "history": feeds.History.from_bytes,
    "snapshot": feeds.Snapshot.from_bytes,
}


def main(reader: str, file: Path) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    data = file.read_bytes()
    begun = time.process_time()
    error = ""
    try:
        READERS[reader](data)
    except ProtocolError as found:
        error = type(found).__name__
    seconds = time.process_time() - begun
    sys.stdout.write(json.dumps({"error": error, "seconds": seconds, "megabytes": peak()}))


def peak() -> float:
    """The most memory that this process ever had, in MiB (getrusage would count the parent's before exec)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not say what this process used")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
