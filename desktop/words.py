"""The words of the window: gettext catalogues of desktop/locale, chosen at run time.

After a change of words: `pybabel extract -k N_ -o hubshelf.pot desktop`, `pybabel update -D hubshelf -i
hubshelf.pot -d desktop/locale`, translate, `pybabel compile -D hubshelf -d desktop/locale`. Words inside
an f-string are not found by the extraction: format them outside.

Every string a person sees goes through `_` or `ngettext`; `N_` marks a string that is translated later,
where it is shown (tables of words are built before a language is chosen).
"""

from __future__ import annotations

import gettext
import locale
import os
from pathlib import Path

from desktop.pseudo import PSEUDO, PseudoTranslations

LOCALE_DIR = Path(__file__).parent / "locale"
DOMAIN = "hubshelf"

# Each language under its own name: a person must recognise theirs whatever language the window is in.
LANGUAGE_NAMES = {
    "ar": "العربية",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "pt": "Português",
    "sw": "Kiswahili",
    "am": "አማርኛ",
    "bn": "বাংলা",
    "de": "Deutsch",
    "fa": "فارسی",
    "he": "עברית",
    "hi": "हिन्दी",
    "id": "Bahasa Indonesia",
    "ja": "日本語",
    "ko": "한국어",
    "ru": "Русский",
    "so": "Soomaali",
    "tr": "Türkçe",
    "uk": "Українська",
    "ur": "اردو",
    "vi": "Tiếng Việt",
    "zh": "中文",
}
# Where a language's numbers and dates are written in more than one way: as in the countries the hubs serve (Angola
# and Mozambique write as Portugal does, Central America not as Spain). Western digits everywhere: the hub's own
# documents use them, and Arabic readers of them do too.
_LOCALES = {"ar": "ar_AE", "es": "es_419", "pt": "pt_PT", PSEUDO: "en"}
RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})

_state: dict[str, object] = {"language": "en", "catalogue": gettext.NullTranslations()}


def N_(message: str) -> str:
    """Mark `message` for translation and return it unchanged."""
    return message


def _(message: str) -> str:
    """`message` in the chosen language."""
    catalogue = _state["catalogue"]
    assert isinstance(catalogue, gettext.NullTranslations)
    return catalogue.gettext(message) if message else ""


def ngettext(one: str, many: str, count: int) -> str:
    """The right plural form for `count`; the caller fills in the number."""
    catalogue = _state["catalogue"]
    assert isinstance(catalogue, gettext.NullTranslations)
    return catalogue.ngettext(one, many, count)


def isolate(text: str) -> str:
    """`text` set apart, so that words of another direction in it never reorder those around it (UAX 9)."""
    return f"\u2068{text}\u2069" if text else ""


def language() -> str:
    """The language the window speaks, as a BCP 47 primary tag."""
    return str(_state["language"])


def available_languages() -> list[str]:
    """Languages with a compiled catalogue, English first."""
    found = sorted(p.parent.parent.name for p in LOCALE_DIR.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return ["en", *(code for code in found if code != "en")]


def use_language(code: str) -> str:
    """Speak `code` from now on (English where there is no catalogue for it); returns what is spoken."""
    primary = primary_tag(code)
    if primary == PSEUDO:
        _state["catalogue"], _state["language"] = PseudoTranslations(), primary
        return primary
    if primary not in available_languages():
        primary = "en"
    _state["catalogue"] = gettext.translation(DOMAIN, LOCALE_DIR, [primary], fallback=True)
    _state["language"] = primary
    return primary


def locale_of(code: str) -> str:
    """The name of the locale whose numbers and dates go with language `code`, such as `es_419`."""
    return _LOCALES.get(code, code)


def system_language() -> str:
    """The language of the person's system, else English; the environment wins, as on every Unix."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "en" if value in ("C", "POSIX") or value.startswith("C.") else primary_tag(value)
    return primary_tag(locale.getlocale()[0] or "en")


def primary_tag(code: str) -> str:
    """`fr-CA`, `fr_CA.UTF-8` → `fr`."""
    return code.replace("_", "-").split("-")[0].split(".")[0].lower()


def is_right_to_left(code: str) -> bool:
    """Whether text in language `code` runs from right to left."""
    return primary_tag(code) in RIGHT_TO_LEFT


def language_name(code: str) -> str:
    """The language's own name for itself, else its tag in capitals."""
    return LANGUAGE_NAMES.get(primary_tag(code), code.upper())
