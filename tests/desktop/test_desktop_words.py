"""The catalogues: every string of the code is translated, whole, and the compiled file is the written one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from desktop import amounts, words
from desktop.pseudo import PSEUDO
from desktop.qt_words import QtWords
from desktop.state_words import OUTBOX_STATES

CODE = Path(words.__file__).parent
LANGUAGES = [code for code in words.available_languages() if code != "en"]
HOLE = re.compile(r"\{(\w*)\}")


def catalogue(code: str) -> Catalog:
    with (words.LOCALE_DIR / code / "LC_MESSAGES" / "hubshelf.po").open("rb") as file:
        return read_po(file, locale=code)


def strings_of_the_code() -> dict[Any, str]:
    keywords = {"_": None, "N_": None, "ngettext": (1, 2)}
    found = extract_from_dir(CODE, [("**.py", "python")], {"**.py": {"encoding": "utf-8"}}, keywords)
    return {message: f"{file}:{line}" for file, line, message, _comments, _context in found if file != "cli.py"}


def test_the_six_languages_are_there() -> None:
    assert words.available_languages() == ["en", "ar", "es", "fr", "pt", "sw"]


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_string_is_untranslated(code: str) -> None:
    found = catalogue(code)
    strings = strings_of_the_code()
    assert len(strings) > 300
    for message, where in strings.items():
        entry = found.get(message)
        assert entry is not None, f"{where}: {message!r} is not in {code}"
        forms = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
        assert all(forms), f"{where}: {message!r} has no words in {code}"
        assert not entry.fuzzy, f"{where}: {message!r} is only guessed in {code}"
        if isinstance(message, tuple):
            assert len(forms) == found.num_plurals
        holes = set(HOLE.findall(message if isinstance(message, str) else message[1]))
        for form in forms:
            assert set(HOLE.findall(form)) <= holes, f"{form!r} asks for what {message!r} does not give"


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_compiled_catalogue_is_the_written_one(code: str) -> None:
    with (words.LOCALE_DIR / code / "LC_MESSAGES" / "hubshelf.mo").open("rb") as file:
        compiled = {plain(m.id): plain(m.string) for m in read_mo(file) if m.id}
    assert compiled == {plain(m.id): plain(m.string) for m in catalogue(code) if m.id}


def plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def test_no_words_hide_in_f_strings() -> None:
    for path in CODE.rglob("*.py"):
        if path.name != "cli.py":
            assert not re.search(r"\bf(['\"]).*\{(_|ngettext)\(", path.read_text("utf-8")), path


def test_plural_forms_of_arabic() -> None:
    words.use_language("ar")
    said = [words.ngettext("{count} resource", "{count} resources", n).format(count=n) for n in (1, 2, 3, 11, 100)]
    assert said == ["مورد واحد", "موردان", "3 موارد", "11 مورداً", "100 مورد"]


def test_sizes_and_times_are_spoken() -> None:
    words.use_language("en")
    assert [amounts.size(n) for n in (840, 12_400, 1_240_000)] == ["840 B", "12 KB", "1.2 MB"]
    words.use_language("fr")
    assert amounts.size(1_240_000) == "1,2 Mo"
    assert amounts.date("2026-09-14T08:30:00Z") == "14 septembre 2026"
    assert amounts.date("nonsense") == "nonsense"


@pytest.mark.parametrize(
    ("code", "day", "grouped", "weight"),
    [
        ("en", "14 September 2026", "1,234,567", "1.2 MB"),
        ("fr", "14 septembre 2026", "1\u202f234\u202f567", "1,2 Mo"),
        ("pt", "14 de setembro de 2026", "1\u00a0234\u00a0567", "1,2 MB"),
        ("es", "14 de septiembre de 2026", "1,234,567", "1.2 MB"),
        ("sw", "14 Septemba 2026", "1,234,567", "MB 1.2"),
        ("ar", "14 سبتمبر 2026", "1,234,567", None),
    ],
)
def test_dates_and_numbers_of_each_language(code: str, day: str, grouped: str, weight: str | None) -> None:
    words.use_language(code)
    assert amounts.date("2026-09-14T08:30:00Z") == day
    assert amounts.number(1_234_567) == grouped
    if weight is not None:
        assert amounts.size(1_240_000) == weight


@pytest.mark.parametrize(("code", "said"), [("pt", "recurso"), ("es", "recurso"), ("fr", "ressource")])
def test_plural_forms_of_two(code: str, said: str) -> None:
    words.use_language(code)
    forms = [words.ngettext("{count} resource", "{count} resources", n).format(count=n) for n in (1, 2, 100)]
    assert forms == [f"1 {said}", f"2 {said}s", f"100 {said}s"]
    none = words.ngettext("{count} resource", "{count} resources", 0)
    assert none == ("{count} ressource" if code == "fr" else "{count} recursos")  # none is one in French only


@pytest.mark.parametrize(
    ("code", "cancel"),
    [("en", "Cancel"), ("fr", "Annuler"), ("es", "Cancelar"), ("pt", "Cancelar"), ("ar", "ألغِ")],
)
def test_the_words_of_qt_follow(qapp: QApplication, code: str, cancel: str) -> None:
    spoken = QtWords(qapp)
    try:
        assert spoken.use(code)
        assert QCoreApplication.translate("QPlatformTheme", "Cancel") == cancel
        assert not spoken.use("sw"), "Qt has words in Kiswahili now: say so in docs/translating.md"
        assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Cancel"
    finally:
        spoken.use("en")


def test_the_language_nobody_speaks_is_offered_nowhere() -> None:
    assert words.use_language(PSEUDO) == PSEUDO
    assert PSEUDO not in words.available_languages()
    said = words.ngettext("{count} <b>row</b>", "{count} <b>rows</b>", 2)
    assert said.startswith("[{count} <b>řóẃş</b>".replace("ẃ", "ŵ"))
    assert said.endswith("]")
    assert len(words._("Search everything")) >= len("Search everything") * 1.3


def test_the_systems_language(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "fr_CM.UTF-8")
    assert words.system_language() == "fr"
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert words.system_language() == "en"
    assert words.use_language("xx-YY") == "en"


def test_the_six_states_have_words() -> None:
    assert set(OUTBOX_STATES) == {"draft", "waiting", "sending", "received", "answered", "attention"}
