"""Your computers: those the hub knows, one file for a new PC, and opening the file of the old one."""

from __future__ import annotations

import re
from datetime import date as day_of
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.amounts import date, size
from desktop.context import Context
from desktop.error_words import KnownError, words_for
from desktop.navigation import Place
from desktop.pages.devices import DevicesList
from desktop.pages.page import Page
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import Column, FlowLayout, Tick, button, hairline, heading, label, muted, title
from desktop.words import N_, _, isolate, ngettext

if TYPE_CHECKING:
    from sync.moving import MovedIn, MovedOut

ENDING = ".hubshelf-move"
SHORTEST = 8
_GOOD = 20
"""Characters from which guessing is hopeless for anybody's computers, unless it is a known sentence."""


def passphrase_words(passphrase: str) -> str:
    """How good a passphrase is, in words; its length is what counts."""
    if not passphrase:
        return _("At least eight letters. Four or five words that only you would put together are best.")
    if len(passphrase) < SHORTEST:
        return _("Too short still.")
    if len(passphrase) < _GOOD or len(set(passphrase)) < SHORTEST:
        return _("It will do. Longer is better: add a word or two.")
    return _("Good.")


class Passphrase(QWidget):
    """A field for a passphrase, which is shown on demand, and how good it is where it is a new one."""

    def __init__(self, *, new: bool) -> None:
        super().__init__()
        self.field = QLineEdit()
        self.field.setMaxLength(1024)
        self.field.setAccessibleName(_("Passphrase"))
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.shown = Tick(_("Show the passphrase"))
        self.shown.toggled.connect(self._show)
        self.quality = muted(passphrase_words("") if new else "")
        if not new:
            self.quality.hide()
        name = label(_("Passphrase"), wrap=False)
        name.setBuddy(self.field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP // 2)
        for part in (name, self.field, self.shown, self.quality):
            column.addWidget(part)
        if new:
            self.field.textChanged.connect(lambda words: self.quality.setText(passphrase_words(words)))

    @property
    def words(self) -> str:
        return self.field.text()

    def _show(self, on: bool) -> None:
        self.field.setEchoMode(QLineEdit.EchoMode.Normal if on else QLineEdit.EchoMode.Password)


class MovingPage(Page):
    """`place.tab`: "out" begins at the file for a new PC, "in" shows the file of the old one alone."""

    TITLE = N_("Your computers")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.devices = DevicesList(context)
        self.new_phrase, self.old_phrase = Passphrase(new=True), Passphrase(new=False)
        self.make_button = button(_("Make the file"), "primary", "download", self._choose_target)
        self.open_button = button(_("Choose the file and open it"), "", "file", self._choose_source)
        self.again_button = button(_("Use this PC again"), "", "sync", self._use_again)
        self._moved = label("", "notice")
        self._note = label("", "notice")
        self._arriving = False
        self._column = column = Column(640)
        body = column.body
        body.addWidget(title(_(self.TITLE)))
        body.addSpacing(STEP)
        for part in (self._moved, self._note):
            body.addWidget(part)
            part.hide()
        self._again_line = QWidget()
        again = FlowLayout()
        again.addWidget(self.again_button)
        self._again_line.setLayout(again)
        body.addWidget(self._again_line)
        self._again_line.hide()
        self._out = self._part(
            _("Move to a new PC"),
            _(
                "One file takes along your notes and highlights, saved items, drafts with their attachments, the "
                "outbox and your settings. What came from the hub is not in it: the new PC fetches it again."
            ),
            self.new_phrase,
            _("If you forget the passphrase, nobody can open the file, nor can we. Keep it apart from the file."),
            self.make_button,
        )
        self._in = self._part(
            _("I have a file from my old PC"),
            _("Your work comes to this PC, which then takes the old one's place at the hub."),
            self.old_phrase,
            "",
            self.open_button,
        )
        self._known = QWidget()
        known = QVBoxLayout(self._known)
        known.setContentsMargins(0, 0, 0, 2 * STEP)
        known.setSpacing(STEP)
        known.addWidget(hairline())
        known.addWidget(heading(_("Computers that the hub knows as yours")))
        known.addWidget(self.devices)
        for section in (self._known, self._out, self._in):
            body.addWidget(section)
        line = FlowLayout()
        line.addWidget(button(_("Back"), "quiet", "back", context.navigator.back))
        body.addLayout(line)
        body.addStretch(1)
        whole = QGridLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column)

    def arrive(self, place: Place) -> None:
        self._arriving = place.tab == "in"
        first = {"in": self.old_phrase.field, "out": self.new_phrase.field}
        first.get(place.tab, self.devices.show_button).setFocus()
        self.refresh()

    def refresh(self) -> None:
        self.context.read(_standing, self._stand, self, key="moving")

    def make_file(self, target: Path) -> None:
        """Write everything to `target`; this PC sends nothing any more once it is whole."""
        self._wait(_("Making the file. This takes a moment."))
        passphrase = self.new_phrase.words

        def move(shelf: Shelf) -> MovedOut:
            from sync.moving import move_out

            # The dialog has asked about a file of that name.
            return move_out(shelf.home, target, passphrase, overwrite=True)

        self.context.fetch(move, self._made, self, self._failed)

    def open_file(self, source: Path) -> None:
        """Take over what is in `source`; nothing changes before all of it is verified."""
        self._wait(_("Opening the file and checking all of it."))
        passphrase = self.old_phrase.words

        def move(shelf: Shelf) -> MovedIn:
            from sync.moving import move_in

            return move_in(shelf.home, source, passphrase)

        self.context.fetch(move, self._arrived, self, self._failed)

    @staticmethod
    def _part(words: str, meaning: str, phrase: Passphrase, warning: str, action: QWidget) -> QWidget:
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 2 * STEP)
        column.setSpacing(STEP)
        column.addWidget(hairline())
        column.addWidget(heading(words))
        column.addWidget(label(meaning))
        column.addWidget(phrase)
        if warning:
            column.addWidget(label(warning))
        line = FlowLayout()
        line.addWidget(action)
        column.addLayout(line)
        return made

    def _stand(self, found: tuple[str, bool]) -> None:
        moved, member = found
        if moved:
            words = _("This shelf was moved on {date}. Your writing goes out from the new PC.")
            self._moved.setText(words.format(date=isolate(date(moved))))
        for part in (self._moved, self._again_line):
            part.setVisible(bool(moved))
        self._out.setVisible(not moved and not self._arriving)
        self._known.setVisible(member and not self._arriving)

    def _choose_target(self) -> None:
        from PySide6.QtWidgets import QFileDialog

        if len(self.new_phrase.words) < SHORTEST:
            self.new_phrase.field.setFocus()
            self._say(_("Take at least eight letters; four or five words are better."))
            return
        self.new_phrase.shown.setChecked(False)
        plain = re.sub(r"[^\w-]+", "-", day_of.today().isoformat())
        chosen, _kind = QFileDialog.getSaveFileName(self, _("Make the file"), f"hubshelf-{plain}{ENDING}")
        if chosen:
            self.make_file(Path(chosen))

    def _choose_source(self) -> None:
        from PySide6.QtWidgets import QFileDialog

        if not self.old_phrase.words:
            self.old_phrase.field.setFocus()
            self._say(_("Type the passphrase first."))
            return
        chosen, _kind = QFileDialog.getOpenFileName(
            self, _("Choose the file and open it"), "", f"Hubshelf (*{ENDING});;* (*)"
        )
        if chosen:
            self.open_file(Path(chosen))

    def _made(self, done: MovedOut) -> None:
        self.new_phrase.field.clear()
        parts = [
            _("The file is made and was read back whole: {name} ({size}).").format(
                name=isolate(done.path.name), size=isolate(size(done.bytes))
            )
        ]
        if done.waiting:
            parts.append(
                ngettext(
                    "{count} message that waited goes out from the new PC.",
                    "{count} messages that waited go out from the new PC.",
                    done.waiting,
                ).format(count=done.waiting)
            )
        again = done.library_bytes + done.kept_bytes
        if again:
            parts.append(_("The new PC fetches about {size} from the hub.").format(size=isolate(size(again))))
        self._settle(" ".join(parts))

    def _arrived(self, done: MovedIn) -> None:
        self.old_phrase.field.clear()
        self.context.preferences.introduced = True
        self.context.save_preferences()
        self._settle(_("Your work of {date} is here.").format(date=isolate(date(done.made))))
        self.context.navigator.go(Place("home"))
        # All that is shown is read again from the new work.
        self.context.notices.open_anew.emit()

    def _use_again(self) -> None:
        def use(shelf: Shelf) -> None:
            from sync.moving import use_again

            use_again(shelf.home)

        def done(_none: None) -> None:
            self._settle(_("This PC sends again. If the new one was in contact first, the hub says so."))
            self.context.sync.sync_now()

        self._wait("")
        self.context.fetch(use, done, self, self._failed)

    def _settle(self, words: str) -> None:
        self._enable(True)
        self._say(words)
        self.context.notices.outbox_changed.emit()
        self.refresh()

    def _failed(self, error: KnownError) -> None:
        self._enable(True)
        words = words_for(error)
        self._say(f"{words.sentence} {words.consequence}\n{words.next_step}")

    def _wait(self, words: str) -> None:
        self._enable(False)
        self._say(words)

    def _say(self, words: str) -> None:
        self._note.setText(words)
        self._note.setVisible(bool(words))
        self._column.verticalScrollBar().setValue(0)

    def _enable(self, on: bool) -> None:
        for one in (self.make_button, self.open_button, self.again_button):
            one.setEnabled(on)


def _standing(shelf: Shelf) -> tuple[str, bool]:
    """When this shelf was moved away ("" where it was not), and whether it is a member's."""
    own = shelf.own
    return str(own.setting("moved_out") or ""), bool(own.setting("hub_url")) and not own.setting("guest", False)
