"""A proxy on loopback that counts what passes and can be asked at any time.

It stands between a shelf and an emulated link, at one address for the shelf's whole life, while the link behind it
is exchanged. It adds no delay of its own. A cut on one side becomes a cut on the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_REQUEST = re.compile(rb"(?:GET|POST|HEAD|PATCH|PUT|DELETE|OPTIONS) /\S* HTTP/1\.[01]\r\n")
_TAIL = 8192  # a request line that was cut by the reading is looked for again in so many bytes


@dataclass(frozen=True)
class Counted:
    """Payload bytes of TCP as seen at the shelf's side; `requests` are HTTP request lines (0 under TLS)."""

    up: int = 0
    down: int = 0
    connections: int = 0
    requests: int = 0

    def __sub__(self, before: Counted) -> Counted:
        return Counted(
            self.up - before.up,
            self.down - before.down,
            self.connections - before.connections,
            self.requests - before.requests,
        )


class Counter:
    """The proxy; `port` is where it listens, `upstream` the port on 127.0.0.1 that it passes connections to.

    Runs an event loop in a thread of its own. Raises OSError where `port` is taken.
    """

    def __init__(self, port: int = 0, *, host: str = "127.0.0.1", upstream: int = 0) -> None:
        self.upstream = upstream
        self.upstream_host = host
        self._up = self._down = self._connections = self._requests = 0
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", port))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="counter", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def counted(self) -> Counted:
        """What has passed so far; may be asked from any thread while bytes pass."""
        return Counted(self._up, self._down, self._connections, self._requests)

    async def _serve(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        self._connections += 1
        far_out: asyncio.StreamWriter | None = None
        try:
            far, far_out = await asyncio.open_connection(self.upstream_host, self.upstream)
            await asyncio.gather(self._upwards(near, far_out), self._downwards(far, near_out))
            near_out.close()
            far_out.close()
        except (OSError, asyncio.CancelledError):
            for writer in (near_out, far_out):
                if writer is not None:
                    writer.transport.abort()

    async def _upwards(self, near: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        tail = b""
        while piece := await near.read(65536):
            self._up += len(piece)
            seen = tail + piece
            end = 0
            for found in _REQUEST.finditer(seen):
                self._requests += 1
                end = found.end()
            tail = seen[max(end, len(seen) - _TAIL) :]
            out.write(piece)
            await out.drain()
        _finish(out)

    async def _downwards(self, far: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        while piece := await far.read(65536):
            self._down += len(piece)
            out.write(piece)
            await out.drain()
        # A server that closed will not read what the shelf might still send: the connection is over.
        out.close()

    def close(self) -> None:
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _shut(self) -> None:
        self._server.close()
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _finish(out: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        if out.can_write_eof():
            out.write_eof()


if __name__ == "__main__":  # PORT HOST UPSTREAM: a relay in a network of its own, until it is ended
    with Counter(int(sys.argv[1]), host=sys.argv[2], upstream=int(sys.argv[3])):
        print("listening", flush=True)
        threading.Event().wait()
