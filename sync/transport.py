"""Moving bytes between a shelf and its hub: the interface, and the one that speaks HTTP.

Every call has timeouts, no redirect leaves the hub, the machine's own certificates decide about trust, and
bytes are counted as they pass. What an answer means is not known here (sync.answers).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import requests
import truststore
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies
from urllib3.util import SKIP_HEADER

from sync.connections import PIECE, Wire, counted_pools, shut
from sync.errors import (
    BadCertificate,
    CaptivePortal,
    CutOff,
    InsecureAddress,
    NotEnrolled,
    Offline,
    SyncError,
    TimedOut,
    Unreachable,
)
from sync.protocol.paths import is_loopback, normalise_base
from sync.read_ahead import ReadAhead
from sync.traffic import Traffic

CONNECT_SECONDS = 10.0
READ_SECONDS = 15.0
"""Without a single byte: a whole answer may take as long as it needs."""
_AHEAD_FROM = 64 * 1024
"""Bytes of a body from which a thread reads it: what is shorter is read before there is anything else to do."""
_REDIRECTS = 3
_USER_AGENT = "Hubshelf/2"


@dataclass(frozen=True)
class Request:
    """One HTTP request; `path` begins with a slash and is relative to the hub's base address."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def size(self) -> int:
        """About how many bytes it needs on the wire, rather more than fewer."""
        headers = sum(len(name) + len(value) + 4 for name, value in self.headers.items())
        return 200 + len(self.path) + headers + len(self.body or b"")


class Reply(Protocol):
    """The answer to a request: status, headers (names in any case) and the body as it arrives."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def pieces(self) -> Iterator[bytes]:
        """Yield the body in pieces of at most 16 KB; raises Offline where it ends before its announced end."""
        ...


class Transport(Protocol):
    """What the engine needs of a link; fakes implement it too."""

    @property
    def traffic(self) -> Traffic: ...

    def open(self, request: Request) -> AbstractContextManager[Reply]:
        """Send a request. Raises Offline, NotTrusted, CaptivePortal (redirected elsewhere), BudgetReached."""
        ...

    def interrupt(self) -> None:
        """End what is under way, from any thread."""
        ...

    def close(self) -> None: ...


class HttpTransport:
    """HTTP over requests, for one sync and one thread (`interrupt` from any)."""

    def __init__(
        self,
        base: str | None,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        traffic: Traffic | None = None,
        public_only: bool = False,
    ) -> None:
        """`base`: the hub's address, as `sync.protocol.paths.normalise_base` takes it.

        `traffic`: where to count, if with others. `public_only`: nothing secret goes this way and all that comes
        is proved by its name, so plain http will do. Raises NotEnrolled for None, InsecureAddress.
        """
        self.base = checked_base(base, public_only=public_only)
        self.traffic = traffic or Traffic()
        self._wire = Wire(self.traffic)
        self._timeout = (connect_seconds, read_seconds)
        self._session = requests.Session()
        # REQUESTS_CA_BUNDLE and .netrc must not change whom we trust or who we are; proxies are asked for below.
        self._session.trust_env = False
        # Every header is paid for by the person: none that only says what HTTP/1.1 means anyway.
        self._session.headers = CaseInsensitiveDict({"User-Agent": _USER_AGENT, "Accept-Encoding": SKIP_HEADER})
        adapter = _Adapter(self._wire)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __enter__(self) -> HttpTransport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def open(self, request: Request) -> Iterator[Reply]:
        """As `Transport.open`."""
        self.traffic.require(request.size)
        response = self._send(request)
        reply = _HttpReply(response)
        try:
            yield reply
        finally:
            reply.close()

    def interrupt(self) -> None:
        """End a blocked read or write at once; the transport cannot be used afterwards."""
        self._wire.interrupt()

    def close(self) -> None:
        """Close the connections; closing twice does nothing."""
        self._session.close()

    def _send(self, request: Request) -> requests.Response:
        url = self.base + request.path
        for _ in range(_REDIRECTS):
            response = self._ask(request, url)
            if response.status_code not in (301, 302, 303, 307, 308):
                return response
            target = urljoin(url, response.headers.get("Location", ""))
            response.close()
            if not _same_hub(url, target):
                break
            url = target
        raise CaptivePortal(
            "The network sent us elsewhere instead of answering for the hub: it may ask you to sign in first."
        )

    def _ask(self, request: Request, url: str) -> requests.Response:
        before = (self._wire.connections, self.traffic.down)
        try:
            return self._ask_once(request, url)
        except CutOff:
            # A server may close a connection that was kept open just when it is used again. Nothing was
            # answered, and what we ask may be asked twice, so a new connection is worth one attempt; but not
            # for a piece of an upload, of which the hub may have kept a part that need not be sent again.
            moved = (self._wire.connections, self.traffic.down) != before
            if self._wire.interrupted or moved or request.method == "PATCH":
                raise
        return self._ask_once(request, url)

    def _ask_once(self, request: Request, url: str) -> requests.Response:
        opened = self._wire.connections
        self.traffic.requests += 1
        try:
            return self._session.request(
                request.method,
                url,
                headers=dict(request.headers),
                data=request.body,
                stream=True,
                allow_redirects=False,
                timeout=self._timeout,
                proxies=_proxies(url),
            )
        except requests.RequestException as error:
            known = _offline(error, url)
            if isinstance(known, Unreachable) and self._wire.connections == opened:
                self.traffic.requests -= 1  # none was made
            raise known from error


def checked_base(address: str | None, *, public_only: bool = False) -> str:
    """Return the base address of a hub in its one form. Raises NotEnrolled for None or "", InsecureAddress."""
    if not address:
        raise NotEnrolled("This shelf belongs to no hub yet.")
    try:
        return normalise_base(address, plain=public_only)
    except ValueError as error:
        raise InsecureAddress(str(error)) from None


class _HttpReply:
    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self._ahead: ReadAhead | None = None
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def pieces(self) -> Iterator[bytes]:
        announced = self.headers.get("Content-Length", "0").strip()
        if not announced.isdigit() or int(announced) < _AHEAD_FROM:
            return self._read(announced)
        self._ahead = ReadAhead(self._read(announced))
        return self._ahead

    def close(self) -> None:
        """Give the connection back, or end it where not all of the answer was read."""
        if self._ahead is not None:
            connection = self._response.raw.connection
            sock = None if connection is None else connection.sock
            # A connection with a thread in the middle of a read cannot be closed: the read is ended first.
            self._ahead.stop(lambda: None if sock is None else shut(sock))
        self._response.close()

    def _read(self, announced: str) -> Iterator[bytes]:
        if not announced.isdigit():
            # Reading on would wait for an end that does not come.
            raise CutOff("The answer arrived damaged.")
        raw: urllib3.HTTPResponse = self._response.raw
        count = 0
        while True:
            try:
                # read1: what has arrived, without waiting for a full piece, so that a cut loses nothing of it.
                piece = raw.read1(PIECE, decode_content=False)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise _offline(error, self._response.url) from error
            if not piece:
                break
            count += len(piece)
            yield piece
        if count < int(announced):
            raise CutOff(f"The link went away after {count:,} of {int(announced):,} bytes.")


class _Adapter(HTTPAdapter):
    """Connections that report to a `Wire` and trust what the computer trusts."""

    def __init__(self, wire: Wire) -> None:
        self._pools = counted_pools(wire)
        self._context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        super().__init__(pool_connections=2, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        # Without the bundle that requests would load: the context asks the system's own store.
        conn.cert_reqs = "CERT_REQUIRED"


def _proxies(url: str) -> dict[str, str]:
    host = urlsplit(url).hostname or ""
    return {} if is_loopback(host) else get_environ_proxies(url)


def _same_hub(url: str, target: str) -> bool:
    here, there = urlsplit(url), urlsplit(target)
    return there.scheme == "https" and here.scheme == "https" and here.netloc == there.netloc and url != target


def _offline(error: Exception, url: str | None) -> SyncError:
    host = urlsplit(url or "").hostname or "the hub"
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, SyncError):
            return cause
        if isinstance(cause, ssl.SSLCertVerificationError):
            return BadCertificate(f"This computer does not trust the certificate that {host} showed.")
    for cause in causes:
        if isinstance(cause, urllib3.exceptions.ProxyError):
            return Unreachable(f"The proxy of this network did not let us through to {host}.")
        if isinstance(cause, urllib3.exceptions.ReadTimeoutError | requests.ReadTimeout):
            return TimedOut(f"{host} did not answer in time.")
        if isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
            return Unreachable(f"There is no connection to {host} right now.")
    if any(isinstance(cause, urllib3.exceptions.HTTPError | OSError) for cause in causes[1:]) or not isinstance(
        error, requests.RequestException
    ):
        return CutOff(f"The link to {host} went away in the middle.")
    return Offline(f"{host} could not be reached ({type(error).__name__}).")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it wraps: libraries keep causes in args, `reason` or `__cause__`."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [*found.args, getattr(found, "reason", None), found.__cause__, found.__context__]
