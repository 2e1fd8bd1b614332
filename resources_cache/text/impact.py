"""How much a long text is about each of its words, in few steps.

The steps take the place of word counts and places in the index of texts: each word is kept once, behind a digit
that says how much it weighs in its text. What a word weighs is the part of BM25 that one text decides (Robertson,
Zaragoza: The Probabilistic Relevance Framework, 2009): tf · (k₁ + 1) / (tf + k₁ · (1 - b + b · length / usual)).
The strongest words of all texts then stand together in the index, and a search reads these first and stops.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

_K1, _B = 1.2, 0.75  # as FTS5's bm25() has them
USUAL = 400
"""Words of a text of usual length, where nothing is known of the texts on a shelf."""

_STEPS = (0.6, 0.95, 1.3, 1.65)

WEIGHTS = {"5": 1.85, "4": 1.45, "3": 1.1, "2": 0.78, "1": 0.45}
"""Digit → what a word behind it weighs, about the middle of its step; the strongest first."""

_LONGEST = 4_000  # sixteenths of the usual length
_MOST = 64  # beyond this many, one more of a word changes no step


def weighed(prepared: str, usual: int = USUAL) -> str:
    """The index words of a text: each of the words of ``prepared`` once, behind its digit.

    ``usual``: words of a text of usual length; in longer ones a word has to come more often to weigh the same.
    """
    words = prepared.split()
    steps = _steps(min(_LONGEST, 16 * len(words) // usual))
    return " ".join([steps[times if times < _MOST else _MOST] + word for word, times in Counter(words).items()])


@lru_cache(4096)
def _steps(sixteenths: int) -> tuple[str, ...]:
    """The digit of a word by how often it is in a text of so many sixteenths of the usual length, from once on."""
    norm = _K1 * (1 - _B + _B * (sixteenths + 0.5) / 16)
    shares = [times * (_K1 + 1) / (times + norm) for times in range(_MOST + 1)]
    return tuple(str(1 + sum(share >= step for step in _STEPS)) for share in shares)
