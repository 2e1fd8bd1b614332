"""What a shelf gives to neighbours, to whom, and what it takes of theirs: neither side trusts the other."""

from __future__ import annotations

import hashlib
import http.client
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from resources_cache.cards import StoredHead
from resources_cache.library import Cursor
from sync.errors import Offline
from sync.files import fetch_file
from sync.home import Home
from sync.neighbours.asking import Neighbours, Standing
from sync.neighbours.counts import added
from sync.neighbours.counts import read as counts_of
from sync.neighbours.giving import ADDRESSES, COUNTS, SHARING, THERE, Given, note_file
from sync.neighbours.office import Office
from sync.neighbours.serving import CONNECTIONS_EACH, Server
from sync.protocol import documents, neighbours
from sync.protocol.errors import ProtocolError
from sync.protocol.neighbours import STATE, State, is_private, private_base
from sync.protocol.paths import DOCUMENTS, HEAD, OBJECTS
from sync.protocol.signing import SigningKey
from sync.protocol.trust import make_root, pin
from sync.transport import Request

STATE_HERE = State("0123456789abcdef", "f" * 16, (1, 2), complete=True, checked=3)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "shelf")


@contextmanager
def serving(home: Home, **options: Any) -> Iterator[Server]:
    server = Server(Given(home), lambda: STATE_HERE, ["127.0.0.1"], **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, Any]:
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        link.request(method, path, headers=headers)
        answer = link.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        link.close()


def file_of(home: Home, record: dict[str, Any], data: bytes) -> str:
    """Put a downloaded file and its record on the shelf; return the file's hash."""
    digest = home.files().put(data)
    listed = [{"hash": digest, "name": "a.pdf", "size": len(data), "media_type": "application/pdf"}]
    with home.library() as library, home.own() as own:
        library.apply("public/cards/en", [{**record, "files": listed}], Cursor(1, 1))
        note_file(own, digest, str(record["id"]))
    return digest


def test_a_port_belongs_to_one_program_alone(home: Home) -> None:
    with serving(home) as server, pytest.raises(OSError):
        Server(Given(home), lambda: STATE_HERE, ["127.0.0.1"], port=server.port)


def test_no_name_server_is_asked_before_it_listens(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "gethostbyaddr", lambda *of: asked.append(of) or ("", [], []))
    with serving(home) as server:
        assert ask(server, "/no-such-thing")[0] == 404
    assert asked == []


RECORD = {"id": "r-1", "type": "resource", "title": "Free", "lang": "en", "redistributable": True}


def test_what_the_hub_publishes_is_given_by_its_name(home: Home) -> None:
    segment, raw = os.urandom(90_000), b'{"feeds":[]}'
    home.given().put(segment)
    with home.library() as library:
        library.save_document(sha(raw), raw)
        library.save_head(StoredHead(1, 2, b"signed", complete=True, seen="2026-05-01T00:00:00Z"))
    with serving(home) as server:
        assert ask(server, OBJECTS + sha(segment))[:2] == (200, segment)
        status, part, headers = ask(server, OBJECTS + sha(segment), Range="bytes=10-19")
        assert (status, part, headers["Content-Range"]) == (206, segment[10:20], "bytes 10-19/90000")
        assert ask(server, OBJECTS + sha(segment), Range="bytes=90000-")[0] == 416
        status, frame, _headers = ask(server, DOCUMENTS + sha(raw))
        assert documents.read_bounded_frame(frame, 1000) == raw
        assert ask(server, HEAD)[:2] == (200, b"signed")
        assert State.from_bytes(ask(server, STATE)[1]) == STATE_HERE
        status, body, headers = ask(server, OBJECTS + sha(segment), "HEAD")
        assert (status, body, headers["Content-Length"]) == (200, b"", "90000")


def test_nothing_of_a_person_is_given(home: Home) -> None:
    """Each kind asked for by its right name: 404."""
    letter = b"%PDF the minister's letter"
    with home.own() as own:
        own.set_setting("hub_url", "https://hub.example")
        home.files().put(letter)  # a file of an answer: on the shelf, in no record
    attachment = home.path / "attachments" / sha(letter)[:2] / sha(letter)
    attachment.parent.mkdir(parents=True)
    attachment.write_bytes(letter)
    bound = file_of(home, {**RECORD, "id": "r-2", "redistributable": False}, b"%PDF bound by its licence")
    named_wrong = home.files().put(b"%PDF of nobody")
    with home.own() as own:
        note_file(own, named_wrong, "r-1")  # the record does not list it
    free = file_of(home, RECORD, b"%PDF free for all")
    own_db = (home.path / "own.db").read_bytes()
    with serving(home) as server:
        for digest in (sha(letter), bound, named_wrong, sha(own_db)):
            assert ask(server, OBJECTS + digest)[0] == 404
            assert ask(server, DOCUMENTS + digest)[0] == 404
        assert ask(server, OBJECTS + free)[:2] == (200, b"%PDF free for all")
        with home.library() as library:  # the licence is taken back
            library.apply(
                "public/cards/en", [{**RECORD, "redistributable": False, "updated": "2027"}], Cursor(1, 2)
            )
        assert ask(server, OBJECTS + free)[0] == 404


def test_a_file_comes_from_a_neighbour_and_costs_nothing(home: Home, tmp_path: Path) -> None:
    data = b"%PDF " + os.urandom(200_000)
    digest = file_of(home, RECORD, data)
    other = Home(tmp_path / "other")
    with serving(home) as server, other.own() as own:
        own.set_setting("hub_url", "http://127.0.0.1:9")  # nobody is there
        own.set_setting(THERE, [f"http://127.0.0.1:{server.port}", "http://8.8.8.8:80", 7])
        with pytest.raises(Offline):
            fetch_file(other, digest, len(data))  # this shelf does not share, so it takes nothing either
        own.set_setting(SHARING, True)
        before = own.spent()
        assert fetch_file(other, digest, len(data)).read_bytes() == data
        assert own.spent() == before


@pytest.mark.parametrize(
    "path",
    [
        "/own.db",
        "/p/v1/objects/../../own.db",
        "/p/v1/objects/%2e%2e/own.db",
        "/p/v1/objects//etc/passwd",
        "/p/v1/objects/" + "a" * 63 + "/",
        "/p/v1/objects/" + "A" * 64,
        "/p/v1/root/1",
        "/u/v2/sync",
        "http://127.0.0.1/p/v1/head",
        "/p/v1/objects/" + "0" * 64 + "?x",
        "*",
    ],
)
def test_other_names_are_not_here(home: Home, path: str) -> None:
    with serving(home) as server:
        assert ask(server, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_nothing_can_be_sent_here(home: Home, method: str) -> None:
    with serving(home) as server:
        assert ask(server, STATE, method)[0] in (400, 404, 501)
        assert ask(server, STATE)[0] == 200


@settings(max_examples=60, deadline=None)
@for_all(st.binary(max_size=600))
def test_any_bytes_are_survived(served: Server, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as link:
        link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        said = b""
        while piece := link.recv(4096):
            said += piece
            assert len(said) < 10_000
    assert b"Traceback" not in said
    assert ask(served, STATE)[0] == 200


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(Home(tmp_path_factory.mktemp("any") / "shelf")) as server:
        yield server


def test_long_lines_and_many_headers_end_the_connection(home: Home) -> None:
    with serving(home) as server:
        assert ask(server, "/" + "a" * 5000)[0] == 414
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
            link.sendall(b"GET /n/v1/state HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n")
            assert b" 431 " in link.recv(4096)
        assert ask(server, STATE)[0] == 200


def test_a_request_is_bounded_in_bytes_and_in_time(home: Home) -> None:
    """One line of 60 kB is a header to Python's reader, and a byte now and then never runs out of its time."""
    with serving(home, request_s=0.5) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
            link.sendall(b"GET /n/v1/state HTTP/1.1\r\n" + b"X: " + b"y" * 9_000 + b"\r\n\r\n")
            with suppress(ConnectionError):
                assert b" 431 " in link.recv(4096)
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
            link.sendall(b"GET /n/v1/state HTTP/1.1\r\nX: ")
            began, said = time.monotonic(), b"y"
            with suppress(ConnectionError, TimeoutError):
                while said and time.monotonic() - began < 5:
                    link.sendall(b"y")
                    link.settimeout(0.1)
                    with suppress(TimeoutError):
                        said = link.recv(100)
            assert time.monotonic() - began < 5
        link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        for _ in range(3):  # the time of one request is not that of the next
            time.sleep(0.3)
            link.request("GET", STATE)
            assert link.getresponse().read()
        link.close()


def test_one_neighbour_has_few_connections(home: Home) -> None:
    with serving(home) as server:
        links = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(CONNECTIONS_EACH)]
        for link in links:
            link.sendall(b"GET /n/v1/state HTTP/1.1\r\nHost: x\r\n\r\n")
            assert link.recv(4096).startswith(b"HTTP/1.1 200")
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as more:
            more.sendall(b"GET /n/v1/state HTTP/1.1\r\nHost: x\r\n\r\n")
            with_none = b""
            with suppress(ConnectionError):
                with_none = more.recv(4096)
            assert with_none == b""
        for link in links:
            link.close()
        until(lambda: _answers(server))


def _answers(server: Server) -> bool:
    try:
        return ask(server, STATE)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def until(happens: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_bytes_a_second_are_bounded(home: Home) -> None:
    data = os.urandom(300_000)
    digest = home.given().put(data)
    with serving(home, rate=200_000) as server:
        began = time.monotonic()
        assert ask(server, OBJECTS + digest)[1] == data
        # A second's worth at once, the rest at the rate: half a second at least.
        assert time.monotonic() - began > 0.4


def test_it_listens_on_private_networks_only(home: Home) -> None:
    with pytest.raises(OSError, match="private"):
        Server(Given(home), lambda: STATE_HERE, ["0.0.0.0", "8.8.8.8", "::"])  # that is the point
    for public in ("8.8.8.8", "100.64.0.1", "2001:db8::1", "0.0.0.0", "224.0.0.251", "hub.example", ""):
        assert not is_private(public)
        assert private_base(f"http://{public}:80") is None
    for private in (
        "10.1.2.3",
        "172.16.0.9",
        "192.168.1.4",
        "169.254.3.3",
        "127.0.0.1",
        "fd00::1",
        "fe80::2",
        "::1",
    ):
        assert is_private(private)
    assert private_base("192.168.1.4:8000") == "http://192.168.1.4:8000"
    assert private_base("http://[fd00::1]:8000/") == "http://[fd00::1]:8000"
    for odd in (
        "https://10.0.0.1:1",
        "http://10.0.0.1",
        "http://u@10.0.0.1:1",
        "http://10.0.0.1:1/x",
        "http://a:1",
    ):
        assert private_base(odd) is None


# Taking: neighbours that lie


Say = Callable[[socket.socket, str], None]


@contextmanager
def liar(say: Say) -> Iterator[str]:
    """A neighbour that answers each connection's first request in its own way; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            try:
                link, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(link,), daemon=True).start()

    def talk(link: socket.socket) -> None:
        with link:
            link.settimeout(10)
            try:
                asked = link.recv(4096).split(b" ")[1].decode()
                say(link, asked)
            except (OSError, IndexError):
                pass

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def whole(body: bytes, status: str = "200 OK") -> Say:
    def say(link: socket.socket, _path: str) -> None:
        link.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return say


def endless(link: socket.socket, _path: str) -> None:
    link.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        link.sendall(b"x" * 65536)


def drip(link: socket.socket, _path: str) -> None:
    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        link.sendall(b"x")
        time.sleep(0.05)


def short(link: socket.socket, _path: str) -> None:
    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")


def elsewhere(link: socket.socket, _path: str) -> None:
    link.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/p/v1/head\r\nContent-Length: 0\r\n\r\n")


def chatter(link: socket.socket, _path: str) -> None:
    link.sendall(b"\x00\xff" * 500)


@pytest.mark.parametrize(
    "say",
    [
        whole(b"not what the name promises"),
        whole(b"<html>Sign in</html>"),
        whole(b"", "500 Oops"),
        whole(b"", "206 Partial Content"),
        endless,
        short,
        elsewhere,
        chatter,
    ],
    ids=["wrong", "page", "error", "partial", "endless", "short", "elsewhere", "chatter"],
)
def test_who_lies_is_left_alone_and_the_next_one_helps(home: Home, say: Say) -> None:
    data = os.urandom(50_000)
    digest = home.given().put(data)
    with liar(say) as bad, serving(home) as server:
        standing = Standing()
        link = Neighbours([bad, f"http://127.0.0.1:{server.port}"], standing)
        with link.open(Request("GET", OBJECTS + digest)) as reply:
            assert reply.status == 200
            assert b"".join(reply.pieces()) == data
        assert not standing.good(bad)
        assert link.taken == len(data)
        assert link.moved.down < len(data) + neighbours.OBJECT_MOST + 200_000
        link.close()


def test_one_that_drips_is_given_up(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(0, 10_000_000, 7))  # each look at the clock is seven seconds later
    with liar(drip) as bad:
        standing = Standing()
        link = Neighbours([bad], standing, clock=lambda: float(next(moments)))
        with link.open(Request("GET", OBJECTS + "a" * 64)) as reply:
            assert reply.status == 404
        assert not standing.good(bad)
        link.close()


class Hours:
    """A clock on which waiting costs nothing."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def wait(self, seconds: float, cancel: object) -> None:
        self.at += seconds


@pytest.mark.parametrize(
    ("brings", "person", "least", "most"),
    [(0, False, 20, 30), (0, True, 5, 10), (1000, False, 300, 320), (1000, True, 60, 80), (1, False, 110, 140)],
    ids=["nothing", "nothing, a person waits", "steadily", "steadily, a person waits", "hardly anything"],
)
def test_who_fetches_is_followed_while_it_brings_something(
    home: Home, brings: int, person: bool, least: float, most: float
) -> None:
    """A long object over a thin link is no standstill; and nobody is believed for ever."""
    key = SigningKey.generate()
    document = make_root(1, [key.public], [key.public], "2030-01-01T00:00:00Z", [key])
    hours = Hours()

    def says(link: socket.socket, path: str) -> None:
        if path != STATE:
            whole(b"", "404 Not Found")(link, path)
            return
        moved = int(hours.at * brings)
        state = State("0" * 16, pin(document).fingerprint[:16], fetching=int(hours.at), moved=moved)
        whole(state.to_bytes())(link, path)

    with liar(says) as leader:
        with home.own() as own:
            own.set_setting("root", document.decode())
            own.set_setting(SHARING, True)
            own.set_setting(ADDRESSES, [leader])
        office = Office(home, clock=hours, id_="f" * 16)
        turn = office.before_hub(by_person=person)
        assert turn.followed
        assert least <= hours.at <= most


def test_it_comes_back_into_favour_later_each_time() -> None:
    now = [0.0]
    standing = Standing(lambda: now[0])
    for rest in (60, 300, 1800, 1800):
        standing.failed("http://10.0.0.1:1")
        assert not standing.good("http://10.0.0.1:1")
        now[0] += rest - 1
        assert not standing.good("http://10.0.0.1:1")
        now[0] += 2
        assert standing.good("http://10.0.0.1:1")
    standing.helped("http://10.0.0.1:1")
    standing.failed("http://10.0.0.1:1")
    now[0] += 61
    assert standing.good("http://10.0.0.1:1")


@pytest.mark.parametrize("address", ["http://8.8.8.8:80", "https://10.0.0.1:1", "http://hub.example:80", "x"])
def test_who_is_not_in_the_office_is_never_asked(address: str) -> None:
    link = Neighbours([address], Standing())
    with link.open(Request("GET", OBJECTS + "a" * 64)) as reply:
        assert reply.status == 404
    assert link.moved.requests == 0


def test_no_secret_leaves(home: Home) -> None:
    seen: list[bytes] = []

    def say(link: socket.socket, _path: str) -> None:
        link.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    listener = socket.create_server(("127.0.0.1", 0))

    def once() -> None:
        link, _address = listener.accept()
        with link:
            seen.append(link.recv(4096))
            say(link, "")

    thread = threading.Thread(target=once)
    thread.start()
    link = Neighbours([f"http://127.0.0.1:{listener.getsockname()[1]}"], Standing())
    with link.open(Request("GET", OBJECTS + "a" * 64, {"Authorization": "Bearer secret", "Cookie": "x"})) as reply:
        assert reply.status == 404
    thread.join(5)
    listener.close()
    assert b"secret" not in seen[0]
    assert b"Cookie" not in seen[0]


@settings(max_examples=200, deadline=None)
@for_all(st.binary(max_size=300) | st.builds(lambda body: body.encode(), st.text(max_size=200)))
def test_states_are_read_or_refused(data: bytes) -> None:
    with suppress(ProtocolError):
        State.from_bytes(data)


@for_all(
    st.builds(
        State,
        id=st.just("0" * 16),
        root=st.just("1" * 16),
        head=st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)),
        complete=st.booleans(),
        wants=st.none() | st.integers(0, 10**6),
        fetching=st.none() | st.integers(0, 10**6),
        checked=st.none() | st.integers(0, 10**6),
        moved=st.none() | st.integers(0, 10**9),
    )
)
def test_states_come_back_as_they_were(state: State) -> None:
    assert State.from_bytes(state.to_bytes()) == state


def test_what_is_given_is_kept_in_a_moment_and_a_look_is_no_gift(home: Home, tmp_path: Path) -> None:
    data = b"x" * 5_000
    digest = home.given().put(data)
    office = Office(home, keep_after=0.2)
    port = office.serve(["127.0.0.1"])

    def kept() -> int:
        with home.own() as own:
            return counts_of(own.setting(COUNTS)).given

    def fetch(path: str) -> None:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        link.request("GET", path)
        assert link.getresponse().read()
        link.close()

    fetch(STATE)
    fetch(OBJECTS + digest)
    until(lambda: kept() == len(data))
    fetch(OBJECTS + digest)
    office.stop()
    until(lambda: kept() == 2 * len(data))


def test_a_stop_ends_what_is_under_way(home: Home) -> None:
    data = random.Random(1).randbytes(4_000_000)
    digest = home.given().put(data)
    with serving(home, rate=100_000) as server:
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
            link.sendall(f"GET {OBJECTS}{digest} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert link.recv(100)
            server.stop()
            try:
                while link.recv(65536):
                    pass
            except ConnectionError:
                pass
        assert time.monotonic() - began < 20


def test_what_moved_is_added_up_by_computer() -> None:
    kept = added(None, {"10.0.0.2": [5, 0], "10.0.0.3": [0, 70]})
    kept = added(kept, {"10.0.0.2": [1, 10]})
    found = counts_of(kept)
    assert (found.given, found.taken) == (6, 80)
    assert list(found.each.items()) == [("10.0.0.3", (0, 70)), ("10.0.0.2", (6, 10))]
    many = added(kept, {f"10.1.0.{n}": [n, 0] for n in range(200)})
    assert len(counts_of(many).each) == 16
    for odd in (
        None,
        [],
        {"each": {"x": 3}},
        {"given": -1, "taken": True, "each": []},
        {"each": {"x": [None, "y"]}},
    ):
        assert counts_of(odd).given == counts_of(odd).taken == 0
