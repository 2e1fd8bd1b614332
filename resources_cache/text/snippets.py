"""The part of a text that shows why it was found, cut from the text as it was written."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import NamedTuple

from resources_cache.text.folding import WORD, fold, is_unspaced
from resources_cache.text.matching import Finder
from resources_cache.text.queries import Query
from resources_cache.text.words import stop_forms, text_language

START, END = "\x02", "\x03"
"""Around each matching word of a snippet."""

_TAG = re.compile(r"<(?:script|style)\b.*?</(?:script|style)\s*>|<!--.*?-->|<[^>]*>", re.DOTALL | re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LOOK_AHEAD = 4_000  # characters after the first match in which a better place is looked for


def strip_html(text: str) -> str:
    """The words of an HTML text, tags and comments gone, entities as characters."""
    return html.unescape(_TAG.sub(" ", text))


class Marker:
    """Makes the snippets of one query."""

    def __init__(self, wanted: Query) -> None:
        self._wanted = wanted
        self._matchers: dict[str, _Matcher] = {}

    def snippet(self, text: str, lang: str = "", width: int = 220) -> tuple[str, int]:
        """About ``width`` characters of ``text`` around its best place, and how many different words match there.

        ``lang`` is the BCP 47 tag of the text, "" for a guess. Matching words stand between START and END; a cut
        is shown by "…". Without a match it is the beginning.
        """
        place = self.place(text, lang, width)
        return place.shown(), place.words

    def place(self, text: str, lang: str = "", width: int = 220) -> Place:
        """The best place of ``text`` for a snippet; parameters as ``snippet`` has them."""
        matcher = self._matcher(text_language(lang, text))
        spans = matcher.spans(text, width)
        if matcher.different < 2:
            return Place(text, width, spans, 0, len(spans[:1]), bool(spans))
        first, best = 0, 0
        for index, (start, _end, _word) in enumerate(spans):
            here = {word for _begin, end, word in spans[index:] if end <= start + width - 40}
            if len(here) > best:
                first, best = index, len(here)
                if best == matcher.different:
                    break
        return Place(text, width, spans, first, best, best == matcher.different)

    def _matcher(self, lang: str) -> _Matcher:
        if lang not in self._matchers:
            self._matchers[lang] = _Matcher(self._wanted, lang)
        return self._matchers[lang]


def snippet(text: str, wanted: Query, lang: str = "", width: int = 220) -> tuple[str, int]:
    """See ``Marker.snippet``."""
    return Marker(wanted).snippet(text, lang, width)


_Word = tuple[int, int]
"""One thing that is looked for: (place of its group in the query, place of the word in a phrase)."""

_Span = tuple[int, int, _Word]
"""(where a match starts in the text, where it ends, what matches)."""


class Place(NamedTuple):
    """Where a snippet of ``width`` characters is best cut from ``text``: the matches in it, with which of them it
    begins, how many different words match there, and whether these are all that are looked for."""

    text: str
    width: int
    spans: Sequence[_Span]
    first: int
    words: int
    has_all: bool

    def shown(self) -> str:
        """The snippet, as ``Marker.snippet`` gives it."""
        text, width = self.text, self.width
        begin = _word_start(text, self.spans[self.first][0] - 40) if self.spans else 0
        end = min(len(text), begin + width)
        if end < len(text):
            cut = text.rfind(" ", begin + width // 2, end)
            end = cut if cut > 0 else end
        if _CONTROL.search(text, begin, end):
            text = _CONTROL.sub(" ", text)
        shown = ["… " if begin else ""]
        at = begin
        for start, stop, _word in self.spans:
            if start >= at and stop <= end:
                shown += [text[at:start], START, text[start:stop], END]
                at = stop
        shown += [text[at:end], " …" if end < len(text) else ""]
        return " ".join("".join(shown).split())


class _Matcher:
    """Which written words of a text in ``lang`` (as ``text_language`` gives it) a query means; ``different``: how
    many there can be."""

    def __init__(self, wanted: Query, lang: str) -> None:
        phrases = [(n, phrase) for n, group in enumerate(wanted.wanted) for phrase in group.words]
        prefixes = [(n, group.prefix) for n, group in enumerate(wanted.wanted) if group.prefix]
        words: dict[str, _Word] = {}
        for n, phrase in phrases:
            for place, token in enumerate(phrase.split()):
                words.setdefault(token, (n, place))
        small = stop_forms(wanted.languages, lang)
        if not small.issuperset(words):  # inside a phrase, small words are no reason to mark them everywhere
            words = {token: word for token, word in words.items() if token not in small}
        self._runs: list[tuple[str, _Word]] = []
        for n, phrase in phrases:
            if is_unspaced(phrase):
                pairs = [pair for pair in phrase.split() if is_unspaced(pair)]
                self._runs.append(("".join(pair[0] for pair in pairs[:-1]) + pairs[-1], (n, 0)))
        self._runs += [(prefix, (n, 0)) for n, prefix in prefixes if is_unspaced(prefix)]
        beginnings = {prefix: (n, 0) for n, prefix in prefixes if len(prefix) > 1}
        self.different = len({*words.values(), *beginnings.values(), *(word for _run, word in self._runs)})
        self._finder = Finder(words, beginnings, lang)

    def spans(self, text: str, width: int) -> list[_Span]:
        """Matches from the first one on, up to a little after it."""
        found: list[_Span] = []
        limit = len(text)
        for span in self._finder.find(text):
            if span[0] > limit:
                break
            if not found:
                limit = span[0] + (_LOOK_AHEAD if self.different > 1 else width)
            found.append(span)
        if self._runs:
            found += self._in_runs(text)
            found.sort()
        return found

    def _in_runs(self, text: str) -> list[_Span]:
        found: list[_Span] = []
        for word in WORD.finditer(text):
            if found and word.start() > found[0][0] + _LOOK_AHEAD:
                break
            if is_unspaced(word.group()):
                found += self._inside(word.group(), word.start())
        return found

    def _inside(self, word: str, offset: int) -> list[_Span]:
        """Runs of an unspaced script; positions are exact only where folding keeps the length."""
        plain = fold(word)
        if len(plain) != len(word):
            return []
        found: list[_Span] = []
        for run, meant in self._runs:
            at = plain.find(run)
            while at >= 0:
                found.append((offset + at, offset + at + len(run), meant))
                at = plain.find(run, at + 1)
        joined: list[_Span] = []
        for start, end, meant in sorted(found):
            if joined and start <= joined[-1][1]:
                first, last, one = joined[-1]
                joined[-1] = (first, max(last, end), one)
            else:
                joined.append((start, end, meant))
        return joined


def _word_start(text: str, wanted: int) -> int:
    if wanted <= 0:
        return 0
    space = text.find(" ", wanted, wanted + 30)
    return space + 1 if space >= 0 else wanted
