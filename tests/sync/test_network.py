"""Through which proxy a shelf goes, and whom it believes: real servers on this computer."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sync.errors import BadCertificate, SyncError
from sync.home import Home
from sync.network import Network, ask_the_system_with
from sync.policies import Policies
from sync.transport import HttpTransport, Request
from tests.programs import ROOT


class Listening(BaseHTTPRequestHandler):
    """Answers everything, and remembers what was asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def listening(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Listening,), {"asked": asked}))
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(transport: HttpTransport) -> bytes:
    try:
        with transport.open(Request("GET", "/p/v1/head")) as reply:
            return b"".join(reply.pieces())
    finally:
        transport.close()


def test_a_manual_proxy_is_asked_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "hub.invalid")
    with listening() as (port, asked):
        network = Network("manual", f"http://127.0.0.1:{port}")
        assert ask(HttpTransport("http://hub.invalid", public_only=True, network=network)) == b"ok"
    assert asked == ["http://hub.invalid/p/v1/head"]


def test_no_proxy_is_asked_where_none_is_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as (port, asked):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        assert ask(HttpTransport("http://hub.invalid", public_only=True)) == b"ok"
        with pytest.raises(SyncError):
            ask(HttpTransport("http://hub.invalid", public_only=True, network=Network("none")))
    assert len(asked) == 1


def test_this_computer_is_never_behind_a_proxy() -> None:
    with listening() as (port, asked):
        ask(HttpTransport(f"http://127.0.0.1:{port}", network=Network("manual", "http://127.0.0.1:9")))
    assert asked == ["/p/v1/head"]


def test_the_system_is_asked_by_who_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://from-the-environment:1")
    said: dict[str, str | None] = {
        "https://a.example": "http://pac:3128",
        "https://b.example": "",
        "https://c.example": None,
    }
    ask_the_system_with(said.get)
    try:
        assert Network().proxies("https://a.example") == {"https": "http://pac:3128"}
        assert Network().proxies("https://b.example") == {}
        assert Network().proxies("https://c.example")["https"] == "http://from-the-environment:1"
    finally:
        ask_the_system_with(None)


def test_qt_tells_the_proxy_of_the_system() -> None:
    code = "from desktop.system_proxy import proxy_for; print(proxy_for('https://hub.example'))"
    environment = {**os.environ, "https_proxy": "http://proxy.example:3128"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.split()[0] == "http://proxy.example:3128", done.stderr


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """An office's own authority (a PEM file), and a server with a certificate of it."""
    folder = tmp_path_factory.mktemp("authority")
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Office")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    bundle, private = folder / "office.pem", folder / "key.pem"
    bundle.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, private)
    return bundle, context


def test_an_offices_own_authority_is_believed_where_it_was_decided(
    authority: tuple[Path, ssl.SSLContext], tmp_path: Path
) -> None:
    bundle, context = authority
    decided = Policies({"ca_bundle": (str(bundle), "policies.json")})
    with listening(context) as (port, _asked):
        base = f"https://127.0.0.1:{port}"
        transport = Home(tmp_path / "home", decided).connect(base)
        assert isinstance(transport, HttpTransport)
        assert ask(transport) == b"ok"
        with pytest.raises(BadCertificate):
            ask(HttpTransport(base))


def test_a_bundle_that_is_none_is_said(tmp_path: Path) -> None:
    bundle = tmp_path / "office.pem"
    bundle.write_text("no certificate")
    with pytest.raises(BadCertificate, match=r"office\.pem"):
        HttpTransport("https://hub.example", network=Network(ca_bundle=bundle))
