"""The way through the sheets, for every page that has packs: where, what it is, yes, and then it is at work."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from desktop.background import Lane
from desktop.context import Context
from desktop.error_words import KnownError, words_for
from desktop.packs import Wanted
from desktop.pages.pack_sheets import ChoosePlace, CodeSheet, PutSheet, TakeInSheet
from desktop.shelf import Shelf
from desktop.sticks import Stick
from desktop.widgets.dialog import Dialog
from desktop.words import _

if TYPE_CHECKING:
    from sync.packs.exporting import Weighed
    from sync.packs.looking import Look

Taken = Callable[[Path, "Look", bool, bool], object]


class PackSteps(QObject):
    """Opens the sheets over the window of `page`; `said` gets what stands in the way ("" for nothing)."""

    def __init__(self, context: Context, page: QWidget, said: Callable[[str], object]) -> None:
        super().__init__(page)
        self._context = context
        self._page = page
        self._said = said
        self.sheet: Dialog | None = None

    def find(self, found: Callable[[list[Stick]], None]) -> None:
        """Look which sticks are in, where one that is going away keeps nothing else waiting."""
        look = self._context.packs.find
        self._context.read(lambda _shelf: look(), found, self, lane=Lane.PACK)

    def take_in(self, taken: Taken | None = None) -> None:
        """Ask where the pack is, then go on as `look_at`."""
        self._said("")
        self.find(lambda found: self._open(self._choose(found, lambda path, _name: self.look_at(path, taken))))

    def _choose(self, found: list[Stick], then: Callable[[Path, str], object]) -> ChoosePlace:
        return ChoosePlace(self._page, found, False, then)

    def look_at(self, source: Any, taken: Taken | None = None) -> None:
        """Show what the pack at `source` is, and take it in once the person says yes (or do `taken` then)."""
        then = taken or self._take

        def look(shelf: Shelf) -> Look:
            from sync.packs.looking import look as look_at

            return look_at(shelf.home, source)

        def show(found: Look) -> None:
            self._said("")
            self._open(TakeInSheet(self._page, found, lambda keep, files: then(source, found, keep, files)))

        self._said(_("Looking at the pack."))
        self._context.read(look, show, self, key="look", failure=self._failed, lane=Lane.PACK)

    def _take(self, source: Any, look: Look, keep: bool, files: bool) -> None:
        trusted = look.fingerprint if look.is_new_hub else ""
        self._context.packs.take_in(source, trusted=trusted, keep=keep, files=files)

    def put(self) -> None:
        """Ask where a pack should go, then go on as `put_on`."""
        self._said("")
        self.find(lambda found: self._open(ChoosePlace(self._page, found, True, self.put_on)))

    def put_on(self, target: Path, name: str) -> None:
        """Show what would be written to `target`, and write it once the person says yes."""
        context = self._context

        def weigh(wanted: Wanted) -> None:
            def measure(shelf: Shelf) -> Weighed:
                from sync.packs.exporting import weigh as weigh_it

                return weigh_it(shelf.home, target, **asdict(wanted))

            def failed(error: KnownError) -> None:
                words = words_for(error)
                sheet.say(f"{words.sentence} {words.next_step}")

            def show(found: Weighed) -> None:
                sheet.show_weighed(found)

            context.read(measure, show, sheet, key="weigh", failure=failed, lane=Lane.PACK)

        def write(wanted: Wanted) -> None:
            context.packs.put(target, name, wanted, replace=sheet.replaces)

        sheet = PutSheet(self._page, name, write)
        sheet.weigh = weigh
        sheet.ask()
        self._open(sheet)

    def join(self, joined: Callable[[], object]) -> None:
        """Ask for the code on paper, and keep it for the next pack; `joined` is called then."""

        def keep(code: str, device: str) -> None:
            def write(shelf: Shelf) -> None:
                from sync.packs.by_hand import join

                join(shelf.home, code, device or platform.node())

            def kept(_none: None) -> None:
                self._context.notices.said.emit(_("The code is kept. It goes with the next pack."))
                joined()

            self._context.write(write, kept, self, self._failed)

        self._open(CodeSheet(self._page, platform.node() or _("This computer"), keep))

    def _open(self, sheet: Dialog) -> None:
        if self.sheet is not None and isValid(self.sheet):
            self.sheet.close()
        self.sheet = sheet
        sheet.open()

    def _failed(self, error: KnownError) -> None:
        words = words_for(error)
        self._said(f"{words.sentence} {words.consequence}\n{words.next_step}")
