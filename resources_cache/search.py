"""Ranked search over everything on the shelf."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from resources_cache import notices, works
from resources_cache.cards import Filters, Hit, SearchPage
from resources_cache.counting import Counting
from resources_cache.database import Store
from resources_cache.editions import Answers, Folding, Found
from resources_cache.finding import find
from resources_cache.frequencies import documents, holds
from resources_cache.notices import BELOW
from resources_cache.passages import passage
from resources_cache.ranking import CANDIDATES, READ, Candidate, Ranker, within_reach
from resources_cache.recent import Looked, look
from resources_cache.records import Part, titled
from resources_cache.search_index import languages, left
from resources_cache.text import Group, Query, parse, text_language
from resources_cache.text.folding import WORD
from resources_cache.text.snippets import Marker
from resources_cache.text.spelling import mended, spelt
from resources_cache.widening import found_by, widened

__all__ = ["Filters", "Hit", "SearchPage", "search"]

_NO_NAME = re.compile(f"(?>{WORD.pattern})(?!:)")
"""A word that does not name a field of the query."""

_SPELT = 5
"""First answers in which a mended word is looked for as people write it."""


def search(
    store: Store,
    text: str,
    filters: Filters,
    limit: int,
    offset: int,
    as_typed: bool = False,
    reads: Collection[str] = (),
    counting: Counting | None = None,
) -> SearchPage:
    """See ``Library.search``; ``counting``: by filter, too."""
    limit, offset = max(0, limit), max(0, offset)
    with store.reading():
        wanted = parse(text, languages(store))
        if wanted.empty:
            return SearchPage(0, [])
        names = widened(store, text, wanted)
        slips: dict[str, Group] = {}
        if not as_typed:
            # A word of a name is typed well, whether or not any text has it; those beside it may not be.
            meant, slips = mended(
                wanted, lambda one: one.written in names.words or holds(store, one), partial(documents, store)
            )
            if slips:
                said = _with(text, {typed: group.written for typed, group in slips.items()})
                names = widened(store, said, meant)
        wanted, also = names.direct, names.also
        shown, folding = offset + limit, Folding(store, reads)
        # Who wants no answers wants to know how many there are; where filters are counted, that comes with them.
        counted = counting is None and not limit
        asked = partial(find, store, names.ranking, filters, folded=folding.needed, counted=counted)
        answers = folding.best(asked, shown, max(CANDIDATES, shown))
        records = _Records(store)
        found = _ranked(answers.best, wanted, records, shown, folding.others)
        more: list[Found] = []
        every = _either(wanted, also)
        if also is not None:
            answers = replace(answers, best=found)
            answers, more = _widened(store, every, also, filters, records, folding, answers, shown, counted)
        total, exact = answers.total, answers.exact
        facets: Mapping[str, list[tuple[str, int]]] = {}
        if counting is not None:
            counts = counting.count(every, filters)
            total, exact, facets = counts.total, counts.exact, counts.facets
        direct = found[offset:shown]
        more = more[max(0, offset - len(found)) :][: limit - len(direct)]
        records.load([*direct, *more])
        others = works.editions(store, [owner for owner, _score, _row in [*direct, *more]])
        not_indexed = left(store)
    hits = records.hits(direct, wanted)
    if also is not None:
        hits += records.hits(more, also, also.groups)
    for at, (owner, _score, _row) in enumerate([*direct, *more]):
        if owner in others:
            hits[at] = replace(hits[at], editions=tuple(others[owner]))
    return SearchPage(total, hits, _instead(text, slips, hits), facets, exact, not_indexed)


def understood(store: Store, text: str) -> Query:
    """See ``Library.understood``."""
    return parse(text, languages(store))


def _instead(text: str, slips: Mapping[str, Group], hits: Sequence[Hit]) -> str:
    """The query with what was meant, spelt as the first answers spell it; "" where it stays as it is."""
    if not slips:
        return ""
    shown = [(f"{hit.title} {hit.snippet}", hit.lang) for hit in hits[:_SPELT]]
    meant = {typed: spelt(typed, group, shown) for typed, group in slips.items()}
    return _with(text, meant)


def _with(text: str, meant: Mapping[str, str]) -> str:
    return _NO_NAME.sub(lambda match: meant.get(match.group(), match.group()), text)


def _widened(
    store: Store,
    every: Query,
    also: Query,
    filters: Filters,
    records: _Records,
    folding: Folding,
    direct: Answers,
    shown: int,
    counted: bool,
) -> tuple[Answers, list[Found]]:
    """The answers with those of ``also``, and these, in their order, where ``shown`` reaches them.

    ``every``: the direct query and ``also`` in one. ``direct``: the direct answers in their order, all of them
    where there are fewer than ``shown``.
    """
    total = direct.total
    if total >= shown and not direct.exact:
        return direct, []
    both = find(store, every, filters, max(CANDIDATES, shown), folded=folding.needed, counted=counted)
    both = replace(both, total=max(total, both.total))
    if total >= shown or (both.exact and both.total == total):
        return both, []
    asked = partial(find, store, also, filters, folded=folding.needed, counted=counted)
    more = folding.best(asked, shown - total, total + max(CANDIDATES, shown - total), besides=direct.best).best
    more = _ranked(more, also, records, shown - total, folding.others)
    # Scores of two queries say nothing of each other: the best of these stays below the least direct one.
    least = min((score for _owner, score, _row in direct.best), default=None)
    if least is not None and more and more[0][1] > 0:
        share = min(1.0, 0.99 * least / more[0][1])
        more = [(owner, score * share, row) for owner, score, row in more]
    return replace(both, total=max(both.total, total + len(more))), more


def _either(wanted: Query, also: Query | None) -> Query:
    return wanted if also is None else replace(also, groups=wanted.groups + also.groups)


def _ranked(
    found: Sequence[Found],
    wanted: Query,
    records: _Records,
    shown: int,
    others: Mapping[int, Sequence[Found]],
) -> list[Found]:
    """The best ``CANDIDATES`` by their full score, the rest after them as they are; ties as they were. Of an
    answer and the ``others`` of its work the best one stands there."""
    close = within_reach([score for _owner, score, _row in found[:CANDIDATES]], shown)
    if not wanted.expression() or not close:
        return list(found)
    besides = [other for one in found[:close] for other in others.get(one[0], ())] if others else []
    records.load([*found[:close], *besides])
    told = records.notices(owner for owner, _score, _row in [*found[:close], *besides])
    ranker = Ranker(wanted, datetime.now(UTC).year)

    def scored(one: Found) -> Found:
        owner, score, row = one
        full = ranker.score(_candidate(score, records.owner(owner), records.parts(row)))
        return owner, full * (BELOW if told.get(owner, "corrected") != "corrected" else 1.0), row

    best = [scored(one) for one in found[:close]]
    if besides:
        best = [max([one, *map(scored, others.get(one[0], ()))], key=itemgetter(1)) for one in best]
    return sorted(best, key=lambda one: -one[1]) + list(found[close:])


def _candidate(bm25: float, owner: _Owner, row: Sequence[Part]) -> Candidate:
    text, lang = owner.title, ""
    for column, part, tag in row:
        if len(text) > READ:
            break
        lang = lang or tag
        if column != "title" or part != owner.title:
            text = f"{text}\n{part[:READ]}"
    return Candidate(bm25, owner.title, text, text_language(lang, text), owner.year, owner.curated)


class _Owner(NamedTuple):
    """What is said of an answer."""

    id: str
    kind: str
    title: str
    lang: str
    year: int | None
    curated: bool


_OWNER = "id, type, title, lang, year, curated"
"""The columns of ``records`` in the order of an ``_Owner``."""


class _Records:
    """Answers, and the parts of the rows that they were found by, by rid, each read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looked: dict[int, Looked] = {}
        self._owners: dict[int, _Owner] = {}

    def load(self, found: Sequence[Found]) -> None:
        """Read those of these that are not here yet."""
        owners = [owner for owner, _score, _row in found if owner not in self._owners]
        rows = [row for _owner, _score, row in found if row not in self._looked]
        told = {}
        if owners:
            sql = f"SELECT {_OWNER}, rid FROM records WHERE rid IN ({','.join('?' * len(owners))})"
            told = {rid: _Owner(*one) for *one, rid in self._store.rows_at_once(f"{_OWNER}, rid", sql, owners)}
            rows += [rid for rid, owner in told.items() if not owner.title]  # it may have one in another language
        self._looked |= look(self._store, rows)
        for rid, owner in told.items():
            self._owners[rid] = owner if owner.title else owner._replace(title=titled(self._looked[rid].record))

    def notices(self, rids: Iterable[int]) -> dict[int, str]:
        """The kinds of the notices of these, by rid."""
        return notices.kinds(self._store, list(rids))

    def owner(self, rid: int) -> _Owner:
        return self._owners[rid]

    def parts(self, rid: int) -> list[Part]:
        """What is searched of a row, each part with the language that it was prepared in."""
        return self._looked[rid].parts

    def hits(self, found: Sequence[Found], wanted: Query, names: Sequence[Group] = ()) -> list[Hit]:
        """``names``: by which of these each was found is to be said."""
        marker = Marker(wanted)
        hits = []
        told = self.notices(rid for rid, _score, _row in found)
        for rid, score, row in found:
            owner, record = self.owner(rid), self._looked[row].record
            hits.append(
                Hit(
                    id=owner.id,
                    kind=owner.kind,
                    title=owner.title,
                    snippet=passage(self.parts(row), wanted, marker),
                    score=round(score, 8),
                    lang=owner.lang,
                    year=owner.year,
                    by=found_by(record, names),
                    notice=told.get(rid, ""),
                )
            )
        return hits
