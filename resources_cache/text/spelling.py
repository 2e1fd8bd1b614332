"""Words that were typed wrong: what was meant, as far as the shelf's own words can tell.

Only a word that no text has is mended, and only by one slip: two letters swapped, one left out, one too many, one
wrong (Damerau's four, which he found to be four of five errors: Comm. ACM 7(3), 1964). Swapped letters go before
the others, then what more records have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from math import log

from resources_cache.text.folding import WORD, fold, is_unspaced
from resources_cache.text.queries import Group, Query
from resources_cache.text.words import alternatives, key, text_language

Holds = Callable[[Group], bool]
"""Whether any text has what a group means."""

Documents = Callable[[Sequence[str]], Mapping[str, int]]
"""In how many records each of these index words is; those that are in none are left out."""

_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґў",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهويءؤئةىپچژگ",
    "אבגדהוזחטיכלמנסעפצקרשתךםןףץ",
    "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसहािीुूेैोौ्ंअआइईउऊएऐओऔ",
    "ሀለሐመሠረሰሸቀበተቸኀነኘአከኸወዐዘዠየደጀገጠጨጰጸፀፈፐ",
)
_SHORTEST = 4  # letters; of three, anything could be meant
_SHORTEST_FORM = 3  # of what stemmers leave: two letters are the rest of too many words
_LONGEST = 40
_MOST = 4  # words of one query that are mended: nobody types more wrong, and looking costs
_LONGEST_TRIED = (
    14  # letters of a word of which more than swapped letters is tried: a word has 53 such slips a letter
)
_TRIED = 2  # words of one query of which it is
_FIRST_LETTER = 0.3  # people seldom get the first letter wrong
_LETTERS = re.compile(r"[^\W\d_]+")


def mended(wanted: Query, holds: Holds, documents: Documents) -> tuple[Query, dict[str, Group]]:
    """``wanted`` with what no text has replaced, and what was typed → what is looked for instead.

    Demanded phrases, exclusions and words of scripts without spaces stay as they are.
    """
    instead: dict[str, Group] = {}
    groups: list[Group] = []
    looked = tried = 0
    for group in wanted.groups:
        found = None
        if looked < _MOST and _mendable(group.written) and not holds(group):
            looked += 1
            languages = sorted(wanted.languages)
            found = _meant(_swapped(group.written.casefold()), group.written, languages, documents)
            if found is None and tried < _TRIED and len(group.written) <= _LONGEST_TRIED:
                tried += 1
                found = _meant(_others(group.written.casefold()), group.written, languages, documents)
        if found is None:
            groups.append(group)
        else:
            word, forms = found
            instead[group.written] = replace(group, written=word, words=forms, prefix="")
            groups.append(instead[group.written])
    return replace(wanted, groups=tuple(groups)), instead


def _mendable(written: str) -> bool:
    return (
        _SHORTEST <= len(written) <= _LONGEST
        and _LETTERS.fullmatch(written) is not None
        and not is_unspaced(written)
    )


def _meant(
    slips: Iterable[tuple[str, float]], written: str, languages: Sequence[str], documents: Documents
) -> tuple[str, tuple[str, ...]] | None:
    """What is meant if it is one of these slips: the word, folded, and its index forms that are in any record."""
    forms: dict[str, tuple[float, str]] = {}
    ways: dict[str, list[str]] = {}
    for other, share in slips:
        if other == written.casefold() or other in ways:
            continue
        ways[other] = alternatives(other, languages)
        for form in ways[other]:
            if len(form) >= _SHORTEST_FORM and forms.get(form, (0.0, ""))[0] < share:
                forms[form] = (share, other)
    counts = documents(list(forms)) if forms else {}
    if not counts:
        return None
    best = max(counts, key=lambda form: (forms[form][0] * log(1 + counts[form]), form))
    meant = forms[best][1]
    return fold(meant), tuple(form for form in ways[meant] if form in counts)


def _swapped(word: str) -> Iterator[tuple[str, float]]:
    """Two neighbouring letters in the other order, and how likely that slip is."""
    for at in range(len(word) - 1):
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :], 1.0 if at else _FIRST_LETTER


def _others(word: str) -> Iterable[tuple[str, float]]:
    """One letter too many, left out, or wrong."""
    letters = next((one for one in _ALPHABETS if any(letter in one for letter in fold(word))), "")
    for at in range(len(word) + 1):
        share = 1.0 if at else _FIRST_LETTER
        if at < len(word):
            yield word[:at] + word[at + 1 :], share
        for letter in letters:
            yield word[:at] + letter + word[at:], share
            if at < len(word):
                yield word[:at] + letter + word[at + 1 :], share / 2


def spelt(typed: str, meant: Group, shown: Iterable[tuple[str, str]]) -> str:
    """What is looked for instead of ``typed``, as texts that are shown (text, BCP 47 tag) spell it."""
    found = [
        word.casefold()
        for text, tag in shown
        for word in WORD.findall(text)
        if key(word, text_language(tag, text)) in meant.words
    ]
    return _closest(typed, found) or meant.written


def _closest(typed: str, words: Sequence[str]) -> str:
    matcher = SequenceMatcher(b=typed.casefold(), autojunk=False)
    best, most = "", 0.0
    for word in words:
        matcher.set_seq1(word)
        if (alike := matcher.ratio()) > most:
            best, most = word, alike
    return best
