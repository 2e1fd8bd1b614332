"""First run: language, where the content comes from, what to keep; then reading while the rest arrives."""

from __future__ import annotations

import platform

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.context import Context
from desktop.error_codes import PROBLEMS
from desktop.error_words import KnownError, words_for, words_of_code
from desktop.icons import pixmap
from desktop.navigation import Place
from desktop.pages.first_run_preload import PreloadStep
from desktop.pages.first_run_stick import Chosen, StickStep
from desktop.pages.first_run_who import WhoStep, join_quietly, joins_by_itself
from desktop.pages.in_the_office import explanation, promise, save_sharing
from desktop.pages.keep_chooser import KeepChooser, Kept, read_offers, save_choice
from desktop.pages.page import Page
from desktop.shelf import Shelf
from desktop.theme import STEP, colours
from desktop.widgets.basics import Column, FlowLayout, Tick, button, label, muted, title
from desktop.widgets.fitting import HeadLine
from desktop.widgets.managed import managed_note, show_managed
from desktop.words import N_, _, available_languages, language, language_name

_STEPS = (N_("Language"), N_("Your hub"), N_("What to keep"))


class FirstRunPage(Page):
    """Three short steps; each can be left for later, and nothing behind them is locked."""

    TITLE = N_("Welcome")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._steps = QStackedWidget()
        self.address = QLineEdit()
        self.managed = managed_note()
        self.code = QLineEdit()
        self.device = QLineEdit(platform.node() or _("This computer"))
        self.connect_button = button(_("Connect"), "primary", "hub", lambda: self._connect(guest=False))
        self.guest_button = button(_("Look around as a guest"), "", "people", lambda: self._connect(guest=True))
        self._note = label("", "notice")
        self._note.hide()
        self._keep = KeepChooser(context)
        self._keep_note = muted(_("Asking the hub what it offers."))
        self._pack: Chosen | None = None
        self.share = Tick(_("Share with the computers in this office"))
        self._about_sharing = muted(f"{explanation()} {promise()}")
        back = button(_("Back"), "quiet", "back", lambda: context.navigator.go(Place("first-run", tab="hub")))
        self.stick = StickStep(context, self._pack_chosen, self._pack_came, back)
        self.who = WhoStep(context, self._introduced_to_hub, self._later)
        self.preload = PreloadStep(context, lambda: self._show_step(5), self._content_came)
        steps = [self._language_step(), self._hub_step(), self._keep_step()]
        steps += [self._beside_hub(part) for part in (self.stick, self.who, self.preload)]
        for step in steps:
            self._steps.addWidget(step)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._steps)

    def arrive(self, place: Place) -> None:
        """`place.tab` names the step: language (the first), hub, stick or who (in its place), or keep."""
        known = self.context.preferences.language or self.context.decided.is_locked("interface_language")
        wanted = {"language": 0, "hub": 1, "keep": 2, "stick": 3, "who": 4}.get(
            place.tab, 0 if not known else 4 if joins_by_itself(self.context) else 1
        )
        self._show_step(wanted)
        if wanted in (1, 4) and not self.context.preferences.introduced:
            self.preload.look()

    def _show_step(self, step: int) -> None:
        self._steps.setCurrentIndex(step)
        if step == 0:
            self._chosen_language.setFocus()
        elif step == 1:
            (self.address if self.address.isEnabled() else self.code).setFocus()
        elif step == 3:
            self.stick.look_round()
            self.stick.choose.setFocus()
        elif step == 4:
            self.who.name.setFocus()
        decided = self.context.decided
        if step == 2:
            asked = not decided.is_locked("lan_sharing")  # else the administrator has answered
            self.share.setChecked(decided.value("lan_sharing") is True)
            self.share.setVisible(asked)
            self._about_sharing.setVisible(asked)
        if step == 2 and self._pack is not None:
            languages, locked = decided.value("languages"), decided.is_locked("languages")
            self._show_offers(Kept(self._pack.look.offers, languages, None, locked))
        elif step == 2:
            self.context.fetch(read_offers, self._show_offers, self, self._no_offers)

    def _frame(self, step: int) -> Column:
        column = Column(560, centred=True)
        line = QHBoxLayout()
        drawing = QLabel()
        drawing.setPixmap(pixmap("hub", colours().accent, 32))
        line.addWidget(drawing)
        line.addWidget(label("Hubshelf", "title", 1.3, wrap=False))
        line.addStretch(1)
        line.addWidget(muted(_("Step {number} of {count}").format(number=step + 1, count=len(_STEPS)), wrap=False))
        column.body.addLayout(line)
        column.body.addSpacing(2 * STEP)
        return column

    def _language_step(self) -> QWidget:
        column = self._frame(0)
        column.body.addWidget(title(_("Which language do you want to work in?")))
        column.body.addWidget(muted(_("It can be changed at any time in Preferences.")))
        column.body.addSpacing(STEP)
        grid = QGridLayout()
        grid.setSpacing(STEP)
        locked = self.context.decided.is_locked("interface_language")
        for i, code in enumerate(available_languages()):
            made = button(language_name(code))
            made.setCheckable(True)
            made.setChecked(code == language())
            made.setMinimumHeight(48)
            if i == 0 or code == language():
                self._chosen_language = made
            made.clicked.connect(lambda _checked=False, code=code: self._choose_language(code))
            made.setEnabled(not locked or code == language())
            grid.addWidget(made, i // 2, i % 2)
        column.body.addLayout(grid)
        note = managed_note()
        note.setVisible(locked)
        column.body.addWidget(note)
        column.body.addSpacing(2 * STEP)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(button(_("Go on"), "primary", "", lambda: self._choose_language(language())))
        column.body.addLayout(line)
        column.body.addStretch(1)
        return column

    def _hub_step(self) -> QWidget:
        column = self._frame(1)
        body = column.body
        body.addWidget(title(_("Where does your content come from?")))
        body.addWidget(
            label(
                _("Your hub gave you an address and a code. With them this computer can also send your questions.")
            )
        )
        body.addSpacing(STEP)
        for words, field, hint in (
            (_("Address of the hub"), self.address, "https://"),
            (_("Code"), self.code, "ABCD-EFGH-JKMN"),
            (_("Name of this computer"), self.device, ""),
        ):
            name = label(words, "heading")
            name.setBuddy(field)
            field.setAccessibleName(words)
            field.setPlaceholderText(hint)
            if field is not self.device:
                field.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
            body.addWidget(name)
            body.addWidget(field)
            if field is self.address:
                body.addWidget(self.managed)
        decided = self.context.decided
        self.address.setText(str(decided.value("hub_url") or ""))
        show_managed(decided.is_locked("hub_url"), self.managed, self.address)
        self.code.returnPressed.connect(lambda: self._connect(guest=False))
        body.addWidget(self._note)
        body.addSpacing(STEP)
        line = FlowLayout()
        line.addWidget(self.connect_button)
        line.addWidget(self.guest_button)
        stick = Place("first-run", tab="stick")
        line.addWidget(
            button(_("I have a pack on a stick"), "", "stick", lambda: self.context.navigator.go(stick))
        )
        body.addLayout(line)
        body.addWidget(muted(_("A guest reads what is public and needs only the address.")))
        body.addSpacing(2 * STEP)
        later = HeadLine()
        later.addWidget(button(_("Back"), "quiet", "back", lambda: self._show_step(0)))
        old = Place("moving", tab="in")
        words = _("I have a file from my old PC")
        later.addWidget(button(words, "quiet", "", lambda: self.context.navigator.go(old)))
        later.addWidget(button(_("Later: open the empty shelf"), "quiet", "", self._later))
        body.addLayout(later)
        body.addStretch(1)
        return column

    def _beside_hub(self, part: QWidget) -> QWidget:
        column = self._frame(1)
        column.body.addWidget(part)
        column.body.addStretch(1)
        return column

    def _content_came(self) -> None:
        """Content that came with the computer can be read; the rest of it arrives behind whatever is shown."""
        if joins_by_itself(self.context):
            self._show_step(4)
        else:
            self._pack_came()

    def _introduced_to_hub(self) -> None:
        self._introduced()
        # It was tried when the window opened; where no link came then, once more before offers are asked for.
        keep = Place("first-run", tab="keep")
        self.context.fetch(join_quietly, lambda _done: self.context.navigator.go(keep), self, self._not_yet)

    def _not_yet(self, error: KnownError) -> None:
        """No link, or a code that is full: the shelf is open all the same, and joins by itself when it can."""
        self.context.notices.problem.emit(error)
        self.context.sync.start()
        self.context.navigator.go(Place("home"))

    def _keep_step(self) -> QWidget:
        column = self._frame(2)
        body = column.body
        body.addWidget(title(_("What should your shelf keep?")))
        body.addWidget(
            muted(_("You read within a minute: the most useful comes first, the rest arrives behind it."))
        )
        body.addSpacing(STEP)
        body.addWidget(self._keep_note)
        body.addWidget(self._keep)
        body.addSpacing(STEP)
        line = QHBoxLayout()
        line.addWidget(button(_("Start reading"), "primary", "library", self._start))
        body.addWidget(self.share)
        body.addWidget(self._about_sharing)
        body.addSpacing(STEP)
        line.addStretch(1)
        body.addLayout(line)
        body.addStretch(1)
        return column

    def _choose_language(self, code: str) -> None:
        preferences = self.context.preferences
        changed = preferences.language != code and code != language()
        if not self.context.decided.is_locked("interface_language"):
            preferences.language = code
        self.context.save_preferences()
        tab = "who" if joins_by_itself(self.context) else "hub"
        self.context.navigator.go(Place("first-run", tab=tab))
        if changed:
            self.context.notices.look_changed.emit()

    def _connect(self, *, guest: bool) -> None:
        address, code, device = (field.text().strip() for field in (self.address, self.code, self.device))
        if address and "://" not in address:
            address = f"https://{address}"
        if not address or (not guest and not code):
            self._say(_("Fill in the address and the code first."))
            return
        self._say(_("Connecting to {address}.").format(address=address))
        self._wait(True)

        def join(shelf: Shelf) -> None:
            from sync.engine import connect_guest, enrol

            if guest:
                connect_guest(shelf.home, address)
            else:
                enrol(shelf.home, address, code, device)

        self.context.fetch(join, lambda _done: self._connected(), self, self._refused)

    def _connected(self) -> None:
        self._pack = None
        self._wait(False)
        self._note.hide()
        self._introduced()
        self.context.navigator.go(Place("first-run", tab="keep"))

    def _refused(self, error: KnownError) -> None:
        self._wait(False)
        # A "no" of the hub while joining that has no words of its own is about the code.
        problem = getattr(error, "problem", None)
        words = words_for(error)
        if problem is not None and problem.code not in PROBLEMS:
            refused = 400 <= problem.status < 500 and problem.status != 429
            words = words_of_code("code-refused") if refused else words
        self._say(f"{words.sentence} {words.consequence}\n{words.next_step}")

    def _say(self, words: str) -> None:
        self._note.setText(words)
        self._note.show()

    def _wait(self, waiting: bool) -> None:
        for made in (self.connect_button, self.guest_button):
            made.setEnabled(not waiting)

    def _show_offers(self, kept: Kept) -> None:
        self._keep_note.hide()
        self._keep.show_offers(kept, first_time=True, by_stick=self._pack is not None)

    def _no_offers(self, error: KnownError) -> None:
        words = words_for(error)
        self._keep_note.setText(f"{words.sentence} {words.next_step}")

    def _start(self) -> None:
        languages, themes, sharing = self._keep.languages, self._keep.themes, self.share.isChecked()

        def save(shelf: Shelf) -> None:
            save_choice(languages, themes, shelf)
            save_sharing(shelf, sharing)

        if (pack := self._pack) is not None:
            self.context.navigator.go(Place("first-run", tab="stick"))
            self.context.write(save, lambda _done: self.stick.take_in(pack), self)
            return
        self.context.write(save, lambda _done: self.context.sync.sync_now(), self)
        self._read()

    def _pack_chosen(self, chosen: Chosen) -> None:
        self._pack = chosen
        if chosen.is_a_choice:
            self.context.navigator.go(Place("first-run", tab="keep"))
        else:
            self.stick.take_in(chosen)

    def _pack_came(self) -> None:
        self._introduced()
        self._read()

    def _read(self) -> None:
        self.context.navigator.go(Place("home"))
        self.context.notices.tour_wanted.emit()

    def _later(self) -> None:
        self._introduced()
        self.context.navigator.go(Place("home"))

    def _introduced(self) -> None:
        self.context.preferences.introduced = True
        self.context.save_preferences()
