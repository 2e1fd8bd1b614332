"""Pictures of every page, for people who judge how the window looks and for the guides.

    python -m desktop.screenshots --home DIR --out DIR --lang en fr ar --scheme light dark --size 1280x800 1024x640

Shows what is in the home folder and changes nothing there. Names: `PAGE-LANG-SCHEME-WIDTHxHEIGHT.png`, with the
size of the text at the end where it is not 100 %. `--lang all` is every language there is; `--lang qps` is the one
that nobody speaks (`desktop.pseudo`).
Without a screen set QT_QPA_PLATFORM=offscreen (done here where nothing else is set and there is no display).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QApplication, QDialog, QPushButton, QWidget

from desktop.app import Application
from desktop.crash_report import key_of, report_of
from desktop.crashes import Crash
from desktop.error_words import KnownError
from desktop.navigation import Place, place_of
from desktop.pages.ask import AskPage
from desktop.pages.figures_choice import FiguresChoice
from desktop.pages.list_page import ListPage
from desktop.preferences import Preferences
from desktop.reading.loading import load
from desktop.screenshots_packs import pack_shots, tidy
from desktop.shelf import Shelf
from desktop.widgets.crash_dialog import CrashDialog
from desktop.widgets.tour import Tour
from desktop.words import available_languages
from resources_cache.errors import DiskFull
from sync.errors import CaptivePortal, Unreachable

WAIT_S = 20.0
Shot = tuple[str, Place, Callable[[Application], None] | None]


class StillEngine:
    """An engine that does nothing: pictures are of the shelf as it is."""

    def __init__(self, _on_event: Callable[[Any], None]) -> None:
        self.paused = False

    def start(self) -> None:
        """Nothing runs."""

    def wake(self, reason: str) -> None:
        """Nothing wakes."""

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def stop(self, timeout: float) -> None:
        """Nothing to stop."""


def settle(qt: QApplication, application: Application, least: float = 0.25) -> None:
    """Let the window come to rest: nothing asked of the stores, nothing left to draw."""
    until, end = time.monotonic() + least, time.monotonic() + WAIT_S
    while time.monotonic() < end:
        qt.processEvents()
        if not application.context.background.idle:
            until = max(until, time.monotonic() + 0.1)
        elif time.monotonic() > until:
            return
        time.sleep(0.005)
    raise TimeoutError("the window did not come to rest")


def find_records(home: Path) -> dict[str, str]:
    """Records worth a picture, by what they show; those that the shelf does not have are missing."""
    found: dict[str, str] = {}
    with Shelf(home) as shelf:
        for card in shelf.library.browse(("resource",), None, "newest", 0, 500).items:
            loaded = load(shelf, card.id)
            if loaded is None:
                continue
            if any(f.here and f.media_type == "application/pdf" for f in loaded.files):
                found.setdefault("pdf", card.id)
            elif card.has_text:
                found.setdefault(f"text-{card.lang}", card.id)
                found.setdefault("text", card.id)
            if any(f.here and f.media_type == "application/epub+zip" for f in loaded.files):
                found.setdefault("book", card.id)
            if any(f.here and f.media_type.startswith("image/") for f in loaded.files):
                found.setdefault("picture", card.id)
            if loaded.notice is not None:
                found.setdefault("notice", card.id)
            if loaded.editions:
                found.setdefault("work", card.id)
                found.setdefault(f"work-{card.lang}", card.id)
            if loaded.files and not any(f.here for f in loaded.files):
                found.setdefault("file", card.id)
        for kind in ("thread", "expert", "event", "request"):
            for card in shelf.library.latest((kind,), limit=1):
                found[kind] = card.id
        for card in shelf.library.latest(("request",), limit=20):
            if (shelf.library.get(card.id) or {}).get("replies"):
                found["request"] = card.id  # one with an answer shows more
                break
        for state in ("attention", "waiting"):
            for item in shelf.own.outbox.items([state]):
                found.setdefault("item", item.id)
                found.setdefault(state, item.id)
    return found


def shots(records: dict[str, str], lang: str) -> Iterator[Shot]:
    """Every picture of a filled shelf: name, place, and what to do there first."""
    query = {"fr": "écoles connexion", "ar": "المدارس الاتصال"}.get(lang, "offline schools")
    for page in ("home", "library", "discussions", "ask", "people", "shelf", "outbox", "sync", "preferences"):
        yield page, Place(page), None
    yield "preferences-figures", Place("preferences"), _unfold_figures
    yield "library-chosen", Place("library"), _choose
    yield "downloads", Place("shelf", tab="downloads"), _queue
    yield "removed", Place("shelf", tab="removed"), _remove
    yield "search", Place("search", query=query), None
    if work := records.get(f"work-{lang}") or records.get("work"):
        yield "search-work", Place("search", query="plan", record=work), None
    yield "suggestions", Place("home"), lambda app: _type(app, query.split()[0])
    slip = {"fr": "conenxion", "ar": "االتصال"}.get(lang, "shcools")
    yield "search-mended", Place("search", query=slip), None
    yield "search-nothing", Place("search", query="zzzzqqq"), None
    yield "events", Place("people", tab="event"), None
    yield "first-run", Place("first-run", tab="language"), None
    yield "first-run-hub", Place("first-run", tab="hub"), None
    if text := records.get(f"text-{lang}") or records.get("text"):
        yield "reader", Place("library", record=text), None
        yield "reader-wide", Place("library", record=text), _widen
        yield "reader-notes", Place("library", record=text), _mark
    if "notice" in records:
        yield "notice", Place("library", record=records["notice"]), None
    if "request" in records:
        yield "request-judged", Place("outbox", record=records["request"]), _judge
    for name, page in (("thread", "discussions"), ("expert", "people"), ("request", "outbox"), ("item", "outbox")):
        if name in records:
            yield name, Place(page, record=records[name]), None
    if "thread" in records:
        yield "report", Place("discussions", record=records["thread"]), _report
    if "file" in records:
        yield "file", Place("library", record=records["file"]), None
        yield "file-waiting", Place("library", record=records["file"]), _press_download
    if "pdf" in records:
        yield "pdf", Place("library", record=records["pdf"]), _open_file
        yield "pdf-wide", Place("library", record=records["pdf"]), _widen_file
        yield "pdf-found", Place("library", record=records["pdf"]), _find_in_file
        yield "pdf-notes", Place("library", record=records["pdf"]), _mark_pdf
    for name in ("book", "picture"):
        if name in records:
            yield name, Place("library", record=records[name]), _open_file
    yield "tabs", Place("library"), _open_tabs
    yield "palette", Place("home"), lambda app: app.window.finder.open()
    yield "palette-typed", Place("home"), lambda app: _find(app, query.split()[0][:5])
    yield "tour", Place("home"), lambda app: app.context.notices.tour_wanted.emit()
    yield "tour-reader", Place("library"), _tour_to_reader
    yield "keys", Place("keys"), None
    yield from pack_shots(records.get("waiting"))
    yield "moving", Place("moving"), None
    yield "moving-in", Place("moving", tab="in"), None
    for weight, error in (("quiet", Unreachable("")), ("care", CaptivePortal("")), ("grave", DiskFull(""))):
        yield f"banner-{weight}", Place("library"), partial(_tell, error)
    yield "crash", Place("library"), lambda app: _crash(app)
    narrowed = (("kind", "resource"), ("lang", lang), ("theme", "connectivity-and-infrastructure"))
    yield "search-narrowed", Place("search", query=query, fill=narrowed), None  # last: a search keeps its filters
    yield "ask-files", Place("ask", fill=(("kind", "practice"), ("title", query))), _attach
    yield "ask-helpdesk", Place("ask", fill=(("kind", "helpdesk"), ("title", query))), _look_up


def _type(application: Application, words: str) -> None:
    search = application.window.search
    application.window.activateWindow()
    search.setFocus()
    search.clear()
    for letter in words:
        search.insert(letter)
    search.textEdited.emit(words)


def _find(application: Application, letters: str) -> None:
    application.window.finder.open()
    application.window.finder.field.setText(letters)


def _tell(error: KnownError, application: Application) -> None:
    application.window.banner.show_problem(error)


def _crash(application: Application) -> None:
    try:
        raise KeyError("what nobody else may read")
    except KeyError as error:
        application.crashed(Crash(report_of(error), key_of(error)))
    for dialog in application.window.findChildren(CrashDialog):
        dialog.look.click()


def _tidy(application: Application) -> None:
    """What lies over the page goes away."""
    for dialog in application.window.findChildren(QDialog):
        dialog.close()
    tidy(application)
    application.window.finder.hide()
    application.window.banner.hide()
    application.window.search.clear()
    application.window.search.popup.hide()
    while application.context.tabs.close(len(application.context.tabs.places) - 1):
        pass


def _choose(application: Application) -> None:
    """Choose some rows that have files, so that the line above them says what those cost."""
    page = application.window.stack.currentWidget()
    if isinstance(page, ListPage):
        page.list.picked.add(row.id for row in page.list.cards.rows[1:9:2])


def _choose_none(application: Application) -> None:
    page = application.window.stack.currentWidget()
    if isinstance(page, ListPage):
        page.list.picked.clear()


def _remove(application: Application) -> None:
    """Write a note and remove it, so that there is something to bring back."""

    def write(shelf: Shelf) -> None:
        shelf.own.set_note("made-for-a-picture", "Ask the district office about the second antenna.")
        shelf.own.set_note("made-for-a-picture", "")

    page = application.window.stack.currentWidget()
    assert isinstance(page, ListPage)
    application.context.write(write, lambda _done: page.refresh(), page)


def _unfold_figures(application: Application) -> None:
    for choice in application.window.findChildren(FiguresChoice):
        choice.show_button.click()


def _press_download(application: Application) -> None:
    """As with no connection: the file waits in the queue."""
    page = application.window.stack.currentWidget()
    if isinstance(page, ListPage) and (buttons := page.reader.files.findChildren(QPushButton)):
        buttons[0].click()


def _queue(application: Application) -> None:
    """Put files in the queue, one of them paused."""
    from desktop.pages.picked_bar import wanted_files

    def fill(shelf: Shelf) -> None:
        cards = shelf.library.browse(("resource",), None, "newest", 0, 60).items
        shelf.own.downloads.add(wanted_files(shelf, [card.id for card in cards]).files[:6])
        waiting = shelf.own.downloads.items()
        if len(waiting) > 2:
            shelf.own.downloads.pause(waiting[2].hash)

    application.context.downloads.change(fill)


def _widen(application: Application) -> None:
    page = application.window.stack.currentWidget()
    if isinstance(page, ListPage):
        page.panes.toggle_wide()


def _mark(application: Application) -> None:
    """Highlight a passage of the summary and write a note on the next, with the side list open."""
    page = application.window.stack.currentWidget()
    if not isinstance(page, ListPage):
        return
    reader = page.reader
    passages = [one for one in re.finditer(r"[^\n.؟]{30,120}", reader.text.words()) if len(one[0].split()) > 4]
    for passage, colour in zip(passages[2:5], ("yellow", "green", "rose"), strict=False):
        reader.text.select_words(*passage.span())
        reader.pencil.highlight(colour)
    reader.show_notes()


def _open_file(application: Application) -> None:
    page = application.window.stack.currentWidget()
    if isinstance(page, ListPage):
        page.reader.files.open_first()


def _widen_file(application: Application) -> None:
    _widen(application)
    _open_file(application)


def _mark_pdf(application: Application) -> None:
    """Highlight words of the PDF that is open, with the side list beside it."""
    from desktop.reading.pdf_view import PdfView

    _open_file(application)
    page = application.window.stack.currentWidget()
    if not isinstance(page, ListPage):
        return
    settle(QApplication.instance(), application)  # type: ignore[arg-type]  # it is a QApplication
    reader = page.reader
    if isinstance(reader.file.view, PdfView):
        colours = ["green", "yellow"]
        for top in range(160, 700, 60):  # points from the top of an A4 page, until there are words
            reader.file.view.pages.select(0, QPointF(90, top), QPointF(420, top + 20))
            if colours and reader.file.view.pages.selected() is not None:
                reader.pencil.highlight(colours.pop())
        reader.file.view.pages.clear_selection()
        reader.show_notes()


_IN_THE_FILE = "server"
"""A word that the sample PDF has."""


def _find_in_file(application: Application) -> None:
    _open_file(application)
    page = application.window.stack.currentWidget()
    if isinstance(page, ListPage):
        settle(QApplication.instance(), application)  # type: ignore[arg-type]  # it is a QApplication
        page.reader.find_bar.open()
        page.reader.find_bar.field.setText(_IN_THE_FILE)
        settle(QApplication.instance(), application, 1.0)  # type: ignore[arg-type]
        page.reader.find_bar.field.returnPressed.emit()


def _tour_to_reader(app: Application) -> None:
    from desktop.welcome import welcome

    welcome(app.window).step(1)


def _open_tabs(application: Application) -> None:
    page = application.window.stack.currentWidget()
    if isinstance(page, ListPage):
        rows = [row for row in page.list.cards.rows if not row.section][:4]
        for row in rows[1:]:
            application.context.tabs.open(place_of(row.kind, row.id), row.title)
        page.list.opened.emit(rows[0])


def _look_up(application: Application) -> None:
    page = application.window.stack.currentWidget()
    if isinstance(page, AskPage):
        page.title_field.textChanged.emit(page.title_field.text())


def _attach(application: Application) -> None:
    """Begin from the template, with two files that would cost some minutes."""
    page = application.window.stack.currentWidget()
    if not isinstance(page, AskPage):
        return
    page.template_button.click()
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("plan-2027.pdf", "budget.csv")]
        for number, path in enumerate(files):
            path.write_bytes(bytes([number]) * 1_400_000)
        page.attachments.add(files)
        until = time.monotonic() + WAIT_S
        while page.attachments.busy and time.monotonic() < until:
            QApplication.processEvents()


def _judge(application: Application) -> None:
    page = application.window.stack.currentWidget()
    if isinstance(page, ListPage):
        page.reader.request.verdict.choices["partly"].click()


def _report(application: Application) -> None:
    page = application.window.stack.currentWidget()
    if isinstance(page, ListPage):
        page.reader.report()


def picture(window: QWidget, path: Path) -> None:
    """Save what the window shows. Raises OSError where it cannot be written."""
    shown = window.grab()
    painter = QPainter(shown)
    for dialog in window.findChildren(QDialog):
        if dialog.isVisible():
            over = dialog.grab()
            painter.fillRect(window.rect(), QColor(0, 0, 0, 60))
            painter.drawPixmap(window.rect().center() - dialog.rect().center(), over)
    painter.end()
    if not shown.save(str(path)):
        raise OSError(f"{path} could not be written")


def take(
    qt: QApplication,
    home: Path,
    out: Path,
    lang: str,
    scheme: str,
    size: tuple[int, int],
    only: set[str],
    scale: int = 100,
) -> int:
    """All pictures of one language, scheme, size and text size (per cent); returns how many."""
    tag = f"{lang}-{scheme}-{size[0]}x{size[1]}{'' if scale == 100 else f'-{scale}'}"
    look = replace(Preferences.load(home), language=lang, scheme=scheme, introduced=True, maximised=False)
    look.scale = scale
    application = Application(qt, home, StillEngine, look)
    application.start(Place("home"))
    application.window.resize(*size)
    settle(qt, application, 1.0)
    records, count = find_records(home), 0
    for name, place, act in shots(records, lang):
        if only and name not in only:
            continue
        application.context.navigator.go(place)
        settle(qt, application)
        if act is not None:
            act(application)
            settle(qt, application, 0.6)
        picture(application.window, out / f"{name}-{tag}.png")
        if act in (_widen, _widen_file):
            _widen(application)
        if act is _choose:
            _choose_none(application)
        for tour in application.window.findChildren(Tour):
            tour.leave()
        _tidy(application)
        count += 1
    application.stop()
    application.window.hide()
    application.deleteLater()
    if not only or "empty" in only:
        with tempfile.TemporaryDirectory() as folder:
            count += _empty(qt, Path(folder), out, replace(look), tag, size)
    return count


def _empty(qt: QApplication, home: Path, out: Path, look: Preferences, tag: str, size: tuple[int, int]) -> int:
    application = Application(qt, home, StillEngine, look)
    application.start(Place("home"))
    application.window.resize(*size)
    pages = ("home", "library", "discussions", "people", "shelf", "outbox", "sync")
    for page in pages:
        application.context.navigator.go(Place(page))
        settle(qt, application)
        picture(application.window, out / f"empty-{page}-{tag}.png")
    application.stop()
    application.window.hide()
    application.deleteLater()
    return len(pages)


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures that the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lang", nargs="+", default=["en"])
    parser.add_argument("--scheme", nargs="+", default=["light"], choices=["light", "dark"])
    parser.add_argument("--size", nargs="+", default=["1280x800"])
    parser.add_argument("--scale", nargs="+", default=[100], type=int, help="sizes of the text, in per cent")
    parser.add_argument("--only", nargs="+", default=[], help="names of pictures; all without it")
    asked = parser.parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        return _take_all(asked, copy_home(asked.home, Path(folder) / "home"))


def copy_home(home: Path, to: Path) -> Path:
    """A copy to play in."""
    to.mkdir()
    for path in home.iterdir():
        if path.is_file() and path.suffix in (".db", ".json"):
            source = sqlite_copy if path.suffix == ".db" else shutil.copyfile
            source(path, to / path.name)
    if (home / "files").is_dir():
        shutil.copytree(home / "files", to / "files", copy_function=_link_or_copy)
    return to


def _link_or_copy(source: str, to: str) -> None:
    """The same bytes under another name where that can be: what arrives while pictures are taken stays apart."""
    try:
        os.link(source, to)
    except OSError:
        shutil.copy2(source, to)


def sqlite_copy(source: Path, to: Path) -> None:
    """Copy a database as SQLite does it: whole, with what still stands in its journal."""
    from pysqlite3 import dbapi2

    with closing(dbapi2.connect(str(source))) as old, closing(dbapi2.connect(str(to))) as new:
        old.backup(new)


def _take_all(asked: argparse.Namespace, home: Path) -> int:
    qt = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(qt, QApplication)
    count = 0
    languages = available_languages() if asked.lang == ["all"] else asked.lang
    for lang, scheme, size, scale in product(languages, asked.scheme, asked.size, asked.scale):
        width, _x, height = size.partition("x")
        count += take(qt, home, asked.out, lang, scheme, (int(width), int(height)), set(asked.only), scale)
    sys.stdout.write(f"{count} pictures in {asked.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
