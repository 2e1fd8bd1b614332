"""Highlights and notes on the text or the file that is shown: between it, its side list, and own.db.

Every act is one row written behind the window. What was written in this window is laid over what is read, so that
a page that is read again while a row is on its way shows it all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Signal

from desktop.context import Context
from desktop.error_words import KnownError
from desktop.reading.colour_words import colour_word
from desktop.reading.edition_view import EditionView, Highlight
from desktop.reading.loading import Loaded
from desktop.reading.notes_panel import WHOLE, NotesPanel
from desktop.reading.saving import save_file
from desktop.reading.selection_bar import SelectionBar
from desktop.shelf import Shelf
from desktop.words import _
from resources_cache.anchors import MAX_QUOTE, Places
from resources_cache.annotations import COLOURS, Annotation, checked, markdown

if TYPE_CHECKING:
    from desktop.reading.pdf_pages import PdfPages

    Sheet = EditionView | PdfPages  # a chapter of a book is an EditionView

Place = tuple[int, int] | None


class Pencil(QObject):
    """Marks the text of one record at a time; `counted` says how many highlights and notes it has."""

    counted = Signal(int)
    other_language = Signal(str)
    other_file = Signal(str)  # the hash of a file that is to be shown, "" for the text
    menu_wanted = Signal(QPoint)
    opened = Signal()  # the side list is wanted

    def __init__(self, context: Context, text: EditionView, panel: NotesPanel, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._edition, self._panel = context, text, panel
        self._text: Sheet = text
        self._file = ""  # the hash of the file that is shown, "" while it is the text
        self.bar = SelectionBar(text)
        self._loaded: Loaded | None = None
        self._lang = ""
        self._all: dict[str, Annotation] = {}
        self._places: dict[str, Place] = {}
        self._whole = ""
        self._chosen = ""
        self._wanted = ""  # shown as soon as the other edition is there
        self._colour = COLOURS[0]
        self._gone: list[Annotation | str] = []
        # What this window wrote, by id: None where it was deleted. Notes on the whole by the record's id.
        self._written: dict[str, Annotation | None] = {}
        self._written_whole: dict[str, str] = {}
        text.selectionChanged.connect(self._offer)
        text.touched.connect(self._touched)
        self.bar.highlighted.connect(self.highlight)
        self.bar.noted.connect(self.note)
        panel.chosen.connect(self._go)
        panel.written.connect(self._write_note)
        panel.coloured.connect(self._recolour)
        panel.removed.connect(self._remove)
        panel.undone.connect(self.undo)
        context.notices.closing.connect(panel.flush)

    @property
    def sheet(self) -> Sheet:
        """What is marked now: the text, or the pages of a file."""
        return self._text

    def take_up(self, pages: Sheet, file: str) -> None:
        """Mark the pages, or the chapters, of a file of the same record from now on."""
        self._file, self._text = file, pages
        pages.selectionChanged.connect(self._offer)
        pages.touched.connect(self._touched)
        pages.menu_wanted.connect(self.menu_wanted)
        self.bar.move_to(pages)
        self._chosen = ""
        self._places = {}
        self._find()

    def put_back(self) -> None:
        """Mark the text again; the file may be gone."""
        if self._file:
            self._file, self._text = "", self._edition
            self.bar.move_to(self._edition)
            self._chosen = ""
            self._places = {}
            self._find()

    @property
    def active(self) -> bool:
        """Whether the shown text can be marked."""
        return self._loaded is not None

    def show(self, loaded: Loaded | None, lang: str = "") -> None:
        """Mark the text of `loaded` in `lang`, which the view shows now; None: nothing that can be marked."""
        another = (loaded.id if loaded else "") != (self._loaded.id if self._loaded else "")
        if another:
            self._panel.leave()
            self._gone.clear()
            self._panel.offer_undo("")
            self._chosen = ""
        self._loaded, self._lang = loaded, lang
        self.bar.offer(False)
        self._all = {}
        if loaded is not None:
            self._all = {one.id: one for one in loaded.annotations}
            for id_, one in self._written.items():
                if one is None:
                    self._all.pop(id_, None)
                elif one.resource == loaded.id:
                    self._all[id_] = one
            self._whole = self._written_whole.get(loaded.id, loaded.note)
        self._places = {}
        self._find()

    def highlight(self, colour: str = "") -> str:
        """Highlight the selected words (in the last colour, where none is given); returns the id, "" for none."""
        selected = self._text.selected()
        if self._loaded is None or selected is None:
            self._say(_("Select words in the text first."))
            return ""
        self._colour = colour or self._colour
        try:
            where, page = self._text.passage()
        except ValueError:
            self._say(_("Choose a passage with words, of at most {count} characters.").format(count=MAX_QUOTE))
            return ""
        loaded = self._loaded
        made = checked(
            Annotation(loaded.id, self._lang, where, self._colour, title=loaded.title, file=self._file, page=page)
        )
        self._all[made.id] = made
        self._places[made.id] = self._text.span_of(page, where)
        self._keep(made)
        self._text.clear_selection()
        self._choose(made.id)
        return made.id

    def note(self) -> None:
        """Highlight the selected words and write a note on them; with none selected, on the chosen highlight."""
        made = self.highlight() if self._text.selected() else self._chosen
        if self._loaded is not None:
            self.opened.emit()
            self._panel.edit(made or WHOLE)

    def undo(self) -> None:
        """Bring back what was deleted last."""
        if not self._gone or self._loaded is None:
            return
        back = self._gone.pop()
        if isinstance(back, str):
            self._set_whole(back)
        else:
            self._all[back.id] = back
            self._keep(back)
            self._find()
        self._panel.offer_undo(_("Deleted.") if self._gone else "")
        self._show()

    def save(self, path: Path, source: str) -> None:
        """Write all of them into a Markdown file, with the resource's title and `source` (lines)."""
        loaded = self._loaded
        if loaded is None:
            return
        self._panel.flush()
        in_order = [*self._here(), *self._lost(), *self._elsewhere()]
        names = {colour: colour_word(colour) for colour in COLOURS} | self._part_words()
        written = markdown(loaded.title, source, in_order, self._whole, names)
        self._context.write(
            lambda _shelf: save_file(path, written.encode("utf-8")),
            lambda _done: self._say(_("Saved {name}.").format(name=path.name)),
            self,
        )

    def _find(self) -> None:
        """Look for the passages in the text as it is now, behind the window."""
        wanted = {id_: one.anchor for id_, one in self._all.items() if self._is_here(one)}
        if self._file:
            # A file with the same hash has the same words at the same places.
            self._places = {id_: self._text.span_of(self._all[id_].page, at) for id_, at in wanted.items()}
        if self._file or not wanted:
            self._show()
            if self._wanted in self._places:
                self._go(self._wanted)
            return
        words, loaded = self._edition.words(), self._loaded

        def find(_shelf: Shelf) -> dict[str, Place]:
            places = Places(words)
            return {id_: places.find(one) for id_, one in wanted.items()}

        def found(places: dict[str, Place]) -> None:
            if loaded is self._loaded and not self._file and words == self._edition.words():
                self._places.update(places)
                self._show()
                if self._wanted:
                    self._go(self._wanted)

        self._context.read(find, found, self, key="places")

    def _is_here(self, one: Annotation) -> bool:
        """Whether it stands in what is shown now."""
        return one.file == self._file and (bool(self._file) or one.lang == self._lang)

    def _here(self) -> list[Annotation]:
        placed = [one for one in self._all.values() if self._is_here(one) and self._places.get(one.id)]
        return sorted(placed, key=lambda one: self._places[one.id] or (0, 0))

    def _lost(self) -> list[Annotation]:
        return [
            one
            for one in self._all.values()
            if self._is_here(one) and one.id in self._places and self._places[one.id] is None
        ]

    def _elsewhere(self) -> list[Annotation]:
        return [one for one in self._all.values() if not self._is_here(one)]

    def _show(self) -> None:
        here = self._here()
        marks = [
            Highlight(one.id, *place, one.colour, bool(one.note), one.id == self._chosen)
            for one in here
            if (place := self._places[one.id])
        ]
        # The longest first, so that a passage inside another is seen.
        self._text.set_highlights(sorted(marks, key=lambda mark: mark.start - mark.end))
        whole = self._whole if self._loaded else ""
        parts = self._part_words()
        self._panel.show_notes(here, self._elsewhere(), self._lost(), whole, file=self._file, parts=parts)
        self.counted.emit(len(self._all) + bool(self._whole) if self._loaded else 0)

    def _part_words(self) -> dict[str, str]:
        """How the parts of each file are called: a book has chapters."""
        files = self._loaded.files if self._loaded is not None else []
        books = [one.hash for one in files if one.media_type == "application/epub+zip"]
        return {"page": _("Page {page}"), **dict.fromkeys(books, _("Chapter {page}"))}

    def _choose(self, id_: str) -> None:
        self._chosen = id_
        self._show()
        self._panel.list.choose(id_)

    def _touched(self, id_: str) -> None:
        self._choose(id_)
        self.opened.emit()
        self._panel.edit(id_, focus=False)

    def _go(self, id_: str) -> None:
        one = self._all.get(id_)
        self._wanted = ""
        if one is not None and one.file != self._file:
            self._wanted = id_
            self.other_file.emit(one.file)
        elif one is not None and not self._is_here(one):
            self._wanted = id_
            self.other_language.emit(one.lang)
        elif place := self._places.get(id_):
            self._choose(id_)
            self._text.go_to_words(*place)

    def _offer(self) -> None:
        self.bar.offer(self._loaded is not None and self._text.selected() is not None)

    def _write_note(self, id_: str, words: str) -> None:
        if id_ == WHOLE:
            if words != self._whole:
                self._set_whole(words)
                self._show()
        elif (one := self._all.get(id_)) is not None and one.note != words:
            self._change(replace(one, note=words))

    def _recolour(self, id_: str, colour: str) -> None:
        if (one := self._all.get(id_)) is not None and colour in COLOURS:
            self._colour = colour
            self._change(replace(one, colour=colour))

    def _change(self, one: Annotation) -> None:
        self._all[one.id] = one = checked(one)
        self._keep(one)
        self._show()

    def _remove(self, id_: str) -> None:
        if id_ == WHOLE:
            if not self._whole:
                return
            self._gone.append(self._whole)
            self._panel.leave()
            self._set_whole("")
        elif (one := self._all.pop(id_, None)) is not None:
            self._gone.append(one)
            self._written[id_] = None
            self._write(lambda shelf: shelf.own.annotations.remove(id_))
        self._panel.offer_undo(_("Deleted."))
        self._show()

    def _keep(self, one: Annotation) -> None:
        self._written[one.id] = one
        self._write(lambda shelf: shelf.own.annotations.put(one))

    def _set_whole(self, words: str) -> None:
        assert self._loaded is not None
        record, self._whole = self._loaded.id, words
        self._written_whole[record] = words
        self._write(lambda shelf: shelf.own.set_note(record, words))

    def _write(self, operation: Callable[[Shelf], object]) -> None:
        self._context.write(operation, lambda _done: None, self, self._failed)

    def _failed(self, error: KnownError) -> None:
        """What is not on the disk must not look as if it were: say so, and show what is."""
        self._context.notices.problem.emit(error)
        loaded = self._loaded
        self._written.clear()
        self._written_whole.clear()
        if loaded is not None:
            record = loaded.id

            def kept(shelf: Shelf) -> tuple[list[Annotation], str]:
                return shelf.own.annotations.of(record), shelf.own.note(record)

            def show(found: tuple[list[Annotation], str]) -> None:
                if self._loaded is loaded:
                    self.show(replace(loaded, annotations=found[0], note=found[1]), self._lang)

            self._context.read(kept, show, self, key="kept")

    def _say(self, words: str) -> None:
        self._context.notices.said.emit(words)
