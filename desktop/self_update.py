"""Newer versions of the program that come by themselves after a sync or a pack, where that costs nearly nothing.

What costs more is only told of: whoever pays for the link decides, in the Preferences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject

from desktop.background import Lane
from desktop.context import Context
from desktop.shelf import Shelf
from desktop.words import _, isolate

SMALL = 300_000
"""Bytes that nobody is asked about: less than a page of most web sites."""
_LOOKED = "builds_looked"
"""Setting: what the hub's head said of versions when they were looked at last."""


@dataclass(frozen=True)
class Brought:
    """A version that is there: made ready, or only to be had."""

    version: str
    ready: bool


def bring(shelf: Shelf, metered: bool = False) -> Brought | None:
    """Look for a newer version, once for each state of the hub's list, and make it ready where it is small and
    the day's limit and the connection let it come.

    Raises SyncError, CacheError, ProtocolError: the next sync looks again.
    """
    from desktop.pages.program_version import updates_of
    from sync.manners import Manners
    from sync.protocol.builds import NotABuild
    from sync.updates.errors import NoUpdate, UpdatesOff

    said = shelf.own.setting("builds")
    if not said or said == shelf.own.setting(_LOOKED):
        return None
    brought = None
    try:
        updates = updates_of(shelf)
        found = updates.look()
        left = Manners.of(shelf.own).left_today
        free = left is None or found.left <= left
        ready = not found.left or (found.left <= SMALL and not metered and free)
        if ready:
            updates.get(found)
        brought = Brought(found.build.version, ready)
    except (NotABuild, NoUpdate, UpdatesOff):
        pass
    shelf.own.set_setting(_LOOKED, said)
    return brought


class SelfUpdate(QObject):
    """Looks after each sync that the hub answered."""

    def __init__(self, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._metered = False
        context.sync.ended.connect(self._synced)
        context.sync.metered.connect(self._set_metered)
        context.packs.ended.connect(self._packed)

    def _set_metered(self, metered: bool) -> None:
        self._metered = metered

    def _synced(self, report: Any) -> None:
        if report is None or report.error is not None:
            return
        self._look()

    def _packed(self, outcome: Any) -> None:
        if outcome.brought is not None:
            self._look()

    def _look(self) -> None:
        metered = self._metered
        self._context.background.run(
            lambda shelf: bring(shelf, metered),
            self._tell,
            lambda _error: None,
            self,
            key="versions",
            lane=Lane.PACK,
        )

    def _tell(self, brought: Brought | None) -> None:
        if brought is None:
            return
        words = (
            _("Version {version} is ready. It runs the next time you open Hubshelf.")
            if brought.ready
            else _("Version {version} of Hubshelf is there: see the Preferences.")
        )
        self._context.notices.said.emit(words.format(version=isolate(brought.version)))
