"""The first run where no link comes: content from a pack, and reading as soon as the first of it is here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.context import Context
from desktop.packs import Outcome
from desktop.pages.pack_steps import PackSteps
from desktop.pages.pack_work import PackWork
from desktop.sticks import Stick
from desktop.theme import STEP
from desktop.widgets.basics import FlowLayout, button, clear, label, muted, title
from desktop.words import _, isolate

if TYPE_CHECKING:
    from sync.packs.looking import Look


@dataclass(frozen=True)
class Chosen:
    """A pack that a person said yes to, and how it is to be taken in."""

    source: Any
    look: Look
    keep: bool
    files: bool

    @property
    def is_a_choice(self) -> bool:
        """Whether there is more than one language or theme to choose from."""
        languages = {offer.lang for offer in self.look.offers if offer.lang}
        themes = {offer.theme for offer in self.look.offers if offer.theme}
        return len(languages) > 1 or len(themes) > 1


class StickStep(QWidget):
    """`chosen` gets a pack once the person said yes; `came` is called when the first of it can be read."""

    def __init__(
        self, context: Context, chosen: Callable[[Chosen], object], came: Callable[[], object], back: QWidget
    ) -> None:
        super().__init__()
        self._context = context
        self._came = came
        self._waiting = False
        self.steps = PackSteps(context, self, self._say)
        self._offers = FlowLayout()
        self.choose = button(
            _("Choose a stick, folder or file…"), "", "stick", lambda: self.steps.take_in(self._taken)
        )
        self._chosen = chosen
        self._note = label("", "notice")
        self._note.hide()
        self.work = PackWork(context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP)
        column.addWidget(title(_("Content from a USB stick")))
        column.addWidget(
            label(
                _(
                    "Your hub's team, or a colleague, gave you a stick or a file with a pack. "
                    "Everything in it is checked as if it came from the hub."
                )
            )
        )
        column.addSpacing(STEP)
        column.addLayout(self._offers)
        line = FlowLayout()
        line.addWidget(self.choose)
        column.addLayout(line)
        for part in (self._note, self.work):
            column.addWidget(part)
        column.addWidget(muted(_("A code on paper is given afterwards, on the Sync page: then you can also ask.")))
        column.addSpacing(STEP)
        foot = FlowLayout()
        foot.addWidget(back)
        column.addLayout(foot)
        context.packs.changed.connect(self._show_progress)
        context.packs.ended.connect(self._ended)

    def look_round(self) -> None:
        """Look which sticks are in."""
        if not self._context.packs.busy:
            self.steps.find(self._show_sticks)

    def take_in(self, chosen: Chosen) -> None:
        """Take it in; `came` is called as soon as there is something to read."""
        self._waiting = True
        trusted = chosen.look.fingerprint if chosen.look.is_new_hub else ""
        self._context.packs.take_in(chosen.source, trusted=trusted, keep=chosen.keep, files=chosen.files)

    def _taken(self, source: Any, look: Look, keep: bool, files: bool) -> None:
        self._chosen(Chosen(source, look, keep, files))

    def _show_sticks(self, found: list[Stick]) -> None:
        clear(self._offers)
        for stick in found:
            if stick.has_pack:
                words = _("Take in what is on “{name}”").format(name=isolate(stick.name))
                look = self._look_at(stick)
                self._offers.addWidget(button(words, "primary", "stick", look))
        self._show_progress()

    def _look_at(self, stick: Stick) -> Callable[[], None]:
        return lambda: self.steps.look_at(stick.path, self._taken)

    def _show_progress(self) -> None:
        packs = self._context.packs
        for made in (self.choose, *(self._offers.itemAt(i).widget() for i in range(self._offers.count()))):  # type: ignore[attr-defined]
            made.setEnabled(not packs.busy)
        if packs.busy and packs.moment.records:
            self._go_on()

    def _ended(self, outcome: Outcome) -> None:
        brought = outcome.brought
        if brought is not None and brought.hub_name and outcome.error is None:
            self._go_on()

    def _go_on(self) -> None:
        if self._waiting:
            self._waiting = False
            self._came()

    def _say(self, words: str) -> None:
        self._note.setText(words)
        self._note.setVisible(bool(words))
