"""My shelf: what was saved, what was downloaded, and the room it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QPushButton, QWidget

from desktop.amounts import ago, size
from desktop.card_rows import search_row
from desktop.context import Context
from desktop.navigation import Place, place_of
from desktop.pages.list_page import Listing, ListPage
from desktop.reading.citing import CiteMenu
from desktop.shelf import Shelf
from desktop.state_words import RECORD_KINDS
from desktop.widgets.basics import EmptyPlace, button, muted
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
    """Three lists: saved, saved searches, and downloaded; the line below says what room the files take."""

    TITLE = N_("My shelf")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.tab = "saved"
        self._tabs: dict[str, QPushButton] = {}  # a QButtonGroup would take all but one off the Tab key
        for name, words, picture in (
            ("saved", _("Saved"), "saved"),
            ("searches", _("Searches"), "search"),
            ("files", _("Downloaded files"), "file"),
        ):
            made = button(words, "", picture)
            made.setCheckable(True)
            made.setChecked(name == self.tab)
            made.clicked.connect(lambda _checked=False, name=name: self._choose(name))
            self._tabs[name] = made
            self.above.addWidget(made)
        self.room = muted("", wrap=False)
        self.free = button(_("Free some space"), "quiet", "remove", self._free)
        self.free.hide()
        self.above.addWidget(self.room)
        self.above.addWidget(self.free)
        self.cite = button(_("Cite these"), "quiet", "cite")
        self.cite.setMenu(CiteMenu(context, self, saved_resources, lambda: _("Citations")))
        self.above.addWidget(self.cite)

    def arrive(self, place: Place) -> None:
        if place.tab in self._tabs and place.tab != self.tab:
            self._choose(place.tab)
        super().arrive(place)

    def _choose(self, tab: str) -> None:
        self.tab = tab
        for name, made in self._tabs.items():
            made.setChecked(name == tab)
        self.refresh()

    def query(self) -> Callable[[Shelf, int], Listing]:
        from resources_cache.saved_searches import news

        context, tab = self.context, self.tab

        def read(shelf: Shelf, offset: int) -> Listing:
            used = shelf.files.used()
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
            elif tab == "searches":
                rows = [search_row(s, news(shelf.library, s), context) for s in shelf.own.searches()]
            else:
                rows = [_saved_row(shelf, context, b.id, b.title, b.created) for b in shelf.own.bookmarks()]
            return Listing(len(rows), rows, {"used": [("used", used)]})

        return read

    def _show(self, offset: int, listing: Listing) -> None:
        super()._show(offset, listing)
        used = next((count for _name, count in (listing.facets or {}).get("used", [])), 0)
        self.room.setText(_("Files take {size}").format(size=size(used)) if used else "")
        self.free.setVisible(used > 0)
        self.cite.setVisible(self.tab == "saved" and any(row.kind == "resource" for row in listing.rows))

    def count_words(self, total: int) -> str:
        return ngettext("{count} item", "{count} items", total).format(count=total) if total else ""

    def nothing(self) -> QWidget:
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


def _saved_row(shelf: Shelf, context: Context, record: str, title: str, created: str) -> CardRow:
    found = shelf.library.get(record)
    when = Badge(_("saved {ago}").format(ago=ago(created)))
    if found is None:
        return CardRow(
            id=record,
            title=title,
            picture="saved",
            line=_("No longer on the shelf."),
            badges=(when,),
            kind="resource",
        )
    kind = str(found.get("type") or "resource")
    return CardRow(
        id=record,
        kind=kind,
        title=str(found.get("title") or found.get("name") or title),
        line=str(found.get("summary") or ""),
        badges=(when,),
        picture=RECORD_KINDS.get(kind, ("", "file"))[1],
        place=place_of(kind, record),
    )
