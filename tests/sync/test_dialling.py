"""Two families of addresses of which one is dead, and name servers that do not answer; all over real sockets."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sync import dialling
from sync.dialling import Found, dial
from sync.engine import connect_guest, sync_once
from sync.errors import NameNotFound, Unreachable
from sync.home import Home
from sync.transport import HttpTransport, Request
from tests.programs import ROOT, HubProgram


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this system has no IPv6")


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    dialling._last.clear()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def at(*addresses: str) -> dialling.Resolve:
    """A name server that knows these addresses of every name."""

    def resolve(_host: str, port: int) -> Sequence[Found]:
        return [found for one in addresses for found in socket.getaddrinfo(one, port, type=socket.SOCK_STREAM)]

    return resolve


SILENT = "192.0.2.1"
"""An address for documentation (RFC 5737): nobody answers there."""
SILENT_6 = "2001:db8::1"
"""The same (RFC 3849); where there is no way to it at all, that is said at once."""


@needs_ipv6
@pytest.mark.parametrize("dead", [[SILENT_6], [SILENT_6, SILENT], [SILENT, SILENT_6], ["::1"]])
def test_a_dead_family_costs_a_moment(listener: socket.socket, dead: list[str]) -> None:
    port = listener.getsockname()[1]  # nobody listens there on ::1
    began = time.monotonic()
    with dial("hub.example", port, 8, resolve=at(*dead, "127.0.0.1")) as one:
        assert one.getpeername()[0] == "127.0.0.1"
    assert time.monotonic() - began < 2
    began = time.monotonic()
    with dial("hub.example", port, 8, resolve=at(*dead, "127.0.0.1")) as one:
        assert one.gettimeout() == 8
    assert time.monotonic() - began < 0.2, "what answered last is asked first"


def test_where_nobody_answers_it_ends_when_it_was_said(listener: socket.socket) -> None:
    began = time.monotonic()
    with pytest.raises(Unreachable, match="no connection to the proxy right now"):
        dial("hub.example", 9, 0.6, called="the proxy", resolve=at(SILENT))
    assert time.monotonic() - began < 1.5
    with pytest.raises(Unreachable, match="ECONNREFUSED"):
        dial("hub.example", 9, 5, resolve=at("127.0.0.1"))


def test_it_is_given_up_at_once(listener: socket.socket) -> None:
    wanted = threading.Event()
    threading.Timer(0.2, wanted.set).start()
    began = time.monotonic()
    with pytest.raises(Unreachable):
        dial("hub.example", 9, 20, resolve=at(SILENT), wanted=lambda: not wanted.is_set())
    assert time.monotonic() - began < 1


def test_a_name_server_that_hangs_is_not_waited_for(listener: socket.socket) -> None:
    answers, asked = threading.Event(), []

    def hangs(_host: str, port: int) -> Sequence[Found]:
        asked.append(port)
        answers.wait(20)
        return at("127.0.0.1")("", port)

    port, wanted = listener.getsockname()[1], threading.Event()
    threading.Timer(0.2, wanted.set).start()
    began = time.monotonic()
    with pytest.raises(Unreachable):
        dial("slow.example", port, 20, resolve=hangs, wanted=lambda: not wanted.is_set())
    with pytest.raises(NameNotFound, match="within 1 seconds"):
        dial("slow.example", port, 0.5, resolve=hangs)
    assert time.monotonic() - began < 2
    assert asked == [port], "one question is enough, however often it is wanted"
    threading.Timer(0.2, answers.set).start()
    with dial("slow.example", port, 5, resolve=hangs) as one:  # the answer that comes late is taken
        assert one.getpeername()[1] == port


def test_a_name_that_nobody_knows_is_said() -> None:
    def unknown(_host: str, _port: int) -> Sequence[Found]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    with pytest.raises(NameNotFound, match=r"Nobody on this network knows where hub\.example is"):
        dial("hub.example", 9, 5, resolve=unknown)
    with pytest.raises(NameNotFound):
        HttpTransport("https://no-such-name.invalid").open(Request("GET", "/p/v1/head")).__enter__()


@needs_ipv6
def test_a_hub_on_ipv6_alone(tmp_path: Path) -> None:
    with HubProgram(tmp_path / "hub").init() as hub:
        hub.do("publish")
        hub.start("--host", "::1")
        url = f"http://[::1]:{hub.port}"
        home = Home(tmp_path / "shelf")
        connect_guest(home, url)
        assert home.hub_url == url
        with home.connect(url) as transport:  # type: ignore[attr-defined]
            assert sync_once(home, transport).up_to_date


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs mounts of its own"
)
def test_a_real_name_server_that_says_nothing_stops_no_sync(tmp_path: Path) -> None:
    """The system's own resolver, told of a server that takes questions and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        try:
            silent.bind(("127.0.0.77", 53))
        except OSError:
            pytest.skip("port 53 cannot be had here")
        (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.77\noptions timeout:10 attempts:3\n")
        code = (
            "import threading, time\n"
            "from sync.errors import SyncError\n"
            "from sync.transport import HttpTransport, Request\n"
            "def ask(seconds, interrupt):\n"
            "    link = HttpTransport('https://hub.example', connect_seconds=seconds)\n"
            "    if interrupt: threading.Timer(0.3, link.interrupt).start()\n"
            "    began = time.monotonic()\n"
            "    try:\n"
            "        with link.open(Request('GET', '/p/v1/head')): pass\n"
            "    except SyncError as error:\n"
            "        print(error.code, round(time.monotonic() - began, 1))\n"
            "ask(1.0, False)\n"
            "ask(9.0, True)\n"
        )
        script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
        began = time.monotonic()
        done = subprocess.run(
            [*command, str(tmp_path / "resolv.conf"), sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=60,
            check=False,
        )
        if "mount" in done.stderr:
            pytest.skip("mounts are not to be had here")
        first, second = (line.split() for line in done.stdout.splitlines())
        assert (first[0], second[0]) == ("name-not-found", "unreachable"), done.stderr
        assert float(first[1]) < 2
        assert float(second[1]) < 1
        assert time.monotonic() - began < 10, "and the program ends with the question unanswered"
