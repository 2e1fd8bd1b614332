"""The part of a text that shows why it was found, cut from the text as it was written."""

from __future__ import annotations

import html
import re

from resources_cache.text.folding import WORD, fold, is_unspaced
from resources_cache.text.queries import Query
from resources_cache.text.words import forms, stop_forms, text_language

START, END = "\x02", "\x03"
"""Around each matching word of a snippet."""

_TAG = re.compile(r"<(?:script|style)\b.*?</(?:script|style)\s*>|<!--.*?-->|<[^>]*>", re.DOTALL | re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LOOK_AHEAD = 4_000  # characters after the first match in which a better place is looked for


def strip_html(text: str) -> str:
    """The words of an HTML text, tags and comments gone, entities as characters."""
    return html.unescape(_TAG.sub(" ", text))


class Matcher:
    """Which written words of a text in ``lang`` (as ``text_language`` gives it) a query means."""

    def __init__(self, wanted: Query, lang: str) -> None:
        self._lang = lang
        phrases = [phrase for group in wanted.wanted for phrase in group.words]
        prefixes = [group.prefix for group in wanted.wanted if group.prefix]
        tokens = {token for phrase in phrases for token in phrase.split()}
        small = stop_forms(wanted.languages, lang)
        if tokens - small:  # inside a phrase, small words are no reason to mark them everywhere
            tokens -= small
        self._runs: list[str] = []
        for phrase in phrases:
            if is_unspaced(phrase):
                pairs = [pair for pair in phrase.split() if is_unspaced(pair)]
                self._runs.append("".join(pair[0] for pair in pairs[:-1]) + pairs[-1])
        self._runs += [prefix for prefix in prefixes if is_unspaced(prefix)]
        self._prefixes = tuple(prefix for prefix in prefixes if len(prefix) > 1)
        self._tokens = frozenset(tokens)

    def spans(self, text: str) -> list[tuple[int, int, str]]:
        """Matches in ``text`` up to a little after the first one: (where it starts, where it ends, token)."""
        found: list[tuple[int, int, str]] = []
        limit = len(text)
        ready = list(forms(WORD.findall(text), self._lang))
        if not self._prefixes and not self._runs:
            # Most parts of most texts have none of the words: then there is nothing to walk through.
            hits = [at for at, form in enumerate(ready) if form in self._tokens or " " in form]
            ready = ready[: hits[-1] + 1] if hits else []
        for match, form in zip(WORD.finditer(text), ready, strict=False):
            if match.start() > limit:
                break
            token = form if form in self._tokens else self._match(match, form)
            if token:
                found.append((match.start(), match.end(), token))
            elif self._runs and is_unspaced(match.group()):
                found.extend(self._inside(match.group(), match.start()))
            if found and limit == len(text):
                limit = min(limit, found[0][0] + _LOOK_AHEAD)
        return found

    def _match(self, match: re.Match[str], form: str) -> str:
        """What a word that is no token of the query as a whole yet matches of it, or ""."""
        if self._prefixes:
            folded = fold(match.group())
            for prefix in self._prefixes:
                if folded.startswith(prefix) or form.startswith(prefix):
                    return prefix
        if " " in form and not is_unspaced(form) and not self._tokens.isdisjoint(form.split()):
            return form
        return ""

    def _inside(self, word: str, offset: int) -> list[tuple[int, int, str]]:
        """Runs of an unspaced script; positions are exact only where folding keeps the length."""
        folded = fold(word)
        if len(folded) != len(word):
            return []
        found: list[tuple[int, int, str]] = []
        for run in self._runs:
            at = folded.find(run)
            while at >= 0:
                found.append((offset + at, offset + at + len(run), run))
                at = folded.find(run, at + 1)
        joined: list[tuple[int, int, str]] = []
        for start, end, run in sorted(found):
            if joined and start <= joined[-1][1]:
                first, last, longest = joined[-1]
                joined[-1] = (first, max(last, end), longest if last >= end else longest + run)
            else:
                joined.append((start, end, run))
        return joined


def snippet(text: str, wanted: Query, lang: str = "", width: int = 220) -> tuple[str, int]:
    """About ``width`` characters of ``text`` around its best place, and how many different words match there.

    ``lang`` is the BCP 47 tag of the text, "" for a guess. Matching words stand between START and END; a cut is
    shown by "…". Without a match it is the beginning.
    """
    text = _CONTROL.sub(" ", text)
    spans = Matcher(wanted, text_language(lang, text)).spans(text)
    first, best = 0, 0
    for index, (start, _end, _token) in enumerate(spans):
        here = {token for begin, end, token in spans[index:] if end <= start + width - 40}
        if len(here) > best:
            first, best = index, len(here)
    begin = _word_start(text, spans[first][0] - 40) if spans else 0
    end = min(len(text), begin + width)
    if end < len(text):
        cut = text.rfind(" ", begin + width // 2, end)
        end = cut if cut > 0 else end
    pieces = ["… " if begin else ""]
    at = begin
    for start, stop, _token in spans:
        if start >= at and stop <= end:
            pieces += [text[at:start], START, text[start:stop], END]
            at = stop
    pieces += [text[at:end], " …" if end < len(text) else ""]
    return _SPACE.sub(" ", "".join(pieces)).strip(), best


def _word_start(text: str, wanted: int) -> int:
    if wanted <= 0:
        return 0
    space = text.find(" ", wanted, wanted + 30)
    return space + 1 if space >= 0 else wanted
