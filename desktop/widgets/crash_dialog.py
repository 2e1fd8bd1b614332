"""What a person sees when the program made a mistake: that their work is safe, and a report they may send."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QWidget

from desktop.icons import pixmap
from desktop.theme import STEP, colours, in_text
from desktop.widgets.basics import FlowLayout, button, heading, label, muted
from desktop.widgets.dialog import Dialog
from desktop.words import _

_CLOSE = 2
_WIDE = 480  # pixels, at 100 % of text


class CrashDialog(Dialog):
    """Offers the report and the ways on; `close_program` is None where nothing is wrong any more."""

    def __init__(self, parent: QWidget | None, report: str, close_program: Callable[[], object] | None) -> None:
        now = close_program is not None
        super().__init__(parent, _("Hubshelf made a mistake.") if now else _("The report of last time"), _WIDE)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._report = report
        column = self.body
        top = QHBoxLayout()
        picture = QLabel()
        picture.setPixmap(pixmap("attention", colours().warn, in_text(28)))
        top.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        top.addSpacing(STEP)
        top.addWidget(heading(self.windowTitle()), 1)
        column.addLayout(top)
        if now:
            column.addWidget(label(_("It was not you. What you wrote is saved, and so is where you were.")))
            column.addWidget(label(_("You can go on. If something looks odd, close Hubshelf and open it again.")))
        self.shown = QPlainTextEdit(report or _("There is no report: the power may have gone away."))
        self.shown.setReadOnly(True)
        self.shown.setTabChangesFocus(True)
        self.shown.setAccessibleName(_("The report"))
        self.shown.setMinimumHeight(180)
        self.shown.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        column.addWidget(
            muted(
                _("The report says where in the program it happened. It has no titles, texts, names or addresses.")
            )
        )
        self.look = button(_("Show the report"), "quiet", "down", self._toggle)
        self.copy = button(_("Copy report"), "quiet", "cite", self._copy)
        line = FlowLayout()
        line.addWidget(self.look)
        line.addWidget(self.copy)
        column.addLayout(line)
        column.addWidget(self.shown)
        self.shown.setVisible(not now)
        self.look.setVisible(now)
        if close_program is not None:
            # Esc goes on: only the button closes.
            self.finished.connect(lambda way: close_program() if way == _CLOSE else None)
            self.foot.addWidget(button(_("Close Hubshelf"), "", "", lambda: self.done(_CLOSE)))
        self.go_on = button(_("Go on") if now else _("Close"), "primary", "", self.accept)
        self.foot.addWidget(self.go_on)
        self.go_on.setDefault(True)
        self.go_on.setFocus()

    def _toggle(self) -> None:
        shown = not self.shown.isVisibleTo(self)
        self.shown.setVisible(shown)
        self.look.setText(_("Hide the report") if shown else _("Show the report"))
        self.look.setAccessibleName(self.look.text())
        self.fit()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._report)
        self.copy.setText(_("Copied"))
