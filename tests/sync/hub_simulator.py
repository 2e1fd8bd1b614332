"""A hub in a thread: a real HTTP server on loopback that speaks both planes, with switches for every fault.

It keeps to the wire by using `sync.protocol` itself and holds nothing but dictionaries, so that a test can look
at what took effect. `log` has every request in the order of arrival. `answer` needs no socket.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sync.protocol import VERSION, envelope, messages_v1
from sync.protocol.errors import ProtocolError
from sync.protocol.head import Head
from sync.protocol.messages import (
    EnrolRequest,
    EnrolResponse,
    Operation,
    Receipt,
    SyncRequest,
    SyncResponse,
    token_hash,
)
from sync.protocol.paths import DOCUMENTS, ENROL, HEAD, MAC_HEADER, OBJECTS, ROOT, SYNC, SYNC_V1
from sync.protocol.problems import MEDIA_TYPE, Problem
from sync.protocol.signing import SigningKey
from sync.protocol.trust import make_root
from sync.protocol.wire_json import sha256
from tests.sync.inlined_things import things
from tests.sync.published_feeds import PublishedFeeds

EXPIRES = "2099-01-01T00:00:00Z"


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    range: str = ""
    size: int = 0
    """Bytes of its body."""

    @property
    def kind(self) -> str:
        """What was asked for: head, root, document, object, sync or enrol."""
        return self.path.split("/")[3].removesuffix("s")


@dataclass
class Answer:
    """What the hub would say, before a fault gets at it."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> bytes:
        """The status line and the headers as they are sent."""
        lines = [f"HTTP/1.1 {self.status} Whatever"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if not {"Content-Length", "Transfer-Encoding"} & self.headers.keys():
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n"


Fault = Callable[[Seen, Answer], "Answer | None"]
"""Changes an answer; None means: say nothing at all and keep the connection open."""


class HubSimulator(PublishedFeeds):
    """A hub whose whole state is in its attributes. Use as a context manager: it serves meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "Simulated hub"
        self.root_key = SigningKey.generate()
        self.head_key = SigningKey.generate()
        self.roots = [make_root(1, [self.root_key.public], [self.head_key.public], EXPIRES, [self.root_key])]
        self.head: bytes | None = None
        self.expires = EXPIRES
        self.codes: dict[str, str | None] = {}
        self.devices: dict[str, str] = {}
        self.effects: dict[str, list[Operation]] = {}
        self.receipts: dict[str, Receipt] = {}
        self.numbers: dict[tuple[str, int, int], str] = {}
        """What took each number: (device's token, epoch, counter) → id of the operation."""
        self.items: list[dict[str, Any]] = []
        self.reject: dict[str, Problem] = {}
        self.refuse_requests_with: set[str] = set()
        self.unsettled: set[str] = set()
        self.page = 200
        self.inlines = True
        self.most_inlined = 4 * 1024 * 1024
        """Bytes behind one answer."""
        self.speaks_v2 = True
        self.requests: list[SyncRequest] = []
        self.nonce: str | bytes = ""
        self.log: list[Seen] = []
        # Faults
        self.fault: Fault | None = None
        self.cut_after: dict[str, list[int]] = {}
        self.stalled = threading.Event()
        self._lock = threading.Lock()

    # Publishing

    def publish(self, changes: Mapping[str, list[dict[str, Any]]], *, segment_records: int = 1000) -> Head:
        """Publish records and deletions by stream as the next version."""
        with self._lock:
            self.change(changes, segment_records)
            return self._sign()

    def _sign(self) -> Head:
        head = Head(
            self.epoch,
            self.version,
            len(self.roots),
            VERSION,
            self.list_all(),
            self.name,
            "2026-01-01T00:00:00Z",
            self.expires,
        )
        self.head = head.sign(self.head_key)
        return head

    def rotate_head_key(self) -> None:
        """The next root names a new head key; the next publication is signed with it."""
        self.head_key = SigningKey.generate()
        self.roots.append(
            make_root(
                len(self.roots) + 1, [self.root_key.public], [self.head_key.public], EXPIRES, [self.root_key]
            )
        )

    def restore(self, *, forget_operations: int = 0, segment_records: int = 1000) -> None:
        """Come back from a backup: a new epoch, every feed whole again, the last operations forgotten."""
        for operation in list(self.receipts)[len(self.receipts) - forget_operations :]:
            del self.receipts[operation]
            del self.effects[operation]
        self.numbers = {number: id_ for number, id_ in self.numbers.items() if id_ in self.receipts}
        self.items = [item for item in self.items if item["id"] in self.receipts or item["type"] != "request"]
        self.begin_epoch(segment_records)
        self._sign()

    # The planes

    def answer(self, seen: Seen, headers: Mapping[str, str], body: bytes) -> Answer:
        if seen.path == HEAD:
            return self._head(headers)
        if seen.path.startswith(ROOT):
            number = int(seen.path.removeprefix(ROOT))
            return Answer(body=self.roots[number - 1]) if number <= len(self.roots) else _problem("not-found", 404)
        if seen.path.startswith(OBJECTS):
            return self._object(seen, self.objects.get(seen.path.removeprefix(OBJECTS)))
        if seen.path.startswith(DOCUMENTS):
            name = seen.path.removeprefix(DOCUMENTS)
            return self._object(seen, self.frame(name) if name in self.documents else None)
        if seen.path == ENROL:
            return self._enrol(EnrolRequest.from_bytes(body))
        if seen.path == SYNC and self.speaks_v2:
            return self._sync(body)
        if seen.path == SYNC:
            return Answer(404, b"<h1>Not Found</h1>", {"Content-Type": "text/html; charset=utf-8"})
        if seen.path == SYNC_V1:
            return self._sync_as_before(headers, body)
        return _problem("not-found", 404)

    def _head(self, headers: Mapping[str, str]) -> Answer:
        if self.head is None:
            return _problem("not-published", 404, "wait")
        tag = f'"{sha256(self.head)[:16]}"'
        if headers.get("If-None-Match") == tag:
            return Answer(304, b"", {"ETag": tag})
        return Answer(200, self.head, {"ETag": tag, "Content-Type": "text/plain"})

    def _object(self, seen: Seen, data: bytes | None) -> Answer:
        if data is None:
            return _problem("not-found", 404, "resync")
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", seen.range)
        if not found:
            return Answer(200, data, {"Content-Type": "application/octet-stream"})
        start, end = int(found[1]), int(found[2]) + 1 if found[2] else len(data)
        end = min(end, len(data))
        given = {
            "Content-Range": f"bytes {start}-{end - 1}/{len(data)}",
            "Content-Type": "application/octet-stream",
        }
        return Answer(206, data[start:end], given)

    def _enrol(self, request: EnrolRequest) -> Answer:
        if request.code not in self.codes:
            return _problem("unknown-code", 403)
        used = self.codes[request.code]
        if used not in (None, request.token):
            return _problem("code-used", 403)
        self.codes[request.code] = request.token
        self.devices[token_hash(request.token)] = request.token
        answer = EnrolResponse(self.name, "Amina", "amina@example.org", self.roots[-1])
        return Answer(body=answer.to_bytes(), headers={"Content-Type": "application/json"})

    def _sync(self, body: bytes) -> Answer:
        try:
            token, nonce, request = envelope.read_ask(body)
        except ProtocolError:
            return _problem("malformed", 400, "retry")
        if token_hash(token) not in self.devices:
            return _problem("unknown-device", 401, "auth")
        self.nonce = nonce
        self.requests.append(request)
        found = self._respond(token, request)
        if isinstance(found, Answer):
            return found
        message = envelope.answer(token, nonce, found, request.operations)
        room = min(request.room, self.most_inlined) if self.inlines and not found.more else 0
        message += b"".join(things(self, request, room))
        return Answer(200, message, {"Content-Type": "application/octet-stream"})

    def _sync_as_before(self, headers: Mapping[str, str], body: bytes) -> Answer:
        token = self.devices.get(token_hash(headers.get("Authorization", "").removeprefix("Bearer ")))
        if token is None:
            return _problem("unknown-device", 401, "auth")
        old = messages_v1.SyncRequest.from_bytes(body)
        self.nonce = old.nonce
        found = self._respond(token, SyncRequest(old.head, old.personal, old.operations))
        if isinstance(found, Answer):
            return found
        answer = messages_v1.SyncResponse(
            found.epoch, found.cursor, found.receipts, found.items, found.more, found.head
        ).to_bytes()
        mac = messages_v1.answer_mac(token, old.nonce, answer)
        return Answer(200, answer, {MAC_HEADER: mac, "Content-Type": "application/json"})

    def _respond(self, token: str, request: SyncRequest) -> SyncResponse | Answer:
        receipts = []
        if any(operation.id in self.refuse_requests_with for operation in request.operations):
            return _problem("malformed", 400, "drop")
        for operation in request.operations:
            known = self.receipts.get(operation.id)
            number = (token, operation.epoch, operation.counter)
            if known is None and self.numbers.get(number, operation.id) != operation.id:
                return _problem("counter-reused", 409, "resync")
            if operation.id not in self.unsettled:
                receipts.append(known or self._take(token, operation))
        since = request.personal[1] if request.personal[0] == self.epoch else 0
        items = self.items[since : since + self.page]
        head = None
        if self.head is not None and request.head != (self.epoch, self.version):
            head = self.head
        cursor = since + len(items)
        return SyncResponse(self.epoch, cursor, receipts, items, cursor < len(self.items), head)

    def _take(self, token: str, operation: Operation) -> Receipt:
        self.numbers[token, operation.epoch, operation.counter] = operation.id
        problem = self.reject.get(operation.id)
        if problem is not None:
            receipt = Receipt(operation.id, False, problem=problem)
        else:
            receipt = Receipt(operation.id, True, operation.id, "2026-01-01T00:00:00Z", "submitted")
            self.effects.setdefault(operation.id, []).append(operation)
            if operation.kind == "ask":
                self.items.append({"type": "request", **operation.body, "id": operation.id, "state": "submitted"})
        self.receipts[operation.id] = receipt
        return receipt

    def invite(self) -> str:
        """Return a new one-time code."""
        code = secrets.token_hex(6)
        self.codes[code] = None
        return code

    # Serving

    def __enter__(self) -> HubSimulator:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stalled.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def counting(self) -> Iterator[list[Seen]]:
        """Give a list of the requests that arrive meanwhile."""
        start = len(self.log)
        found: list[Seen] = []
        yield found
        found += self.log[start:]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is part of the tests."""


def _problem(code: str, status: int, action: Any = "wait") -> Answer:
    problem = Problem(code, f"{code} was the answer.", action, status)
    return Answer(status, problem.to_bytes(), {"Content-Type": MEDIA_TYPE})


def _handler(hub: HubSimulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen = Seen(self.command, self.path, self.headers.get("Range", ""), len(body))
            with hub._lock:
                hub.log.append(seen)
                answer: Answer | None = hub.answer(seen, self.headers, body)
                if hub.fault is not None:
                    assert answer is not None
                    answer = hub.fault(seen, answer)
                cuts = hub.cut_after.get(seen.kind, [])
                cut = cuts.pop(0) if cuts else None
            if answer is None:
                hub.stalled.wait(30)
                self.close_connection = True
                return
            whole = answer.head + answer.body
            self.wfile.write(whole if cut is None else whole[:cut])
            if (cut is not None and cut < len(whole)) or answer.headers.get("Connection") == "close":
                self.close_connection = True

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    return Handler
