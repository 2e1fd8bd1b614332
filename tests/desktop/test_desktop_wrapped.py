"""Nothing on screen was kept from a translator: not in the code, and not in the window itself."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QWidget,
)

from desktop import words
from desktop.app import Application
from desktop.pseudo import PSEUDO
from resources_cache.library import Library
from tests.desktop.every_place import own_parts, places

Make = Callable[..., Application]
Settle = Callable[[Application], None]

CODE = Path(words.__file__).parent
# What puts words on the screen, or into the ear: by the name that is called, Qt's and the window's own.
SPEAKERS = {
    *("QLabel", "QPushButton", "QToolButton", "QCheckBox", "QRadioButton", "QAction", "QGroupBox"),
    *("setText", "setToolTip", "setStatusTip", "setWhatsThis", "setAccessibleName", "setAccessibleDescription"),
    *("setPlaceholderText", "setWindowTitle", "setTitle", "setTabText", "setSuffix", "setPrefix", "setHtml"),
    *("setPlainText", "setSpecialValueText", "addAction", "addTab", "addItem", "addItems", "showMessage"),
    *("setInformativeText", "setLabelText", "setButtonText", "insertItem", "setHeaderLabels"),
    *("label", "title", "heading", "muted", "button", "tool", "Choice", "Tick", "DayField", "EmptyPlace"),
}
# Not words: pictures and looks by their names, and the name of the program, which is the same in every language.
NOT_WORDS = {"", "primary", "quiet", "pill", "muted", "title", "heading", "good", "warn", "notice", "Hubshelf"}
LETTERS = re.compile(r"[^\W\d_]{2,}")


def spoken_literals(source: str) -> Iterator[tuple[int, str]]:
    """(line, words) of every literal that is put on the screen without a translation.

    Only the first two positional arguments and named ones that hold words are looked at: the third of the
    window's own builders is an icon's name.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called not in SPEAKERS:
            continue
        first = {"EmptyPlace": node.args[1:4], "insertItem": node.args[1:2], "addItem": node.args[:1]}
        for argument in first.get(called, node.args[:1]):
            yield from ((part.lineno, str(part.value)) for part in bare_strings(argument))


def bare_strings(node: ast.expr) -> Iterator[ast.Constant]:
    """The string constants of an expression that reach the screen as they are written."""
    if isinstance(node, ast.Constant):
        text = node.value
        if isinstance(text, str) and text not in NOT_WORDS and LETTERS.search(re.sub(r"<[^>]*>|&\w+;", "", text)):
            yield node
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from bare_strings(part)
    elif isinstance(node, ast.BinOp):
        yield from bare_strings(node.left)
        yield from bare_strings(node.right)
    elif isinstance(node, ast.IfExp):
        yield from bare_strings(node.body)
        yield from bare_strings(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from bare_strings(part)
    elif isinstance(node, ast.List | ast.Tuple):
        for part in node.elts:
            yield from bare_strings(part)


def test_no_literal_goes_to_the_screen() -> None:
    found = [
        f"{path.relative_to(CODE)}:{line}: {text!r}"
        for path in sorted(CODE.rglob("*.py"))
        if path.name != "screenshots.py"  # what it puts into fields is what a person would type
        for line, text in spoken_literals(path.read_text("utf-8"))
    ]
    assert not found, "put these through `_`:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        'label("Nothing here")',
        'x.setText(f"{count} files")',
        'x.setToolTip("Open" if shut else _("Close"))',
        'button("Save " + name, "primary", "save")',
        'EmptyPlace("inbox", "Nothing here", _("Wait."))',
        'x.setText(name or "Nobody")',
    ],
)
def test_a_bare_literal_is_found(source: str) -> None:
    assert list(spoken_literals(source))


@pytest.mark.parametrize(
    "source", ['label(_("Nothing here"))', 'button("", "quiet")', 'x.setText(f"{a} · {b}")', 'log("Nothing here")']
)
def test_what_is_translated_passes(source: str) -> None:
    assert not list(spoken_literals(source))


def spoken(window: QWidget) -> Iterator[tuple[str, str]]:
    """(what, words) of everything that the window shows or says, but for what a person typed."""
    for widget in [window, *window.findChildren(QWidget)]:
        if widget is not window and (not widget.isVisible() or own_parts(widget)):
            continue
        kind = type(widget).__name__
        yield f"{kind}’s name", widget.accessibleName()
        yield f"{kind}’s description", widget.accessibleDescription()
        yield f"{kind}’s tip", widget.toolTip()
        if isinstance(widget, QLabel | QAbstractButton):
            yield kind, widget.text()
        elif isinstance(widget, QGroupBox):
            yield kind, widget.title()
        elif isinstance(widget, QLineEdit | QPlainTextEdit):
            yield f"{kind}’s hint", widget.placeholderText()
        elif isinstance(widget, QComboBox):
            for row in range(widget.count()):
                yield f"{kind}’s row", widget.itemText(row)
        elif isinstance(widget, QTabBar):
            for tab in range(widget.count()):
                yield f"{kind}’s tab", widget.tabText(tab)
        elif isinstance(widget, QAbstractItemView) and widget.model() is not None:
            yield from ((f"{kind}’s row", said) for said in rows(widget.model()))
    for action in window.findChildren(QAction):
        if action.isVisible():
            yield "action", action.text()


def rows(model: QAbstractItemModel) -> Iterator[str]:
    """What the first rows of a list say to a screen reader, else what they show."""
    for row in range(min(model.rowCount(), 12)):
        index = model.index(row, 0)
        yield str(index.data(Qt.ItemDataRole.AccessibleTextRole) or index.data(Qt.ItemDataRole.DisplayRole) or "")


def contents(home: Path) -> str:
    """All words that stand on the shelf and were written there by people: not the window's to translate."""
    hub = CODE.parent / "hub"
    texts = [
        text
        for file in (hub / "sample").glob("*.jsonl")
        for line in file.read_text("utf-8").splitlines()
        for text in strings(json.loads(line))
    ]
    for file in (hub / "taxonomies").glob("*.json"):
        texts += strings(json.loads(file.read_text("utf-8")))
    with Library(home / "library.db") as library:
        cards = library.latest(("resource", "thread", "expert", "event", "organisation", "request"), limit=500)
        texts += [text for card in cards for text in (card.title, card.summary)]
    texts += strings(json.loads((words.LOCALE_DIR / "countries.json").read_text("utf-8"))["en"])
    texts += [*words.LANGUAGE_NAMES.values(), *(code.upper() for code in words.LANGUAGE_NAMES)]
    texts.append(Path(__file__).with_name("conftest.py").read_text("utf-8"))
    return " ".join(plain(text) for text in texts)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)
    elif isinstance(value, str):
        yield value


def plain(text: str) -> str:
    """The letters and digits of `text` alone, without its sources `[1]` and a count at its end: pieces are cut at
    other marks than the records they come from.
    """
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"<[^>]*>|\[[^\[\]]*\]|\(\d+\)?$", " ", text).casefold()))


def unmarked(text: str) -> list[str]:
    """The pieces of `text` that are no words of the pseudo-language, by what divides them on a line."""
    text = re.sub("[\u2066-\u2069]", "", text).replace("&&", "&")
    before = None
    while before != text:  # words within words: a count within a sentence
        before, text = text, re.sub(r"\[[^\[\]]*\]", " ", text)
    return [piece.strip(" .,:;–—“”«»()…") for piece in re.split(r" · |\n|, |\t|  +|: |\. ", text)]


NAMES = re.compile(
    r"Hubshelf|PDF|EPUB|(Ctrl|Shift|Alt|Meta)\+\S*|F\d+|Esc|Del|Enter|Return|Home|End|https?://\S*|ABCD-EFGH-JKMN"
)


def test_every_word_of_the_window_is_translated(make_window: Make, settle: Settle, home: Path) -> None:
    look = {"introduced": True, "language": PSEUDO, "scheme": "light"}
    (home / "window.json").write_text(json.dumps(look))
    application = make_window(home)
    settle(application)
    known, found, seen = contents(home), set(), 0
    for where, place in places(home):
        application.context.navigator.go(place)
        settle(application)
        for what, text in spoken(application.window):
            seen += "[" in text
            for piece in unmarked(text):
                rest = NAMES.sub(" ", piece).strip()
                if LETTERS.search(rest) and plain(piece) not in known:
                    found.add(f"{where}: {what} “{text}”: {piece!r}")
    assert seen > 1000
    assert not found, "\n".join(sorted(found))
