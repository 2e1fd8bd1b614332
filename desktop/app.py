"""How the window starts, in order:

1. `run` reads `window.json` (language, colours, text size): one small file, no database yet.
2. Qt starts; the language, the direction of reading and the theme are put in force.
3. The window is made with Home alone and shown. It is usable now: the rail, the keys and the search work.
4. Behind it the stores open and Home fills; a shelf that never knew a hub goes to the first run instead.
5. A moment later the engine starts its own thread and looks for the hub. Nothing waits for it.
6. Then it listens for later starts, which hand over what they were asked for (`one_window`).
7. At the end drafts are written, the engine is told to stop, and the threads finish their writes.

A window that did not end as it should is noticed before (1): what was open is open again, and its report offered.
A change of language, colours or text size makes the window anew at the same place; the threads go on.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog
from shiboken6 import isValid

from desktop.background import Background, Lane
from desktop.care import Care
from desktop.constants_guard import keep_constants_alive
from desktop.context import Context
from desktop.crashes import Aftermath, Crash, Crashes, aftermath
from desktop.downloads import Downloads
from desktop.error_words import KnownError, words_for
from desktop.garbage import Garbage
from desktop.late_engine import LateEngine
from desktop.links import LinkRefused, place_of_link
from desktop.memory import share_one_arena
from desktop.navigation import Navigator, Place
from desktop.one_window import Door, NotAnswering, WindowLock, take_or_hand_over
from desktop.packs import Packs
from desktop.preferences import Preferences
from desktop.qt_words import QtWords
from desktop.renewal import Renewal
from desktop.self_update import SelfUpdate
from desktop.session import SessionKeeper
from desktop.session import read as last_session
from desktop.shelf import Shelf
from desktop.sync_bridge import Engine, MakeEngine, SyncBridge
from desktop.tabs import MOST
from desktop.theme import Theme
from desktop.window import USUAL, MainWindow
from desktop.words import is_right_to_left, language, system_language, use_language
from sync.logbook import Logbook

if TYPE_CHECKING:
    from desktop.tray import Icon, Tray

ENGINE_AFTER_MS = 600
# Seconds after which a busy thread gives way. Drawing goes in and out of Python many times, and each time it may
# have to wait this long for a thread that decodes what arrived (5 ms unless told otherwise).
GIVE_WAY_S = 0.0005
_TITLE_BAR = 40
_CAME_UP_MS = 10_000
_OPEN_ANEW = 77
"""Exit code of Qt's loop: not the end, but the same again from the beginning."""


class Application(QObject):
    """The parts that live as long as the program; the window among them is replaced when its look changes.

    `look` stands for the preferences of the home folder (pictures are taken in looks that nobody chose).
    """

    def __init__(
        self,
        qt: QApplication,
        home: Path,
        make_engine: MakeEngine,
        look: Preferences | None = None,
        make_icon: Callable[[QObject], Icon | None] | None = None,
    ) -> None:
        super().__init__(qt)
        keep_constants_alive()
        share_one_arena()
        sys.setswitchinterval(GIVE_WAY_S)
        self._garbage = Garbage(qt)
        self._qt = qt
        preferences = look or Preferences.load(home)
        self._theme = Theme(qt)
        self._qt_words = QtWords(qt)
        self.context = Context(
            home=home,
            background=Background(home, self),
            theme=self._theme,
            sync=SyncBridge(make_engine, self),
            navigator=Navigator(self),
            preferences=preferences,
        )
        self.context.downloads = Downloads(self.context, self)
        self.context.packs = Packs(self.context, self)
        self.session = SessionKeeper(self.context, self)
        self._report = ""
        self._crash_dialog: QDialog | None = None
        self.context.notices.report_wanted.connect(lambda: self._show_report(None))
        self.context.notices.open_anew.connect(lambda: qt.exit(_OPEN_ANEW))
        self.context.notices.look_changed.connect(self._look_changed, Qt.ConnectionType.QueuedConnection)
        self._theme.system_changed.connect(self._look_changed, Qt.ConnectionType.QueuedConnection)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(ENGINE_AFTER_MS)
        self._later.timeout.connect(self._start_engine)
        self._renewal = Renewal(self.context.background, self)
        self._care = Care(self.context, self)
        self._self_update = SelfUpdate(self.context, self)
        self.tray: Tray | None = None
        self._make_icon = make_icon
        self.context.notices.manners_changed.connect(self._mind_manners)
        self._wear()
        self.window = MainWindow(self.context)

    def start(self, place: Place | None = None, left: Aftermath | None = None) -> None:
        """Show the window at `place` (Home, or the first run where there was no hub yet) and start the rest.

        `left`: what a window that did not end as it should has left; what was open is opened again.
        """
        preferences = self.context.preferences
        restored = left is not None and not left.again and preferences.introduced
        if left is not None and restored:
            before = left.session
            trail = (*before.trail, before.here) if place else before.trail
            place = place or before.here
            self.context.navigator.restore(trail, place)
        place = self._open_tabs(left, place)
        width, height = preferences.width or USUAL[0], preferences.height or USUAL[1]
        if (screen := self._qt.primaryScreen()) is not None:
            room = screen.availableGeometry()
            # The frame around the window, which is not known yet, has its place there too.
            width, height = min(width, room.width()), min(height, room.height() - _TITLE_BAR)
        self.window.resize(width, height)
        if place is not None or preferences.introduced:
            self.context.navigator.here = place or Place("home")
            self.window.show_place(self.context.navigator.here)
        else:
            self.context.read(_has_content, self._first_place, self, key="first")
        if preferences.maximised:
            self.window.showMaximized()
        else:
            self.window.show()
        self.window.read_status()
        self.window.read_vocabulary()
        self.session.begin(restored=restored)
        if left is not None:
            self._report = left.report
            self.context.notices.problem.emit(left.error)
        self._care.look()
        self._later.start()
        QTimer.singleShot(0, self, self._garbage.start)

    def _open_tabs(self, left: Aftermath | None, place: Place | None) -> Place | None:
        """Open the tabs of the last time again, and `place` in one of its own; returns what is in front."""
        if left is not None and left.again:
            return place  # one of them may have been what brought the window down
        before = left.session if left is not None else last_session(self.context.home)
        if before is None or not before.tabs or not self.context.preferences.introduced:
            return place
        tabs, front = list(before.tabs), before.tab
        if place is not None and place not in (tabs[front][1], before.here):
            tabs, front = [*tabs, ("", place)], len(tabs)
        self.context.tabs.restore(tabs[-MOST:], min(front, MOST - 1))
        return place or tabs[front][1]

    def stop(self) -> None:
        """Write what is unwritten and end the threads."""
        self._later.stop()
        self._renewal.stop()
        self._care.stop()
        self._garbage.stop()
        if self.tray is not None:
            self.tray.stop()
        self.context.notices.closing.emit()
        self.session.pause()
        self.context.packs.stop()
        self.context.downloads.stop()
        self.context.sync.stop()
        self.context.background.close()
        self.session.end()

    def come(self, place: Place | None) -> None:
        """Come to the front, and show `place` where one is given (a first run is not interrupted for it)."""
        window = self.window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()
        if place is not None and self.context.preferences.introduced:
            self.context.navigator.go(place)

    def tell(self, error: KnownError) -> None:
        """Come to the front and say what is wrong."""
        self.come(None)
        self.context.notices.problem.emit(error)

    def crashed(self, crash: Crash) -> None:
        """Save drafts and the open places, then tell the person, who goes on or closes the program."""
        self._report = crash.report
        self.session.keep_now()
        self.context.notices.closing.emit()
        if self._crash_dialog is None or not isValid(self._crash_dialog):
            self._show_report(self._qt.quit)

    def _show_report(self, close_program: Callable[[], object] | None) -> None:
        from desktop.widgets.crash_dialog import CrashDialog

        self._crash_dialog = CrashDialog(self.window, self._report, close_program)
        self._crash_dialog.open()

    def _first_place(self, known: bool) -> None:
        self.context.preferences.introduced = known
        if known:
            self.context.save_preferences()  # a window that ends badly is opened where it was
        if known and (self.context.navigator.here != Place("home") or self.context.navigator.can_go_back):
            return  # the person was faster
        place = Place("home") if known else Place("first-run")
        self.context.navigator.here = place
        self.window.show_place(place)

    def _mind_manners(self) -> None:
        from desktop.tray import Tray, system_icon  # behind the window: nothing of it is seen at first

        if self.tray is None:
            self.tray = Tray(
                self.context,
                self,
                come=self.come,
                leave=lambda: self.window.leave(),
                in_front=lambda: self.window.isActiveWindow(),
                make_icon=self._make_icon or system_icon,
            )
        self.tray.look()
        self.window.tray = self.tray
        self._qt.setQuitOnLastWindowClosed(not self.tray.stays)

    def _start_engine(self) -> None:
        self._mind_manners()
        self._renewal.go_on()
        self._care.back_up()
        self.context.downloads.go_on()
        # An engine without a hub has nothing to do; connecting to one starts it.
        self.context.read(_has_hub, self._start_sync, self, key="engine")
        if self.context.preferences.introduced:  # else the first run looks
            self._take_in_what_came()

    def _take_in_what_came(self) -> None:
        """Take in what an administrator put beside the program since the last time (an office without a link)."""
        from desktop.pages.first_run_preload import find_new

        def take(found: list[Any]) -> None:
            if found and not self.context.packs.busy:
                newest = found[0]
                self.context.packs.take_in(newest.path, trusted=newest.fingerprint, files=True)

        self.context.read(find_new, take, self, key="preload", failure=lambda _error: None, lane=Lane.PACK)

    def _start_sync(self, known: bool) -> None:
        from desktop.pages.first_run_who import join_quietly, joins_by_itself

        preferences = self.context.preferences
        if known or (joins_by_itself(self.context) and preferences.introduced):
            self.context.sync.start()  # it joins by itself where it has to
        elif joins_by_itself(self.context):
            # Content waits until the person has said in which languages; the first run tells what goes wrong.
            self.context.fetch(join_quietly, lambda _done: None, self, lambda _error: None)

    def _wear(self) -> None:
        preferences = self.context.preferences
        chosen = str(self.context.decided.value("interface_language", preferences.language or None) or "")
        self._qt_words.use(use_language(chosen or system_language()))
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
        self.window.tray = self.tray
        self.window.setGeometry(old.geometry())
        self.window.show_place(place)
        if old.isVisible():
            self.window.show()
        old.hide()
        old.deleteLater()
        if self.tray is not None:
            self.tray.look()  # its menu speaks the language of the window
        self.window.read_status()


def _has_hub(shelf: Shelf) -> bool:
    return bool(shelf.own.setting("hub_url"))


def _has_content(shelf: Shelf) -> bool:
    """Whether a hub was chosen, or a pack of one was taken in where no link comes."""
    return _has_hub(shelf) or bool(shelf.own.setting("by_pack"))


def background_engine(home: Path) -> MakeEngine:
    """What makes the real engine for `home`; loaded only when it starts, behind the window."""

    def make(on_event: Callable[[Any], None]) -> Engine:
        def load() -> Engine:
            # QNetworkInformation is asked for at the engine's first event, on the window's thread.
            import PySide6.QtNetwork  # noqa: F401

            from sync.background import BackgroundSync
            from sync.home import Home
            from sync.neighbours.network import LocalNetwork
            from sync.neighbours.office import Office

            engine: Engine = BackgroundSync(home, on_event, office=Office(Home(home), network=LocalNetwork()))
            return engine

        return LateEngine(load)

    return make


def run(home_path: Path, link: str = "", refused: LinkRefused | None = None, *, alone: bool = True) -> int:
    """Open the window on the shelf in `home_path` and return the exit code when it is closed.

    Where it is open already it comes to the front, and this returns at once. `link`: what to show, `refused`: what
    to say of a link that cannot be shown. Where another program has the window and does not answer, that is said
    in a window (`alone`), else raised as NotAnswering. Raises LinkRefused.
    """
    place = place_of_link(link) if link else None
    lock = WindowLock(home_path)
    try:
        # What is refused is refused there again, and said before the eyes of the person.
        if not take_or_hand_over(home_path, lock, link or ("?" if refused else "")):
            return 0
    except LinkRefused:
        return 1
    except NotAnswering as error:
        if not alone:
            raise
        return _say_alone(error)
    left = aftermath(home_path)
    log = Logbook(home_path)
    log.note("window-opened", after_a_fall=left is not None)
    qt = _start_qt()
    crashes = Crashes(home_path)
    crashes.install()
    door = Door(home_path)
    while True:
        application = Application(qt, home_path, background_engine(home_path))
        _connect(application, crashes, door)
        application.start(place, left)
        if refused is not None:
            application.tell(refused)
        QTimer.singleShot(_CAME_UP_MS, _came_up)
        code = qt.exec()
        _came_up()
        application.stop()
        if code != _OPEN_ANEW:
            break
        here = application.context.navigator.here
        place, left, refused = (None if here.page == "first-run" else here), None, None
        application.window.hide()
        application.window.deleteLater()
        application.deleteLater()
    door.close()
    log.note("window-closed", code=code)
    crashes.remove()
    lock.release()
    return code


def _came_up() -> None:
    """The window works: a newer version of the program that opened it is kept."""
    from sync.places import builds_place
    from sync.updates.starting import STARTED, came_up

    if STARTED in os.environ:
        came_up(builds_place())


def _start_qt() -> QApplication:
    QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    qt = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(qt, QApplication)
    qt.setApplicationName("Hubshelf")
    qt.setDesktopFileName("hubshelf")
    signal.signal(signal.SIGINT, lambda *_: qt.quit())
    signal.signal(signal.SIGTERM, lambda *_: qt.quit())
    # Python hears signals only between its own instructions.
    pulse = QTimer(qt)
    pulse.timeout.connect(lambda: None)
    pulse.start(500)
    return qt


def _connect(application: Application, crashes: Crashes, door: Door) -> None:
    """Bring what goes on outside of the window to it."""

    def load(_shelf: Shelf) -> None:
        import PySide6.QtNetwork  # noqa: F401  # loaded behind the window

    def loaded(_done: None) -> None:
        door.open()

    # Queued: a fault is told when whatever met it has let go of the window.
    crashes.happened.connect(application.crashed, Qt.ConnectionType.QueuedConnection)
    door.asked.connect(application.come)
    door.refused.connect(application.tell)
    application.context.read(load, loaded, application)


def _say_alone(error: KnownError) -> int:
    """Say what is wrong where there is no window to say it in; the exit code of a failure."""
    from desktop.widgets.question import tell_alone

    _start_qt()
    use_language(system_language())
    words = words_for(error)
    tell_alone(words.sentence, f"{words.consequence} {words.next_step}")
    return 1
