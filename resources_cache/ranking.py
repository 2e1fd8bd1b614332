"""The order of answers: bm25 from the index, then a closer look at the texts of the best of them.

The score of a candidate is its bm25 times 1 + what it has of ``BONUSES``, each a share between 0 and 1. The shares
know nothing of a collection; docs/adr/0012-search-text.md has what each brings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resources_cache.text import Query
from resources_cache.text.folding import WORD, is_unspaced
from resources_cache.text.impact import COLUMN_WEIGHTS
from resources_cache.text.matching import Finder

WEIGHTS = ", ".join(f"{weight}.0" for weight in COLUMN_WEIGHTS)
"""The weights of the columns as FTS5's bm25() has them."""

BONUSES: Mapping[str, float] = {
    "together": 0.5,  # neighbouring words of the query that are neighbours in the text too
    "exact": 0.2,  # words of the query that stand there letter for letter, accents and endings included
    "titled": 0.1,  # 1 where the title has every word of the query
    "fresh": 0.05,  # 1 for this year, falling to 0 over 20 years
    "curated": 0.05,  # 1 where a curator has put it into a collection
}

CANDIDATES = 24
"""Best answers by bm25 that are looked at more closely."""

READ = 1_000
"""Characters of a candidate that are looked at."""

_TOGETHER = 3  # words apart at most: "quality of the education" is "education quality" said otherwise
_FAR = 200  # characters in which there are surely so many words
_YEARS = 20


@dataclass(frozen=True)
class Candidate:
    """An answer to be ranked: bm25 (higher is better), where it was found, and what is known of it.

    ``text`` begins with the title; ``lang`` is the language that it was prepared in.
    """

    bm25: float
    title: str
    text: str
    lang: str
    year: int | None = None
    curated: bool = False


def within_reach(scores: Sequence[float], shown: int) -> int:
    """How many of these bm25 scores, best first, could be among the best ``shown`` with every bonus."""
    if len(scores) <= shown:
        return len(scores)
    least = scores[shown - 1] / (1 + sum(BONUSES.values()))
    return next((n for n, score in enumerate(scores) if score < least), len(scores))


class Ranker:
    """Scores candidates for one query; ``this_year`` is what a year is fresh against."""

    def __init__(self, wanted: Query, this_year: int) -> None:
        self._year = this_year
        groups = wanted.wanted
        self._group_of = {word: n for n, group in enumerate(groups) for word in group.words}
        self._finders: dict[str, Finder[int]] = {}
        self._count = len(groups)
        self._spaced = any(not is_unspaced(group.written) for group in groups)
        written = dict.fromkeys(group.written.casefold() for group in groups)
        self._exact = tuple(written)

    def score(self, candidate: Candidate) -> float:
        """Higher is better; comparable within one query."""
        text = candidate.text[:READ].casefold()
        shares = {
            "exact": sum(word in text for word in self._exact) / max(1, len(self._exact)),
            "fresh": self._fresh(candidate.year),
            "curated": float(candidate.curated),
        }
        if self._count > 1 and self._spaced:
            shares["together"] = self._together(text, candidate.lang)
        shares["titled"] = self._titled(candidate.title.casefold(), candidate.lang)
        return candidate.bm25 * (1 + sum(BONUSES[name] * share for name, share in shares.items()))

    def _places(self, text: str, lang: str) -> list[tuple[int, int]]:
        """(place, group) of each word of the text that a group means; places far apart are not told exactly."""
        if lang not in self._finders:
            self._finders[lang] = Finder(self._group_of, {}, lang)
        found: list[tuple[int, int]] = []
        at = last = 0
        for start, end, group in self._finders[lang].find(text):
            if found:
                between = text[last:start]
                at += 1 + (len(WORD.findall(between)) if len(between) < _FAR else _TOGETHER)
            found.append((at, group))
            last = end
        return found

    def _together(self, text: str, lang: str) -> float:
        places = self._places(text, lang)
        found = set()
        for n, (at, group) in enumerate(places):
            for next_at, next_group in places[n + 1 : n + 1 + _TOGETHER]:
                if next_group == group + 1 and next_at <= at + _TOGETHER:
                    found.add(group)
        return len(found) / (self._count - 1)

    def _titled(self, title: str, lang: str) -> float:
        return float(len({group for _, group in self._places(title, lang)}) == self._count)

    def _fresh(self, year: int | None) -> float:
        return max(0.0, 1 - max(0, self._year - year) / _YEARS) if year else 0.0
