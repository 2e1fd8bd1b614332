"""What the hub's own server adds to an answer, byte by byte, and its TLS: over real sockets."""

from __future__ import annotations

import datetime
import http.client
import json
import os
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sync.protocol import envelope, limits, paths
from sync.protocol.messages import EnrolRequest, SyncRequest, SyncResponse
from sync.protocol.signing import split_document
from tests.programs import BIN, HubProgram


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    with HubProgram(tmp_path_factory.mktemp("lean") / "hub") as program:
        program.init()
        program.run("publish")
        program.start()
        yield program


def exchange(hub: HubProgram, request: bytes) -> tuple[bytes, dict[bytes, bytes], bytes, bool]:
    """Send one request; return (status line, headers, body, whether the server closed the connection)."""
    with socket.create_connection(("127.0.0.1", hub.port), 10) as link:
        link.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += link.recv(65536)
        top, _, body = data.partition(b"\r\n\r\n")
        status, *lines = top.split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in lines)
        while len(body) < int(headers.get(b"Content-Length", b"0")):
            body += link.recv(65536)
        link.settimeout(0.7)
        try:
            closed = link.recv(1) == b""
        except TimeoutError:
            closed = False
    return status, headers, body, closed


def test_an_answer_of_the_planes_carries_what_http_needs_and_nothing_else(hub: HubProgram) -> None:
    status, headers, body, closed = exchange(
        hub, b"POST /u/v2/sync HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
    )
    assert status == b"HTTP/1.1 400 Bad Request"
    assert set(headers) == {b"Date", b"Content-Type", b"Content-Length"}
    assert json.loads(body)["action"]
    assert not closed


def test_the_head_is_answered_without_headers_for_browsers(hub: HubProgram) -> None:
    status, headers, body, _ = exchange(hub, f"GET {paths.HEAD} HTTP/1.1\r\nHost: any.example\r\n\r\n".encode())
    assert status == b"HTTP/1.1 200 OK"
    assert set(headers) <= {b"Date", b"Content-Type", b"Content-Length", b"ETag", b"Cache-Control"}
    assert body
    again = f"GET {paths.HEAD} HTTP/1.1\r\nHost: h\r\nIf-None-Match: {headers[b'ETag'].decode()}\r\n\r\n"
    status, headers, body, _ = exchange(hub, again.encode())
    assert status == b"HTTP/1.1 304 Not Modified"
    assert body == b""
    assert b"Content-Type" not in headers


def test_an_idle_check_is_small_with_everything_that_http_adds(hub: HubProgram) -> None:
    token, nonce = "5e" * 32, bytes(12)
    enrolment = EnrolRequest(hub.invite(), "device-1", token, "").to_bytes()
    status, *_ = exchange(
        hub,
        f"POST {paths.ENROL} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(enrolment)}\r\n\r\n".encode() + enrolment,
    )
    assert status == b"HTTP/1.1 200 OK"

    def check(request: SyncRequest) -> tuple[int, SyncResponse]:
        message = envelope.ask(token, nonce, request)
        top = f"POST {paths.SYNC} HTTP/1.1\r\nHost: hub.ministry.example\r\nContent-Length: {len(message)}\r\n\r\n"
        status, headers, body, _ = exchange(hub, top.encode() + message)
        assert status == b"HTTP/1.1 200 OK"
        assert set(headers) == {b"Date", b"Content-Type", b"Content-Length"}
        (event,) = envelope.AnswerReader(token, nonce).feed(body)
        assert isinstance(event, envelope.Message)
        lines = sum(len(name) + len(value) + 4 for name, value in headers.items())
        return len(top) + len(message) + len(status) + 2 + lines + 2 + len(body), event.response

    _, first = check(SyncRequest())
    assert first.head is not None
    body = json.loads(split_document(first.head, limits.HEAD, "head")[0])
    order = (body["epoch"], body["version"])
    spent, idle = check(SyncRequest(head=order, personal=(first.epoch, first.cursor), at=order[1], room=65536))
    assert idle == SyncResponse(first.epoch, first.cursor)
    # 480 is what an idle check may cost; the rest is for what a client's library and a proxy add.
    assert spent <= 400


@pytest.mark.parametrize("asked", [b"HTTP/1.0\r\n\r\n", b"HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"])
def test_who_asks_for_an_end_is_told_of_it(hub: HubProgram, asked: bytes) -> None:
    _, headers, _, closed = exchange(hub, b"GET /p/v1/head " + asked)
    assert headers[b"Connection"] == b"close"
    assert closed


def test_one_connection_carries_many_requests(hub: HubProgram) -> None:
    link = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=10)
    for _ in range(3):
        link.request("GET", paths.HEAD)
        assert link.getresponse().read()
        assert link.sock is not None
    link.close()


def test_pages_for_people_keep_their_protection(hub: HubProgram) -> None:
    _, headers, _, _ = exchange(hub, f"GET /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1:{hub.port}\r\n\r\n".encode())
    assert headers[b"X-Frame-Options"] == b"DENY"
    assert headers[b"X-Content-Type-Options"] == b"nosniff"
    status, *_ = exchange(hub, b"GET /admin/login/ HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n")
    assert status == b"HTTP/1.1 400 Bad Request"


def test_nothing_at_an_address_is_a_problem_document(hub: HubProgram) -> None:
    status, headers, body, _ = exchange(hub, b"GET /p/v9/nothing HTTP/1.1\r\nHost: h\r\n\r\n")
    assert status == b"HTTP/1.1 404 Not Found"
    assert headers[b"Content-Type"] == b"application/problem+json"
    assert json.loads(body)["type"].endswith("not-found")


def certificate(folder: Path, password: bytes = b"") -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 and its key; return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret))
    return chain, private


def test_a_small_hub_speaks_tls_itself(hub: HubProgram, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    server = subprocess.Popen(
        [str(BIN / "hubshelf-hub"), "--home", str(hub.home), "serve", "--port", "0", "--json"]
        + ["--certificate", str(chain), "--key", str(key)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())["address"]
        assert address.startswith("https://127.0.0.1:")
        port = int(address.rsplit(":", 1)[1])
        context = ssl.create_default_context(cafile=str(chain))

        def ask(session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None, str | None]:
            with (
                socket.create_connection(("127.0.0.1", port), 10) as raw,
                context.wrap_socket(raw, server_hostname="localhost", session=session) as link,
            ):
                link.sendall(b"GET /p/v1/head HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                answer, version = b"", link.version()
                while piece := link.recv(65536):
                    answer += piece
                assert answer.startswith(b"HTTP/1.1 200 OK")
                return bool(link.session_reused), link.session, version

        _, session, version = ask(None)
        assert version == "TLSv1.3"
        assert ask(session)[0], "a second connection sends the certificate again"

        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):  # Python warns of what is asked for here on purpose
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with (
            socket.create_connection(("127.0.0.1", port), 10) as raw,
            pytest.raises((ssl.SSLError, OSError)),
        ):
            old.wrap_socket(raw)
    finally:
        server.terminate()
        server.wait(15)
        assert server.stdout is not None
        server.stdout.close()


@pytest.mark.parametrize("fault", ["missing", "another key", "password"])
def test_a_certificate_that_cannot_be_used_is_said_at_once(hub: HubProgram, tmp_path: Path, fault: str) -> None:
    chain, key = certificate(tmp_path, b"secret" if fault == "password" else b"")
    if fault == "missing":
        chain.unlink()
    if fault == "another key":
        (tmp_path / "other").mkdir()
        key = certificate(tmp_path / "other")[1]
    answer = hub.run("serve", "--port", "0", "--certificate", chain, "--key", key, "--json", expect=1)
    assert answer["error"]["code"] == "certificate-unusable"
    assert str(chain) in answer["error"]["message"]


def test_a_hub_can_be_tidied_while_it_serves(hub: HubProgram) -> None:
    assert hub.run("tidy") == {"receipts": 0, "uploads": 0}


def test_a_certificate_needs_its_key(hub: HubProgram, tmp_path: Path) -> None:
    chain, _ = certificate(tmp_path)
    answer = hub.run("serve", "--certificate", chain, "--json", expect=2)
    assert answer["error"]["code"] == "usage"
    assert os.environ.get("HUBSHELF_HUB_HTTPS") is None
