"""`hubshelf-hub serve`: gunicorn with threads, on a socket that is bound before it starts.

Gunicorn's answers carry three header lines that no device needs; `LeanResponse` leaves out two. A small hub
without a proxy in front can speak TLS itself.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gunicorn import util
from gunicorn.app.base import BaseApplication
from gunicorn.http.wsgi import Response
from gunicorn.workers.gthread import ThreadWorker

from hub.errors import HubError
from sync.protocol.paths import is_loopback

_THREADS = 8


class AddressInUse(HubError):
    code = "address-in-use"
    advice = "Stop the other program, or choose another port with --port."


class CertificateUnusable(HubError):
    code = "certificate-unusable"
    advice = "Name a certificate (with its chain) and its own key, both PEM files, the key without a password."


@dataclass(frozen=True)
class Certificate:
    """What a hub shows for itself over TLS: two PEM files, the certificate with its chain and its key."""

    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """Return the context for all connections, TLS 1.2 or newer. Raises CertificateUnusable."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # One ticket (about 250 bytes) is enough to take a session up again.
        context.num_tickets = 1
        try:
            context.load_cert_chain(self.chain, self.key, password=_no_password)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
            raise CertificateUnusable(
                f"The certificate {self.chain} and the key {self.key} cannot be used: {reason}."
            ) from error
        return context


def _no_password() -> str:
    # Without this OpenSSL would wait at the terminal for a password that nobody is there to type.
    raise ValueError("the key is protected by a password")


class LeanResponse(Response):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's response without what HTTP/1.1 does not need (RFC 9110 and 9112).

    No Server (optional: RFC 9110, 10.2.4), and Connection only to say that it ends, since it stays open otherwise
    (RFC 9112, 9.3). Date stays: an origin server with a clock must send it (RFC 9110, 6.6.1).
    """

    def default_headers(self) -> list[str]:
        """Return the status line and the headers that the server itself adds, each with its line end."""
        if self.upgrade or self.req.version < (1, 1):
            lines: list[str] = super().default_headers()
            return lines
        lines = [f"HTTP/1.1 {self.status}\r\n", f"Date: {util.http_date()}\r\n"]
        if self.should_close():
            lines.append("Connection: close\r\n")
        if self.chunked:
            lines.append("Transfer-Encoding: chunked\r\n")
        return lines


class LeanWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """A worker with threads whose answers are LeanResponses."""

    wsgi: Any

    def load_wsgi(self) -> None:
        super().load_wsgi()
        application: Any = self.wsgi

        def lean(environ: dict[str, Any], start_response: Any) -> Any:
            # Gunicorn has no setting for the class of its responses; it hands over the bound method of one.
            response = getattr(start_response, "__self__", None)
            if type(response) is Response:
                response.__class__ = LeanResponse
            return application(environ, start_response)

        self.wsgi = lean


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for key, value in self._options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        from hub.wsgi import application

        return application


def unreachable_names(host: str) -> str:
    """Return a warning where people could connect to `host` but no name is set under which the hub answers."""
    if is_loopback(host) or os.environ.get("HUBSHELF_HUB_HOSTS"):
        return ""
    return (
        "The hub answers only to its own computer's names. Set HUBSHELF_HUB_HOSTS to the names under which "
        "people reach it."
    )


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises AddressInUse, HubError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise AddressInUse(f"The hub cannot listen on {host} port {port} ({error.strerror}).") from None
    listener.listen(128)
    listener.set_inheritable(True)
    return listener


def serve(host: str, port: int, announce: Callable[[str], None], certificate: Certificate | None = None) -> None:
    """Serve both planes and the admin until stopped; `announce` is called with the address once it listens.

    With a certificate over TLS, without one in the clear: for this computer alone, or behind a proxy.
    Raises AddressInUse, CertificateUnusable, HubError.
    """
    options = {} if certificate is None else _tls(certificate)
    listener = bind(host, port)
    scheme = "http" if certificate is None else "https"
    announce(f"{scheme}://{'[' + host + ']' if ':' in host else host}:{listener.getsockname()[1]}")
    # Threads, not processes: one SQLite writer, and connections that stay open between requests.
    _Server(
        {
            "bind": [f"fd://{listener.fileno()}"],
            "workers": 1,
            "worker_class": LeanWorker,
            "threads": _THREADS,
            "keepalive": 30,
            # The coder of packed answers leaks a few kilobytes at each (sync.protocol.ppmd).
            "max_requests": 50_000,
            "max_requests_jitter": 5_000,
            "timeout": 120,
            "graceful_timeout": 5,
            "loglevel": "warning",
            "proc_name": "hubshelf-hub",
            **options,
        }
    ).run()


def _tls(certificate: Certificate) -> dict[str, Any]:
    # Gunicorn makes a context for each connection; with one for all, sessions can be taken up again.
    context = certificate.context()
    return {
        "certfile": str(certificate.chain),
        "keyfile": str(certificate.key),
        "ssl_context": lambda config, default: context,
    }
