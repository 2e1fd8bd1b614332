"""The line above a text that says which file there is, what it costs, and gets or shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from desktop.amounts import duration, size
from desktop.context import Context
from desktop.error_words import KnownError, words_for
from desktop.icons import pixmap
from desktop.link_speed import ASSUMED_SPEED
from desktop.reading.file_views import SHOWN
from desktop.reading.loading import FileEntry
from desktop.reading.unreadable import Unreadable
from desktop.shelf import Shelf
from desktop.theme import STEP, colours, in_text
from desktop.widgets.basics import button, clear, hairline, muted, tool
from desktop.words import N_, _, isolate

READ = {"application/pdf": N_("Read the PDF"), "application/epub+zip": N_("Read the book")}
LOOK = N_("Look at the picture")


class FileLine(QWidget):
    """Rows of files: name, size, time; a button to download, or to read what is here."""

    show_file = Signal(object)  # the FileEntry of a file that is here
    show_text = Signal()
    _progress = Signal(str, int, int)  # hash, bytes done, bytes in all

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._record = ""
        self._files: list[FileEntry] = []
        self._bars: dict[str, QProgressBar] = {}
        self._busy: set[str] = set()
        self._notes: dict[str, QLabel] = {}
        self._reading = ""  # the hash of the file that is shown
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self._rows.setContentsMargins(3 * STEP, STEP, 2 * STEP, STEP)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._rows)
        column.addWidget(hairline())
        self._progress.connect(self._show_progress)
        self.hide()

    def show_files(self, record: str, files: list[FileEntry]) -> None:
        """Show the files of `record`."""
        if record != self._record:
            self._reading = ""
        self._record, self._files = record, files
        self._fill()

    def showing_file(self, hash_: str) -> None:
        """The reader shows this file (or with "" the text) now: offer the others."""
        self._reading = hash_
        self._fill()

    def refused(self, why: Unreadable) -> None:
        """The file that was to be read cannot be shown."""
        self._context.notices.said.emit(why.words)

    def open_first(self) -> None:
        """Read the first file that is here, as its button does."""
        for entry in self._files:
            if entry.here:
                self.show_file.emit(entry)
                return

    def open_file(self, hash_: str) -> None:
        """Read the file with this hash, where it is here."""
        for entry in self._files:
            if entry.here and entry.hash == hash_:
                self.show_file.emit(entry)

    def _fill(self) -> None:
        clear(self._rows)
        self._bars.clear()
        self._notes.clear()
        for entry in self._files:
            self._rows.addLayout(self._row(entry))
        self.setVisible(bool(self._files))

    def _row(self, entry: FileEntry) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(STEP)
        picture = QLabel()
        picture.setPixmap(pixmap("file", colours().muted, in_text(18)))
        line.addWidget(picture)
        cost = size(entry.size)
        if not entry.here:
            cost = f"{cost}, {duration(entry.size / ASSUMED_SPEED)}"
        note = muted(f"{isolate(entry.name)} · {isolate(cost)}")
        line.addWidget(note, 1)
        self._notes[entry.hash] = note
        if entry.here:
            if entry.hash == self._reading:
                line.addWidget(button(_("Show the text"), "quiet", "text", self.show_text.emit))
            elif entry.media_type in SHOWN:
                words = _(READ.get(entry.media_type, LOOK))
                line.addWidget(button(words, "quiet", "file", lambda: self.show_file.emit(entry)))
            line.addWidget(
                tool(_("Save a copy"), "download", lambda: self._copy(entry), bare=entry.media_type in SHOWN)
            )
        elif entry.hash in self._busy:
            bar = QProgressBar()
            bar.setTextVisible(False)
            bar.setRange(0, max(1, entry.size))
            bar.setFixedWidth(120)
            bar.setAccessibleName(_("Download of {name}").format(name=entry.name))
            self._bars[entry.hash] = bar
            line.addWidget(bar)
        else:
            words = _("Download ({size})").format(size=size(entry.size))
            got: QPushButton = button(words, "", "download", lambda: self._download(entry))
            line.addWidget(got)
        return line

    def _copy(self, entry: FileEntry) -> None:
        from shutil import copyfile

        from PySide6.QtWidgets import QFileDialog

        chosen, _kind = QFileDialog.getSaveFileName(self, _("Save a copy"), entry.name)
        if chosen:
            words = _("Saved a copy of {name}.").format(name=entry.name)
            self._context.write(
                lambda shelf: copyfile(shelf.files.path(entry.hash), chosen),
                lambda _done: self._context.notices.said.emit(words),
                self,
            )

    def _download(self, entry: FileEntry) -> None:
        self._busy.add(entry.hash)
        self._fill()
        tell = self._progress.emit
        record = self._record

        def fetch(shelf: Shelf) -> Path:
            from sync.engine import fetch_file

            return fetch_file(
                shelf.home,
                entry.hash,
                entry.size,
                lambda p: tell(entry.hash, p.bytes_done, p.bytes_total),
                replaces=_replaced_by(entry.hash, shelf.library.get(record)),
            )

        self._context.fetch(
            fetch, lambda _path: self._arrived(entry), self, lambda error: self._failed(entry, error)
        )

    def _arrived(self, entry: FileEntry) -> None:
        self._busy.discard(entry.hash)
        self._files = [
            FileEntry(f.hash, f.name, f.media_type, f.size, True) if f.hash == entry.hash else f
            for f in self._files
        ]
        self._fill()

    def _failed(self, entry: FileEntry, error: KnownError) -> None:
        self._busy.discard(entry.hash)
        self._fill()
        words = words_for(error)
        if entry.hash in self._notes:
            self._notes[entry.hash].setText(f"{isolate(entry.name)} · {words.sentence} {words.next_step}")

    def _show_progress(self, wanted: str, done: int, total: int) -> None:
        if (bar := self._bars.get(wanted)) is not None:
            bar.setRange(0, max(1, total))
            bar.setValue(done)


def _replaced_by(hash_: str, record: dict[str, Any] | None) -> str:
    """The hash of the file that the one named `hash_` took the place of, "" for none."""
    for entry in (record or {}).get("files") or []:
        if entry.get("hash") == hash_:
            return str(entry.get("replaces") or "")
    return ""
