"""The sheets that come before a pack is taken in or written: where, what it is, what it takes, and a yes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date as day_of
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from desktop.amounts import ago, date, number, size
from desktop.pack_words import (
    carried_words,
    fingerprint_words,
    languages_of,
    left_out_words,
    not_fitting_words,
    own_words,
)
from desktop.packs import Wanted
from desktop.sticks import Stick
from desktop.theme import STEP
from desktop.widgets.basics import Choice, FlowLayout, Tick, button, clear, heading, label, muted
from desktop.widgets.dialog import Dialog
from desktop.words import _, isolate, language_name, ngettext

if TYPE_CHECKING:
    from sync.packs.exporting import Weighed
    from sync.packs.looking import Look
    from sync.protocol.pack_writing import InTheWay

ENDING = ".hubshelf-pack"
_WIDE = 520


class ChoosePlace(Dialog):
    """Which stick, folder or file: sticks that are in by name, anything else through the system's own window.

    `writing`: where a pack goes to, else where one is. `chosen` gets the path, and what people call it.
    """

    def __init__(
        self, parent: QWidget, found: Sequence[Stick], writing: bool, chosen: Callable[[Path, str], object]
    ) -> None:
        words = _("Where should the pack go?") if writing else _("Where is the pack?")
        super().__init__(parent, words, _WIDE)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._writing, self._chosen = writing, chosen
        self.body.addWidget(heading(words))
        offered = [stick for stick in found if (stick.writable if writing else stick.has_pack)]
        for stick in offered:
            line = _("{name}: {size} free").format(name=isolate(stick.name), size=size(stick.room))
            made = button(
                line if writing else isolate(stick.name),
                "",
                "stick",
                self._taking(stick),
            )
            made.setAccessibleName(line if writing else _("Stick: {name}").format(name=stick.name))
            self.body.addWidget(made)
        if not offered:
            none = (
                _("No stick is in this computer now.")
                if writing
                else _("No stick with a pack is in this computer now.")
            )
            self.body.addWidget(muted(none))
        folder = _("Another stick or folder…") if offered else _("A stick or folder…")
        self.folder = button(folder, "", "shelf", self._choose_folder)
        self.file = button(_("One file…") if writing else _("A file…"), "", "file", self._choose_file)
        self.body.addWidget(self.folder)
        self.body.addWidget(self.file)
        ending = f"\u2066{ENDING}\u2069"  # begins with a dot, which must stay in front of it
        self.body.addWidget(
            muted(
                _("One file can go with a mail, or onto a disk. Its name ends in {ending}.").format(ending=ending)
                if writing
                else _("The name of a file that is a pack ends in {ending}.").format(ending=ending)
            )
        )
        self.foot.addWidget(button(_("Cancel"), "", "", self.reject))

    def _taking(self, stick: Stick) -> Callable[[], None]:
        return lambda: self._take(stick.path, stick.name)

    def _take(self, path: Path, name: str) -> None:
        self.accept()
        self._chosen(path, name)

    def _choose_folder(self) -> None:
        from PySide6.QtWidgets import QFileDialog

        if chosen := QFileDialog.getExistingDirectory(self, self.windowTitle()):
            self._take(Path(chosen), Path(chosen).name or chosen)

    def _choose_file(self) -> None:
        from PySide6.QtWidgets import QFileDialog

        kinds = f"Hubshelf (*{ENDING})"
        if self._writing:
            name = f"hubshelf-{day_of.today().isoformat()}{ENDING}"
            chosen, _kind = QFileDialog.getSaveFileName(self, self.windowTitle(), name, kinds)
            if chosen and not chosen.endswith(ENDING):
                chosen += ENDING
        else:
            chosen, _kind = QFileDialog.getOpenFileName(self, self.windowTitle(), "", f"{kinds};;* (*)")
        if chosen:
            self._take(Path(chosen), Path(chosen).name)


class TakeInSheet(Dialog):
    """What a pack is, and how it is taken in. `then` gets (keep, all files)."""

    def __init__(self, parent: QWidget, look: Look, then: Callable[[bool, bool], object]) -> None:
        name = look.hub or _("Sealed messages")
        super().__init__(parent, _("Take in a pack"), _WIDE)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        body = self.body
        body.addWidget(heading(isolate(name)))
        if look.hub:
            when = _("Published {day}, {ago}.") if (passed := ago(look.published)) else _("Published {day}.")
            if passed == date(look.published):
                when = _("Published {day}.")
            body.addWidget(label(when.format(day=date(look.published), ago=passed)))
            if look.is_new_hub:
                body.addWidget(_trust(look))
            else:
                body.addWidget(label(_("Verified: it is signed by your hub."), "good"))
            if look.is_here:
                body.addWidget(muted(_("You took in this very version before; only what is new in it comes.")))
        else:
            body.addWidget(label(_("No library is on this stick, only sealed messages that it carries.")))
        facts = QGridLayout()
        facts.setHorizontalSpacing(3 * STEP)
        facts.setVerticalSpacing(4)
        facts.setColumnStretch(1, 1)
        for row, (what, value) in enumerate(_facts(look)):
            facts.addWidget(muted(what, wrap=False), row, 0, Qt.AlignmentFlag.AlignTop)
            facts.addWidget(label(value), row, 1)
        body.addSpacing(STEP)
        body.addLayout(facts)
        needs = _("Also keep it so that I can give it on (needs {size})").format(size=size(look.to_keep))
        self.keep = Tick(_("This computer keeps it to give it on") if look.keeps else needs)
        self.keep.setChecked(look.keeps)
        fits = look.to_keep <= look.room
        self.keep.setEnabled(not look.keeps and fits)
        self.files = Tick(_("Take all files in it ({size})").format(size=size(look.file_bytes)))
        body.addSpacing(STEP)
        for tick, there in ((self.keep, bool(look.hub)), (self.files, bool(look.files))):
            body.addWidget(tick)
            tick.setVisible(there)
        if look.hub and not fits and not look.keeps:
            body.insertWidget(body.indexOf(self.files), muted(_no_room(look.to_keep, look.room)))
        if look.files:
            body.addWidget(muted(_("Else only files come that wait to be downloaded.")))
        body.addStretch(1)
        self.no = button(_("Cancel"), "", "", self.reject)
        self.foot.addWidget(self.no)
        yes = _("I trust this hub: take it in") if look.is_new_hub else _("Take it in")
        self.yes = button(yes, "primary", "download", self.accept)
        self.foot.addWidget(self.yes)
        self.accepted.connect(lambda: then(self.keep.isChecked() and not look.keeps, self.files.isChecked()))
        # A yes to a hub that nobody here knows is not given by a key pressed once too often.
        (self.no if look.is_new_hub else self.yes).setFocus()


class PutSheet(Dialog):
    """What goes onto a stick, how much that is, and whether there is room. `weigh` is called for each choice and
    answers through `show_weighed`; `then` gets the last one."""

    def __init__(self, parent: QWidget, name: str, then: Callable[[Wanted], object]) -> None:
        super().__init__(parent, _("Put a pack on a stick"), _WIDE)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.weigh: Callable[[Wanted], object] = lambda _wanted: None
        self._begun = False
        self.replaces = False
        """Whether another hub's pack is there, which the person sees, and whose end the yes is."""
        body = self.body
        body.addWidget(heading(_("Put a pack on {place}").format(place=isolate(name))))
        self.what = Choice(_("What goes onto it"))
        self.what.currentIndexChanged.connect(lambda _i: self.ask())
        self._what_name = label(_("What goes onto it"), wrap=False)
        self._what_name.setBuddy(self.what)
        self.files = Tick(_("Downloaded files too, where their licence lets them be given on"))
        self.files.toggled.connect(lambda _on: self.ask())
        self._only = label(
            _("Only your sealed messages: this computer keeps no pack to give on. Take one in and keep it first.")
        )
        self.languages: dict[str, Tick] = {}
        self._spoken = QWidget()
        self._spoken_line = FlowLayout()
        self._spoken.setLayout(self._spoken_line)
        for part in (self._what_name, self.what, self._only, self._spoken, self.files):
            body.addWidget(part)
            part.hide()
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(3 * STEP)
        self._facts.setVerticalSpacing(4)
        self._facts.setColumnStretch(1, 1)
        body.addSpacing(STEP)
        body.addLayout(self._facts)
        self.note = label("", "notice")
        self.note.hide()
        self._wait = muted(_("Looking what is on it already."))
        body.addWidget(self._wait)
        body.addWidget(self.note)
        body.addWidget(
            muted(
                _(
                    "Messages and the files that you attached are sealed: "
                    "who carries the stick can neither read them nor see whose they are."
                )
            )
        )
        body.addStretch(1)
        self.no = button(_("Cancel"), "", "", self.reject)
        self.foot.addWidget(self.no)
        self.yes = button(_("Write it"), "primary", "stick", self.accept)
        self.yes.setEnabled(False)
        self.foot.addWidget(self.yes)
        self.accepted.connect(lambda: then(self.wanted))

    @property
    def wanted(self) -> Wanted:
        """What is chosen now."""
        if not self.content:
            return Wanted(content=False)
        chosen = tuple(lang for lang, tick in self.languages.items() if tick.isChecked())
        return Wanted(True, self.files.isChecked(), chosen if len(chosen) < len(self.languages) else ())

    @property
    def content(self) -> bool:
        """Whether the library goes onto it, beside messages."""
        return self.what.value() != "messages"

    def ask(self) -> None:
        """Have what is chosen weighed."""
        self.yes.setEnabled(False)
        if self.languages and not any(tick.isChecked() for tick in self.languages.values()):
            self.say(_("Choose at least one language."))
            return
        self.weigh(self.wanted)

    def show_weighed(self, weighed: Weighed) -> None:
        """Show what was chosen weighs, in bytes."""
        if not self._begun:
            self._begun = True
            keeps = bool(weighed.content)
            self.what.set_items(
                [
                    ("all", _("Everything that is kept to be given on")),
                    ("messages", _("Only sealed messages")),
                ]
                if keeps
                else [("messages", _("Only sealed messages"))]
            )
            for part in (self._what_name, self.what):
                part.setVisible(keeps)
            self._only.setVisible(not keeps and not weighed.nothing)
            self._offer_languages(weighed.languages)
        self.files.setVisible(self.content)
        self._spoken.setVisible(self.content and bool(self.languages))
        clear(self._facts)
        for row, (what, value) in enumerate(_weights(weighed)):
            self._facts.addWidget(muted(what, wrap=False), row, 0, Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(label(value), row, 1)
        fits = weighed.needed <= weighed.room
        words, there = "", weighed.in_the_way if self.content else None
        self.replaces = there is not None and not there.newer
        self.yes.setText(_("Replace it") if self.replaces else _("Write it"))
        if weighed.nothing:
            words = _("This shelf has nothing to put on a stick.") + " "
            words += _("Take in a pack first and keep it to give it on, or ask your hub for one.")
        elif not fits:
            words = _no_room(weighed.needed, weighed.room)
        elif there is not None:
            words = _in_the_way(there)
        self.say(words)
        self.yes.setEnabled(fits and not weighed.nothing and (there is None or self.replaces))
        if self.yes.isEnabled():
            # The end of somebody else's pack is not a key pressed once too often.
            (self.no if self.replaces else self.yes).setFocus()

    def _offer_languages(self, found: Mapping[str, int]) -> None:
        """All of them are chosen at first; one alone is no choice."""
        for lang, weight in found.items() if len(found) > 1 else ():
            words = _("{name}: {size}").format(name=isolate(language_name(lang)), size=size(weight))
            tick = self.languages[lang] = Tick(words)
            tick.setChecked(True)
            tick.toggled.connect(lambda _on: self.ask())
            self._spoken_line.addWidget(tick)

    def say(self, words: str) -> None:
        """Say what stands in the way; "" for nothing."""
        self._wait.hide()
        self.note.setText(words)
        self.note.setVisible(bool(words))


class CodeSheet(Dialog):
    """A code on paper, for a computer that no link comes to. `then` gets the code and the computer's name."""

    def __init__(self, parent: QWidget, computer: str, then: Callable[[str, str], object]) -> None:
        super().__init__(parent, _("I have a code"), _WIDE)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.code, self.device = QLineEdit(), QLineEdit(computer)
        self.body.addWidget(heading(_("Become a member without a link")))
        self.body.addWidget(
            label(
                _(
                    "The code goes to the hub with the next pack that you put on a stick, sealed; "
                    "the hub's answer comes with another. Until then you can read and write questions."
                )
            )
        )
        for words, field, hint in (
            (_("Code"), self.code, "ABCD-EFGH-JKMN"),
            (_("Name of this computer"), self.device, ""),
        ):
            name = label(words, "heading")
            name.setBuddy(field)
            field.setAccessibleName(words)
            field.setPlaceholderText(hint)
            field.setMaxLength(200)
            self.body.addWidget(name)
            self.body.addWidget(field)
        self.code.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.body.addStretch(1)
        self.foot.addWidget(button(_("Cancel"), "", "", self.reject))
        self.yes = button(_("Keep the code"), "primary", "check", self.accept)
        self.yes.setEnabled(False)
        self.code.textChanged.connect(lambda words: self.yes.setEnabled(bool(words.strip())))
        self.code.returnPressed.connect(self.yes.click)
        self.foot.addWidget(self.yes)
        self.accepted.connect(lambda: then(self.code.text().strip(), self.device.text().strip()))
        self.code.setFocus()


def _trust(look: Look) -> QWidget:
    return label(
        _("This computer belongs to no hub yet. Say yes only if you trust whoever gave you the pack.")
        + "\n"
        + _("The hub's keys begin with {fingerprint}; the hub's team can tell you theirs.").format(
            fingerprint=f"\u2066{fingerprint_words(look.fingerprint)}\u2069"
        ),
        "notice",
    )


def _no_room(needed: int, room: int) -> str:
    words = _("There is not enough room: it needs {needed}, and {room} are free.")
    return words.format(needed=size(needed), room=size(room))


def _in_the_way(there: InTheWay) -> str:
    if there.newer:
        words = _("There is a newer pack of your hub on it already, published {day}. Take that in first.")
        return words.format(day=date(there.published))
    words = _(
        "There is a pack of another hub on it: {hub}. It will be replaced, and can then no longer be taken in."
    )
    return words.format(hub=isolate(there.hub))


def _facts(look: Look) -> list[tuple[str, str]]:
    found = []
    if look.hub:
        records = ngettext("{count} record", "{count} records", look.records).format(count=number(look.records))
        found.append((_("In it"), f"{records} · {size(look.content)}"))
        if languages := languages_of(look):
            found.append((_("Languages"), languages))
    if look.files:
        files = ngettext("{count} file", "{count} files", look.files).format(count=number(look.files))
        found.append((_("Files"), f"{files} · {size(look.file_bytes)}"))
    if left := left_out_words(look.left_out, look.left_out_count):
        found.append((_("Left out"), left))
    if carried := carried_words(look.envelopes, look.answers, look.parcels):
        found.append((_("It carries"), carried))
    return found


def _weights(weighed: Weighed) -> list[tuple[str, str]]:
    found = []
    if weighed.content:
        found.append((_("Library"), size(weighed.content)))
    if weighed.files:
        files = ngettext("{count} file", "{count} files", weighed.files).format(count=number(weighed.files))
        found.append((_("Files"), f"{files} · {size(weighed.file_bytes)}"))
    if own := own_words(weighed):
        found.append((_("From you"), own))
    if left := not_fitting_words(weighed.attached_left):
        found.append((_("Left out"), left))
    if carried := carried_words(weighed.envelopes, weighed.answers, weighed.parcels):
        found.append((_("Of others"), carried))
    found.append((_("New on it"), size(weighed.new + weighed.mail)))
    found.append((_("Free there"), size(weighed.room)))
    return found
