"""First run on a PC that joins a hub by itself: who sits here."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from desktop.context import Context
from desktop.error_words import KnownError, words_for
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import button, label, muted, title
from desktop.widgets.fitting import HeadLine
from desktop.words import _


def joins_by_itself(context: Context) -> bool:
    """Whether an administrator decided the hub and the code of this PC."""
    from sync.joining import has_site_code

    return has_site_code(context.decided)


def join_quietly(shelf: Shelf) -> bool:
    """Join the hub that was decided, where that was not done yet; returns whether it was. Raises SyncError."""
    import platform

    from sync.joining import join_site

    return join_site(shelf.home, platform.node()) is not None


class WhoStep(QWidget):
    """Name and address; `said` is called once they are kept, `later` where somebody would rather not now."""

    def __init__(self, context: Context, said: Callable[[], object], later: Callable[[], object]) -> None:
        super().__init__()
        self._context = context
        self._said = said
        self.name = QLineEdit()
        self.email = QLineEdit()
        self.email.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.go_on = button(_("Go on"), "primary", "", self._say)
        self.note = label("", "notice")
        self.note.hide()
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.addWidget(title(_("Who are you?")))
        body.addWidget(
            label(
                _("This computer joins your hub by itself. The people who run it would like to know who you are.")
            )
        )
        body.addSpacing(STEP)
        for words, field, hint in (
            (_("Your name"), self.name, ""),
            (_("Your e-mail address"), self.email, "name@ministry.example"),
        ):
            name = label(words, "heading")
            name.setBuddy(field)
            field.setAccessibleName(words)
            field.setPlaceholderText(hint)
            field.returnPressed.connect(self._say)
            body.addWidget(name)
            body.addWidget(field)
        body.addWidget(muted(_("They confirm it; until then you read what is for everybody, and may ask.")))
        body.addWidget(self.note)
        body.addSpacing(STEP)
        line = HeadLine()
        line.addWidget(self.go_on)
        line.addWidget(button(_("Later"), "quiet", "", later))
        body.addLayout(line)

    def _say(self) -> None:
        from sync.joining import introduce

        name, email = self.name.text(), self.email.text()

        def failed(error: KnownError) -> None:
            words = words_for(error)
            self.note.setText(f"{words.sentence} {words.next_step}")
            self.note.show()

        def done(_item: object) -> None:
            self.note.hide()
            self._context.notices.outbox_changed.emit()
            self._said()

        self._context.write(lambda shelf: introduce(shelf.own, name, email), done, self, failed)
