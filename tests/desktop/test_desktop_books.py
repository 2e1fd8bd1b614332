"""Books (EPUB) and pictures are read from files of anywhere: whole ones are shown, hostile ones end in words."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QBuffer, QIODevice, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from desktop.app import Application
from desktop.navigation import Place
from desktop.reading import epub, picture_file
from desktop.reading.book_view import BookView, read_shown
from desktop.reading.epub import open_book, read_chapter
from desktop.reading.image_view import ImageView
from desktop.reading.picture_file import read_picture
from desktop.reading.unreadable import Unreadable
from resources_cache.files import FileStore
from resources_cache.library import Library
from resources_cache.own import Own
from tests.desktop.epub_books import NAV, parts, write_book

Make = Callable[..., Application]
Settle = Callable[[Application], None]


def png(width: int = 40, height: int = 30, form: str = "PNG") -> bytes:
    """A real picture."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0x336699)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, form)
    return bytes(buffer.data().data())


def why(function: Callable[..., object], *given: object) -> str:
    with pytest.raises(Unreadable) as raised:
        function(*given)
    assert raised.value.words
    return raised.value.reason


def test_a_book_says_what_is_in_it(tmp_path: Path) -> None:
    book = open_book(write_book(tmp_path / "b.epub", parts(png())))
    assert (book.title, book.lang) == ("Schools by the river", "en")
    assert book.chapters == ("OPS/one.xhtml", "OPS/text/two.xhtml")
    assert [(e.words, e.chapter, e.anchor, e.level) for e in book.contents] == [
        ("The rains", 0, "", 0), ("The wells", 0, "wells", 1), ("The tablets", 1, "", 0),
    ]  # fmt: skip


def test_the_ncx_serves_where_there_is_no_navigation(tmp_path: Path) -> None:
    files = parts(png())
    files["OPS/nav.xhtml"] = NAV.replace("<a href", "<b href").replace("</a>", "</b>")
    book = open_book(write_book(tmp_path / "b.epub", files))
    assert [(e.words, e.chapter, e.level) for e in book.contents] == [
        ("Rains, by NCX", 0, 0), ("Tablets, by NCX", 1, 1),
    ]  # fmt: skip


def test_a_chapter_is_sanitised_and_looks_at_nothing_outside(tmp_path: Path) -> None:
    book = open_book(write_book(tmp_path / "b.epub", parts(png())))
    chapter = read_chapter(book, 0)
    assert chapter.pictures == ("OPS/map.png",)
    assert 'src="hubshelf-book:picture/0"' in chapter.html
    assert 'href="hubshelf-book:1#t"' in chapter.html
    assert 'href="https://example.org/wells"' in chapter.html
    assert '<a name="wells">' in chapter.html
    assert "A far picture" in chapter.html
    assert "A stolen file" in chapter.html
    for never in ("far.example", "passwd", "script", "alert", "onclick"):
        assert never not in chapter.html, never
    assert "<span>never</span>" in chapter.html
    assert "three" in chapter.html  # an empty title swallows nothing


def test_entities_are_not_expanded_nor_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    lols = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 50}">' for n in range(12))
    files = parts(png())
    files["OPS/one.xhtml"] = (
        f'<!DOCTYPE html [{lols}<!ENTITY x SYSTEM "file://{secret}">]>'
        '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>Seen &l11; &x;</p></body></html>'
    )
    html = read_chapter(open_book(write_book(tmp_path / "b.epub", files)), 0).html
    assert "Seen" in html
    assert "secret" not in html
    assert len(html) < 1000
    files["OPS/one.xhtml"] = '<!DOCTYPE html [<!ENTITY e "put in its place">]><html><body>Seen &e;</body></html>'
    html = read_chapter(open_book(write_book(tmp_path / "b.epub", files)), 0).html
    assert "Seen" in html
    assert "put in its place" not in html


def test_damaged_and_protected_books_end_in_words(tmp_path: Path) -> None:
    whole = write_book(tmp_path / "b.epub", parts(png())).read_bytes()
    for cut in (0, 1, 100, len(whole) // 2, len(whole) - 5):
        (tmp_path / "cut.epub").write_bytes(whole[:cut])
        assert why(open_book, tmp_path / "cut.epub") == "damaged"
    for missing in ("META-INF/container.xml", "OPS/book.opf", "OPS/one.xhtml"):
        files = parts(png())
        del files[missing]
        path = write_book(tmp_path / "m.epub", files)
        if missing == "OPS/one.xhtml":
            assert open_book(path).chapters == ("OPS/text/two.xhtml",)
        else:
            assert why(open_book, path) == "damaged"
    locked = parts(png())
    locked["META-INF/encryption.xml"] = (
        '<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/>'
        "</EncryptedData></encryption>"
    )
    assert why(open_book, write_book(tmp_path / "drm.epub", locked)) == "protected"
    fonts = parts(png())
    fonts["META-INF/encryption.xml"] = locked["META-INF/encryption.xml"].replace(  # type: ignore[union-attr,arg-type]
        "http://www.w3.org/2001/04/xmlenc#aes256-cbc", "http://www.idpf.org/2008/embedding"
    )
    assert open_book(write_book(tmp_path / "fonts.epub", fonts)).chapters


@pytest.mark.parametrize("seed", range(40))
def test_a_book_with_wrong_bytes_ends_in_a_page_or_in_words(tmp_path: Path, seed: int) -> None:
    import random

    chance = random.Random(seed)
    data = bytearray(write_book(tmp_path / "b.epub", parts(png())).read_bytes())
    for _time in range(chance.randint(1, 12)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path = tmp_path / "wrong.epub"
    path.write_bytes(data)
    ended: list[object] = []
    try:
        book = open_book(path)
        ended += [read_shown(book, number) for number in range(len(book.chapters))]
    except Unreadable as why_not:
        ended.append(why_not.words)
    assert ended
    assert all(ended)


def test_a_book_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = parts(png())
    bomb["OPS/one.xhtml"] = "<html><body><p>" + "a" * (epub.MAX_PART + 10) + "</p></body></html>"
    path = write_book(tmp_path / "bomb.epub", bomb)
    assert path.stat().st_size < 20_000
    assert why(read_chapter, open_book(path), 0) == "too-large"
    # The list of entries may say less than what comes out.
    data = bytearray(path.read_bytes())
    real = struct.pack("<I", len(bomb["OPS/one.xhtml"]))
    assert data.count(real) == 2
    (tmp_path / "liar.epub").write_bytes(data.replace(real, struct.pack("<I", 100)))
    assert why(read_chapter, open_book(tmp_path / "liar.epub"), 0) == "damaged"
    many = tmp_path / "many.epub"
    with zipfile.ZipFile(many, "w") as file:
        for number in range(epub.MAX_ENTRIES + 1):
            file.writestr(f"{number}", b"")
    assert why(open_book, many) == "too-large"


def test_a_page_nested_deeply_ends(tmp_path: Path) -> None:
    deep = parts(png())
    deep["OPS/one.xhtml"] = "<html><body>" + "<div>" * 20_000 + "deep" + "</div>" * 20_000 + "</body></html>"
    book = open_book(write_book(tmp_path / "deep.epub", deep))
    with suppress(Unreadable):
        assert len(read_chapter(book, 0).html) < epub.MAX_SHOWN


def test_pictures_are_bounded(qapp: QApplication) -> None:
    for form in ("PNG", "JPG", "WEBP"):
        assert read_picture(png(form=form)).size().toTuple() == (40, 30)
    assert why(read_picture, b"<svg/>") == "unknown"
    assert why(read_picture, png()[:40]) == "damaged"
    large = read_picture(png(2000, 1000), 500_000)
    assert large.width() * large.height() <= 500_000
    assert large.width() == 2 * large.height()
    # A header that says a million by a million: refused before a byte of it is unpacked.
    head = struct.pack(">IIBBBBB", 1_000_000, 1_000_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    assert why(read_picture, bomb) in ("too-large", "damaged")
    wide = png(10_000, 5_001)
    assert picture_file.MAX_PIXELS < 10_000 * 5_001
    assert why(read_picture, wide) == "too-large"


def put_file(home: Path, data: bytes, name: str, media_type: str) -> str:
    """Make these bytes the file of a resource; returns the resource's id."""
    with Library(home / "library.db") as library:
        for card in library.browse(("resource",), None, "newest", 0, 200).items:
            record = library.get(card.id)
            if record and record.get("files") and record["lang"] == "en":
                digest = FileStore(home / "files", 10**9).put(data)
                file = {"hash": digest, "size": len(data), "name": name, "media_type": media_type}
                library.apply(
                    "public/cards/en", [{**record, "files": [file]}], library.cursors()["public/cards/en"]
                )
                return card.id
    raise AssertionError("no English resource with a file in the sample")


def opened(application: Application, settle: Settle, record: str) -> Any:
    application.context.navigator.go(Place("library", record=record))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    page.reader.files.open_first()
    settle(application)
    return page.reader


def test_a_book_is_read_in_the_window_and_its_place_is_kept(
    make_window: Make, settle: Settle, home: Path, tmp_path: Path, qtbot: Any
) -> None:
    data = write_book(tmp_path / "b.epub", parts(png(900, 300))).read_bytes()
    record = put_file(home, data, "river.epub", "application/epub+zip")
    application = make_window(home)
    reader = opened(application, settle, record)
    view = reader.file.view
    assert isinstance(view, BookView)
    assert "It rained" in view.text.words()
    assert view.contents.model().rowCount() == 3
    assert view.text.accessibleName() == "Schools by the river"
    picture = view.text.loadResource(2, QUrl("hubshelf-book:picture/0"))
    assert 0 < picture.width() <= view.text.viewport().width()
    assert reader._reader()("wells") == 1
    view.text.anchorClicked.emit(QUrl("hubshelf-book:1#t"))
    settle(application)
    assert "day of charging" in view.text.words()
    assert view.place.page == 1
    reader._show_text()
    settle(application)
    assert reader.file.view is None
    assert opened(application, settle, record).file.view.place.page == 1


def test_a_book_takes_the_pencil_and_is_open_again_in_its_tab(
    make_window: Make, settle: Settle, home: Path, tmp_path: Path
) -> None:
    data = write_book(tmp_path / "b.epub", parts(png())).read_bytes()
    record = put_file(home, data, "river.epub", "application/epub+zip")
    application = make_window(home)
    reader = opened(application, settle, record)
    view = reader.file.view
    view.turn(1)
    settle(application)
    start = view.text.words().index("a day of charging")
    view.text.select_words(start, start + len("a day of charging"))
    made = reader.pencil.highlight("rose")
    settle(application)
    assert [mark.cursor.selectedText() for mark in view.text.extraSelections()] == ["a day of charging"]
    view.turn(-1)
    settle(application)
    assert view.text.extraSelections() == []
    (row,) = reader.notes.list.cards.rows
    assert "Chapter 2" in [badge.text for badge in row.badges]
    reader.pencil._go(made)
    settle(application)
    assert view.place.page == 1
    with Own(home / "own.db") as own:
        (kept,) = own.annotations.of(record)
    assert (kept.page, kept.file, kept.anchor.quote) == (1, reader.file.hash, "a day of charging")

    # Another tab in front lets go of the book; coming back opens it again where reading stopped.
    other = Place("library", record="01920000-0601-7000-8000-000000000005")
    application.context.tabs.open(other, front=True)
    settle(application)
    assert reader.file.view is None
    application.context.tabs.step(-1)
    settle(application)
    assert isinstance(reader.file.view, BookView)
    assert reader.file.view.place.page == 1
    assert [mark.cursor.selectedText() for mark in reader.file.view.text.extraSelections()] == [
        "a day of charging"
    ]


def test_a_picture_is_seen_in_the_window(make_window: Make, settle: Settle, home: Path) -> None:
    record = put_file(home, png(3000, 2000), "map.png", "image/png")
    application = make_window(home)
    reader = opened(application, settle, record)
    view = reader.file.view
    assert isinstance(view, ImageView)
    assert view.canvas.accessibleName() == f"Picture: {reader._loaded.title}"
    fitted = view.canvas.scale()
    assert 0 < fitted < 1
    reader._larger.click()
    assert view.canvas.scale() > fitted
    assert view.canvas.horizontalScrollBar().maximum() > 0


def test_what_cannot_be_shown_is_said(make_window: Make, settle: Settle, home: Path) -> None:
    record = put_file(home, b"PK\x03\x04 no book", "river.epub", "application/epub+zip")
    application = make_window(home)
    said: list[str] = []
    application.context.notices.said.connect(said.append)
    reader = opened(application, settle, record)
    assert said == [Unreadable("damaged").words]
    assert reader.file.view is None
    assert reader._stack.currentWidget() is reader.text
