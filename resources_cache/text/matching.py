"""Where words that are looked for stand in a text.

To prepare every word of a text is to look each of them up, and most begin unlike anything that is looked for. In
languages whose stems leave the first letters of a word as they are, a regular expression for these letters finds
the few that may be meant, and only those are looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from resources_cache.text.folding import JOINED, WORD, fold, is_unspaced
from resources_cache.text.glance import glance, letters_of
from resources_cache.text.languages import BEGINNINGS_STAY
from resources_cache.text.words import folded_words, forms, key

Meant = TypeVar("Meant")

_MOST_WORDS = 60  # words beyond which looking each up is faster
_MOST_KNOWN = 20_000

_WINDOW = 400  # characters that are looked at in one go
_SPACE = re.compile(r"\s")

_LETTER = re.compile(r"[^\W_]")
_JOINS = re.compile(f"[{JOINED}]")
_MARKS = "[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]*+"  # what may stand between the letters of a word


def _variants() -> tuple[dict[str, str], dict[str, str]]:
    """(letter → how it may be written, letters → how these may be written as one)."""
    alone: dict[str, str] = {}
    joined: dict[str, str] = {}
    for code in (*range(0xAA, 0x250), *range(0x1E00, 0x1F00), *range(0x2070, 0x2190), *range(0xFB00, 0xFB07)):
        written = chr(code)
        found = fold(written)
        if written == written.lower() and found.isascii() and found.isalnum():
            into = alone if len(found) == 1 else joined
            into[found] = into.get(found, "") + written
    return alone, joined


_ALONE, _JOINED = _variants()


class Finder(Generic[Meant]):
    """Finds words in texts in ``lang`` (as ``text_language`` gives it).

    ``words``: index form → what it means; ``beginnings``: folded beginning of a word → what it means.
    """

    def __init__(self, words: Mapping[str, Meant], beginnings: Mapping[str, Meant], lang: str) -> None:
        self._words, self._beginnings, self._lang = words, beginnings, lang
        self._starts = tuple(beginnings)
        self._known: dict[str, Meant | None] = {}
        self._glance = glance([*words, *beginnings], lang)
        self._patterns: list[re.Pattern[str] | None] = []

    def find(self, text: str) -> Iterator[tuple[int, int, Meant]]:
        """(start, end, what is meant) of each word of the text that means anything, in their order."""
        starts = self._glance.starts(text) if self._glance is not None else None
        if starts is not None:
            return self._beginning_at(text, starts)
        if (pattern := self._pattern()) is not None:
            lowered = text.lower()
            if len(lowered) == len(text):
                return self._at_a_glance(text, lowered, pattern)
        return self._one_by_one(text)

    def _pattern(self) -> re.Pattern[str] | None:
        if not self._patterns:  # most texts are looked at in bytes and do without
            stays = self._lang in BEGINNINGS_STAY
            self._patterns.append(_pattern([*self._words, *self._starts]) if stays else None)
        return self._patterns[0]

    def _beginning_at(self, text: str, starts: Iterator[int]) -> Iterator[tuple[int, int, Meant]]:
        known = self._known
        for start in starts:
            word = WORD.match(text, start)
            if word is not None:
                written = word.group()
                meant = known[written] if written in known else self._meant(written)
                if meant is not None:
                    yield start, word.end(), meant

    def _at_a_glance(self, text: str, lowered: str, quick: re.Pattern[str]) -> Iterator[tuple[int, int, Meant]]:
        end = 0
        for found in quick.finditer(lowered):
            start = found.start()
            if start < end or _inside(lowered, start):
                continue
            word = WORD.match(text, start)
            if word is None:
                continue
            end = word.end()
            meant = self._meant(word.group())
            if meant is not None:
                yield start, end, meant

    def _one_by_one(self, text: str) -> Iterator[tuple[int, int, Meant]]:
        words, starts = self._words, self._starts
        for begin, part in _windows(text):
            written = WORD.findall(part)
            ready = list(forms(written, self._lang))
            plain = ready if not starts else list(folded_words(written))
            hits = [
                at
                for at, form in enumerate(ready)
                if form in words or " " in form or form.startswith(starts) or plain[at].startswith(starts)
            ]
            if hits:
                spans = [word.span() for word in WORD.finditer(part)]
                for at in hits:
                    meant = self._meant(written[at])
                    if meant is not None:
                        yield begin + spans[at][0], begin + spans[at][1], meant

    def _meant(self, word: str) -> Meant | None:
        if word not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[word] = self._look_up(word)
        return self._known[word]

    def _look_up(self, word: str) -> Meant | None:
        form = key(word, self._lang)
        if form in self._words:
            return self._words[form]
        if self._starts:
            plain = fold(word)
            for beginning, meant in self._beginnings.items():
                if plain.startswith(beginning) or form.startswith(beginning):
                    return meant
        if " " in form and not is_unspaced(form):
            return next((self._words[token] for token in form.split() if token in self._words), None)
        return None


def _inside(text: str, at: int) -> bool:
    """Whether a word of the text goes on here. What joins letters begins no word: there may be some before one."""
    at -= 1
    while at >= 0 and _JOINS.match(text, at):
        at -= 1
    return at >= 0 and _LETTER.match(text, at) is not None


def _windows(text: str) -> Iterator[tuple[int, str]]:
    """The text in parts of about ``_WINDOW`` characters, cut at spaces, with where each begins."""
    start = 0
    while len(text) - start > _WINDOW and (space := _SPACE.search(text, start + _WINDOW)):
        yield start, text[start : space.start()]
        start = space.start()
    yield start, text[start:]


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """For lower-case words that begin as these do, and some more; None where that cannot be told."""
    ways: dict[str, None] = {}
    for word in words:
        if not (word.isascii() and word.isalnum()):
            return None
        ways.setdefault(beginning(word))
    return re.compile("|".join(ways)) if 0 < len(ways) <= _MOST_WORDS else None


def beginning(word: str) -> str:
    """A pattern for lower-case words in languages of ``BEGINNINGS_STAY`` with this index form, and some more."""
    ready: list[str] = []
    for at, letter in enumerate(word[: letters_of(word)]):
        as_one = "".join(written for letters, written in _JOINED.items() if word.startswith(letters, at))
        ready.append(f"[{letter}{_ALONE.get(letter, '')}{as_one}]")
        if as_one:
            break  # what follows is part of it
    return _MARKS.join(ready)
