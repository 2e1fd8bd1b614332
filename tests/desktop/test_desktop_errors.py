"""The table of errors: a row for everything that can be met, in every language, with a step that is taken."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from babel.messages.pofile import read_po
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication

import desktop
import resources_cache
import sync
from desktop import words
from desktop.app import Application
from desktop.care import ClockWrong
from desktop.error_codes import ALIASES, BY_ACTION, PROBLEMS
from desktop.error_table import TABLE, ErrorWords, Step, Weight
from desktop.error_words import Trouble, known_codes, words_for, words_of_code, words_of_refusal
from desktop.links import REASONS
from desktop.navigation import Place
from desktop.pages.sync import SyncPage
from resources_cache.errors import CacheError, DiskFull, StoreBusy
from resources_cache.own import Own
from sync.errors import CaptivePortal, HubProblem, SyncError, Unreachable
from sync.home import LIBRARY_BEGUN_ANEW, OWN_BEGUN_ANEW, OWN_FROM_BACKUP
from sync.protocol import uploads
from sync.protocol.errors import ProtocolError
from sync.protocol.problems import Action, Problem
from sync.running import LET_REMOVE

Make = Callable[..., Application]
Settle = Callable[[Application], None]
ROOT = Path(desktop.__file__).resolve().parent.parent
# What makes a problem document out of a code that it is given.
MAKERS = {"Problem", "problem", "_refused", "_Rejected", "AttachmentRefused", "ReportRefused", "SiteCodeRefused"}


def classes(base: type[Exception]) -> Iterator[type[Exception]]:
    yield base
    for child in base.__subclasses__():
        yield from classes(child)


def every_error() -> set[type[Exception]]:
    for package in (sync, resources_cache):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return {kind for base in (CacheError, SyncError, ProtocolError) for kind in classes(base)}


def problem_codes() -> Iterator[tuple[str, str]]:
    """Every code that hub or engine put into a problem document, and where."""
    for path in (*(ROOT / "hub").rglob("*.py"), *(ROOT / "sync").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name not in MAKERS:
                continue
            yield from ((code, path.name) for code in code_of(first))
    # Errors of uploads travel under their own code.
    for node in ast.walk(ast.parse((ROOT / "hub" / "attachments.py").read_text("utf-8"))):
        if isinstance(node, ast.Assign) and [getattr(one, "id", "") for one in node.targets] == ["code"]:
            yield from ((code, "attachments.py") for code in code_of(node.value))


def code_of(given: ast.expr) -> list[str]:
    """The code that an expression stands for: a word, or a name of the uploads; none for a variable."""
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        return [given.value]
    if isinstance(given, ast.Attribute) and given.attr.isupper():
        return [getattr(uploads, given.attr)]
    return []


def test_every_error_class_has_a_row() -> None:
    found = every_error()
    assert len(found) > 40
    for kind in found:
        assert kind.code in known_codes(), f"{kind.__name__} ({kind.code}) has no row"  # type: ignore[attr-defined]


def test_every_problem_of_the_wire_has_a_row() -> None:
    found = dict(problem_codes())
    assert len(found) > 40
    for code, where in found.items():
        assert code in PROBLEMS, f"{code} ({where}) has no row"
    assert set(BY_ACTION) == set(get_args(Action))


def test_rows_are_whole_and_all_are_used() -> None:
    for row in TABLE.values():
        assert all((row.sentence, row.consequence, row.next_step, row.button))
        assert row.action in get_args(Step)
        assert row.weight in get_args(Weight)
    led_to = {*ALIASES.values(), *PROBLEMS.values(), *BY_ACTION.values()}
    assert led_to <= set(TABLE)
    raised = {kind.code for kind in every_error()}  # type: ignore[attr-defined]
    raised |= {"not-answering", "ended-badly", "ended-again"} | {code for code, _words in REASONS.values()}
    raised |= {OWN_BEGUN_ANEW, OWN_FROM_BACKUP, LIBRARY_BEGUN_ANEW, ClockWrong(0).code}
    by_the_window = {"code-refused", "file-not-found", "unknown"}
    assert set(TABLE) <= led_to | raised | by_the_window


@pytest.mark.parametrize("code", [code for code in words.available_languages() if code != "en"])
def test_no_word_of_the_table_is_untranslated(code: str) -> None:
    with (words.LOCALE_DIR / code / "LC_MESSAGES" / "hubshelf.po").open("rb") as file:
        found = read_po(file, locale=code)
    for row in TABLE.values():
        for text in (row.sentence, row.consequence, row.next_step, row.button):
            assert found.get(text) is not None, f"{text!r} is not in {code}"
            assert found[text].string, f"{text!r} has no words in {code}"


def test_what_an_error_says_itself_is_never_shown() -> None:
    class NewError(CacheError):
        code = "of-tomorrow"

    for error in (NewError("/home/amina/x.db", "secret"), CacheError("secret"), SyncError("secret")):
        shown = words_for(error)
        assert shown == words_of_code("unknown")
        assert not {"secret", "/home/amina/x.db"} & set(vars(shown).values())


def test_a_problem_of_the_hub_goes_by_its_code_else_by_what_it_asks_for() -> None:
    assert words_for(HubProblem(Problem("code-used", "x", "wait", 403))) == words_of_code("code-used")
    assert words_for(HubProblem(Problem("of-tomorrow", "x", "drop", 422))) == words_of_code("refused")
    assert words_for(HubProblem(Problem("busy", "x", "retry", 503))).weight == "quiet"


def test_a_refusal_kept_in_the_outbox_has_words() -> None:
    found = words_of_refusal(Problem("request-closed", "x", "drop", 422).to_json())
    assert found == words_of_code("request-closed")
    assert words_of_refusal({"title": "Too long", "detail": "of an older hub"}) is None
    assert words_of_refusal({"type": 7}) is None


def test_the_outbox_says_it_in_our_words(make_window: Make, settle: Settle, home: Path) -> None:
    with Own(home / "own.db") as own:
        item = own.outbox.submit(own.outbox.items(["attention"])[0].id)
        own.outbox.begin_sending([item.id])
        own.outbox.set_aside(item.id, Problem("too-long", "“body” is longer than 9", "drop", 422).to_json())
    application = make_window(home)
    application.context.navigator.go(Place("outbox", record=item.id))
    settle(application)
    page: Any = application.window.stack.currentWidget()
    shown = " ".join(label.text() for label in page.item_view.findChildren(type(page.count)))
    assert "too long to be sent" in shown
    assert "“body”" not in shown


@pytest.mark.parametrize(
    ("error", "weight"), [(Unreachable("x"), "quiet"), (CaptivePortal("x"), "care"), (DiskFull("x"), "grave")]
)
def test_banners_have_three_weights(
    make_window: Make, settle: Settle, home: Path, error: Any, weight: str
) -> None:
    application = make_window(home)
    settle(application)
    banner = application.window.banner
    banner.show_problem(error)
    assert banner.property("weight") == weight
    assert banner._timer.isActive() == (weight == "quiet")
    banner.say("Something else")
    assert banner._words.text() == words_for(error).sentence
    banner._copy.click()
    assert QGuiApplication.clipboard().text().startswith(error.code)


def test_try_again_does_the_same_again(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    settle(application)
    done: list[str] = []

    def busy_once(_shelf: object) -> str:
        if not done:
            done.append("tried")
            raise StoreBusy("locked")
        return "read"

    application.context.read(busy_once, done.append, application)
    settle(application)
    assert application.window.banner.isVisible()
    application.window.banner._action.click()
    settle(application)
    assert done == ["tried", "read"]
    assert not application.window.banner.isVisible()


STEPS: dict[str, Callable[[Application, list[Any]], bool]] = {
    "again": lambda app, said: "again" in said,
    "sync": lambda app, said: "wake person" in engine(app).calls,
    "sync-page": lambda app, said: app.context.navigator.here == Place("sync"),
    "enrol": lambda app, said: app.context.navigator.here == Place("first-run", tab="hub"),
    "free-space": lambda app, said: app.context.navigator.here == Place("shelf", tab="files"),
    "preferences": lambda app, said: app.context.navigator.here == Place("preferences"),
    "moving": lambda app, said: app.context.navigator.here == Place("moving"),
    "outbox": lambda app, said: app.context.navigator.here == Place("outbox"),
    "sign-in": lambda app, said: QUrl("http://127.0.0.1/") in said,
    "let-remove": lambda app, said: "wake person" in engine(app).calls and lets_remove(app),
    "repair": lambda app, said: "open anew" in said,
    "copy": lambda app, said: QGuiApplication.clipboard().text().startswith("disk-full"),
    "report": lambda app, said: "report" in said,
    "none": lambda app, said: app.context.navigator.here == Place("home"),
}


def lets_remove(application: Application) -> bool:
    with Own(application.context.home / "own.db") as own:
        return own.setting(LET_REMOVE) is True


def engine(application: Application) -> Any:
    return application.context.sync._engine


@pytest.mark.parametrize("step", get_args(Step))
def test_every_step_does_something(
    make_window: Make, settle: Settle, home: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = make_window(home)
    settle(application)
    said: list[Any] = []
    QGuiApplication.clipboard().setText("")
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: said.append(url) or True)
    for signal, name in (("open_anew", "open anew"), ("report_wanted", "report")):
        getattr(application.context.notices, signal).disconnect()
        getattr(application.context.notices, signal).connect(lambda name=name: said.append(name))
    application.window.steps.take(step, Trouble(DiskFull("x"), lambda: said.append("again")))
    settle(application)
    assert STEPS[step](application, said)


def test_the_sync_page_has_the_steps_too(make_window: Make, settle: Settle, home: Path) -> None:
    application = make_window(home)
    application.context.navigator.go(Place("sync"))
    settle(application)
    page = application.window.stack.currentWidget()
    assert isinstance(page, SyncPage)
    application.context.sync._set(error=DiskFull("x"))
    assert "disk of this computer" in page._problem_words.text()
    page._problem_button.click()
    assert application.context.navigator.here.page == "shelf"


def test_a_row_is_not_changed_by_its_translation() -> None:
    before = dict(TABLE)
    words.use_language("ar")
    spoken = words_of_code("offline")
    assert isinstance(spoken, ErrorWords)
    assert spoken.sentence != TABLE["offline"].sentence
    assert before == TABLE
