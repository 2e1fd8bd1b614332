"""From what a person types to an FTS5 expression. No input is a syntax error."""

from __future__ import annotations

import re
from dataclasses import dataclass

from resources_cache.text.folding import IDEOGRAPHS, STOP_WORDS, WORD, asked_key, fold, is_unspaced, key

_QUOTED = re.compile('"([^"]*)"|“([^”]*)”|«([^»]*)»')
MAX_TERMS = 40
"""Words of a query beyond these are left out: a pasted page must not hold the search up."""


@dataclass(frozen=True)
class Query:
    """What is looked for: ``terms`` (index tokens, or several as a phrase) and ``prefix``, the beginning of a
    last word that is still being typed ("" for none)."""

    terms: tuple[str, ...]
    prefix: str = ""

    @property
    def empty(self) -> bool:
        """Nothing to look for."""
        return not self.terms and not self.prefix

    def expression(self, *, every: bool = False) -> str:
        """The FTS5 expression: terms joined by OR (by AND where ``every``); "" where there is nothing.

        Each term stands in quotes and holds only letters, digits and spaces, so nothing in it is syntax.
        """
        parts = [f'"{term}"' for term in self.terms]
        if self.prefix:
            exact = key(self.prefix)
            last = f'"{self.prefix}"*'
            if exact and exact != self.prefix:
                last = f'("{exact}" OR {last})'
            parts.append(last)
        return (" AND " if every else " OR ").join(parts)


def parse(text: str) -> Query:
    """Words, "quoted phrases", and the last word as a beginning; stop words only where nothing else is left."""
    phrases = [key_phrase(next(filter(None, match.groups()), "")) for match in _QUOTED.finditer(text)]
    rest = _QUOTED.sub(" ", text)
    written = WORD.findall(rest)
    prefix = _prefix(rest, written)
    words = [term for word in (written[:-1] if prefix else written) for term in _terms(word)]
    said = [word for word in words if word and word not in STOP_WORDS]
    if prefix in STOP_WORDS and (said or any(phrases)):
        prefix = ""
    if not said and not prefix and not any(phrases):
        said = [word for word in words if word]
    terms = dict.fromkeys([phrase for phrase in phrases if phrase] + said)
    return Query(tuple(terms)[:MAX_TERMS], prefix)


def query(text: str) -> str:
    """``text`` as an FTS5 expression over prepared text; "" where it holds no word at all."""
    return parse(text).expression()


def _terms(word: str) -> list[str]:
    """A word as it is looked for: itself; of a long run without spaces, every piece, as nobody knows its words."""
    tokens = asked_key(word).split()
    if not is_unspaced(word) or len(tokens) <= 3:
        return [" ".join(tokens)]
    # Two Han letters are most often a word; two of an alphabet say nothing, three say more.
    size = 1 if IDEOGRAPHS.search(word) else 2
    return [" ".join(tokens[at : at + size]) for at in range(len(tokens) - size + 1)]


def key_phrase(text: str) -> str:
    """The tokens of a quoted phrase, in order, with spaces between."""
    return " ".join(filter(None, map(asked_key, WORD.findall(text))))


def _prefix(rest: str, written: list[str]) -> str:
    """The last word as typed so far, unless something after it says that it is finished."""
    if not written or not rest.endswith(written[-1]):
        return ""
    folded = "".join(WORD.findall(fold(written[-1])))
    if is_unspaced(folded):
        # One letter begins pairs; more are a phrase of pairs, whose last letter may begin a pair as well.
        return folded if len(folded) == 1 else ""
    # What is cut into several words, such as "½", is no beginning of one.
    return folded if len(folded) >= 2 and " " not in key(written[-1]) else ""
