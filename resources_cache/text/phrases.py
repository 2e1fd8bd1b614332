"""Whether a text has a phrase, without preparing all of it where a glance can tell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from resources_cache.text.folding import JOINED, WORD
from resources_cache.text.glance import ARABIC, WEAK, Glance, glance
from resources_cache.text.languages import BEGINNINGS_STAY, language
from resources_cache.text.matching import beginning
from resources_cache.text.queries import Group
from resources_cache.text.stopwords import BY_LANGUAGE
from resources_cache.text.words import key, prepare, stop_words

_NEXT = rf"(?:[^\W_]|[{JOINED}])*[\W_]+"  # the rest of a word, and what is between it and the next one
_NEXT_CORE = rf"{_NEXT}(?:[^\W_]|[{JOINED}])*"  # and what stands before its stem
_LATIN = BEGINNINGS_STAY | {"ar", "fa", "ru"}  # the last ones give words in Latin script the stems of English
_MOST_PLACES = 20  # looked at before the whole text is
_BESIDE = 16  # characters in which there mostly is one more word


class Demands:
    """The phrases that a text must have and those that it may not have."""

    def __init__(self, required: Sequence[Group], excluded: Sequence[Group]) -> None:
        self._required, self._excluded = required, excluded
        self._phrases = [_Phrase(group) for group in required]

    def met(self, parts: Sequence[tuple[str, str, str]]) -> bool:
        """Whether a text, as (column, text, BCP 47 tag) of its parts, meets them."""
        if len(parts) == 1 and not self._excluded:
            _column, text, tag = parts[0]
            seen = [phrase.seen(text, language(tag)) for phrase in self._phrases]
            if False in seen:
                return False
            if all(seen):
                return True
        ready = f" {' '.join(prepare(text, tag) for _, text, tag in parts)} "
        return all(_holds(ready, one) for one in self._required) and not any(
            _holds(ready, one) for one in self._excluded
        )


class _Phrase:
    """What can be seen of one phrase in a text without preparing all of it."""

    def __init__(self, phrase: Group) -> None:
        self._phrase = phrase
        self._written = phrase.written.casefold().strip()
        self._near: re.Pattern[str] | None = None
        self._languages: frozenset[str] = frozenset()
        self._words = [words.split() for words in phrase.words]
        self._telling = frozenset(map(_most_telling, self._words))
        """One word of each: it is looked for, and then what stands beside it."""
        self._glances: dict[str, Glance | None] = {}
        every = [word for words in self._words for word in words]
        if all(word.isascii() and word.isalnum() for word in every):
            self._languages = _LATIN
            self._near = re.compile("|".join(_NEXT.join(map(beginning, words)) for words in self._words))
        elif all(map(ARABIC.fullmatch, every)):
            self._languages = frozenset({"ar"})
            self._near = re.compile("|".join(_NEXT_CORE.join(map(_arabic_core, one)) for one in self._words))

    def seen(self, text: str, lang: str) -> bool | None:
        """Whether the text has the phrase; None where all of it must be looked at."""
        if lang not in self._glances:
            self._glances[lang] = glance(self._telling, lang)
        known = self._glances[lang]
        starts = known.starts(text) if known is not None else None
        return self._beside(text, lang, starts) if starts is not None else self._at(text.casefold(), lang)

    def _beside(self, text: str, lang: str, starts: Iterable[int]) -> bool | None:
        """Whether any of the words that start there stands where it does in the phrase."""
        for start in starts:
            word = WORD.match(text, start)
            if word is None:
                continue
            form = key(word.group(), lang)
            if " " in form and not self._telling.isdisjoint(form.split()):
                return None
            if form not in self._telling:
                continue
            for words in self._words:
                for at, one in enumerate(words):
                    if (
                        one == form
                        and _goes_on_with(text, word.end(), words[at + 1 :], lang)
                        and _comes_after(text, start, words[:at], lang)
                    ):
                        return True
        return False

    def _at(self, text: str, lang: str) -> bool | None:
        """Whether the casefolded text has the phrase; None as in ``seen``."""
        at = text.find(self._written) if self._written else -1
        while at >= 0:
            end = at + len(self._written)
            if not (text[at - 1 : at].isalnum() or _goes_on(text[end : end + 1]) or _goes_on(text[at - 1 : at])):
                return True
            at = text.find(self._written, end)
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


def _most_telling(words: Sequence[str]) -> str:
    small = stop_words(frozenset(BY_LANGUAGE))
    return max(words, key=lambda word: (_strong_letters(word) > 1, word not in small, len(word)))


def _strong_letters(word: str) -> int:
    """Letters that stand wherever the word does: what has one of them alone is found in every other word."""
    return len(word) if word.isascii() else sum(letter not in WEAK for letter in word[len(word) > 2 :])


def _goes_on_with(text: str, end: int, words: Sequence[str], lang: str) -> bool:
    """Whether these index words come next in the text."""
    missing = list(words)
    for word in WORD.finditer(text, end) if missing else ():
        for form in key(word.group(), lang).split():
            if form != missing.pop(0):
                return False
            if not missing:
                return True
    return not missing


def _comes_after(text: str, start: int, words: Sequence[str], lang: str) -> bool:
    """Whether these index words come just before in the text."""
    size, first = _BESIDE * len(words), start
    found: list[str] = []
    while first > 0 and len(found) < len(words):
        first = _piece_begins(text, max(0, start - size))
        found = [form for word in WORD.findall(text[first:start]) for form in key(word, lang).split()]
        size *= 2
    return not words or found[-len(words) :] == list(words)


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
        f"[{WEAK}]" if letter in WEAK else f"[{letter}{'ک' * (letter == 'ك')}]" for letter in letters
    )


def _holds(ready: str, group: Group) -> bool:
    return any(f" {words} " in ready for words in group.words)
