"""Sharing with the computers of one's office, as the Sync page and the first run show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from desktop.amounts import number, size
from desktop.context import Context
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import FlowLayout, Tick, button, clear, heading, label, muted
from desktop.words import _, isolate, ngettext

_SHOWN = 6
"""Computers that are named one by one."""


@dataclass(frozen=True)
class OfficeStanding:
    """How this shelf stands with its neighbours: whether it shares, and whether an administrator decided that; how
    many are there; bytes given and taken; addresses that were named by hand."""

    sharing: bool = False
    locked: bool = False
    there: int = 0
    given: int = 0
    taken: int = 0
    named: list[str] = field(default_factory=list)
    each: list[tuple[str, tuple[int, int]]] = field(default_factory=list)
    """By a computer's address: bytes given to it, and taken from it."""


def read_office(shelf: Shelf) -> OfficeStanding:
    """Read it all. Raises CacheError."""
    from sync.neighbours.counts import read
    from sync.neighbours.giving import ADDRESSES, COUNTS, SHARING, near, shares

    own = shelf.own
    counts, named = read(own.setting(COUNTS)), own.setting(ADDRESSES)
    return OfficeStanding(
        shares(own),
        own.is_locked(SHARING),
        len(near(own)),
        counts.given,
        counts.taken,
        [one for one in named if isinstance(one, str)] if isinstance(named, list) else [],
        list(counts.each.items())[:_SHOWN],
    )


def save_sharing(shelf: Shelf, sharing: bool) -> None:
    """Keep a person's answer; nobody asked where an administrator decided. Raises CacheError."""
    from sync.neighbours.giving import SHARING

    if shelf.own.is_locked(SHARING):
        return
    shelf.own.set_setting(SHARING, sharing)


class InTheOffice(QWidget):
    """The section of the Sync page; `refresh` reads anew."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.share = Tick(_("Share with the computers in this office"))
        self.share.clicked.connect(self._save)
        self.locked = muted(_("Managed by your administrator."))
        self.standing = label("")
        self.address = QLineEdit()
        name = _("Address of a computer, such as 192.168.1.20:8441")
        self.address.setPlaceholderText(name)
        self.address.setAccessibleName(name)
        self.address.returnPressed.connect(self._add)
        self.add = button(_("Add the computer"), "", "", self._add)
        self.note = label("", "notice")
        self._by_hand = QWidget()
        self._named = FlowLayout()
        line = QVBoxLayout(self._by_hand)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(STEP)
        line.addLayout(self._named)
        line.addWidget(self.address)
        row = FlowLayout()
        row.addWidget(self.add)
        line.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP)
        column.addWidget(heading(_("In this office")))
        column.addWidget(muted(explanation()))
        column.addWidget(self.share)
        column.addWidget(muted(promise()))
        for part in (self.locked, self.standing, self._by_hand, self.note):
            part.hide()
            column.addWidget(part)

    def refresh(self) -> None:
        """Show how it stands now."""
        self._context.read(read_office, self._show, self, key="office", failure=lambda _error: None)

    def _show(self, found: OfficeStanding) -> None:
        self.share.setChecked(found.sharing)
        self.share.setEnabled(not found.locked)
        self.locked.setVisible(found.locked)
        self.standing.setText(_in_words(found))
        self.standing.setVisible(found.sharing)
        self._by_hand.setVisible(found.sharing)
        clear(self._named)
        for address in found.named:
            words = _("Remove {address}").format(address=isolate(address.removeprefix("http://")))
            self._named.addWidget(button(words, "quiet", "close", partial(self._remove, address)))

    def _save(self) -> None:
        sharing = self.share.isChecked()

        def saved(_none: None) -> None:
            self.refresh()
            self._context.sync.nudge("office")

        self._context.write(lambda shelf: save_sharing(shelf, sharing), saved, self)

    def _add(self) -> None:
        from sync.protocol.neighbours import private_base

        base = private_base(self.address.text().strip())
        self.note.setVisible(base is None)
        if base is None:
            self.note.setText(_("This is no address in a private network. It looks like 192.168.1.20:8441"))
            return
        self.address.clear()
        self._change(lambda named: list(dict.fromkeys([*named, base])))

    def _remove(self, address: str) -> None:
        self._change(lambda named: [one for one in named if one != address])

    def _change(self, change: Callable[[list[str]], list[str]]) -> None:
        def write(shelf: Shelf) -> None:
            from sync.neighbours.giving import ADDRESSES

            shelf.own.set_setting(ADDRESSES, change(read_office(shelf).named))

        self._context.write(write, lambda _none: self.refresh(), self)


def explanation() -> str:
    """What sharing is for."""
    return _("Computers behind one link need not each fetch the same: what one has, it gives to the others.")


def promise() -> str:
    """What is never shared."""
    return _("Nothing of yours is shared: no questions, no notes, no files of yours, nor what you read.")


def _in_words(found: OfficeStanding) -> str:
    there = (
        ngettext("{count} other computer is here.", "{count} other computers are here.", found.there).format(
            count=number(found.there)
        )
        if found.there
        else _("No other computer is here now.")
    )
    moved = _("Given to others: {given}. Taken from them: {taken}, which the link did not have to carry.")
    lines = [f"{there} {moved.format(given=size(found.given), taken=size(found.taken))}"]
    one = _("{computer} gave {taken} and took {given}.")
    lines += [
        one.format(computer=isolate(host), taken=size(taken), given=size(given))
        for host, (given, taken) in found.each
    ]
    return "\n".join(lines)
