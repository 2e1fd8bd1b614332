"""Which view shows which file: a PDF, a picture or a book, told by what is in it and not by its name.

One file is open at a time; leaving it lets go of all that it took.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget

from desktop.context import Context
from desktop.reading.loading import FileEntry
from desktop.reading.unreadable import Unreadable
from desktop.shelf import Shelf

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from desktop.reading.book_view import BookView, Shown
    from desktop.reading.epub import Book
    from desktop.reading.image_view import ImageView
    from desktop.reading.pdf_view import PdfView
    from resources_cache.own import FilePlace

    View = PdfView | ImageView | BookView
    Content = Path | QImage | tuple[Book, Shown]

SHOWN = ("application/pdf", "application/epub+zip", "image/png", "image/jpeg", "image/webp", "image/gif")
"""The media types that are offered to be read in the window."""


def kind_of(head: bytes) -> str:
    """What a file is by its first bytes: `pdf`, `epub`, `image`, or ""."""
    from desktop.reading.picture_file import sniffed

    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return "epub"
    return "image" if sniffed(head) else ""


def read_content(path: Path, place: FilePlace) -> tuple[Content, FilePlace]:
    """What a view shows, read behind the window, and the place in it. Raises: Unreadable."""
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise Unreadable("damaged", str(error)) from None
    kind = kind_of(head)
    if kind == "pdf":
        return path, place
    if kind == "image":
        from desktop.reading.picture_file import read_file

        return read_file(path), place
    if kind == "epub":
        from dataclasses import replace

        from desktop.reading.book_view import read_shown
        from desktop.reading.epub import open_book

        book = open_book(path)
        place = replace(place, page=min(place.page, len(book.chapters) - 1))
        return (book, read_shown(book, place.page)), place
    raise Unreadable("unknown")


class FileViews(QObject):
    """Opens files in `stack`; `shown` when one is there, `refused` with the reason where it cannot be."""

    shown = Signal()
    leaving = Signal()  # the view is about to go
    refused = Signal(object)  # Unreadable

    def __init__(self, context: Context, stack: QStackedWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._stack = context, stack
        self.view: View | None = None
        self.hash = ""
        self._record = ""
        self._kept: tuple[str, FilePlace] | None = None
        context.notices.closing.connect(self._close)

    def open(self, entry: FileEntry, record: str, title: str, path: Path | None = None) -> None:
        """Read a file of `record` that is on the shelf, or lies at `path`, where reading of it stopped.

        With "" as `record` no place is kept for the record, only for the file.
        """

        def read(shelf: Shelf) -> tuple[Content, FilePlace] | Unreadable:
            try:
                return read_content(path or shelf.files.path(entry.hash), shelf.own.file_place(entry.hash))
            except Unreadable as error:
                return error

        def done(found: tuple[Content, FilePlace] | Unreadable) -> None:
            if isinstance(found, Unreadable):
                self.refused.emit(found)
                return
            try:
                self._show(entry, title, *found)
                self._record = record
            except Unreadable as error:
                self.leave()
                self.refused.emit(error)

        self._context.read(read, done, self, key="file")

    def _show(self, entry: FileEntry, title: str, content: Content, place: FilePlace) -> None:
        self.leave()
        if isinstance(content, Path):
            from desktop.reading.pdf_view import PdfView

            pdf = PdfView()
            self._put(pdf, entry.hash)
            pdf.open(content, place)
        elif isinstance(content, tuple):
            from desktop.reading.book_view import BookView

            book = BookView(self._context)
            book.refused.connect(self.refused)
            self._put(book, entry.hash)
            book.open(*content, place)
        else:
            from desktop.reading.image_view import ImageView

            image = ImageView()
            self._put(image, entry.hash)
            image.open(content, title or entry.name, place)
        assert self.view is not None
        self.view.placed.connect(self.keep_place)
        self.shown.emit()

    def _put(self, view: View, hash_: str) -> None:
        self.view, self.hash, self._kept = view, hash_, None
        self._stack.addWidget(view)
        self._stack.setCurrentWidget(view)

    def keep_place(self) -> None:
        """Write down where reading of the file is."""
        if self.view is None:
            return
        hash_, record, place, progress = self.hash, self._record, self.view.place, self.view.progress
        if (record, place) == self._kept:
            return
        self._kept = (record, place)

        def keep(shelf: Shelf) -> None:
            if record and progress:  # so that Home leads back to it
                shelf.own.set_reading_place(record, progress, reset=True)
            shelf.own.set_file_place(hash_, place)

        self._context.write(keep, lambda _done: None, self)

    def _close(self) -> None:
        if self.view is not None:
            self.view.still()
            self.keep_place()

    def leave(self) -> None:
        """Close the file, if one is open, and let go of it; the place in it is kept."""
        if self.view is None:
            return
        self.keep_place()
        self.leaving.emit()
        view, self.view, self.hash = self.view, None, ""
        view.still()
        view.placed.disconnect()
        self._stack.removeWidget(view)
        view.hide()
        view.deleteLater()
