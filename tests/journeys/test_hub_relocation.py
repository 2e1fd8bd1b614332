"""A hub that moves: everybody follows, and nobody else leads them away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from sync.errors import HubRelocated
from sync.home import Home
from sync.policies import Policies
from sync.protocol.relocation import Relocation
from sync.protocol.signing import SigningKey
from sync.relocating import follow
from sync.transport import HttpTransport
from tests.programs import HubProgram, ShelfProgram, copy_home, write_records

RECORDS = [{"id": f"r{n}", "type": "resource", "title": f"Radio lesson {n}", "lang": "en"} for n in range(20)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Homes of the hub at its old address, of the same at its new one with more in it, and of a member's shelf
    with a question; and the old address's port."""
    folder = tmp_path_factory.mktemp("moved")
    with HubProgram(folder / "old").init() as old:
        old.do("import", file=str(write_records(folder / "a.jsonl", RECORDS)))
        old.do("publish")
        old.start()
        shelf = ShelfProgram(folder / "shelf").enrol(old)
        shelf.run("sync")
        shelf.ask("Who pays for the radios?")
        port = old.port
    shutil.copytree(folder / "old", folder / "new")
    with HubProgram(folder / "new") as new:
        more = [{"id": "r99", "type": "resource", "title": "Radios that moved", "lang": "en"}]
        new.do("import", file=str(write_records(folder / "b.jsonl", more)))
        new.do("publish")
    return folder, port


@pytest.fixture
def moved(prepared: tuple[Path, int], tmp_path: Path) -> Iterator[tuple[HubProgram, HubProgram, ShelfProgram]]:
    """Both hubs, serving, and the shelf."""
    for name in ("old", "new", "shelf"):
        copy_home(prepared[0] / name, tmp_path / name)
    with HubProgram(tmp_path / "old") as old, HubProgram(tmp_path / "new") as new:
        old.port = prepared[1]
        new.start()
        old.start()
        yield old, new, ShelfProgram(tmp_path / "shelf")


def test_shelves_follow_their_hub_with_what_waits(moved: tuple[HubProgram, HubProgram, ShelfProgram]) -> None:
    old, new, shelf = moved
    old.run("relocate", new.url)
    done = shelf.run("sync")
    assert (done["up_to_date"], done["operations_sent"]) == (True, 1)
    assert shelf.run("status")["hub"] == new.url
    assert shelf.run("search", "moved")["total"] == 1
    assert len(new.run("questions")["questions"]) == 1
    assert old.run("relocate", "--undo")["undone"]
    # The old server answers again; who followed stays where the newer word led.
    assert shelf.run("sync")["up_to_date"]
    assert shelf.run("status")["hub"] == new.url
    assert old.run("relocate", expect=2)["error"]["code"] == "usage"
    assert old.run("relocate", "http://hub.example.org", expect=1)["error"]["code"] == "invalid-input"


def test_a_hub_whose_address_an_administrator_decided_is_told_and_not_followed(
    moved: tuple[HubProgram, HubProgram, ShelfProgram],
) -> None:
    old, new, shelf = moved
    old.run("relocate", new.url)
    decided = Policies({"hub_url": (old.url, "policies.json")})
    home = Home(shelf.home, decided)
    with home.own() as own, HttpTransport(old.url) as transport:
        told = follow(own, transport)
        assert told is not None
        assert (told.code, new.url in str(told)) == ("hub-moved-locked", True)
    with Home(shelf.home).own() as own:
        assert own.setting("hub_url") == old.url


def test_nobody_else_leads_a_shelf_away(
    moved: tuple[HubProgram, HubProgram, ShelfProgram], tmp_path: Path
) -> None:
    old, new, shelf = moved
    # Not even the key that signs heads, which lies on the hub that somebody may have broken into.
    head = SigningKey(bytes.fromhex((old.home / "keys" / "head.key").read_text().strip()))
    stranger = SigningKey(bytes([7]) * 32)
    for signer in (stranger, head):
        (old.home / "relocation").write_bytes(Relocation(new.url, 9_999_999_999).signed([signer]))
        error = shelf.run("sync", "--patience", "0", expect=1)["error"]
        assert error["code"] in ("hub-problem", "hub-moved"), error
        assert shelf.run("status")["hub"] == old.url
    for noise in (b"", b"\x00" * 100, b"{}", b"x" * 10_000):
        (old.home / "relocation").write_bytes(noise)
        shelf.run("sync", "--patience", "0", expect=1)
    # An older word than one that was followed leads nobody back.
    old.run("relocate", new.url)
    with Home(shelf.home).own() as own, HttpTransport(old.url) as transport:
        own.set_setting("relocation_seen", 99_999_999_999)
        assert follow(own, transport) is None
        own.set_setting("relocation_seen", 0)
        assert isinstance(follow(own, transport), HubRelocated)


def test_a_plain_web_server_at_the_old_address_is_enough(
    moved: tuple[HubProgram, HubProgram, ShelfProgram], tmp_path: Path
) -> None:
    old, new, shelf = moved
    old.run("relocate", new.url, "--into", tmp_path / "web")
    port = old.port
    old.stop()

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None: ...

        def do_POST(self) -> None:
            self.send_error(404)

    ThreadingHTTPServer.allow_reuse_address = True
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(Silent, directory=str(tmp_path / "web")))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        assert shelf.run("sync")["operations_sent"] == 1
        assert shelf.run("status")["hub"] == new.url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
