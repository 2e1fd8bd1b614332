"""Which languages and themes a shelf keeps, with what each costs before it is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop.amounts import duration, size
from desktop.context import Context
from desktop.link_speed import ASSUMED_SPEED
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import Tick, clear, heading, label, muted
from desktop.widgets.managed import managed_note, show_managed
from desktop.words import _, language, language_name

if TYPE_CHECKING:
    from sync.engine import StreamOffer


@dataclass(frozen=True)
class Kept:
    """What the hub offers, and what the shelf keeps now (None: everything)."""

    offers: list[StreamOffer]
    languages: list[str] | None
    themes: list[str] | None
    locked: bool = False
    """An administrator decided the languages."""


def read_offers(shelf: Shelf) -> Kept:
    """Ask what the hub offers. Raises SyncError."""
    from sync.engine import offers

    found = offers(shelf.home)
    own = shelf.own
    return Kept(found, own.setting("languages"), own.setting("themes"), own.is_locked("languages"))


def save_choice(languages: list[str] | None, themes: list[str] | None, shelf: Shelf) -> None:
    """Keep the choice in own.db; the next sync follows it."""
    if not shelf.own.is_locked("languages"):
        shelf.own.set_setting("languages", languages)
    shelf.own.set_setting("themes", themes)


class KeepChooser(QWidget):
    """Two groups of boxes and the sum; `changed` when a box is ticked."""

    changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._offers: Sequence[StreamOffer] = ()
        self._by_stick = False
        self._languages: dict[str, Tick] = {}
        self._themes: dict[str, Tick] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(STEP)
        self._sum = label("", "heading")

    def show_offers(self, kept: Kept, *, first_time: bool = False, by_stick: bool = False) -> None:
        """Show what is offered, ticked as it is kept; at the first time the window's language and English.

        `by_stick`: it comes from a pack, so that no link sets the time.
        """
        self._offers, self._by_stick = kept.offers, by_stick
        clear(self._column)
        self._sum = label("", "heading")
        self._languages, self._themes = {}, {}
        codes = sorted({o.lang for o in kept.offers if o.lang})
        slugs = sorted({o.theme for o in kept.offers if o.theme})
        wanted = set(codes) if kept.languages is None else set(kept.languages)
        if first_time and kept.languages is None and (mine := {language(), "en"} & set(codes)):
            wanted = mine
        self._group(_("Languages"), [(c, language_name(c)) for c in codes], wanted, self._languages, "lang")
        if kept.locked:
            note = managed_note()
            self._column.addWidget(note)
            show_managed(True, note, *self._languages.values())
        wanted = set(slugs) if kept.themes is None else set(kept.themes)
        names = [(s, _("Other themes") if s == "other" else self._context.theme_name(s)) for s in slugs]
        self._group(_("Texts by theme"), names, wanted, self._themes, "theme")
        self._column.addWidget(self._sum)
        self._column.addWidget(muted(_("Titles and summaries of every theme always come; they are small.")))
        self._add_up()

    @property
    def languages(self) -> list[str] | None:
        """The chosen languages; None for all."""
        return self._chosen(self._languages)

    @property
    def themes(self) -> list[str] | None:
        """The chosen themes; None for all."""
        return self._chosen(self._themes)

    @staticmethod
    def _chosen(boxes: dict[str, Tick]) -> list[str] | None:
        chosen = [value for value, box in boxes.items() if box.isChecked()]
        return None if len(chosen) == len(boxes) else chosen

    def _group(
        self, words: str, values: list[tuple[str, str]], wanted: set[str], boxes: dict[str, Tick], field: str
    ) -> None:
        if not values:
            return
        self._column.addWidget(heading(words))
        grid = QGridLayout()
        grid.setColumnStretch(0, 1)
        grid.setVerticalSpacing(2)
        for row, (value, name) in enumerate(values):
            total = sum(o.bytes for o in self._offers if getattr(o, field) == value)
            box = Tick(name)
            box.setAccessibleName(f"{name}, {size(total)}")
            box.setChecked(value in wanted)
            box.toggled.connect(lambda _on: self._ticked())
            boxes[value] = box
            grid.addWidget(box, row, 0)
            grid.addWidget(muted(size(total), wrap=False), row, 1)
        self._column.addLayout(grid)

    def _ticked(self) -> None:
        self._add_up()
        self.changed.emit()

    def _add_up(self) -> None:
        languages, themes = self.languages, self.themes
        total = sum(
            o.bytes
            for o in self._offers
            if (not o.lang or languages is None or o.lang in languages)
            and (not o.theme or themes is None or o.theme in themes)
        )
        if self._by_stick:
            self._sum.setText(_("Altogether {size}").format(size=size(total)))
            return
        words = _("Altogether {size}, {time} on a slow link")
        self._sum.setText(words.format(size=size(total), time=duration(total / ASSUMED_SPEED)))
