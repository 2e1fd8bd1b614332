"""One pack at work, as a page shows it: how far it is, how to stop it, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QProgressBar, QScrollArea, QVBoxLayout, QWidget

from desktop.amounts import size
from desktop.context import Context
from desktop.next_steps import NextSteps
from desktop.pack_words import error_lines, outcome_lines
from desktop.packs import Moment, Outcome
from desktop.theme import STEP
from desktop.widgets.basics import FlowLayout, button, label
from desktop.words import _

_AGAIN = frozenset({"pack-unreadable", "pack-unwritable", "pack-no-room", "cancelled", "disk-full", "store-busy"})
"""Codes after which the same may well go another time."""


class PackWork(QWidget):
    """Hidden while there is nothing to say."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._steps = NextSteps(context, self)
        self._busy = False
        self._line = label("", "heading")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress of the pack"))
        self.cancel = button(_("Cancel"), "", "close", context.packs.cancel)
        self.cancel.setAccessibleName(_("Cancel: stop the pack"))
        self.pause = button(_("Pause the sync meanwhile"), "quiet", "pause", context.packs.pause_the_sync)
        self._said = label("")
        self._problem = label("", "notice")
        self.again = button(_("Try again"), "", "sync", context.packs.again)
        self.copy = button(_("Copy details"), "quiet", "cite", self._copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, STEP, 0, 0)
        column.setSpacing(STEP)
        work, after = FlowLayout(), FlowLayout()
        work.addWidget(self.cancel)
        work.addWidget(self.pause)
        after.addWidget(self.again)
        after.addWidget(self.copy)
        for part in (self._line, self._bar):
            column.addWidget(part)
        column.addLayout(work)
        for part in (self._said, self._problem):
            column.addWidget(part)
        column.addLayout(after)
        context.packs.changed.connect(self.show_it)
        context.packs.ended.connect(lambda _outcome: self.show_it())
        context.sync.changed.connect(self._show_pause)
        self.show_it()

    @property
    def words(self) -> str:
        """All that is said now."""
        return "\n".join(part.text() for part in (self._line, self._said, self._problem) if not part.isHidden())

    def show_it(self) -> None:
        """Show what is at work, or what came of the last one."""
        packs = self._context.packs
        moment, outcome = packs.moment, packs.outcome
        busy = packs.busy
        begins, ends = busy and not self._busy, self._busy and not busy
        self._busy = busy
        self.setVisible(busy or outcome is not None)
        for part in (self._line, self._bar, self.cancel):
            part.setVisible(busy)
        self._line.setText(_line(moment))
        self._bar.setRange(0, 1000 if moment.total and not moment.waiting else 0)
        self._bar.setValue(moment.done * 1000 // moment.total if moment.total else 0)
        self.cancel.setEnabled(not moment.stopping)
        self._show_outcome(None if busy else outcome)
        self._show_pause()
        if begins or ends:
            QTimer.singleShot(0, self, self._come_into_sight)

    def _come_into_sight(self) -> None:
        area = self.parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        if isinstance(area, QScrollArea) and self.isVisible():
            area.ensureWidgetVisible(self, 0, 2 * STEP)

    def _show_outcome(self, outcome: Outcome | None) -> None:
        error = outcome.error if outcome is not None else None
        wrong = error_lines(outcome) if outcome is not None and error is not None else []
        lines = outcome_lines(outcome) if outcome is not None else []
        if error is not None and error.code == "cancelled":
            wrong = []  # it is what the person wanted
        good = lines[: len(lines) - len(wrong)]
        self._said.setText("\n".join(good))
        self._said.setVisible(bool(good))
        self._problem.setText("\n".join(wrong))
        self._problem.setVisible(bool(wrong))
        self.again.setVisible(error is not None and error.code in _AGAIN)
        self.copy.setVisible(error is not None and error.code != "cancelled")

    def _show_pause(self) -> None:
        self.pause.setVisible(self._context.packs.moment.waiting and self._context.sync.status.state == "running")

    def _copy(self) -> None:
        outcome = self._context.packs.outcome
        if outcome is not None and outcome.error is not None:
            self._steps.take("copy", outcome.error)


def _line(moment: Moment) -> str:
    if moment.stopping:
        return _("Stopping.")
    if moment.waiting:
        return _("A sync is at work on this shelf. The pack comes after it.")
    if not moment.doing:
        return ""
    if not moment.total:
        return _("Reading and checking the pack.") if moment.doing == "in" else _("Looking what is on it already.")
    words = _("{done} of {total} taken in") if moment.doing == "in" else _("{done} of {total} written")
    if moment.doing == "in" and moment.part:
        files, keep = _("Files: {done} of {total}"), _("Kept to be given on: {done} of {total}")
        words = keep if moment.part == "keep" else files
    return words.format(done=size(min(moment.done, moment.total)), total=size(moment.total))
