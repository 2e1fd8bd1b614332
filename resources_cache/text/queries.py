"""From what a person types to what is looked for. No input is a syntax error.

    words                any of the words, more of them rank higher; small words only where nothing else is
    wor                  the last word, while nothing follows it, also as a beginning
    "exact phrase"       must be there, in this order (unless it stands in prose: see below)
    -word  -"phrase"     must not be there
    title:word author:"phrase"     must be there, in the title, among the names
    country:KE           of that country (ISO 3166); another value must be among the words
    year:2019 year:2015-2019       of those years
    2015-2019            any of these numbers; unlike ``year:`` it does not narrow

What cannot be meant that way is words: a ``-`` inside a word, a name that is not known, a query of nothing but
exclusions. In a query of more than twelve words, as people paste them from a letter, quotation marks and dashes
are punctuation: a quoted phrase then ranks higher but need not be there. The names are understood in English,
French, Spanish and Portuguese.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from itertools import islice

from resources_cache.text.folding import IDEOGRAPHS, WORD, fold, is_unspaced
from resources_cache.text.languages import PLAIN
from resources_cache.text.words import alternatives, asked_pieces, completed, is_stop_word, key

MAX_GROUPS = 80
"""Words of a query beyond these are left out: a pasted page must not hold the search up."""

_MAX_QUERY = 20_000  # characters looked at
_MAX_YEARS = 40
_MAX_PHRASE = 400  # characters
_PROSE = 12  # words of a query beyond which it is prose
_REPEATS = 5  # a word said more often than this weighs no more

_PART = re.compile(
    r"(?P<minus>(?<!\S)-(?=[^\W_]|[\"“«]))?"
    r"(?:(?<!\w)(?P<name>[^\W\d_]{2,10}):(?=[^\W_]|[\"“«]))?"
    r"(?:\"(?P<a>[^\"]*)\"|“(?P<b>[^”]*)”|«(?P<c>[^»]*)»"
    r"|(?P<years>(?<![\w-])[12]\d{3}[-–][12]\d{3}(?![\w-]))"
    rf"|(?P<word>{WORD.pattern}))"
)
_NAMES = {
    "title": "title titre titulo",
    "author": "author auteur autor autora auteure by",
    "country": "country pays pais",
    "year": "year annee ano",
}
_FIELD = {spelt: name for name, spellings in _NAMES.items() for spelt in spellings.split()}
_COLUMNS = {"title": "title", "author": "names"}
_YEARS = re.compile(r"([12]\d{3})(?:[-–]([12]\d{3}))?")
_COUNTRY = re.compile(r"[A-Za-z]{2}")


@dataclass(frozen=True)
class Group:
    """One thing that is looked for: as it was typed, and its alternatives in the index.

    ``words``: index tokens, or several with spaces between as a phrase; any of them will do. ``prefix``: also any
    word that begins so ("" for none). ``column``: only there ("" for anywhere). ``times``: how often it was said.
    """

    written: str
    words: tuple[str, ...]
    prefix: str = ""
    column: str = ""
    times: int = 1

    def expression(self) -> str:
        """As FTS5 has it. Words stand in quotes and hold only letters, digits and spaces: nothing is syntax."""
        parts = [f'"{word}"' for word in self.words]
        if self.prefix:
            parts.append(f'"{self.prefix}"*')
        joined = parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"
        return f"{self.column} : {joined}" if self.column else joined


@dataclass(frozen=True)
class Query:
    """What was understood. An answer has every group of ``required`` or, where there are none, at least one of
    ``groups``; none of ``excluded``; the country and a year of ``years`` (first, last) where they are given."""

    groups: tuple[Group, ...] = ()
    required: tuple[Group, ...] = ()
    excluded: tuple[Group, ...] = ()
    country: str = ""
    years: tuple[int, int] | None = None
    languages: frozenset[str] = field(default=frozenset({PLAIN}))

    @property
    def wanted(self) -> tuple[Group, ...]:
        """All that an answer may show, the required ones first."""
        return self.required + self.groups

    @property
    def filtered(self) -> bool:
        """Whether a country or years narrow the answers."""
        return bool(self.country) or self.years is not None

    @property
    def empty(self) -> bool:
        """Nothing to look for."""
        return not self.wanted and not self.filtered

    def expression(self) -> str:
        """The FTS5 expression, "" where there are no words: groups joined by OR, required ones by AND."""
        if not self.wanted:
            return ""
        # A required group is repeated among the others: so the rest counts for the rank and yet may be missing.
        any_of = " OR ".join(one.expression() for one in self.wanted for _ in range(one.times))
        musts = [one.expression() for one in self.required]
        found = " AND ".join([*musts, f"({any_of})"] if musts and self.groups else musts) or any_of
        if self.excluded:
            return f"({found}) NOT ({' OR '.join(one.expression() for one in self.excluded)})"
        return found


def parse(text: str, languages: Collection[str] = ("en", PLAIN)) -> Query:
    """What is meant by ``text``, on a shelf with texts in these languages (as ``text_language`` gives them)."""
    text = text[:_MAX_QUERY]
    prose = sum(1 for _ in islice(WORD.finditer(text), _PROSE + 1)) > _PROSE
    read = _Reading(frozenset(languages) or frozenset({PLAIN}), prose=prose)
    for match in _PART.finditer(text):
        read.part(match, unfinished=match.end() == len(text))
    return read.query()


class _Reading:
    """Takes the parts of a query one by one and sorts them."""

    def __init__(self, languages: frozenset[str], *, prose: bool) -> None:
        self._languages = languages
        self._in_order = sorted(languages)
        self._prose = prose
        self._loose: list[Group] = []
        self._small: list[Group] = []
        self._required: list[Group] = []
        self._excluded: list[Group] = []
        self._country = ""
        self._years: tuple[int, int] | None = None

    def part(self, match: re.Match[str], *, unfinished: bool) -> None:
        """One match of ``_PART``; ``unfinished``: nothing follows it, so it may be still in the typing."""
        name = _FIELD.get(fold(match["name"] or ""), "")
        if match["name"] and not name:
            self._words(match["name"])
        quoted = next((match[one] for one in "abc" if match[one] is not None), None)
        value = (quoted if quoted is not None else match["years"] or match["word"])[:_MAX_PHRASE]
        if self._prose and not name and (quoted is not None or match["minus"] is not None):
            if len(words := WORD.findall(value)) > 1:
                self._loose += self._phrase(value, "")
            for word in words:
                self._words(word)
        elif match["minus"] is not None:
            self._excluded += self._phrase(value, _COLUMNS.get(name, ""))
        elif name == "year" and _YEARS.fullmatch(value):
            years = sorted((int(value[:4]), int(value[-4:])))
            self._years = (years[0], years[1])
        elif name == "country" and _COUNTRY.fullmatch(value):
            self._country = value.upper()
        elif name or quoted is not None:
            self._required += self._phrase(value, _COLUMNS.get(name, ""))
        elif match["years"]:
            first, last = sorted((int(value[:4]), int(value[-4:])))
            numbers = range(first, min(last, first + _MAX_YEARS) + 1)
            self._loose.append(Group(value, tuple(map(str, numbers))))
        else:
            self._words(value, unfinished=unfinished)

    def query(self) -> Query:
        """What was meant, all in all."""
        loose, excluded = self._loose, self._excluded
        if not (loose or self._required or self._country or self._years):
            loose = self._small or excluded
            excluded = excluded if loose is self._small else []
        times = Counter(loose_one.words + (loose_one.prefix,) for loose_one in loose)
        groups = {one.words + (one.prefix,): one for one in reversed(loose)}
        return Query(
            groups=tuple(
                replace(one, times=min(times[same], _REPEATS)) for same, one in reversed(list(groups.items()))
            )[:MAX_GROUPS],
            required=tuple(dict.fromkeys(self._required))[:MAX_GROUPS],
            excluded=tuple(dict.fromkeys(excluded))[:MAX_GROUPS],
            country=self._country,
            years=self._years,
            languages=self._languages,
        )

    def _words(self, written: str, *, unfinished: bool = False) -> None:
        into = self._small if is_stop_word(written, self._languages) else self._loose
        if is_unspaced(written):
            into += _unspaced(written, unfinished)
            return
        beginning = "".join(WORD.findall(fold(written))) if unfinished else ""
        # What is cut into several words, such as "½", is no beginning of one.
        if len(beginning) < 2 or any(" " in word for word in alternatives(written, self._in_order)):
            beginning = ""
        find = completed if beginning else alternatives
        words = tuple(find(written, self._in_order))
        if words or beginning:
            into.append(Group(written, words, beginning))

    def _phrase(self, written: str, column: str) -> list[Group]:
        """One group, or none where nothing is left of it: the words in their order, as each language has them."""
        words = WORD.findall(written)
        if len(words) == 1 and not is_unspaced(words[0]):
            found = alternatives(words[0], self._in_order)
        else:
            found = [
                " ".join(
                    filter(None, (" ".join(asked_pieces(w)) if is_unspaced(w) else key(w, each) for w in words))
                )
                for each in self._in_order
            ]
        ready = tuple(dict.fromkeys(filter(None, found)))
        return [Group(written, ready, column=column)] if ready else []


def _unspaced(written: str, unfinished: bool) -> list[Group]:
    """Of a long run without spaces every piece, as nobody knows its words."""
    tokens = asked_pieces(written)
    if unfinished and len(tokens) == 1 and len(tokens[0]) == 1:
        return [Group(written, (), tokens[0])]  # one letter begins pairs
    if len(tokens) <= 3:
        return [Group(written, (" ".join(tokens),))] if tokens else []
    # Two Han letters are most often a word; two of an alphabet say nothing, three say more.
    size = 1 if IDEOGRAPHS.search(written) else 2
    return [Group(written, (" ".join(tokens[at : at + size]),)) for at in range(len(tokens) - size + 1)]


def query(text: str, languages: Collection[str] = ("en", PLAIN)) -> str:
    """``text`` as an FTS5 expression over prepared text; "" where it holds no word at all."""
    return parse(text, languages).expression()


def runs(text: str) -> list[list[str]]:
    """The plain words of a query, those that stand side by side together: nothing that is quoted, excluded or said
    of a field."""
    found: list[list[str]] = [[]]
    for match in _PART.finditer(text[:_MAX_QUERY]):
        named = match["name"] or ""
        if match["word"] is None or match["minus"] is not None or fold(named) in _FIELD:
            found.append([])
        else:
            found[-1] += [word for word in (named, match["word"]) if word]
    return [run for run in found if run]
