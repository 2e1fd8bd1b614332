"""What must not be felt in the window: loading the engine, and looking for circular garbage."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from desktop.garbage import LONG_S, Garbage
from desktop.late_engine import LateEngine


class Recorder:
    """An engine that notes what it is asked, and by which thread it was started."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.started_by: list[str] = []

    def start(self) -> None:
        self.started_by.append(threading.current_thread().name)

    def wake(self, reason: str) -> None:
        self.asked.append(reason)

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")

    def stop(self, timeout: float) -> object:
        self.asked.append(f"stop {timeout}")
        return True


def until(true: Any) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_what_is_asked_while_the_engine_loads_is_asked_of_it_then_in_order() -> None:
    recorder, loaded = Recorder(), threading.Event()

    def make() -> Recorder:
        loaded.wait(10)
        return recorder

    engine = LateEngine(make)
    engine.start()
    engine.start()
    engine.pause()
    engine.resume()
    engine.wake("person")
    assert recorder.asked == []
    loaded.set()
    until(lambda: recorder.started_by)
    until(lambda: engine._engine is not None)
    engine.wake("outbox")
    assert engine.stop(1.0) is True
    assert recorder.asked == ["pause", "resume", "person", "outbox", "stop 1.0"]
    assert recorder.started_by == ["load-engine"]


def test_an_engine_that_is_stopped_while_it_loads_never_starts() -> None:
    recorder, loaded, made = Recorder(), threading.Event(), threading.Event()

    def make() -> Recorder:
        loaded.wait(10)
        made.set()
        return recorder

    engine = LateEngine(make)
    engine.start()
    assert engine.stop(1.0) is True
    loaded.set()
    made.wait(10)
    assert engine._thread is not None
    engine._thread.join(10)
    assert recorder.started_by == []
    engine.start()
    assert recorder.started_by == []


def test_the_window_thread_loads_nothing_of_the_engine(tmp_path: Path) -> None:
    code = (
        "import sys, threading\nfrom pathlib import Path\nfrom PySide6.QtWidgets import QApplication\n"
        "from desktop.app import background_engine\nqt = QApplication([])\nby = []\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in ('sync.engine', 'requests', 'PySide6.QtNetwork'):\n"
        "            by.append((name, threading.current_thread().name))\n"
        "sys.meta_path.insert(0, Watch())\n"
        "from desktop.sync_bridge import SyncBridge\n"
        f"bridge = SyncBridge(background_engine(Path({str(tmp_path / 'home')!r})))\n"
        "bridge.sync_now()\nimport time\nend = time.time() + 20\n"
        "while bridge.status.state == 'idle' and time.time() < end: qt.processEvents(); time.sleep(0.01)\n"
        "bridge.stop()\nprint(sorted(by))\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    expected = [(name, "load-engine") for name in ("PySide6.QtNetwork", "requests", "sync.engine")]
    assert done.stdout.strip() == str(expected), done.stdout + done.stderr


@pytest.fixture
def garbage(qapp: QApplication) -> Iterator[Garbage]:
    found = Garbage(qapp)
    yield found
    found.stop()


def test_what_survived_a_long_search_is_not_looked_through_again(garbage: Garbage) -> None:
    garbage.start()
    frozen = gc.get_freeze_count()
    assert frozen > 0
    gc.disable()
    many = [[n] for n in range(400_000)]
    started = time.perf_counter()
    gc.collect()
    first = time.perf_counter() - started
    gc.enable()
    assert first > LONG_S
    assert gc.get_freeze_count() >= frozen + len(many)
    started = time.perf_counter()
    gc.collect()
    assert time.perf_counter() - started < first / 2


def test_a_short_search_puts_nothing_aside(garbage: Garbage) -> None:
    garbage.start()
    gc.collect()
    frozen = gc.get_freeze_count()
    few = [[n] for n in range(100)]
    gc.collect()
    assert gc.get_freeze_count() <= frozen + 10
    assert few


def test_circles_that_were_put_aside_go_while_the_window_is_not_in_use(
    garbage: Garbage, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    class Circle:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            gone.append(1)

    gone: list[int] = []
    Circle()
    garbage.start()
    gc.collect()
    assert gone == []
    monkeypatch.setattr(garbage, "_whole", time.monotonic() - 3600)
    garbage._rest.setInterval(1)
    garbage._state_changed(Qt.ApplicationState.ApplicationActive)
    assert not garbage._rest.isActive()
    garbage._state_changed(Qt.ApplicationState.ApplicationInactive)
    qtbot.waitUntil(lambda: gone == [1], timeout=5_000)


def test_all_is_as_before_when_the_program_ends(qapp: QApplication) -> None:
    usual, watching = gc.get_threshold(), len(gc.callbacks)
    garbage = Garbage(qapp)
    garbage.start()
    assert gc.get_threshold() != usual
    garbage.stop()
    garbage.stop()
    assert (gc.get_threshold(), len(gc.callbacks), gc.get_freeze_count()) == (usual, watching, 0)
    garbage.start()
    assert (gc.get_threshold(), len(gc.callbacks)) == (usual, watching), "not after the end"


def test_two_windows_at_once_leave_all_as_it_was(qapp: QApplication) -> None:
    usual = gc.get_threshold()
    first = Garbage(qapp)
    first.start()
    second = Garbage(qapp)
    second.start()
    first.stop()
    second.stop()
    assert gc.get_threshold() == usual
