"""Reading with a pencil in the window: highlight, note, undo, cite, copy with source, print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QFont, QGuiApplication, QTextCursor
from PySide6.QtPdf import QPdfDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QToolButton, QWidget

from desktop.app import Application
from desktop.navigation import Place
from desktop.reading.notes_panel import WHOLE
from desktop.reading.printing import Sheet, file_name, save_pdf
from resources_cache.errors import StoreUnwritable
from resources_cache.library import Cursor, Library
from resources_cache.own import Own
from tests.desktop.test_desktop_access import CONTROLS, own_parts

Make = Callable[..., Application]
Settle = Callable[[Application], None]
RECORD = "pencil-1"
BODY = (
    "<h2>Wells</h2><p>Every school has a well. The pump 🚰 is mended by the district, which has two people for "
    "ninety schools.</p><h2>Logs</h2><p>Teachers keep a log. Every school has a log.</p>"
    + "<p>More of the same.</p>"
    * 60
)
STREAM = "public/cards/en"


def put(home: Path, body: str) -> None:
    with Library(home / "library.db") as library:
        record = {
            "id": RECORD,
            "type": "resource",
            "lang": "en",
            "title": "Wells & pumps",
            "authors": ["Amina Diallo"],
            "year": 2024,
            "updated": "2027-01-01T00:00:00Z",
            "url": "https://x.example/w",
        }
        text = {
            "id": f"{RECORD}-text",
            "type": "text",
            "resource": RECORD,
            "lang": "en",
            "format": "html",
            "body": body,
        }
        library.apply(STREAM, [record, text], library.cursors().get(STREAM, Cursor(1, 1)))


def read(application: Application, settle: Settle) -> Any:
    application.context.navigator.go(Place("library", record=RECORD))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    return page.reader


def select(reader: Any, words: str) -> None:
    cursor = reader.text.document().find(words)
    assert not cursor.isNull(), words
    reader.text.setTextCursor(cursor)


def button(reader: QWidget, name: str) -> QAbstractButton:
    for found in reader.findChildren(QAbstractButton):
        if found.accessibleName() == name and found.isVisible():
            return found
    raise AssertionError(f"no button {name!r}")


def shown(reader: Any) -> list[str]:
    """The words that are drawn on a coloured ground."""
    return [mark.cursor.selectedText() for mark in reader.text.extraSelections()]


def titles(reader: Any) -> list[str]:
    return [row.title for row in reader.notes.list.cards.rows]


@pytest.fixture
def shelf(home: Path) -> Path:
    put(home, BODY)
    return home


def test_select_highlight_and_note(make_window: Make, settle: Settle, shelf: Path, qtbot: Any) -> None:
    application = make_window(shelf)
    reader = read(application, settle)
    assert not reader.pencil.bar.isVisible()
    select(reader, "is mended by the district")
    assert reader.pencil.bar.isVisible()
    qtbot.mouseClick(button(reader, "Highlight in green"), Qt.MouseButton.LeftButton)
    settle(application)
    assert not reader.pencil.bar.isVisible()
    assert shown(reader) == ["is mended by the district"], "positions hold after a letter of two UTF-16 units"
    select(reader, "Teachers keep a log")
    qtbot.mouseClick(button(reader, "Note"), Qt.MouseButton.LeftButton)
    assert reader.notes.field.hasFocus()
    QTest.keyClicks(reader.notes.field, "Ask for one")
    qtbot.waitUntil(lambda: bool(saved(shelf)) and saved(shelf)[-1].note == "Ask for one", timeout=5000)
    assert [(one.anchor.quote, one.colour) for one in saved(shelf)] == [
        ("is mended by the district", "green"),
        ("Teachers keep a log", "green"),
    ]
    assert button(reader, "Notes (2)").isChecked()

    # All of it is there when the text is opened anew, and found by the search.
    application.context.navigator.go(Place("search", query="ask for one log"))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    assert RECORD in {row.id for row in page.list.cards.rows if row.kind == "note"}
    reader = read(application, settle)
    assert shown(reader) == ["is mended by the district", "Teachers keep a log"]
    assert titles(reader) == shown(reader)


def saved(home: Path) -> list[Any]:
    with Own(home / "own.db") as own:
        return own.annotations.of(RECORD)


def mark(application: Application, settle: Settle, reader: Any, *passages: str) -> None:
    for words in passages:
        select(reader, words)
        assert reader.pencil.highlight()
        settle(application)
    reader.show_notes()


def test_a_row_goes_to_its_place_and_a_place_to_its_row(make_window: Make, settle: Settle, shelf: Path) -> None:
    put(shelf, BODY + "<p>The very last words.</p>")
    application = make_window(shelf)
    reader = read(application, settle)
    mark(application, settle, reader, "Every school has a well", "very last words")
    reader.text.verticalScrollBar().setValue(0)
    last = reader.notes.list.cards.rows[-1]
    reader.notes.list.opened.emit(last)
    QApplication.processEvents()
    assert reader.text.verticalScrollBar().value() > 0
    place = reader.text.cursorRect(reader.text.document().find("very last words"))
    assert reader.text.viewport().rect().contains(place.center())
    reader.text.verticalScrollBar().setValue(0)
    where = reader.text.cursorRect(reader.text.document().find("school has a well"))
    QTest.mouseClick(reader.text.viewport(), Qt.MouseButton.LeftButton, pos=where.center() - QPoint(20, 0))
    assert reader.notes.list.current_row().title == "Every school has a well"


def test_delete_and_undo(make_window: Make, settle: Settle, shelf: Path) -> None:
    application = make_window(shelf)
    reader = read(application, settle)
    mark(application, settle, reader, "Every school has a well", "Teachers keep a log")
    before = saved(shelf)
    for passage in ("Every school has a well", "Teachers keep a log"):
        row = next(row for row in reader.notes.list.cards.rows if row.title == passage)
        reader.notes.list.opened.emit(row)
        button(reader, "Delete").click()
        settle(application)
    assert saved(shelf) == []
    assert shown(reader) == []
    button(reader, "Undo").click()
    settle(application)
    assert titles(reader) == ["Teachers keep a log"]
    button(reader, "Undo").click()
    settle(application)
    assert [one.anchor for one in saved(shelf)] == [one.anchor for one in before]
    with pytest.raises(AssertionError):
        button(reader, "Undo")


def test_a_new_version_of_the_text(make_window: Make, settle: Settle, shelf: Path) -> None:
    application = make_window(shelf)
    reader = read(application, settle)
    mark(
        application,
        settle,
        reader,
        "Teachers keep a log",
        "two people for ninety schools",
        "Every school has a well",
    )
    newer = BODY.replace("Every school has a well. ", "").replace("ninety schools", "eighty schools")
    put(shelf, "<p>A new foreword.</p>" * 9 + newer)
    reader.refresh()
    settle(application)
    assert shown(reader) == ["two people for eighty schools", "Teachers keep a log"]
    assert titles(reader) == [
        "two people for ninety schools",
        "Teachers keep a log",
        "Not in this version any more",
        "Every school has a well",
    ]
    put(shelf, BODY)
    reader.refresh()
    settle(application)
    assert len(shown(reader)) == 3, "what came back is where it was"


def test_with_the_keyboard_alone(make_window: Make, settle: Settle, shelf: Path, qtbot: Any) -> None:
    application = make_window(shelf)
    reader = read(application, settle)
    application.window.activateWindow()
    text, keys = reader.text, Qt.KeyboardModifier
    text.setFocus()
    QTest.keyClick(text, Qt.Key.Key_F7)
    assert text.caret
    text.moveCursor(QTextCursor.MoveOperation.Start)
    for _ in range(5):
        QTest.keyClick(text, Qt.Key.Key_Right, keys.ShiftModifier)
    assert text.textCursor().selectedText() == "Wells"
    QTest.keyClick(text, Qt.Key.Key_H, keys.ControlModifier | keys.ShiftModifier)
    settle(application)
    assert [one.anchor.quote for one in saved(shelf)] == ["Wells"]
    QTest.keyClick(text, Qt.Key.Key_N, keys.ControlModifier | keys.ShiftModifier)
    qtbot.waitUntil(reader.notes.field.hasFocus, timeout=2000)
    QTest.keyClicks(reader.notes.field, "mine")
    reader.notes.flush()
    settle(application)
    assert saved(shelf)[0].note == "mine"
    reader.notes.list.setFocus()
    QTest.keyClick(reader.notes.list, Qt.Key.Key_Delete)
    settle(application)
    assert saved(shelf) == []
    with Own(shelf / "own.db") as own:
        assert own.note(RECORD) == ""
    button(reader, "Undo").setFocus()
    QTest.keyClick(button(reader, "Undo"), Qt.Key.Key_Space)
    settle(application)
    assert saved(shelf)[0].note == "mine"
    text.setFocus()
    QTest.keyClick(text, Qt.Key.Key_F7)
    assert not text.caret


def test_a_note_on_the_whole_text(make_window: Make, settle: Settle, shelf: Path) -> None:
    application = make_window(shelf)
    reader = read(application, settle)
    reader.show_notes()
    button(reader, "Note on the whole text").click()
    QTest.keyClicks(reader.notes.field, "For the June meeting")
    application.context.notices.closing.emit()
    settle(application)
    with Own(shelf / "own.db") as own:
        assert own.note(RECORD) == "For the June meeting"
    assert [row.id for row in reader.notes.list.cards.rows] == [WHOLE]
    reader.notes.removed.emit(WHOLE)
    reader.notes.undone.emit()
    settle(application)
    with Own(shelf / "own.db") as own:
        assert own.note(RECORD) == "For the June meeting"


def test_what_could_not_be_kept_is_not_shown_as_kept(
    make_window: Make, settle: Settle, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resources_cache.annotations import Annotations
    from resources_cache.errors import DiskFull

    application = make_window(shelf)
    reader = read(application, settle)
    mark(application, settle, reader, "Teachers keep a log")
    problems: list[object] = []
    application.context.notices.problem.connect(problems.append)

    def full(*_arguments: object) -> None:
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(Annotations, "put", full)
    select(reader, "Every school has a well")
    reader.pencil.highlight()
    settle(application)
    assert len(problems) == 1
    assert shown(reader) == ["Teachers keep a log"]


def test_only_texts_can_be_marked(make_window: Make, settle: Settle, shelf: Path) -> None:
    application = make_window(shelf)
    reader = read(application, settle)
    select(reader, "   ") if "   " in reader.text.toPlainText() else None
    assert reader.pencil.highlight() == ""
    with Library(shelf / "library.db") as library:
        thread = library.latest(("thread",), limit=1)[0].id
    application.context.navigator.go(Place("discussions", record=thread))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    page.reader.text.selectAll()
    assert not page.reader.pencil.bar.isVisible()
    assert page.reader.pencil.highlight() == ""


def test_copy_with_source_and_plain(make_window: Make, settle: Settle, shelf: Path) -> None:
    application = make_window(shelf)
    reader = read(application, settle)
    select(reader, "Teachers keep a log")
    reader.copy_with_source()
    assert QGuiApplication.clipboard().text() == (
        "Teachers keep a log\n\nAmina Diallo (2024). Wells & pumps.\nhttps://x.example/w\n"
        f"Sample hub: hubshelf://resource/{RECORD}"
    )
    assert "Wells &amp; pumps" in QGuiApplication.clipboard().mimeData().html()
    reader.text.copy()
    assert QGuiApplication.clipboard().text() == "Teachers keep a log"


def test_cite_copy_and_files(make_window: Make, settle: Settle, shelf: Path, tmp_path: Path) -> None:
    application = make_window(shelf)
    reader = read(application, settle)
    names = [action.text() for action in reader.cite_menu.actions() if action.text()]
    assert len(names) == 7
    reader.cite_menu.copy("mla")
    settle(application)
    assert (
        QGuiApplication.clipboard().text().startswith("Diallo, Amina. Wells & Pumps. 2024, https://x.example/w.")
    )
    assert "<i>" in QGuiApplication.clipboard().mimeData().html()
    problems: list[Any] = []
    application.context.notices.problem.connect(problems.append)
    reader.cite_menu.save("RIS", tmp_path / "no such folder" / "one.ris")
    settle(application)
    assert [problem.error.code for problem in problems] == ["store-unwritable"]
    reader.cite_menu.save("RIS", tmp_path / "one.ris")
    reader.cite_menu.save("BibTeX", tmp_path / "one.bib")
    settle(application)
    assert "AU  - Diallo, Amina\r\n" in (tmp_path / "one.ris").read_bytes().decode()
    assert "author = {Diallo, Amina}" in (tmp_path / "one.bib").read_text("utf-8")
    application.context.navigator.go(Place("shelf"))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    page.cite.menu().save("RIS", tmp_path / "saved.ris")
    settle(application)
    with Own(shelf / "own.db") as own:
        assert (tmp_path / "saved.ris").read_text("utf-8").count("ER  -") == len(own.bookmarks()) == 3


def test_notes_as_markdown(make_window: Make, settle: Settle, shelf: Path, tmp_path: Path) -> None:
    application = make_window(shelf)
    reader = read(application, settle)
    mark(application, settle, reader, "Teachers keep a log")
    reader.pencil.save(tmp_path / "notes.md", reader.paper.source_of(reader._loaded))
    settle(application)
    written = (tmp_path / "notes.md").read_text("utf-8")
    assert written.startswith("# Wells & pumps\n\nAmina Diallo (2024). Wells & pumps.")
    assert "> Teachers keep a log\n>\n> (Yellow, " in written


def pdf_text(path: Path) -> list[str]:
    document = QPdfDocument()
    assert document.load(str(path)) is QPdfDocument.Error.None_
    found = [document.getAllText(page).text() for page in range(document.pageCount())]
    document.close()
    return found


def test_save_as_pdf(make_window: Make, settle: Settle, shelf: Path, tmp_path: Path) -> None:
    application = make_window(shelf)
    reader = read(application, settle)
    path = tmp_path / "wells.pdf"
    reader.paper.save(reader._loaded, reader._page, path)
    settle(application)
    pages = pdf_text(path)
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "https://x.example/w" in page
    whole = " ".join(" ".join(pages).split())
    assert whole.count("More of the same.") == 60, "no line is lost or doubled where pages end"
    assert "Teachers keep a log." in whole


def test_no_heading_stands_alone_at_the_foot_of_a_page(qapp: QApplication, tmp_path: Path) -> None:
    text = "<p>A line of the text before it.</p>"
    for lines in range(24, 50):
        html = f"<html><body>{text * lines}<h2>Pumps</h2><p>What follows.</p></body></html>"
        save_pdf(Sheet(html, "t", "s", "{page} {count}", QFont("DejaVu Sans")), tmp_path / "x.pdf")
        for page in pdf_text(tmp_path / "x.pdf"):
            assert ("Pumps" in page) == ("What follows." in page)


def test_pdf_of_other_scripts(qapp: QApplication, tmp_path: Path) -> None:
    sheet = Sheet("<html><body dir='rtl'><p>المدرسة دون اتصال</p></body></html>", "المدرسة", "مركز مدرار",
                  "صفحة {page} من {count}", QFont("DejaVu Sans"), right_to_left=True)  # fmt: skip
    assert save_pdf(sheet, tmp_path / "ar.pdf") == 1
    assert (tmp_path / "ar.pdf").read_bytes().startswith(b"%PDF-")
    assert pdf_text(tmp_path / "ar.pdf")[0].strip()


@pytest.mark.qt_log_ignore("QPdf|QPainter", extend=True)
def test_a_pdf_that_cannot_be_written(qapp: QApplication, tmp_path: Path) -> None:
    sheet = Sheet("<p>x</p>", "t", "s", "{page} {count}", QFont("DejaVu Sans"))
    with pytest.raises(StoreUnwritable):
        save_pdf(sheet, tmp_path / "no such folder" / "x.pdf")
    assert file_name("Wells / pumps: <1>\n", "pdf") == "Wells pumps 1.pdf"
    assert file_name("???", "md") == "hubshelf.md"


@pytest.mark.parametrize("lang", ["en", "fr", "ar"])
@pytest.mark.parametrize("size", [(1024, 640), (1600, 900)], ids=["1024x640", "1600x900"])
def test_the_notes_have_names_and_nothing_is_cut(
    make_window: Make, settle: Settle, shelf: Path, lang: str, size: tuple[int, int]
) -> None:
    (shelf / "window.json").write_text(f'{{"introduced": true, "language": "{lang}", "scheme": "light"}}')
    application = make_window(shelf, size)
    window = application.window
    reader = read(application, settle)
    mark(application, settle, reader, "Every school has a well", "Teachers keep a log")
    reader.notes.edit(reader.notes.list.cards.rows[0].id)
    select(reader, "two people")
    settle(application)
    assert (window.width(), window.height()) == size, "the notes made the window grow"
    assert reader.pencil.bar.isVisible()
    for widget in reader.findChildren(QWidget):
        if not widget.isVisible() or own_parts(widget) or not isinstance(widget, CONTROLS):
            continue
        face = QAccessible.queryAccessibleInterface(widget)
        name = face.text(QAccessible.Text.Name)
        assert name.strip(), f"{widget} has no name"
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, f"{name} is not reached by Tab"
        box = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
        assert window.rect().contains(box), f"{name} is off: {box}"
        if isinstance(widget, QAbstractButton):
            assert widget.width() >= widget.minimumSizeHint().width(), f"{name} is cut"
        if isinstance(widget, QToolButton):
            assert box.height() >= 20
