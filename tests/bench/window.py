"""One figure of the window, measured in a process of its own (called by tests/bench/run.py).

    python tests/bench/window.py start HOME SPAWNED     seconds from SPAWNED (time.time()) to a usable window
    python tests/bench/window.py freeze HOME SPAWNED    longest gap of the event loop while a first sync runs
    python tests/bench/window.py write HOME SPAWNED     the same while 11,000 records with texts are written

Usable: the window is painted, Home shows what the stores hold, nothing is left to do. A freeze is how much later
than its 5 ms a timer fires; the person meanwhile leafs through the pages.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from PySide6.QtCore import QElapsedTimer, QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from desktop.import_scan import skip_import_scan

skip_import_scan()  # as the program does

from desktop.app import Application, background_engine  # noqa: E402
from desktop.navigation import Place  # noqa: E402
from resources_cache.library import Cursor, Library  # noqa: E402
from resources_cache.precedence import step_back  # noqa: E402

_TICK_MS = 5
_LIMIT_S = 90.0
_RECORDS = 11_000
_WORDS = ("school", "water", "radio", "lesson", "river", "solar")


class FirstPaint(QObject):
    """Remembers when something of a window was first painted."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint and not self.at:
            self.at = time.time()
        return False


def start(home: Path, spawned: float) -> dict[str, Any]:
    qt = QApplication(["hubshelf"])
    application = Application(qt, home, background_engine(home))
    painted = FirstPaint()
    application.window.stack.installEventFilter(painted)
    application.window.centralWidget().installEventFilter(painted)
    application.start(Place("home"))
    _until(qt, lambda: bool(painted.at) and application.context.background.idle)
    qt.processEvents()
    seconds = time.time() - spawned
    application.stop()
    return {"seconds": seconds, "painted": painted.at - spawned}


def freeze(home: Path) -> dict[str, Any]:
    def begin(application: Application) -> Callable[[], bool]:
        application.context.sync.sync_now()
        return lambda: _in_step(home)

    return _gaps(home, begin)


def write(home: Path) -> dict[str, Any]:
    def begin(application: Application) -> Callable[[], bool]:
        writer = threading.Thread(target=lambda: _file(home, _RECORDS, application))
        writer.start()
        return lambda: not writer.is_alive()

    return _gaps(home, begin)


def _gaps(home: Path, begin: Callable[[Application], Callable[[], bool]]) -> dict[str, Any]:
    qt = QApplication(["hubshelf"])
    application = Application(qt, home, background_engine(home))
    application.start(Place("home"))
    _until(qt, lambda: application.context.background.idle)
    gaps: list[float] = []
    clock = QElapsedTimer()
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(_TICK_MS)

    def tick() -> None:
        if clock.isValid():
            gaps.append(clock.nsecsElapsed() / 1e6 - _TICK_MS)
        clock.start()

    timer.timeout.connect(tick)
    # Each page is made once before the clock runs: what it costs to build a page is another figure.
    pages = [Place(name) for name in ("library", "discussions", "outbox", "home")]
    for place in pages:
        application.context.navigator.go(place)
        _until(qt, lambda: application.context.background.idle)
    timer.start()
    started = time.monotonic()
    done = begin(application)
    turn = QTimer()
    turn.timeout.connect(lambda: application.context.navigator.go(pages[int(time.monotonic() * 2) % len(pages)]))
    turn.start(400)
    # Qt's own loop, as the program runs it: one in Python would wait for its turn between any two events.
    loop, end = QEventLoop(), QTimer()
    end.timeout.connect(lambda: loop.quit() if done() or time.monotonic() - started > _LIMIT_S else None)
    end.start(20)
    loop.exec()
    if not done():
        sys.exit("the window did not come to rest")
    seconds = time.monotonic() - started
    timer.stop()
    turn.stop()
    application.stop()
    gaps.sort()
    return {"longest_ms": gaps[-1], "p99_ms": gaps[int(len(gaps) * 0.99)], "ticks": len(gaps), "seconds": seconds}


def _file(home: Path, count: int, application: Application) -> None:
    """Write ``count`` resources, a text edition of 2 KB to each second and one of 100 KB to each hundredth.

    Begins when the engine has been loaded, as what really comes does; its loading is watched as well.
    """
    step_back()  # as the engine's own thread
    while application.context.sync.status.state == "idle":
        time.sleep(0.01)
    random = Random(7)
    words = [f"{start}{end}" for start in _WORDS for end in range(400)]
    with Library(home / "library.db") as library:
        for first in range(0, count, 250):
            cards, texts = [], []
            for n in range(first, first + 250):
                title, summary = (" ".join(random.choices(words, k=k)) for k in (8, 60))
                cards.append(
                    {"id": f"w{n:06}", "type": "resource", "lang": "en", "title": title, "summary": summary}
                )
                if n % 2 == 0:
                    body = " ".join(random.choices(words, k=15_000 if n % 100 == 0 else 300))
                    texts.append(
                        {"id": f"t{n:06}", "type": "text", "resource": f"w{n:06}", "lang": "en", "body": body}
                    )
            library.apply("public/cards/bench", cards, Cursor(1, first + 1))
            library.apply("public/texts/bench", texts, Cursor(1, first + 1))


_checked = [0.0, False]


def _in_step(home: Path) -> bool:
    # Asked four times a second: opening the store is not what is measured.
    if time.monotonic() - _checked[0] > 0.25:
        from sync.home import Home

        with Home(home).own() as own:
            _checked[:] = [time.monotonic(), own.setting("last_in_step") is not None]
    return bool(_checked[1])


def _until(qt: QApplication, done: Callable[[], bool]) -> None:
    end = time.monotonic() + _LIMIT_S
    while not done():
        if time.monotonic() > end:
            sys.exit("the window did not come to rest")
        qt.processEvents()
        time.sleep(0.001)


def main() -> None:
    what, home, spawned = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    answer = start(home, spawned) if what == "start" else {"freeze": freeze, "write": write}[what](home)
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
