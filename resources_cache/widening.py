"""What a query is also called: the other names, in all languages, of the themes and concepts that it names.

*formation des enseignants* names a concept of a vocabulary, so records that say *teacher education* are answers
too, after all that have words of the query itself. docs/adr/0014-vocabularies.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any, NamedTuple

from resources_cache import bodies, labels
from resources_cache.database import Store
from resources_cache.records import in_languages, parts
from resources_cache.text import Group, Query, prepare
from resources_cache.text.queries import runs
from resources_cache.text.words import alternatives, is_stop_word

MAX_NAMES = 40
"""Other names that a query is widened by, at most."""

_MAX_WORDS = 12  # words of a query that are looked at; what is longer is prose, and its time would grow
_MAX_SPELLINGS = 4  # of one run of words in one language
_MAX_RECORDS = 60  # themes and concepts that a query can name

_Span = tuple[int, int]
"""(place of its first word, words)."""


@dataclass(frozen=True)
class Widened:
    """A query and the other names of what it names.

    ``direct``: the query itself; the small words of a name (*formación de docentes*) are left out, even where its
    language is none of the shelf's. ``ranking``: has the same answers, and those with another name that shares
    words with the query rank higher. ``also``: the names that share none; None where there are none. ``words``:
    those of the query by which something was named, as written.
    """

    direct: Query
    ranking: Query
    also: Query | None
    words: frozenset[str] = frozenset()


def widened(store: Store, text: str, wanted: Query) -> Widened:
    """``wanted``, what ``text`` means, widened where its plain words name themes or concepts.

    Not where anything is demanded: every answer then has what was demanded and is a direct one.
    """
    unchanged = Widened(wanted, wanted, None)
    if not wanted.groups or wanted.required:
        return unchanged
    named = labels.languages(store)
    found = _named(store, runs(text), named, wanted) if named else None
    if not found or not found.records:
        return unchanged
    loose = tuple(group for group in wanted.groups if group.written not in found.small)
    direct = replace(wanted, groups=loose or wanted.groups)
    shared: dict[str, Group] = {}
    others: dict[str, Group] = {}
    for words, group, has_direct in islice(_names(found.records, direct), MAX_NAMES):
        (shared if has_direct else others).setdefault(words, group)
    ranking = replace(direct, groups=direct.groups + tuple(shared.values()))
    return Widened(
        direct, ranking, replace(direct, groups=tuple(others.values())) if others else None, found.words
    )


def found_by(record: Mapping[str, Any], groups: Sequence[Group]) -> str:
    """The first of these names that a record has, as it is written; "" for none."""
    for _column, text, lang in in_languages(parts(record)) if groups else ():
        ready = f" {prepare(text, lang)} "
        for group in groups:
            if any(f" {words} " in ready for words in group.words):
                return group.written
    return ""


class _Found(NamedTuple):
    """The records that are named, by the most words first; by which words as written, and the small ones."""

    records: list[dict[str, Any]]
    words: frozenset[str]
    small: frozenset[str]


def _named(store: Store, words_of: Sequence[Sequence[str]], named: Sequence[str], wanted: Query) -> _Found:
    words: list[str] = []
    ends: list[int] = []  # for each word, where its run ends
    for run in words_of:
        words += run
        ends += [len(words)] * len(run)
    del words[_MAX_WORDS:]
    forms = {lang: [alternatives(word, (lang,)) or [""] for word in words] for lang in named}
    spans = _spans(store, forms, words, ends)
    taken: set[int] = set()
    rids: dict[int, None] = {}
    meant: set[str] = set()
    small: set[str] = set()
    for (place, count), found in sorted(spans.items(), key=lambda one: (-one[0][1], one[0][0])):
        here = range(place, place + count)
        langs = frozenset(lang for lang, _rid in found)
        if taken.isdisjoint(here) and not all(is_stop_word(words[at], wanted.languages | langs) for at in here):
            taken.update(here)
            rids.update(dict.fromkeys(rid for _lang, rid in found))
            meant.update(words[at] for at in here)
            small.update(words[at] for at in here if is_stop_word(words[at], langs))
    chosen = list(rids)[:_MAX_RECORDS]
    if not chosen:
        return _Found([], frozenset(), frozenset())
    records = bodies.many(store, chosen)
    return _Found([records[rid] for rid in chosen], frozenset(meant), frozenset(small))


def _spans(
    store: Store, forms: Mapping[str, list[list[str]]], words: Sequence[str], ends: Sequence[int]
) -> dict[_Span, list[tuple[str, int]]]:
    """Runs of words that are names, with language and rid of the records that are called so."""
    starts = {
        f"{lang} {form.partition(' ')[0]}" for lang, of in forms.items() for each in of for form in each if form
    }
    sql = _in("SELECT start, max(count) AS most FROM labels WHERE start IN", starts) + " GROUP BY start"
    longest: dict[str, int] = dict(store.rows_at_once("start, most", sql, list(starts)))
    if not longest:
        return {}
    asked: dict[str, list[_Span]] = {}
    for lang, of in forms.items():
        for place in range(len(words)):
            most = max((longest.get(f"{lang} {form.partition(' ')[0]}", 0) for form in of[place]), default=0)
            for count in range(1, min(most, ends[place] - place, len(words) - place) + 1):
                for spelt in islice(product(*of[place : place + count]), _MAX_SPELLINGS):
                    asked.setdefault(" ".join((lang, *filter(None, spelt))), []).append((place, count))
    keys = list(asked)
    found: dict[_Span, list[tuple[str, int]]] = {}
    for words_found, rid in store.rows_at_once(
        "words, rid", _in("SELECT words, rid FROM labels WHERE words IN", keys), keys
    ):
        for span in asked[words_found]:
            found.setdefault(span, []).append((words_found.partition(" ")[0], rid))
    return found


def _in(sql: str, values: Iterable[Any]) -> str:
    return f"{sql} ({','.join('?' for _ in values)})"


def _names(records: Sequence[Mapping[str, Any]], direct: Query) -> Iterator[tuple[str, Group, bool]]:
    """(words, group, whether it has a word that is looked for anyway) of each name but those that say the same."""
    asked = {word for group in direct.groups for word in group.words}
    prefixes = tuple(group.prefix for group in direct.groups if group.prefix)
    for record in records:
        for tag, name in labels.names(record):
            lang, words = labels.prepared(tag, name)
            tokens = words.split()
            if lang in direct.languages and 0 < len(tokens) <= labels.MAX_WORDS and words not in asked:
                met = not asked.isdisjoint(tokens) or (
                    bool(prefixes) and any(token.startswith(prefixes) for token in tokens)
                )
                yield words, Group(name, (words,)), met
