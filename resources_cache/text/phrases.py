"""Whether a text has a phrase, without preparing all of it where a glance can tell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from resources_cache.text.folding import JOINED
from resources_cache.text.languages import BEGINNINGS_STAY, language
from resources_cache.text.matching import beginning
from resources_cache.text.queries import Group
from resources_cache.text.words import prepare

_NEXT = rf"(?:[^\W_]|[{JOINED}])*[\W_]+"  # the rest of a word, and what is between it and the next one
_NEXT_CORE = rf"{_NEXT}(?:[^\W_]|[{JOINED}])*"  # and what stands before its stem
_LATIN = BEGINNINGS_STAY | {"ar", "fa", "ru"}  # the last ones give words in Latin script the stems of English
_ARABIC = re.compile("[\u0621-\u064a]+")
_MOST_PLACES = 20  # looked at before the whole text is

_WEAK = "اويهءأإآٱؤئىیېةہۃھ"
"""Arabic letters that the stemmer, the rules of folding or a person may write for one another."""


class Demands:
    """The phrases that a text must have and those that it may not have."""

    def __init__(self, required: Sequence[Group], excluded: Sequence[Group]) -> None:
        self._required, self._excluded = required, excluded
        self._glances = [_Glance(group) for group in required]

    def met(self, parts: Sequence[tuple[str, str, str]]) -> bool:
        """Whether a text, as (column, text, BCP 47 tag) of its parts, meets them."""
        if len(parts) == 1 and not self._excluded:
            _column, text, tag = parts[0]
            lowered = text.casefold()
            seen = [glance.at(lowered, tag) for glance in self._glances]
            if False in seen:
                return False
            if all(seen):
                return True
        ready = f" {' '.join(prepare(text, tag) for _, text, tag in parts)} "
        return all(_holds(ready, one) for one in self._required) and not any(
            _holds(ready, one) for one in self._excluded
        )


class _Glance:
    """What can be seen of one phrase in a text as it is written."""

    def __init__(self, phrase: Group) -> None:
        self._phrase = phrase
        self._written = phrase.written.casefold().strip()
        self._near: re.Pattern[str] | None = None
        self._languages: frozenset[str] = frozenset()
        words = [word for words in phrase.words for word in words.split()]
        if all(word.isascii() and word.isalnum() for word in words):
            self._languages = _LATIN
            self._near = re.compile("|".join(_NEXT.join(map(beginning, words.split())) for words in phrase.words))
        elif all(map(_ARABIC.fullmatch, words)):
            self._languages = frozenset({"ar"})
            self._near = re.compile(
                "|".join(_NEXT_CORE.join(map(_arabic_core, one.split())) for one in phrase.words)
            )

    def at(self, text: str, tag: str) -> bool | None:
        """Whether the casefolded text has the phrase; None where it must be looked at more closely."""
        at = text.find(self._written) if self._written else -1
        while at >= 0:
            end = at + len(self._written)
            if not (text[at - 1 : at].isalnum() or _goes_on(text[end : end + 1]) or _goes_on(text[at - 1 : at])):
                return True
            at = text.find(self._written, end)
        lang = language(tag)
        return self._closely(text, lang) if self._near is not None and lang in self._languages else None

    def _closely(self, text: str, lang: str) -> bool | None:
        """Whether the text has the phrase where its words seem to be. Texts are prepared piece by piece between
        white space, so that a part of one says of itself what the whole would say."""
        assert self._near is not None
        looked = end = 0
        found = self._near.search(text)
        while found is not None:
            if looked == _MOST_PLACES:
                return None
            looked += 1
            start, end = _piece_begins(text, found.start()), _piece_ends(text, found.end())
            if _holds(f" {prepare(text[start:end], lang)} ", self._phrase):
                return True
            found = self._near.search(text, found.start() + 1)
        return False


def _piece_begins(text: str, at: int) -> int:
    while at > 0 and not text[at - 1].isspace():
        at -= 1
    return at


def _piece_ends(text: str, at: int) -> int:
    # What was matched may end behind the white space that a word of the phrase is followed by.
    while at < len(text) and not text[at].isspace():
        at += 1
    return at


def _goes_on(character: str) -> bool:
    """Whether a word goes on with this."""
    return character.isalnum() or (bool(character) and unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf"))


def _arabic_core(stem: str) -> str:
    """A pattern for words with this stem, and some more: a stem loses what stands before and after, and its first
    letter may be another."""
    letters = stem[1:] if len(stem) > 2 else stem
    return r"\W*".join(
        f"[{_WEAK}]" if letter in _WEAK else f"[{letter}{'ک' * (letter == 'ك')}]" for letter in letters
    )


def _holds(ready: str, group: Group) -> bool:
    return any(f" {words} " in ready for words in group.words)
