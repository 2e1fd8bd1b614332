"""Where the person is in the window, where they were, and how they get there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

PAGES = (
    "home",
    "library",
    "discussions",
    "ask",
    "people",
    "shelf",
    "outbox",
    "search",
    "sync",
    "preferences",
    "keys",
    "moving",
    "first-run",
)
# Which page shows a record of which kind.
HOMES = {
    "resource": "library",
    "text": "library",
    "thread": "discussions",
    "summary": "discussions",
    "message": "discussions",
    "expert": "people",
    "organisation": "people",
    "event": "people",
    "request": "outbox",
    "reply": "outbox",
    "item": "outbox",
}


@dataclass(frozen=True)
class Place:
    """One place: a page, and on it a record, a query, or a hint the page understands.

    `resume` opens a record where reading stopped; `fill` carries words into a form (key, value pairs).
    """

    page: str
    record: str = ""
    query: str = ""
    tab: str = ""
    resume: bool = False
    fill: tuple[tuple[str, str], ...] = ()


def place_of(kind: str, record: str, *, resume: bool = False) -> Place:
    """Where a record of `kind` is shown."""
    page = HOMES.get(kind, "library")
    return Place(page, record=record, resume=resume, tab=kind if page == "people" else "")


@dataclass(frozen=True)
class Trail:
    """Where one is, the places before it with the oldest first, and those one went back from."""

    here: Place = Place("home")
    back: tuple[Place, ...] = ()
    forward: tuple[Place, ...] = ()


class Navigator(QObject):
    """Keeps the trail of places; `moved` says where to show now."""

    moved = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._back: list[Place] = []
        self._forward: list[Place] = []
        self.here = Place("home")

    @property
    def can_go_back(self) -> bool:
        return bool(self._back)

    @property
    def can_go_forward(self) -> bool:
        return bool(self._forward)

    @property
    def trail(self) -> tuple[Place, ...]:
        """The places before this one, the oldest first."""
        return tuple(self._back)

    @property
    def whole_trail(self) -> Trail:
        """All of it, to come back to with `take`."""
        return Trail(self.here, tuple(self._back), tuple(self._forward))

    def take(self, trail: Trail) -> None:
        """Be on another trail, and show where it is."""
        self._back, self._forward = list(trail.back), list(trail.forward)
        self._show(trail.here)

    def restore(self, trail: tuple[Place, ...], here: Place) -> None:
        """Be at `here` again, with the places before it; `moved` is not told, for nobody listens yet."""
        self._back, self.here = list(trail[-99:]), here
        self._forward.clear()

    def go(self, place: Place) -> None:
        """Go to `place`, remembering this one; going where one is just shows it again."""
        if place != self.here:
            self._back = [*self._back[-99:], self.here]
            self._forward.clear()
        self._show(place)

    def open_record(self, kind: str, record: str, *, resume: bool = False) -> None:
        """Go to the page of a record and open it there."""
        self.go(place_of(kind, record, resume=resume))

    def note(self, **changes: str) -> None:
        """Remember what is open on this page without leaving it (a record chosen in its list)."""
        place = replace(self.here, **changes)  # type: ignore[arg-type]  # the fields named are strings
        if place != self.here:
            self._back = [*self._back[-99:], self.here]
            self._forward.clear()
            self.here = place
            self.moved.emit(None)

    def back(self) -> None:
        """Return to the place before, if there is one."""
        if self._back:
            self._forward.append(self.here)
            self._show(self._back.pop())

    def forward(self) -> None:
        """Undo the last step back, if there is one."""
        if self._forward:
            self._back.append(self.here)
            self._show(self._forward.pop())

    def _show(self, place: Place) -> None:
        self.here = place
        self.moved.emit(place)
