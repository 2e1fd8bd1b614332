"""A quiet banner at the foot of the window: what happened, what it means, and a button for the next step."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from desktop.error_words import KnownError, details, words_for
from desktop.theme import STEP
from desktop.widgets.basics import button, label, tool
from desktop.words import _

SHOWN_MS = 6000


class Banner(QFrame):
    """Shows one problem until it is closed, or a short line for some seconds; `step` names what was asked for."""

    step = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._error: KnownError | None = None
        self._words = label("")
        self._action = button(_("Try again"), "", "", self._act)
        self._copy = button(_("Copy details"), "quiet", "", self._copy_details)
        self._close = tool(_("Close this message"), "close", self.hide, bare=True)
        line = QHBoxLayout(self)
        line.setContentsMargins(2 * STEP, STEP, STEP, STEP)
        words = QVBoxLayout()
        words.addWidget(self._words)
        line.addLayout(words, 1)
        for part in (self._action, self._copy, self._close):
            line.addWidget(part)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def show_problem(self, error: KnownError) -> None:
        """Show a known error in words, with its next step."""
        self._error = error
        words = words_for(error)
        self._words.setText(f"{words.sentence} {words.consequence} {words.next_step}")
        self._action.setText(words.button)
        self._action.setAccessibleName(words.button)
        self._action.setVisible(words.action not in ("copy", "none"))
        self._copy.show()
        self._timer.stop()
        self.show()

    def say(self, words: str) -> None:
        """Show one line for a while; a problem that is shown stays."""
        if self.isVisible() and self._error is not None:
            return
        self._error = None
        self._words.setText(words)
        self._action.hide()
        self._copy.hide()
        self.show()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._error = None
        super().hideEvent(event)

    def _act(self) -> None:
        if self._error is not None:
            action = words_for(self._error).action
            self.hide()
            self.step.emit(action)

    def _copy_details(self) -> None:
        if self._error is not None:
            QGuiApplication.clipboard().setText(details(self._error))
            self._copy.setText(_("Copied"))
