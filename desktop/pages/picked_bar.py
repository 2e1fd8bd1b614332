"""The quiet line over a list while rows are chosen: how many, what their files cost, and what can be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QMenu, QWidget

from desktop.amounts import duration, number, size
from desktop.context import Context
from desktop.link_speed import speed_of
from desktop.reading.citing import CiteMenu
from desktop.shelf import Shelf
from desktop.widgets.basics import FlowLayout, button, label, muted
from desktop.widgets.picking import MOST, Picked
from desktop.words import _, isolate, ngettext

if TYPE_CHECKING:
    from resources_cache.downloads import Download

_STYLED = 300
"""Records that are cited in a style at once; more are saved as a file for a reference manager."""


@dataclass(frozen=True)
class Wanted:
    """The files of the chosen that are not here: what they are, seconds for them, bytes that would go for them."""

    files: tuple[Download, ...]
    seconds: float
    evicts: int
    evicted_bytes: int

    @property
    def bytes(self) -> int:
        """What is to come, in bytes."""
        return sum(one.size for one in self.files)


Undo = Callable[[Shelf], Any]
Remove = Callable[[Shelf, list[str]], tuple[int, Undo]]
"""Takes rows out of a list and says how many, and what puts them back."""


def resources(shelf: Shelf, ids: list[str]) -> list[dict[str, Any]]:
    """The chosen resources that are on the shelf."""
    found = (shelf.library.get(one) for one in ids)
    return [record for record in found if record is not None and record.get("type") == "resource"]


def wanted_files(shelf: Shelf, ids: list[str]) -> Wanted:
    """What a download of all files of these records would mean."""
    from resources_cache.downloads import Download

    here, wanted = set(shelf.files.hashes()), {}
    for record in resources(shelf, ids):
        for file in record.get("files") or []:
            hash_, count = str(file.get("hash") or ""), file.get("size")
            if hash_ not in here and isinstance(count, int) and 0 < count <= shelf.files.quota_bytes:
                replaces, name = str(file.get("replaces") or ""), str(file.get("name") or "")
                wanted[hash_] = Download(hash_, str(record["id"]), name, count, replaces)
    speed = speed_of(shelf)
    total = sum(one.size for one in wanted.values())
    gone = shelf.files.would_evict(total, shelf.own.pins() | set(wanted)) if wanted else []
    return Wanted(tuple(wanted.values()), total / speed, len(gone), sum(count for _hash, count in gone))


class PickedBar(QWidget):
    """Shows itself while something is chosen, or while what was removed can be brought back."""

    def __init__(self, context: Context, picked: Picked, refresh: Callable[[], object]) -> None:
        super().__init__()
        self._context, self._picked, self._refresh = context, picked, refresh
        self._wanted: Wanted | None = None
        self._remove: Remove | None = None
        self._undo: Undo | None = None
        line = FlowLayout()
        self.setLayout(line)
        self.count = label("", "heading", wrap=False)
        self.download = button(_("Downloads"), "", "download", self._download)  # until it says how much
        self.note = muted("")
        self.save = button(_("Save to"), "quiet", "save")
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.save.setMenu(self.menu)
        self._collections: list[tuple[str, str]] = []
        self.cite = button(_("Cite"), "quiet", "cite")
        self.cite_menu = CiteMenu(context, self, lambda shelf: resources(shelf, self._ids), lambda: _("Citations"))
        self.cite.setMenu(self.cite_menu)
        self.remove = button(_("Remove"), "quiet", "remove", self._remove_all)
        self.count.setMinimumHeight(self.cite.sizeHint().height())
        self.none = button(_("Choose none"), "quiet", "close", picked.clear)
        self.undo = button(_("Undo"), "", "back", self._bring_back)
        for part in (
            self.count,
            self.download,
            self.save,
            self.cite,
            self.remove,
            self.undo,
            self.none,
            self.note,
        ):
            line.addWidget(part)
        self._ids: list[str] = []
        picked.changed.connect(self._changed)
        self.hide()

    def offer_removal(self, words: str, remove: Remove | None) -> None:
        """Rows can be taken out of this list (or, with None, not)."""
        self._remove = remove
        self.remove.setText(words)
        self.remove.setAccessibleName(words)
        self._changed()

    def _changed(self) -> None:
        count = len(self._picked)
        self._ids = self._picked.ids()
        if count:
            self._undo = None
        words = ngettext("{count} chosen", "{count} chosen", count).format(count=number(count))
        if count:
            self.count.setText(words)
        for part in (self.save, self.cite, self.none):
            part.setVisible(count > 0)
        self.remove.setVisible(count > 0 and self._remove is not None)
        self.undo.setVisible(self._undo is not None)
        self.download.hide()
        self.note.setVisible(self._picked.full)
        self.note.setText(_("No more than {count} can be chosen at once.").format(count=number(MOST)))
        for action in self.cite_menu.actions()[:-2]:
            action.setEnabled(count <= _STYLED)
        self.setVisible(count > 0 or self._undo is not None)
        if count:
            ids = self._ids
            self._context.read(lambda shelf: _look(shelf, ids), self._show_wanted, self, key="wanted")

    def _show_wanted(self, found: tuple[Wanted, list[tuple[str, str]]]) -> None:
        wanted, self._collections = found
        self._wanted = wanted
        if not len(self._picked):
            return
        self.download.setVisible(bool(wanted.files))
        cost = _("Download ({size}, {time})").format(size=size(wanted.bytes), time=duration(wanted.seconds))
        self.download.setText(cost)
        self.download.setAccessibleName(cost)
        if wanted.evicts:
            words = ngettext(
                "To make room, {count} file read long ago goes ({size}).",
                "To make room, {count} files read long ago go ({size}).",
                wanted.evicts,
            )
            self.note.setText(words.format(count=number(wanted.evicts), size=size(wanted.evicted_bytes)))
            self.note.show()

    def _download(self) -> None:
        if self._wanted is not None and self._wanted.files:
            self._context.downloads.add(self._wanted.files)
            self._picked.clear()

    def _fill_menu(self) -> None:
        self.menu.clear()
        self.menu.addAction(_("Saved"), partial(self._save_to, "", ""))
        self.menu.addSeparator()
        for id_, title in self._collections:
            self.menu.addAction(isolate(title).replace("&", "&&"), partial(self._save_to, id_, title))
        self.menu.addAction(_("New collection"), self._ask_name)

    def _ask_name(self) -> None:
        from PySide6.QtWidgets import QInputDialog

        dialog = QInputDialog(self)
        dialog.setWindowTitle(_("New collection"))
        dialog.setLabelText(_("Its name"))
        dialog.setOkButtonText(_("Save"))
        dialog.setCancelButtonText(_("Cancel"))
        dialog.textValueSelected.connect(lambda name: self._save_to("", name) if name.strip() else None)
        dialog.open()

    def _save_to(self, collection: str, title: str) -> None:
        """Save the chosen: in a collection, in a new one of this name, or with neither among the saved."""
        ids = self._ids

        def save(shelf: Shelf) -> int:
            records = [(one, _title(shelf, one)) for one in ids]
            if not title:
                for one, words in records:
                    shelf.own.bookmark(one, words)
                return len(records)
            return shelf.own.collections.put(collection or shelf.own.collections.make(title), records)

        def saved(count: int) -> None:
            where = title or _("Saved")
            words = ngettext("{count} put into “{name}”.", "{count} put into “{name}”.", count)
            self._context.notices.said.emit(words.format(count=number(count), name=isolate(where)))
            self._picked.clear()
            self._refresh()

        self._context.write(save, saved, self)

    def _remove_all(self) -> None:
        if (remove := self._remove) is None:
            return
        ids = self._ids

        def removed(answer: tuple[int, Undo]) -> None:
            count, undo = answer
            self._picked.clear()
            self._undo = undo
            self.count.setText(ngettext("{count} removed", "{count} removed", count).format(count=number(count)))
            self._changed()
            self.undo.setFocus()
            self._refresh()

        self._context.write(lambda shelf: remove(shelf, ids), removed, self)

    def _bring_back(self) -> None:
        if (undo := self._undo) is not None:
            self._undo = None
            self._changed()
            self._context.write(undo, self._brought_back, self)

    def _brought_back(self, _done: object) -> None:
        self._refresh()


def _look(shelf: Shelf, ids: list[str]) -> tuple[Wanted, list[tuple[str, str]]]:
    return wanted_files(shelf, ids), [(one.id, one.title) for one in shelf.own.collections.all()]


def _title(shelf: Shelf, record: str) -> str:
    found = shelf.library.get(record) or {}
    return str(found.get("title") or found.get("name") or "")
