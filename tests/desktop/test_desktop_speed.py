"""The window stays at hand: what it loads to start, and how long it is away while content arrives."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from desktop.app import Application
from desktop.navigation import Place
from desktop.widgets.cards import CardRow
from desktop.widgets.paged_cards import PagedCards
from resources_cache import precedence
from resources_cache.library import Cursor, Library

Make = Callable[..., Application]
Settle = Callable[[Application], None]
WORDS = [
    "connectivity",
    "school",
    "tablet",
    "teacher",
    "budget",
    "server",
    "solar",
    "learning",
    "ministry",
    "district",
    "reading",
    "data",
    "offline",
]


def records(start: int, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for n in range(start, start + count):
        text = " ".join(WORDS[(n * 7 + i) % len(WORDS)] for i in range(80))
        found.append(
            {
                "id": f"gen{n:06}", "type": "resource",
                "title": f"{WORDS[n % 13].title()} report {n}", "summary": text,
                "lang": "en", "year": 2000 + n % 25, "themes": ["data-and-evidence"], "countries": ["KE"],
                "updated": f"2026-10-{1 + n % 28:02}T00:00:00Z",
            }
        )  # fmt: skip
    return found


def test_the_start_loads_only_what_home_needs() -> None:
    code = (
        "import sys\nfrom desktop.app import Application\nfrom desktop.window import MainWindow\n"
        "import desktop.pages.home\n"
        "heavy = ['PySide6.QtPdf', 'PySide6.QtPdfWidgets', 'PySide6.QtNetwork', 'requests', 'sync.engine', 'nh3',"
        " 'sqlite_utils', 'pysqlite3', 'cryptography', 'desktop.pages.library']\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_the_window_answers_while_content_arrives(
    make_window: Make, settle: Settle, home: Path, qtbot: Any, capsys: Any
) -> None:
    application = make_window(home)
    settle(application)
    for name in ("library", "discussions", "search"):  # made before: their making is measured by nobody waiting
        application.context.navigator.go(Place(name))
        settle(application)
    done, written = threading.Event(), [0]

    def write() -> None:
        with Library(home / "library.db") as library:
            while not done.is_set() and written[0] < 20_000:
                library.apply("public/cards/gen", records(written[0], 250), Cursor(1, written[0] + 1))
                written[0] += 250

    gaps: list[float] = []
    last = [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        gaps.append(now - last[0])
        last[0] = now

    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(tick)
    writer = threading.Thread(target=write)
    last[0] = time.perf_counter()
    timer.start()
    writer.start()
    try:
        for step in range(24):
            name = ("library", "search", "home", "discussions")[step % 4]
            application.context.navigator.go(Place(name, query="school budget" if name == "search" else ""))
            qtbot.wait(80)
            application.context.sync.arrived.emit()
            qtbot.wait(40)
    finally:
        timer.stop()
        done.set()
        writer.join(30)
    settle(application)
    gaps.sort()
    worst, p99 = gaps[-1] * 1000, gaps[int(len(gaps) * 0.99)] * 1000
    figures = f"longest gap of the event loop {worst:.0f} ms, 99 % under {p99:.0f} ms, {written[0]} records"
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")
    assert written[0] > 0
    assert worst < 500


def test_the_source_of_what_is_imported_is_not_read(tmp_path: Path) -> None:
    code = (
        "from desktop.import_scan import skip_import_scan\nskip_import_scan()\n"
        "import desktop.app, desktop.window, desktop.pages.library, linecache\n"
        "print(sum(name.endswith('.py') and 'desktop' in name for name in linecache.cache))\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "0", done.stdout + done.stderr


def test_the_stores_wait_from_what_a_person_did_until_it_is_drawn(
    make_window: Make, settle: Settle, home: Path, qtbot: Any
) -> None:
    application = make_window(home)
    settle(application)
    before = precedence.holder()
    application.context.navigator.go(Place("library"))
    assert (before, precedence.holder()) == (0, threading.get_ident())
    qtbot.waitUntil(lambda: precedence.holder() == 0)
    settle(application)
    assert precedence.holder() == 0


def test_more_rows_at_the_top_keep_the_chosen_record_chosen(make_window: Make, settle: Settle, home: Path) -> None:
    with Library(home / "library.db") as library:
        library.apply("public/cards/en", records(0, 300), Cursor(1, 2))
    application = make_window(home)
    application.context.navigator.go(Place("library"))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    page.list.setCurrentIndex(page.list.cards.index(3, 0))
    chosen, total = page.list.current_row().id, page.list.cards.total
    newer = [{**record, "updated": f"2026-11-{n + 1:02}T00:00:00Z"} for n, record in enumerate(records(900, 5))]
    with Library(home / "library.db") as library:
        library.apply("public/cards/en", newer, Cursor(1, 3))
    page.refresh()
    settle(application)
    assert page.list.cards.total == total + 5
    assert page.list.current_row().id == chosen
    assert page.list.currentIndex().row() == 8
    with Library(home / "library.db") as library:
        library.apply("public/cards/en", [{"id": chosen, "deleted": True}], Cursor(1, 4))
    page.refresh()
    settle(application)
    assert page.list.cards.total == total + 4
    assert page.list.current_row() is None


def test_few_rows_stay_laid_out(make_window: Make, settle: Settle, home: Path) -> None:
    with Library(home / "library.db") as library:
        library.apply("public/cards/en", records(0, 600), Cursor(1, 2))
    application = make_window(home)
    application.context.navigator.go(Place("library"))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    kept = page.list.itemDelegate()._laid_out
    page.list.viewport().repaint()
    before = list(kept.values())
    page.list.viewport().repaint()
    assert before
    assert list(kept.values()) == before  # drawn again, not laid out again
    for row in range(0, 600, 5):
        page.list.scrollTo(page.list.cards.index(row, 0))
        page.list.viewport().repaint()
    assert len(kept) <= 100


def test_a_list_that_becomes_a_thousand_times_as_long_is_a_new_one(qtbot: QtBot) -> None:
    """Qt puts rows into a list one by one: the last filter taken away stopped the window for two seconds."""
    cards = PagedCards()
    first = [CardRow(id=str(at), title=str(at)) for at in range(60)]
    cards.set_rows(first[:10], 10)
    with qtbot.assertNotEmitted(cards.modelReset), qtbot.waitSignal(cards.rowsInserted):
        cards.set_rows(first, 1_000)  # what a sync brings: what is chosen stays chosen
    with qtbot.assertNotEmitted(cards.rowsInserted), qtbot.waitSignal(cards.modelReset):
        cards.set_rows(first, 100_000)
    assert cards.rowCount() == 100_000
