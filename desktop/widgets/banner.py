"""A quiet banner at the foot of the window: what happened, what it means, and a button for the next step."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QGuiApplication,
    QHideEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.error_table import Weight
from desktop.error_words import KnownError, Trouble, details, words_for
from desktop.icons import pixmap
from desktop.theme import STEP, colours, in_text
from desktop.widgets.basics import FlowLayout, button, label, tool
from desktop.words import _

SHOWN_MS = 6000
QUIET_MS = 15_000
"""What mends itself need not be closed by hand."""
UNDO_MS = 15_000
"""As long as what was taken away can be brought back here, unless something else is said before."""

_SHARE = 0.35
"""Of the window's height; a higher message does without its details, then without all but sentence and button."""
_WORDS = 400
"""Pixels, at 100 % of text, that the words have beside the buttons; where there are less these stand below."""

# The shape differs as well as the colour: nobody has to tell colours apart.
_LOOKS: dict[Weight, tuple[str, str]] = {
    "quiet": ("clock", "muted"),
    "care": ("attention", "warn"),
    "grave": ("attention", "warn"),
}


class Banner(QFrame):
    """Shows one problem until it is closed, or a short line for some seconds.

    `step` names what was asked for and gives the error, or the Trouble, that it was asked for.
    """

    step = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._told: Trouble | KnownError | None = None
        self._picture = QLabel()
        self._words = label("", "heading")
        self._more = label("")
        self._action = button(_("Try again"), "", "", self._act)
        self._undo = button(_("Undo"), "", "back", self._bring_back)
        self._again: Callable[[], object] | None = None
        self._said = ("", "")  # what follows the sentence, and less of it
        self._may_copy = True
        self._copy = button(_("Copy details"), "quiet", "", self._copy_details)
        self._close = tool(_("Close this message"), "close", self.hide, bare=True)
        line = QHBoxLayout(self)
        line.setContentsMargins(2 * STEP, STEP, STEP, STEP)
        line.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._words)
        words.addWidget(self._more)
        self._steps = QWidget()
        steps = FlowLayout()
        self._steps.setLayout(steps)
        for part in (self._action, self._undo, self._copy):
            steps.addWidget(part)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.addLayout(words, 1)
        self._body.addWidget(self._steps)
        line.addSpacing(STEP // 2)
        line.addLayout(self._body, 1)
        line.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    @property
    def error(self) -> KnownError | None:
        """The known error that is shown, if one is."""
        return self._told.error if isinstance(self._told, Trouble) else self._told

    def show_problem(self, told: Trouble | KnownError) -> None:
        """Show a known error in words, with its next step."""
        self._told, self._again = told, None
        self._undo.hide()
        assert self.error is not None
        words = words_for(self.error)
        self._dress(words.weight)
        self._words.setText(words.sentence)
        self._said = (f"{words.consequence} {words.next_step}", words.next_step)
        self._more.show()
        self._action.setText(words.button.replace("&", "&&"))
        self._action.setAccessibleName(words.button)
        self._action.setVisible(words.action not in ("copy", "none"))
        self._copy.setText(_("Copy details"))
        self._may_copy = words.action != "report"
        self._timer.stop()
        if words.weight == "quiet":
            self._timer.start(QUIET_MS)
        self.show()
        self._fit()

    def say(self, words: str) -> None:
        """Show one line for a while; a problem that is shown stays."""
        if self.isVisible() and self._told is not None:
            return
        self._told, self._again = None, None
        self._dress("quiet")
        self._picture.hide()
        self._words.setText(words)
        for part in (self._more, self._action, self._copy, self._undo):
            part.hide()
        self.show()
        self._fit()
        self._timer.start(SHOWN_MS)

    def offer_undo(self, words: str, again: Callable[[], object]) -> None:
        """Say what was taken away, with a button that brings it back. A problem that is shown gives way: it is
        told again where it matters, what was taken away is not."""
        self._told = None
        self.say(words)
        self._again = again
        self._undo.show()
        self._fit()
        self._timer.start(UNDO_MS)
        spoken = f"{words} {self._undo.text()}"
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, spoken))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():  # its height is what it asked for itself
            self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Show all of it, whatever the page above wants; less of it where it would leave no room for that page."""
        if self._told is not None:
            self._more.setText(self._said[0])
            self._copy.setVisible(self._may_copy)
            self._more.show()
        most = self.window().height() * _SHARE
        for less in (self._copy.hide, lambda: self._more.setText(self._said[1]), self._more.hide):
            if self._arrange() <= most or self._told is None:
                return
            less()
        self._arrange()

    def _arrange(self) -> int:
        """Put the buttons where there is room; returns the height that all has then."""
        steps = [part for part in (self._action, self._undo, self._copy) if not part.isHidden()]
        wide = sum(part.sizeHint().width() + STEP for part in steps)
        beside = self.width() - wide >= in_text(_WORDS)
        direction = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        if self._body.direction() != direction:
            self._body.setDirection(direction)
        self._steps.setMinimumWidth(wide if beside else 0)
        self._steps.setVisible(bool(steps))
        layout = self.layout()
        assert layout is not None
        layout.invalidate()
        layout.activate()  # or what lies in it answers for the words before
        height = layout.totalHeightForWidth(self.width())
        self.setMinimumHeight(height)
        return height

    def bring_back(self) -> bool:
        """Bring back what is offered; returns whether anything was."""
        offered = self._again is not None
        if offered:
            self._bring_back()
        return offered

    def hideEvent(self, event: QHideEvent) -> None:
        self._told, self._again = None, None
        super().hideEvent(event)

    def _dress(self, weight: Weight) -> None:
        picture, tone = _LOOKS[weight]
        self._picture.setPixmap(pixmap(picture, getattr(colours(), tone), in_text(20)))
        self._picture.show()
        self.setProperty("weight", weight)
        self.style().polish(self)

    def _act(self) -> None:
        if self.error is not None:
            told, action = self._told, words_for(self.error).action
            self.hide()
            self.step.emit(action, told)

    def _bring_back(self) -> None:
        again = self._again
        self.hide()
        if again is not None:
            again()

    def _copy_details(self) -> None:
        if self.error is not None:
            QGuiApplication.clipboard().setText(details(self.error))
            self._copy.setText(_("Copied"))
