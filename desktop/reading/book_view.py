"""A book (EPUB) of the shelf, read chapter by chapter in the same page as all texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QStringListModel, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QImage, QResizeEvent, QTextDocument
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from desktop.context import Context
from desktop.reading.edition_view import PAGE, EditionView, Highlight
from desktop.reading.epub import INSIDE, Book, read_chapter, read_picture
from desktop.reading.markup import Page
from desktop.reading.outside import open_outside
from desktop.reading.picture_file import read_picture as decoded
from desktop.reading.unreadable import Unreadable
from desktop.shelf import Shelf
from desktop.theme import STEP, Theme, in_text
from desktop.widgets.basics import muted, tool
from desktop.words import _
from resources_cache.anchors import Anchor
from resources_cache.own import FilePlace

_SIDE, _SIDE_FROM = 220, 760
_MAX_PIXELS = 1_500_000
"""Of one picture of a chapter: 6 MB."""
_MAX_ALL = 16_000_000
"""Of all pictures of a chapter: 64 MB. Those beyond are left out."""

Shown = tuple[str, dict[str, QImage]]


def read_shown(book: Book, number: int) -> Shown:
    """A chapter's HTML and its pictures by their addresses, for the window. Raises: Unreadable."""
    chapter = read_chapter(book, number)
    pictures: dict[str, QImage] = {}
    room = _MAX_ALL
    for at, name in enumerate(chapter.pictures):
        try:
            image = decoded(read_picture(book, name), _MAX_PIXELS)
        except Unreadable:
            continue  # the text is worth reading without it
        room -= image.width() * image.height()
        if room < 0:
            break
        pictures[f"{INSIDE}:picture/{at}"] = image
    return chapter.html, pictures


class _Text(EditionView):
    """Shows a chapter; pictures come from the book alone."""

    elsewhere = Signal(int, int, int)  # a chapter, and a passage in it that is to be shown

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.pictures: dict[str, QImage] = {}
        self.chapter = 0
        self._marks: list[Highlight] = []

    def passage(self) -> tuple[Anchor, int]:
        """The anchor of the selected words in their chapter, and the chapter. Raises: ValueError for none."""
        return super().passage()[0], self.chapter

    def span_of(self, page: int, where: Anchor) -> tuple[int, int] | None:
        """Where a passage of a chapter stands, counted as `chapter * PAGE + character`."""
        start = page * PAGE + where.start
        return (start, start + len(where.quote)) if where.start + len(where.quote) < PAGE else None

    def set_highlights(self, highlights: Iterable[Highlight]) -> None:
        """Show those of these passages that stand in this chapter."""
        self._marks = list(highlights)
        first = self.chapter * PAGE
        here = [one for one in self._marks if one.start // PAGE == self.chapter]
        super().set_highlights(replace(one, start=one.start - first, end=one.end - first) for one in here)

    def mark_again(self) -> None:
        """Another chapter is shown, or this one anew."""
        self.set_highlights(self._marks)

    def go_to_words(self, start: int, end: int) -> None:
        """Bring a passage of whatever chapter into the window."""
        chapter, at = divmod(start, PAGE)
        if chapter == self.chapter:
            super().go_to_words(at, at + end - start)
        else:
            self.elsewhere.emit(chapter, start, end)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """The picture that was read from the book, as wide as the text at most; nothing else."""
        address = name.toString() if isinstance(name, QUrl) else name
        image = self.pictures.get(address)
        if kind != QTextDocument.ResourceType.ImageResource.value or image is None:
            return QImage(1, 1, QImage.Format.Format_ARGB32) if address.startswith(INSIDE) else None
        room = max(64, self.viewport().width() - 4 * STEP)
        if image.width() > room:
            return image.scaledToWidth(room, Qt.TransformationMode.SmoothTransformation)
        return image


class BookView(QWidget):
    """The chapter that is read, the contents beside it, and the ways to the next."""

    placed = Signal()
    refused = Signal(object)  # Unreadable: a chapter that cannot be shown

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._book: Book | None = None
        self._chapter = 0
        self._html = ""
        self.text = _Text(context.theme)
        self.text.outside.connect(self._follow)
        self.text.placed.connect(lambda _place: self.placed.emit())
        self.text.elsewhere.connect(self._go_to_passage)
        self._width = 0
        self._resizing = QTimer(self)
        self._resizing.setSingleShot(True)
        self._resizing.setInterval(150)
        self._resizing.timeout.connect(self._fit_pictures)
        self.contents = QListView()
        self.contents.setModel(QStringListModel(self))
        self.contents.setObjectName("plain")
        self.contents.setWordWrap(True)
        self.contents.setAccessibleName(_("Contents of the book"))
        self.contents.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.contents.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.contents.clicked.connect(lambda index: self._open_entry(index.row()))
        self.contents.activated.connect(lambda index: self._open_entry(index.row()))
        self._where: QLabel = muted("", wrap=False)
        line = QHBoxLayout()
        line.setContentsMargins(2 * STEP, 4, 2 * STEP, 4)
        self._beside = tool(_("Contents of the book"), "contents", self._toggle_contents, bare=True)
        self._beside.setCheckable(True)
        self._before = tool(_("Chapter before"), "back", lambda: self.turn(-1), bare=True)
        self._after = tool(_("Next chapter"), "forward", lambda: self.turn(1), bare=True)
        for part in (self._beside, self._before, self._after, self._where):
            line.addWidget(part)
        line.addStretch(1)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self.contents)
        self._split.addWidget(self.text)
        self._split.setStretchFactor(1, 1)
        self.contents.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self._split, 1)
        self.setFocusProxy(self.text)

    def open(self, book: Book, shown: Shown, place: FilePlace) -> None:
        """Show a book from where reading stopped; `shown` is the chapter of that place."""
        self._book = book
        names = [f"{'    ' * entry.level}{entry.words}" for entry in book.contents]
        model = self.contents.model()
        assert isinstance(model, QStringListModel)
        model.setStringList(names)
        self._beside.setVisible(bool(names))
        self._show(place.page, shown)
        self.text.go_to(place.within)
        if names and self.width() >= in_text(_SIDE_FROM):
            self._show_contents(True)

    @property
    def place(self) -> FilePlace:
        """The chapter, and how far it was read."""
        return FilePlace(self._chapter, self.text.place())

    @property
    def progress(self) -> float:
        """How much of it was read, 0..1; 0 at its beginning."""
        count = len(self._book.chapters) if self._book is not None else 1
        return (self._chapter + self.text.place()) / count

    def still(self) -> None:
        """Tell nothing more until the person moves again: what there was to tell is asked for."""
        self.text.still()

    def find_words(self, words: str, *, backward: bool = False, fresh: bool = False) -> int:
        """Find in the chapter that is shown."""
        return self.text.find_words(words, backward=backward, fresh=fresh)

    def resize_by(self, factor: float) -> None:
        """The size of all texts has changed: show this one in it."""
        self.text.show_page(Page(self._html), keep_place=True)
        self.text.mark_again()

    def turn(self, step: int) -> None:
        """To the next chapter, or the one before."""
        if self._book is not None:
            self._open_chapter(max(0, min(len(self._book.chapters) - 1, self._chapter + step)))

    def _open_entry(self, row: int) -> None:
        if self._book is not None and 0 <= row < len(self._book.contents):
            entry = self._book.contents[row]
            self._open_chapter(entry.chapter, entry.anchor)

    def _open_chapter(self, number: int, anchor: str = "", then: Callable[[], None] | None = None) -> None:
        book, then = self._book, then or partial(self._jump, anchor)
        if book is None:
            return
        if number == self._chapter:
            then()
            return

        def read(_shelf: Shelf) -> Shown | Unreadable:
            try:
                return read_shown(book, number)
            except Unreadable as error:
                return error

        self._context.read(read, partial(self._arrived, number, then), self, key="chapter")

    def _arrived(self, number: int, then: Callable[[], None], found: Shown | Unreadable) -> None:
        if isinstance(found, Unreadable):
            self.refused.emit(found)
            return
        self._show(number, found)
        then()
        self.placed.emit()

    def _show(self, number: int, shown: Shown) -> None:
        assert self._book is not None
        self._chapter = self.text.chapter = number
        self._html, self.text.pictures = shown
        self.text.setAccessibleName(self._book.title or _("Text"))
        self._width = self.text.viewport().width()
        self.text.show_page(Page(self._html))
        self.text.mark_again()
        count = len(self._book.chapters)
        self._where.setText(_("Chapter {number} of {count}").format(number=number + 1, count=count))
        self._before.setEnabled(number > 0)
        self._after.setEnabled(number + 1 < count)
        rows = [row for row, entry in enumerate(self._book.contents) if entry.chapter <= number]
        if rows:
            self.contents.setCurrentIndex(self.contents.model().index(rows[-1], 0))

    def _go_to_passage(self, chapter: int, start: int, end: int) -> None:
        if self._book is not None and chapter < len(self._book.chapters):
            self._open_chapter(chapter, then=partial(self.text.go_to_words, start, end))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._resizing.start()

    def _fit_pictures(self) -> None:
        """Pictures are made as wide as the text: once its width stays as it is, not at each step of a drag."""
        if self.text.pictures and self.text.viewport().width() != self._width:
            self._width = self.text.viewport().width()
            self.resize_by(1)

    def _jump(self, anchor: str) -> None:
        if anchor:
            self.text.jump(anchor)
        else:
            self.text.go_to(0)
        self.text.setFocus()

    def _follow(self, address: QUrl) -> None:
        words = address.toString()
        if words.startswith(f"{INSIDE}:"):
            number, _hash, anchor = words.removeprefix(f"{INSIDE}:").partition("#")
            if self._book is not None and number.isdecimal() and int(number) < len(self._book.chapters):
                self._open_chapter(int(number), anchor)
        else:
            open_outside(self, address)

    def _toggle_contents(self) -> None:
        self._show_contents(self.contents.isHidden())

    def _show_contents(self, shown: bool) -> None:
        self.contents.setVisible(shown)
        self._beside.setChecked(shown)
        if shown:
            self._split.setSizes([in_text(_SIDE), max(1, self.width() - in_text(_SIDE))])
