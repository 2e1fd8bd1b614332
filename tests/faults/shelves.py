"""A shelf as the fault tests drive it: the real engine in this process, over a link of the test's choosing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sync.engine import connect_guest, enrol, sync_once
from sync.errors import SyncError
from sync.home import Home
from sync.protocol.errors import ProtocolError
from sync.protocol.segments import change_line
from sync.protocol.subscriptions import Subscription
from sync.report import SyncReport
from sync.transport import HttpTransport
from tests.programs import HubProgram


class Shelf:
    """A shelf in a folder; each call opens and closes what it needs, as a program that is started anew does."""

    def __init__(self, path: Path) -> None:
        self.home = Home(path)

    def enrol(self, hub: HubProgram, email: str = "officer@ministry.example") -> Shelf:
        enrol(self.home, hub.url, hub.do("invite", email=email), "test")
        return self

    def look_around(self, hub: HubProgram) -> Shelf:
        """Belong to the hub as a guest."""
        connect_guest(self.home, hub.url)
        return self

    def sync(self, url: str, budget: int | None = None) -> SyncReport | None:
        """One sync over `url`; None where the link failed in one of the known ways."""
        try:
            with HttpTransport(url) as transport:
                return sync_once(self.home, transport, budget=budget)
        except (SyncError, ProtocolError):
            return None

    def sync_until_in_step(self, url: str, attempts: int) -> int:
        """Sync again and again over a bad link; return how many attempts it took."""
        for attempt in range(1, attempts + 1):
            report = self.sync(url)
            if report is not None and report.up_to_date:
                return attempt
            self.check()
        raise AssertionError(f"not in step after {attempts} attempts")

    def ask(self, title: str) -> str:
        with self.home.own() as own:
            return own.outbox.add("ask", title, {"kind": "question", "title": title, "body": ""}).id

    def reply(self, target: str, body: str) -> str:
        with self.home.own() as own:
            return own.outbox.add("reply", body, {"target": target, "body": body}).id

    def states(self) -> dict[str, str]:
        with self.home.own() as own:
            return {item.id: item.state for item in own.outbox.items()}

    def titles(self) -> dict[str, str]:
        """Titles of all resources on the shelf, by id."""
        from resources_cache.search import Filters

        with self.home.library() as library:
            total = library.counts().get("resource", 0)
            page = library.browse(["resource"], Filters(), "title", 0, total + 10)
            return {card.id: card.title for card in page.items}

    def get(self, record: str) -> dict[str, Any] | None:
        with self.home.library() as library:
            return library.get(record)

    def held(self) -> dict[str, dict[str, str]]:
        """What is here of the hub's content: stream → id of the record → hash of its canonical JSON."""
        with self.home.library() as library:
            return {
                stream: {
                    record["id"]: hashlib.sha256(change_line(record)).hexdigest()
                    for record in library.newest([stream])
                }
                for stream, state in library.streams().items()
                if state.records
            }

    def choose(self, **settings: object) -> Shelf:
        """Set settings, as the window and `hubshelf` do: languages, themes, low_data, office_mirrors."""
        with self.home.own() as own:
            for key, value in settings.items():
                own.set_setting(key, value)
        return self

    def search(self, query: str) -> list[str]:
        with self.home.library() as library:
            return [hit.id for hit in library.search(query, limit=500).results]

    def check(self) -> None:
        """Both stores are whole, and the index equals the content."""
        with self.home.library() as library, self.home.own() as own:
            bad = [check for check in [*library.check(), *own.check()] if not check.ok]
        assert not bad, bad


def agree(shelf: Shelf, hub: HubProgram) -> None:
    """The shelf holds exactly what the hub publishes and the person keeps, record for record, and finds it."""
    with shelf.home.own() as own:
        choice = Subscription.from_settings(own.setting("languages"), own.setting("themes"))
    published = {stream: records for stream, records in hub.do("sealed").items() if choice.wants(stream)}
    assert shelf.held() == published
    if choice == Subscription():
        public = hub.do("public")
        assert shelf.titles() == public["resources"]
        for thread in public["threads"]:
            record = shelf.get(thread)
            assert record is not None, thread
            held = {message["id"] for message in record["messages"]}
            assert held <= set(public["messages"])
    shelf.check()
