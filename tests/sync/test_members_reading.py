"""A shelf and what only members may read: it comes like all else, and leaves with the membership."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sync.apply import apply_step
from sync.engine import connect_guest, enrol, price_once, sync_once
from sync.errors import AuthNeeded, HubProblem
from sync.home import Home
from sync.protocol import sealed
from sync.protocol.errors import NoKey
from sync.protocol.routes import Place, Step
from sync.protocol.segments import encode
from sync.report import SyncReport
from sync.transport import HttpTransport
from tests.programs import HubProgram, write_records

SECRET = "cadmium heron"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    folder = tmp_path_factory.mktemp("members")
    with HubProgram(folder / "hub").init() as program:
        cards = [
            {"id": f"r{n}", "type": "resource", "title": f"Guide {n} to rain", "lang": "en"} for n in range(30)
        ]
        program.do("import", file=str(write_records(folder / "cards.jsonl", cards)))
        program.do("discuss", id="open", title="Rain", visibility="public", messages=["It rains."])
        program.do("discuss", id="t1", title="Inside", visibility="members", messages=[f"A {SECRET}.", "Yes."])
        program.do("publish")
        program.start()
        yield program


class Shelf:
    def __init__(self, path: Path, hub: HubProgram) -> None:
        self.home, self.hub = Home(path), hub

    def enrol(self, email: str) -> Shelf:
        enrol(self.home, self.hub.url, self.hub.do("invite", email=email), "test")
        return self

    def guest(self) -> Shelf:
        connect_guest(self.home, self.hub.url)
        return self

    def sync(self) -> SyncReport:
        with HttpTransport(self.hub.url) as transport:
            return sync_once(self.home, transport)

    def text(self, record: str) -> str:
        """The body or title of a record, "" where it is not here."""
        with self.home.library() as library:
            found = library.record("members/talk/en", record) or library.get(record) or {}
        return "" if found.get("deleted") else str(found.get("body") or found.get("title") or "")

    def places(self) -> set[str]:
        with self.home.library() as library:
            return {name for name in library.cursors() if sealed.for_members(name)}

    def set(self, **settings: Any) -> Shelf:
        with self.home.own() as own:
            for key, value in settings.items():
                own.set_setting(key, value)
        return self

    def stored(self) -> bytes:
        """Every byte of both databases, as it lies there."""
        return b"".join(path.read_bytes() for path in sorted(self.home.path.glob("*.db*")))


def test_a_member_reads_what_a_guest_does_not(hub: HubProgram, tmp_path: Path) -> None:
    member = Shelf(tmp_path / "member", hub).enrol("ana@ministry.example")
    guest = Shelf(tmp_path / "guest", hub).guest()
    for shelf in (member, guest):
        report = shelf.sync()
        assert (report.up_to_date, report.error) == (True, None)
        assert shelf.text("open-0") == "It rains."
    assert member.text("t1-0") == f"A {SECRET}."
    assert member.places() == {"members/talk/en"}
    assert guest.text("t1-0") == ""
    assert guest.places() == set()
    assert SECRET.encode() not in guest.stored()
    # The key is among the secrets, for the owner alone, and nowhere else.
    ((_name, key),) = member.home.secrets().member_keys().items()
    path = member.home.path / "secrets" / "members"
    assert path.read_text().strip() == key.hex()
    assert path.stat().st_mode & 0o777 == 0o600
    assert key not in member.stored()
    assert key.hex().encode() not in member.stored()
    assert member.sync().requests == 1, "in step, the one question is enough"


def test_news_for_members_come_behind_the_answer(hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", hub).enrol("news@ministry.example")
    assert shelf.sync().up_to_date
    hub.do("discuss", id="t1", title="Inside", visibility="members", messages=["Changed.", "Yes.", "More."])
    hub.do("publish")
    with HttpTransport(hub.url) as transport:
        price_once(shelf.home, transport)
    report = shelf.sync()
    assert (report.up_to_date, report.requests, report.error) == (True, 1, None)
    assert (shelf.text("t1-0"), shelf.text("t1-2")) == ("Changed.", "More.")


def test_a_discussion_moves_between_everybody_and_members(hub: HubProgram, tmp_path: Path) -> None:
    member = Shelf(tmp_path / "member", hub).enrol("moves@ministry.example")
    guest = Shelf(tmp_path / "guest", hub).guest()
    for visibility, seen in (("public", "Here."), ("members", ""), ("public", "Here.")):
        hub.do("discuss", id="t2", title="Both", visibility=visibility, messages=["Here."])
        hub.do("publish")
        for shelf, text in ((member, "Here."), (guest, seen)):
            assert shelf.sync().up_to_date
            assert shelf.text("t2-0") == text
    for shelf in (member, guest):
        with shelf.home.library() as library:
            assert all(check.ok for check in library.check())


def test_a_revoked_device_loses_it_and_the_others_go_on(hub: HubProgram, tmp_path: Path) -> None:
    lost = Shelf(tmp_path / "lost", hub).enrol("lost@ministry.example")
    assert lost.sync().up_to_date
    with lost.home.own() as own:
        own.outbox.add("ask", "How many tablets?", {"kind": "question", "body": "One each?"})
    assert lost.sync().operations_sent == 1
    with lost.home.own() as own:
        own.outbox.add("ask", "Not sent yet", {"kind": "question", "body": ""})
    (old,) = lost.home.secrets().member_keys().values()
    hub.do("revoke")
    stays = Shelf(tmp_path / "stays", hub).enrol("stays@ministry.example")
    assert stays.sync().up_to_date
    hub.do("discuss", id="t1", title="Inside", visibility="members", messages=["After that."])
    hub.do("publish")

    report = stays.sync()
    assert (report.up_to_date, report.requests, report.error) == (True, 1, None)
    assert stays.text("t1-0") == "After that."
    assert old not in list(stays.home.secrets().member_keys().values())[-1:]

    report = lost.sync()
    assert isinstance(report.error, AuthNeeded)
    assert lost.places() == set()
    assert lost.text("t1-0") == ""
    assert lost.home.secrets().member_keys() == {}
    assert not (lost.home.path / "secrets" / "members").exists()
    assert lost.text("open-0") == "It rains.", "what is public stays and goes on"
    with lost.home.own() as own:
        assert sorted(item.title for item in own.outbox.items()) == ["How many tablets?", "Not sent yet"]
    with lost.home.library() as library:
        assert library.counts()["request"] == 1
    # What is carried past is of no use to the old key.
    newest = list(stays.home.secrets().member_keys())[-1]
    carried = [path.read_bytes() for path in (hub.home / "members").rglob("*") if path.is_file()]
    fresh = [data for data in carried if data[4:12].hex() == newest]
    assert len(fresh) >= 4
    for data in fresh:
        with pytest.raises(NoKey):
            sealed.unseal(data, {sealed.key_id(old): old})
    again = Shelf(tmp_path / "lost", hub).enrol("lost@ministry.example")
    assert again.sync().up_to_date
    assert again.text("t1-0") == "After that."


def test_a_wrong_key_is_replaced_in_the_same_sync(hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", hub).enrol("wrong@ministry.example")
    right = shelf.home.secrets().member_keys()
    shelf.home.secrets().keep_member_keys([bytes(32)])
    assert shelf.sync().up_to_date
    assert shelf.text("t1-0")
    assert right.items() <= shelf.home.secrets().member_keys().items()
    (shelf.home.path / "secrets" / "members").write_text("damaged")
    assert shelf.sync().up_to_date
    assert shelf.home.secrets().member_keys() == right


def test_without_the_key_all_that_is_public_goes_on(hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", hub).enrol("keyless@ministry.example")
    shelf.home.secrets().forget_member_keys()
    file = hub.home / "keys" / "members.key"
    kept = file.read_text()
    file.write_text("the hub cannot read it either")
    try:
        report = shelf.sync()
    finally:
        file.write_text(kept)
    assert isinstance(report.error, HubProblem)
    assert (report.error.problem.code, report.up_to_date) == ("no-key", False)
    assert shelf.text("open-0") == "It rains."
    assert (shelf.text("t1-0"), shelf.places()) == ("", set())
    report = shelf.sync()
    assert (report.error, report.up_to_date) == (None, True)
    assert shelf.text("t1-0")


def test_a_device_that_is_only_unknown_keeps_what_it_has(hub: HubProgram, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", hub).enrol("unknown@ministry.example")
    assert shelf.sync().up_to_date
    shelf.home.secrets().keep_token("0" * 64)
    hub.do("discuss", id="t3", title="Later", visibility="members", messages=["Not for strangers."])
    hub.do("publish")
    report = shelf.sync()
    assert isinstance(report.error, AuthNeeded)
    assert shelf.text("t1-0")
    assert shelf.places() == {"members/talk/en"}
    assert shelf.text("t3-0") == ""


@dataclass
class Carrier:
    """Something that has copies of what the hub serves, sealed things too, and gives them to everybody."""

    url: str = ""
    given: set[str] = field(default_factory=set)
    headers: list[str] = field(default_factory=list)


@contextmanager
def carrier(hub: HubProgram, *, damaged: bool) -> Iterator[Carrier]:
    found = Carrier()
    copies = {path.name: path.read_bytes() for path in (hub.home / "members").rglob("*") if path.is_file()}

    class Plane(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found.headers.extend(self.headers.keys())
            body = copies.get(self.path.rpartition("/")[2])
            status = 404 if body is None else 200
            if body is not None:
                found.given.add(self.path.rpartition("/")[2])
                if wanted := self.headers.get("Range"):
                    first, _, last = wanted.removeprefix("bytes=").partition("-")
                    status, size = 206, len(body)
                    body = body[int(first) : int(last) + 1]
                body = body[:-1] + bytes((body[-1] ^ damaged,))
            self.send_response(status)
            if status == 206:
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Plane)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_carrier_of_sealed_things_is_used_and_learns_nothing(
    hub: HubProgram, tmp_path: Path, damaged: bool
) -> None:
    noise = [random.Random(f"{damaged} {n}").randbytes(8000).hex() for n in range(4)]
    hub.do("discuss", id="t1", title="Inside", visibility="members", messages=["Carried.", *noise])
    hub.do("publish")
    with carrier(hub, damaged=damaged) as near:
        shelf = Shelf(tmp_path / "shelf", hub).enrol(f"carried-{damaged}@ministry.example")
        # So much does not ride along with the hub's answer.
        shelf.set(office_mirrors=[near.url])
        report = shelf.sync()
        assert (report.error, report.up_to_date) == (None, True)
        assert (shelf.text("t1-0"), shelf.text("t1-4")) == ("Carried.", noise[3])
        assert near.given
        assert not {"Authorization", "Cookie"} & set(near.headers)


def test_what_is_not_sealed_is_no_segment_for_members(tmp_path: Path) -> None:
    home = Home(tmp_path)
    segment = encode([b"@members/talk/en", b'{"id":"m1","type":"message","body":"x"}'])
    step = Step(segment.ref, segment.ref, 0, 0, Place(1, 1), "", False)
    with home.library() as library:
        incoming = home.incoming()
        with incoming.partial(segment.ref.hash, segment.ref.size) as partial:
            partial.write(segment.data)
        with pytest.raises(HubProblem):
            apply_step(library, incoming, "members/talk/en", ["members/talk/en"], step, {})
        assert library.record("members/talk/en", "m1") is None
