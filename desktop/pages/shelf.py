"""My shelf: what was saved, what was downloaded, and the room it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from desktop.amounts import ago, number, size
from desktop.card_rows import search_row
from desktop.changed import gone as deleted
from desktop.changed import gone_words
from desktop.context import Context
from desktop.navigation import Place, place_of
from desktop.notice_words import badge as notice_badge
from desktop.pages.downloads_bar import DownloadsBar, download_rows
from desktop.pages.list_page import Listing, ListPage
from desktop.pages.picked_bar import Undo, resources
from desktop.pages.removed_bar import RemovedBar, removed_rows
from desktop.reading.citing import CiteMenu
from desktop.shelf import Shelf
from desktop.state_words import RECORD_KINDS
from desktop.widgets.basics import Choice, EmptyPlace, button, muted
from desktop.widgets.cards import Badge, CardRow
from desktop.words import N_, _, ngettext


def downloaded(shelf: Shelf) -> dict[str, list[dict[str, object]]]:
    """Resource id → its files that are on the shelf."""
    here = set(shelf.files.hashes())
    found: dict[str, list[dict[str, object]]] = {}
    offset = 0
    while here:
        page = shelf.library.browse(("resource",), None, "title", offset, 500)
        for card in page.items:
            if card.files_bytes:
                files = (shelf.library.get(card.id) or {}).get("files") or []
                mine = [f for f in files if f.get("hash") in here]
                if mine:
                    found[card.id] = mine
        offset += len(page.items)
        if not page.items or offset >= page.total:
            break
    return found


def saved_resources(shelf: Shelf) -> list[dict[str, Any]]:
    """The resources that the person saved and that are on the shelf, last saved first."""
    found = (shelf.library.get(bookmark.id) for bookmark in shelf.own.bookmarks())
    return [record for record in found if record is not None and record.get("type") == "resource"]


class ShelfPage(ListPage):
    """Saved (all, or one collection), saved searches, the queue of downloads, and what was downloaded.

    The line below says what room the files take.
    """

    TITLE = N_("My shelf")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.tab = "saved"
        self._stood: tuple[str, str] | None = None
        self._tabs: dict[str, QPushButton] = {}  # a QButtonGroup would take all but one off the Tab key
        for name, words, picture in (
            ("saved", _("Saved"), "saved"),
            ("searches", _("Searches"), "search"),
            ("downloads", _("Downloads"), "download"),
            ("files", _("Downloaded files"), "file"),
            ("removed", _("Recently removed"), "remove"),
        ):
            made = button(words, "", picture)
            made.setCheckable(True)
            made.setChecked(name == self.tab)
            made.clicked.connect(lambda _checked=False, name=name: self._choose(name))
            self._tabs[name] = made
            self.above.addWidget(made)
        self.collection = Choice(_("Collection"), [("", _("Everything saved"))])
        self.collection.currentIndexChanged.connect(lambda _i: self._collection_chosen())
        self.above.addWidget(self.collection)
        self.room = muted("", wrap=False)
        self.free = button(_("Free some space"), "quiet", "remove", self._free)
        self.free.hide()
        self.above.addWidget(self.room)
        self.above.addWidget(self.free)
        self.cite = button(_("Cite these"), "quiet", "cite")
        self.cite.setMenu(CiteMenu(context, self, self._cited, lambda: _("Citations")))
        self.above.addWidget(self.cite)
        self.queue = DownloadsBar(context, self.list)
        self._top.addWidget(self.queue)
        self.removed = RemovedBar(context, self.list, self.refresh)
        self._top.addWidget(self.removed)
        self.chosen_bar = self.choose_many()
        self._offer_removal()
        context.downloads.changed.connect(self._queue_changed)

    def arrive(self, place: Place) -> None:
        if place.tab in self._tabs and place.tab != self.tab:
            self._choose(place.tab)
        super().arrive(place)

    def _choose(self, tab: str) -> None:
        self.tab = tab
        for name, made in self._tabs.items():
            made.setChecked(name == tab)
        self.list.picked.clear()
        self._offer_removal()
        self.refresh()

    def _collection_chosen(self) -> None:
        self.list.picked.clear()
        self._offer_removal()
        self.refresh()

    def _cited(self, shelf: Shelf) -> list[dict[str, Any]]:
        """The resources that are listed: everything saved, or one collection."""
        if collection := self.collection.value():
            return resources(shelf, [one.id for one in shelf.own.collections.records(collection)])
        return saved_resources(shelf)

    def _queue_changed(self) -> None:
        standing = self.context.downloads.standing
        now = (standing.hash, standing.why) if standing is not None else None
        # While bytes arrive the line above the list moves; the rows are read again when something else changed.
        if self.tab in ("downloads", "files") and (now != self._stood or standing is None or not standing.done):
            self._stood = now
            self.refresh()

    def _offer_removal(self) -> None:
        """What taking rows out of this list means."""
        collection = self.collection.value()
        self.list.can_pick = self.tab in ("saved", "files")
        if self.tab == "files":
            self.chosen_bar.offer_removal(_("Remove files"), _remove_files)
        elif collection:
            self.chosen_bar.offer_removal(_("Take out"), lambda shelf, ids: _take_out(shelf, collection, ids))
        else:
            self.chosen_bar.offer_removal(_("Save no longer"), _unsave)

    def query(self) -> Callable[[Shelf, int], Listing]:
        from resources_cache.saved_searches import news

        context, tab, collection = self.context, self.tab, self.collection.value()

        def read(shelf: Shelf, offset: int) -> Listing:
            used = shelf.files.used()
            behind: dict[str, Any] = {
                "collections": [(c.id, c.title, c.count) for c in shelf.own.collections.all()]
            }
            if tab == "files":
                rows = []
                for record, files in downloaded(shelf).items():
                    title = str((shelf.library.get(record) or {}).get("title") or "")
                    total = sum(int(str(f.get("size") or 0)) for f in files)
                    names = ", ".join(str(f.get("name") or "") for f in files)
                    badge = Badge(size(total), "good", "file")
                    rows.append(
                        CardRow(
                            id=record, kind="resource", title=title, line=names, badges=(badge,), picture="file"
                        )
                    )
            elif tab == "downloads":
                rows, behind["queue"] = download_rows(shelf)
                partials = shelf.files.partials()
                coming = {one.hash: one.size for one in behind["queue"].values() if not one.paused}
                new = sum(max(0, count - partials.get(name, 0)) for name, count in coming.items())
                gone = shelf.files.would_evict(new, shelf.own.pins() | set(coming)) if new else []
                behind["evicts"] = (len(gone), sum(count for _hash, count in gone))
            elif tab == "removed":
                rows = removed_rows(shelf)
            elif tab == "searches":
                rows = [search_row(s, news(shelf.library, s), context) for s in shelf.own.searches()]
            else:
                kept = shelf.own.collections.records(collection) if collection else shelf.own.bookmarks()
                lost = set(deleted(shelf, shelf.own.memory.known()))
                rows = [_saved_row(shelf, one.id, one.title, one.created, lost) for one in kept]
            return Listing(len(rows), rows, {"used": [("used", used)]}, behind)

        return read

    def _show(self, offset: int, listing: Listing) -> None:
        collections = listing.behind.get("collections", [])
        named = [(id_, f"{title} ({number(count)})") for id_, title, count in collections]
        self.collection.set_items([("", _("Everything saved")), *named])
        super()._show(offset, listing)
        self.collection.setVisible(self.tab == "saved" and bool(collections))
        self.queue.setVisible(self.tab == "downloads" and bool(listing.rows))
        self.removed.setVisible(self.tab == "removed" and bool(listing.rows))
        if self.tab == "removed" and listing.rows and self.list.current_row() is None:
            self.list.choose(listing.rows[0].id)
        if self.tab == "downloads":
            self.queue.show_queue(listing.behind.get("queue", {}), listing.behind.get("evicts", (0, 0)))
        used = next((count for _name, count in (listing.facets or {}).get("used", [])), 0)
        self.room.setText(_("Files take {size}").format(size=size(used)) if used else "")
        about_files = used > 0 and self.tab not in ("downloads", "removed")
        self.room.setVisible(about_files)
        self.free.setVisible(about_files)
        self.cite.setVisible(self.tab == "saved" and any(row.kind == "resource" for row in listing.rows))

    def count_words(self, total: int) -> str:
        return ngettext("{count} item", "{count} items", total).format(count=total) if total else ""

    def menu_of(self, row: CardRow) -> QMenu:
        if row.kind not in ("download", "removed"):
            return super().menu_of(row)
        menu = QMenu(self)
        (self.queue if row.kind == "download" else self.removed).menu_of(menu)
        return menu

    def nothing(self) -> QWidget:
        if self.tab == "downloads":
            return EmptyPlace(
                "download",
                _("No file is on its way."),
                _("Choose resources in the library, with Ctrl or Space, then press “Download”: it says the cost."),
                _("Open the library"),
                lambda: self.context.navigator.go(Place("library")),
            )
        if self.tab == "removed":
            return EmptyPlace(
                "remove",
                _("Nothing was removed."),
                _("What you remove of your own work can be brought back for 30 days."),
                _("Saved"),
                lambda: self._choose("saved"),
            )
        if self.tab == "saved" and self.collection.value():
            return EmptyPlace(
                "save",
                _("This collection is empty."),
                _("Choose resources in the library or in a search, then press “Save to”."),
                _("Open the library"),
                lambda: self.context.navigator.go(Place("library")),
            )
        if self.tab == "files":
            return EmptyPlace(
                "file",
                _("No file was downloaded yet."),
                _("Open a resource with a file: it says what the download costs before it begins."),
                _("Open the library"),
                lambda: self.context.navigator.go(Place("library")),
            )
        if self.tab == "searches":
            return EmptyPlace(
                "search",
                _("No search is saved yet."),
                _("Search for something, then press “Save this search”: here you see what is new in it."),
                _("Search everything"),
                lambda: self.context.navigator.go(Place("search")),
            )
        return EmptyPlace(
            "save",
            _("Nothing is saved yet."),
            _("Press “Save” above a text to find it here again."),
            _("Open the library"),
            lambda: self.context.navigator.go(Place("library")),
        )

    def _row_opened(self, row: CardRow) -> None:
        if row.kind == "search" and row.place is not None:
            self.context.navigator.go(row.place)
            return
        if row.kind in ("download", "removed"):
            return  # what can be done with it stands above
        super()._row_opened(row)

    def _free(self) -> None:
        from desktop.widgets.question import ask_first

        def forget(shelf: Shelf) -> int:
            kept = shelf.own.pins()
            return sum(shelf.files.remove(name) for name in shelf.files.hashes() if name not in kept)

        def done(count: int) -> None:
            words = ngettext("{count} file was removed.", "{count} files were removed.", count).format(count=count)
            self.context.notices.said.emit(words)
            self.refresh()

        ask_first(
            self,
            _("Remove the downloaded files?"),
            _("Texts, discussions and everything you wrote stay. Files can be downloaded again, at their cost."),
            _("Remove files"),
            lambda: self.context.write(forget, done, self),
        )


def _unsave(shelf: Shelf, ids: list[str]) -> tuple[int, Undo]:
    gone = shelf.own.unbookmark_all(ids)
    return len(gone), lambda again: again.own.put_bookmarks_back(gone)


def _take_out(shelf: Shelf, collection: str, ids: list[str]) -> tuple[int, Undo]:
    gone = shelf.own.collections.take_out(collection, ids)
    return len(gone), lambda again: again.own.collections.put_back(collection, gone)


def _remove_files(shelf: Shelf, ids: list[str]) -> tuple[int, Undo]:
    """The files of these resources; what was removed before can no longer be brought back."""
    shelf.files.forget_removed()
    hashes = {str(file.get("hash")) for one in resources(shelf, ids) for file in one.get("files") or []}
    here = hashes & set(shelf.files.hashes())
    gone = [name for name in here if shelf.files.remove_for_now(name)]
    return len(gone), lambda again: [again.files.bring_back(name) for name in gone]


def _saved_row(shelf: Shelf, record: str, title: str, created: str, lost: set[str]) -> CardRow:
    from resources_cache.notices import notice_of

    found = shelf.library.get(record)
    when = Badge(_("saved {ago}").format(ago=ago(created)))
    if found is None:
        return CardRow(
            id=record,
            title=title,
            picture="saved",
            line=gone_words() if record in lost else _("No longer on the shelf."),
            badges=(when,),
            kind="resource",
        )
    kind, notice = str(found.get("type") or "resource"), notice_of(found)
    return CardRow(
        id=record,
        kind=kind,
        title=str(found.get("title") or found.get("name") or title),
        line=str(found.get("summary") or ""),
        badges=(*(notice_badge(notice.kind) if notice is not None else ()), when),
        picture=RECORD_KINDS.get(kind, ("", "file"))[1],
        place=place_of(kind, record),
    )
