"""The field for files that go with a question or a reply: choose or drop, see what each costs, order, remove."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from desktop import attachments
from desktop.context import Context
from desktop.error_words import KnownError
from desktop.link_speed import ASSUMED_SPEED, speed_of
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import button, clear, label, muted, tool
from desktop.words import _, isolate

MOST = 10  # sync.protocol.uploads.PER_OPERATION, which is loaded only with the first file


class AttachmentField(QWidget):
    """Rows of attached files, in the person's order; `changed` when they are others.

    `words`: say the limits under the button, where there is room for a line.
    """

    changed = Signal()

    def __init__(self, context: Context, *, words: bool = True) -> None:
        super().__init__()
        self._context = context
        self._files: list[dict[str, Any]] = []
        self._rate = ASSUMED_SPEED
        self._taking = 0
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self.choose_button = button(_("Attach files"), "quiet", "file", self._choose)
        limits = _("Up to {count} files of at most {size} each; or drop them here.")
        self._limits = muted(limits.format(count=MOST, size=attachments.most_words()))
        if not words:
            self._limits.hide()  # (what is shown before it has a place is a window of its own for a moment)
        self._words = words
        self.note = label("", "warn")
        self.note.hide()
        line = QHBoxLayout()
        line.addWidget(self.choose_button)
        line.addWidget(self._limits, 1)
        if not words:
            line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP // 2)
        column.addLayout(self._rows)
        column.addLayout(line)
        column.addWidget(self.note)
        self.setAcceptDrops(True)

    @property
    def files(self) -> list[dict[str, Any]]:
        """What is attached, as an outbox body names it."""
        return [dict(one) for one in self._files]

    @property
    def busy(self) -> bool:
        """Whether files are being copied into the shelf right now."""
        return self._taking > 0

    def set_files(self, files: object) -> None:
        """Show these (from a draft or an item); anything that is no attachment is passed over."""
        listed = files if isinstance(files, list) else []
        self._files = [dict(one) for one in listed if _is_attachment(one)][:MOST]
        self.note.hide()
        self._fill()
        if self._files:
            self._measure()

    def add(self, sources: Sequence[Path]) -> None:
        """Copy files into the shelf and attach them; moving or changing the originals then changes nothing."""
        if not sources:
            return
        room = MOST - len(self._files)
        names = [str(one["hash"]) for one in self._files]
        self._taking += 1
        self.note.hide()

        def copy(shelf: Shelf) -> tuple[attachments.Taken, float]:
            return attachments.take(shelf, sources, names, room), speed_of(shelf)

        self._context.write(copy, self._took, self, self._failed)

    def offer_drops_on(self, *widgets: QWidget) -> None:
        """Take files that are dropped on these widgets as well."""
        for widget in widgets:
            widget.setAcceptDrops(True)
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragEnterEvent) and event.mimeData().hasUrls():
            event.acceptProposedAction()
            return True
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop and event.mimeData().hasUrls():
            self.dropEvent(event)
            return True
        return False

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        local = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        self.add(local)
        event.acceptProposedAction()

    def _choose(self) -> None:
        chosen, _kind = QFileDialog.getOpenFileNames(self, _("Attach files"))
        self.add([Path(one) for one in chosen])

    def _took(self, found: tuple[attachments.Taken, float]) -> None:
        taken, self._rate = found
        self._taking -= 1
        known = {one["hash"] for one in self._files}
        self._files += [one for one in taken.copied if one["hash"] not in known]
        del self._files[MOST:]
        self.note.setText("\n".join(taken.refused))
        self.note.setVisible(bool(taken.refused))
        self._fill()
        self.changed.emit()

    def _failed(self, error: KnownError) -> None:
        self._taking -= 1
        self.note.setText(attachments.told(error))
        self.note.show()

    def _measure(self) -> None:
        def measured(rate: float) -> None:
            self._rate = rate
            self._fill()

        self._context.read(speed_of, measured, self, key="rate")

    def _fill(self) -> None:
        clear(self._rows)
        for place, one in enumerate(self._files):
            self._rows.addLayout(self._row(place, one))
        full = len(self._files) >= MOST
        self.choose_button.setEnabled(not full)
        if self._words:
            total = sum(int(one["size"]) for one in self._files)
            if full:
                told = _("{count} files are attached: no more fit. Send others with a reply.").format(count=MOST)
            elif len(self._files) > 1:
                told = _("Together {cost}.").format(cost=attachments.cost_words(total, self._rate))
            else:
                told = _("Up to {count} files of at most {size} each; or drop them here.").format(
                    count=MOST, size=attachments.most_words()
                )
            self._limits.setText(told)

    def _row(self, place: int, one: dict[str, Any]) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(2)
        name = isolate(str(one["name"]))
        line.addWidget(label(f"{name} · {isolate(attachments.cost_words(int(one['size']), self._rate))}"), 1)
        if len(self._files) > 1:
            up = tool(_("Move {name} up").format(name=name), "up", partial(self._move, place, -1), bare=True)
            down = tool(_("Move {name} down").format(name=name), "down", partial(self._move, place, 1), bare=True)
            up.setEnabled(place > 0)
            down.setEnabled(place < len(self._files) - 1)
            line.addWidget(up)
            line.addWidget(down)
        remove = tool(_("Remove {name}").format(name=name), "close", partial(self._remove, place), bare=True)
        line.addWidget(remove, 0, Qt.AlignmentFlag.AlignTop)
        return line

    def _move(self, place: int, step: int) -> None:
        self._files[place], self._files[place + step] = self._files[place + step], self._files[place]
        self._fill()
        self.changed.emit()

    def _remove(self, place: int) -> None:
        gone = self._files.pop(place)
        self.note.hide()
        self._fill()
        self.choose_button.setFocus()
        self.changed.emit()

        def put_back() -> None:
            if isValid(self) and len(self._files) < MOST and gone not in self._files:
                self._files.insert(place, gone)
                self._fill()
                self.changed.emit()

        words = _("{name} is not attached any more.").format(name=isolate(str(gone["name"])))
        self._context.notices.undoable.emit(words, put_back)


def _is_attachment(one: object) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(one.get("hash"), str)
        and isinstance(one.get("name"), str)
        and isinstance(one.get("size"), int)
    )
