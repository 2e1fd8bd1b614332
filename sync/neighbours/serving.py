"""Giving to neighbours over HTTP: bounded in connections, bytes a second and patience, on private networks only.

Only GET and HEAD of the names that `Given` knows; everything else is 404. What is asked is never logged.
"""

from __future__ import annotations

import io
import re
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, BinaryIO

from sync.connections import shut
from sync.neighbours.giving import Given
from sync.protocol.neighbours import STATE, State, is_private

CONNECTIONS = 24
"""Connections at a time, in all."""
CONNECTIONS_EACH = 4
"""Connections at a time of one neighbour."""
RATE = 4 * 1024 * 1024
"""Bytes a second, for all together: an office's wireless network is other people's too."""
_PATIENCE_S = 15.0
"""Seconds without a byte of a request, or without one taken of an answer."""
_REQUESTS_EACH = 200
"""Requests on one connection."""
REQUEST_S = 10.0
"""Seconds from the first byte of a request to its last: who drips holds a connection no longer than that."""
_REQUEST = 8 * 1024
"""Bytes of a request with all its headers."""
_END_S = 2.0
"""Seconds for the answers that are under way to end, when it stops."""
_PIECE = 32 * 1024
_LINE = 512
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


class Server:
    """Serves until it is stopped. `gave` is told (neighbour's address, bytes) after each answer with content."""

    def __init__(
        self,
        given: Given,
        state: Callable[[], State],
        hosts: Sequence[str],
        port: int = 0,
        *,
        rate: int = RATE,
        request_s: float = REQUEST_S,
        gave: Callable[[str, int], None] = lambda _peer, _count: None,
    ) -> None:
        """Listen on `hosts` (private addresses; others are left out), all on one `port` (0: one that is free).

        `rate`: bytes a second; `request_s`: seconds that a request may take to arrive. Raises OSError where none
        of them can be listened on.
        """
        self.given, self.state, self.gave = given, state, gave
        self.request_s = request_s
        self._tokens = _Bucket(rate)
        self._lock = threading.Lock()
        self._gone = threading.Condition(self._lock)
        self._peers: Counter[str] = Counter()
        self._servers: list[_Listener] = []
        self._threads: list[threading.Thread] = []
        failed: OSError | None = None
        for host in hosts:
            if not is_private(host):
                continue
            try:
                made = _Listener(host, self.port if self._servers else port, self)
            except OSError as error:
                failed = error
                continue
            self._servers.append(made)
        if not self._servers:
            raise failed or OSError("there is no private network to listen on")

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._servers[0].server_address[1])

    def start(self) -> None:
        """Answer from now on, in threads of its own."""
        for one in self._servers:
            thread = threading.Thread(target=one.serve_forever, args=(0.2,), name="neighbours", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Listen no more, and end what is being answered."""
        for one in self._servers:
            if self._threads:
                one.shutdown()
            one.server_close()
            one.end_all()
        for thread in self._threads:
            thread.join(5)
        with self._lock:  # what was given is told before this returns, if it can be
            self._gone.wait_for(lambda: not self._peers.total(), _END_S)

    def enter(self, peer: str) -> bool:
        """Whether one more connection of this neighbour is taken."""
        with self._lock:
            if not is_private(peer) or self._peers.total() >= CONNECTIONS or self._peers[peer] >= CONNECTIONS_EACH:
                return False
            self._peers[peer] += 1
            return True

    def leave(self, peer: str) -> None:
        with self._lock:
            self._peers[peer] -= 1
            if self._peers[peer] <= 0:
                del self._peers[peer]
            self._gone.notify_all()

    def may_send(self, count: int) -> None:
        """Wait until so many bytes may leave."""
        self._tokens.take(count)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 16
    allow_reuse_address = sys.platform != "win32"  # there it lets two programs have one port at the same time

    def __init__(self, host: str, port: int, server: Server) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.of = server
        self._open: dict[socket.socket, str] = {}
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        if sys.platform == "win32":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        # HTTPServer's asks a name server what this computer is called, and an office may have none that answers.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def verify_request(self, request: Any, client_address: Any) -> bool:
        peer = str(client_address[0])
        if not self.of.enter(peer):
            return False
        self._open[request] = peer
        return True

    def shutdown_request(self, request: Any) -> None:
        if (peer := self._open.pop(request, None)) is not None:
            self.of.leave(peer)
        super().shutdown_request(request)

    def process_request(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be started: it is closed like any other
            self.shutdown_request(request)

    def end_all(self) -> None:
        for one in list(self._open):
            shut(one)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A neighbour that goes away, or that says something odd, is nobody's concern."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    server_version = "Hubshelf"
    sys_version = ""
    timeout = _PATIENCE_S
    raw_requestline: bytes
    _asked = 0

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._asking = _Asking(self.connection, self.server.of.request_s)
        self.rfile = io.BufferedReader(self._asking, 1024)

    def handle_one_request(self) -> None:
        self._asked += 1
        self._asking.begin()
        if self._asked > _REQUESTS_EACH:
            self.close_connection = True
            return
        super().handle_one_request()

    def parse_request(self) -> bool:
        if len(self.raw_requestline) > _LINE:
            self.requestline, self.request_version, self.command = "", "HTTP/1.1", ""
            self._nothing(414)
            return False
        return super().parse_request()

    def do_GET(self) -> None:
        if self.headers.get("Content-Length") or self.headers.get("Transfer-Encoding"):
            self._nothing(400)
            return
        if self.path == STATE:
            body = self.server.of.state().to_bytes()
            self._send(
                200, [body], len(body), {"Content-Type": "application/json", "Cache-Control": "no-store"}, False
            )
            return
        found = self.server.of.given.open(self.path)
        if found is None:
            self._send(404, [], 0, {})
        elif isinstance(found, bytes):
            self._part(len(found), lambda start, count: iter([found[start : start + count]]))
        else:
            with found as file:
                self._part(file.seek(0, 2), lambda start, count: _read(file, start, count))

    do_HEAD = do_GET

    def _part(self, size: int, pieces: Callable[[int, int], Iterator[bytes]]) -> None:
        kind = {"Content-Type": "application/octet-stream"}
        wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
        if wanted is None:
            self._send(200, pieces(0, size), size, kind)
            return
        start = int(wanted[1])
        end = min(size, int(wanted[2]) + 1) if wanted[2] else size
        if start >= end:
            self._send(416, [], 0, {"Content-Range": f"bytes */{size}"})
            return
        said = {**kind, "Content-Range": f"bytes {start}-{end - 1}/{size}"}
        self._send(206, pieces(start, end - start), end - start, said)

    def _send(
        self,
        status: int,
        pieces: Iterator[bytes] | list[bytes],
        size: int,
        headers: dict[str, str],
        counts: bool = True,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        sent = 0
        if self.command != "HEAD":
            for piece in pieces:
                for at in range(0, len(piece), _PIECE):
                    part = piece[at : at + _PIECE]
                    self.server.of.may_send(len(part))
                    self.wfile.write(part)
                    sent += len(part)
        if sent < size and self.command != "HEAD":
            self.close_connection = True  # the file became shorter: nothing else may follow on this connection
        if counts and sent:
            self.server.of.gave(self.client_address[0], sent)

    def _nothing(self, status: int) -> None:
        self.close_connection = True
        self._send(status, [], 0, {"Connection": "close"})

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Without the page that the base class makes of what was asked."""
        self._nothing(code)

    def log_message(self, *_: object) -> None:
        """What neighbours read is theirs."""


class _Asking(io.RawIOBase):
    """What a neighbour sends, bounded in bytes and in time for each request, which Python's reader does not do."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._seconds = connection, seconds
        self.begin()

    def begin(self) -> None:
        """The next request may come."""
        self._left = _REQUEST
        self._until: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises TimeoutError where it takes too long, and HTTPException where it is too much."""
        if self._left <= 0:
            raise HTTPException("too much for a request")
        left = _PATIENCE_S if self._until is None else self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("too long for a request")
        self._connection.settimeout(min(left, _PATIENCE_S))
        try:
            count = self._connection.recv_into(buffer, min(self._left, len(memoryview(buffer))))
        finally:
            self._connection.settimeout(_PATIENCE_S)
        if self._until is None:
            self._until = time.monotonic() + self._seconds
        self._left -= count
        return count


def _read(file: BinaryIO, start: int, count: int) -> Iterator[bytes]:
    file.seek(start)
    while count > 0:
        piece = file.read(min(_PIECE, count))
        if not piece:
            return
        count -= len(piece)
        yield piece


class _Bucket:
    """So many bytes a second, and a second's worth at once."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._left = float(rate)
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def take(self, count: int) -> None:
        with self._lock:
            now = time.monotonic()
            self._left = min(float(self._rate), self._left + (now - self._at) * self._rate) - count
            self._at = now
            wait = -self._left / self._rate if self._left < 0 else 0.0
        if wait > 0:
            time.sleep(wait)
