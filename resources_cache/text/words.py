"""From written text to the words of the search index, the same for what is stored and what is asked.

A word is stemmed as its text's language has it (Snowball wants accents) and then folded; what language a query is
in nobody knows, so each of its words is looked for with the stems of every language on the shelf
(``alternatives``). docs/adr/0012-search-text.md says why, with the figures.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import Stemmer

from resources_cache.text.folding import RUN, WORD, fold, is_unspaced, pairs, pieces, unmarked
from resources_cache.text.languages import PLAIN, asked_in, guess, language, stemmer, stems_for
from resources_cache.text.stopwords import BY_LANGUAGE

RULES = f"4/{unicodedata.unidata_version}/{Stemmer.version()}"
"""Changes with the rules, Unicode's tables and Snowball: stores then index their content anew."""

_MAX_KEYS = 100_000
_MAX_KEY_LENGTH = 40
_MAX_TOKEN = 60
_MAX_STEMMED = 100  # characters; no word of any language is longer, and a stemmer's time grows with it

_ARABIC_ARTICLE = re.compile("^(?:[وفبك]?ال|[و]?لل)(?=.{3})")
_TURKISH_CAPITALS = {ord("I"): "ı", ord("İ"): "i"}


class _KeyTable(dict[str, str]):
    """Written word → index form, worked out once for each that is met. A dict that fills itself, because a
    look-up in it costs no call in Python: that is most of the work on a text."""

    def __init__(self, text_language: str) -> None:
        super().__init__()
        self._language = text_language

    def __missing__(self, word: str) -> str:
        found = " ".join(_tokens(word, self._language))
        if len(word) <= _MAX_KEY_LENGTH:
            if len(self) >= _MAX_KEYS:
                self.clear()
            self[word] = found
        return found


@cache
def _keys(text_language: str) -> _KeyTable:
    return _KeyTable(text_language)


class _PieceTable(dict[str, str]):
    """What stands between two spaces, commas and all → its words, each as ``ready`` makes it, in their order.
    Splitting at spaces is far faster than looking for words, and no word has a space in it."""

    def __init__(self, ready: Callable[[str], str]) -> None:
        super().__init__()
        self._ready = ready

    def __missing__(self, piece: str) -> str:
        found = " ".join(filter(None, map(self._ready, WORD.findall(piece))))
        if len(piece) <= _MAX_KEY_LENGTH:
            if len(self) >= _MAX_KEYS:
                self.clear()
            self[piece] = found
        return found


@cache
def _pieces(text_language: str) -> _PieceTable:
    return _PieceTable(_keys(text_language).__getitem__)


@cache
def _folded() -> _PieceTable:
    return _PieceTable(fold)


def text_language(tag: str, text: str) -> str:
    """The language that ``text`` is prepared in: what its BCP 47 tag says, else a guess."""
    return language(tag) or guess(text)


def prepare(text: str, lang: str = "") -> str:
    """The words of ``text`` for the index: tokens with one space between, in their order.

    ``lang`` (BCP 47) is what the text says it is written in; a text that does not say is looked at.
    """
    known = _pieces(text_language(lang, text))
    return " ".join(
        [ready for part in pieces(text) if (ready := " ".join(filter(None, map(known.__getitem__, part.split()))))]
    )


def prepared(text: str, lang: str) -> str:
    """``prepare`` for a short text in ``lang`` (as ``text_language`` gives it), with a space before and after each
    word, so that one is found in it at the speed of a look into a string."""
    return f" {' '.join(map(_pieces(lang).__getitem__, text.split()))} "


def folded(text: str) -> str:
    """The words of a short text as ``fold`` makes them, with a space before and after each."""
    return f" {' '.join(map(_folded().__getitem__, text.split()))} "


def folded_words(words: Iterable[str]) -> Iterator[str]:
    """``fold`` of each of many words, at the speed of a look-up."""
    return map(_folded().__getitem__, words)


def key(word: str, lang: str) -> str:
    """The index form of one written word of a text in ``lang`` (as ``text_language`` gives it): one token, or
    several with spaces between; "" for none."""
    return _keys(lang)[word]


def forms(words: Iterable[str], lang: str) -> Iterator[str]:
    """``key`` of each of many words, at the speed of a look-up."""
    return map(_keys(lang).__getitem__, words)


def alternatives(word: str, languages: Iterable[str]) -> list[str]:
    """The index forms that a word of a query may have in texts of these languages, without repetition.

    A word typed without accents is also tried with those that its ending has in a language: Snowball cuts
    "-ée", not "-ee".
    """
    found: dict[str, None] = {}
    for each in asked_in(word, languages):
        for form in (word, *_restored(word, each)):
            found.setdefault(_keys(each)[form])
    return [form for form in found if form]


def _tokens(word: str, lang: str, *, asked: bool = False) -> list[str]:
    if lang == "tr":
        word = word.translate(_TURKISH_CAPITALS)
    tokens: list[str] = []
    for part in WORD.findall(unmarked(word.casefold())):
        if is_unspaced(part):
            found = [run for folded in WORD.findall(fold(part)) for run in RUN.findall(folded)]
            for at, run in enumerate(found, start=1):
                # What another script follows is asked for to its end, as it is written.
                tokens += pairs(run, asked=asked and at == len(found)) if is_unspaced(run) else [run]
        else:
            tokens += WORD.findall(_stemmed(part, lang))
    return [token[:_MAX_TOKEN] for token in tokens if token]


def _stemmed(word: str, lang: str) -> str:
    of = stems_for(word, lang)
    stem = stemmer(of)
    if stem is None:
        return fold(word)
    if of == "ar":
        word = _ARABIC_ARTICLE.sub("", word)
    return fold(stem(word[:_MAX_STEMMED]))


def asked_pieces(word: str) -> list[str]:
    """The index tokens of a word in a script without spaces, for a query."""
    return _tokens(word, PLAIN, asked=True)


_COMPLETED = {
    "en": "ation ition ution ement ment ness ity ities ing able ible ally ism",
    "fr": "ation ition ution ement ements ité ités ique iques able ible isme",
    "es": "ación ición ución amiento imiento idad idades mente able ible ismo",
    "pt": "ação ição ução amento imento idade idades mente ável ível ismo",
}
"""Long endings that stemmers cut: while one of them is being typed, the word begins no word of the index."""


def completed(beginning: str, languages: Iterable[str]) -> list[str]:
    """The index forms that a word which begins so may have: its own alternatives, and those of the words that its
    last letters begin an ending of: "educa" and "educatio" for "education"."""
    typed = beginning.casefold()
    found = dict.fromkeys(alternatives(beginning, languages))
    for each in asked_in(beginning, languages):
        for ending in _COMPLETED.get(each, "").split():
            for size in range(1, min(len(ending), len(typed) - 2)):
                if typed.endswith((ending[:size], fold(ending[:size]))):
                    found.setdefault(_keys(each)[typed[:-size] + ending])
    return [form for form in found if form]


_ENDINGS = {
    code: tuple(tuple(pair.split(":")) for pair in pairs.split())
    for code, pairs in {
        "fr": "ee:ée ees:ées e:é es:és es:ès iere:ière ieres:ières",
        "es": "cion:ción ia:ía ias:ías ian:ían io:ió an:án as:ás en:én es:és on:ón",
        "pt": "cao:ção coes:ções encia:ência ario:ário",
        "ro": "a:ă tie:ție tia:ția tii:ții tiei:ției tiilor:țiilor ti:ți este:ește eaza:ează and:ând",
        "ar": "ه:ة ي:ى",
    }.items()
}
"""Endings as people type them in haste, and as Snowball knows them."""


def _restored(word: str, lang: str) -> list[str]:
    typed = word.casefold()
    if lang == "tr":
        return [_harmonised(typed)]
    return [typed[: -len(bare)] + meant for bare, meant in _ENDINGS.get(lang, ()) if typed.endswith(bare)]


_TURKISH_G = re.compile("(?<=[aeıioöuü])g(?=[aeıioöuü])")
_BACK, _FRONT = str.maketrans("i", "ı"), str.maketrans("ou", "öü")


def _harmonised(word: str) -> str:
    """Turkish as its vowel harmony demands where the letters typed leave no doubt: with "a" and no "e" every i is
    ı (yapisi: yapısı), with "e" and no "a" every u is ü and o is ö (goruyle: görüyle); a g between vowels is ğ."""
    if "a" in word and "e" not in word:
        word = word.translate(_BACK)
    elif "e" in word and "a" not in word:
        word = word.translate(_FRONT)
    return _TURKISH_G.sub("ğ", word)


@cache
def stop_words(languages: frozenset[str]) -> frozenset[str]:
    """Small words of these languages, lower case, as written and as typed without accents.

    Vietnamese ones only as written: without its marks too many words look alike.
    """
    found: set[str] = set()
    for each in languages:
        small = BY_LANGUAGE.get(each, frozenset())
        found |= small
        if each != "vi":
            found.update(map(fold, small))
    return frozenset(found)


@cache
def stop_forms(languages: frozenset[str], lang: str) -> frozenset[str]:
    """The index forms that the small words of these languages have in a text in ``lang``."""
    return frozenset(forms(stop_words(languages), lang))


def is_stop_word(word: str, languages: frozenset[str]) -> bool:
    """Whether a query may leave this word out where it has others."""
    small = stop_words(languages)
    return word.casefold() in small or fold(word) in small


__all__ = [
    "RULES", "alternatives", "asked_pieces", "completed", "folded", "folded_words", "forms", "is_stop_word", "key",
    "prepare", "prepared", "stop_forms", "stop_words", "text_language",
]  # fmt: skip
