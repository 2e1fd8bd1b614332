"""What was recently removed of the person's own work, as rows, and what can be done with the chosen one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from desktop.amounts import date, number
from desktop.context import Context
from desktop.shelf import Shelf
from desktop.widgets.basics import FlowLayout, button, muted
from desktop.widgets.cards import Badge, CardList, CardRow
from desktop.words import N_, _, isolate, ngettext

if TYPE_CHECKING:
    from resources_cache.bringing_back import BroughtBack
    from resources_cache.removed import Removed

KINDS: dict[str, tuple[str, str]] = {
    "saved": (N_("Saved"), "saved"),
    "note": (N_("Note"), "note"),
    "highlight": (N_("Highlight"), "highlight"),
    "draft": (N_("Draft"), "draft"),
    "attachment": (N_("Attached file"), "file"),
    "collection": (N_("Collection"), "save"),
    "collected": (N_("From a collection"), "save"),
    "search": (N_("Saved search"), "search"),
    "outbox": (N_("Outbox"), "outbox"),
}
"""Words and picture of each kind of what can be removed."""
_ADDED = ("note", "draft", "collection", "attachment")
"""Kinds that come back beside or below what stands in their place; the others stay as they are there."""


def name_of_removed(one: Removed) -> str:
    """What a removal is called: the thing's title, and how many more went with it."""
    if one.count < 2 or one.kind == "collection":
        return one.title
    words = ngettext("{title} and {count} more", "{title} and {count} more", one.count - 1)
    return words.format(title=isolate(one.title), count=number(one.count - 1))


def removed_rows(shelf: Shelf) -> list[CardRow]:
    """What can be brought back, the last removed first."""
    return [_row(one) for one in shelf.own.removed.all()]


def _row(one: Removed) -> CardRow:
    words, picture = KINDS.get(one.kind, (N_("Removed"), "remove"))
    when = Badge(_("removed {day}").format(day=date(one.removed_at)))
    return CardRow(
        id=str(one.id),
        kind="removed",
        title=name_of_removed(one) or _(words),
        meta=_(words),
        badges=(when,),
        picture=picture,
    )


def back_words(back: BroughtBack) -> str:
    """What is said of something that came back."""
    if back.outbox:
        words = _("“{title}” is back, in the outbox.")
    elif back.there and back.kind in _ADDED:
        words = _("“{title}” is back, with what is there by now.")
    elif back.there:
        words = _("“{title}” was there already, and stays as it is.")
    else:
        words = _("“{title}” is back.")
    return words.format(title=isolate(back.title))


class RemovedBar(QWidget):
    """Over the list of what was removed: bring the chosen row back, or remove it for good."""

    def __init__(self, context: Context, listed: CardList, changed: Callable[[], object]) -> None:
        super().__init__()
        self._context, self._list, self._changed = context, listed, changed
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        flow = FlowLayout()
        column.addLayout(flow)
        self.back = button(_("Bring back"), "", "back", self.bring_back)
        self.good = button(_("Remove for good"), "quiet", "remove", self._ask)
        flow.addWidget(self.back)
        flow.addWidget(self.good)
        column.addWidget(muted(_("What you remove of your own work can be brought back for 30 days.")))
        self.hide()

    def menu_of(self, menu: QMenu) -> None:
        """Offer in a row's menu what the bar offers."""
        menu.addAction(self.back.text(), self.bring_back)
        menu.addAction(self.good.text(), self._ask)

    def bring_back(self) -> None:
        """Bring the chosen row back."""
        if (row := self._list.current_row()) is None:
            return
        id_ = int(row.id)

        def done(back: BroughtBack) -> None:
            self._context.notices.said.emit(back_words(back))
            self._context.notices.outbox_changed.emit()
            self._changed()

        self._context.write(lambda shelf: shelf.own.bring_back(id_), done, self)

    def _ask(self) -> None:
        from desktop.widgets.question import ask_first

        if (row := self._list.current_row()) is None:
            return
        id_ = int(row.id)

        def gone(_done: None) -> None:
            self._changed()

        ask_first(
            self,
            _("Remove “{title}” for good?").format(title=isolate(row.title)),
            _("It cannot be brought back then."),
            _("Remove for good"),
            lambda: self._context.write(lambda shelf: shelf.own.removed.forget([id_]), gone, self),
        )
