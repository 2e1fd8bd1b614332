"""What an IT team is given of a shelf on which somebody worked: nothing that they wrote, read, or are called."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop.app import Application, background_engine
from desktop.navigation import Place
from desktop.pages.sync import SyncPage
from desktop.preferences import Preferences
from desktop.words import use_language
from resources_cache.attachments import Attachments, open_files
from sync.engine import enrol, sync_once
from sync.errors import SyncError
from sync.health import examine
from sync.home import Home
from sync.joining import introduce
from sync.machine_files import VARIABLE
from sync.protocol.limits import FILE
from tests.journeys.test_window import Person
from tests.programs import HubProgram, command, write_records

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)
MARK = "zebrafinch"
"""Stands in everything that is somebody's."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    tmp_path = tmp_path_factory.mktemp("private")
    record = {
        "id": f"{MARK}-1", "type": "resource", "lang": "en", "title": f"About {MARK}", "summary": MARK,
        "licence": "CC-BY-4.0", "themes": ["capacity-and-culture"], "updated": "2026-05-01T08:00:00Z",
    }  # fmt: skip
    with HubProgram(tmp_path / "hub").init() as hub:
        hub.do("import", file=str(write_records(tmp_path / "records.jsonl", [record])))
        hub.do("publish")
        yield hub


def work(home: Home, hub: HubProgram) -> None:
    """A day of somebody's work, with what goes wrong in one."""
    hub.start()
    with pytest.raises(SyncError):
        enrol(home, hub.url, f"{MARK}-1234", MARK)
    with pytest.raises(SyncError):
        enrol(home, f"https://{MARK}.invalid", MARK, MARK)
    enrol(home, hub.url, hub.invite(f"{MARK}@ministry.example"), f"PC of {MARK}")
    paper = home.path / f"{MARK}.txt"
    paper.write_text(MARK)
    with home.own() as own:
        own.set_note(f"{MARK}-1", MARK)
        own.save_draft("ask", {"title": MARK})
        attached = Attachments.of(own, open_files(home.path, FILE)).take(paper)
        own.outbox.add("ask", MARK, {"kind": "question", "body": MARK, "attachments": [attached.to_json()]})
        introduce(own, MARK, f"{MARK}@ministry.example")  # this one the hub refuses
        own.outbox.add("reply", MARK, {"target": MARK, "body": MARK})
    for _turn in range(2):
        with closing(home.connect(home.hub_url)) as transport:
            sync_once(home, transport)
    hub.stop()
    with closing(home.connect(home.hub_url)) as transport:
        sync_once(home, transport)


def test_nothing_of_a_person_is_in_logs_and_reports(
    hub: HubProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication, qtbot: Any
) -> None:
    machine = tmp_path / "machine"
    machine.mkdir(mode=0o755)
    monkeypatch.setenv(VARIABLE, str(machine))
    (machine / "policies.json").write_text(
        json.dumps({"low_data": False, MARK: 1, "update_source": f"https://{MARK}.example"})
    )
    (machine / "policies.json").chmod(0o644)
    home = Home(tmp_path / MARK)
    work(home, hub)
    with home.own() as own:  # as a hub of that name leaves it, when there is no link
        error = {"code": "unreachable", "message": f"There is no connection to {MARK}.", "advice": ""}
        own.add_sync({"kind": "sync", "error": error})
    command("hubshelf", "search", MARK, home=home.path)
    command("hubshelf", "show", f"no-{MARK}", home=home.path, expect=1)
    assert any(MARK in check.detail for check in examine(home)), "the person themselves is told all"

    use_language("en")
    application = Application(
        qapp, home.path, background_engine(home.path), Preferences(language="en", introduced=True)
    )
    application.start()
    person = Person(application, qtbot)
    try:
        application.context.navigator.go(Place("sync"))
        person.waits_for(lambda: isinstance(person.page, SyncPage) and person.page._standing is not None)
        QGuiApplication.clipboard().setText("")
        person.clicks("Copy report")
        person.waits_for(lambda: QGuiApplication.clipboard().text() != "")
        report = QGuiApplication.clipboard().text()
    finally:
        application.stop()
        application.window.close()
        application.window.deleteLater()

    logs = "".join(file.read_text() for file in (home.path / "logs").iterdir())
    assert MARK not in logs.lower()
    assert MARK not in report.lower()
    assert str(tmp_path) not in logs + report
    for event in ("joined", "sync up-to-date=yes", "error=unreachable", "command-failed name=show code=not-found"):
        assert event in logs, event
    assert "policy low_data: locked" in report
    assert "policy problems: 1" in report
    assert "BAD policies" in report
    assert "ok  disk" in report
    assert "error=unreachable" in report, "the end of the log"


def test_doctor_tells_what_is_wrong_around_the_shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: HubProgram
) -> None:
    machine = tmp_path / "machine"
    (machine / "preload").mkdir(mode=0o755, parents=True)
    machine.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(machine))
    monkeypatch.setenv("https_proxy", f"http://{MARK}:{MARK}@proxy.example:3128")
    home = Home(tmp_path / "shelf")
    hub.start()
    enrol(home, hub.url, hub.invite(), "PC")
    with closing(home.connect(home.hub_url)) as transport:
        sync_once(home, transport)

    def bad(online: bool = False) -> dict[str, str]:
        return {check.name: check.detail for check in examine(Home(home.path), online=online) if not check.ok}

    assert bad(online=True) == {}
    (home.path / "secrets" / "token").chmod(0o644)
    (machine / "preload" / "x.hubshelf-pack").write_text("no pack")
    (machine / "policies.json").write_text("[")
    (machine / "policies.json").chmod(0o644)
    with home.own() as own:
        own.add_sync({"clock_ahead": 90_000, "error": {"code": "not-trusted", "message": "", "advice": ""}})
    found = bad()
    assert set(found) == {"policies", "packs that came with the PC", "secrets", "clock", "last syncs"}
    assert "token" in found["secrets"]
    hub.stop()
    assert "unreachable" in bad(online=True)["hub"]
    with home.own() as own:
        own.set_setting("hub_url", "https://hub.invalid")
    shown = next(check.detail for check in examine(Home(home.path)) if check.name == "proxy")
    assert shown == "system: http://proxy.example:3128", "no name and no password"
    shutil.rmtree(machine)
