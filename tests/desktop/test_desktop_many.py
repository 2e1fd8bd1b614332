"""Many at once: rows chosen by mouse and keyboard, what is done with them and undone, and downloads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QWidget

from desktop import downloads
from desktop.app import Application
from desktop.error_words import words_of_code
from desktop.navigation import Place
from desktop.pages.library import LibraryPage
from desktop.pages.picked_bar import wanted_files
from desktop.pages.search import SearchPage
from desktop.pages.shelf import ShelfPage
from desktop.shelf import Shelf
from resources_cache.cards import Cursor
from resources_cache.downloads import Download
from resources_cache.files import FileStore
from resources_cache.library import Library
from resources_cache.own import Own
from sync.downloads import LIMITS, Arrived, SetAside, Standing
from sync.protocol.wire_json import sha256
from tests.desktop.test_desktop_books import put_file

Make = Callable[..., Application]
Settle = Callable[[Application], None]
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class FakeQueue:
    """Keeps to `desktop.downloads.Queue` and does what the test says."""

    made: list[FakeQueue] = []

    def __init__(self, _home: Path, on_event: Callable[[Any], None]) -> None:
        self.on_event = on_event
        self.calls: list[str] = []
        FakeQueue.made.append(self)

    def start(self) -> None:
        self.calls.append("start")

    def wake(self, first: str | None = None) -> None:
        self.calls.append(f"wake {first}")

    def hold(self, held: bool) -> None:
        self.calls.append(f"hold {held}")

    def set_metered(self, metered: bool) -> None:
        self.calls.append(f"metered {metered}")

    def stop(self, timeout: float = 5.0) -> bool:
        self.calls.append("stop")
        return True


@pytest.fixture(autouse=True)
def _queues(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeQueue.made = []
    monkeypatch.setattr(downloads.Downloads.__init__, "__defaults__", (FakeQueue,))


@pytest.fixture
def window(make_window: Make, settle: Settle, home: Path) -> Application:
    application = make_window(home)
    settle(application)
    return application


def page(application: Application, settle: Settle, name: str, **place: Any) -> Any:
    application.context.navigator.go(Place(name, **place))
    settle(application)
    return application.window.stack.currentWidget()


def click(listed: Any, row: int, keys: Qt.KeyboardModifier) -> None:
    middle = listed.visualRect(listed.cards.index(row, 0)).center()
    QTest.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, keys, middle)


def ids(listed: Any, *rows: int) -> list[str]:
    return [listed.cards.card(row).id for row in rows]


def test_rows_are_chosen_with_the_mouse_and_none_opens(window: Application, settle: Settle) -> None:
    library = page(window, settle, "library")
    assert isinstance(library, LibraryPage)
    listed = library.list
    click(listed, 1, CTRL)
    click(listed, 3, SHIFT)
    click(listed, 2, CTRL)
    settle(window)
    assert listed.picked.ids() == ids(listed, 1, 3)
    assert not library.panes.reading
    assert library.chosen_bar.isVisible()
    assert library.chosen_bar.count.text() == "2 chosen"
    box = listed.visualRect(listed.cards.index(0, 0)).topLeft() + QPoint(20, 20)
    QTest.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, box)
    assert listed.picked.ids() == ids(listed, 1, 3, 0), "while some are chosen, a row's box chooses it"
    assert listed.cards.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole).startswith("Chosen: ")
    QTest.keyClick(listed, Qt.Key.Key_Escape)
    assert not library.chosen_bar.isVisible()
    click(listed, 0, Qt.KeyboardModifier.NoModifier)
    assert library.panes.reading, "a plain click opens, as before"


def test_rows_are_chosen_with_the_keyboard(window: Application, settle: Settle) -> None:
    listed = page(window, settle, "library").list
    listed.setFocus()
    QTest.keyClick(listed, Qt.Key.Key_Home)
    QTest.keyClick(listed, Qt.Key.Key_Space)
    QTest.keyClick(listed, Qt.Key.Key_Down)
    QTest.keyClick(listed, Qt.Key.Key_Down, SHIFT)
    assert set(listed.picked.ids()) == set(ids(listed, 0, 1, 2))
    QTest.keyClick(listed, Qt.Key.Key_Space)
    assert set(listed.picked.ids()) == set(ids(listed, 0, 1))


def test_all_that_the_filter_shows_is_chosen_and_stays_so(make_window: Make, settle: Settle, home: Path) -> None:
    many = [{"id": f"x{n:04}", "type": "resource", "title": f"T {n}", "lang": "sw"} for n in range(700)]
    with Library(home / "library.db") as library:
        library.apply("public/cards/xx", many, Cursor(1, 1))
    application = make_window(home)
    listed_page = page(application, settle, "library")
    listed_page.set_filters({"lang": "sw"})
    listed_page.refresh()
    settle(application)
    QTest.keyClick(listed_page.list, Qt.Key.Key_A, CTRL)
    settle(application)
    with Library(home / "library.db") as library:
        found = library.browse(("resource",), None, "newest", 0, 2000).items
    wanted = {card.id for card in found if card.lang == "sw"}
    assert set(listed_page.list.picked.ids()) == wanted
    assert len(wanted) >= 700
    listed_page.clear_filters()
    listed_page.sort.choose("title")
    listed_page.list.verticalScrollBar().setValue(10_000)
    settle(application)
    assert set(listed_page.list.picked.ids()) == wanted, "filters, sorting and paging leave it as it is"


def test_more_than_can_be_chosen_is_said(
    window: Application, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.widgets.picking.MOST", 5)
    library = page(window, settle, "library")
    library.list.pick_all()
    settle(window)
    assert len(library.list.picked) == 5
    assert library.chosen_bar.note.isVisible()
    assert "No more than" in library.chosen_bar.note.text()


def test_what_a_download_costs_is_said_before_and_it_waits_in_the_queue(
    window: Application, settle: Settle, home: Path
) -> None:
    with Own(home / "own.db") as own:
        own.set_setting("link_rate", 1000)
    library = page(window, settle, "library")
    library.list.pick_all()
    settle(window)
    bar = library.chosen_bar
    with Shelf(home) as shelf:
        wanted = wanted_files(shelf, library.list.picked.ids())
    assert wanted.bytes > 100_000
    assert wanted.seconds == wanted.bytes / 1000
    assert bar.download.isVisible()
    assert bar.download.text().startswith("Download (")
    bar.download.click()
    settle(window)
    with Own(home / "own.db") as own:
        assert own.downloads.items() == list(wanted.files)
    assert not len(library.list.picked)
    assert FakeQueue.made[0].calls[-1] == "start"


def test_what_would_be_evicted_is_said(window: Application, settle: Settle, home: Path) -> None:
    with Shelf(home) as shelf:
        old = shelf.files.put(b"x" * 2_000_000)
        shelf.own.set_setting("files_quota", 2_100_000)
    library = page(window, settle, "library")
    library.list.picked.add(ids(library.list, *range(20)))
    settle(window)
    assert library.chosen_bar.note.isVisible()
    assert library.chosen_bar.note.text() == "To make room, 1 file read long ago goes (2.0 MB)."
    with Shelf(home) as shelf:
        assert old in shelf.files.hashes(), "saying so removes nothing"


def test_search_results_are_saved_to_a_collection_cited_and_taken_out(
    window: Application, settle: Settle, home: Path, tmp_path: Path
) -> None:
    search = page(window, settle, "search", query="school")
    assert isinstance(search, SearchPage)
    rows = [n for n, row in enumerate(search.list.cards.rows) if row.kind == "resource"][:3]
    for row in rows:
        search.list.picked.add(ids(search.list, row))
    settle(window)
    chosen = search.list.picked.ids()
    bar = search.chosen_bar
    bar.cite_menu.save("RIS", tmp_path / "out.ris")
    settle(window)
    assert (tmp_path / "out.ris").read_text("utf-8").count("ER  -") == len(chosen) == 3
    bar._save_to("", "Radio lessons")
    settle(window)
    with Own(home / "own.db") as own:
        (collection,) = own.collections.all()
        assert (collection.title, collection.count) == ("Radio lessons", 3)
    shelf = page(window, settle, "shelf")
    assert isinstance(shelf, ShelfPage)
    assert shelf.collection.isVisible()
    shelf.collection.choose(collection.id)
    settle(window)
    before = [row.id for row in shelf.list.cards.rows]
    assert set(before) == set(chosen)
    shelf.list.picked.add(before[:2])
    shelf.chosen_bar.remove.click()
    settle(window)
    assert [row.id for row in shelf.list.cards.rows] == before[2:]
    assert shelf.chosen_bar.count.text() == "2 removed"
    shelf.chosen_bar.undo.click()
    settle(window)
    assert [row.id for row in shelf.list.cards.rows] == before
    assert not shelf.chosen_bar.isVisible()


def test_saved_ones_and_files_come_back_when_removal_is_undone(
    make_window: Make, settle: Settle, home: Path, put_pdf: Callable[[Path], str]
) -> None:
    record = put_pdf(home)
    application = make_window(home)
    shelf = page(application, settle, "shelf")
    for tab in ("saved", "files"):
        shelf._choose(tab)
        settle(application)
        before = [row.id for row in shelf.list.cards.rows]
        assert before
        assert tab == "saved" or before == [record]
        shelf.list.picked.add(before)
        shelf.chosen_bar.remove.click()
        settle(application)
        assert shelf.list.cards.rows == []
        shelf.chosen_bar.undo.click()
        settle(application)
        assert [row.id for row in shelf.list.cards.rows] == before


@pytest.fixture
def queued(window: Application, settle: Settle, home: Path) -> Any:
    """My shelf at its downloads, with three files in the queue."""
    with Own(home / "own.db") as own:
        own.downloads.add(Download(letter * 64, "r", f"{letter}.pdf", 1_000_000) for letter in "abc")
    window.context.downloads.go_on()
    settle(window)
    return page(window, settle, "shelf", tab="downloads")


def names(shelf: ShelfPage) -> str:
    return "".join(row.title[0] for row in shelf.list.cards.rows)


def test_the_queue_is_ordered_paused_and_cancelled(
    window: Application, settle: Settle, home: Path, queued: ShelfPage
) -> None:
    bar = queued.queue
    assert names(queued) == "abc"
    queued.list.choose("c" * 64)
    bar.moves["first"].click()
    settle(window)
    assert names(queued) == "cab"
    assert FakeQueue.made[0].calls[-1] == f"wake {'c' * 64}", "what is first now is what should come"
    assert not bar.moves["up"].isEnabled()
    bar.moves["down"].click()
    settle(window)
    assert names(queued) == "acb"
    bar.one.click()
    settle(window)
    assert [badge.text for badge in queued.list.cards.rows[1].badges][-1] == "Paused"
    assert bar.one.text() == "Go on"
    bar.all.click()
    settle(window)
    assert FakeQueue.made[0].calls[-1] == "wake ", "nothing should come"
    assert bar.all.text() == "Go on with all"
    bar.all.click()
    bar.cancel.click()
    settle(window)
    assert names(queued) == "ab"
    bar.undo.click()
    settle(window)
    assert names(queued) == "abc"
    with Own(home / "own.db") as own:
        assert [one.paused for one in own.downloads.items()] == [False] * 3


def test_the_queue_hears_what_the_system_says_of_the_network(window: Application, queued: ShelfPage) -> None:
    calls = FakeQueue.made[0].calls
    window.context.sync.metered.emit(True)
    assert calls[-1] == "metered True"
    window.context.sync.network_changed.emit()
    assert calls[-1] == "wake None"
    window.context.sync.metered.emit(False)
    assert calls[-1] == "metered False"


def test_what_comes_and_why_nothing_does_is_said(
    window: Application, settle: Settle, home: Path, queued: ShelfPage
) -> None:
    tell, bar = FakeQueue.made[0].on_event, queued.queue
    for why, words in downloads.WHY.items():
        tell(Standing(why=why))
        settle(window)
        assert bar.why.text() == words
        assert bar.why.isVisible()
    tell(Standing("a" * 64, 250_000, 1_000_000, 10_000.0))
    settle(window)
    assert bar.why.text() == "Coming: \u2068a.pdf\u2069, 250 KB of 1.0 MB, about 1 min"
    assert bar.bar.isVisible()
    assert bar.bar.value() == 250
    said: list[str] = []
    window.context.notices.said.connect(said.append)
    with Own(home / "own.db") as own:
        gone = own.downloads.items()[0]
        own.downloads.remove(gone.hash)
        own.downloads.set_aside("b" * 64, "file-damaged")
    tell(Arrived(gone))
    tell(SetAside(own_download("b"), "file-damaged"))
    tell(Standing())
    settle(window)
    assert said == ["\u2068a.pdf\u2069 is here."]
    assert names(queued) == "bc"
    assert queued.list.cards.rows[0].badges[-1].text == "Could not come"
    assert queued.list.cards.rows[0].line


@pytest.fixture
def file_row(window: Application, settle: Settle, home: Path) -> Any:
    """The line of files over a resource whose file is not here."""
    data = b"%PDF-1.4 the file of a resource"
    record = put_file(home, data, "river.pdf", "application/pdf")
    (home / "files" / sha256(data)[:2] / sha256(data)).unlink()
    window.context.navigator.go(Place("library", record=record))
    settle(window)
    return window.window.stack.currentWidget().reader.files


def offered(line: QWidget) -> list[str]:
    return [made.text() for made in line.findChildren(QPushButton)]


def press(window: Application, settle: Settle, line: QWidget, words: str) -> None:
    next(made for made in line.findChildren(QPushButton) if made.text() == words).click()
    settle(window)


def said(line: QWidget) -> str:
    return " ".join(made.text() for made in line.findChildren(QLabel))


def test_the_file_over_a_text_comes_first_in_the_queue_and_can_be_stopped(
    window: Application, settle: Settle, home: Path, file_row: Any
) -> None:
    with Own(home / "own.db") as own:
        own.downloads.add([own_download("a")])
    assert offered(file_row) == ["Download (31 B)"]
    press(window, settle, file_row, "Download (31 B)")
    with Own(home / "own.db") as own:
        first, second = own.downloads.items()
    assert (first.name, first.size, second.name) == ("river.pdf", 31, "a.pdf")
    assert "It comes in a moment." in said(file_row)
    tell = FakeQueue.made[0].on_event
    tell(Standing(first.hash, 0, 31))
    settle(window)
    tell(Standing(first.hash, 10, 31, 5.0))
    settle(window)
    (bar,) = file_row.findChildren(QProgressBar)
    assert (bar.value(), bar.maximum()) == (10, 31)
    assert offered(file_row) == ["Stop"]
    press(window, settle, file_row, "Stop")
    assert offered(file_row) == ["Download (31 B)"]
    with Own(home / "own.db") as own:
        assert own.downloads.items() == [second]


def test_the_file_over_a_text_says_why_it_waits_and_is_let_past_ones_own_limits(
    window: Application, settle: Settle, home: Path, file_row: Any
) -> None:
    press(window, settle, file_row, "Download (31 B)")
    tell = FakeQueue.made[0].on_event
    for why in ("held", "metered", "hours", "budget", "offline", "portal", "hub", "room"):
        tell(Standing(why=why))
        settle(window)
        assert downloads.WHY[why] in said(file_row)
        anyway = ["Download anyway (31 B)"] if why in LIMITS else []
        assert offered(file_row) == [*anyway, "Stop"]
    tell(Standing("a" * 64, 1, 2))
    settle(window)
    assert "Waiting until another file is here." in said(file_row)
    tell(Standing(why="hours"))
    settle(window)
    press(window, settle, file_row, "Download anyway (31 B)")
    with Own(home / "own.db") as own:
        (one,) = own.downloads.items()
    assert one.anyway
    assert offered(file_row) == ["Stop"]
    with Own(home / "own.db") as own:
        own.downloads.set_aside(one.hash, "file-damaged")
    tell(SetAside(one, "file-damaged"))
    settle(window)
    assert offered(file_row) == ["Try again", "Stop"]
    assert words_of_code("file-damaged").sentence in said(file_row)
    press(window, settle, file_row, "Try again")
    with Own(home / "own.db") as own:
        assert not own.downloads.items()[0].problem
        own.downloads.remove(one.hash)
    FileStore(home / "files", 10**9).put(b"%PDF-1.4 the file of a resource")
    tell(Arrived(one))
    settle(window)
    assert offered(file_row) == ["Read the PDF"]


def own_download(letter: str) -> Download:
    return Download(letter * 64, "r", f"{letter}.pdf", 1_000_000)


def test_downloads_wait_while_a_sync_runs_or_all_is_paused(
    window: Application, settle: Settle, queued: ShelfPage
) -> None:
    queue = FakeQueue.made[0]
    window.context.sync.start()
    window.context.sync.pause()
    assert queue.calls[-1] == "hold True"
    window.context.sync.resume()
    assert queue.calls[-1] == "hold False"
    queued.queue.metered.click()
    window.context.downloads.set_metered(True)
    settle(window)
    assert queue.calls[-2:] == ["metered True", f"wake {'a' * 64}"]
