"""A guess at the language of a title and summary, for sources that do not say.

Scripts decide where a script belongs to one great language here; else the commonest small words do.
Nothing is guessed from less than it takes to be sure: then the language stays "und".
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+")
_SMALL_WORDS = {
    "en": "the of and to in is that for with on are this by from as it was be which an at or we their",
    "fr": "le la les des du et en dans pour une est sur que par au aux avec ce cette qui sont ses leur",
    "es": "el los las del y en una para por con que se es su al como más sus este esta son entre",
    "pt": "o os as do da dos das e em uma para por com que não se ao como mais no na são entre pelo",
    "de": "der die das und in den von zu mit ist im für des auf eine als auch dem nicht werden wird",
    "sw": "ya na wa kwa ni za katika la kuwa hii cha yake kama au vya huu hizo pia watu elimu",
    "it": "il di e la che per un una del della con sono gli nel alla dei le più come anche",
    "nl": "de het een van en in op te voor met dat zijn is aan niet door ook bij naar wordt",
}
_SETS = {code: frozenset(words.split()) for code, words in _SMALL_WORDS.items()}
_ENOUGH = 3


def guess(sample: str) -> str:
    """A BCP 47 tag or "und". Looks at the first 2,000 characters."""
    sample = sample[:2000].lower()
    script = _by_script(sample)
    if script:
        return script
    words = _WORD.findall(sample)
    scores = sorted(((sum(w in known for w in words), code) for code, known in _SETS.items()), reverse=True)
    (best, code), (second, _other) = scores[0], scores[1]
    return code if best >= _ENOUGH and best > second * 1.2 else "und"


def _by_script(sample: str) -> str:
    letters = [c for c in sample if c.isalpha()]
    if len(letters) < 8:
        return ""

    def share(low: str, high: str) -> float:
        return sum(low <= c <= high for c in letters) / len(letters)

    if share("\u3040", "\u30ff") > 0.1:
        return "ja"
    for code, low, high in (
        ("ar", "\u0600", "\u06ff"),
        ("ru", "\u0400", "\u04ff"),
        ("zh", "\u4e00", "\u9fff"),
        ("hi", "\u0900", "\u097f"),
        ("el", "\u0370", "\u03ff"),
        ("am", "\u1200", "\u137f"),
        ("he", "\u0590", "\u05ff"),
        ("th", "\u0e00", "\u0e7f"),
    ):
        if share(low, high) > 0.5:
            return code
    return ""
