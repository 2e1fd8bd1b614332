"""Whoever answers instead of the hub changes nothing: log-in pages, another hub, a hub of yesterday."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sync.engine import sync_once
from sync.errors import SyncError
from sync.protocol.errors import ProtocolError
from sync.transport import HttpTransport
from tests.faults.shelves import Shelf, agree
from tests.programs import HubProgram, copy_home

LOGIN = b"<!doctype html><title>Airport Wi-Fi</title><form>Accept the terms</form>"


@contextmanager
def portal(status: int, content_type: str, page: bytes) -> Iterator[str]:
    """A network's log-in page: the same answer to everything."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(page)))
            if status in (301, 302, 307):
                self.send_header("Location", "http://192.0.2.1/login")
            self.end_headers()
            self.wfile.write(page)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def why_not(shelf: Shelf, url: str) -> Any:
    """The typed error that a sync over `url` ends with, raised or reported."""
    try:
        with HttpTransport(url) as transport:
            report = sync_once(shelf.home, transport)
    except (SyncError, ProtocolError) as error:
        return error
    assert not report.up_to_date
    return report.error


@pytest.mark.parametrize(
    ("status", "content_type", "page"),
    [
        (200, "text/html", LOGIN),
        (302, "text/html", b""),
        (511, "text/html", LOGIN),
        (200, "application/json", b'{"epoch":1,"cursor":9}'),
        (503, "text/plain", b"busy"),
        (200, "application/json", b""),
    ],
)
def test_a_log_in_page_changes_nothing(
    hub: HubProgram, tmp_path: Path, status: int, content_type: str, page: bytes
) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    shelf.sync(hub.url)
    question = shelf.ask("Does the portal swallow this?")
    before = shelf.titles()
    with portal(status, content_type, page) as url:
        error = why_not(shelf, url)
    assert str(error)
    assert error.advice
    assert shelf.titles() == before
    assert shelf.states()[question] in ("waiting", "sending")
    shelf.sync(hub.url)
    assert set(hub.do("requests")) == {question}
    agree(shelf, hub)


def test_another_hub_at_the_same_address_is_not_believed(
    hub: HubProgram, hub_template: Path, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    shelf.sync(hub.url)
    before = shelf.titles()
    with HubProgram(tmp_path / "stranger").init(own_keys=True) as stranger:
        stranger.do("publish")
        stranger.start()
        report = shelf.sync(stranger.url)
        assert report is not None
        assert report.error is not None
        assert report.error.code == "bad-signature"
    assert shelf.titles() == before


def test_a_hub_of_yesterday_under_the_same_epoch_is_refused(hub: HubProgram, tmp_path: Path) -> None:
    hub.rest()
    yesterday = copy_home(hub.home, tmp_path / "yesterday")
    shelf = Shelf(tmp_path / "shelf").enrol(hub)
    hub.do("edit", id="r-0001", title="Newer")
    hub.do("publish")
    shelf.sync(hub.url)
    with HubProgram(yesterday) as old:
        old.start()
        shelf.sync(old.url)
    assert shelf.titles()["r-0001"] == "Newer"
