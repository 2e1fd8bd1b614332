"""Which version of Hubshelf runs, and a newer one from the hub: its cost, fetched, ready at the next start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from desktop.amounts import size
from desktop.background import Lane
from desktop.context import Context
from desktop.error_words import KnownError, words_for
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import FlowLayout, button, heading, label, muted
from desktop.words import _, isolate, language

if TYPE_CHECKING:
    from sync.cancel import Cancel
    from sync.updates.updating import Update, Updates


@dataclass(frozen=True)
class Versions:
    """The version that runs, the one that starts next, and the one that could be gone back to ("" for none).

    `possible`: this program can bring itself up to date; `managed`: an administrator decided that it does not.
    """

    running: str
    next: str = ""
    before: str = ""
    possible: bool = False
    managed: bool = False


def updates_of(shelf: Shelf) -> Updates:
    """The updates of this program by the hub of a shelf. Raises NotABuild."""
    from sync.places import builds_place
    from sync.updates.updating import Updates, installed_build

    return Updates(shelf.home, installed_build(), builds_place())


def read_versions(shelf: Shelf) -> Versions:
    """How it stands on this computer."""
    from importlib.metadata import version

    from sync.policies import policies
    from sync.protocol.builds import NotABuild
    from sync.updates.updating import running_version

    try:
        updates = updates_of(shelf)
    except NotABuild:
        return Versions(version("hubshelf"))
    standing, installed = updates.standing, updates.installed.version
    current = standing.current.version if standing.current is not None else installed
    before = standing.before.version if standing.before is not None else installed
    return Versions(
        running_version(),
        current,
        before if standing.current is not None else "",
        True,
        not policies().value("updates"),
    )


class ProgramVersion(QWidget):
    """A section of the Preferences. `refresh` reads how it stands."""

    _told = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._found: Update | None = None
        self._cancel: Cancel | None = None
        self._getting = ""
        self.standing = label("")
        self.note = label("")
        self.problem = label("", "notice")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(_("Progress of the new version"))
        self.look = button(_("Look for a newer version"), "", "sync", self._look)
        self.get = button(_("Fetch it"), "primary", "download", self._get)
        self.stop = button(_("Cancel"), "", "close", self._stop)
        self.stop.setAccessibleName(_("Cancel: fetch the new version later"))
        self.back = button("", "quiet", "", self._back)
        self.how = muted("")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP)
        line = FlowLayout()
        for made in (self.look, self.get, self.stop, self.back):
            line.addWidget(made)
            made.hide()
        column.addWidget(heading(_("Version")))
        for part in (self.standing, self.how, self.note, self.bar):
            column.addWidget(part)
        column.addLayout(line)
        column.addWidget(self.problem)
        for part in (self.how, self.note, self.bar, self.problem):
            part.hide()
        self._told.connect(self._show_progress, Qt.ConnectionType.QueuedConnection)

    def refresh(self) -> None:
        """Read and show which versions are here."""
        self._context.read(read_versions, self.show_versions, self, key="versions", failure=lambda _error: None)

    def show_versions(self, found: Versions) -> None:
        """Show how it stands."""
        self.standing.setText(_("Hubshelf {version}.").format(version=isolate(found.running)))
        free = found.possible and not found.managed
        ready = found.possible and found.next != found.running
        if ready:
            words = _("Version {version} is ready. It runs the next time you open Hubshelf.")
            self._say(words.format(version=isolate(found.next)))
        how = ""
        if found.managed:
            how = _("Managed by your administrator.")
        elif not found.possible:
            how = _("It is brought up to date in the way in which it was installed.")
        self.how.setText(how)
        self.how.setVisible(bool(how))
        self.back.setText(_("Go back to version {version}").format(version=isolate(found.before)))
        self.back.setVisible(free and bool(found.before))
        self.look.setVisible(free and not self._getting)

    def show_found(self, found: Update) -> None:
        """Show what is to be had."""
        self._found = found
        words = _("Version {version} is there: {size} to fetch.")
        notes = found.notes.get(language()) or found.notes.get("en") or ""
        self._say(
            words.format(version=isolate(found.build.version), size=size(found.left)) + f"\n{notes}".rstrip()
        )
        self.look.hide()
        self.get.show()
        self.get.setFocus()

    def _look(self) -> None:
        self._say(_("Looking for a newer version."))
        self.look.setEnabled(False)

        def done(found: Update) -> None:
            self.look.setEnabled(True)
            self.show_found(found)

        self._run(lambda updates, cancel: updates.look(cancel), done)

    def _get(self) -> None:
        found = self._found
        if found is None:
            return
        self._getting = found.build.version
        for part, shown in ((self.get, False), (self.stop, True), (self.bar, True)):
            part.setVisible(shown)
        self.bar.setRange(0, 0)
        emit = self._told.emit

        def done(_made: Any) -> None:
            self._end()
            self._say("")
            self.refresh()

        self._run(lambda updates, cancel: updates.get(found, emit, cancel), done)

    def _stop(self) -> None:
        if self._cancel is not None:
            self._cancel.cancel()
            self.stop.setEnabled(False)

    def _back(self) -> None:
        self._run(lambda updates, _cancel: updates.back(), lambda _version: self.refresh())

    def _run(self, do: Callable[[Updates, Cancel], Any], done: Callable[[Any], None]) -> None:
        from sync.cancel import Cancel

        self.problem.hide()
        self._cancel = cancel = Cancel()
        self._context.background.run(
            lambda shelf: do(updates_of(shelf), cancel), done, self._failed, self, lane=Lane.PACK
        )

    def _failed(self, error: KnownError) -> None:
        self._end()
        self._say("")
        self.look.setEnabled(True)
        self.look.show()
        if error.code == "cancelled":
            return
        words = words_for(error)
        quiet = error.code == "no-update"
        self.problem.setText(
            words.sentence if quiet else f"{words.sentence} {words.consequence}\n{words.next_step}"
        )
        self.problem.show()

    def _end(self) -> None:
        self._getting, self._cancel = "", None
        self.stop.setEnabled(True)
        for part in (self.stop, self.bar, self.get):
            part.hide()

    def _show_progress(self, told: Any) -> None:
        if not self._getting:
            return
        self.bar.setRange(0, 1000)
        self.bar.setValue(told.bytes_done * 1000 // max(1, told.bytes_total))
        if told.phase == "files":
            words = _("Fetching version {version}: {done} of {total}")
            done, total = size(told.bytes_done), size(told.bytes_total)
            self._say(words.format(version=isolate(self._getting), done=done, total=total))
        else:
            self._say(_("Making version {version} ready").format(version=isolate(self._getting)))

    def _say(self, words: str) -> None:
        self.note.setText(words)
        self.note.setVisible(bool(words))
