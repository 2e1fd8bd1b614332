"""How much a record is about each of its words, in few steps.

The steps take the place of word counts and places: each word is kept once, behind a character that says how much
it weighs there, a digit in a text edition and a letter in anything else. What a word weighs is the part of BM25
that one record decides (Robertson, Zaragoza: The Probabilistic Relevance Framework, 2009):
tf · (k₁ + 1) / (tf + k₁ · (1 - b + b · length / usual)). The strongest words of all records then stand together in
the index, and a search reads these first and stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

_K1, _B = 1.2, 0.75  # as FTS5's bm25() has them
USUAL = 400
"""Words of a text of usual length, where nothing is known of the texts on a shelf."""

_TEXT_BOUNDS = (0.6, 0.95, 1.3, 1.65)
TEXT_STEPS = {"5": 1.85, "4": 1.45, "3": 1.1, "2": 0.78, "1": 0.45}
"""Digit → what a word behind it weighs in a text edition, about the middle of its step; the strongest first."""

_CARD_BOUNDS = tuple(round(0.35 + 0.17 * n, 2) for n in range(11))
CARD_STEPS = {chr(ord("a") + n): round(0.265 + 0.17 * n, 3) for n in reversed(range(12))}
"""The same of anything else, by letters: of a few words each says more, so the steps are finer."""

STEPS = TEXT_STEPS | CARD_STEPS
"""All of them."""

COLUMN_WEIGHTS = (3, 1, 1, 1)
"""How often a word in the title, the names, the summary and the body counts: what a text is called says more than
what it mentions."""

_LONGEST = 4_000  # sixteenths of the usual length
_MOST = 64  # beyond this many, one more of a word changes no step


def weighed(prepared: str, usual: int = USUAL) -> str:
    """The index words of a text edition: each of the words of ``prepared`` once, behind its digit.

    ``usual``: words of a text of usual length; in longer ones a word has to come more often to weigh the same.
    """
    words = prepared.split()
    return _behind_steps(Counter(words), len(words), usual, _TEXTS)


def weighed_card(columns: Sequence[str], usual: int = USUAL) -> str:
    """The index words of what has these columns (``COLUMN_WEIGHTS``): each once, behind its letter.

    ``usual``: as ``weighed`` has it, of such records.
    """
    times: Counter[str] = Counter()
    size = 0
    for text, weight in zip(columns, COLUMN_WEIGHTS, strict=True):
        words = text.split()
        size += len(words)
        times.update(words if weight == 1 else words * weight)
    return _behind_steps(times, size, usual, _CARDS)


_Scale = tuple[tuple[str, ...], tuple[float, ...]]
"""The names of the steps, the weakest first, and where they meet."""

_TEXTS: _Scale = (tuple(reversed(TEXT_STEPS)), _TEXT_BOUNDS)
_CARDS: _Scale = (tuple(reversed(CARD_STEPS)), _CARD_BOUNDS)


def _behind_steps(times: Mapping[str, int], size: int, usual: int, scale: _Scale) -> str:
    steps = _steps(min(_LONGEST, 16 * size // usual), scale)
    return " ".join([steps[count if count < _MOST else _MOST] + word for word, count in times.items()])


@lru_cache(8192)
def _steps(sixteenths: int, scale: _Scale) -> tuple[str, ...]:
    """The name of a word's step by how often it is in a text of so many sixteenths of the usual length, from never
    on."""
    names, bounds = scale
    norm = _K1 * (1 - _B + _B * (sixteenths + 0.5) / 16)
    shares = [times * (_K1 + 1) / (times + norm) for times in range(_MOST + 1)]
    return tuple(names[sum(share >= bound for bound in bounds)] for share in shares)
