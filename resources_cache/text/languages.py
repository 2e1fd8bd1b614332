"""Languages of texts: which script and which Snowball stems each has, and a guess where a text does not say.

Stems are those of Snowball 3 (https://snowballstem.org) through PyStemmer. Languages that are not in ``_KNOWN``
are prepared without stems, as are those that Snowball does not know (Swahili, Vietnamese, Hausa and others).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, lru_cache

import Stemmer

from resources_cache.text.stopwords import BY_LANGUAGE

_KNOWN = {
    "latin": "en ca cs da de eo es et eu fi fr ga hu id it lt nl no pl pt ro st sv tr",
    "arabic": "ar fa",
    "cyrillic": "ru sr",
    "devanagari": "hi ne",
    "greek": "el",
    "armenian": "hy",
    "hebrew": "yi",
    "tamil": "ta",
}
_SCRIPT_OF = {code: script for script, codes in _KNOWN.items() for code in codes.split()}
_OTHER_SCRIPTS = {"ur": "arabic", "uk": "cyrillic", "he": "hebrew"}  # without stems, but guessed
_SAME = {"nb": "no", "nn": "no", "in": "id", "iw": "he", "mo": "ro", "prs": "fa", "fas": "fa", "ara": "ar"}
_DEFAULT = {"latin": "en", "arabic": "ar", "cyrillic": "ru", "devanagari": "hi", "greek": "el", "tamil": "ta"}

_RANGES = (
    (0x024F, "latin"), (0x036F, ""), (0x03FF, "greek"), (0x052F, "cyrillic"), (0x058F, "armenian"),
    (0x05FF, "hebrew"), (0x06FF, "arabic"), (0x074F, ""), (0x077F, "arabic"), (0x08FF, ""), (0x097F, "devanagari"),
    (0x0B7F, ""), (0x0BFF, "tamil"), (0x1DFF, ""), (0x1EFF, "latin"), (0x1FFF, "greek"), (0x2C5F, ""),
    (0x2C7F, "latin"), (0xA71F, ""), (0xA7FF, "latin"), (0xFAFF, ""), (0xFB06, "latin"), (0xFB4F, "hebrew"),
    (0xFDFF, "arabic"), (0xFE6F, ""), (0xFEFF, "arabic"),
)  # fmt: skip

BEGINNINGS_STAY = frozenset(["ca", "da", "en", "es", "eu", "fi", "fr", "it", "no", "pt", "ro", "sv", "sw", "vi"])
"""Languages in Latin script in which a stem begins as the word does: others lose prefixes or change vowels."""

_SAMPLE = 2_000  # characters looked at for a guess
_ENOUGH = 2
_WORD = re.compile(r"[^\W\d_]+")
_TAG_PARTS = re.compile("[-_]")
_LONGEST_TAG = 60  # characters of a tag that are looked at; what is remembered of hostile ones stays small
_LETTERS = (
    ("uk", re.compile("[іїєґ]")), ("sr", re.compile("[ђјљњћџ]")),
    ("ur", re.compile("[ٹڈڑںے]")), ("fa", re.compile("[پچژگی]")),
)  # fmt: skip
"""Letters that decide within a script, the more telling first."""

PLAIN = "plain"
"""Stands for every language without stems; unlike "und" it says something."""


def script_of(word: str) -> str:
    """The script of a word by its first letter; "" for digits and for scripts that no stemmer knows."""
    for character in word:
        if character.isalpha():
            return _script_at(ord(character))
    return ""


@lru_cache(maxsize=4096)
def _script_at(code: int) -> str:
    return next((script for last, script in _RANGES if code <= last), "")


def language(tag: str) -> str:
    """The primary language of a BCP 47 tag as it is used here; "" where the tag says nothing.

    Languages without stems and without stop words come back as ``PLAIN``, so that hostile tags do not grow
    the number of languages.
    """
    return _primary(tag[:_LONGEST_TAG])


@lru_cache(maxsize=4096)
def _primary(tag: str) -> str:
    primary = _TAG_PARTS.split(tag.strip().lower(), maxsplit=1)[0]
    primary = _SAME.get(primary, primary)
    if primary == PLAIN:
        return PLAIN
    if primary in ("", "und", "mul", "mis", "zxx") or not primary.isascii() or not 2 <= len(primary) <= 3:
        return ""
    return primary if primary in _SCRIPT_OF or primary in BY_LANGUAGE else PLAIN


def guess(text: str) -> str:
    """The language of a text by its script, a few telling letters and its small words; ``PLAIN`` without letters.

    Looks at the first 2,000 characters. Where Latin script shows too few small words, the answer is "en": what
    counts is that the same stems are asked for, and a query always tries each language that was indexed.
    """
    sample = text[:_SAMPLE].casefold()
    words = _WORD.findall(sample)
    if sample.isascii():
        script = "latin" if words else ""
    else:
        letters = Counter[str]()
        for word in words:
            letters[script_of(word)] += len(word)
        script = max(letters, key=letters.__getitem__, default="")
    if not script:
        return PLAIN
    if script == "arabic" or script == "cyrillic":
        for code, telling in _LETTERS:
            if _script(code) == script and len(telling.findall(sample)) >= _ENOUGH:
                return code
    small = _languages_of_small_words()
    scores = Counter(code for word in words for code in small.get(word, ()) if _script(code) == script)
    first, second = (*scores.most_common(2), ("", 0), ("", 0))[:2]
    if first[1] >= _ENOUGH and first[1] > second[1]:
        return first[0]
    return _DEFAULT.get(script, PLAIN)


@cache
def _languages_of_small_words() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code, words in BY_LANGUAGE.items():
        for word in words:
            found.setdefault(word, []).append(code)
    return found


def _script(code: str) -> str:
    return _SCRIPT_OF.get(code) or _OTHER_SCRIPTS.get(code, "latin")


def stems_for(word: str, text_language: str) -> str:
    """The language whose stems a word of such a text gets: the text's own, where the word is in its script.

    Otherwise the commonest one of the word's script: English names in an Arabic text. ``PLAIN`` for none.
    """
    own = _SCRIPT_OF.get(text_language)
    if own is None:
        return PLAIN
    script = script_of(word)
    return text_language if script == own else _DEFAULT.get(script, PLAIN)


def asked_in(word: str, languages: Iterable[str]) -> list[str]:
    """The languages whose stems a word of a query may have been indexed with, without repetition."""
    return list(dict.fromkeys(stems_for(word, each) for each in languages))


@cache
def stemmer(code: str) -> Callable[[str], str] | None:
    """Snowball's stemmer for a language, or None."""
    if code not in _SCRIPT_OF:
        return None
    stem: Callable[[str], str] = Stemmer.Stemmer(code, 0).stemWord  # words are remembered with their index form
    return stem
