"""Recorded conversations (wire1/, wire2/, made by record.py) and a hub that answers from one.

The hub of the recording knows only the addresses that stand in it; for any other it has a web page with status
404, as Django has. Two things are made anew, by the formulas of docs/protocol.md: the MAC, for the nonce that was
sent, and in version 1 the id of the operation, for the one that was sent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKEN = "5" * 64
_NOT_FOUND = b"<!doctype html><title>Not Found</title><h1>Not Found</h1>"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes


def conversation(version: int) -> list[Exchange]:
    """Return the recorded conversation of a version of the wire, in its order."""
    folder = Path(__file__).parent / f"wire{version}"
    found = []
    for file in sorted(folder.glob("*.json")):
        one = json.loads(file.read_text(encoding="ascii"))
        one["body"], one["answer"] = _bytes(one["body"]), _bytes(one["answer"])
        found.append(Exchange(**one))
    assert found, f"nothing is recorded in {folder}"
    return found


def _bytes(source: dict[str, str]) -> bytes:
    return base64.b64decode(source["base64"]) if "base64" in source else source["text"].encode()


def mac_v1(token: str, nonce: str, body: bytes) -> str:
    """The MAC of an answer in version 1."""
    key = hashlib.sha256(b"hubshelf/mac/1\n" + token.encode()).digest()
    return hmac.new(key, nonce.encode() + b"\n" + body, hashlib.sha256).hexdigest()


def with_mac_v2(answer: bytes, token: str, nonce: bytes) -> bytes:
    """A recorded answer of version 2 under the MAC for another token and nonce."""
    place = size = shift = 0
    while True:
        byte = answer[place]
        size |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            break
    packed = answer[place + 16 : place + 16 + size]
    key = hashlib.sha256(b"hubshelf/mac/2\n" + token.encode()).digest()
    mac = hmac.new(key, b"answer\n" + nonce + packed, hashlib.sha256).digest()[:16]
    return answer[:place] + mac + answer[place + 16 :]


@dataclass
class RecordedHub:
    """Answers from a recording. `asked`: what was asked; `lose`: so many answers to messages are cut off."""

    said: list[Exchange]
    url: str = ""
    lose: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    operations: list[list[dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._plain = {(one.method, one.path): one for one in self.said}
        self._syncs = [one for one in self.said if one.path.endswith("/sync")]
        self._turn = 0

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body."""
        self.asked.append((method, path))
        found = self._plain.get((method, path))
        if found is None:
            return 404, {"Content-Type": "text/html; charset=utf-8"}, _NOT_FOUND
        if path == "/u/v1/sync":
            return self._sync_v1(headers, body)
        if path == "/u/v2/sync":
            return self._sync_v2(body)
        return found.status, dict(found.answer_headers), found.answer

    def _sync_v1(self, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked = json.loads(body)
        self.operations.append(asked["operations"])
        # The first of the recording has the question, the last one nothing; a new reader gets the head with both.
        one = self._syncs[0] if asked["operations"] or asked["head"] == [0, 0] else self._syncs[-1]
        answer = json.loads(one.answer)
        recorded = json.loads(one.body)["operations"]
        text = one.answer.decode()
        if asked["operations"]:
            text = text.replace(recorded[0]["id"], asked["operations"][0]["id"])
        elif "receipts" in answer:
            del answer["receipts"], answer["items"]
            text = json.dumps(answer)
        token = headers["Authorization"].removeprefix("Bearer ")
        return (
            200,
            {"Content-Type": "application/json", "Hubshelf-MAC": mac_v1(token, asked["nonce"], text.encode())},
            text.encode(),
        )

    def _sync_v2(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        one = self._syncs[min(self._turn, len(self._syncs) - 1)]
        self._turn += not self.lose
        return 200, dict(one.answer_headers), with_mac_v2(one.answer, body[1:33].hex(), body[33:45])


@contextmanager
def recorded_hub(version: int) -> Iterator[RecordedHub]:
    """A hub on a socket of this computer that answers from the recording of a version of the wire."""
    hub = RecordedHub(conversation(version))

    class Plane(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, answer = hub.answer(self.command, self.path, self.headers, body)
            if hub.lose and self.path.endswith("/sync") and status == 200:
                hub.lose -= 1
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Plane)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
