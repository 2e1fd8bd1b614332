"""Links into the shelf: what is opened, what is refused and why, and the one window that opens them."""

from __future__ import annotations

import json
import socket
import stat
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop import one_window, session
from desktop.app import Application
from desktop.links import KINDS, LONGEST, LinkRefused, link_to, link_to_search, place_of_link
from desktop.navigation import PAGES, Place, place_of
from desktop.one_window import Door, NotAnswering, WindowLock, addresses, hand_over, take_or_hand_over
from tests.desktop.window_process import finish, needs_sockets, stands_at, start, wait_for

ID = "01920000-9999-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("link", "place"),
    [
        (f"hubshelf://resource/{ID}", Place("library", record=ID)),
        ("HUBSHELF://Resource/ED123456", Place("library", record="ED123456")),
        ("hubshelf://resource/oai:repo.example:17/", Place("library", record="oai:repo.example:17")),
        (f"hubshelf://thread/{ID}", Place("discussions", record=ID)),
        (f"hubshelf://request/{ID}", Place("outbox", record=ID)),
        (f"hubshelf://expert/{ID}", Place("people", record=ID, tab="expert")),
        ("hubshelf://search?q=teacher+training", Place("search", query="teacher training")),
        ("hubshelf://search/?q=%C3%A9cole%20%26%20ville", Place("search", query="école & ville")),
        ("hubshelf://search?q=%D9%85%DB%8C%E2%80%8C%D8%B1%D9%88%D8%AF", Place("search", query="می\u200cرود")),
    ],
)
def test_a_link_leads_to_its_place(link: str, place: Place) -> None:
    assert place_of_link(link) == place


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("", "not-a-link"),
        ("https://hub.example/resource/1", "not-a-link"),
        ("hubshelf:resource/1", "not-a-link"),
        ("hubshelf://resource/1#part", "not-a-link"),
        ("hubshelf://amina@resource/1", "not-a-link"),
        ("hubshelf://resource:80/1", "not-a-link"),
        ("hubshelf://resource/1\n", "not-a-link"),
        (" hubshelf://resource/1", "not-a-link"),
        ("hubshelf://resource/%zz", "not-a-link"),
        ("hubshelf://search?q=é", "not-a-link"),
        ("hubshelf://resource/" + "1" * LONGEST, "too-long"),
        ("hubshelf://sync/now", "unknown-kind"),
        ("hubshelf://preferences/", "unknown-kind"),
        ("hubshelf://enrol/https", "unknown-kind"),
        ("hubshelf://resource", "bad-id"),
        ("hubshelf://resource/", "bad-id"),
        ("hubshelf://resource/a/b", "bad-id"),
        ("hubshelf://resource/..%2F..%2Fetc", "bad-id"),
        ("hubshelf://resource/1?download=yes", "bad-id"),
        ("hubshelf://resource/" + "1" * 65, "bad-id"),
        ("hubshelf://search", "bad-search"),
        ("hubshelf://search?q=", "bad-search"),
        ("hubshelf://search?q=a&run=b", "bad-search"),
        ("hubshelf://search?x=a", "bad-search"),
        ("hubshelf://search?q=%ff", "bad-search"),
        ("hubshelf://search?q=a%00b", "bad-search"),
        ("hubshelf://search?q=%E2%80%AEb", "bad-search"),
        ("hubshelf://search?q=" + "a" * 301, "bad-search"),
        ("hubshelf://search/deep?q=a", "bad-search"),
    ],
)
def test_anything_else_is_refused_and_says_why(link: str, reason: str) -> None:
    with pytest.raises(LinkRefused) as refused:
        place_of_link(link)
    assert refused.value.reason == reason


@given(st.one_of(st.text(), st.text().map("hubshelf://resource/".__add__), st.text().map("hubshelf://".__add__)))
def test_whatever_comes_is_a_place_or_refused(link: str) -> None:
    try:
        place = place_of_link(link)
    except LinkRefused:
        return
    assert place.page in PAGES
    assert not place.fill
    assert len(place.record) <= 64


@given(st.text(min_size=1, max_size=60))
def test_a_search_goes_there_and_back(words: str) -> None:
    words = words.strip()
    strange = any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for c in words)
    if strange or not words:
        return  # refused above
    assert place_of_link(link_to_search(words)) == Place("search", query=words)


@pytest.mark.parametrize("kind", KINDS)
def test_links_go_there_and_back(kind: str) -> None:
    assert place_of_link(link_to(kind, ID)) == place_of(kind, ID)
    with pytest.raises(LinkRefused):
        link_to(kind, "a b")
    with pytest.raises(LinkRefused):
        link_to("note", ID)


# One window


@pytest.fixture
def door(qtbot: Any, tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path)
    assert made.open()
    yield made
    made.close()


def address_of(home: Path) -> Path:
    """Where the door of `home` is: not in it, where its name is too long for a socket."""
    return Path(addresses(home)[0])


def say(door: Door, qtbot: Any, line: bytes, address: Path) -> bytes:
    """What the door answers to a line; b"" where it hangs up."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(address))
        caller.setblocking(False)
        caller.sendall(line)

        def listen() -> bool:
            try:
                heard.append(caller.recv(10_000))
            except BlockingIOError:
                return False
            except ConnectionError:
                heard.append(b"")
            return True

        qtbot.waitUntil(listen, timeout=5_000)
    return heard[0]


@needs_sockets
def test_the_door_takes_a_link_and_nothing_else(
    door: Door, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_window, "_TURN_MS", 60_000)  # nobody is sent away for being slow
    asked: list[Any] = []
    refused: list[Any] = []
    door.asked.connect(asked.append)
    door.refused.connect(refused.append)
    address = address_of(tmp_path)
    question = json.dumps({"open": f"hubshelf://thread/{ID}"}).encode() + b"\n"
    assert json.loads(say(door, qtbot, question, address)) == {"ok": True}
    assert json.loads(say(door, qtbot, b'{"open": ""}\n', address)) == {"ok": True}
    assert asked == [Place("discussions", record=ID), None]
    for line in (b"\n", b"[]\n", b'{"open": 7}\n', b'{"open": "", "run": "x"}\n', b"[" * 1500 + b"\n", b"\xff\n"):
        assert json.loads(say(door, qtbot, line, address))["ok"] is False
    assert json.loads(say(door, qtbot, b'{"open": "hubshelf://sync/now"}\n', address))["reason"] == "unknown-kind"
    assert len(refused) == 7
    assert say(door, qtbot, b"x" * 5_000, address) == b"", "a line without an end is not listened to"
    assert len(asked) == 2


@needs_sockets
def test_nobody_else_reaches_the_door(door: Door, tmp_path: Path) -> None:
    assert stat.S_IMODE(address_of(tmp_path).stat().st_mode) & 0o077 == 0


@needs_sockets
def test_a_caller_who_says_nothing_is_sent_away(
    door: Door, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_window, "_TURN_MS", 50)
    with ExitStack() as open_here:
        callers = [open_here.enter_context(socket.socket(socket.AF_UNIX)) for _i in range(4)]
        for caller in callers:
            caller.connect(str(address_of(tmp_path)))
            caller.setblocking(False)
        gone: set[int] = set()

        def all_gone() -> bool:
            for caller in callers:
                try:
                    assert caller.recv(10) == b""
                    gone.add(caller.fileno())
                except ConnectionResetError:
                    gone.add(caller.fileno())
                except BlockingIOError:
                    pass
            return len(gone) == 4

        qtbot.waitUntil(all_gone, timeout=5_000)
    assert not door._callers


@needs_sockets
def test_a_folder_with_a_long_name_has_its_door_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/tmp")
    long = tmp_path / ("x" * 90)
    assert [Path(path).parent.parent for path in addresses(long)] == [Path("/tmp")]
    # Somebody else's folder of that name is not trusted.
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    strange = Path("/tmp/hubshelf-4000000")
    try:
        assert addresses(long) == []
    finally:
        strange.rmdir()


@needs_sockets
def test_a_folder_that_others_can_enter_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert one_window._private_folder("ours") == tmp_path / "ours"
    (tmp_path / "ours").chmod(0o755)
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "file").write_text("")
    assert [one_window._private_folder(name) for name in ("ours", "link", "file")] == [None] * 3


def test_one_lock_one_window(tmp_path: Path) -> None:
    first, second = WindowLock(tmp_path), WindowLock(tmp_path)
    assert take_or_hand_over(tmp_path, first)
    begun = time.monotonic()
    with pytest.raises(NotAnswering):
        take_or_hand_over(tmp_path, second, patience=0.3)
    assert time.monotonic() - begun < 5
    first.release()
    assert take_or_hand_over(tmp_path, second)
    second.release()


def test_a_folder_that_takes_no_lock_opens_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert WindowLock(tmp_path / "file" / "shelf").take()


@pytest.mark.qt_log_ignore("does not support raise", extend=True)
def test_a_link_that_is_asked_for_comes_to_the_front(
    make_window: Callable[..., Application], settle: Callable[[Application], None], home: Path
) -> None:
    application = make_window(home)
    settle(application)
    application.window.showMinimized()
    application.come(Place("search", query="tablets"))
    settle(application)
    assert application.context.navigator.here == Place("search", query="tablets")
    assert not application.window.isMinimized()
    application.tell(LinkRefused("unknown-kind"))
    assert application.window.banner._words.text() == "This link cannot be opened."


# With real programs


@needs_sockets
def test_a_second_start_hands_over_and_ends(home: Path) -> None:
    window = start(home, "open", "hubshelf://search?q=tablets")
    try:
        wait_for(lambda: stands_at(home, Place("search", query="tablets")))
        thread = f"hubshelf://thread/{ID}"
        done = finish(home, "open", thread, "--json")
        assert (done.returncode, json.loads(done.stdout)["id"]) == (0, ID), done.stderr
        wait_for(lambda: stands_at(home, Place("discussions", record=ID)))
        refused = finish(home, "open", "hubshelf://sync/now", "--json")
        assert refused.returncode == 1
        assert json.loads(refused.stdout)["error"]["code"] == "link-of-other-kind"
        assert finish(home).returncode == 0, "it comes to the front"
        assert finish(home, "open", "--in-window", "hubshelf://sync/now").returncode == 1
        assert window.poll() is None
        window.terminate()
        assert window.wait(20) == 0
    finally:
        window.kill()
        window.communicate()
    last = session.read(home)
    assert last is not None
    assert last.ended
    assert not hand_over(home, "")
