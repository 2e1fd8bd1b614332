"""Letters made alike, so that people find a word however they type it.

Case and accents go (NFKD, and letters that NFKD leaves alone such as ø and ı), Arabic letter variants become one
and vowel marks go, digits of other scripts become 0-9. Scripts written without spaces are cut into pairs of
letters. What results holds only letters and digits, so that FTS5's ``ascii`` tokenizer, which takes every
non-ASCII character for part of a word, finds exactly these words.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator

_HAN = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
IDEOGRAPHS = re.compile(f"[{_HAN}]")
"""Han and kana."""

UNSPACED = f"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff{_HAN}"
"""Thai and Lao, Burmese, Khmer, kana, Han: written without spaces between words."""

_SILENT = "\u00ad\u200b-\u200f\u2060\ufeff"  # soft hyphen, joiners, direction marks: inside a word, never seen


def _mark_ranges() -> str:
    """Combining marks as a character class: Python's ``\\w`` leaves them out and would cut Hindi words apart."""
    ranges: list[list[int]] = []
    for code in range(0x300, min(0x10000, sys.maxunicode)):
        if unicodedata.category(chr(code))[0] == "M":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in ranges)


JOINED = f"{_mark_ranges()}{_SILENT}"
"""What may stand inside a word besides letters and digits, as the inside of a character class."""

WORD = re.compile(f"[^\\W_]+(?:[{JOINED}]+[^\\W_]*)*+")
"""A word as it is written, before folding."""

_BETWEEN = re.compile(f"[^\\w{JOINED}]|_")
_PIECE = 1 << 16  # characters looked at in one go; in between, other threads get their turn

RUN = re.compile(f"[{UNSPACED}]+|[^{UNSPACED}]+")
"""Parts of a word with and without spaces between words."""

_HAS_UNSPACED = re.compile(f"[{UNSPACED}]")

_LETTERS = {
    **{
        ord(a): b
        for a, b in zip(
            "øłđħŧŋðıĸæœþƀɓɖɗɛɩɔƙʋƴʼ",
            [
                "o",
                "l",
                "d",
                "h",
                "t",
                "n",
                "d",
                "i",
                "k",
                "ae",
                "oe",
                "th",
                "b",
                "b",
                "d",
                "d",
                "e",
                "i",
                "o",
                "k",
                "v",
                "y",
                "",
            ],
            strict=True,
        )
    },
    # Arabic: one alef, one ya, ta marbuta as ha, Persian letters as Arabic ones; no vowel marks, no stretching.
    ord("ٱ"): "ا",
    ord("ى"): "ي",
    ord("ی"): "ي",
    ord("ې"): "ي",
    ord("ک"): "ك",
    ord("ة"): "ه",
    ord("ہ"): "ه",
    ord("ۃ"): "ه",
    ord("ھ"): "ه",
    ord("ـ"): "",
    ord("ς"): "σ",
}


def _drops(code: int) -> bool:
    """Marks that people leave out when they type: accents, Hebrew points, Arabic vowels."""
    return (
        0x0300 <= code <= 0x036F
        or 0x0591 <= code <= 0x05C7
        or 0x0610 <= code <= 0x061A
        or 0x064B <= code <= 0x065F
        or code == 0x0670
        or 0x06D6 <= code <= 0x06ED
        or code in (0x00AD, 0x2060, 0xFEFF)
        or 0x200B <= code <= 0x200F
    )


class _FoldTable(dict[int, str]):
    """Character by character, worked out once for each that is met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if _drops(code):
            folded = ""
        elif character.isdigit() and unicodedata.decimal(character, None) is not None:
            folded = str(unicodedata.decimal(character))
        else:
            folded = character
        self[code] = folded
        return folded


_TABLE = _FoldTable(_LETTERS)
_UNSEEN = {code: "" for code in range(0x10000) if _drops(code) and not 0x0300 <= code <= 0x036F} | {ord("ـ"): ""}


def fold(text: str) -> str:
    """Lower case, without accents and letter variants; words and spaces stay where they are."""
    lowered = text.casefold()
    if lowered.isascii():
        return lowered
    folded = unicodedata.normalize("NFKD", lowered).translate(_TABLE)
    # Put back together what NFKD took apart but is no accent: Hangul syllables, voiced kana, Indic letters.
    return unicodedata.normalize("NFC", folded).casefold()


def unmarked(word: str) -> str:
    """A word as a stemmer wants it: composed, with accents, without what is written but never typed."""
    return word if word.isascii() else unicodedata.normalize("NFKC", word.translate(_UNSEEN))


def pairs(run: str, *, asked: bool = False) -> list[str]:
    """A run of an unspaced script in overlapping pairs and its last letter alone, so that any part of two letters
    or more is a phrase. ``asked``: without that last letter, which stands only at the end of a written run."""
    found = [run[at : at + 2] for at in range(len(run))]
    return found[:-1] if asked and len(run) > 1 else found


def pieces(text: str) -> Iterator[str]:
    """A long text cut between words: looking through all of it at once would keep every other thread waiting."""
    start = 0
    while len(text) - start > _PIECE and (cut := _BETWEEN.search(text, start + _PIECE)):
        yield text[start : cut.start()]
        start = cut.start()
    yield text[start:] if start else text


def is_unspaced(text: str) -> bool:
    """Whether the text holds letters of a script that is written without spaces."""
    return _HAS_UNSPACED.search(text) is not None
