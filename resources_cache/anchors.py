"""Where a quoted passage stands in a text, also after the text has changed.

A passage is kept as the Web Annotation Data Model keeps it (W3C Recommendation of 23 February 2017, 4.2.4, 4.2.5):
a TextQuoteSelector (the words, with some before and after them) and the beginning of a TextPositionSelector. The
words decide; what stands around them, then the position, tells apart places that have the same words. Positions
count characters (code points) from 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from os.path import commonprefix

CONTEXT = 48
"""Characters kept of what stands before and after a passage."""

MAX_QUOTE = 10_000
"""The longest passage, in characters."""

_LIKE = 0.8  # how much of a passage must still be there (Ratcliff and Obershelp's ratio)
_VERY_LIKE = 0.92  # from here on it may stand in other surroundings
_AROUND = 8  # characters of the surroundings that must be there for what is less like it
_SHORT = (
    16  # a shorter passage, such as one word, stands in many places: one of them without its surroundings is none
)
_SHORTEST_CHANGED = 12  # shorter words that changed are not the same words any more
_LONGEST_CHANGED = 1_000
_WORK = 60_000_000  # pairs of characters compared for changed passages; a second or two where all are alike
_SEED = 12
_MOST_CANDIDATES = 12
_MOST_PLACES = 400
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Anchor:
    """A passage: its words, up to ``CONTEXT`` characters on both sides, and where it began when it was marked."""

    quote: str
    prefix: str = ""
    suffix: str = ""
    start: int = 0


def anchor(text: str, start: int, end: int) -> Anchor:
    """The anchor of ``text[start:end]``, without the white space at its ends.

    Raises: ValueError where nothing but white space is left, or more than ``MAX_QUOTE`` characters.
    """
    quote = text[start:end]
    start += len(quote) - len(quote.lstrip())
    quote = quote.strip()
    if not quote:
        raise ValueError("there are no words between these positions")
    if len(quote) > MAX_QUOTE:
        raise ValueError(f"a passage has at most {MAX_QUOTE} characters")
    end = start + len(quote)
    return Anchor(quote, text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT], start)


class Places:
    """One text, in which many anchors are looked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._work_left = _WORK
        # Other line breaks, or none, are no other words: they are looked for with single spaces.
        plain: list[str] = []
        origin: list[int] = []
        for run in re.finditer(r"\s+|\S+", text):
            words = " " if run[0].isspace() else run[0]
            plain.append(words)
            origin += range(run.start(), run.start() + len(words))
        self._plain = "".join(plain)
        self._origin = [*origin, len(text)]

    def find(self, wanted: Anchor) -> tuple[int, int] | None:
        """Where the passage begins and ends in the text now; None where it is not there any more.

        Time is bounded: at most ``_MOST_PLACES`` equal passages are compared, a changed one is looked for in at
        most ``_MOST_CANDIDATES`` places, and all those of one text share ``_WORK``.
        """
        quote = _SPACE.sub(" ", wanted.quote).strip()
        if not quote:
            return None
        found = self._same(quote, wanted) or self._changed(quote, wanted)
        if found is None:
            return None
        start, end = found
        return self._origin[start], self._origin[end - 1] + 1

    def _same(self, quote: str, wanted: Anchor) -> tuple[int, int] | None:
        starts = list(_occurrences(self._plain, quote, _MOST_PLACES))
        if not starts:
            return None
        best = max(starts, key=lambda at: (self._context(at, at + len(quote), wanted), -self._far(at, wanted)))
        known = len(wanted.prefix.strip()) + len(wanted.suffix.strip())
        if len(quote) < _SHORT and self._context(best, best + len(quote), wanted) < min(_AROUND // 2, known):
            return None
        return best, best + len(quote)

    def _far(self, at: int, wanted: Anchor) -> int:
        return abs(self._origin[at] - wanted.start)

    def _context(self, start: int, end: int, wanted: Anchor) -> int:
        """How many characters around a place are those around the passage."""
        before = _SPACE.sub(" ", wanted.prefix)
        after = _SPACE.sub(" ", wanted.suffix)
        here_before = self._plain[max(0, start - len(before)) : start]
        here_after = self._plain[end : end + len(after)]
        return len(commonprefix([before[::-1], here_before[::-1]])) + len(commonprefix([after, here_after]))

    def _changed(self, quote: str, wanted: Anchor) -> tuple[int, int] | None:
        """A place that has most of the words: somebody corrected the passage."""
        if not _SHORTEST_CHANGED <= len(quote) <= _LONGEST_CHANGED or self._work_left < 0:
            return None
        best, found = _LIKE, None
        for at in self._candidates(quote, wanted):
            room = len(quote) // 4 + 8
            left = max(0, at - room)
            window = self._plain[left : at + len(quote) + room]
            self._work_left -= 2 * len(quote) * len(window)
            if self._work_left < 0:
                break
            blocks = [
                b for b in SequenceMatcher(None, quote, window, autojunk=False).get_matching_blocks() if b.size
            ]
            # One letter far away is no part of the passage.
            solid = [b for b in blocks if b.size >= 3]
            if not solid:
                continue
            start = max(0, solid[0].b - solid[0].a)
            end = min(len(window), solid[-1].b + solid[-1].size + len(quote) - solid[-1].a - solid[-1].size)
            like = SequenceMatcher(None, quote, window[start:end], autojunk=False).ratio()
            same = self._context(left + start, left + end, wanted) >= _AROUND
            if like > best and (same or like >= _VERY_LIKE):
                best, found = like, (left + start, left + end)
        return found if found and self._plain[found[0] : found[1]].strip() else None

    def _candidates(self, quote: str, wanted: Anchor) -> list[int]:
        """Where the passage may begin: by pieces of itself, and by what stood around it."""
        starts: dict[int, None] = {}
        seeds = [(quote[i : i + _SEED], i) for i in range(0, len(quote) - _SEED + 1, _SEED)][:8]
        before, after = _SPACE.sub(" ", wanted.prefix)[-_SEED:], _SPACE.sub(" ", wanted.suffix)[:_SEED]
        seeds += [(seed, at) for seed, at in ((before, -len(before)), (after, len(quote))) if len(seed) == _SEED]
        for seed, offset in seeds:
            for at in _occurrences(self._plain, seed, 8):
                # Rounded, so that pieces of one place do not count as many places.
                starts.setdefault(max(0, at - offset) // 8 * 8)
        nearest = sorted(starts, key=lambda at: self._far(min(at, len(self._plain)), wanted))
        return nearest[:_MOST_CANDIDATES]


def _occurrences(text: str, words: str, most: int) -> Iterator[int]:
    at = text.find(words)
    while at >= 0 and most > 0:
        yield at
        most -= 1
        at = text.find(words, at + 1)
