"""What every page is given: where the shelf is, and the few objects that the whole window shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from desktop.actions import Action
from desktop.background import Background, Lane
from desktop.downloads import Downloads
from desktop.error_words import KnownError, Trouble
from desktop.navigation import Navigator, Place
from desktop.packs import Packs
from desktop.preferences import Preferences
from desktop.shelf import Shelf
from desktop.sync_bridge import SyncBridge
from desktop.tabs import Tabs
from desktop.theme import Theme
from desktop.words import _, language

if TYPE_CHECKING:
    from sync.policies import Policies

T = TypeVar("T")


class Notices(QObject):
    """What any page can say to the whole window."""

    problem = Signal(object)  # a KnownError or a Trouble, shown in a quiet banner with its next step
    said = Signal(str)  # a short line that goes away by itself
    undoable = Signal(str, object)  # what was taken away, in words, and what brings it back
    outbox_changed = Signal()
    closing = Signal()  # drafts not yet written are written now
    open_anew = Signal()  # the stores and the window are opened again, which mends what it can
    report_wanted = Signal()  # the report of what went wrong is shown
    tour_wanted = Signal()  # the welcome in five steps
    manners_changed = Signal()  # notices, or whether the window goes on beside the clock
    look_changed = Signal()  # language, colours or text size: the window is made anew


@dataclass
class Context:
    """The shared objects; pages keep no other way to one another."""

    home: Path
    background: Background
    theme: Theme
    sync: SyncBridge
    navigator: Navigator
    preferences: Preferences
    downloads: Downloads = field(init=False)
    packs: Packs = field(init=False)
    notices: Notices = field(default_factory=Notices)
    vocabulary: dict[str, dict[str, str]] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()  # of the window as it is now
    tabs: Tabs = field(init=False)

    def __post_init__(self) -> None:
        self.tabs = Tabs(self.navigator)

    @cached_property
    def decided(self) -> Policies:
        """What the administrator of this PC decided, as of the start of the window."""
        from sync.policies import policies

        return policies()

    def read(
        self,
        operation: Callable[[Shelf], T],
        success: Callable[[T], None],
        owner: QObject,
        key: str = "",
        failure: Callable[[KnownError], None] | None = None,
        lane: Lane = Lane.READ,
    ) -> None:
        """Read the stores behind the window; a known failure goes to the banner unless `failure` takes it."""
        failure = failure or self._tell(lambda: self.read(operation, success, owner, key, lane=lane))
        self.background.run(operation, success, failure, owner, key=key, lane=lane)

    def write(
        self,
        operation: Callable[[Shelf], T],
        success: Callable[[T], None],
        owner: QObject,
        failure: Callable[[KnownError], None] | None = None,
    ) -> None:
        """Write one row of the person's own, in order, behind the window."""
        failure = failure or self._tell(lambda: self.write(operation, success, owner))
        self.background.run(operation, success, failure, owner, lane=Lane.WRITE)

    def fetch(
        self,
        operation: Callable[[Shelf], T],
        success: Callable[[T], None],
        owner: QObject,
        failure: Callable[[KnownError], None] | None = None,
    ) -> None:
        """Do something that needs the network behind the window."""
        failure = failure or self._tell(lambda: self.fetch(operation, success, owner))
        self.background.run(operation, success, failure, owner, lane=Lane.NETWORK)

    def _tell(self, again: Callable[[], object]) -> Callable[[KnownError], None]:
        return lambda error: self.notices.problem.emit(Trouble(error, again))

    def theme_name(self, slug: str) -> str:
        """A theme's label in the window's language, else English, else its slug made readable."""
        labels = self.vocabulary.get(slug, {})
        return labels.get(language()) or labels.get("en") or slug.replace("-", " ").capitalize()

    def open_beside(self, place: Place, title: str = "") -> None:
        """Open a place in a tab of its own, behind what is shown."""
        opened = self.tabs.open(place, title)
        self.notices.said.emit(_("Opened in a new tab.") if opened else _("Close a tab first: no more fit."))

    def save_preferences(self) -> None:
        """Keep how the window looks."""
        self.preferences.save(self.home)
