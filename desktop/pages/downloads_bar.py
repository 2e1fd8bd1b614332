"""The lines over the queue of downloads: what comes, or why nothing does, and what can be done."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QMenu, QProgressBar, QVBoxLayout, QWidget

from desktop.amounts import duration, size
from desktop.context import Context
from desktop.downloads import WHY
from desktop.error_words import words_of_code
from desktop.link_speed import speed_of
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import FlowLayout, Tick, button, label, muted
from desktop.widgets.cards import Badge, CardList, CardRow
from desktop.words import N_, _, isolate, ngettext

if TYPE_CHECKING:
    from resources_cache.downloads import Download

_MOVES = (
    ("first", N_("Come first"), "send"),
    ("up", N_("Earlier"), "up"),
    ("down", N_("Later"), "down"),
)


def download_rows(shelf: Shelf) -> tuple[list[CardRow], dict[str, Download]]:
    """The queue as rows, in its order, and what stands behind them by hash."""
    waiting = shelf.own.downloads.items()
    speed = speed_of(shelf)
    partials = shelf.files.partials()
    return [_row(shelf, one, partials.get(one.hash, 0), speed) for one in waiting], {
        one.hash: one for one in waiting
    }


def _row(shelf: Shelf, one: Download, here: int, speed: float) -> CardRow:
    resource = str((shelf.library.get(one.resource) or {}).get("title") or "")
    left = max(0, one.size - here)
    cost = _("{done} of {size}").format(done=size(here), size=size(one.size)) if here else size(one.size)
    badges = [Badge(cost, "muted", "download"), Badge(duration(left / speed), "muted", "clock")]
    if one.problem:
        badges.append(Badge(_("Could not come"), "warn", "attention"))
    elif one.paused:
        badges.append(Badge(_("Paused"), "muted", "pause"))
    line = _(words_of_code(one.problem).sentence) if one.problem else resource
    return CardRow(
        id=one.hash, kind="download", title=one.name or resource, line=line, badges=tuple(badges), picture="file"
    )


class DownloadsBar(QWidget):
    """Acts on the current row of `listed`, and on the whole queue."""

    def __init__(self, context: Context, listed: CardList) -> None:
        super().__init__()
        self._context, self._list = context, listed
        self._items: dict[str, Download] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP // 2)
        self.why = label("")
        self.cost = muted("")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName(_("The file that is coming"))
        column.addWidget(self.why)
        column.addWidget(self.bar)
        column.addWidget(self.cost)
        flow = FlowLayout()
        buttons = QWidget()
        buttons.setLayout(flow)
        self.all = button(_("Pause all"), "", "pause", self._pause_all)
        self.one = button(_("Pause"), "quiet", "pause", self._pause_one)
        flow.addWidget(self.all)
        flow.addWidget(self.one)
        self.moves = {
            where: button(_(words), "quiet", picture, partial(self._move, where))
            for where, words, picture in _MOVES
        }
        for made in self.moves.values():
            flow.addWidget(made)
        self.cancel = button(_("Do not download"), "quiet", "remove", self._cancel)
        self.undo = button(_("Undo"), "quiet", "back", self._undo)
        flow.addWidget(self.cancel)
        flow.addWidget(self.undo)
        self.undo.hide()
        self._gone: Download | None = None
        column.addWidget(buttons)
        self.metered = Tick(_("Wait where the connection is paid by the byte"))
        self.metered.clicked.connect(self._set_metered)
        line = QHBoxLayout()
        line.addWidget(self.metered)
        line.addStretch(1)
        column.addLayout(line)
        listed.selectionModel().currentChanged.connect(lambda *_: self._offer())
        context.downloads.changed.connect(self._stand)
        context.read(_metered, self.metered.setChecked, self)

    def show_queue(self, items: dict[str, Download], evicts: tuple[int, int]) -> None:
        """Take what waits, and (files, bytes) that would go for it."""
        self._items = items
        count, taken = evicts
        words = ngettext(
            "To make room, {count} file read long ago will go ({size}).",
            "To make room, {count} files read long ago will go ({size}).",
            count,
        )
        self.cost.setText(words.format(count=count, size=size(taken)) if count else "")
        self.cost.setVisible(count > 0)
        if self._list.current_row() is None and items:
            self._list.choose(next(iter(items)))
        self._stand()
        self._offer()

    def menu_of(self, menu: QMenu) -> None:
        """Offer in a row's menu what the line offers."""
        for made, act in (
            (self.one, self._pause_one),
            *((made, partial(self._move, where)) for where, made in self.moves.items()),
            (self.cancel, self._cancel),
        ):
            action = menu.addAction(made.text())
            action.triggered.connect(lambda _checked=False, act=act: act())
            action.setEnabled(made.isEnabled())

    def _current(self) -> Download | None:
        row = self._list.current_row()
        return self._items.get(row.id) if row is not None else None

    def _offer(self) -> None:
        one = self._current()
        for made in (self.one, self.cancel, *self.moves.values()):
            made.setEnabled(one is not None)
        order = list(self._items)
        if one is not None:
            self.moves["first"].setEnabled(order[0] != one.hash)
            self.moves["up"].setEnabled(order[0] != one.hash)
            self.moves["down"].setEnabled(order[-1] != one.hash)
        stands = one is not None and (one.paused or bool(one.problem))
        _rename(self.one, _("Go on") if stands else _("Pause"))
        still = all(item.paused or item.problem for item in self._items.values())
        _rename(self.all, _("Go on with all") if still else _("Pause all"))
        self.all.setEnabled(bool(self._items))

    def _stand(self) -> None:
        """What is coming now, with bytes and minutes, or why nothing is."""
        standing = self._context.downloads.standing
        coming = self._items.get(standing.hash) if standing is not None and standing.hash else None
        self.bar.setVisible(coming is not None)
        if coming is None or standing is None:
            self.why.setText(_(WHY[standing.why]) if standing is not None and standing.why in WHY else "")
            self.why.setVisible(bool(self.why.text()) and bool(self._items))
            return
        self.bar.setRange(0, 1000)
        self.bar.setValue(round(1000 * standing.done / max(1, standing.size)))
        words = _("Coming: {name}, {done} of {size}").format(
            name=isolate(coming.name), done=size(standing.done), size=size(standing.size)
        )
        if standing.rate > 0:
            words = f"{words}, {duration((standing.size - standing.done) / standing.rate)}"
        self.why.setText(words)
        self.why.show()

    def _pause_one(self) -> None:
        if (one := self._current()) is not None:
            stands = one.paused or one.problem
            self._context.downloads.change(
                lambda shelf: (shelf.own.downloads.resume if stands else shelf.own.downloads.pause)(one.hash)
            )

    def _pause_all(self) -> None:
        still = all(item.paused or item.problem for item in self._items.values())
        self._context.downloads.change(
            lambda shelf: (shelf.own.downloads.resume if still else shelf.own.downloads.pause)()
        )

    def _move(self, where: str) -> None:
        if (one := self._current()) is not None:
            self._context.downloads.change(lambda shelf: shelf.own.downloads.move(one.hash, where))

    def _cancel(self) -> None:
        if (one := self._current()) is not None:
            self._gone = one
            self.undo.show()
            self._context.downloads.change(lambda shelf: shelf.own.downloads.remove(one.hash))

    def _undo(self) -> None:
        gone, self._gone = self._gone, None
        self.undo.hide()
        if gone is not None:
            self._context.downloads.change(lambda shelf: shelf.own.downloads.add([gone]))

    def _set_metered(self, wait: bool) -> None:
        from sync.downloads import WAIT_METERED

        self._context.downloads.change(lambda shelf: shelf.own.set_setting(WAIT_METERED, wait))


def _metered(shelf: Shelf) -> bool:
    from sync.downloads import WAIT_METERED

    return shelf.own.setting(WAIT_METERED) is True


def _rename(made: QWidget, words: str) -> None:
    made.setProperty("text", words.replace("&", "&&"))
    made.setAccessibleName(words)
