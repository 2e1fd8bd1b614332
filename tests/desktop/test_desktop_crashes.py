"""Faults of the program: the person's work is kept, the words are kind, and the report tells nothing private."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QPushButton

from desktop import crashes, session
from desktop.app import Application
from desktop.crash_report import inside, key_of, report_of, report_of_fault
from desktop.crashes import Aftermath, Crash, Crashes, aftermath
from desktop.navigation import Place
from desktop.session import Session
from desktop.widgets.crash_dialog import CrashDialog
from resources_cache.own import Own
from sync.logbook import Logbook
from tests.desktop.window_process import ENVIRONMENT, finish, needs_sockets, stands_at, start, wait_for
from tests.programs import ROOT

Make = Callable[..., Application]
Settle = Callable[[Application], None]
SECRET = "/home/amina/Letter to the minister.db"


def failing(kind: type[Exception] = KeyError) -> Exception:
    try:
        try:
            raise FileNotFoundError(2, "no such file", SECRET)
        except OSError as error:
            raise kind(SECRET) from error
    except kind as error:
        return error


def test_a_report_has_places_and_types_and_no_words() -> None:
    report = report_of(failing(), "read-0")
    assert "builtins.KeyError" in report
    assert "because of builtins.FileNotFoundError ENOENT" in report
    assert "tests/desktop/test_desktop_crashes.py" in report
    assert "in read-0" in report
    assert "Qt 6" in report
    assert "amina" not in report
    assert str(ROOT) not in report
    assert "\n" not in report_of(failing(), SECRET).splitlines()[0]
    assert SECRET not in report_of(failing(), SECRET)


def test_a_chain_without_an_end_has_one_in_the_report() -> None:
    error = ValueError("x")
    other = ValueError("y", error)
    error.__cause__, other.__cause__ = other, error
    assert report_of(error).count("ValueError") == 2


def test_what_a_fault_left_is_cut_to_what_is_known() -> None:
    left = (
        "Fatal Python error: Segmentation fault\n\n"
        "Current thread 0x00007f (most recent call first):\n"
        f'  File "{ROOT}/desktop/window.py", line 12 in show_place\n'
        '  File "/home/amina/python/lib/queue.py", line 3 in get\n'
        f"Something else about {SECRET}\n"
    )
    report = report_of_fault(left)
    assert "Segmentation fault" in report
    assert "desktop/window.py:12 in show_place" in report
    assert "queue.py:3 in get" in report
    assert "amina" not in report
    assert report_of_fault("") == ""
    assert report_of_fault(SECRET * 10_000) == ""


def test_paths_are_cut() -> None:
    assert inside("/home/a/.venv/lib/python3.11/site-packages/requests/api.py") == "requests/api.py"
    assert inside(r"C:\Users\Amina\x.py") == "x.py"


def test_the_same_fault_is_the_same() -> None:
    keys = {key_of(failing()) for _i in range(3)}
    assert len(keys) == 1
    assert key_of(failing(ValueError)) not in keys


# The session


def test_a_session_goes_there_and_back(tmp_path: Path) -> None:
    kept = Session(Place("library", record="r1"), (Place("home"), Place("search", query="é")), steady=True)
    assert session.write(tmp_path, kept)
    assert session.read(tmp_path) == kept


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "[" * 50_000,
        "x" * 70_000,
        '{"here": {"page": "nowhere"}}',
        '{"here": {"page": "first-run"}}',
        '{"here": {"page": ["home"]}}',
        '{"here": {"page": "library", "record": 7}}',
        '{"here": {"page": "library", "record": "' + "x" * 2_000 + '"}}',
    ],
)
def test_a_session_that_is_none_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / session.FILE).write_text(content)
    assert session.read(tmp_path) is None
    assert aftermath(tmp_path) is None


def test_a_session_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    assert not session.write(tmp_path / "gone", Session(Place("home")))


def test_only_a_window_that_did_not_end_leaves_something(tmp_path: Path) -> None:
    session.write(tmp_path, Session(Place("outbox"), ended=True))
    assert aftermath(tmp_path) is None
    session.write(tmp_path, Session(Place("outbox")))
    (tmp_path / crashes.REPORT).write_text("the report")
    left = aftermath(tmp_path)
    assert left is not None
    assert left.report == "the report"
    assert left.error.code == "ended-badly"
    session.write(tmp_path, Session(Place("outbox"), restored=True))
    left = aftermath(tmp_path)
    assert left is not None
    assert left.error.code == "ended-again"


# In the window


def test_after_a_bad_end_what_was_open_is_open_again(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    application.window.hide()
    left = Aftermath(Session(Place("outbox"), (Place("home"), Place("people"))), "the report")
    application.start(left=left)
    settle(application)
    assert application.context.navigator.here == Place("outbox")
    assert application.window.rail.buttons["outbox"].isChecked()
    assert "did not end as it should" in application.window.banner._words.text()
    application.context.navigator.back()
    assert application.context.navigator.here == Place("people")
    application.window.banner._action.click()
    dialog = application.window.findChild(CrashDialog)
    assert dialog is not None
    assert dialog.findChild(QPlainTextEdit).toPlainText() == "the report"
    dialog.go_on.click()
    last = session.read(home)
    assert last is not None
    assert (last.restored, last.ended) == (True, False)


def test_what_brought_it_down_twice_is_not_opened_again(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    application.start(left=Aftermath(Session(Place("outbox"), restored=True), ""))
    settle(application)
    assert application.context.navigator.here == Place("home")
    assert "twice in a row" in application.window.banner._words.text()


def test_a_link_is_opened_over_what_was_open(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    application.start(Place("people"), Aftermath(Session(Place("outbox")), ""))
    settle(application)
    assert application.context.navigator.here == Place("people")
    application.context.navigator.back()
    assert application.context.navigator.here == Place("outbox")


def test_a_fault_saves_the_drafts_and_says_so_once(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    application.context.navigator.go(Place("ask"))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    page.title_field.setText("Half a thought")
    application.crashed(Crash("the report", "key"))
    application.crashed(Crash("another", "other"))
    settle(application)
    with Own(home / "own.db") as own:
        draft = own.draft("ask")
    assert draft is not None
    assert draft["title"] == "Half a thought"
    last = session.read(home)
    assert last is not None
    assert last.here == Place("ask")
    dialogs = [made for made in application.window.findChildren(CrashDialog) if made.isVisible()]
    assert len(dialogs) == 1
    dialog = dialogs[0]
    assert dialog.windowTitle() == "Hubshelf made a mistake."
    assert not dialog.shown.isVisible()
    dialog.look.click()
    assert dialog.shown.isVisible()
    dialog.copy.click()
    assert QGuiApplication.clipboard().text() == "the report"
    dialog.go_on.click()
    assert page.title_field.text() == "Half a thought"


def test_the_program_can_be_closed_from_there(make_window: Make, settle: Settle, home: Path, qtbot: Any) -> None:
    application = make_window(home)
    settle(application)
    asked: list[str] = []
    dialog = CrashDialog(application.window, "x", lambda: asked.append("close"))
    dialog.open()
    dialog.reject()
    assert asked == [], "Esc goes on"
    dialog = CrashDialog(application.window, "x", lambda: asked.append("close"))
    dialog.open()
    named = [made for made in dialog.findChildren(QPushButton) if made.accessibleName() == "Close Hubshelf"]
    named[0].click()
    assert asked == ["close"]


def test_faults_of_every_thread_are_noticed_once_each(
    tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet: Callable[..., None] = lambda *_a: None  # noqa: E731  # what is printed is not looked at here
    for holder, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(holder, name, quiet)
    watch, noticed = Crashes(tmp_path), []
    watch.happened.connect(noticed.append)
    watch.install()
    try:
        sys.excepthook(KeyError, failing(), None)
        sys.excepthook(KeyError, failing(), None)
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
        thread = threading.Thread(target=lambda: [][1], name="a-thread")
        thread.start()
        thread.join()
        qtbot.waitUntil(lambda: len(noticed) == 2, timeout=3_000)
        assert "KeyError" in noticed[0].report
        assert "in a-thread" in noticed[1].report
        assert (tmp_path / crashes.REPORT).read_text("utf-8") == noticed[1].report
    finally:
        watch.remove()
    assert sys.excepthook is quiet
    assert [one.name for one in tmp_path.iterdir()] == ["logs"], "the log alone stays, and says of which kind"
    assert all(" fault kind=" in line for line in Logbook(tmp_path).last(10))


# With real processes

DRIVER = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QPushButton
import desktop.app as app
from desktop.widgets.crash_dialog import CrashDialog
home, what = Path(sys.argv[1]), sys.argv[2]
started = app.Application.start
def start(self, *given):
    started(self, *given)
    def fall():
        if what == "segfault":
            import faulthandler
            faulthandler._sigsegv()
        if what == "thread":
            import threading
            threading.Thread(target=lambda: {}["Letter to the minister"], name="a-thread").start()
            return
        raise KeyError("Letter to the minister")
    QTimer.singleShot(500, fall)
    looks = QTimer(self)
    def look():
        dialogs = self.window.findChildren(CrashDialog)
        if dialogs and dialogs[0].isVisible():
            looks.stop()
            print("SHOWN", dialogs[0].windowTitle())
            print(dialogs[0]._report)
            dialogs[0].go_on.click()
            QTimer.singleShot(300, lambda: (print("GOES ON"), self._qt.quit()))
    looks.timeout.connect(look)
    looks.start(100)
app.Application.start = start
sys.exit(app.run(home))
"""


ANEW = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
import desktop.app as app
from desktop.navigation import Place
started, times = app.Application.start, []
def start(self, place=None, left=None):
    started(self, place, left)
    times.append(place)
    if len(times) == 1:
        self.context.navigator.go(Place("outbox"))
        QTimer.singleShot(400, lambda: self.window.steps.take("repair"))
    else:
        print("AGAIN", self.window.isVisible(), self.context.navigator.here.page)
        QTimer.singleShot(400, self._qt.quit)
app.Application.start = start
sys.exit(app.run(Path(sys.argv[1])))
"""


def test_repair_opens_the_shelf_anew_at_the_same_place(home: Path) -> None:
    done = run_script(ANEW, home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["AGAIN", "True", "outbox"]
    assert aftermath(home) is None


def drive(home: Path, what: str) -> subprocess.CompletedProcess[str]:
    return run_script(DRIVER, home, what)


def run_script(script: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, str(home), *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.parametrize("what", ["slot", "thread"])
def test_an_unhandled_exception_is_told_and_the_program_goes_on(home: Path, what: str) -> None:
    done = drive(home, what)
    assert done.returncode == 0, done.stderr
    assert "SHOWN Hubshelf made a mistake." in done.stdout
    assert "builtins.KeyError" in done.stdout
    assert "GOES ON" in done.stdout
    assert "Letter to the minister" not in done.stdout
    assert "Letter to the minister" in done.stderr, "the log of a terminal has all of it"
    assert aftermath(home) is None
    assert not (home / crashes.REPORT).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_fault_in_a_library_leaves_a_report(home: Path) -> None:
    done = drive(home, "segfault")
    assert done.returncode == -signal.SIGSEGV
    left = aftermath(home)
    assert left is not None
    assert "Segmentation fault" in left.report
    assert " in fall" in left.report
    assert str(home) not in left.report
    assert str(ROOT) not in left.report


@needs_sockets
def test_a_killed_window_opens_where_it_was(home: Path) -> None:
    window = start(home)
    wait_for(lambda: stands_at(home, Place("home")))
    assert finish(home, "open", "hubshelf://search?q=solar").returncode == 0
    wait_for(lambda: stands_at(home, Place("search", query="solar")))
    os.kill(window.pid, signal.SIGKILL)
    window.communicate()
    left = aftermath(home)
    assert left is not None
    assert left.session.here == Place("search", query="solar")
    again = start(home)
    try:
        wait_for(lambda: (found := session.read(home)) is not None and found.restored)
        found = session.read(home)
        assert found is not None
        assert found.here == Place("search", query="solar")
        assert found.trail == (Place("home"),)
    finally:
        again.terminate()
        again.communicate(timeout=20)
    assert aftermath(home) is None


def test_a_report_of_the_packaged_program_names_the_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    for path in ("desktop/app.py", "resources_cache/citing/formatted.py", "click/core.py"):
        assert inside(path) == path  # its code knows no more of where it is
    assert inside("/home/amina/desktop/app.py") == "app.py"
    assert inside("../amina/Letter to the minister.py") == "Letter to the minister.py"
    fault = 'Fatal Python error: Aborted\n  File "sync/engine.py", line 7 in run\n'
    assert "  sync/engine.py:7 in run" in report_of_fault(fault)
    code = compile("raise KeyError('a')", "sync/engine.py", "exec")
    with pytest.raises(KeyError) as met:
        exec(code, {})
    assert key_of(met.value) == "KeyError sync/engine.py:1"
    monkeypatch.setattr(sys, "frozen", False)
    assert inside("sync/engine.py") == "engine.py"
