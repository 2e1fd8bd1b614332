"""Opening a connection to a name: addresses of both families in turn, name servers that may never answer, and an
end at once when somebody wants it.

RFC 8305 ("Happy Eyeballs") as far as one thread needs it: where the first address says nothing, the next is tried
beside it, and the first that answers is taken. So a family that is dead (a router that gives IPv6 addresses and
carries none of it) costs a moment and not every address's time-out. What answered last is asked first.
"""

from __future__ import annotations

import errno
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sync.errors import NameNotFound, Unreachable

Found = tuple[socket.AddressFamily, int, int, str, Any]
"""One address, as `socket.getaddrinfo` gives it."""
Resolve = Callable[[str, int], Sequence[Found]]
Options = Sequence[tuple[int, int, int | bytes]]

ASK_S = 10.0
"""Seconds for the name server."""
_NEXT_S, _NEXT_MOST_S = 0.25, 2.0
"""Seconds after which the next address is tried beside those that say nothing (RFC 8305, 5 and 8); on a link known
to be slow, longer: each attempt costs bytes too."""
_LOOK_S = 0.1
"""Seconds between two looks at whether somebody wants it to end."""
_ADDRESSES = 12
_WAITING = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, 10035, 10036)
"""What a connection that is on its way says; the last two on Windows."""


@dataclass
class _Known:
    """What answered last for a name: its address, and how many seconds that took."""

    address: str
    seconds: float


_last: dict[tuple[str, int], _Known] = {}
_asking: dict[tuple[str, int], _Question] = {}
_lock = threading.Lock()


class _Question:
    """A question to the name server, asked on a thread of its own: nothing else ends one that is not answered."""

    def __init__(self, host: str, port: int, resolve: Resolve) -> None:
        self.done = threading.Event()
        self.found: Sequence[Found] = ()
        self.error: OSError | None = None
        self._of = (host, port)
        self._resolve = resolve
        threading.Thread(target=self._ask, name="name server", daemon=True).start()

    def _ask(self) -> None:
        try:
            self.found = self._resolve(*self._of)
        except (OSError, UnicodeError) as error:
            self.error = error if isinstance(error, OSError) else OSError(str(error))
        finally:
            with _lock:
                _asking.pop(self._of, None)
            self.done.set()


def system_resolve(host: str, port: int) -> Sequence[Found]:
    """Ask the system. Raises OSError."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def dial(
    host: str,
    port: int,
    seconds: float,
    options: Options = (),
    *,
    called: str = "",
    wanted: Callable[[], bool] = lambda: True,
    resolve: Resolve = system_resolve,
) -> socket.socket:
    """Return a connected socket with a time-out of `seconds`, which bound the connection, not the name server.

    `called`: what it is in words, its name where nothing is given. `wanted`: says False as soon as nobody waits
    for it any more. Raises NameNotFound, Unreachable.
    """
    host = host.strip("[]")
    called = called or host
    found = _addresses(host, port, min(ASK_S, max(seconds, 1.0)), called, wanted, resolve)
    known = _last.get((host, port))
    began = time.monotonic()
    attempts = _Attempts(_in_turn(found, known.address if known else ""), options)
    pause = _NEXT_S if known is None else min(max(_NEXT_S, 2 * known.seconds), _NEXT_MOST_S)
    try:
        one = attempts.first(began + seconds, pause, wanted)
    finally:
        attempts.close()
    if one is None:
        raise Unreachable(f"There is no connection to {called} right now{attempts.why}.")
    if len(_last) > 200:
        _last.clear()
    with suppress(OSError):  # it is gone again already, as whoever uses it will see
        _last[host, port] = _Known(one.getpeername()[0], time.monotonic() - began)
    one.settimeout(seconds)
    return one


def _addresses(
    host: str, port: int, seconds: float, called: str, wanted: Callable[[], bool], resolve: Resolve
) -> Sequence[Found]:
    with _lock:
        question = _asking.get((host, port))
        if question is None:
            question = _asking[host, port] = _Question(host, port, resolve)
    end = time.monotonic() + seconds
    while not question.done.wait(min(_LOOK_S, max(0.0, end - time.monotonic()))):
        if not wanted():
            raise Unreachable(f"The connection to {called} is no longer wanted.")
        if time.monotonic() >= end:
            raise NameNotFound(f"Nobody answered within {seconds:.0f} seconds where {called} is.")
    if question.error is not None or not question.found:
        raise NameNotFound(f"Nobody on this network knows where {called} is.") from question.error
    return question.found[:_ADDRESSES]


def _in_turn(found: Sequence[Found], first: str) -> list[Found]:
    """The addresses with their families in turn (RFC 8305, 4), the one that answered last first."""
    found = sorted(found, key=lambda one: one[4][0] != first)
    families = list(dict.fromkeys(one[0] for one in found))
    lists = [[one for one in found if one[0] == family] for family in families]
    longest = max((len(one) for one in lists), default=0)
    return [one[place] for place in range(longest) for one in lists if place < len(one)]


class _Attempts:
    """Connections on their way, of which the first that is made is wanted."""

    def __init__(self, addresses: Sequence[Found], options: Options) -> None:
        self._addresses: Iterator[Found] = iter(addresses)
        self._options = options
        self._selector = selectors.DefaultSelector()
        self._is_over = False
        self.why = ""
        """What the last of them met, in brackets."""

    def first(self, end: float, pause: float, wanted: Callable[[], bool]) -> socket.socket | None:
        """Return the first that is made, None where none is until `end`, or nobody wants it any more."""
        begin_at = time.monotonic()
        while (now := time.monotonic()) < end and wanted():
            if not self._is_over and (now >= begin_at or not self._selector.get_map()):
                if (made := self._begin()) is not None:
                    return made
                begin_at = time.monotonic() + pause
                continue
            if not self._selector.get_map():
                return None
            left = min(_LOOK_S, end - now, *([] if self._is_over else [max(0.0, begin_at - now)]))
            for key, _events in self._selector.select(left):
                one = key.fileobj
                assert isinstance(one, socket.socket)
                self._selector.unregister(one)
                if self._is_made(one, one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                    return one
        if not self.why and wanted():
            self.why = " (no answer)"
        return None

    def close(self) -> None:
        """Give up those that are on their way."""
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def _begin(self) -> socket.socket | None:
        """Try the next address; returns its socket where that is connected already."""
        address = next(self._addresses, None)
        if address is None:
            self._is_over = True
            return None
        family, kind, protocol, _name, place = address
        try:
            one = socket.socket(family, kind, protocol)
        except OSError as error:
            self.why = _because(error.errno or 0)
            return None
        with suppress(OSError):
            for option in self._options:
                one.setsockopt(*option)
        one.setblocking(False)
        code = one.connect_ex(place)
        if code in _WAITING:
            self._selector.register(one, selectors.EVENT_WRITE)
            return None
        return one if self._is_made(one, code) else None

    def _is_made(self, one: socket.socket, code: int) -> bool:
        if code:
            self.why = _because(code)
            one.close()
            return False
        return True


def _because(code: int) -> str:
    return f" ({errno.errorcode.get(code, code)})" if code else ""
