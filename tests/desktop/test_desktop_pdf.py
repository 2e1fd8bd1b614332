"""A PDF is read, marked and found again like a text; a hostile one ends in words, within its bounds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, QSizeF, Qt
from PySide6.QtGui import QPageSize, QPainter, QPdfWriter
from PySide6.QtTest import QTest

from desktop.app import Application
from desktop.navigation import Place
from desktop.reading import pdf_pages
from desktop.reading.pdf_lists import KEPT
from desktop.reading.pdf_view import PdfView
from desktop.reading.unreadable import Unreadable
from resources_cache.own import FilePlace, Own

Make = Callable[..., Application]
Settle = Callable[[Application], None]


def write(path: Path, pages: int, size: tuple[float, float] = (595, 842)) -> Path:
    """A PDF with one line of words on each page."""
    writer = QPdfWriter(str(path))
    writer.setPageSize(QPageSize(QSizeF(*size), QPageSize.Unit.Point))
    writer.setResolution(72)
    painter = QPainter(writer)
    for page in range(pages):
        if page:
            writer.newPage()
        painter.drawText(60, 80, f"The well number {page + 1} is mended by the district")
    painter.end()
    return path


@pytest.fixture
def read(make_window: Make, settle: Settle, home: Path, put_pdf: Callable[[Path], str]) -> Callable[[], Any]:
    """Opens a PDF of three pages in the window, and gives its reader."""
    record = put_pdf(home)
    application = make_window(home)

    def open_it() -> Any:
        application.context.navigator.go(Place("library", record=record))
        settle(application)
        page: Any = application.window.stack.currentWidget()
        page.reader.application = application
        page.reader.files.open_first()
        settle(application)
        assert isinstance(page.reader.file.view, PdfView)
        return page.reader

    return open_it


def drag_over(view: PdfView, page: int, words: str) -> None:
    """Select words as a person does: press before them, move behind them, let go."""
    pages = view.pages
    at = pages.page_words(page).index(words)
    lines = pages._bounds_of(page * pdf_pages.PAGE + at, page * pdf_pages.PAGE + at + len(words))
    assert lines, words
    first, last = (pages._on_view(page, line) for line in (lines[0], lines[-1]))
    start = QPoint(round(first.left() + 1), round(first.center().y()))
    end = QPoint(round(last.right()), round(last.center().y()))
    QTest.mousePress(pages.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(pages.viewport(), start + QPoint(4, 0))
    move(pages, end)
    QTest.mouseRelease(pages.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)


def move(pages: Any, end: QPoint) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    there = QPointF(end)
    event = QMouseEvent(QEvent.Type.MouseMove, there, pages.viewport().mapToGlobal(there), left, left, none)
    pages.mouseMoveEvent(event)


def test_words_of_a_page_are_highlighted_noted_and_found(
    read: Callable[[], Any], settle: Settle, home: Path, qtbot: Any
) -> None:
    reader = read()
    application = reader.application
    drag_over(reader.file.view, 0, "Tablets that hold")
    assert reader.pencil.bar.isVisible()
    assert reader.pencil.bar.parent() is reader.file.view.pages
    reader.pencil.highlight("green")
    reader.pencil.note()
    reader.notes.field.setPlainText("Ask which ones")
    reader.notes.flush()
    settle(application)
    with Own(home / "own.db") as own:
        (kept,) = own.annotations.everything()
    assert (kept.anchor.quote, kept.page, kept.colour, kept.note) == (
        "Tablets that hold", 0, "green", "Ask which ones",
    )  # fmt: skip
    assert kept.file == reader.file.hash
    assert kept.anchor.start == reader.file.view.pages.page_words(0).index(kept.anchor.quote)
    image = reader.file.view.pages.viewport().grab().toImage()
    bounds = reader.file.view.pages._on_view(0, reader.file.view.pages._bounds[kept.id][0])
    across = range(round(bounds.left()), round(bounds.right()) + 1)
    down = range(round(bounds.top()), round(bounds.bottom()) + 1)
    seen = {image.pixelColor(x, y).name() for x in across for y in down}
    assert pdf_pages.LIGHT.green in seen

    # In the text it stands under another heading, and a press on it opens the file there.
    reader._show_text()
    settle(application)
    assert "In a file" in [row.title for row in reader.notes.list.cards.rows]
    assert reader.text.extraSelections() == []
    reader.pencil._go(kept.id)
    settle(application)
    assert isinstance(reader.file.view, PdfView)
    assert reader.pencil._chosen == kept.id
    application.context.navigator.go(Place("search", query="ask which ones"))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    assert reader.record in {row.id for row in page.list.cards.rows if row.kind == "note"}


def test_a_line_is_marked_once(read: Callable[[], Any]) -> None:
    pages = read().file.view.pages
    words = pages.page_words(0)
    lines = pages._bounds_of(0, len(words.rstrip()))
    assert 3 < len(lines) < 40
    for one, other in itertools.pairwise(lines):
        assert not one.adjusted(0, 3, 0, -3).intersects(other.adjusted(0, 3, 0, -3)), (one, other)


def test_the_place_and_size_of_a_pdf_are_kept(read: Callable[[], Any], settle: Settle, home: Path) -> None:
    reader = read()
    reader.file.view.pages.set_zoom(1.5)
    reader.file.view.pages.go_to(2, 0.25)
    hash_ = reader.file.hash
    reader._show_text()
    settle(reader.application)
    with Own(home / "own.db") as own:
        place = own.file_place(hash_)
    assert (place.page, place.zoom) == (2, 1.5)
    assert place.within == pytest.approx(0.25, abs=0.02)
    again = read().file.view.place
    assert (again.page, again.zoom) == (2, 1.5)
    assert again.within == pytest.approx(0.25, abs=0.02)


def test_home_leads_back_to_the_file_also_the_next_day(
    make_window: Make, settle: Settle, home: Path, put_pdf: Callable[[Path], str]
) -> None:
    record = put_pdf(home)
    application = make_window(home)
    application.context.navigator.go(Place("library", record=record))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    page.reader.files.open_first()
    settle(application)
    page.reader.file.view.pages.go_to(1, 0.4)
    application.window.close()
    settle(application)
    again = make_window(home)
    settle(again)
    start: Any = again.window.pages["home"]
    row = next(row for row in start.list.cards.rows if row.id == record)
    start.list.opened.emit(row)
    settle(again)
    reader = again.window.stack.currentWidget().reader  # type: ignore[attr-defined]
    assert isinstance(reader.file.view, PdfView)
    assert reader.file.view.place.page == 1

    # Who went back to the text comes back to the text.
    reader._show_text()
    settle(again)
    again.context.navigator.go(Place("sync"))
    again.context.navigator.go(Place("library", record=record, resume=True))
    settle(again)
    assert reader.file.view is None


def test_small_pages_have_names_and_lead_to_theirs(read: Callable[[], Any], qtbot: Any) -> None:
    view = read().file.view
    pages = view.small.pages
    assert [pages.data(pages.index(n, 0), Qt.ItemDataRole.AccessibleTextRole) for n in range(3)] == [
        "Page 1", "Page 2", "Page 3",
    ]  # fmt: skip
    qtbot.waitUntil(
        lambda: pages.data(pages.index(1, 0), Qt.ItemDataRole.DecorationRole) is not None, timeout=5000
    )
    view._show_side(True)
    view.small.setFocus()
    QTest.keyClick(view.small, Qt.Key.Key_End)
    assert view.pages.page() == 2
    view.pages.go_to(0)
    assert view.small.currentIndex().row() == 0


def test_places_found_are_counted_listed_and_selected(read: Callable[[], Any], qtbot: Any) -> None:
    reader = read()
    view = reader.file.view
    qtbot.waitUntil(lambda: view.find_words("Offline first") == 3, timeout=5000)
    assert view.found.model().rowCount() == 3
    assert view.found.model().index(2, 0).data().startswith("Page 3: ")
    assert "Offline first: part 3" in view.found.model().index(2, 0).data()
    view.find_words("Offline first")
    assert view.pages.selected_words().startswith("Offline")
    view.found.chosen.emit(2)
    assert view.pages.page() == 2


def test_ten_thousand_pages_open_at_once_and_keep_little(tmp_path: Path, qtbot: Any) -> None:
    view = PdfView()
    qtbot.addWidget(view)
    view.resize(900, 700)
    view.show()
    view.open(write(tmp_path / "long.pdf", 10_000), FilePlace(page=9_000))
    assert view.pages.page() == 9_000
    assert view.pages._measured < 10_000, "the window does not wait until all are measured"
    qtbot.waitUntil(lambda: view.pages._measured == 10_000, timeout=20_000)
    assert view.pages.page() == 9_000
    for page in range(0, 10_000, 250):
        view.pages.go_to(page)
        view.small.scrollTo(view.small.pages.index(page, 0))
        qtbot.wait(5)
    assert sum(image.sizeInBytes() for image in view.pages._cache.values()) <= pdf_pages.MAX_CACHE
    assert len(view.small.pages._drawn) <= KEPT


def test_a_huge_page_is_drawn_within_its_bound(tmp_path: Path, qtbot: Any) -> None:
    view = PdfView()
    qtbot.addWidget(view)
    view.resize(900, 700)
    view.show()
    view.open(write(tmp_path / "huge.pdf", 1, (14_000, 14_000)), FilePlace(zoom=5.0))
    qtbot.waitUntil(lambda: 0 in view.pages._cache, timeout=20_000)
    image = view.pages._cache[0]
    assert image.width() * image.height() <= pdf_pages.MAX_PIXELS


LOCKED = b"""%%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>> endobj
4 0 obj <</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>> endobj
trailer <</Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]/Size 5>>
%%%%EOF
""" % (b"5a" * 32, b"a5" * 32)


def test_a_password_is_named_as_what_it_is(tmp_path: Path, qtbot: Any) -> None:
    (tmp_path / "locked.pdf").write_bytes(LOCKED)
    view = PdfView()
    qtbot.addWidget(view)
    with pytest.raises(Unreadable) as raised:
        view.open(tmp_path / "locked.pdf", FilePlace())
    assert raised.value.reason == "protected"


def test_damaged_and_protected_files_end_in_words(tmp_path: Path, qtbot: Any) -> None:
    whole = write(tmp_path / "whole.pdf", 2).read_bytes()
    for data in (b"%PDF-1.7", b"%PDF-1.7\n%%EOF", whole[:60]):
        (tmp_path / "bad.pdf").write_bytes(data)
        view = PdfView()
        qtbot.addWidget(view)
        with pytest.raises(Unreadable) as raised:
            view.open(tmp_path / "bad.pdf", FilePlace())
        assert raised.value.reason == "damaged"
