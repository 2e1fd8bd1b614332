"""Connections that count every byte of HTTP, notice a cut inside headers, and can be interrupted.

`http.client` takes headers that stop in the middle for complete ones, and a blocked read ends only when its
socket is shut down; both are seen to here, below urllib3.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import sys
import threading
import time
from typing import Any, Protocol

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from sync.dialling import dial
from sync.errors import TimedOut
from sync.traffic import Traffic

CONNECT_SECONDS = 10.0
"""For a connection to be made, where nobody said otherwise."""
PIECE = 16 * 1024
"""Bytes read at a time, at most."""
STALL_SECONDS = 60.0
STALL_BYTES = 512
"""An answer that brings less than STALL_BYTES in STALL_SECONDS is given up: something holds the link open."""


IDLE_SECONDS = 20.0
"""A connection that nothing went over for so long is not used again: servers close theirs after a while (our hub
after 30 seconds), and a request that leaves just then is paid for and reaches nobody."""


class Wire:
    """What all connections of one transport share: the count of bytes and the open sockets."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.interrupted = False
        self.connections = 0
        """How many were opened so far."""
        self.certificate: bytes | None = None
        """What the server of the newest connection with TLS showed, and was believed (DER)."""

    def opened(self, connection: object) -> None:
        """Note the socket of a new connection; after an interruption it is shut at once."""
        self.connections += 1
        if not isinstance(connection, socket.socket):
            return
        with self._lock:
            self._sockets = [known for known in self._sockets if known.fileno() >= 0]
            self._sockets.append(connection)
            interrupted = self.interrupted
        if interrupted:
            shut(connection)

    def shown(self, connection: object) -> None:
        """Note the certificate of a new connection."""
        show = getattr(connection, "getpeercert", None)
        if show is not None:
            with contextlib.suppress(OSError, ValueError):
                self.certificate = show(True)

    def interrupt(self) -> None:
        """End every read and write that is under way, from any thread; nothing can be sent afterwards."""
        with self._lock:
            self.interrupted = True
            sockets = list(self._sockets)
        for one in sockets:
            shut(one)


def shut(one: socket.socket) -> None:
    """End every read and write of a socket that is under way, from any thread; it still has to be closed."""
    # An error means that it was closed in the meantime, by us or by the other side.
    with contextlib.suppress(OSError):
        # Not SSLSocket.shutdown, which takes the TLS state away from the thread that reads.
        socket.socket.shutdown(one, socket.SHUT_RDWR)
    if sys.platform == "win32":
        # There a read that is under way may go on after that; it ends with its handle, and fails as a cut does.
        with contextlib.suppress(OSError):
            socket.close(one.detach())


class _CountingReader(io.RawIOBase):
    """The bytes of one answer, counted; gives up on an answer that stands still."""

    def __init__(self, source: Any, traffic: Traffic) -> None:
        self._source = source
        self._traffic = traffic
        self._since = time.monotonic()
        self._lately = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        count = self._traffic.read(len(buffer), lambda most: self._source.readinto(view[:most]) or 0)
        self._watch(count)
        return count

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()

    def _watch(self, count: int) -> None:
        self._lately += count
        elapsed = time.monotonic() - self._since
        if self._lately >= STALL_BYTES:
            self._since, self._lately = time.monotonic(), 0
        elif elapsed > STALL_SECONDS and count:
            raise TimedOut(f"The hub's answer almost stood still: {self._lately} bytes in {elapsed:.0f} seconds.")


class _Lines(io.BufferedReader):
    """Remembers the last line read: headers end with an empty one, unless they were cut."""

    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(-1 if size is None else size)
        return self.last


class _Answer(http.client.HTTPResponse):
    traffic: Traffic

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._lines = _Lines(_CountingReader(self.fp.detach(), self.traffic), PIECE)
        self.fp = self._lines

    def begin(self) -> None:
        super().begin()
        if self._lines.last not in (b"\r\n", b"\n"):
            self.close()
            raise http.client.RemoteDisconnected("the connection ended inside the headers of the answer")


class Ahead(Protocol):
    """A connection on which one request may leave while the answer to the last one arrives (RFC 9112, 9.3.2)."""

    last_request: bytes
    sock: Any

    def send_ahead(self, request: bytes) -> None:
        """Send a request whose answer will be read next; it must then be asked for in the same words.

        Only after the headers of the answer before it were read, so that nothing of its own answer is read with
        them.
        """
        ...

    @property
    def waits_ahead(self) -> bool:
        """Whether the answer to such a request is still to be asked for."""
        ...

    def close(self) -> None: ...


class _Counted:
    """What both kinds of connection have in common: they count, and are `Ahead`."""

    wire: Wire
    sock: Any
    last_request = b""
    idle_since = 0.0
    _ahead = b""

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # of the class it is mixed into
        self.wire.opened(self.sock)
        self.wire.shown(self.sock)

    def _new_conn(self) -> socket.socket:
        """As in urllib3, but with both families of addresses at once, and an end when somebody wants it."""
        of: Any = self
        seconds = of.timeout if isinstance(of.timeout, int | float) else CONNECT_SECONDS
        return dial(
            *(of._dns_host, of.port, seconds, of.socket_options or ()),
            called=f"the proxy {of.host}" if of.proxy else of.host,
            wanted=lambda: not self.wire.interrupted,
        )

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # what finds no connection was not sent
        if self._ahead:
            left, self._ahead = self._ahead, b""
            if left == data:
                self.wire.traffic.asked(-1)  # counted when it left
                return
            self.close()
            raise http.client.RemoteDisconnected("another answer comes first on this connection")
        self.wire.traffic.send(len(data))
        super().send(data)  # type: ignore[misc]
        self.last_request = bytes(data)

    def send_ahead(self, request: bytes) -> None:
        self.wire.traffic.send(len(request))
        super().send(request)  # type: ignore[misc]
        self.wire.traffic.asked()
        self.last_request = self._ahead = request

    @property
    def waits_ahead(self) -> bool:
        return bool(self._ahead)

    @property
    def is_connected(self) -> bool:
        """What the pool asks before it uses a connection again."""
        if self._ahead:
            return True  # what can be read is the answer that is due
        fresh = time.monotonic() - self.idle_since < IDLE_SECONDS
        return bool(fresh and super().is_connected)  # type: ignore[misc]

    def close(self) -> None:
        self._ahead = b""
        super().close()  # type: ignore[misc]


def counted_pools(wire: Wire) -> dict[str, type[HTTPConnectionPool]]:
    """Return the pool classes, by URL scheme, whose connections report to `wire` and can send `Ahead`."""

    class Answer(_Answer):
        traffic = wire.traffic

    carrier = wire

    class Connection(_Counted):
        wire = carrier

    class Plain(Connection, HTTPConnection):
        response_class = Answer

    class Secure(Connection, HTTPSConnection):
        response_class = Answer

    class Idle:
        def _put_conn(self, connection: Any) -> None:
            if connection is not None:
                connection.idle_since = time.monotonic()
            super()._put_conn(connection)  # type: ignore[misc]

    class PlainPool(Idle, HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(Idle, HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
