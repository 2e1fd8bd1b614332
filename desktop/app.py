"""How the window starts, in order:

1. `run` reads `window.json` (language, colours, text size): one small file, no database yet.
2. Qt starts; the language, the direction of reading and the theme are put in force.
3. The window is made with Home alone and shown. It is usable now: the rail, the keys and the search work.
4. Behind it the stores open and Home fills; a shelf that never knew a hub goes to the first run instead.
5. A moment later the engine starts its own thread and looks for the hub. Nothing waits for it.
6. At the end drafts are written, the engine is told to stop, and the threads finish their writes.

A change of language, colours or text size makes the window anew at the same place; the threads go on.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from desktop.background import Background
from desktop.constants_guard import keep_constants_alive
from desktop.context import Context
from desktop.garbage import Garbage
from desktop.late_engine import LateEngine
from desktop.navigation import Navigator, Place
from desktop.preferences import Preferences
from desktop.shelf import Shelf
from desktop.sync_bridge import Engine, MakeEngine, SyncBridge
from desktop.theme import Theme
from desktop.window import USUAL, MainWindow
from desktop.words import is_right_to_left, language, system_language, use_language

ENGINE_AFTER_MS = 600
# Seconds after which a busy thread gives way. Drawing goes in and out of Python many times, and each time it may
# have to wait this long for a thread that decodes what arrived (5 ms unless told otherwise).
GIVE_WAY_S = 0.0005


class Application(QObject):
    """The parts that live as long as the program; the window among them is replaced when its look changes.

    `look` stands for the preferences of the home folder (pictures are taken in looks that nobody chose).
    """

    def __init__(
        self, qt: QApplication, home: Path, make_engine: MakeEngine, look: Preferences | None = None
    ) -> None:
        super().__init__(qt)
        keep_constants_alive()
        sys.setswitchinterval(GIVE_WAY_S)
        self._garbage = Garbage(qt)
        self._qt = qt
        preferences = look or Preferences.load(home)
        self._theme = Theme(qt)
        self.context = Context(
            home=home,
            background=Background(home, self),
            theme=self._theme,
            sync=SyncBridge(make_engine, self),
            navigator=Navigator(self),
            preferences=preferences,
        )
        self.context.notices.look_changed.connect(self._look_changed, Qt.ConnectionType.QueuedConnection)
        self._theme.system_changed.connect(self._look_changed, Qt.ConnectionType.QueuedConnection)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(ENGINE_AFTER_MS)
        self._later.timeout.connect(self._start_engine)
        self._wear()
        self.window = MainWindow(self.context)

    def start(self, place: Place | None = None) -> None:
        """Show the window at `place` (Home, or the first run where there was no hub yet) and start the rest."""
        preferences = self.context.preferences
        width, height = preferences.width or USUAL[0], preferences.height or USUAL[1]
        if (screen := self._qt.primaryScreen()) is not None:
            room = screen.availableGeometry()
            width, height = min(width, room.width()), min(height, room.height())
        self.window.resize(width, height)
        if place is not None or preferences.introduced:
            self.context.navigator.here = place or Place("home")
            self.window.show_place(self.context.navigator.here)
        else:
            self.context.read(_has_hub, self._first_place, self, key="first")
        if preferences.maximised:
            self.window.showMaximized()
        else:
            self.window.show()
        self.window.read_status()
        self.window.read_vocabulary()
        self._later.start()
        QTimer.singleShot(0, self, self._garbage.start)

    def stop(self) -> None:
        """Write what is unwritten and end the threads."""
        self._later.stop()
        self._garbage.stop()
        self.context.notices.closing.emit()
        self.context.sync.stop()
        self.context.background.close()

    def _first_place(self, known: bool) -> None:
        self.context.preferences.introduced = known
        place = Place("home") if known else Place("first-run")
        self.context.navigator.here = place
        self.window.show_place(place)

    def _start_engine(self) -> None:
        # An engine without a hub has nothing to do; connecting to one starts it.
        self.context.read(_has_hub, lambda known: self.context.sync.start() if known else None, self, key="engine")

    def _wear(self) -> None:
        preferences = self.context.preferences
        use_language(preferences.language or system_language())
        right_to_left = is_right_to_left(language())
        self._qt.setLayoutDirection(
            Qt.LayoutDirection.RightToLeft if right_to_left else Qt.LayoutDirection.LeftToRight
        )
        self._theme.reading_scale = preferences.reading_scale
        self._theme.set(preferences.scheme, preferences.scale)

    def _look_changed(self) -> None:
        self.context.notices.closing.emit()
        self._wear()
        old, place = self.window, self.context.navigator.here
        self.window = MainWindow(self.context)
        self.window.setGeometry(old.geometry())
        self.window.show_place(place)
        if old.isVisible():
            self.window.show()
        old.hide()
        old.deleteLater()
        self.window.read_status()


def _has_hub(shelf: Shelf) -> bool:
    return bool(shelf.own.setting("hub_url"))


def background_engine(home: Path) -> MakeEngine:
    """What makes the real engine for `home`; loaded only when it starts, behind the window."""

    def make(on_event: Callable[[Any], None]) -> Engine:
        def load() -> Engine:
            # QNetworkInformation is asked for at the engine's first event, on the window's thread.
            import PySide6.QtNetwork  # noqa: F401

            from sync.background import BackgroundSync

            engine: Engine = BackgroundSync(home, on_event)
            return engine

        return LateEngine(load)

    return make


def run(home_path: Path) -> int:
    """Open the window on the shelf in `home_path` and return the exit code when it is closed."""
    QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    qt = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(qt, QApplication)
    qt.setApplicationName("Hubshelf")
    qt.setDesktopFileName("hubshelf")
    application = Application(qt, home_path, background_engine(home_path))
    application.start()
    signal.signal(signal.SIGINT, lambda *_: qt.quit())
    signal.signal(signal.SIGTERM, lambda *_: qt.quit())
    # Python hears signals only between its own instructions.
    pulse = QTimer()
    pulse.timeout.connect(lambda: None)
    pulse.start(500)
    code = qt.exec()
    application.stop()
    return code
