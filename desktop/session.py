"""What was open, kept in `session.json` in the shelf's folder, so that it is open again after a crash.

The file says whether the window ended as it should; one that did not, and that nobody runs any more, was killed,
crashed, or lost its power. It holds places alone (ids, and words that were searched for): what a person writes is
in the drafts of own.db.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

from desktop.context import Context
from desktop.navigation import PAGES, Place
from desktop.shelf import Shelf
from desktop.tabs import LONGEST, MOST

FILE = "session.json"
_MOST = 65_536
"""Bytes that are read."""
_TRAIL = 20
_LONGEST = 1_000
"""Characters of a word of a place."""
_PAUSE_MS = 300
STEADY_MS = 20_000
"""A window that stood for so long was not brought down by what it opened."""


@dataclass(frozen=True)
class Session:
    """Where the person was: the places before, and this one.

    `ended`: the window was closed as it should. `steady`: it stood for a while. `restored`: it opened what was
    open before it. `tabs`: (title, place) of each where there were several, and `tab` the one in front.
    """

    here: Place
    trail: tuple[Place, ...] = ()
    ended: bool = False
    steady: bool = False
    restored: bool = False
    tabs: tuple[tuple[str, Place], ...] = ()
    tab: int = 0


def read(home: Path) -> Session | None:
    """The last session of `home`; None where there is none that can be read. Never fails."""
    try:
        with (home / FILE).open("rb") as file:
            data = file.read(_MOST + 1)
        found = json.loads(data) if len(data) <= _MOST else None
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or (here := _place(found.get("here"))) is None:
        return None
    trail = found.get("trail")
    places = [_place(one) for one in trail[-_TRAIL:]] if isinstance(trail, list) else []
    flags = {name: found.get(name) is True for name in ("ended", "steady", "restored")}
    tabs, tab = _tabs(found.get("tabs")), found.get("tab")
    tab = tab if type(tab) is int and 0 <= tab < len(tabs) else 0
    return Session(here, tuple(place for place in places if place is not None), tabs=tabs, tab=tab, **flags)


def write(home: Path, session: Session) -> bool:
    """Write it whole or not at all; False where the disk would not take it (the window goes on)."""
    content = {
        "here": _words(session.here),
        "trail": [_words(place) for place in session.trail[-_TRAIL:]],
        "ended": session.ended,
        "steady": session.steady,
        "restored": session.restored,
        "tabs": [{"title": title, "place": _words(place)} for title, place in session.tabs],
        "tab": session.tab,
    }
    temporary = home / f"{FILE}.{os.getpid()}.part"
    try:
        temporary.write_text(json.dumps(content), "utf-8")
        os.replace(temporary, home / FILE)
    except OSError:
        return False
    return True


def _words(place: Place) -> dict[str, str]:
    named = {"page": place.page, "record": place.record, "query": place.query, "tab": place.tab}
    return {name: value[:_LONGEST] for name, value in named.items() if value}


def _place(found: Any) -> Place | None:
    if not isinstance(found, dict) or found.get("page") not in PAGES or found["page"] == "first-run":
        return None
    words = {name: found.get(name, "") for name in ("record", "query", "tab")}
    if not all(isinstance(value, str) and len(value) <= _LONGEST for value in words.values()):
        return None
    return Place(found["page"], **words)


def _tabs(found: Any) -> tuple[tuple[str, Place], ...]:
    """The tabs, where all of them can be read."""
    if not isinstance(found, list) or not 1 < len(found) <= MOST:
        return ()
    tabs = [(one.get("title"), _place(one.get("place"))) for one in found if isinstance(one, dict)]
    good = [(title[:LONGEST], place) for title, place in tabs if isinstance(title, str) and place is not None]
    return tuple(good) if len(good) == len(found) else ()


class SessionKeeper(QObject):
    """Writes down where the person is, a moment after each move, behind the window."""

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._restored = self._steady = self._began = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._keep)
        self._stands = QTimer(self)
        self._stands.setSingleShot(True)
        self._stands.setInterval(STEADY_MS)
        self._stands.timeout.connect(self._is_steady)
        context.tabs.changed.connect(lambda: self._timer.start() if self._began else None)

    def begin(self, *, restored: bool = False) -> None:
        """From now on the window is open."""
        self._began, self._restored = True, restored
        # At once: what brings the window down while its threads still open the stores is to be noticed, too. On a
        # new shelf the folder is not there yet.
        if not write(self._context.home, self._session()):
            self._keep()
        self._stands.start()

    def keep_now(self) -> None:
        """Write at once, on this thread: something is wrong."""
        write(self._context.home, self._session())

    def pause(self) -> None:
        """Write no more from the threads: they are about to end."""
        self._timer.stop()
        self._stands.stop()

    def end(self) -> None:
        """The window was closed as it should; called when the threads are done."""
        if self._began:
            self._began = False
            write(self._context.home, self._session(ended=True))

    def _is_steady(self) -> None:
        self._steady = True
        self._keep()

    def _keep(self) -> None:
        home, session = self._context.home, self._session()

        def keep(_shelf: Shelf) -> None:
            write(home, session)

        self._context.write(keep, lambda _done: None, self)

    def _session(self, *, ended: bool = False) -> Session:
        navigator = self._context.navigator
        tabs = self._context.tabs
        places = tuple(tabs.places) if len(tabs.places) > 1 else ()
        where = navigator.here, navigator.trail
        return Session(*where, ended, self._steady, self._restored, places, tabs.current if places else 0)
