"""The transport alone, on real sockets: exact counts, lean requests, no trust by environment, no redirects."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sync.answers import read_all, require
from sync.connections import PIECE
from sync.errors import (
    BadCertificate,
    BudgetReached,
    CaptivePortal,
    CutOff,
    HubProblem,
    InsecureAddress,
    NotEnrolled,
    NotTrusted,
    Offline,
    TimedOut,
    Unreachable,
)
from sync.traffic import Traffic
from sync.transport import HttpTransport, Request
from tests.sync.hub_simulator import HubSimulator
from tests.sync.simulated_shelf import Shelf, long_card


class CountingProxy:
    """A TCP proxy that counts every byte each way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.up = self.down = 0
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            hub = socket.create_connection(("127.0.0.1", self._port))
            self._ends += [client, hub]
            for ends in ((client, hub, "up"), (hub, client, "down")):
                thread = threading.Thread(target=self._carry, args=ends, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _carry(self, source: socket.socket, target: socket.socket, way: str) -> None:
        with suppress(OSError):
            while piece := source.recv(65_536):
                setattr(self, way, getattr(self, way) + len(piece))
                target.sendall(piece)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
        for end in self._ends:
            end.close()


@contextmanager
def said(*answers: bytes, wait: float = 0.0) -> Iterator[str]:
    """A server that says `answers`, one a connection, whatever it is asked, and then closes it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)
                time.sleep(wait)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def fetch(url: str, limit: int = 1000, **options: float) -> bytes:
    with HttpTransport(url, **options) as transport, transport.open(Request("GET", "/x")) as reply:
        require(reply, 200)
        return read_all(reply, limit)


def test_bytes_are_counted_as_the_wire_carried_them(hub: HubSimulator, shelf: Shelf) -> None:
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1100)]})
    shelf.ask("Does this add up?")
    proxy = CountingProxy(hub.port)
    try:
        report = shelf.sync(proxy.url)
        assert report.up_to_date
        assert (report.bytes_up, report.bytes_down) == (proxy.up, proxy.down)
        assert report.bytes_down > 50_000
        with hub.counting() as seen:
            again = shelf.sync(proxy.url)
        assert again.requests == len(seen) == 1
        assert (report.bytes_up + again.bytes_up, report.bytes_down + again.bytes_down) == (proxy.up, proxy.down)
    finally:
        proxy.close()


def test_a_request_carries_no_more_headers_than_needed() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65_536))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    fetch(f"http://127.0.0.1:{port}")
    thread.join(5)
    listener.close()
    lines = heard[0].decode().split("\r\n")
    assert lines[0] == "GET /x HTTP/1.1"
    assert {line.split(":")[0] for line in lines[1:] if line} == {"Host", "User-Agent"}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", CutOff),
        (b"HTTP/1.1 200 OK\r\nContent-Le", CutOff),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n", CutOff),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123456789", CutOff),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1!\r\n\r\n12345678901", CutOff),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123", CutOff),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n", CutOff),
        (b"SSH-2.0-OpenSSH_9\r\n", Offline),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, NotTrusted),
        (b"HTTP/1.1 302 Found\r\nLocation: http://portal.invalid/\r\nContent-Length: 0\r\n\r\n", CaptivePortal),
        (b"HTTP/1.1 301 Moved\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n", CaptivePortal),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>", CaptivePortal),
        (b"HTTP/1.1 511 Sign In\r\nContent-Length: 0\r\n\r\n", CaptivePortal),
        (b"HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>", HubProblem),
        (
            b"HTTP/1.1 400 Bad\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}",
            CaptivePortal,
        ),
    ],
)
def test_what_is_no_answer_of_a_hub_has_a_type(answer: bytes, error: type[Exception]) -> None:
    with said(answer, answer) as url, pytest.raises(error) as caught:
        fetch(url)
    assert str(caught.value)


def test_an_unchanged_head_may_call_itself_a_web_page() -> None:
    # Servers add their default type to an answer without a body too.
    answer = b"HTTP/1.1 304 Not Modified\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    with said(answer) as url, HttpTransport(url) as transport, transport.open(Request("GET", "/x")) as reply:
        require(reply, 200, 304)
        assert read_all(reply, 10) == b""


def test_chunked_and_unannounced_bodies_are_read_whole() -> None:
    with said(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n0\r\n\r\n") as url:
        assert fetch(url) == b"123"


def test_a_connection_closed_by_the_server_between_requests_is_opened_again() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with said(answer, answer) as url, HttpTransport(url) as transport:
        for _ in range(2):
            with transport.open(Request("GET", "/x")) as reply:
                assert read_all(reply, 10) == b"ok"


def test_silence_ends_after_the_read_timeout() -> None:
    started = time.monotonic()
    with said(b"HTTP/1.1 200 OK\r\n", wait=3) as url, pytest.raises(TimedOut):
        fetch(url, read_seconds=0.2)
    assert time.monotonic() - started < 4


def test_a_body_arrives_in_small_pieces_as_it_comes() -> None:
    body = b"x" * 100_000
    with (
        said(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + body) as url,
        HttpTransport(url) as transport,
        transport.open(Request("GET", "/x")) as reply,
    ):
        pieces = list(reply.pieces())
    assert b"".join(pieces) == body
    assert max(map(len, pieces)) <= PIECE


def test_a_budget_stops_before_a_request_and_inside_an_answer() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000
    with said(answer) as url, HttpTransport(url) as transport:
        transport.traffic.allow(1000)
        with pytest.raises(BudgetReached), transport.open(Request("GET", "/x")):
            pass
        assert transport.traffic.total == 0
        transport.traffic.allow(3000)
        with pytest.raises(BudgetReached), transport.open(Request("GET", "/x")) as reply:
            read_all(reply, 10_000)
        assert transport.traffic.total <= 3000


def test_a_request_that_leaves_while_an_answer_comes_takes_nothing_of_its_room() -> None:
    traffic = Traffic()
    traffic.allow(4000)

    def arrive(most: int) -> int:
        # Another thread asks for something while this one waits for bytes that are allowed already.
        with ThreadPoolExecutor(1) as beside, pytest.raises(BudgetReached):
            beside.submit(traffic.send, 699).result()
        return most

    assert traffic.read(9000, arrive) == 4000
    assert (traffic.total, traffic.left) == (4000, 0)

    traffic.allow(4000)
    with pytest.raises(CutOff):
        traffic.read(9000, _cut_off)
    traffic.send(4000)  # what did not come takes no room


def _cut_off(most: int) -> int:
    raise CutOff("The link went away.")


@pytest.mark.parametrize("address", ["http://hub.example.org", "ftp://hub", "https://me:secret@hub", "https://"])
def test_an_address_that_is_not_safe_is_refused(address: str) -> None:
    with pytest.raises(InsecureAddress):
        HttpTransport(address)


def test_no_address_is_no_hub() -> None:
    with pytest.raises(NotEnrolled):
        HttpTransport(None)


@contextmanager
def https_server(folder: Path) -> Iterator[tuple[str, Path]]:
    """An HTTPS server with a certificate by nobody; gives its address and the certificate's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{listener.getsockname()[1]}", pem
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_the_computers_own_store_decides_whom_to_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with https_server(tmp_path) as (url, pem):
        # What scripts set to make requests trust a file must not work here.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
        monkeypatch.setenv("CURL_CA_BUNDLE", str(pem))
        with pytest.raises(BadCertificate):
            fetch(url)
        # What the system's store of certificates holds does.
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert fetch(url) == b"ok"


def test_a_proxy_of_the_environment_is_used_but_never_for_this_computer(
    hub: HubSimulator, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert shelf.sync().up_to_date
    with pytest.raises(Offline, match="proxy"):
        fetch("https://hub.example.org")


def test_an_attempt_that_finds_no_connection_costs_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with HttpTransport(f"http://127.0.0.1:{port}") as transport:
        with pytest.raises(Unreachable), transport.open(Request("POST", "/u/v1/sync", body=b"x" * 500)):
            pass
        assert (transport.traffic.requests, transport.traffic.up, transport.traffic.down) == (0, 0, 0)
