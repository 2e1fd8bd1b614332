"""Two small charts under Home: what came in the last weeks, and what of the day's data is used.

Each says in a sentence what its bars say; where there is nothing to say it is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.amounts import number, short_day, size, weekday
from desktop.shelf import Shelf
from desktop.theme import STEP, in_text
from desktop.widgets.bars import Bar, Bars
from desktop.widgets.basics import clear, hairline, label, muted
from desktop.words import _, ngettext

_WEEKS = 4
_DAYS = 7
_KINDS = ("resource", "thread", "summary")
_LEAST_HEIGHT = 640  # of the page, below which only the sentences are shown
_LOWEST = 360  # below which what is new needs all the room


@dataclass(frozen=True)
class Figures:
    """Since which day and how many came, week by week; bytes of each of the last days; what a day may use (0: no
    limit)."""

    weeks: Sequence[tuple[date, int]] = ()
    days: Sequence[tuple[date, int]] = ()
    daily_limit: int = 0


def read_figures(shelf: Shelf, now: datetime | None = None) -> Figures:
    """What the charts show of the weeks and days up to `now`."""
    now = now or datetime.now(UTC)
    begins = [now - timedelta(weeks=weeks) for weeks in range(_WEEKS, -1, -1)]
    moments = [begin.strftime("%Y-%m-%dT%H:%M:%SZ") for begin in begins]
    came = shelf.library.changed_between(_KINDS, moments)
    limit = shelf.own.setting("daily_limit")
    daily_limit = limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else 0
    today = now.astimezone().date()
    days = [today - timedelta(days=ago) for ago in range(_DAYS - 1, -1, -1)] if daily_limit else []
    return Figures(
        weeks=[
            ((begin + timedelta(days=1)).astimezone().date(), count)
            for begin, count in zip(begins, came, strict=False)
        ],
        days=[(day, shelf.own.spent(day.isoformat())) for day in days],
        daily_limit=daily_limit,
    )


class HomeCharts(QWidget):
    """The charts beside each other; on a low page their sentences alone."""

    def __init__(self) -> None:
        super().__init__()
        self._charts: list[Bars] = []
        self._names: list[QWidget] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * STEP, 0, 2 * STEP, STEP)
        column.addWidget(hairline())
        self._line = QHBoxLayout()
        self._line.setSpacing(4 * STEP)
        column.addLayout(self._line)
        self.hide()

    def show_figures(self, figures: Figures) -> None:
        """Draw them; nothing is shown where nothing came and no data is limited."""
        clear(self._line)
        self._charts, self._names = [], []
        if sum(count for _day, count in figures.weeks):
            self._add(_("What came, week by week"), came_words(figures), _week_bars(figures))
        if figures.daily_limit:
            words = used_words(figures)
            self._add(_("Data used, day by day"), words, _day_bars(figures), figures.daily_limit)
        self.fit()

    def _add(self, name: str, sentence: str, bars: Sequence[Bar], limit: int = 0) -> None:
        block = QWidget()
        column = QVBoxLayout(block)
        column.setContentsMargins(0, STEP, 0, 0)
        column.setSpacing(STEP // 2)
        heading = label(name, "heading")
        column.addWidget(heading)
        chart = Bars(name, sentence, bars, limit)
        column.addWidget(chart)
        column.addWidget(muted(sentence))
        column.addStretch(1)
        self._charts.append(chart)
        self._names.append(heading)
        self._line.addWidget(block, 1)

    def fit(self) -> None:
        """Show of them what the page has room for; to be called when its height changes."""
        page = self.parentWidget()
        high = page.height() if page is not None else in_text(_LEAST_HEIGHT)
        for part in (*self._charts, *self._names):
            part.setVisible(high >= in_text(_LEAST_HEIGHT))
        self.setVisible(bool(self._charts) and high >= in_text(_LOWEST))


def came_words(figures: Figures) -> str:
    """What came in four weeks and in the last one, as a sentence."""
    counts = [count for _day, count in figures.weeks]
    words = ngettext(
        "{count} resource or discussion came or changed in four weeks, {week} in the last seven days.",
        "{count} resources and discussions came or changed in four weeks, {week} in the last seven days.",
        sum(counts),
    )
    return words.format(count=number(sum(counts)), week=number(counts[-1]))


def used_words(figures: Figures) -> str:
    """What of the day's limit is used, as a sentence."""
    used = figures.days[-1][1] if figures.days else 0
    return _("{used} of {limit} used today.").format(used=size(used), limit=size(figures.daily_limit))


def _week_bars(figures: Figures) -> list[Bar]:
    return [Bar(count, number(count), short_day(day)) for day, count in figures.weeks]


def _day_bars(figures: Figures) -> list[Bar]:
    return [Bar(used, size(used), weekday(day)) for day, used in figures.days]
