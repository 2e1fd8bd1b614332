"""Answers over HTTP as they arrive, and what went wrong on the way as errors of ours."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import requests
import urllib3

from sync.connections import PIECE, shut
from sync.errors import BadCertificate, CutOff, Offline, ProxyWantsLogin, SyncError, TimedOut, Unreachable
from sync.read_ahead import ReadAhead

CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")
"""Of one range: its first and last byte and, unless the server does not say, the size of the whole."""
_AHEAD_FROM = 64 * 1024
"""Bytes of a body from which a thread reads it: what is shorter is read before there is anything else to do."""


class HttpReply:
    """The answer to one request; as `sync.transport.Reply`."""

    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self._ahead: ReadAhead | None = None
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def pieces(self) -> Iterator[bytes]:
        """As `sync.transport.Reply.pieces`."""
        announced = self.headers.get("Content-Length", "0").strip()
        if not announced.isdigit() or int(announced) < _AHEAD_FROM:
            return self.read(announced)
        self._ahead = ReadAhead(self.read(announced))
        return self._ahead

    def close(self) -> None:
        """Give the connection back, or end it where not all of the answer was read."""
        if self._ahead is not None:
            connection = self._response.raw.connection
            sock = None if connection is None else connection.sock
            # A connection with a thread in the middle of a read cannot be closed: the read is ended first.
            self._ahead.stop(lambda: None if sock is None else shut(sock))
        self._response.close()

    def read(self, announced: str) -> Iterator[bytes]:
        """Yield the body, of which `announced` bytes are due, on the thread that asks. Raises Offline."""
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
                raise offline(error, self._response.url) from error
            if not piece:
                break
            count += len(piece)
            yield piece
        if count < int(announced):
            raise CutOff(f"The link went away after {count:,} of {int(announced):,} bytes.")


_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
"""What the standard library says of a proxy that refuses a CONNECT (http.client)."""


def offline(error: Exception, url: str | None) -> SyncError:
    """Return what an error of the libraries below means."""
    host = urlsplit(url or "").hostname or "the hub"
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, SyncError):
            return cause
        if isinstance(cause, ssl.SSLCertVerificationError):
            refused = BadCertificate(_why_not_trusted(cause, host))
            refused.signer_matters = getattr(cause, "verify_code", 0) in _STRANGERS
            return refused
    for cause in causes:
        if said := _TUNNEL.search(str(cause)):
            if said[1] in ("401", "407"):  # some say 401 where a login is wrong
                return ProxyWantsLogin()
            return Unreachable(f"The proxy of this network does not let us through to {host} (it says {said[1]}).")
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


_STRANGERS = (18, 19, 20, 21)
"""What OpenSSL calls a certificate that nobody known has signed."""


def _why_not_trusted(error: ssl.SSLCertVerificationError, host: str) -> str:
    """What is wrong with a certificate, by OpenSSL's number for it (x509_vfy.h) where there is one."""
    number = getattr(error, "verify_code", 0)
    if number in (9, 10):
        when = "is not valid yet" if number == 9 else "has expired"
        return f"The certificate that {host} showed {when}, or the date of this computer is wrong."
    if number in (62, 64):
        return f"Another server answered for {host}: the certificate that it showed is not for that name."
    if number in _STRANGERS:
        return (
            f"This computer does not know who signed the certificate that {host} showed: an office that "
            "inspects its traffic, or somebody who pretends to be the hub."
        )
    return f"This computer does not trust the certificate that {host} showed."


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
