"""Several places open at once. A tab is where it is and how it came there: what is shown belongs to the window.

A tab that is not in front keeps no text, no file and no picture, so that ten of them cost no more than one; it is
read again from the shelf, at the place where reading stopped, when it comes to the front.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Signal

from desktop.navigation import Navigator, Place, Trail

MOST = 12
"""Tabs that can be open."""
LONGEST = 200
"""Characters of a title."""


@dataclass(frozen=True)
class Tab:
    """One tab: its trail, and the title of the record that it shows ("" for a page without one)."""

    trail: Trail = field(default_factory=Trail)
    title: str = ""


class Tabs(QObject):
    """The open tabs, one of them in front: that one lives in the navigator. `changed` when any of it changes."""

    changed = Signal()

    def __init__(self, navigator: Navigator) -> None:
        super().__init__(navigator)
        self._navigator = navigator
        self._tabs = [Tab()]
        self.current = 0
        navigator.moved.connect(self._moved)

    @property
    def places(self) -> list[tuple[str, Place]]:
        """(title, place) of each tab, in their order."""
        found = [(tab.title, tab.trail.here) for tab in self._tabs]
        found[self.current] = (self._tabs[self.current].title, self._navigator.here)
        return found

    def open(self, place: Place, title: str = "", *, front: bool = False) -> bool:
        """Open a place in a tab beside the one in front, behind it or (`front`) before it.

        False where `MOST` are open already.
        """
        if len(self._tabs) >= MOST:
            return False
        at = self.current + 1
        self._tabs.insert(at, Tab(Trail(place), title[:LONGEST]))
        if front:
            self.show(at)
        else:
            self.changed.emit()
        return True

    def show(self, number: int) -> None:
        """Bring a tab to the front."""
        if number == self.current or not 0 <= number < len(self._tabs):
            return
        self._put_away()
        self.current = number
        self._bring()

    def step(self, by: int) -> None:
        """To the next tab (1) or the one before (-1), round and round."""
        self.show((self.current + by) % len(self._tabs))

    def close(self, number: int | None = None) -> bool:
        """Close a tab (the one in front, where none is named). The last one stays: False."""
        number = self.current if number is None else number
        if len(self._tabs) < 2 or not 0 <= number < len(self._tabs):
            return False
        front = number == self.current
        del self._tabs[number]
        if number < self.current or self.current == len(self._tabs):
            self.current -= 1
        if front:
            self._bring()
        else:
            self.changed.emit()
        return True

    def move(self, number: int, to: int) -> None:
        """Put a tab at another place in the row."""
        if number == to or not (0 <= number < len(self._tabs) and 0 <= to < len(self._tabs)):
            return
        self._put_away()
        front = self._tabs[self.current]
        self._tabs.insert(to, self._tabs.pop(number))
        self.current = next(at for at, tab in enumerate(self._tabs) if tab is front)

    def name(self, record: str, title: str) -> None:
        """The title of what the tab in front shows is known now."""
        tab = self._tabs[self.current]
        if self._navigator.here.record == record and tab.title != title[:LONGEST]:
            self._tabs[self.current] = replace(tab, title=title[:LONGEST])
            self.changed.emit()

    def restore(self, places: list[tuple[str, Place]], current: int) -> None:
        """Have these tabs, and that one in front; the navigator is there already."""
        self._tabs = [Tab(Trail(place), title[:LONGEST]) for title, place in places[:MOST]] or [Tab()]
        self.current = max(0, min(len(self._tabs) - 1, current))
        self.changed.emit()

    def _put_away(self) -> None:
        self._tabs[self.current] = replace(self._tabs[self.current], trail=self._navigator.whole_trail)

    def _bring(self) -> None:
        # A text goes on where reading of it stopped.
        trail = self._tabs[self.current].trail
        self._navigator.take(replace(trail, here=replace(trail.here, resume=bool(trail.here.record))))
        self.changed.emit()

    def _moved(self, _place: object) -> None:
        tab, here = self._tabs[self.current], self._navigator.here
        if here.record != tab.trail.here.record or not here.record:
            self._tabs[self.current] = Tab(replace(tab.trail, here=here))
        self.changed.emit()
