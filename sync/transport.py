"""Moving bytes between a shelf and its hub: the interface, and the one that speaks HTTP.

Every call has timeouts, no redirect leaves the hub, the machine's own certificates decide about trust, and
bytes are counted as they pass. What an answer means is not known here (sync.answers).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import requests
import truststore
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.util import SKIP_HEADER

from sync.certificates import issuer_of, signer_at
from sync.connections import CONNECT_SECONDS, Wire, counted_pools
from sync.errors import (
    BadCertificate,
    CaptivePortal,
    CutOff,
    InsecureAddress,
    NotEnrolled,
    ProxyWantsLogin,
    Unreachable,
)
from sync.network import Network
from sync.piecewise import InPieces
from sync.protocol.paths import normalise_base
from sync.replies import HttpReply, offline
from sync.traffic import Traffic

READ_SECONDS = 15.0
"""Without a single byte: a whole answer may take as long as it needs."""
_REDIRECTS = 3
_FAILURES = 2
"""So many requests sent ahead that brought nothing, one after another: something on the way does not know them."""
_USER_AGENT = "Hubshelf/2"


@dataclass(frozen=True)
class Request:
    """One HTTP request; `path` begins with a slash and is relative to the hub's base address."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    piece: int = 0
    """A range of an object may be asked for in pieces of so many bytes; 0: in one. A hint, seen in no answer."""
    first_piece: int = 0
    """The bytes of the first of them, where it is longer; else 0."""

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
        direct: bool = False,
        network: Network | None = None,
    ) -> None:
        """`base`: the hub's address, as `sync.protocol.paths.normalise_base` takes it.

        `traffic`: where to count, if with others. `public_only`: nothing secret goes this way and all that comes
        is proved by its name, so plain http will do. `direct`: without a proxy. `network`: which proxy, and whom
        to trust besides the system. Raises NotEnrolled for None, InsecureAddress, BadCertificate (of its bundle).
        """
        self.base = checked_base(base, public_only=public_only)
        self._public_only = public_only
        self._direct = direct
        self._network = network or Network()
        self.traffic = traffic or Traffic()
        self._wire = Wire(self.traffic)
        self._timeout = (connect_seconds, read_seconds)
        self._session = _session(self._wire, self._network)
        self._aside: requests.Session | None = None
        self._in_pieces: InPieces | None = None
        self._pieces_failed = 0

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
        if request.piece and self._in_pieces is None and self._pieces_failed < _FAILURES:
            reply: HttpReply | InPieces = self._open_in_pieces(request)
        else:
            reply = HttpReply(self._send(request))
        try:
            yield reply
        finally:
            reply.close()
            if reply is self._in_pieces:
                self._in_pieces = None

    @property
    def signer(self) -> str:
        """Who signed the certificate that the hub showed last; "" where there was none."""
        return issuer_of(self._wire.certificate)

    def interrupt(self) -> None:
        """End a blocked read or write at once; the transport cannot be used afterwards."""
        self._wire.interrupt()

    def close(self) -> None:
        """Close the connections; closing twice does nothing."""
        self._session.close()
        if self._aside is not None:
            self._aside.close()

    def _open_in_pieces(self, request: Request) -> InPieces:
        def send(wanted: str) -> requests.Response:
            headers = {**request.headers, "Range": wanted}
            return self._send(replace(request, headers=headers), in_pieces=True)

        reply = InPieces(send, request.headers["Range"], request.piece, self._went, request.first_piece)
        self._in_pieces = reply
        return reply

    def _went(self, ahead: bool) -> None:
        """Note whether a request that was sent ahead was answered."""
        self._pieces_failed = 0 if ahead else self._pieces_failed + 1

    def _send(self, request: Request, in_pieces: bool = False) -> requests.Response:
        url = self.base + request.path
        for _ in range(_REDIRECTS):
            response = self._ask(request, url, in_pieces)
            if response.status_code not in (301, 302, 303, 307, 308):
                return response
            target = urljoin(url, response.headers.get("Location", ""))
            response.close()
            if not _same_hub(url, target):
                break
            url = target
        raise CaptivePortal(
            "The network sent us elsewhere instead of answering for the hub: it may ask you to sign in first.",
            status=response.status_code,
        )

    def _ask(self, request: Request, url: str, in_pieces: bool) -> requests.Response:
        before = (self._wire.connections, self.traffic.down)
        try:
            return self._ask_once(request, url, in_pieces)
        except CutOff:
            # A server may close a connection that was kept open just when it is used again. Nothing was
            # answered, and what we ask may be asked twice, so a new connection is worth one attempt; but not
            # for a piece of an upload, of which the hub may have kept a part that need not be sent again.
            moved = (self._wire.connections, self.traffic.down) != before
            if self._wire.interrupted or moved or request.method == "PATCH":
                raise
        return self._ask_once(request, url, in_pieces)

    def _ask_once(self, request: Request, url: str, in_pieces: bool) -> requests.Response:
        opened = self._wire.connections
        self.traffic.asked()
        session = self._session
        if self._in_pieces is not None and not in_pieces:
            # On the other one the next answer is that to a request that was sent ahead.
            session = self._aside = self._aside or _session(self._wire, self._network)
        proxies = {} if self._direct else self._network.proxies(url)
        try:
            response = session.request(
                request.method,
                url,
                headers=dict(request.headers),
                data=request.body,
                stream=True,
                allow_redirects=False,
                timeout=self._timeout,
                proxies=proxies,
            )
        except Unreachable:  # as `sync.dialling` says it
            if self._wire.connections == opened:
                self.traffic.asked(-1)  # none was made
            raise
        except requests.RequestException as error:
            known = offline(error, url)
            proxy = proxies.get(urlsplit(url).scheme, "")
            if isinstance(known, ProxyWantsLogin):
                known = ProxyWantsLogin(refused="@" in proxy)
            unknown = isinstance(known, BadCertificate) and known.signer_matters
            if unknown and (signer := signer_at(url, proxy, self._wire)):
                known = BadCertificate(f"{known} It was signed by “{signer}”.")
            if isinstance(known, Unreachable) and self._wire.connections == opened:
                self.traffic.asked(-1)  # none was made
            raise known from error
        if response.status_code == 407:
            response.close()
            raise ProxyWantsLogin(refused="@" in proxies.get(urlsplit(url).scheme, ""))
        if not self._public_only:  # a mirror's answers may have been kept for a while
            self.traffic.clock_ahead = clock_ahead(response.headers.get("Date"), datetime.now(UTC))
        return response


def clock_ahead(date: str | None, now: datetime) -> float | None:
    """Seconds by which `now` is ahead of an HTTP date (RFC 9110, 5.6.7); None where that says nothing."""
    try:
        told = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return None if told.tzinfo is None else (now - told).total_seconds()


def checked_base(address: str | None, *, public_only: bool = False) -> str:
    """Return the base address of a hub in its one form. Raises NotEnrolled for None or "", InsecureAddress."""
    if not address:
        raise NotEnrolled("This shelf belongs to no hub yet.")
    try:
        return normalise_base(address, plain=public_only)
    except ValueError as error:
        raise InsecureAddress(str(error)) from None


class _Adapter(HTTPAdapter):
    """Connections that report to a `Wire` and trust what the computer trusts."""

    def __init__(self, wire: Wire, bundle: Path | None = None) -> None:
        self._pools = counted_pools(wire)
        self._context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if bundle is not None:
            try:
                self._context.load_verify_locations(cafile=bundle)
            except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
                raise BadCertificate(
                    f"The certificate authorities in {bundle} cannot be read ({error.strerror or error})."
                    if isinstance(error, OSError)
                    else f"The certificate authorities in {bundle} cannot be read."
                ) from None
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


def _session(wire: Wire, network: Network) -> requests.Session:
    session = requests.Session()
    # REQUESTS_CA_BUNDLE and .netrc must not change whom we trust or who we are; proxies are asked for below.
    session.trust_env = False
    # Every header is paid for by the person: none that only says what HTTP/1.1 means anyway.
    session.headers = CaseInsensitiveDict({"User-Agent": _USER_AGENT, "Accept-Encoding": SKIP_HEADER})
    adapter = _Adapter(wire, network.ca_bundle)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _same_hub(url: str, target: str) -> bool:
    here, there = urlsplit(url), urlsplit(target)
    return there.scheme == "https" and here.scheme == "https" and here.netloc == there.netloc and url != target
