"""A seeded bad link: a TCP proxy in front of a real hub that cuts, stalls, truncates, repeats and corrupts.

Faults count bytes of what the hub answers on one connection, headers included, so that a test can hit every byte
of an answer. Nothing is random unless a seed is given.
"""

from __future__ import annotations

import random
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

_REQUEST_LINE = re.compile(rb"(?:^|\r\n\r\n)([A-Z]+ /[^ \r\n]*) HTTP/1\.1\r\n")

Kind = Literal["none", "cut", "cut-request", "stall", "truncate", "repeat", "corrupt"]


@dataclass(frozen=True)
class Fault:
    """What happens to one connection, after `at` bytes of the answer (or of the request, for cut-request).

    cut: both ends are reset · cut-request: reset before the hub has the whole request · stall: nothing more for
    `seconds`, then a reset · truncate: the connection ends as if all were said · repeat: the hub is given the same
    request twice, as a proxy that tries again would · corrupt: one bit of the byte is flipped.
    """

    kind: Kind = "none"
    at: int = 0
    seconds: float = 0.0


@dataclass
class BadLink:
    """The proxy. `next_faults` are used up one a connection; after them `default` holds.

    `asked`: what was asked for, such as `GET /p/v1/head`, in its order. `faults`: how many answers were cut.
    """

    upstream_port: int
    default: Fault = field(default_factory=Fault)
    next_faults: list[Fault] = field(default_factory=list)
    connections: int = 0
    bytes_down: int = 0
    bytes_up: int = 0
    faults: int = 0
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def random_faults(self, seed: int, share: float, reach: int = 60_000) -> None:
        """From now on a connection fails with probability `share`, in a way and at a byte that `seed` decides."""
        dice = random.Random(seed)
        kinds: list[Kind] = ["cut", "cut-request", "truncate", "repeat", "corrupt", "stall"]

        def draw() -> Fault:
            if dice.random() > share:
                return Fault()
            kind = dice.choice(kinds)
            reach_here = 400 if kind == "cut-request" else reach
            return Fault(kind, int(reach_here * dice.random() ** 3), 0.3)

        self._draw = draw

    _draw = None

    def serve(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        self._closing = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(5)  # from here on no connection begins
        for thread in self._threads:
            thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.next_faults:
                fault = self.next_faults.pop(0)
            elif self._draw is not None:
                fault = self._draw()
            else:
                fault = self.default
            thread = threading.Thread(target=self._carry, args=(client, fault), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _carry(self, client: socket.socket, fault: Fault) -> None:
        try:
            hub = socket.create_connection(("127.0.0.1", self.upstream_port), timeout=30)
        except OSError:
            _reset(client)
            return
        up = threading.Thread(target=self._up, args=(client, hub, fault), daemon=True)
        up.start()
        self._down(client, hub, fault)
        up.join(35)

    def _up(self, client: socket.socket, hub: socket.socket, fault: Fault) -> None:
        passed = bytearray()
        with suppress(OSError):
            while piece := client.recv(16_384):
                if fault.kind == "cut-request" and len(passed) + len(piece) > fault.at:
                    hub.sendall(piece[: max(0, fault.at - len(passed))])
                    _reset(client)
                    _reset(hub)
                    return
                passed += piece
                self.bytes_up += len(piece)
                self.asked += [line.decode() for line in _REQUEST_LINE.findall(piece)]
                hub.sendall(piece)
                if fault.kind == "repeat" and _whole(bytes(passed)):
                    self._again(bytes(passed))
                    passed.clear()
        with suppress(OSError):
            hub.shutdown(socket.SHUT_WR)

    def _again(self, request: bytes) -> None:
        """Give the hub the same request on another connection and throw the answer away."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.upstream_port), timeout=5) as second:
            second.sendall(request)
            second.settimeout(2)
            second.recv(65_536)

    def _down(self, client: socket.socket, hub: socket.socket, fault: Fault) -> None:
        passed = 0
        with suppress(OSError):
            while piece := hub.recv(16_384):
                if passed + len(piece) > fault.at and fault.kind in ("cut", "stall", "truncate"):
                    piece = piece[: max(0, fault.at - passed)]
                    client.sendall(piece)
                    self.bytes_down += len(piece)
                    self.faults += 1
                    if fault.kind == "stall":
                        time.sleep(fault.seconds)
                    if fault.kind == "truncate":
                        client.shutdown(socket.SHUT_WR)
                        client.close()
                    else:
                        _reset(client)
                    _reset(hub)
                    return
                if fault.kind == "corrupt" and passed <= fault.at < passed + len(piece):
                    damaged = bytearray(piece)
                    damaged[fault.at - passed] ^= 0x10
                    piece = bytes(damaged)
                passed += len(piece)
                self.bytes_down += len(piece)
                client.sendall(piece)
        for end in (client, hub):
            with suppress(OSError):
                end.close()


def _whole(request: bytes) -> bool:
    """Whether these bytes are a whole HTTP request with the body that its length announces."""
    head, separator, body = request.partition(b"\r\n\r\n")
    if not separator:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return True


def _reset(end: socket.socket) -> None:
    """Close a connection so that the other side sees a reset, as a link that drops would."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def bad_link(upstream_port: int, default: Fault | None = None) -> Iterator[BadLink]:
    """A link to the hub on `upstream_port`, closed at the end."""
    link = BadLink(upstream_port, default or Fault())
    link.serve()
    try:
        yield link
    finally:
        link.close()
