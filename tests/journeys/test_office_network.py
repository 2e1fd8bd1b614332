"""An office whose way out is a proxy, and whose hub has a certificate of the ministry's own authority: a real
tinyproxy, a real hub behind TLS, and the programs that people have.

0.0.0.0 is this computer too, but no name of it that the client knows: so it goes through the proxy.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync.home import Home
from sync.machine_files import VARIABLE
from tests.bench.sync_tls import TlsFront, make_certificates
from tests.programs import HubProgram, ShelfProgram, write_records

TINYPROXY = shutil.which("tinyproxy")
NAME = "juma"
RECORDS = [{"id": f"r{n}", "type": "resource", "title": f"Radio lesson {n}", "lang": "en"} for n in range(20)]
needs_tinyproxy = pytest.mark.skipif(
    TINYPROXY is None, reason="tinyproxy is not installed (apt-get install tinyproxy)"
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    folder = tmp_path_factory.mktemp("office")
    with HubProgram(folder / "hub").init() as made:
        made.do("import", file=str(write_records(folder / "a.jsonl", RECORDS)))
        made.do("publish")
        made.start()
        yield made


@contextmanager
def secure(hub: HubProgram, folder: Path, **how: object) -> Iterator[tuple[str, Path]]:
    """The hub behind TLS; gives its address and the PEM file of the authority."""
    authority, server = make_certificates(folder, **{"address": "0.0.0.0", **how})  # type: ignore[arg-type]
    with TlsFront(server, hub.port) as front:
        yield f"https://0.0.0.0:{front.port}", authority


@contextmanager
def proxy(folder: Path, login: str = "") -> Iterator[tuple[str, Path]]:
    """A tinyproxy; gives its address and its log. `login`: "NAME PASSWORD" that it wants."""
    assert TINYPROXY is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log, settings = folder / "proxy.log", folder / "proxy.conf"
    lines = [f"Port {port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "Timeout 60", "MaxClients 20"]
    lines += [f'LogFile "{log}"', "LogLevel Connect", *([f"BasicAuth {login}"] if login else [])]
    settings.write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(
        [TINYPROXY, "-d", "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _attempt in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}", log
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes policies.json of a folder that stands for the machine's."""
    folder = tmp_path / "machine"
    folder.mkdir(mode=0o755)
    monkeypatch.setenv(VARIABLE, str(folder))

    def write(**keys: object) -> None:
        (folder / "policies.json").write_text(json.dumps(keys))
        (folder / "policies.json").chmod(0o644)

    return write


@needs_tinyproxy
def test_through_a_proxy_with_the_ministrys_own_authority(
    hub: HubProgram, decide: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = ShelfProgram(tmp_path / "shelf")
    with secure(hub, tmp_path / "tls") as (address, authority), proxy(tmp_path) as (way, log):
        decide(proxy_mode="manual", proxy_url=way)
        error = shelf.run("enrol", address, hub.invite("a@ministry.example"), expect=1)["error"]
        assert error["code"] == "bad-certificate"
        assert "does not know who signed" in error["message"]
        assert "It was signed by “Benchmark authority”." in error["message"], "asked through the proxy too"
        # What other programs are told to trust changes nothing here.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
        error = shelf.run("enrol", address, hub.invite("b@ministry.example"), expect=1)["error"]
        assert error["code"] == "bad-certificate"
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")

        authority.chmod(0o644)
        decide(proxy_mode="manual", proxy_url=way, ca_bundle=str(authority))
        shelf.run("enrol", address, hub.invite("c@ministry.example"))
        assert shelf.run("sync")["up_to_date"]
        assert shelf.run("search", "radio")["total"] == len(RECORDS)
        assert "CONNECT 0.0.0.0:" in log.read_text()
        doctor = {check["name"]: check for check in shelf.run("doctor", "--online")["checks"]}
        assert doctor["proxy"]["detail"] == f"manual: {way}"
        assert doctor["hub"]["ok"]
    error = shelf.run("sync", "--patience", "0", expect=1)["error"]
    assert (error["code"], "proxy" in error["message"]) == ("unreachable", True)

    # The system's store serves as well, as `update-ca-certificates` fills it.
    with secure(hub, tmp_path / "tls2") as (address, authority):
        decide(proxy_mode="none")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        other = ShelfProgram(tmp_path / "other")
        other.run("enrol", address, hub.invite("d@ministry.example"))
        assert other.run("sync")["up_to_date"]


@needs_tinyproxy
def test_a_proxy_that_wants_a_name_and_a_password(
    hub: HubProgram, decide: Callable[..., None], tmp_path: Path
) -> None:
    shelf = ShelfProgram(tmp_path / "shelf")
    password = tmp_path / "password"
    with secure(hub, tmp_path / "tls") as (address, authority), proxy(tmp_path, "juma pssw0rd-1") as (way, _log):
        decide(proxy_mode="manual", proxy_url=way, ca_bundle=str(authority))
        code = hub.invite("e@ministry.example")
        assert shelf.run("enrol", address, code, expect=1)["error"]["code"] == "proxy-login"

        password.write_text("wrong\n")
        shelf.run("proxy-login", "--name", NAME, "--password-file", password)
        error = shelf.run("enrol", address, code, expect=1)["error"]
        assert (error["code"], "refused" in error["message"]) == ("proxy-login", True)

        password.write_text("pssw0rd-1\n")
        assert shelf.run("proxy-login", "--name", NAME, "--password-file", password)["proxy"] in way
        shelf.run("enrol", address, code)
        assert shelf.run("sync")["up_to_date"]

        # It is told to that proxy alone: another one, as a strange network may name it, hears nothing of it.
        with listening() as (strange, heard):
            decide(proxy_mode="manual", proxy_url=strange, ca_bundle=str(authority))
            shelf.run("sync", "--patience", "0", expect=1)
        assert b"CONNECT" in heard[0]
        assert b"Authorization" not in heard[0]

        # One that is no longer right is told once, and then forgotten: otherwise the account would be locked.
        decide(proxy_mode="manual", proxy_url=way, ca_bundle=str(authority))
        password.write_text("changed\n")
        shelf.run("proxy-login", "--name", NAME, "--password-file", password)
        first = shelf.run("sync", "--patience", "0", expect=1)["error"]["message"]
        second = shelf.run("sync", "--patience", "0", expect=1)["error"]["message"]
        assert ("refused" in first, "refused" in second) == (True, False)

    kept = [path for path in (tmp_path / "shelf").rglob("*") if path.is_file() and path.parent.name != "secrets"]
    for secret in (b"pssw0rd-1", b"changed"):
        assert not [path for path in kept if secret in path.read_bytes()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "shelf" / "secrets").iterdir())


@contextmanager
def listening() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that only listens."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        from threading import Thread

        def hear() -> None:
            server.settimeout(20)
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(65_536))
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = Thread(target=hear)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        thread.join()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"address": "127.0.0.9"}, "not for that name"),
        ({"days": (-9, -2)}, "has expired"),
        ({"days": (2, 9)}, "not valid yet"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said(
    hub: HubProgram, decide: Callable[..., None], tmp_path: Path, how: dict[str, object], words: str
) -> None:
    with secure(hub, tmp_path / "tls", **how) as (address, authority):
        decide(proxy_mode="none", ca_bundle=str(authority))
        error = ShelfProgram(tmp_path / "shelf").run("enrol", address, "AAAA-BBBB-CCCC", expect=1)["error"]
    assert (error["code"], words in error["message"]) == ("bad-certificate", True), error


def test_a_proxy_that_reads_along_is_told_by_its_name(
    hub: HubProgram, decide: Callable[..., None], tmp_path: Path
) -> None:
    """Whoever comes between is named, and who it was until then."""
    shelf = ShelfProgram(tmp_path / "shelf")
    with secure(hub, tmp_path / "tls") as (address, authority):
        authority.chmod(0o644)
        decide(proxy_mode="none", ca_bundle=str(authority))
        shelf.run("enrol", address, hub.invite("d@ministry.example"))
        assert shelf.run("sync")["up_to_date"]
        (said,) = (one for one in shelf.run("doctor", "--online")["checks"] if one["name"] == "hub")
        assert said["detail"].endswith("signed by “Benchmark authority”")
    name = "Reads along <b>Ltd</b>\n" + "x" * 300
    with secure(hub, tmp_path / "other", name=name[:64]) as (between, _authority):
        with Home(shelf.home).own() as own:
            own.set_setting("hub_url", between)
        error = shelf.run("sync", "--patience", "0", expect=1)["error"]
        assert error["code"] == "bad-certificate"
        assert "It was signed by “Reads along <b>Ltd</b> xxx" in error["message"]
        assert error["message"].endswith("Until now the hub's was signed by “Benchmark authority”.")
        assert "\n" not in error["message"]
        checks = shelf.run("doctor", "--online", expect=1)["checks"]
        assert any("Reads along" in str(one) for one in checks)
