"""Preferences: the window's language, colours and text size on this computer."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QSystemTrayIcon, QVBoxLayout

from desktop.actions import SIZES
from desktop.context import Context
from desktop.navigation import Place
from desktop.pages.figures_choice import FiguresChoice
from desktop.pages.page import Page
from desktop.pages.program_version import ProgramVersion
from desktop.shelf import Shelf
from desktop.theme import STEP
from desktop.widgets.basics import Choice, Column, FlowLayout, Tick, button, hairline, heading, label, muted, title
from desktop.widgets.managed import managed_note, show_managed
from desktop.words import N_, _, available_languages, language, language_name


class PreferencesPage(Page):
    """Every choice takes hold at once; the window is made anew in the new look."""

    TITLE = N_("Preferences")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        preferences = context.preferences
        self.language_field = Choice(
            _("Language"), [(code, language_name(code)) for code in available_languages()]
        )
        self.language_field.choose(language())
        schemes = [("system", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))]
        self.scheme_field = Choice(_("Colours"), schemes)
        self.scheme_field.choose(preferences.scheme)
        sizes = sorted({*SIZES, preferences.scale})
        self.scale_field = Choice(_("Text size"), [(str(s), f"{s} %") for s in sizes])
        self.scale_field.choose(str(preferences.scale))
        column = Column(640)
        column.body.addWidget(title(_(self.TITLE)))
        column.body.addSpacing(STEP)
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * STEP)
        grid.setVerticalSpacing(2 * STEP)
        grid.setColumnStretch(2, 1)
        for row, (words, field) in enumerate(
            (
                (_("Language"), self.language_field),
                (_("Colours"), self.scheme_field),
                (_("Text size"), self.scale_field),
            )
        ):
            name = label(words, wrap=False)
            name.setBuddy(field)
            grid.addWidget(name, row, 0)
            grid.addWidget(field, row, 1)
            field.currentIndexChanged.connect(lambda _i: self._chosen())
        column.body.addLayout(grid)
        self.managed = managed_note()
        show_managed(context.decided.is_locked("interface_language"), self.managed, self.language_field)
        column.body.addWidget(self.managed)
        column.body.addWidget(muted(_("The reader has its own text size: the two letters above a text.")))
        column.body.addSpacing(2 * STEP)
        column.body.addWidget(hairline())
        column.body.addSpacing(STEP)
        self._add_notices(column.body)
        column.body.addWidget(heading(_("What your shelf keeps")))
        column.body.addWidget(label(_("Languages and themes, with what they cost, are chosen on the Sync page.")))
        keep = button(_("Open Sync"), "", "sync", lambda: context.navigator.go(Place("sync")))
        hub = button(_("Connect to a hub"), "quiet", "hub", lambda: context.navigator.go(Place("first-run")))
        line = FlowLayout()
        self.who_button = button(
            _("Say who you are"), "", "people", lambda: context.navigator.go(Place("first-run", tab="who"))
        )
        self.who_button.hide()
        line.addWidget(self.who_button)
        line.addWidget(keep)
        line.addWidget(hub)
        column.body.addLayout(line)
        column.body.addSpacing(2 * STEP)
        column.body.addWidget(hairline())
        column.body.addSpacing(STEP)
        column.body.addWidget(heading(_("Your computers")))
        column.body.addWidget(label(_("See which computers are yours, or move to a new one with all you wrote.")))
        line, new = FlowLayout(), Place("moving", tab="out")
        line.addWidget(button(_("Move to a new PC"), "", "", lambda: context.navigator.go(new)))
        line.addWidget(button(_("Your computers"), "quiet", "", lambda: context.navigator.go(Place("moving"))))
        column.body.addLayout(line)
        column.body.addSpacing(2 * STEP)
        column.body.addWidget(hairline())
        column.body.addSpacing(STEP)
        column.body.addWidget(heading(_("Keys")))
        column.body.addWidget(label(_("Everything can be done from the keyboard.")))
        keys = FlowLayout()
        keys.addWidget(button(_("All keys"), "", "contents", lambda: context.navigator.go(Place("keys"))))
        keys.addWidget(button(_("Take the tour"), "quiet", "", context.notices.tour_wanted.emit))
        column.body.addLayout(keys)
        column.body.addSpacing(2 * STEP)
        column.body.addWidget(hairline())
        column.body.addSpacing(STEP)
        self.figures = FiguresChoice(context)
        column.body.addWidget(self.figures)
        column.body.addSpacing(2 * STEP)
        column.body.addWidget(hairline())
        column.body.addSpacing(STEP)
        self.version = ProgramVersion(context)
        column.body.addWidget(self.version)
        column.body.addStretch(1)
        whole = QGridLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column)

    def refresh(self) -> None:
        """Whether this PC joined with a site code and nobody said who uses it."""
        self.context.read(_is_unknown, self.who_button.setVisible, self, key="who", failure=lambda _error: None)
        self.figures.refresh()
        self.version.refresh()

    def _chosen(self) -> None:
        preferences = self.context.preferences
        if self.language_field.isEnabled():
            preferences.language = self.language_field.value()
        preferences.scheme = self.scheme_field.value()
        preferences.scale = int(self.scale_field.value() or 100)
        self.context.save_preferences()
        self.context.notices.look_changed.emit()

    def _add_notices(self, body: QVBoxLayout) -> None:
        """What is told while the window is not in front, and whether it goes on when it is closed."""
        preferences, there = self.context.preferences, QSystemTrayIcon.isSystemTrayAvailable()
        self.notify_field = Tick(_("Tell me when an answer or a file has come"))
        self.titles_field = Tick(_("Show titles in notices: others may see them"))
        self.tray_field = Tick(_("Go on beside the clock when the window is closed"))
        body.addWidget(heading(_("Notices")))
        for field, on in (
            (self.notify_field, preferences.notify),
            (self.titles_field, preferences.notify_titles),
            (self.tray_field, preferences.stay_in_tray),
        ):
            field.setChecked(on)
            field.setHidden(not there)
            field.toggled.connect(lambda _on: self._manners_chosen())
            body.addWidget(field)
        if not there:
            body.addWidget(muted(_("This computer has no place for notices beside the clock.")))
        body.addSpacing(2 * STEP)
        body.addWidget(hairline())
        body.addSpacing(STEP)

    def _manners_chosen(self) -> None:
        preferences = self.context.preferences
        preferences.notify = self.notify_field.isChecked()
        preferences.notify_titles = self.titles_field.isChecked()
        preferences.stay_in_tray = self.tray_field.isChecked()
        self.context.save_preferences()
        self.context.notices.manners_changed.emit()


def _is_unknown(shelf: Shelf) -> bool:
    from sync.joining import is_unknown

    return is_unknown(shelf.own)
