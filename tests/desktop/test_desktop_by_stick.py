"""Packs in the window: a real hub makes them, and a person takes them in and puts them on a stick."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QTextBrowser,
    QWidget,
)

from desktop.app import Application, background_engine
from desktop.error_words import words_of_code
from desktop.navigation import Place
from desktop.packs import Moment
from desktop.pages.pack_sheets import ChoosePlace, CodeSheet, PutSheet, TakeInSheet
from desktop.pages.sync import SyncPage
from desktop.preferences import Preferences
from desktop.screenshots_packs import SHEETS
from desktop.sticks import Stick
from resources_cache.library import Library
from resources_cache.own import Own
from sync.background import SyncFailed, SyncStarted
from sync.errors import SyncBusy
from sync.home import Home
from sync.packs.carrying import KEPT
from sync.packs.exporting import weigh
from sync.packs.importing import import_pack
from sync.protocol.pack_volumes import FolderVolume
from sync.report import Progress
from sync.uploads import attached
from tests.programs import HubProgram, write_records

PATIENCE_MS = 20_000
TEXT = "Pupils listened in pairs and wrote what they heard. " * 40


@dataclass(frozen=True)
class Made:
    """A hub that serves nobody, an older and a newer pack of it, one of another hub, a code of the first, and how
    its keys begin."""

    hub: HubProgram
    old: Path
    new: Path
    other: Path
    code: str
    begins: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("packs")
    first = [
        {"id": f"r{n}", "type": "resource", "title": f"Radio lesson {n}", "text": TEXT, "lang": lang}
        for n, lang in enumerate(["en"] * 12 + ["fr"] * 4)
    ]
    more = {"id": "r99", "type": "resource", "title": "Tablets in the rain", "text": TEXT, "lang": "en"}
    with HubProgram(folder / "hub").init() as hub, HubProgram(folder / "hub2").init(own_keys=True) as other:
        hub.do("import", file=str(write_records(folder / "a.jsonl", first)))
        hub.do("publish")
        hub.run("pack", "export", folder / "old")
        hub.do("import", file=str(write_records(folder / "b.jsonl", [more])))
        hub.do("publish")
        begins = hub.run("pack", "export", folder / "new")["fingerprint"]
        other.do("import", file=str(write_records(folder / "c.jsonl", first[:1])))
        other.do("publish")
        other.run("pack", "export", folder / "other")
        code = hub.invite("amina@ministry.example")
        yield Made(hub, folder / "old", folder / "new", folder / "other", code, begins)


class Person:
    """Somebody at the window: sees what is shown, and clicks what has a name."""

    def __init__(self, application: Application, qtbot: Any) -> None:
        self.application = application
        self._qtbot = qtbot
        self.sticks: list[Stick] = []
        application.context.packs.find = lambda: list(self.sticks)

    @property
    def page(self) -> Any:
        return self.application.window.stack.currentWidget()

    def waits_for(self, seen: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(seen, timeout=PATIENCE_MS)

    def goes(self, place: Place) -> Any:
        self.application.context.navigator.go(place)
        self.rests()
        return self.page

    def rests(self) -> None:
        """Waits until nothing is at work."""
        context = self.application.context
        self.waits_for(lambda: context.background.idle and not context.packs.busy)

    def sees(self) -> str:
        window = self.application.window
        shown = [one for one in window.findChildren(QLabel) if one.isVisible()]
        return "\n".join(one.text() for one in shown).replace("\u2068", "").replace("\u2069", "")

    def reads(self, words: str) -> None:
        """Waits until the words stand in the window: what is put on a page is drawn a moment later."""
        self.waits_for(lambda: words in self.sees())

    def finds(self, name: str) -> QAbstractButton | None:
        sheet = self.sheet
        for button in (sheet or self.application.window).findChildren(QAbstractButton):
            named = (button.text(), button.accessibleName())
            plain = [one.replace("\u2068", "").replace("\u2069", "") for one in named]
            if button.isVisible() and button.isEnabled() and name in plain:
                return button
        return None

    @property
    def sheet(self) -> QWidget | None:
        kinds = (ChoosePlace, CodeSheet, PutSheet, TakeInSheet)
        found = [one for one in self.application.window.findChildren(QWidget) if isinstance(one, kinds)]
        return next((one for one in found if one.isVisible()), None)

    def clicks(self, name: str) -> None:
        self.waits_for(lambda: self.finds(name) is not None)
        button = self.finds(name)
        assert button is not None
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def begin(qapp: QApplication, qtbot: Any) -> Iterator[Callable[..., Person]]:
    """Opens the window on a shelf, with the real engine; ends it after the test."""
    opened: list[Application] = []

    def make(home: Path, **look: Any) -> Person:
        home.mkdir(exist_ok=True)
        application = Application(qapp, home, background_engine(home), Preferences(language="en", **look))
        opened.append(application)
        application.start()
        application.window.resize(1024, 640)
        return Person(application, qtbot)

    yield make
    for application in opened:
        application.window.leaving = True
        application.window.close()
        application.stop()
        application.window.deleteLater()
        application.deleteLater()
    qapp.processEvents()


def titles(home: Path) -> set[str]:
    with Library(home / "library.db") as library:
        records = library.newest(list(library.cursors()))
        return {str(one["title"]) for one in records if one["type"] == "resource"}


def a_stick(path: Path, name: str = "KINGSTON", writable: bool = True) -> Stick:
    return Stick(name, path, (path / "hubshelf-pack").is_dir(), writable, 2_000_000_000)


class Slow(FolderVolume):
    """A stick that does `then` when it is about to give its n-th file, and then fails, or goes on."""

    def __init__(self, root: Path, after: int, then: Callable[[], object], error: OSError | None = None) -> None:
        super().__init__(root / "hubshelf-pack")
        self.left, self.then, self.error = after, then, error

    def open(self, name: str) -> BinaryIO:
        self.left -= 1
        if self.left == 0:
            self.then()
        if self.left <= 0 and self.error is not None:
            file, error = super().open(name), self.error

            class Gone(io.BufferedReader):
                def read(self, size: int | None = -1) -> bytes:
                    raise error

            return Gone(file.detach())  # type: ignore[attr-defined]  # a buffered reader of ours
        return super().open(name)


def test_from_a_stick_to_reading_in_the_first_run(
    made: Made, begin: Callable[..., Person], tmp_path: Path
) -> None:
    person = begin(tmp_path / "shelf")
    person.sticks = [a_stick(made.new)]
    person.clicks("I have a pack on a stick")
    person.clicks("Take in what is on “KINGSTON”")
    person.waits_for(lambda: person.sheet is not None)
    person.reads("Hubshelf")
    person.reads("belongs to no hub yet")
    person.reads(f"{made.begins[:4]} {made.begins[4:8]}")  # the keys, as the hub itself says that they begin
    sheet = person.sheet
    assert isinstance(sheet, TakeInSheet)
    person.waits_for(lambda: sheet.focusWidget() is sheet.no)
    person.clicks("I trust this hub: take it in")
    # Two languages are in it: what is kept is chosen as with a hub.
    person.clicks("Start reading")
    person.waits_for(lambda: person.application.context.navigator.here == Place("home"))
    person.rests()
    assert "Radio lesson 3" in titles(tmp_path / "shelf")
    with Own(tmp_path / "shelf" / "own.db") as own:
        assert own.setting("languages") == ["en"]
    assert not any(title.startswith("Radio lesson 14") for title in titles(tmp_path / "shelf"))
    assert person.application.context.preferences.introduced
    person.waits_for(lambda: "From a stick, published" in person.application.window.pill.accessibleName())
    page = person.goes(Place("library", record="r99"))
    person.waits_for(
        lambda: any("listened in pairs" in one.toPlainText() for one in page.findChildren(QTextBrowser))
    )


def filled(home: Path, pack: Path, **how: Any) -> Path:
    import_pack(Home(home), pack, accept=True, **how)
    return home


def test_a_newer_pack_is_taken_in_on_the_sync_page(
    made: Made, begin: Callable[..., Person], tmp_path: Path
) -> None:
    home = filled(tmp_path / "shelf", made.old)
    person = begin(home, introduced=True)
    person.sticks = [a_stick(tmp_path, "EMPTY"), a_stick(made.new)]
    page = person.goes(Place("sync"))
    assert isinstance(page, SyncPage)
    assert person.finds("Take in what is on “EMPTY”") is None
    person.clicks("Take in what is on “KINGSTON”")
    person.waits_for(lambda: person.sheet is not None)
    sheet = person.sheet
    assert isinstance(sheet, TakeInSheet)
    person.reads("Verified: it is signed by your hub.")
    person.reads("English, Français")
    assert not sheet.keep.isChecked()
    assert "needs" in sheet.keep.text()
    sheet.keep.setChecked(True)
    # By the keyboard alone: the yes has the focus.
    person.waits_for(sheet.yes.hasFocus)
    QTest.keyClick(sheet.yes, Qt.Key.Key_Space)
    person.waits_for(lambda: person.application.context.packs.outcome is not None)
    person.rests()
    assert "Tablets in the rain" in titles(home)
    assert (home / "carry" / "head").exists()
    said = page.by_stick.work.words
    assert "Taken in: \u2068Hubshelf\u2069" in said
    assert "came" in said
    assert "Kept to be given on" in said
    person.reads("Last pack")
    assert "From a stick, published" in page._state.text()
    # What a person looks at next shows it.
    library = person.goes(Place("library"))
    person.waits_for(lambda: "r99" in {row.id for row in library.list.cards.rows})


@pytest.mark.parametrize(
    ("which", "code"), [("old", "pack-older"), ("other", "other-hubs-pack"), ("none", "not-a-pack")]
)
def test_what_cannot_be_taken_in_is_said_in_words(
    made: Made, begin: Callable[..., Person], tmp_path: Path, which: str, code: str
) -> None:
    home = filled(tmp_path / "shelf", made.new)
    before = titles(home)
    person = begin(home, introduced=True)
    page = person.goes(Place("sync"))
    page.by_stick.steps.look_at({"none": tmp_path}.get(which) or getattr(made, which))
    words = words_of_code(code)
    person.reads(words.sentence)
    person.reads(words.next_step)
    assert person.sheet is None
    assert titles(home) == before


def test_a_stick_pulled_out_says_so_and_goes_on_where_it_stopped(
    made: Made, begin: Callable[..., Person], tmp_path: Path
) -> None:
    home = filled(tmp_path / "shelf", made.old)
    person = begin(home, introduced=True)
    page = person.goes(Place("sync"))
    stick = Slow(made.new, 5, lambda: None, OSError(5, "Input/output error"))
    person.application.context.packs.take_in(stick)
    person.rests()
    words = words_of_code("pack-unreadable")
    person.reads(words.sentence)
    person.reads(words.next_step)
    assert "Tablets in the rain" not in titles(home)
    stick.error = None  # it was put in again
    person.clicks("Try again")
    person.waits_for(lambda: person.application.context.packs.outcome is not None)
    person.rests()
    assert "Taken in" in page.by_stick.work.words
    assert "Tablets in the rain" in titles(home)


def test_taking_in_is_cancelled_at_once_and_can_be_taken_up_again(
    made: Made, begin: Callable[..., Person], tmp_path: Path
) -> None:
    home = filled(tmp_path / "shelf", made.old)
    person = begin(home, introduced=True)
    page = person.goes(Place("sync"))
    packs = person.application.context.packs
    reached, goes_on = Event(), Event()

    def wait() -> None:
        reached.set()
        goes_on.wait(PATIENCE_MS / 1000)

    packs.take_in(Slow(made.new, 5, wait))
    person.waits_for(reached.is_set)
    assert not page.by_stick.take.isEnabled(), "one at a time"
    assert "Taking in a pack" in person.application.window.pill.accessibleName()
    person.waits_for(lambda: not page.by_stick.work.cancel.visibleRegion().isEmpty())  # it came into sight
    person.clicks("Cancel: stop the pack")
    goes_on.set()
    person.rests()
    assert "Stopped, as you asked." in page.by_stick.work.words
    assert "goes on where it stopped" in page.by_stick.work.words
    person.clicks("Try again")
    person.waits_for(lambda: packs.outcome is not None and packs.outcome.error is None)
    assert "Tablets in the rain" in titles(home)


def test_a_pack_waits_for_a_sync_that_is_at_work(made: Made, begin: Callable[..., Person], tmp_path: Path) -> None:
    home = filled(tmp_path / "shelf", made.old)
    person = begin(home, introduced=True)
    page = person.goes(Place("sync"))
    with Home(home).alone():  # as a sync has it
        person.application.context.packs.take_in(made.new)
        person.waits_for(lambda: "The pack comes after it." in page.by_stick.work.words)
        assert "Tablets in the rain" not in titles(home)
    person.rests()
    assert "Taken in" in page.by_stick.work.words
    assert "Tablets in the rain" in titles(home)


def test_a_question_goes_on_a_stick_with_the_library(
    made: Made, begin: Callable[..., Person], tmp_path: Path
) -> None:
    home = filled(tmp_path / "shelf", made.new, keep=True)
    person = begin(home, introduced=True)
    person.sticks = [a_stick(tmp_path / "out", "GREY"), a_stick(made.new, "SEALED", writable=False)]
    (tmp_path / "out").mkdir()
    page = person.goes(Place("sync"))
    # A code on paper first: no link comes here.
    person.clicks("I have a code")
    sheet = person.sheet
    assert isinstance(sheet, CodeSheet)
    QTest.keyClicks(sheet.code, made.code)
    person.clicks("Keep the code")
    person.rests()
    person.reads("Your code goes with the next pack")
    with Own(home / "own.db") as own:
        (tmp_path / "budget.pdf").write_bytes(b"%PDF-1.7 radios " * 1000)
        files = attached(home, own, [tmp_path / "budget.pdf"])
        body = {"kind": "question", "body": "?", "attachments": files}
        asked = own.outbox.add("ask", "Who pays for the radios?", body)

    person.clicks("Put a pack on a stick…")
    person.waits_for(lambda: person.finds("GREY: 2.0 GB free") is not None)
    assert person.finds("SEALED: 2.0 GB free") is None, "nothing can be written on it"
    person.clicks("GREY: 2.0 GB free")
    person.waits_for(lambda: isinstance(person.sheet, PutSheet) and person.finds("Write it") is not None)
    person.reads("1 of your messages · 1 attached file (16 KB) · your code")
    person.reads("Free there")
    person.clicks("Write it")
    person.waits_for(lambda: person.application.context.packs.outcome is not None)
    person.rests()
    words = page.by_stick.work.words.replace("\u2068", "").replace("\u2069", "")
    assert "is on GREY" in words
    assert "1 of your messages is on it." in words
    assert "1 file that you attached is on it (16 KB)." in words
    assert (tmp_path / "out" / "hubshelf-pack" / "head").exists()

    # The outbox says where it is, and it is not changed any more.
    outbox = person.goes(Place("outbox", record=asked.id))
    person.reads("not yet confirmed")
    person.reads("the stick may have reached the hub already")
    person.reads("left on a stick on")
    assert person.finds("Take back") is None
    person.waits_for(lambda: any("Left on a stick" in row.spoken() for row in outbox.list.cards.rows))

    # The hub takes it, by hand, and answers.
    shutil.copytree(tmp_path / "out", tmp_path / "copy")
    taken = made.hub.run("pack", "import", tmp_path / "out")
    assert (taken["joined"], taken["operations"]) == (1, 1)
    made.hub.do(
        "reply", id=asked.id, body="The district, says the evidence.", files={"a.pdf": "%PDF-1.7 evidence"}
    )
    assert made.hub.run("pack", "export", tmp_path / "back")["answers"] == 1
    page = person.goes(Place("sync"))
    page.by_stick.steps.look_at(tmp_path / "back")
    person.clicks("Take it in")
    packs = person.application.context.packs
    person.waits_for(lambda: packs.outcome is not None and packs.outcome.brought is not None)
    person.rests()
    words = page.by_stick.work.words.replace("\u2068", "").replace("\u2069", "")
    assert "Welcome, amina@ministry.example: the hub knows this computer now." in words
    assert "The hub confirmed 1 of your messages." in words
    assert "The hub has 1 of the files that you attached." in words
    assert "1 file of an answer came (17 B)." in words
    outbox = person.goes(Place("outbox"))
    person.waits_for(lambda: any("Answered" in row.spoken() for row in outbox.list.cards.rows))
    assert not any("Left on a stick" in row.spoken() for row in outbox.list.cards.rows)

    # A carrier's shelf takes it, and only it, further.
    carrier = filled(tmp_path / "carrier", made.new)
    import_pack(Home(carrier), tmp_path / "copy")
    other = begin(carrier, introduced=True)
    page = other.goes(Place("sync"))
    target = tmp_path / "carried.hubshelf-pack"
    page.by_stick.steps.put_on(target, target.name)
    other.waits_for(lambda: isinstance(other.sheet, PutSheet) and other.finds("Write it") is not None)
    other.reads("1 sealed message · 1 sealed file")
    other.clicks("Write it")
    other.waits_for(lambda: other.application.context.packs.outcome is not None)
    assert "The sealed messages are on" in page.by_stick.work.words
    assert target.stat().st_size > 400


def test_the_languages_on_a_stick_are_chosen(made: Made, begin: Callable[..., Person], tmp_path: Path) -> None:
    person = begin(filled(tmp_path / "shelf", made.new, keep=True), introduced=True)
    page = person.goes(Place("sync"))
    page.by_stick.steps.put_on(tmp_path / "out", "GREY")
    person.waits_for(lambda: isinstance(person.sheet, PutSheet) and person.finds("Write it") is not None)
    sheet = person.sheet
    assert isinstance(sheet, PutSheet)
    assert list(sheet.languages) == ["en", "fr"]
    assert sheet.wanted.languages == ()
    for lang in ("en", "fr"):
        sheet.languages[lang].click()
    person.reads("Choose at least one language.")
    assert not sheet.yes.isEnabled()
    sheet.languages["fr"].click()
    assert sheet.wanted.languages == ("fr",)
    person.waits_for(sheet.yes.isEnabled)
    person.clicks("Write it")
    packs = person.application.context.packs
    person.waits_for(lambda: packs.outcome is not None)
    reader = tmp_path / "reader"
    import_pack(Home(reader), tmp_path / "out", accept=True)
    assert "Radio lesson 12" in titles(reader)
    assert "Radio lesson 1" not in titles(reader)


def test_without_room_nothing_is_begun(made: Made, begin: Callable[..., Person], tmp_path: Path) -> None:
    home = filled(tmp_path / "shelf", made.new, keep=True)
    person = begin(home, introduced=True)
    page = person.goes(Place("sync"))
    page.by_stick.steps.put_on(tmp_path / "out", "GREY")
    person.waits_for(lambda: isinstance(person.sheet, PutSheet) and person.finds("Write it") is not None)
    sheet = person.sheet
    assert isinstance(sheet, PutSheet)
    sheet.show_weighed(replace(weigh(Home(home), tmp_path / "out"), room=1000))
    assert not sheet.yes.isEnabled()
    assert "There is not enough room" in sheet.note.text()
    # With messages alone there is nothing to write.
    sheet.what.choose("messages")
    person.rests()
    assert "nothing to put on a stick" in sheet.note.text()
    sheet.reject()
    assert not (tmp_path / "out").exists()


def test_another_hubs_pack_is_replaced_with_a_yes_and_a_newer_one_is_not(
    made: Made, begin: Callable[..., Person], tmp_path: Path
) -> None:
    shutil.copytree(made.other, tmp_path / "out")
    shutil.copytree(made.new, tmp_path / "newer")
    person = begin(filled(tmp_path / "shelf", made.old, keep=True), introduced=True)
    page = person.goes(Place("sync"))
    page.by_stick.steps.put_on(tmp_path / "newer", "SEALED")
    person.reads("There is a newer pack of your hub on it already")
    sheet = person.sheet
    assert isinstance(sheet, PutSheet)
    assert not sheet.yes.isEnabled()
    sheet.reject()
    page.by_stick.steps.put_on(tmp_path / "out", "GREY")
    person.reads("There is a pack of another hub on it: Hubshelf.")
    person.clicks("Replace it")
    packs = person.application.context.packs
    person.waits_for(lambda: packs.outcome is not None)
    assert packs.outcome is not None
    assert packs.outcome.error is None
    page.by_stick.steps.put_on(tmp_path / "out", "GREY")
    person.waits_for(lambda: isinstance(person.sheet, PutSheet) and person.finds("Write it") is not None)


def test_closing_the_window_stops_what_is_at_work(
    made: Made, begin: Callable[..., Person], tmp_path: Path
) -> None:
    home = filled(tmp_path / "shelf", made.old)
    person = begin(home, introduced=True)
    person.goes(Place("sync"))
    reached = Event()
    cancelled: list[bool] = []
    packs = person.application.context.packs

    def wait() -> None:
        reached.set()
        assert packs._cancel is not None
        cancelled.append(packs._cancel.wait(PATIENCE_MS / 1000))

    packs.take_in(Slow(made.new, 5, wait))
    person.waits_for(reached.is_set)
    person.application.stop()
    assert cancelled == [True]
    with Home(home).alone(patience=PATIENCE_MS / 1000):
        pass  # it has let go of the shelf
    assert import_pack(Home(home), made.new).error is None


def test_a_stick_that_fails_while_one_reads_is_told_where_one_is(
    made: Made, begin: Callable[..., Person], tmp_path: Path
) -> None:
    home = filled(tmp_path / "shelf", made.old)
    person = begin(home, introduced=True)
    person.goes(Place("library"))
    person.application.context.packs.take_in(Slow(made.new, 5, lambda: None, OSError(5, "Input/output error")))
    person.rests()
    person.reads(words_of_code("pack-unreadable").sentence)
    page = person.goes(Place("sync", tab="stick"))
    person.waits_for(lambda: page.window().focusWidget() is page.by_stick.take)
    # From everywhere, by its name alone.
    actions = {action.name: action for action in person.application.context.actions}
    person.goes(Place("home"))
    act = actions["stick"].do
    assert act is not None
    act()
    assert person.application.context.navigator.here == Place("sync", tab="stick")


def test_sheets_are_reached_and_left_by_keys_and_every_control_has_a_name(
    begin: Callable[..., Person], tmp_path: Path
) -> None:
    person = begin(tmp_path / "shelf", introduced=True)
    person.goes(Place("sync"))
    for name, make in SHEETS.items():
        sheet = make(person.application.window)
        sheet.open()
        person.rests()
        wanted = {
            one
            for one in sheet.findChildren(QWidget)
            if isinstance(one, QAbstractButton | QLineEdit | QComboBox) and one.isVisible() and one.isEnabled()
        }
        assert len(wanted) >= 2, name
        for one in wanted:
            face = QAccessible.queryAccessibleInterface(one)
            assert face.text(QAccessible.Text.Name).strip(), f"{type(one).__name__} in {name} has no name"
        reached: set[QWidget] = set()
        widget: QWidget = sheet
        while (widget := widget.nextInFocusChain()) not in reached:
            reached.add(widget)
        assert wanted <= reached, name
        QTest.keyClick(sheet, Qt.Key.Key_Escape)
        assert not sheet.isVisible(), f"Esc leaves {name}"


def test_a_sync_that_finds_a_pack_at_work_is_no_trouble(begin: Callable[..., Person], tmp_path: Path) -> None:
    sync = begin(tmp_path / "shelf", introduced=True).application.context.sync
    sync.carry("Taking in a pack")
    sync._take(SyncStarted("timer"))
    sync._take(SyncFailed(SyncBusy("at work"), None))
    assert (sync.status.state, sync.status.error) == ("idle", None)
    assert sync.status.words() == "Taking in a pack"
    sync.carry("")
    sync._take(SyncFailed(SyncBusy("at work"), None))
    assert (sync.status.state, sync.status.error is None) == ("retrying", False)


def test_a_sync_at_work_can_be_paused_for_a_pack_and_goes_on_after_it(
    made: Made, begin: Callable[..., Person], tmp_path: Path
) -> None:
    home = filled(tmp_path / "shelf", made.old)
    person = begin(home, introduced=True)
    person.goes(Place("sync"))
    context = person.application.context
    with Home(home).alone():  # as a sync has it, which says that it runs
        context.sync._take(SyncStarted("timer"))
        context.packs.take_in(made.new)
        person.clicks("Pause the sync meanwhile")
        assert context.sync.status.state == "paused"
    person.rests()
    assert context.packs.outcome is not None
    assert context.packs.outcome.error is None
    assert context.sync.status.state == "idle", "it goes on by itself"


def test_how_far_it_is_is_told_in_bytes(begin: Callable[..., Person], tmp_path: Path) -> None:
    person = begin(tmp_path / "shelf", introduced=True)
    page = person.goes(Place("sync"))
    packs, work = person.application.context.packs, page.by_stick.work
    packs.moment = Moment("in")
    said = []
    for progress in (
        Progress("connecting"),
        Progress("applying", 2_600_000, 6_400_000, 7),
        Progress("catalogue", 2_700_000, 0, 7),
        Progress("files", 1_000_000, 2_000_000),
        Progress("files", 3_000_000, 6_000_000, stream=KEPT),
    ):
        packs._take(progress)
        said.append(work.words)
    assert said == [
        "Reading and checking the pack.",
        "2.6 MB of 6.4 MB taken in",
        "2.6 MB of 6.4 MB taken in",
        "Files: 1.0 MB of 2.0 MB",
        "Kept to be given on: 3.0 MB of 6.0 MB",
    ]
    assert packs.moment.records == 7
    packs.moment = Moment()
