"""The window: rail, top line with search and status, and the place where the person is.

Pages are made when they are first opened; only Home is there at the start.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QIcon, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from desktop.actions import WindowActions, table
from desktop.context import Context
from desktop.icons import icon, pixmap
from desktop.last_removed import LastRemoved
from desktop.navigation import Place
from desktop.next_steps import NextSteps
from desktop.pages.page import Page
from desktop.shelf import Shelf
from desktop.theme import STEP, colours, in_text
from desktop.widgets.banner import Banner
from desktop.widgets.basics import hairline, tool
from desktop.widgets.fitting import ShorterWhenNarrow
from desktop.widgets.rail import Rail
from desktop.widgets.search_box import SearchBox
from desktop.widgets.tab_strip import TabStrip
from desktop.words import _, ngettext

if TYPE_CHECKING:
    from desktop.tray import Tray
    from desktop.widgets.palette import Palette

# Page → module and class; imported when first opened.
_MAKERS: dict[str, tuple[str, str]] = {
    "home": ("desktop.pages.home", "HomePage"),
    "library": ("desktop.pages.library", "LibraryPage"),
    "discussions": ("desktop.pages.discussions", "DiscussionsPage"),
    "ask": ("desktop.pages.ask", "AskPage"),
    "people": ("desktop.pages.people", "PeoplePage"),
    "shelf": ("desktop.pages.shelf", "ShelfPage"),
    "outbox": ("desktop.pages.outbox", "OutboxPage"),
    "search": ("desktop.pages.search", "SearchPage"),
    "sync": ("desktop.pages.sync", "SyncPage"),
    "keys": ("desktop.pages.keys", "KeysPage"),
    "moving": ("desktop.pages.moving", "MovingPage"),
    "preferences": ("desktop.pages.preferences", "PreferencesPage"),
    "first-run": ("desktop.pages.first_run", "FirstRunPage"),
}
SMALLEST = (720, 480)
USUAL = (1280, 800)


def read_standing(shelf: Shelf) -> tuple[bool, str, int, int, str]:
    """(a hub is chosen, time of the last complete sync, waiting to go, needing attention, when the pack that was
    taken in since then was published)."""
    own = shelf.own
    waiting = len(own.outbox.items(["waiting", "sending"]))
    attention = len(own.outbox.items(["attention"]))
    last, pack = str(own.setting("last_in_step") or ""), own.setting("by_pack")
    newer = isinstance(pack, dict) and str(pack.get("at") or "") > last
    published = str(pack.get("published") or "") if isinstance(pack, dict) and newer else ""
    return bool(own.setting("hub_url")), last, waiting, attention, published


class MainWindow(QMainWindow):
    """Shows the place the navigator is at; everything it reads comes through `Context.background`."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.tray: Tray | None = None
        self.leaving = False
        self.setWindowTitle("Hubshelf")
        self.setWindowIcon(QIcon(pixmap("hub", colours().accent, 64)))
        self.setMinimumSize(*SMALLEST)
        self.pages: dict[str, Page] = {}
        self.rail = Rail()
        self.rail.chosen.connect(lambda page: context.navigator.go(Place(page)))
        self.stack = QStackedWidget()
        self.banner = Banner()
        self.steps = NextSteps(context, self)
        self.banner.step.connect(self._take_step)
        centre = QWidget()
        self.search = SearchBox(context, centre)
        self.pill = ShorterWhenNarrow()
        self.pill.setObjectName("pill")
        self.pill.setIconSize(QSize(in_text(18), in_text(18)))
        self.pill.clicked.connect(lambda: context.navigator.go(Place("sync")))
        self._back = tool(_("Back"), "back", context.navigator.back, bare=True)
        self._forward = tool(_("Forward"), "forward", context.navigator.forward, bare=True)
        self._topline = self._make_topline()
        self.tabs = TabStrip(context)
        self._rail_line = hairline(vertical=True)
        row = QHBoxLayout(centre)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(self._rail_line)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self._topline)
        column.addWidget(self.tabs)
        column.addWidget(self.stack, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(2 * STEP, 0, 2 * STEP, 0)
        foot.addWidget(self.banner)
        column.addLayout(foot)
        column.addSpacing(0)
        row.addLayout(column, 1)
        self.setCentralWidget(centre)
        self._centre = centre
        self._finder: Palette | None = None
        context.actions = table(
            context,
            WindowActions(
                lambda: self.finder.open(),
                self._to_search,
                self._whole_screen,
                self.leave,
                lambda: self.last_removed.bring_back(),
            ),
        )
        self._make_shortcuts()
        self.last_removed = LastRemoved(context, self.banner.bring_back, self._read_again, self)
        context.navigator.moved.connect(self._moved)
        context.notices.problem.connect(self.banner.show_problem)
        context.notices.said.connect(self.banner.say)
        context.notices.undoable.connect(self.banner.offer_undo)
        context.notices.outbox_changed.connect(self.read_status)
        context.notices.tour_wanted.connect(self._welcome, Qt.ConnectionType.QueuedConnection)
        context.sync.changed.connect(self._show_status)
        context.sync.arrived.connect(self._arrived)
        context.sync.ended.connect(lambda _report: self.read_status())
        # "2 h ago" grows old while the window stands open.
        self._clock = QTimer(self)
        self._clock.setInterval(60_000)
        self._clock.timeout.connect(self._show_status)
        self._clock.start()
        self._show_status()

    @property
    def finder(self) -> Palette:
        """The palette, made when it is first called for."""
        if self._finder is None:
            from desktop.widgets.palette import Palette

            context = self.context
            self._finder = Palette(context, self._centre, lambda: context.actions)
        return self._finder

    def page(self, name: str) -> Page:
        """The page of that name, made now if it was not open before."""
        if name not in self.pages:
            module, maker = _MAKERS[name]
            make: Callable[[Context], Page] = getattr(import_module(module), maker)
            self.pages[name] = make(self.context)
            self.stack.addWidget(self.pages[name])
        return self.pages[name]

    def show_place(self, place: Place) -> None:
        """Show a place; the rail stays away until the first run is over."""
        first_run = place.page == "first-run"
        for part in (self.rail, self._rail_line, self._topline):
            part.setVisible(not first_run)
        page = self.page(place.page)
        if place.page == "search":
            self.search.show_words(place.query)
        self.stack.setCurrentWidget(page)
        self.rail.show_place(place.page)
        page.arrive(place)
        self._show_trail()

    def read_status(self) -> None:
        """Read from the stores how things stand, for the pill and the rail."""

        def stand(found: tuple[bool, str, int, int, str]) -> None:
            connected, last, waiting, attention, pack = found
            self.context.sync.stand(
                connected=connected, last=last, waiting=waiting, attention=attention, pack=pack
            )
            self._show_status()

        self.context.read(read_standing, stand, self, key="status")

    def read_vocabulary(self) -> None:
        """Read the names of the themes; pages that show them read again."""

        def known(found: dict[str, dict[str, str]]) -> None:
            if found != self.context.vocabulary:
                self.context.vocabulary.clear()
                self.context.vocabulary.update(found)
                self._refresh_page()

        self.context.read(lambda shelf: shelf.library.vocabulary(), known, self, key="vocabulary")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_topline()

    def _fit_topline(self) -> None:
        taken = self._back.sizeHint().width() + self._forward.sizeHint().width() + 5 * STEP
        self.pill.fit(self.width() - self.rail.width() - taken - self.search.least_width())

    def closeEvent(self, event: QCloseEvent) -> None:
        self.context.notices.closing.emit()
        preferences = self.context.preferences
        preferences.maximised = self.isMaximized()
        if not self.isMaximized():
            preferences.width, preferences.height = self.width(), self.height()
        self.context.save_preferences()
        qt = QApplication.instance()
        ending = self.leaving or (isinstance(qt, QApplication) and qt.isSavingSession())
        if self.tray is not None and self.tray.stays and not ending:
            event.ignore()
            self.hide()
            self.tray.went_to_tray()
            return
        super().closeEvent(event)

    def leave(self) -> None:
        """Close for good, also where the program would go on in the tray."""
        stays = self.tray is not None and self.tray.stays
        self.leaving = True
        self.close()
        if stays:
            QApplication.quit()

    def _welcome(self) -> None:
        from desktop.welcome import welcome

        if self.context.navigator.here.page != "first-run":  # there is nothing yet to point at
            welcome(self)

    def _make_topline(self) -> QWidget:
        holder = QWidget()
        holder.setObjectName("topline")
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        line = QHBoxLayout()
        line.setContentsMargins(STEP, STEP, 2 * STEP, STEP)
        line.setSpacing(STEP // 2)
        line.addWidget(self._back)
        line.addWidget(self._forward)
        line.addSpacing(STEP)
        line.addWidget(self.search, 1)
        line.addStretch(0)
        line.addWidget(self.pill)
        column.addLayout(line)
        column.addWidget(hairline())
        return holder

    def _make_shortcuts(self) -> None:
        for action in self.context.actions:
            if action.do is not None:
                for keys in action.keys:
                    QShortcut(QKeySequence(keys), self).activated.connect(lambda do=action.do: do())

    def _whole_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _to_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _moved(self, place: Place | None) -> None:
        self.context.background.turn.take()
        if place is None:
            self._show_trail()
        else:
            self.show_place(place)

    def _show_trail(self) -> None:
        self._back.setEnabled(self.context.navigator.can_go_back)
        self._forward.setEnabled(self.context.navigator.can_go_forward)

    def _show_status(self) -> None:
        status = self.context.sync.status
        words = status.words()
        self.pill.say([*status.ways(), ""])  # the picture alone, where there is no room for more
        self.pill.setAccessibleName(_("Sync: {words}").format(words=words))
        tone = colours().warn if status.attention else colours().muted
        picture = {"paused": "pause", "retrying": "clock"}.get(
            status.state, "attention" if status.attention else "sync"
        )
        self.pill.setIcon(icon(picture, tone, in_text(20)))
        count = status.waiting + status.attention
        spoken = ngettext("Outbox, {count} waiting", "Outbox, {count} waiting", count).format(count=count)
        self.rail.show_waiting(count, spoken if count else _("Outbox"))

    def _arrived(self) -> None:
        self.read_status()
        self.read_vocabulary()
        self._refresh_page()

    def _refresh_page(self) -> None:
        page = self.stack.currentWidget()
        if isinstance(page, Page):
            page.refresh()

    def _read_again(self) -> None:
        """Read the page again, and what is open beside its list."""
        self._refresh_page()
        page = self.stack.currentWidget()
        if isinstance(page, Page) and (reader := getattr(page, "reader", None)) is not None and reader.record:
            reader.refresh()

    def _take_step(self, action: str, told: object) -> None:
        self.steps.take(action, told)  # type: ignore[arg-type]  # a signal of objects; the banner gives these
        self._refresh_page()
