"""A shelf with the sample library on it, a fake engine, and a whole window: what the desktop tests share."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.app import Application
from desktop.constants_guard import keep_constants_alive
from desktop.words import use_language
from resources_cache.library import Cursor, Library
from resources_cache.own import Own

keep_constants_alive()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen screen has no window manager to tell sizes to, and says so at each dialog."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints", extend=True))


ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "hub" / "sample"
TAXONOMY = ROOT / "hub" / "taxonomies" / "10-gpe-pillars.json"


def make_pdf(path: Path, pages: int = 3) -> None:
    """A small real PDF with words on each page."""
    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QFont, QPageSize, QPainter, QPdfWriter

    writer = QPdfWriter(str(path))
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setResolution(150)
    painter = QPainter(writer)
    for page in range(pages):
        if page:
            writer.newPage()
        painter.setFont(QFont("DejaVu Sans", 22))
        painter.drawText(100, 160, f"Offline first: part {page + 1}")
        painter.setFont(QFont("DejaVu Sans", 11))
        text = "Tablets that hold the whole curriculum need a day of charging and a teacher who trusts them. " * 14
        painter.drawText(QRectF(100, 240, 950, 1200), 0x1000, text)
    painter.end()


def sample_records() -> list[dict[str, Any]]:
    """The sample library as wire records (its native format differs in a few fields)."""
    found: list[dict[str, Any]] = []
    for file in sorted(SAMPLE.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            record = json.loads(line)
            if record["type"] == "resource":
                text, form = record.pop("text", ""), record.pop("text_format", "html")
                if country := record.pop("country", ""):
                    record["countries"] = [country]
                record["files"] = [
                    {
                        "hash": hashlib.sha256(f["path"].encode()).hexdigest(),
                        "size": 240_000 + 37_000 * len(f["path"]),
                        "media_type": f["media_type"],
                        "name": f["name"],
                    }
                    for f in record.get("files", [])
                ]
                if text:
                    found.append(
                        {
                            "id": f"{record['id']}-text",
                            "type": "text",
                            "resource": record["id"],
                            "lang": record["lang"],
                            "format": form,
                            "body": text,
                            "updated": record["updated"],
                        }
                    )
            if record["type"] == "message":
                record.setdefault("created", record["updated"])
            found.append(record)
    organisations = {r["id"]: r["name"] for r in found if r["type"] == "organisation"}
    messages: dict[str, int] = {}
    for record in found:
        if record["type"] == "message":
            messages[record["thread"]] = messages.get(record["thread"], 0) + 1
        if record["type"] == "expert":
            record["organisation_name"] = organisations.get(record.get("organisation", ""), "")
    for record in found:
        if record["type"] == "thread":
            record["messages"] = messages.get(record["id"], 0)
    taxonomy = json.loads(TAXONOMY.read_text("utf-8"))
    for order, theme in enumerate(taxonomy["concepts"]):
        found.append(
            {
                "id": theme["id"],
                "type": "theme",
                "labels": theme["labels"],
                "scheme": "gpe-pillars",
                "order": order,
            }
        )
    return found


def fill_library(home: Path) -> None:
    """Put the sample library on the shelf of `home`, each record in one stream."""
    home.mkdir(parents=True, exist_ok=True)
    with Library(home / "library.db") as library:
        library.apply("public/cards/en", sample_records(), Cursor(epoch=1, seq=1))
        asked = "01920000-9999-7000-8000-000000000001"
        question = {
            "id": asked,
            "type": "request",
            "kind": "question",
            "title": "Which tablets survive three rainy seasons?",
            "body": "We buy for 40 schools near the river and lost a third last year.",
            "state": "delivered",
            "lang": "en",
            "created": "2026-11-10T09:00:00Z",
            "updated": "2026-11-14T09:00:00Z",
        }
        reply = {
            "id": "01920000-9999-7000-8000-000000000002",
            "type": "reply",
            "request": asked,
            "author": "Facilitation team",
            "body": "Two ministries answered: look for a sealed port and a rubber frame.\n\nThe guide has a list.",
            "created": "2026-11-14T09:00:00Z",
            "cites": [],
        }
        library.apply_personal([question, reply], 1, 2)


def fill_own(home: Path) -> None:
    """A person's own work: items in every state of the outbox, bookmarks, a reading place, a history."""
    with Own(home / "own.db") as own, Library(home / "library.db") as library:
        own.set_setting("hub_url", "http://127.0.0.1:9")
        own.set_setting("hub_name", "Sample hub")
        own.set_setting("member", "Amina Diallo")
        own.set_setting("last_in_step", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7200)))
        box = own.outbox
        thread = library.threads().items[0]
        ask = {"kind": "question", "lang": "en", "themes": [], "body": "We charge from one panel per school."}
        waiting = box.add("ask", "How many tablets can one solar panel charge?", ask)
        assert waiting.state == "waiting"
        box.add(
            "ask",
            "Costing of a national offline library",
            {
                **ask,
                "kind": "helpdesk",
                "needed_by": "2026-12-15",
                "decision": "The 2027 budget",
                "body": "A first estimate for 900 schools is enough.",
            },
            state="draft",
        )
        sending = box.add(
            "reply", thread.title, {"target": thread.id, "title": thread.title, "body": "Same in our district."}
        )
        box.begin_sending([sending.id])
        received = box.add(
            "ask", "A teacher guide in Kiswahili on formative assessment", {**ask, "kind": "resource"}
        )
        box.begin_sending([received.id])
        box.receive(received.id, {"received": "2026-11-20T10:00:00Z"})
        answered = box.add("ask", "Sharing content servers between schools", {**ask, "kind": "practice"})
        box.begin_sending([answered.id])
        box.receive(answered.id, {"received": "2026-11-18T10:00:00Z"})
        box.mark_answered([answered.id])
        refused = box.add("ask", "Connectivity prices", {**ask, "kind": "question"})
        box.begin_sending([refused.id])
        box.set_aside(refused.id, {"title": "Too long", "detail": "The details are longer than the hub takes."})
        page = library.browse(("resource",), None, "newest", 0, 6)
        for card in page.items[:3]:
            own.bookmark(card.id, card.title)
        own.set_reading_place(page.items[0].id, 0.42)
        own.add_sync({"bytes_up": 900, "bytes_down": 84_000, "records": 57, "operations_sent": 2, "error": None})
        own.add_sync(
            {"bytes_up": 400, "bytes_down": 0, "error": {"code": "unreachable", "message": "x", "advice": "y"}}
        )


def add_pdf(home: Path) -> str:
    """Put a PDF on the shelf as the file of one resource; returns that resource's id."""
    from resources_cache.files import FileStore

    source = home / "made.pdf"
    make_pdf(source)
    data = source.read_bytes()
    source.unlink()
    with Library(home / "library.db") as library:
        for card in library.browse(("resource",), None, "newest", 0, 200).items:
            record = library.get(card.id)
            if record and record.get("files") and record["lang"] == "en":
                digest = FileStore(home / "files", 10**9).put(data)
                record["files"] = [{**record["files"][0], "hash": digest, "size": len(data)}]
                record.pop("texts", None)
                cursors = library.cursors()
                library.apply("public/cards/en", [record], cursors["public/cards/en"])
                return card.id
    raise AssertionError("no English resource with a file in the sample")


class FakeEngine:
    """An engine that keeps to the interface and does what the test says."""

    def __init__(self, on_event: Callable[[Any], None]) -> None:
        self.on_event = on_event
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def wake(self, reason: str) -> None:
        self.calls.append(f"wake {reason}")

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")

    def stop(self, timeout: float) -> None:
        self.calls.append("stop")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Words are English unless a test says otherwise, whatever the one before it spoke."""
    use_language("en")
    yield
    use_language("en")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with the sample library and a person's own work."""
    path = tmp_path / "home"
    fill_library(path)
    fill_own(path)
    (path / "window.json").write_text('{"introduced": true, "language": "en", "scheme": "light"}')
    return path


@pytest.fixture
def make_window(qtbot: Any, qapp: QApplication) -> Iterator[Callable[..., Application]]:
    """Makes the whole application on a home folder, with a fake engine; ends it after the test."""
    made: list[Application] = []

    def make(path: Path, size: tuple[int, int] = (1280, 800), make_icon: Any = None) -> Application:
        application = Application(qapp, path, FakeEngine, make_icon=make_icon)
        made.append(application)
        application.start()
        application.window.resize(*size)
        return application

    yield make
    for application in made:
        # A click with a key held leaves Qt believing that it is held still, in the next test as well.
        QTest.keyRelease(application.window, Qt.Key.Key_Control)
        application.window.leaving = True
        application.window.close()
        application.stop()
        application.window.deleteLater()
        application.deleteLater()
    qapp.processEvents()


@pytest.fixture
def settle(qtbot: Any) -> Callable[[Application], None]:
    """Waits until nothing is asked of the stores any more."""

    def wait(application: Application) -> None:
        qtbot.wait(30)
        qtbot.waitUntil(lambda: application.context.background.idle, timeout=10_000)
        qtbot.wait(30)
        qtbot.waitUntil(lambda: application.context.background.idle, timeout=10_000)

    return wait


@pytest.fixture
def put_pdf(qapp: QApplication) -> Callable[[Path], str]:
    """Puts a PDF on a shelf as the file of one resource, whose id it returns."""
    return add_pdf
