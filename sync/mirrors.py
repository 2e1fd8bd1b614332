"""Mirrors: other places that serve the same documents and objects. They are used without being trusted.

A mirror may be a content network, a cache in the office or a neighbour. What it gives is verified like anything
else; one that fails, lags or gives something wrong is left alone for the rest of the sync, and the hub is asked
instead. Nothing but public objects is ever asked of it, and it never learns who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from sync.clock import SYSTEM, Clock
from sync.errors import BudgetReached, CaptivePortal, MirrorFailed, NotTrusted, Offline, SyncError
from sync.network import Network
from sync.protocol.errors import ProtocolError
from sync.protocol.neighbours import private_base
from sync.protocol.paths import DOCUMENTS, OBJECTS
from sync.protocol.problems import MEDIA_TYPE
from sync.traffic import Traffic
from sync.transport import HttpTransport, Reply, Request, Transport

ConnectMirror = Callable[[str, Traffic], Transport]
"""Makes the transport to a mirror at an address, counting into the given traffic."""

T = TypeVar("T")

_CONNECT_SECONDS = 4.0
"""A mirror that does not answer soon is no help."""


def connect_mirror(address: str, traffic: Traffic, network: Network | None = None) -> Transport:
    """Return a transport to a mirror; http is allowed, since what comes is proved by its name.

    Raises InsecureAddress.
    """
    in_the_office = private_base(address) is not None
    return HttpTransport(
        address,
        traffic=traffic,
        connect_seconds=_CONNECT_SECONDS,
        public_only=True,
        direct=in_the_office,
        network=network,
    )


def addresses(*lists: object) -> list[str]:
    """Return the usable addresses in settings and heads, each once; what is none is left out."""
    found: list[str] = []
    for one in lists:
        for address in one if isinstance(one, list | tuple) else ():
            if isinstance(address, str) and urlsplit(address).scheme in ("http", "https") and address not in found:
                found.append(address)
    return found


class Learner(Protocol):
    """Takes how whoever gave something did; the hub's address is "" here."""

    def gave(self, address: str, count: int, seconds: float) -> None: ...

    def failed(self, address: str) -> None: ...


class Mirrored:
    """A transport that asks mirrors for public objects first and the hub for everything else."""

    def __init__(
        self,
        hub: Transport,
        mirrors: Sequence[str],
        connect: ConnectMirror = connect_mirror,
        *,
        learner: Learner | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """`mirrors`: their addresses, in the order in which they are asked. `learner` is told how they did."""
        self._hub = hub
        self._learner = learner
        self._clock = clock
        self._connect = connect
        self._addresses = list(mirrors)
        self._mirror: Transport | None = None
        self.mirrored = False
        """Whether the answer opened last comes from a mirror."""
        self._lacking = False

    @property
    def traffic(self) -> Traffic:
        return self._hub.traffic

    @contextmanager
    def open(self, request: Request) -> Iterator[Reply]:
        """As `Transport.open`; raises MirrorFailed where a mirror goes away in the middle."""
        began, before = self._clock.now(), self.traffic.down
        with self._opened(request) as reply:
            try:
                yield reply
            except Offline as error:
                if not self.mirrored:
                    raise
                self.distrust()
                raise MirrorFailed(str(error)) from error
        if self._learner is not None and _is_content(request):
            giver = self._addresses[0] if self.mirrored and self._addresses else ""
            self._learner.gave(giver, self.traffic.down - before, self._clock.now() - began)

    def from_anywhere(self, fetch: Callable[[], T]) -> T:
        """Return what `fetch` gets through this transport: from the mirrors in their order, in the end from the
        hub, whose failures alone are raised."""
        while True:
            try:
                return fetch()
            except MirrorFailed:
                continue  # it is left alone already
            except (ProtocolError, CaptivePortal, NotTrusted):
                if not self.mirrored:
                    raise
                self.distrust()

    def distrust(self) -> None:
        """Leave the mirror in use alone for the rest of this sync; the next one, if any, takes its place."""
        if self._mirror is not None:
            self._mirror.close()
        if self._learner is not None and self._addresses and not self._lacking:
            self._learner.failed(self._addresses[0])  # one that has it not yet has done nothing wrong
        self._lacking = False
        self._mirror = None
        self.mirrored = False
        self._addresses = self._addresses[1:]

    @property
    def has_mirrors(self) -> bool:
        """Whether any mirror is still asked."""
        return bool(self._addresses)

    def leave_mirrors(self) -> None:
        """Ask the hub alone from now on: something that came is wrong, and nobody can say who gave it."""
        while self._addresses:
            self.distrust()

    def interrupt(self) -> None:
        if self._mirror is not None:
            self._mirror.interrupt()
        self._hub.interrupt()

    def close(self) -> None:
        """Close the mirror's connections; the hub's belong to who made them."""
        if self._mirror is not None:
            self._mirror.close()

    @contextmanager
    def _opened(self, request: Request) -> Iterator[Reply]:
        while _is_content(request) and self._addresses:
            context = self._attempt(request)
            if context is not None:
                self.mirrored = True
                with context[0]:
                    yield context[1]
                return
            self.distrust()
        self.mirrored = False
        with self._hub.open(request) as reply:
            yield reply

    def _attempt(self, request: Request) -> tuple[AbstractContextManager[Reply], Reply] | None:
        """Open the request at the mirror; None where it does not serve it."""
        try:
            if self._mirror is None:
                self._mirror = self._connect(self._addresses[0], self._hub.traffic)
            context = self._mirror.open(request)
            reply = context.__enter__()
        except BudgetReached:
            raise
        except SyncError:
            return None
        self._lacking = reply.status == 404
        wanted = (206,) if "Range" in request.headers else (200,)
        if reply.status in wanted and not _is_message(reply):
            return _Entered(context, reply), reply
        with suppress(Offline, CaptivePortal):
            context.__exit__(None, None, None)
        return None


class _Entered(AbstractContextManager[Reply]):
    """A context that was entered already, to be left once."""

    def __init__(self, context: AbstractContextManager[Reply], reply: Reply) -> None:
        self._context = context
        self._reply = reply

    def __enter__(self) -> Reply:
        return self._reply

    def __exit__(self, *_: object) -> None:
        self._context.__exit__(None, None, None)


def _is_content(request: Request) -> bool:
    return request.method == "GET" and request.path.startswith((DOCUMENTS, OBJECTS))


def _is_message(reply: Reply) -> bool:
    """Whether an answer speaks to people, or of a problem, instead of bringing what was asked for."""
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml", MEDIA_TYPE)
