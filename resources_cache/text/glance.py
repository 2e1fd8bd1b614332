"""Where words that are looked for may stand in a text, seen from one byte for each of its characters.

Most texts fit into a code page. There each character is one byte, one table folds them all in one go, and a search
for bytes runs at the speed of memory; what is found in the bytes stands at the same place in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from resources_cache.text.folding import JOINED, fold
from resources_cache.text.languages import BEGINNINGS_STAY

ARABIC = re.compile("[\u0621-\u064a]+")

WEAK = "اويهءأإآٱؤئىیېةہۃھ"
"""Arabic letters that the stemmer, the rules of folding or a person may write for one another."""

_FIRST = 4  # letters of a word that are looked for
_ENDING = 2  # letters of a stem that may not be those of the word: "dying", "die"
_SHORT, _CHANGING = 3, "aeiouy"  # but no short stem that ends so: these are small words for the most part
_MOST_WORDS = 12  # words beyond which one regular expression for all of them is faster
_PART = 4_000  # characters that are looked at in one go
_SPACE = re.compile(r"\s")
_INSIDE = re.compile(f"[{JOINED}]")
_AS_ONE = "æÆœŒ"
_PAIRS = (
    "ae",
    "oe",
)  # what these stand for: of a word with one, what comes before its second letter is looked for
_ANY = b"\x01"  # for a weak letter
_OTHER = b"\x02"  # for letters that nothing looked for has


class _CodePage(NamedTuple):
    """``folded``: byte → the letter or digit that it is looked for as, a space for what is none. ``hidden``: what
    may stand inside a word and is no letter, or is two; a text with such bytes is not looked at here."""

    name: str
    folded: bytes
    hidden: bytes


def _code_page(name: str) -> _CodePage:
    folded, hidden = bytearray(), bytearray()
    for code in range(256):
        try:
            character = bytes([code]).decode(name)
        except UnicodeDecodeError:
            folded += b" "
            continue
        if _INSIDE.match(character) or (len(fold(character)) != 1 and character not in _AS_ONE):
            hidden.append(code)  # no letter, or as many as two
        folded += _one_byte(character) if character.isalnum() else b" "
    return _CodePage(name, bytes(folded), bytes(hidden))


def _one_byte(letter: str) -> bytes:
    plain = fold(letter)[:1]
    if plain.isascii() and plain.isalnum():
        return plain.encode()
    if letter in WEAK or plain in WEAK:
        return _ANY
    return plain.encode("cp1256", "replace").replace(b"?", _OTHER) or _OTHER


_LATIN = tuple(_code_page(name) for name in ("latin-1", "cp1252"))
_OF_ARABIC = (_code_page("cp1256"),)


def letters_of(word: str) -> int:
    """How many of its first letters a word begins with in every text, where it has this ASCII index form and is
    written in a language of ``BEGINNINGS_STAY``."""
    ending = 0 if len(word) <= _SHORT and word[-1] not in _CHANGING else _ENDING
    return min(_FIRST, max(1, len(word) - ending))


class Glance:
    """Finds where words with these index forms or beginnings may stand, and some more."""

    def __init__(self, wanted: Sequence[bytes], pages: Sequence[_CodePage]) -> None:
        self._wanted, self._pages = wanted, pages

    def starts(self, text: str) -> Iterator[int] | None:
        """Where words start that may be meant, in their order, each once; None where it fits no code page."""
        if text.isascii():
            return self._starts(text, text.encode(), self._pages[0])
        for page in self._pages:
            try:
                raw = text.encode(page.name)
            except UnicodeEncodeError:
                continue
            return None if len(raw.translate(None, page.hidden)) < len(raw) else self._starts(text, raw, page)
        return None

    def _starts(self, text: str, raw: bytes, page: _CodePage) -> Iterator[int]:
        for begin, end in _parts(text):
            ready = b" " + raw[begin:end].translate(page.folded)
            ahead = [(at, one) for one in self._wanted if (at := ready.find(one)) >= 0]
            last = -1
            while ahead:
                first = min(ahead)
                at, one = first
                start = ready.rfind(b" ", 0, at + 1)
                if start > last:
                    last = start
                    yield begin + start
                ahead.remove(first)
                if (at := ready.find(one, at + 1)) >= 0:
                    ahead.append((at, one))


def _parts(text: str) -> Iterator[tuple[int, int]]:
    """Where parts of about ``_PART`` characters begin and end, cut at white space."""
    start = 0
    while len(text) - start > _PART and (space := _SPACE.search(text, start + _PART)):
        yield start, space.start()
        start = space.start()
    yield start, len(text)


def glance(words: Iterable[str], lang: str) -> Glance | None:
    """For texts in ``lang`` (as ``text_language`` gives it); None where these words cannot be looked for so."""
    if lang == "ar":  # words in Latin script get the stems of English there
        wanted = {_core(word) if ARABIC.fullmatch(word) else _beginning(word) for word in words}
    elif lang in BEGINNINGS_STAY:
        wanted = {_beginning(word) for word in words}
    else:
        return None
    ways = [one for one in wanted if one]
    if not 0 < len(ways) == len(wanted) <= _MOST_WORDS:
        return None
    # What has another one in it is found with that one.
    ways = [one for one in ways if not any(other != one and other in one for other in ways)]
    return Glance(ways, _OF_ARABIC if lang == "ar" else _LATIN)


def _beginning(word: str) -> bytes | None:
    if not (word.isascii() and word.isalnum()):
        return None
    letters = word[: letters_of(word)]
    as_one = [at for pair in _PAIRS if (at := word.find(pair)) >= 0]
    return f" {letters[: min(as_one) + 1] if as_one else letters}".encode()


def _core(stem: str) -> bytes | None:
    # A stem loses what stands before and after, and its first letter may be another.
    letters = stem[1:] if len(stem) > 2 else stem
    return b"".join(map(_one_byte, letters))
