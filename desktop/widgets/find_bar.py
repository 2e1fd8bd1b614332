"""Find in page: a field that opens above the text with Ctrl+F and closes with Escape."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from desktop.theme import STEP
from desktop.widgets.basics import muted, tool
from desktop.words import _, ngettext


class FindBar(QWidget):
    """Emits `wanted(words, backward, fresh)`; the reader answers with `show_count`."""

    wanted = Signal(str, bool, bool)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.field = QLineEdit()
        self.field.setPlaceholderText(_("Find in this page"))
        self.field.setAccessibleName(_("Find in this page"))
        self.field.setClearButtonEnabled(False)
        self._count = muted("", wrap=False)
        line = QHBoxLayout(self)
        line.setContentsMargins(2 * STEP, STEP // 2, 2 * STEP, STEP // 2)
        line.addWidget(self.field, 1)
        line.addWidget(self._count)
        line.addWidget(tool(_("Previous place"), "up", lambda: self._ask(backward=True), bare=True))
        line.addWidget(tool(_("Next place"), "down", lambda: self._ask(), bare=True))
        line.addWidget(tool(_("Close find"), "close", self.shut, bare=True))
        self.field.textChanged.connect(lambda _text: self._ask(fresh=True))
        self.field.returnPressed.connect(lambda: self._ask())
        self.hide()

    def open(self) -> None:
        """Show the field with its words chosen, ready to type."""
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def shut(self) -> None:
        """Hide it; the reader takes its marks away."""
        self.hide()
        self.closed.emit()

    def show_count(self, count: int) -> None:
        """Say how many places there are."""
        found = ngettext("{count} place", "{count} places", count).format(count=count) if count else _("Not found")
        self._count.setText(found if self.field.text() else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.shut()
            return
        super().keyPressEvent(event)

    def _ask(self, *, backward: bool = False, fresh: bool = False) -> None:
        self.wanted.emit(self.field.text(), backward, fresh)
