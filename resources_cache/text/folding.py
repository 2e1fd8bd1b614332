"""From written text to the words of the search index, the same for what is stored and what is asked.

A word is folded so that people find it however they type it: case and accents go (NFKD, and letters that
NFKD leaves alone such as ø and ı), Arabic letter variants become one and vowel marks and the article go,
digits of other scripts become 0-9, a plural -s goes. Scripts written without spaces are cut into pairs of
letters. The result holds only letters and digits with one space between, so that FTS5's ``ascii``
tokenizer, which takes every non-ASCII character for part of a word, finds exactly these words.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator

from resources_cache.text.stopwords import RAW

RULES = f"1/{unicodedata.unidata_version}"
"""Changes with the rules and with Unicode's tables: stores then index their content anew."""

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


_JOINED = f"{_mark_ranges()}{_SILENT}"
WORD = re.compile(f"[^\\W_]+(?:[{_JOINED}]+[^\\W_]*)*+")
"""A word as it is written, before folding."""

_BETWEEN = re.compile(f"[^\\w{_JOINED}]|_")
_PIECE = 1 << 16  # characters looked at in one go; in between, other threads get their turn

_RUN = re.compile(f"[{UNSPACED}]+|[^{UNSPACED}]+")
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
_ARABIC = re.compile("[\u0621-\u064a]")
_ARTICLE = re.compile("^(?:[وفبك]?ال|[و]?لل)(?=.{3})")


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
_MAX_KEYS = 200_000
_MAX_KEY_LENGTH = 40
_MAX_TOKEN = 60


class _KeyTable(dict[str, str]):
    """Written word → index form, worked out once for each that is met. A dict that fills itself, because a
    look-up in it costs no call in Python: that is most of the work on a text."""

    def __missing__(self, word: str) -> str:
        if word.isascii() and word.isalnum():
            found = _stem(word.lower())[:_MAX_TOKEN]
        else:
            found = " ".join(_tokens_of(word))
        if len(word) <= _MAX_KEY_LENGTH:
            if len(self) >= _MAX_KEYS:
                self.clear()
            self[word] = found
        return found


_KEYS = _KeyTable()


def fold(text: str) -> str:
    """Lower case, without accents and letter variants; words and spaces stay where they are."""
    lowered = text.casefold()
    if lowered.isascii():
        return lowered
    folded = unicodedata.normalize("NFKD", lowered).translate(_TABLE)
    # Put back together what NFKD took apart but is no accent: Hangul syllables, voiced kana, Indic letters.
    return unicodedata.normalize("NFC", folded).casefold()


def _stem(word: str) -> str:
    """A plural and its singular become one, for en, fr, es and pt alike (after Harman's S stemmer, JASIS 42(1),
    1991): tablets, policies and policy, stratégies and stratégie, classes and class, regiones and region."""
    if len(word) >= 4 and word.endswith("s") and not word.endswith(("us", "ss", "is")):
        word = word[:-1]
    if len(word) >= 4 and word.endswith("ie"):
        return word[:-1]
    if len(word) >= 3 and word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "i"
    if len(word) >= 6 and word.endswith("e"):
        return word[:-1]
    return word


def _pairs(run: str) -> list[str]:
    """Overlapping pairs and the last letter alone, so that any part of two letters or more is a phrase."""
    return [run[i : i + 2] for i in range(len(run))]


def _tokens_of(word: str, *, asked: bool = False) -> list[str]:
    tokens: list[str] = []
    for part in WORD.findall(fold(word)):
        if _HAS_UNSPACED.search(part):
            for run in _RUN.findall(part):
                if not _HAS_UNSPACED.match(run):
                    tokens.append(_plain(run))
                elif asked and len(run) > 1:
                    tokens.extend(_pairs(run)[:-1])
                else:
                    tokens.extend(_pairs(run))
        else:
            tokens.append(_plain(part))
    return [token for token in tokens if token]


def _plain(word: str) -> str:
    if _ARABIC.search(word):
        word = _ARTICLE.sub("", word)
    return _stem(word)[:_MAX_TOKEN]


def key(word: str) -> str:
    """The index form of one written word: one token, or several with spaces between; "" for none."""
    return _KEYS[word]


def asked_key(word: str) -> str:
    """As ``key``, for a query: without the lone last letter, which stands only at the end of a written run."""
    return " ".join(_tokens_of(word, asked=True)) if is_unspaced(word) else key(word)


def prepare(text: str, lang: str = "") -> str:
    """The words of ``text`` for the index: tokens with one space between, in their order.

    ``lang`` (BCP 47) is what the text says it is written in. Today the script alone decides, because a
    query, whose language nobody knows, has to be cut in the same way.
    """
    return " ".join([prepared for piece in _pieces(text) if (prepared := _prepare(piece))])


def _prepare(piece: str) -> str:
    return " ".join(filter(None, map(_KEYS.__getitem__, WORD.findall(piece))))


def _pieces(text: str) -> Iterator[str]:
    """A long text cut between words: looking through all of it at once would keep every other thread waiting."""
    start = 0
    while len(text) - start > _PIECE and (cut := _BETWEEN.search(text, start + _PIECE)):
        yield text[start : cut.start()]
        start = cut.start()
    yield text[start:] if start else text


def is_unspaced(text: str) -> bool:
    """Whether the text holds letters of a script that is written without spaces."""
    return _HAS_UNSPACED.search(text) is not None


STOP_WORDS = frozenset(token for word in RAW for token in _tokens_of(word)) | frozenset(fold(word) for word in RAW)
"""Index forms of the words that a query leaves out where it has others."""
