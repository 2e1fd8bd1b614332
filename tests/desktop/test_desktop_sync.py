"""The bridge to the engine: its real events become a status in words; pages hear of what arrived."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop.app import Application, background_engine
from desktop.navigation import Place
from desktop.sync_bridge import SyncBridge, SyncStatus
from resources_cache.library import Cursor, Library
from sync.background import SyncFailed, SyncFinished, SyncProgress, SyncStarted
from sync.errors import Cancelled, Unreachable
from sync.report import Progress, SyncReport

Make = Callable[..., Application]
Settle = Callable[[Application], None]


class Recorder:
    """An engine that only remembers what it was told."""

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


def test_events_become_a_status(qtbot: Any) -> None:
    made: list[Recorder] = []
    bridge = SyncBridge(lambda tell: made.append(Recorder(tell)) or made[-1])  # type: ignore[func-returns-value]
    bridge.start()
    engine = made[0]
    engine.on_event(SyncStarted("person"))
    qtbot.waitUntil(lambda: bridge.status.state == "running")
    engine.on_event(SyncProgress(Progress("catalogue", 200_000, 1_200_000, 40)))
    qtbot.waitUntil(lambda: bridge.status.bytes_done == 200_000)
    assert bridge.status.words() == "Syncing: 200 KB of 1.2 MB"
    ended: list[Any] = []
    bridge.ended.connect(ended.append)
    with qtbot.waitSignal(bridge.arrived):
        engine.on_event(SyncFinished(SyncReport(requests=1, up_to_date=True)))
    assert bridge.status.state == "idle"
    assert ended[0].up_to_date
    engine.on_event(SyncFailed(Unreachable("no route"), None))
    qtbot.waitUntil(lambda: bridge.status.state == "retrying")
    assert bridge.status.error is not None
    assert bridge.status.error.code == "unreachable"
    bridge.pause()
    engine.on_event(SyncFinished(SyncReport(error=Cancelled("stopped"))))
    qtbot.wait(20)
    assert bridge.status.state == "paused"
    assert bridge.status.error is None
    bridge.nudge("outbox")
    assert "wake outbox" not in engine.calls, "nothing moves while it is paused"
    bridge.sync_now()
    assert engine.calls == ["start", "pause", "resume", "wake person"]


def test_the_pill_says_how_things_stand() -> None:
    assert SyncStatus(connected=False).words() == "Not connected to a hub"
    assert SyncStatus().words() == "Not in step yet"
    assert SyncStatus(state="paused", waiting=3).words() == "Paused · 3 waiting to go"
    assert SyncStatus(connected=False, waiting=1, attention=2).words().endswith("1 waiting to go · 2 need you")


def test_what_arrives_is_shown(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    application.context.sync.start()
    application.context.navigator.go(Place("library"))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    before = page.list.cards.total
    with Library(home / "library.db") as library:
        new = {"id": "new1", "type": "resource", "title": "Fresh", "lang": "en", "updated": "2026-11-22T00:00:00Z"}
        library.apply("public/cards/fresh", [new], Cursor(1, 1))
    engine: Any = application.context.sync._engine
    engine.on_event(SyncFinished(SyncReport(records=1, up_to_date=True)))
    settle(application)
    assert page.list.cards.total == before + 1
    assert page.list.cards.rows[0].title == "Fresh"


def test_the_real_engine_starts_and_stops(tmp_path: Path, qtbot: Any) -> None:
    bridge = SyncBridge(background_engine(tmp_path / "home"))
    bridge.start()
    bridge.sync_now()
    qtbot.waitUntil(lambda: bridge.status.state != "idle" or bridge.status.error is not None, timeout=10_000)
    bridge.stop()
    assert bridge._engine is None
