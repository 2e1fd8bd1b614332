"""The icon beside the clock: how things stand, a few things to do, and short notices while the window is behind.

It is there where the system has a place for it and the person wants notices or wants the window to go on in it.
What a notice says is kept to numbers unless titles are allowed: others may look at the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, QTimer, SignalInstance
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from desktop.card_rows import answers_of
from desktop.icons import pixmap
from desktop.navigation import Place, place_of
from desktop.shelf import Shelf
from desktop.theme import colours
from desktop.words import _, isolate, ngettext

if TYPE_CHECKING:
    from desktop.context import Context
    from resources_cache.downloads import Download

_GATHERED_MS = 3_000
"""What comes within this time is told together."""

_REQUESTS = 200
"""Of the person's own, the last changed, whose answers are counted."""

Answers = dict[str, tuple[str, int]]
"""Request → (its title, how many answers it has)."""


class Icon(Protocol):
    """What is asked of `QSystemTrayIcon`."""

    activated: SignalInstance
    messageClicked: SignalInstance

    def setIcon(self, icon: QIcon) -> None: ...
    def setToolTip(self, tip: str) -> None: ...
    def setContextMenu(self, menu: QMenu) -> None: ...
    def showMessage(self, title: str, message: str, icon: QIcon, msecs: int) -> None: ...
    def show(self) -> None: ...
    def hide(self) -> None: ...


def system_icon(parent: QObject) -> Icon | None:
    """The icon of this system; None where it has no place for one."""
    return QSystemTrayIcon(parent) if QSystemTrayIcon.isSystemTrayAvailable() else None


def read_answers(shelf: Shelf) -> Answers:
    """The person's own requests and how many answers each has."""
    found: Answers = {}
    for card in shelf.library.latest(("request",), limit=_REQUESTS):
        record = shelf.library.get(card.id)
        if record is not None:
            found[card.id] = (card.title, len(answers_of(record)))
    return found


class Tray(QObject):
    """Shows the icon while the preferences want it.

    `come`: brings the window to the front, at a place where one is given; `leave`: ends the program; `in_front`:
    whether the person looks at the window.
    """

    def __init__(
        self,
        context: Context,
        parent: QObject,
        come: Callable[[Place | None], object],
        leave: Callable[[], object],
        in_front: Callable[[], bool],
        make_icon: Callable[[QObject], Icon | None] = system_icon,
    ) -> None:
        super().__init__(parent)
        self._context, self._come, self._leave, self._in_front = context, come, leave, in_front
        self._make_icon = make_icon
        self._icon: Icon | None = None
        self._menu: QMenu | None = None
        self._known: Answers | None = None
        self._files: list[str] = []
        self._place: Place | None = None
        self._gathering = QTimer(self)
        self._gathering.setSingleShot(True)
        self._gathering.setInterval(_GATHERED_MS)
        self._gathering.timeout.connect(self._tell_files)
        context.sync.changed.connect(self._show_status)
        context.sync.ended.connect(self._synced)
        context.downloads.arrived.connect(self._file_came)

    @property
    def stays(self) -> bool:
        """Whether the program goes on in the tray when its window is closed."""
        return self._icon is not None and self._context.preferences.stay_in_tray

    def look(self) -> None:
        """Do as the preferences say now: show the icon, or take it away."""
        preferences = self._context.preferences
        wanted = preferences.notify or preferences.stay_in_tray
        if wanted and self._icon is None:
            self._icon = self._make_icon(self)
            if self._icon is not None:
                self._icon.activated.connect(self._activated)
                self._icon.messageClicked.connect(lambda: self._come(self._place))
        if self._icon is None:
            return
        if not wanted:
            self._icon.hide()
            self._icon = None
            return
        self._icon.setIcon(QIcon(pixmap("hub", colours().accent, 64)))
        self._menu = self._make_menu()
        self._icon.setContextMenu(self._menu)
        self._show_status()
        self._icon.show()
        if self._known is None:
            self._context.read(read_answers, self._learn, self, key="answers")

    def went_to_tray(self) -> None:
        """Say, once on this computer, that the program goes on."""
        preferences = self._context.preferences
        if self._icon is not None and not preferences.told_of_tray:
            preferences.told_of_tray = True
            self._context.save_preferences()
            self._say(_("Hubshelf goes on here. Quit it from the menu of this icon."), None)

    def stop(self) -> None:
        """Take the icon away."""
        self._gathering.stop()
        if self._icon is not None:
            self._icon.hide()
            self._icon = None

    def _make_menu(self) -> QMenu:
        menu = QMenu()
        for words, do in (
            (_("Open Hubshelf"), lambda: self._come(None)),
            (_("Ask a question"), lambda: self._come(Place("ask"))),
            (_("Sync now"), self._context.sync.sync_now),
        ):
            self._add(menu, words, do)
        menu.addSeparator()
        self._add(menu, _("Quit"), self._leave)
        return menu

    def _add(self, menu: QMenu, words: str, do: Callable[[], object]) -> None:
        action = QAction(words.replace("&", "&&"), menu)
        action.triggered.connect(lambda _checked=False: do())
        menu.addAction(action)

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self._come(None)

    def _show_status(self) -> None:
        if self._icon is not None:
            self._icon.setToolTip(self._context.sync.status.words())

    def _learn(self, answers: Answers) -> None:
        self._known = answers

    def _synced(self, report: Any) -> None:
        if self._icon is not None and self._known is not None and report is not None and report.records:
            self._context.read(read_answers, self._tell_answers, self, key="answers")

    def _tell_answers(self, now: Answers) -> None:
        before, self._known = self._known or {}, now
        new = {id_: count for id_, (_title, count) in now.items() if count > before.get(id_, ("", 0))[1]}
        if not new:
            return
        asked = next(iter(new))
        if len(new) == 1 and self._context.preferences.notify_titles:
            words = _("An answer has come: {title}").format(title=isolate(now[asked][0]))
        else:
            words = ngettext(
                "An answer to your question has come.", "Answers to {count} of your questions have come.", len(new)
            ).format(count=len(new))
        self._notify(words, place_of("request", asked) if len(new) == 1 else Place("home"))

    def _file_came(self, download: Download) -> None:
        if self._icon is not None:
            self._files.append(download.name)
            self._place_of_file = place_of("resource", download.resource)
            self._gathering.start()

    def _tell_files(self) -> None:
        names, self._files = self._files, []
        if len(names) == 1 and self._context.preferences.notify_titles:
            words = _("Downloaded: {title}").format(title=isolate(names[0]))
        else:
            words = ngettext("A file has come.", "{count} files have come.", len(names)).format(count=len(names))
        self._notify(words, self._place_of_file if len(names) == 1 else Place("shelf"))

    def _notify(self, words: str, place: Place) -> None:
        if self._context.preferences.notify and not self._in_front():
            self._say(words, place)

    def _say(self, words: str, place: Place | None) -> None:
        if self._icon is not None:
            self._place = place
            self._icon.showMessage("Hubshelf", words, QIcon(pixmap("hub", colours().accent, 64)), 8_000)
