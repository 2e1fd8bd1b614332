"""Sync: how things stand, now and pause, what moved, what the shelf keeps, and the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.amounts import ago, date, number, size
from desktop.context import Context
from desktop.crash_report import facts
from desktop.error_words import KnownError, words_for
from desktop.money import SETTING as PRICE_SETTING
from desktop.navigation import Place
from desktop.next_steps import NextSteps
from desktop.pages.by_stick import ByStick
from desktop.pages.in_the_office import InTheOffice
from desktop.pages.keep_chooser import KeepChooser, Kept, read_offers, save_choice
from desktop.pages.page import Page
from desktop.pages.sync_price import SyncPrice
from desktop.shelf import Shelf
from desktop.state_words import SYNC_PHASES
from desktop.theme import STEP
from desktop.widgets.basics import (
    Choice,
    Column,
    FlowLayout,
    button,
    clear,
    hairline,
    heading,
    label,
    muted,
    title,
)
from desktop.widgets.fitting import EqualColumns
from desktop.widgets.managed import managed_note, show_managed
from desktop.words import N_, _, isolate, ngettext

_LIMITS = (2_000_000, 5_000_000, 20_000_000, 100_000_000)
_HOURS: dict[str, list[list[str]]] = {"": [], "night": [["20:00", "06:00"]], "after-work": [["17:00", "08:00"]]}
"""What the choice of hours stands for; other hours, set by an IT team, are shown as they are."""


@dataclass(frozen=True)
class Standing:
    """What the stores say: the hub, bytes today, the last runs, records by kind, bytes of files.

    `connected`: the hub's address is known; `pack`: when the last pack was published, and taken in (UTC).
    """

    hub: str
    member: str
    guest: bool
    today: int
    syncs: list[tuple[str, int, dict[str, Any]]]
    counts: dict[str, int]
    files: int
    daily_limit: int
    hours: list[list[str]]
    low_data: bool
    data_price: str
    connected: bool = True
    pack: tuple[str, str] = ("", "")
    locked: frozenset[str] = frozenset()
    """Settings that an administrator decided."""


def read_standing(shelf: Shelf) -> Standing:
    """Everything the page shows that does not need the network."""
    own = shelf.own
    return Standing(
        hub=str(own.setting("hub_name") or own.setting("hub_url") or ""),
        member=str(own.setting("member") or ""),
        guest=bool(own.setting("guest", False)),
        today=own.spent(),
        syncs=[(s.at, s.bytes, s.report) for s in own.syncs(8)],
        counts=shelf.library.counts(),
        files=shelf.files.used(),
        daily_limit=limit if isinstance(limit := own.setting("daily_limit"), int) else 0,
        hours=hours if isinstance(hours := own.setting("allowed_hours"), list) else [],
        low_data=own.setting("low_data") is True,
        data_price=price if isinstance(price := own.setting(PRICE_SETTING), str) else "",
        connected=bool(own.setting("hub_url")),
        pack=_pack(own.setting("by_pack")),
        locked=frozenset(name for name in ("daily_limit", "allowed_hours", "low_data") if own.is_locked(name)),
    )


def _pack(setting: object) -> tuple[str, str]:
    found = setting if isinstance(setting, dict) else {}
    return str(found.get("published") or ""), str(found.get("at") or "")


class SyncPage(Page):
    """Reached by the pill at the end of the top line."""

    TITLE = N_("Sync")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._standing: Standing | None = None
        self._state = label("", "heading", 1.3)
        self._phase = muted("")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress of the sync"))
        self.now = button(_("Sync now"), "primary", "sync", self._sync_now)
        self.pause = button(_("Pause"), "", "pause", self._pause)
        self._steps = NextSteps(context, self)
        self._problem = QWidget()
        self._problem_words = label("", "notice")
        self._problem_button = button(_("Try again"), "quiet", "", self._problem_step)
        self._limit = Choice(_("Limit for a day"))
        self._limit.currentIndexChanged.connect(lambda _i: self._save_limit())
        self._hours = Choice(_("Syncs by itself"))
        self._hours.currentIndexChanged.connect(lambda _i: self._save("allowed_hours", self._chosen_hours()))
        self._texts = Choice(_("Long texts"))
        self._texts.currentIndexChanged.connect(lambda _i: self._save("low_data", self._texts.value() == "wait"))
        self._managed = {choice: managed_note() for choice in (self._limit, self._hours, self._texts)}
        self._price = SyncPrice(context)
        self.by_stick = ByStick(context)
        self.in_the_office = InTheOffice(context)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(3 * STEP)
        self._facts.setVerticalSpacing(4)
        self._facts.setColumnStretch(1, 1)
        self._keep = KeepChooser(context)
        self._keep_note = muted("")
        self._keep_button = button(_("Show what the hub offers"), "", "filter", self._ask_offers)
        self._save_button = button(_("Keep this choice"), "primary", "check", self._save_choice)
        self._save_button.hide()
        self._keep.changed.connect(self._save_button.show)
        self._history = QGridLayout()
        self._history.setHorizontalSpacing(3 * STEP)
        self._history.setVerticalSpacing(4)
        self._history.setColumnStretch(2, 1)
        self._lay_out()
        context.sync.changed.connect(self._show_status)
        context.sync.ended.connect(lambda _report: self.refresh())
        context.notices.outbox_changed.connect(self.refresh)

    def _lay_out(self) -> None:
        column = self._column = Column(720)
        body = column.body
        body.addWidget(title(_(self.TITLE)))
        body.addSpacing(STEP)
        body.addWidget(self._state)
        body.addWidget(self._phase)
        body.addWidget(self._bar)
        line = FlowLayout()
        for made in (self.now, self.pause):
            line.addWidget(made)
        line.addWidget(button(_("Copy report"), "quiet", "cite", self._copy_report))
        body.addLayout(line)
        problem = QVBoxLayout(self._problem)
        problem.setContentsMargins(0, STEP, 0, 0)
        problem.addWidget(self._problem_words)
        row = QHBoxLayout()
        row.addWidget(self._problem_button)
        row.addStretch(1)
        problem.addLayout(row)
        body.addWidget(self._problem)
        body.addSpacing(STEP)
        body.addWidget(hairline())
        body.addSpacing(STEP)
        body.addLayout(self._facts)
        for choice, name, note in (
            (self._limit, _("Limit for a day"), _("Sync stops there and goes on the next day.")),
            (self._hours, _("Syncs by itself"), _("“Sync now” works at any time.")),
            (
                self._texts,
                _("Long texts"),
                _("Titles, summaries, discussions and your messages come in any case."),
            ),
        ):
            rule = EqualColumns()
            name_label = label(name, wrap=False)
            name_label.setBuddy(choice)
            rule.addWidget(name_label)
            rule.addWidget(choice)
            body.addLayout(rule)
            body.addWidget(muted(note))
            body.addWidget(self._managed[choice])
        body.addWidget(self._price)
        body.addSpacing(STEP)
        body.addWidget(hairline())
        body.addSpacing(STEP)
        body.addWidget(heading(_("What your shelf keeps")))
        body.addWidget(self._keep_note)
        body.addWidget(self._keep)
        choices = FlowLayout()
        choices.addWidget(self._keep_button)
        choices.addWidget(self._save_button)
        body.addLayout(choices)
        body.addSpacing(STEP)
        body.addWidget(hairline())
        body.addSpacing(STEP)
        body.addWidget(self.by_stick)
        body.addSpacing(STEP)
        body.addWidget(hairline())
        body.addSpacing(STEP)
        body.addWidget(self.in_the_office)
        body.addSpacing(STEP)
        body.addWidget(hairline())
        body.addSpacing(STEP)
        body.addWidget(heading(_("What moved")))
        body.addLayout(self._history)
        body.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column)
        self._keep_note.setText(_("See languages and themes with their sizes, and choose what comes here."))

    def arrive(self, place: Place) -> None:
        """`place.tab` "stick" begins at the sticks."""
        super().arrive(place)
        if place.tab == "stick":
            self.by_stick.take.setFocus()
            QTimer.singleShot(0, self, lambda: self._column.ensureWidgetVisible(self.by_stick))

    def refresh(self) -> None:
        self._show_status()
        if self.isVisible():
            self.context.read(read_standing, self._show_standing, self, key="standing")
            self.by_stick.look_round()
            self.in_the_office.refresh()

    def _show_status(self) -> None:
        status = self.context.sync.status
        running = status.state == "running"
        self._state.setText(status.words())
        self._phase.setText(_(SYNC_PHASES.get(status.phase, "")) if running else "")
        self._phase.setVisible(running)
        self._bar.setVisible(running)
        self._bar.setRange(0, max(0, status.bytes_total))
        self._bar.setValue(min(status.bytes_done, status.bytes_total))
        self.now.setEnabled(not running)
        paused = status.state == "paused"
        self.pause.setText(_("Go on") if paused else _("Pause"))
        self.pause.setAccessibleName(self.pause.text())
        self._show_problem(status.error if not running and status.connected else None)

    def _show_problem(self, error: KnownError | None) -> None:
        self._problem.setVisible(error is not None)
        if error is not None:
            words = words_for(error)
            self._problem_words.setText(f"{words.sentence} {words.consequence}\n{words.next_step}")
            self._problem_button.setText(words.button)
            self._problem_button.setAccessibleName(words.button)

    def _show_standing(self, standing: Standing) -> None:
        self._standing = standing
        clear(self._facts)
        who = standing.member or (_("guest") if standing.guest else "")
        hub = f"{isolate(standing.hub)} · {isolate(who)}" if who else standing.hub
        parts = _counted(standing.counts)
        facts = (
            (_("Hub"), hub or _("none yet")),
            *([(_("Last pack"), _pack_words(*standing.pack))] if standing.pack[0] else []),
            (_("Moved today"), size(standing.today)),
            (_("On the shelf"), " · ".join(parts) or _("nothing yet")),
            (_("Files"), size(standing.files)),
        )
        for row, (name, value) in enumerate(facts):
            self._facts.addWidget(muted(name, wrap=False), row, 0)
            self._facts.addWidget(label(value), row, 1)
        self._keep_button.setEnabled(standing.connected or bool(standing.pack[0]))  # a pack brought the list
        limits = sorted({*_LIMITS, standing.daily_limit} - {0})
        items = [("0", _("No limit")), *((str(limit), size(limit)) for limit in limits)]
        self._limit.set_items(items)
        self._limit.blockSignals(True)
        self._limit.choose(str(standing.daily_limit))
        self._limit.blockSignals(False)
        self._show_rules(standing)
        self._price.show_price(standing.data_price)
        self._price.ask.setEnabled(standing.connected)
        clear(self._history)
        for row, (at, moved, report) in enumerate(standing.syncs):
            self._history.addWidget(muted(ago(at), wrap=False), row, 0)
            self._history.addWidget(label(size(moved), wrap=False), row, 1)
            self._history.addWidget(label(_sync_words(report)), row, 2)
        if not standing.syncs:
            self._history.addWidget(muted(_("Nothing has moved yet.")), 0, 0, 1, 3)

    def _show_rules(self, standing: Standing) -> None:
        names = {"": _("At any time"), "night": _("From 20:00 to 06:00"), "after-work": _("From 17:00 to 08:00")}
        chosen = next((key for key, hours in _HOURS.items() if hours == standing.hours), "own")
        if chosen == "own":
            names["own"] = ", ".join("–".join(map(str, pair)) for pair in standing.hours if isinstance(pair, list))
        texts = {"": _("Come with the rest"), "wait": _("Wait for a better link")}
        for choice, setting in (
            (self._limit, "daily_limit"),
            (self._hours, "allowed_hours"),
            (self._texts, "low_data"),
        ):
            show_managed(setting in standing.locked, self._managed[choice], choice)
        for choice, items, value in (
            (self._hours, names, chosen),
            (self._texts, texts, "wait" if standing.low_data else ""),
        ):
            choice.blockSignals(True)
            choice.set_items(list(items.items()))
            choice.choose(value)
            choice.blockSignals(False)

    def _chosen_hours(self) -> list[list[str]]:
        chosen = self._hours.value()
        if chosen in _HOURS:
            return _HOURS[chosen]
        return self._standing.hours if self._standing is not None else []

    def _save_limit(self) -> None:
        self._save("daily_limit", int(self._limit.value() or 0))

    def _save(self, setting: str, value: object) -> None:
        def saved(_done: None) -> None:
            self.context.notices.said.emit(_("The next sync follows your choice."))

        self.context.write(lambda shelf: shelf.own.set_setting(setting, value), saved, self)

    def _sync_now(self) -> None:
        if self._standing is not None and not self._standing.connected:
            self.context.navigator.go(Place("first-run", tab="hub"))
        else:
            self.context.sync.sync_now()

    def _pause(self) -> None:
        if self.context.sync.status.state == "paused":
            self.context.sync.resume()
        else:
            self.context.sync.pause()

    def _problem_step(self) -> None:
        error = self.context.sync.status.error
        if error is None:
            return
        action = words_for(error).action
        if action == "copy":
            self._copy_report()
        elif action == "sync-page":
            self._limit.setFocus()  # it is this page: what may be spent is chosen here
        elif action in ("again", "sync"):
            self._sync_now()
        else:
            self._steps.take(action, error)

    def _ask_offers(self) -> None:
        self._keep_button.setEnabled(False)
        self._keep_note.setText(_("Asking the hub what it offers."))

        def shown(kept: Kept) -> None:
            self._keep_button.hide()
            self._keep_note.setText("")
            self._keep_note.hide()
            self._keep.show_offers(kept)

        def failed(error: KnownError) -> None:
            self._keep_button.setEnabled(True)
            words = words_for(error)
            self._keep_note.setText(f"{words.sentence} {words.next_step}")

        self.context.fetch(read_offers, shown, self, failed)

    def _save_choice(self) -> None:
        languages, themes = self._keep.languages, self._keep.themes

        def saved(_done: None) -> None:
            self._save_button.hide()
            self.context.notices.said.emit(_("The next sync follows your choice."))
            self.context.sync.nudge("subscriptions")

        self.context.write(lambda shelf: save_choice(languages, themes, shelf), saved, self)

    def _copy_report(self) -> None:
        status, standing = self.context.sync.status, self._standing
        lines = [
            f"status: {status.state} last={status.last} waiting={status.waiting} attention={status.attention}"
        ]
        if standing is not None:
            lines += [f"today: {standing.today} bytes", f"records: {standing.counts}"]
            lines += [f"{at} {moved} bytes {_without_words(report)}" for at, moved, report in standing.syncs]
        if status.error is not None:
            lines.append(f"error: {status.error.code}")

        def found(more: list[str]) -> None:
            QGuiApplication.clipboard().setText("\n".join([*facts(), *lines, *more]))
            self.context.notices.said.emit(_("The report is in the clipboard."))

        # What doctor and the policies say is worth a moment; without it the rest goes all the same.
        self.context.read(_around, found, self, key="report", failure=lambda _error: found([]))


def _around(shelf: Shelf) -> list[str]:
    from sync.surroundings import report_for_others

    return report_for_others(shelf.home)


def _without_words(report: dict[str, Any]) -> dict[str, Any]:
    """A report of a sync for others: of an error its code alone, for its words may name what is private."""
    error = report.get("error")
    return {**report, "error": error.get("code") if isinstance(error, dict) else None}


def _counted(counts: dict[str, int]) -> list[str]:
    """How many records of each kind a person looks for there are."""
    resources, threads = counts.get("resource", 0), counts.get("thread", 0)
    experts, events = counts.get("expert", 0), counts.get("event", 0)
    words = (
        (resources, ngettext("{count} resource", "{count} resources", resources)),
        (threads, ngettext("{count} discussion", "{count} discussions", threads)),
        (experts, ngettext("{count} expert", "{count} experts", experts)),
        (events, ngettext("{count} event", "{count} events", events)),
    )
    return [text.format(count=number(count)) for count, text in words if count]


def _pack_words(published: str, at: str) -> str:
    return _("published {day}, taken in {ago}").format(day=isolate(date(published)), ago=isolate(ago(at)))


def _sync_words(report: dict[str, Any]) -> str:
    words = _moved_words(report)
    came = {
        "pack": _("By stick: {words}"),
        "office": _("From this office: {words}"),
        "machine": _("From this computer: {words}"),
    }.get(str(report.get("kind")))
    return came.format(words=words) if came else words


def _moved_words(report: dict[str, Any]) -> str:
    error = report.get("error")
    if isinstance(error, dict):
        code, message, advice = (str(error.get(key) or "") for key in ("code", "message", "advice"))
        return words_for(_Stored(code, message, advice)).sentence
    if report.get("kind") == "price":
        return _("Asked what it would cost")
    if report.get("kind") == "file":
        return _("A file that you asked for")
    sent = int(report.get("operations_sent") or 0)
    records = int(report.get("records") or 0)
    parts = []
    if records:
        parts.append(
            ngettext("{count} record came", "{count} records came", records).format(count=number(records))
        )
    if sent:
        parts.append(ngettext("{count} thing sent", "{count} things sent", sent).format(count=number(sent)))
    return " · ".join(parts) or _("Nothing new")


@dataclass(frozen=True)
class _Stored:
    """An error of an earlier run, as its report kept it."""

    code: str
    message: str
    advice: str

    def __str__(self) -> str:
        return self.message
