"""The two small charts of Home: their bars, the same in words, and when they are not there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from desktop.app import Application
from desktop.pages.home import HomePage
from desktop.pages.home_charts import Figures, HomeCharts, read_figures
from desktop.shelf import Shelf
from desktop.widgets.bars import Bar, Bars
from resources_cache.library import Cursor, Library
from resources_cache.own import Own

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def words_of(charts: HomeCharts) -> list[str]:
    return [label.text() for label in charts.findChildren(QLabel)]


def changed(number: int, days_ago: float, kind: str = "resource") -> dict[str, str]:
    when = (NOW - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": f"c{number}", "type": kind, "title": "x", "updated": when}


def test_weeks_and_days_are_counted(tmp_path: Path) -> None:
    ago = [0, 1, 6.9, 7.1, 13, 27.9, 28.1, -1]
    with Library(tmp_path / "library.db") as library:
        records = [changed(n, days) for n, days in enumerate(ago)]
        library.apply("s", [*records, changed(90, 2, "thread"), changed(91, 2, "message")], Cursor(1, 1))
    with Own(tmp_path / "own.db") as own:
        own.set_setting("daily_limit", 2_000_000)
        today = NOW.astimezone().date()
        for days, count in ((0, 700), (0, 300), (6, 50), (7, 9_999)):
            own.add_sync({"bytes_down": count}, day=(today - timedelta(days=days)).isoformat())
    with Shelf(tmp_path) as shelf:
        figures = read_figures(shelf, NOW)
    assert [count for _day, count in figures.weeks] == [1, 0, 2, 4]
    assert [used for _day, used in figures.days] == [50, 0, 0, 0, 0, 0, 1000]
    assert figures.daily_limit == 2_000_000


def test_each_chart_says_in_words_what_it_shows(qtbot: object, make_window: Callable[..., Application]) -> None:
    charts = HomeCharts()
    days = [(date(2026, 11, 16) + timedelta(days=n), 100_000 * n) for n in range(7)]
    weeks = [(date(2026, 10, 27), 1), (date(2026, 11, 3), 3), (date(2026, 11, 10), 0), (date(2026, 11, 17), 2)]
    charts.show_figures(Figures(weeks, days, 1_000_000))
    assert "6 resources and discussions came or changed in four weeks, 2 in the last seven days." in words_of(
        charts
    )
    assert "600 KB of 1.0 MB used today." in words_of(charts)
    came, used = charts.findChildren(Bars)
    assert came.accessibleName() == "What came, week by week"
    assert "27 Oct: 1. 3 Nov: 3. 10 Nov: 0. 17 Nov: 2." in came.accessibleDescription()
    assert used.limit == 1_000_000
    assert "Sun: 600 KB." in used.accessibleDescription()


def test_where_there_is_nothing_to_say_nothing_is_there(
    tmp_path: Path, make_window: Callable[..., Application], settle: Callable[[Application], None]
) -> None:
    home = tmp_path / "old"
    home.mkdir()
    with Own(home / "own.db") as own:
        own.set_setting("hub_url", "http://127.0.0.1:9")
    with Library(home / "library.db") as library:
        library.apply("s", [changed(1, 400)], Cursor(1, 1))
    application = make_window(home)
    settle(application)
    page = application.window.findChild(HomePage)
    assert page is not None
    assert page.charts.isHidden()


def test_bars_mirror_and_a_small_value_is_seen() -> None:
    bars = Bars("x", "y", [Bar(1, "1", "a"), Bar(10_000, "10,000", "b"), Bar(0, "0", "c")])
    bars.resize(400, bars.sizeHint().height())
    first, second, third = bars.places()
    assert first.left() < second.left() < third.left()
    assert (first.height(), third.height()) == (2, 0)
    assert second.height() > 40
    bars.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    assert [place.left() for place in bars.places()] == [
        400 - one.left() - one.width() for one in (first, second, third)
    ]


@pytest.mark.parametrize(("height", "shown"), [(900, True), (500, False)])
def test_on_a_low_page_the_words_stay(qtbot: object, height: int, shown: bool) -> None:
    page = QLabel()
    page.resize(900, height)
    charts = HomeCharts()
    charts.setParent(page)
    charts.show_figures(Figures([(date(2026, 11, 17), 2)], [], 0))
    assert charts.findChildren(Bars)[0].isVisibleTo(page) == shown
    assert any("came or changed" in words for words in words_of(charts))
    assert QApplication.instance() is not None
