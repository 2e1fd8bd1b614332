"""The line above a text that says which file there is, what it costs, and gets or shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from desktop.amounts import duration, size
from desktop.context import Context
from desktop.downloads import WHY
from desktop.error_words import words_of_code
from desktop.icons import pixmap
from desktop.link_speed import ASSUMED_SPEED
from desktop.reading.file_views import SHOWN
from desktop.reading.loading import FileEntry
from desktop.reading.unreadable import Unreadable
from desktop.shelf import Shelf
from desktop.theme import STEP, colours, in_text
from desktop.widgets.basics import button, clear, hairline, muted, tool
from desktop.words import N_, _, isolate

if TYPE_CHECKING:
    from resources_cache.downloads import Download
    from sync.downloads import Standing

READ = {"application/pdf": N_("Read the PDF"), "application/epub+zip": N_("Read the book")}
LOOK = N_("Look at the picture")


@dataclass(frozen=True)
class _Stand:
    """How a file stands: its row of the queue, whether it is here, and the bytes of it that are."""

    queued: Download | None
    here: bool
    done: int


class FileLine(QWidget):
    """Rows of files: name, size, time; a button to download, its place in the queue, or what reads it."""

    show_file = Signal(object)  # the FileEntry of a file that is here
    show_text = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._record = ""
        self._files: list[FileEntry] = []
        self._bars: dict[str, QProgressBar] = {}
        self._stands: dict[str, _Stand] = {}
        self._heard: Standing | None = None
        self._drawn: object = None
        self._buttons: dict[str, list[QPushButton]] = {}
        self._reading = ""  # the hash of the file that is shown
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self._rows.setContentsMargins(3 * STEP, STEP, 2 * STEP, STEP)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._rows)
        column.addWidget(hairline())
        context.downloads.changed.connect(self._queue_changed)
        self.hide()

    def show_files(self, record: str, files: list[FileEntry]) -> None:
        """Show the files of `record`."""
        if record != self._record:
            self._reading = ""
        self._record, self._files = record, files
        self._fill()
        if any(not entry.here for entry in files):
            self._look()

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
        held = next((key for key, made in self._buttons.items() if any(one.hasFocus() for one in made)), "")
        clear(self._rows)
        self._bars.clear()
        self._buttons.clear()
        self._drawn = self._picture()
        for entry in self._files:
            self._rows.addLayout(self._row(entry))
        self.setVisible(bool(self._files))
        if self._buttons.get(held):  # the button that had the focus is gone: the row's next one has it
            self._buttons[held][0].setFocus()

    def _row(self, entry: FileEntry) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(STEP)
        picture = QLabel()
        picture.setPixmap(pixmap("file", colours().muted, in_text(18)))
        line.addWidget(picture)
        cost = size(entry.size)
        if not entry.here:
            cost = f"{cost}, {duration(entry.size / ASSUMED_SPEED)}"
        stand = self._stands.get(entry.hash)
        queued = stand.queued if stand is not None and not entry.here else None
        parts = [isolate(entry.name), isolate(cost)]
        if stand is not None and stand.done and not entry.here and not self._comes(entry):
            parts[1] = isolate(_("{done} of {size}").format(done=size(stand.done), size=size(entry.size)))
        if queued is not None and not self._comes(entry):
            parts.append(self._why(queued))
        line.addWidget(muted(" · ".join(parts)), 1)
        if entry.here:
            if entry.hash == self._reading:
                line.addWidget(button(_("Show the text"), "quiet", "text", self.show_text.emit))
            elif entry.media_type in SHOWN:
                words = _(READ.get(entry.media_type, LOOK))
                read = button(words, "quiet", "file", lambda: self.show_file.emit(entry))
                line.addWidget(read)
                self._buttons[entry.hash] = [read]
            line.addWidget(
                tool(_("Save a copy"), "download", lambda: self._copy(entry), bare=entry.media_type in SHOWN)
            )
            return line
        if self._comes(entry):
            line.addWidget(self._bar(entry))
        made = self._offers(entry, queued)
        for one in made:
            line.addWidget(one)
        self._buttons[entry.hash] = made
        return line

    def _comes(self, entry: FileEntry) -> bool:
        """Whether it is this file that comes just now."""
        standing, stand = self._context.downloads.standing, self._stands.get(entry.hash)
        queued = stand is not None and stand.queued is not None
        return queued and not entry.here and standing is not None and standing.hash == entry.hash

    def _bar(self, entry: FileEntry) -> QProgressBar:
        bar, standing = QProgressBar(), self._context.downloads.standing
        bar.setTextVisible(False)
        bar.setRange(0, max(1, entry.size))
        bar.setValue(standing.done if standing is not None else 0)
        bar.setFixedWidth(120)
        bar.setAccessibleName(_("Download of {name}").format(name=entry.name))
        self._bars[entry.hash] = bar
        return bar

    def _offers(self, entry: FileEntry, queued: Download | None) -> list[QPushButton]:
        """What can be done with a file that is not here."""
        if queued is None:
            words = _("Download ({size})").format(size=size(entry.size))
            return [button(words, "", "download", lambda: self._download(entry))]
        made: list[QPushButton] = []
        standing = self._context.downloads.standing
        if queued.problem:
            made.append(button(_("Try again"), "", "sync", lambda: self._go_on(entry)))
        elif queued.paused:
            made.append(button(_("Go on"), "", "play", lambda: self._go_on(entry)))
        elif standing is not None and standing.why and not queued.anyway:
            from sync.downloads import LIMITS  # loaded already: the queue said why

            if standing.why in LIMITS:
                stand = self._stands.get(entry.hash)
                left = max(0, entry.size - (stand.done if stand is not None else 0))
                words = _("Download anyway ({size})").format(size=size(left))
                made.append(button(words, "", "download", lambda: self._let_past(entry)))
            elif standing.why == "held" and self._context.sync.status.state == "paused":
                made.append(button(_("Go on syncing"), "", "play", self._context.sync.resume))
        made.append(button(_("Stop"), "quiet", "close", lambda: self._stop(entry)))
        return made

    def _why(self, queued: Download) -> str:
        """Why a file of the queue does not come now, in a short sentence."""
        standing = self._context.downloads.standing
        if queued.problem:
            words = words_of_code(queued.problem)
            return f"{words.sentence} {words.next_step}".strip()
        if queued.paused:
            return _("Paused.")
        if standing is not None and standing.hash:
            return _("Waiting until another file is here.")
        if standing is not None and standing.why in WHY and standing.why != "paused":
            return _(WHY[standing.why])
        return _("It comes in a moment.")

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
        record = self._record

        def put(shelf: Shelf) -> None:
            from resources_cache.downloads import Download

            replaces = _replaced_by(entry.hash, shelf.library.get(record))
            wanted = Download(entry.hash, record, entry.name, entry.size, replaces)
            shelf.own.downloads.add([wanted], first=True)

        self._context.downloads.change(put)

    def _stop(self, entry: FileEntry) -> None:
        self._context.downloads.change(lambda shelf: shelf.own.downloads.remove(entry.hash))

    def _go_on(self, entry: FileEntry) -> None:
        self._context.downloads.change(lambda shelf: shelf.own.downloads.resume(entry.hash))

    def _let_past(self, entry: FileEntry) -> None:
        self._context.downloads.change(lambda shelf: shelf.own.downloads.let_past(entry.hash))

    def _queue_changed(self) -> None:
        """What comes moved on, which the bar shows; or the queue became another, which is read."""
        standing = self._context.downloads.standing
        before, self._heard = self._heard, standing
        coming = standing.hash if standing is not None and standing is not before else ""
        if standing is not None and before is not None and coming and coming == before.hash:
            if (bar := self._bars.get(coming)) is not None:
                bar.setRange(0, max(1, standing.size))
                bar.setValue(standing.done)
            return
        if any(not entry.here for entry in self._files):
            self._look()

    def _look(self) -> None:
        """Read how the files that are not here stand in the queue, and draw the rows again where that changed."""
        wanted = [entry.hash for entry in self._files if not entry.here]

        def read(shelf: Shelf) -> dict[str, _Stand]:
            queue, files = shelf.own.downloads, shelf.files
            return {one: _Stand(queue.get(one), files.has(one), files.partial_size(one)) for one in wanted}

        self._context.read(read, self._take, self, key="queued")

    def _take(self, stands: dict[str, _Stand]) -> None:
        came = {hash_ for hash_, stand in stands.items() if stand.here}
        self._files = [replace(one, here=True) if one.hash in came else one for one in self._files]
        self._stands = stands
        if self._drawn != self._picture():
            self._fill()

    def _picture(self) -> object:
        """All that the rows show, but for how far the file is that comes."""
        standing = self._context.downloads.standing
        now = (standing.hash, standing.why) if standing is not None else ("", "")
        waits = any(stand.queued for stand in self._stands.values())
        return self._files, self._stands, self._reading, now if waits else ("", "")


def _replaced_by(hash_: str, record: dict[str, Any] | None) -> str:
    """The hash of the file that the one named `hash_` took the place of, "" for none."""
    for entry in (record or {}).get("files") or []:
        if entry.get("hash") == hash_:
            return str(entry.get("replaces") or "")
    return ""
