"""A shelf as the tests of the engine drive it, and a little content for the simulated hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from resources_cache.cards import Cursor
from sync.engine import enrol, sync_once
from sync.home import Home
from sync.protocol.wire_json import sha256
from sync.report import SyncReport
from sync.transport import HttpTransport
from tests.sync.hub_simulator import HubSimulator


def card(number: int, lang: str = "en", **changes: Any) -> dict[str, Any]:
    """A resource as it stands in a stream."""
    return {
        "id": f"r-{number:04}",
        "type": "resource",
        "title": f"Guide number {number} to offline learning",
        "summary": f"What district {number * 7919} found out about tablets, tutors and solar power.",
        "lang": lang,
        "updated": "2026-01-01T00:00:00Z",
        **changes,
    }


def long_card(number: int) -> dict[str, Any]:
    """A resource of about a kilobyte that compresses badly."""
    digits = (sha256(f"{number} {part}".encode()) for part in range(16))
    return card(number, summary=" ".join(digits))


def theme(slug: str) -> dict[str, Any]:
    return {"id": slug, "type": "theme", "labels": {"en": slug}}


def text(number: int, lang: str = "en") -> dict[str, Any]:
    body = f"Text {number}: " + " ".join(str(number * k * 7919 % 10007) for k in range(200))
    return {"id": f"t-{number:04}", "type": "text", "resource": f"r-{number:04}", "lang": lang, "body": body}


CONTENT: dict[str, list[dict[str, Any]]] = {
    "public/cards/en": [card(n) for n in range(20)],
    "public/cards/fr": [card(100 + n, "fr") for n in range(5)],
    "public/vocab": [theme("teaching"), theme("data")],
    "public/texts/en/teaching": [text(n) for n in range(3)],
}


class Shelf:
    """A home folder with the calls that tests make; every call opens its own stores."""

    def __init__(self, path: Path, hub: HubSimulator) -> None:
        self.home = Home(path)
        self.hub = hub

    def enrol(self) -> Shelf:
        enrol(self.home, self.hub.url, self.hub.invite(), "test")
        return self

    def sync(self, url: str = "", **options: Any) -> SyncReport:
        with HttpTransport(url or self.hub.url, read_seconds=options.pop("read_seconds", 20)) as transport:
            return sync_once(self.home, transport, **options)

    def ask(self, title: str, body: str = "") -> str:
        with self.home.own() as own:
            return own.outbox.add("ask", title, {"kind": "question", "body": body}).id

    def states(self) -> dict[str, str]:
        with self.home.own() as own:
            return {item.id: item.state for item in own.outbox.items()}

    def records(self) -> dict[str, dict[str, Any]]:
        """All resources, themes and texts on the shelf, by id, as they came."""
        found = {}
        with self.home.library() as library:
            for stream in self.hub.streams.values():
                for id_ in stream.records:
                    record = library.get(id_)
                    if record is not None:
                        record.pop("texts", None)
                        found[id_] = record
            total = sum(library.counts().values())
        assert len(found) == total - self.personal(), "the shelf has records that the hub never published"
        return found

    def streams(self) -> set[str]:
        """The streams of which records are here."""
        with self.home.library() as library:
            return {name for name, state in library.streams().items() if state.records}

    def place(self, name: str) -> Cursor | None:
        """How far a feed or stream is applied."""
        with self.home.library() as library:
            return library.cursors().get(name)

    def lose_library(self) -> None:
        """Remove library.db with all that SQLite keeps beside it."""
        for path in self.home.path.glob("library.db*"):
            path.unlink()

    def personal(self) -> int:
        with self.home.library() as library:
            counts = library.counts()
        return counts.get("request", 0) + counts.get("reply", 0)

    def set(self, **settings: Any) -> None:
        with self.home.own() as own:
            for key, value in settings.items():
                own.set_setting(key, value)

    def setting(self, key: str) -> Any:
        with self.home.own() as own:
            return own.setting(key)

    def check(self) -> None:
        """Both stores are whole and the index equals the content."""
        with self.home.library() as library, self.home.own() as own:
            bad = [check for check in [*library.check(), *own.check()] if not check.ok and check.name != "outbox"]
        assert not bad, bad

    def agrees(self) -> None:
        """The shelf holds exactly what the hub publishes."""
        published = {
            id_: json.loads(line) for stream in self.hub.streams.values() for id_, line in stream.records.items()
        }
        assert self.records() == published
        self.check()
