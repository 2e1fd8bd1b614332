"""Which records have what a query looks for, with a first score, from no more of the index than needed.

Each look into the index gives rows and what they score for something of the query; a row's scores are added up,
and rows count for the record they are shown in. A word scores the weight that it has in its row times how rare it
is (resources_cache/text/impact.py): bm25, in steps. The strongest steps are looked at first, and weaker ones where
these are too few. Phrases, fields, and what is not yet indexed by today's rules, are found by their places, but in
text editions, and score FTS5's own bm25.

What most records have tells them apart by little and takes long to walk through. So without filters a step that
is in more than ``COMMON`` rows weighs only where something rarer is found too; alone, it is looked for in the
newest rows, and a beginning of a word is looked for in titles as long as there are enough.
How many answers there are is counted apart from that, over all rows, where that is asked for.

The index of texts has no places. Which of them may have a phrase is seen from the neighbours of their words
(resources_cache/text/pairs.py); those are read, the best first, until there are enough.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from resources_cache import bodies, works
from resources_cache.browse import conditions
from resources_cache.cards import Filters
from resources_cache.database import Store
from resources_cache.editions import LESS, Answers, Found
from resources_cache.frequencies import COMPLETIONS, frequencies
from resources_cache.ranking import CANDIDATES, WEIGHTS
from resources_cache.records import SEARCHED_SQL, parts
from resources_cache.search_index import left
from resources_cache.text import Group, Query
from resources_cache.text.impact import STEPS, TEXT_STEPS
from resources_cache.text.pairs import Place, neighbours
from resources_cache.text.phrases import Demands

COMMON = 1_000
"""Rows with a word beyond which it is common."""

NEWEST = 400
"""Rows, the newest first, that are looked at for what is common."""

FEW = 400
"""Rows of ``search`` that a query may have for all of them to be taken; of more, the best."""

_TOLD_APART = 200  # rows whose answers are counted, where not all are asked for
_BEST = 150  # rows of ``search`` that are looked at where there are more than that
_ENOUGH = 200  # texts with a word, the strongest first, after which weaker ones are left out
_ENOUGH_EACH = 1_500  # the same where several words are looked for and the best have more than one
_NEARBY = (120, 500)  # texts that may have a phrase, the newest first, that are looked at before all others
_READ_MOST = 1_000  # texts that are read to see whether a phrase is in them: 0.06 s
_READ_TO_COUNT = 200  # the same where all answers are counted: how many values filters have need not be exact
_READ_AT_ONCE = 30
_PAGE = 20  # answers
_DEEP = 200  # answers beyond which all rows are looked at: whoever reads so far must not run out of them
_MOST_NEIGHBOURS = 8  # of a phrase
_AT_ONCE = 500  # values in one statement
_MOST_PARTS = 4_000  # looks into the index of texts for one query
_BY_WEIGHT = dict(sorted(STEPS.items(), key=lambda one: -one[1]))
_TITLE = 1.7  # what bm25 gives for a word in a title, about
_LEAST_RARE = 1e-6  # as FTS5 has it: a word in more than half of the rows


def find(
    store: Store, wanted: Query, filters: Filters, most: int, *, folded: bool = False, counted: bool = False
) -> Answers:
    """The best ``most`` answers by their first score. Runs inside ``Store.reading``.

    ``folded``: the total counts each work once (``best`` has all of its records). ``counted``: only the total is
    wanted, of all; otherwise, where not all were found, it is said that there are so many or more.
    """
    where, values = narrowed(wanted, filters)
    if not wanted.wanted:
        less = LESS if folded else ""
        sql = (
            f"WITH folded AS (SELECT o.rid AS owner FROM records o WHERE o.type IN ({SEARCHED_SQL}){where})"
            f" SELECT owner, count(*) OVER (){less} AS total FROM folded ORDER BY owner DESC LIMIT ?"
        )
        found = store.rows_at_once("owner, total", sql, [*values, most])
        return Answers(found[0][1] if found else 0, True, [(owner, 0.0, owner) for owner, _ in found])
    plan = _Plan(store, wanted, most, whole=bool(where) or most > _DEEP or counted)
    if counted:
        every, given = plan.every_row()
        return Answers(_owners(store, every, given, where, values, folded=folded), plan.sure, [])
    rows = plan.rows()
    best, all_of_them = _folded(store, plan, rows, where, values, most)
    if all_of_them and len(best) < most and not plan.exact and not plan.whole and plan.plain:
        # What is common was left out, and there is too little else.
        plan = _Plan(store, wanted, most, whole=True)
        rows = plan.rows()
        best, all_of_them = _folded(store, plan, rows, where, values, most)
    if all_of_them and plan.exact:
        return Answers(len(best) - (_fold(store, [one[0] for one in best]) if folded else 0), True, best[:most])
    if where:
        every, given = plan.every_row()
        return Answers(_owners(store, every, given, where, values, folded=folded), plan.sure, best[:most])
    some = [plan.owners[rid] for rid in rows[:_TOLD_APART] if rid in plan.owners]
    total = len(set(some)) - (_fold(store, some) if folded else 0)
    exact = plan.exact and len(rows) <= _TOLD_APART
    if not exact and total >= 100:
        total = total // 100 * 100
    return Answers(total, exact, best[:most])


def _fold(store: Store, owners: Sequence[int]) -> int:
    """By how many the works among these records are fewer than they."""
    found: dict[int, int] = {}
    for at in range(0, len(owners), _AT_ONCE):
        found |= works.of(store, owners[at : at + _AT_ONCE])
    return len(found) - len(set(found.values()))


def _folded(
    store: Store, plan: _Plan, rows: Sequence[int], where: str, values: Sequence[Any], most: int
) -> tuple[list[Found], bool]:
    """These rows of a plan, best first, as answers: each record by its best row, no more of them looked up than
    needed; and whether all were."""
    if where:
        where = f" AND r.owner_rid IN (SELECT o.rid FROM records o WHERE 1{where})"
    sql = (
        "SELECT r.rid AS rid, r.owner_rid AS owner FROM json_each(?) j CROSS JOIN records r"
        f" INDEXED BY records_by_rid ON r.rid = j.value WHERE r.owner_rid IS NOT NULL{where}"
    )
    found: dict[int, Found] = {}
    at, size = 0, len(rows) if where else _TOLD_APART
    while at < len(rows) and (len(found) < most or not at):
        some = rows[at : at + size]
        plan.owners |= store.rows_at_once("rid, owner", sql, [json.dumps(some), *values])
        for rid in some:
            if rid in plan.owners:
                found.setdefault(plan.owners[rid], (plan.owners[rid], plan.hits[rid], rid))
        at, size = at + size, 4 * size
    return list(found.values()), at >= len(rows)


def _owners(
    store: Store, rows: str, given: Sequence[Any], where: str, values: Sequence[Any], *, folded: bool
) -> int:
    """How many records, or works where ``folded``, these rows are shown in. ``rows``: SQL for them, as ``rid``."""
    if where:
        where = f" AND r.owner_rid IN (SELECT o.rid FROM records o WHERE 1{where})"
    one, works_of = "r.owner_rid", ""
    if folded:
        one, works_of = "coalesce(-w.work, r.owner_rid)", " LEFT JOIN works w ON w.rid = r.owner_rid"
    sql = (
        f"SELECT count(DISTINCT {one}) FROM ({rows}) f CROSS JOIN records r INDEXED BY records_by_rid"
        f" ON r.rid = f.rid{works_of} WHERE r.owner_rid IS NOT NULL{where}"
    )
    return int(store.value(sql, [*given, *values]))


def every_row(store: Store, wanted: Query) -> tuple[list[int], bool]:
    """All rows with what a query looks for, and whether these are all: a phrase is looked for in so many texts at
    most. Country and years are not looked at. Runs inside ``Store.reading``."""
    plan = _Plan(store, wanted, 0, whole=True, reads=_READ_TO_COUNT)
    rows, given = plan.every_row()
    return json.loads(store.value(f"SELECT json_group_array(rid) FROM ({rows})", given)), plan.sure


def narrowed(wanted: Query, filters: Filters) -> tuple[str, list[Any]]:
    """Conditions of the filters and of the query itself over ``records AS o``."""
    where, values = conditions(filters, "o")
    if wanted.country:
        where += " AND o.rid IN (SELECT rid FROM links WHERE facet = 'country' AND value = ?)"
        values.append(wanted.country)
    if wanted.years:
        where += " AND o.year BETWEEN ? AND ?"
        values += wanted.years
    return where, values


class _Plan:
    """Finds a query's rows, part by part.

    ``whole``: all of them, however many. ``reads``: texts that are read for a phrase at most.
    """

    def __init__(self, store: Store, wanted: Query, most: int, *, whole: bool, reads: int = _READ_MOST) -> None:
        self._reads = reads
        self._store = store
        self._wanted = wanted
        self._most = most
        self.whole = whole
        self._parts = 0
        self._count = frequencies(store)
        self.hits: dict[int, float] = {}
        """Row → score."""
        self.owners: dict[int, int] = {}
        """Row → the record that it is shown in, as far as looked up."""
        self.exact = True
        """Whether ``hits`` are all rows that the query has."""
        self.sure = True
        """Whether all texts that may have a demanded phrase were read."""
        self._in_texts = ""
        self.plain = not (
            any(group.column or _is_phrase(group) for group in wanted.wanted + wanted.excluded) or left(store)
        )
        """Whether the weights of words tell all: there is no phrase and no field."""
        self._steps = _BY_WEIGHT if self.plain else TEXT_STEPS
        """Of the words that are looked at in ``texts``: step → weight, the strongest first."""
        # Demands that the index of texts alone cannot tell.
        self._must = [group for group in wanted.required if _is_phrase(group)]
        self._must_not = [group for group in wanted.excluded if _is_phrase(group)]
        self._phrases = self._must + self._must_not
        self._demands = Demands(self._must, self._must_not)
        self._read: dict[int, bool] = {}
        """Text → whether it meets them."""
        self._near = " AND ".join(f"({near})" for group in self._must if (near := _near(group.words)))
        """SQL that is true of ``pairs p`` for texts that may have all demanded phrases."""
        self._limit = 0
        """Texts with these neighbours that are looked at; 0 for all."""
        self._limited = False

    def rows(self) -> list[int]:
        """The rows that the query has, best first: all where ``exact``."""
        self.cards()
        self.texts()
        return self.best_first()

    def best_first(self) -> list[int]:
        """The rows, those that score the same newest first."""
        return sorted(sorted(self.hits, reverse=True), key=self.hits.__getitem__, reverse=True)

    def _take(self, sql: str, values: Sequence[Any], order: str, but: Collection[int] = ()) -> None:
        """Add what ``(rowid, score)`` rows score, leaving out those in ``but``."""
        hits = self.hits
        for rid, score in self._store.rows_at_once("rid, score", f"{sql} {order}", values):
            if rid not in but:
                hits[rid] = hits.get(rid, 0.0) + score

    def every_row(self) -> tuple[str, list[Any]]:
        """SQL for all rows, as ``rid``, and its parameters."""
        cards = "SELECT rowid AS rid FROM search WHERE search MATCH ?"
        values: list[Any] = [self._wanted.expression()]
        demand = self._demand()
        if self.plain and demand is not None:
            must, must_not = demand
            every = must or " OR ".join(self._any_of(group.words, group.prefix) for group in self._wanted.groups)
            but = f" NOT ({must_not})" if must_not else ""
            return "SELECT rowid AS rid FROM texts WHERE texts MATCH ?", [f"({every}){but}"]
        if demand is None:
            return cards, values
        if self._phrases:
            if not self._in_texts:
                self.texts()
            return f"{cards} UNION ALL SELECT value FROM json_each(?)", [*values, self._in_texts]
        must, must_not = demand
        but = f" NOT ({must_not})" if must_not else ""
        groups = [] if must else [group for group in self._wanted.groups if not group.column]
        single = [
            self._any_of(words, group.prefix)
            for group in groups
            if (words := [one for one in group.words if " " not in one]) or group.prefix
        ]
        texts: list[str] = []
        if must or single:
            texts.append("SELECT rowid FROM texts WHERE texts MATCH ?")
            values.append(f"({must or ' OR '.join(single)}){but}")
        for group in groups:
            if phrases := [one for one in group.words if " " in one]:
                texts.append(
                    "SELECT p.rid FROM (SELECT rowid AS rid FROM texts WHERE texts MATCH ?) t"
                    f" CROSS JOIN pairs p ON p.rid = t.rid WHERE {_near(phrases)}"
                )
                values.append(f"({self._any_of(phrases)}){but}")
        # No row is in both tables.
        return f"{cards} UNION ALL SELECT * FROM ({' UNION '.join(texts)})" if texts else cards, values

    # Everything but text editions

    def cards(self) -> None:
        """What ``search`` and ``titles`` have; of ``search`` nothing where weights tell all."""
        wanted = self._wanted
        if self.plain:
            for group in wanted.groups if not self.whole else ():
                if group.prefix and self._has_many(group.prefix):
                    self._begun_titles(group)
                    self.exact = False
            return
        if self.whole:
            self._card_rows(wanted)
            return
        # A beginning is looked for in titles, and everywhere only where titles have too little.
        begun = [group for group in wanted.groups if group.prefix and self._has_many(group.prefix)]
        groups = tuple(replace(group, prefix="") if group in begun else group for group in wanted.groups)
        groups = tuple(group for group in groups if group.words or group.prefix)
        for group in begun:
            self._begun_titles(group)
            self.exact = False
        common = [group for group in groups if self._rows_with(group) > COMMON]
        rare = tuple(group for group in groups if group not in common)
        if wanted.required:
            few = any(self._rows_with(group) <= COMMON for group in wanted.required)
            self._card_rows(replace(wanted, groups=groups), newest=not few)
        elif not common:
            if groups:
                self._card_rows(replace(wanted, groups=groups))
        else:
            if rare:
                any_rare = Query(groups=rare).expression()
                self._card_rows(replace(wanted, groups=groups), also=f"({any_rare}) AND ")
            self.exact = False
            if sum(map(self._rows_with, rare)) < self._most:
                self._card_rows(replace(wanted, groups=tuple(common)), newest=True)
                known = set(self.hits)  # with what their titles score
                for group in common:
                    if not group.column:
                        self._titles(group, known)

    def _card_rows(self, wanted: Query, *, newest: bool = False, also: str = "") -> None:
        excluded, wanted = wanted.excluded, replace(wanted, excluded=())
        expression = f"{also}({wanted.expression()})"
        if excluded:
            expression = f"({expression}) NOT ({' OR '.join(one.expression() for one in excluded)})"
        sql = f"SELECT rowid AS rid, -bm25(search, {WEIGHTS}) AS score FROM search WHERE search MATCH ?"
        if newest:
            self.exact = False
            sql += f" ORDER BY rowid DESC LIMIT {NEWEST}"
            self._take(f"SELECT * FROM ({sql})", [expression], f"ORDER BY score DESC, rid DESC LIMIT {_BEST}")
        elif self.whole:
            self._take(sql, [expression], "LIMIT -1")
        else:
            before = len(self.hits)
            few = sum(map(self._rows_with, wanted.wanted)) <= FEW
            most = FEW if few else max(_BEST, 2 * self._most)
            sql = (
                "SELECT rowid AS rid, -rank AS score FROM search"
                f" WHERE search MATCH ? AND rank MATCH 'bm25({WEIGHTS})'"
            )
            self._take(sql, [expression], f"ORDER BY rank LIMIT {most}")
            if len(self.hits) - before >= most:
                self.exact = False

    def _titles(self, group: Group, but: Collection[int]) -> None:
        """The newest rows that have the group in their title."""
        titled = replace(self._wanted, groups=(replace(group, column="title", prefix=""),), required=())
        sql = "SELECT rowid AS rid, ? AS score FROM search WHERE search MATCH ?"
        score = _TITLE * self._rarity(self._rows_with(group)) * group.times
        self._take(sql, [score, titled.expression()], f"ORDER BY rowid DESC LIMIT {_BEST}", but)

    def _begun_titles(self, group: Group) -> None:
        """The newest rows with a title that has a word that begins so."""
        expression, score = f'"{group.prefix}"*', _TITLE * self._rarity(self._begun(group.prefix)) * group.times
        sql, values = "SELECT rowid AS rid, ? AS score FROM titles WHERE titles MATCH ?", [score, expression]
        if self._wanted.required:
            sql += " AND rowid IN (SELECT rowid FROM search WHERE search MATCH ?)"
            values.append(" AND ".join(one.expression() for one in self._wanted.required))
        if self._wanted.excluded:
            sql += " AND rowid NOT IN (SELECT rowid FROM search WHERE search MATCH ?)"
            values.append(" OR ".join(one.expression() for one in self._wanted.excluded))
        self._take(sql, values, f"ORDER BY rowid DESC LIMIT {_BEST}")

    def _has_many(self, prefix: str) -> bool:
        return self._begun(prefix) >= self._most

    def _begun(self, prefix: str) -> int:
        """How many titles have a word that begins so; not more than ``COMMON`` are counted."""
        return self._count.titles_begun(prefix, COMMON)

    def _rows_with(self, group: Group) -> int:
        """Rows of ``search`` with any of the group's words, at most; a phrase has those of its rarest word."""
        rows = sum(min(self._count.search(token) for token in words.split()) for words in group.words)
        return rows + self._most * bool(group.prefix)

    # Text editions

    def texts(self) -> None:
        """What ``texts`` has: only text editions, or everything where weights tell all."""
        demand = self._demand()
        if demand is None:
            return
        cards = self.hits
        # Phrases rank alike: a page of them will do, what is read beyond it would not change its order much.
        enough = max(0, (self._most if self._most > CANDIDATES else _PAGE) - len(cards))
        for limit in (0,) if self.whole or not self._near else (*_NEARBY, 0):
            self.hits, self._limit, self._limited = {}, limit, False
            self._text_groups(*demand)
            if self._phrases:
                self._keep_those_that_hold(enough)
            if not self._limited or len(self.hits) >= enough:
                break
        if self._limited:
            self.exact = self.sure = False
        if self._phrases:
            self._in_texts = json.dumps(list(self.hits))
        for rid, score in cards.items():
            self.hits[rid] = self.hits.get(rid, 0.0) + score

    def _text_groups(self, must: str, must_not: str) -> None:
        groups = [group for group in self._wanted.wanted if not group.column]
        enough = _ENOUGH if len(groups) == 1 else _ENOUGH_EACH
        rare: list[str] = []
        lower: list[tuple[str, float]] = []
        crowded: list[tuple[str, float]] = []
        for group in groups:
            words = [*(word for word in group.words if " " not in word), *self._completions(group)]
            self._count.load_texts(words)
            steps = {
                step: [step + word for word in words if self._count.texts(step + word)] for step in self._steps
            }
            sizes = {step: sum(map(self._count.texts, found)) for step, found in steps.items()}
            rarity = self._rarity(sum(sizes.values())) * group.times
            taken = 0
            for step, weight in self._steps.items():
                found = [f'"{word}"' for word in steps[step]]
                if self.whole and group.prefix:
                    found.append(f'"{step}{group.prefix}"*')
                if not found:
                    continue
                if taken > enough and not self.whole and not must:
                    lower.append((" OR ".join(found), weight * rarity))
                    self.exact = False
                    continue
                if sizes[step] > COMMON and not self.whole and not must:
                    crowded.append((" OR ".join(found), weight * rarity))
                    self.exact = False
                else:
                    self._text_rows(" OR ".join(found), weight * rarity, must, must_not)
                taken += sizes[step]
            phrases = [words for words in group.words if " " in words]
            if phrases:
                rarity = self._rarity(min(self._texts_with(word) for one in phrases for word in one.split()))
                score = TEXT_STEPS["2"] * rarity * group.times
                if (group,) == self._wanted.required and len(phrases) == len(group.words):
                    # What the group itself demands need not be asked for twice. One way to say it at a time: a
                    # text has the words of one, and seems to have the neighbours of another.
                    before, self.hits = self.hits, {}
                    for one in phrases:
                        self._text_rows(self._any_of([one]), 0.0, "", must_not, near=_near([one]))
                    self.hits = before | {rid: before.get(rid, 0.0) + score for rid in self.hits}
                else:
                    near = [self._near, "" if group in self._must else f"({_near(phrases)})"]
                    near_all = " AND ".join(filter(None, near))
                    self._text_rows(self._any_of(phrases), score, must, must_not, near=near_all)
            if sum(sizes.values()) <= enough:
                rare += [word for found in steps.values() for word in found]
        if rare:
            # What is common weighs where something rarer is, and by itself only where that is too little.
            for expression, score in lower + crowded:
                self._text_rows(f"({_any(rare)}) AND ({expression})", score, must, must_not)
        if len(self.hits) < self._most:
            for expression, score in crowded:
                self._text_rows(expression, score, must, must_not, newest=True)

    def _keep_those_that_hold(self, enough: int) -> None:
        """Phrases are looked for in the texts themselves, the best first, where their neighbours do not tell."""
        best, scores = self.best_first(), self.hits
        self.hits = {}
        doubtful = set(best) if self._must else self._nearby(best, self._must_not)
        looked = read = 0
        while looked < len(best) and read < self._reads and (self.whole or len(self.hits) < enough):
            some = best[looked : looked + _READ_AT_ONCE]
            those = [rid for rid in some if rid in doubtful]
            held = set(self._that_hold(those)) if those else set()
            self.hits |= {rid: scores[rid] for rid in some if rid in held or rid not in doubtful}
            looked += len(some)
            read += len(those)
        if looked < len(best):
            self.exact = self.sure = False

    def _nearby(self, rids: Sequence[int], phrases: Iterable[Group]) -> set[int]:
        """Those of these texts that may have any of the phrases."""
        near = [_near(group.words) for group in phrases]
        if "" in near:
            return set(rids)
        sql = (
            "SELECT json_group_array(p.rid) FROM json_each(?) j CROSS JOIN pairs p ON p.rid = j.value"
            f" WHERE {' OR '.join(f'({one})' for one in near)}"
        )
        return set(json.loads(self._store.value(sql, (json.dumps(list(rids)),))))

    def _that_hold(self, rids: Sequence[int]) -> list[int]:
        """Those of these texts that have every demanded phrase and no excluded one; each is read once."""
        records = bodies.many(self._store, [rid for rid in rids if rid not in self._read])
        self._read |= {rid: self._demands.met(parts(record)) for rid, record in records.items()}
        return [rid for rid in rids if self._read.get(rid)]

    def _text_rows(
        self,
        expression: str,
        score: float,
        must: str,
        must_not: str,
        *,
        newest: bool = False,
        near: str | None = None,
    ) -> None:
        """``near``: SQL over ``pairs p`` instead of that for all demanded phrases."""
        if must:
            expression = f"({expression}) AND {must}"
        if must_not:
            expression = f"({expression}) NOT ({must_not})"
        self._parts += 1
        if self._parts > _MOST_PARTS:
            self.exact = False
            return
        near = self._near if near is None else near
        order = ""
        if newest:
            self.exact = False
            order = f" ORDER BY rowid DESC LIMIT {NEWEST}"
        elif self._limit:
            order = " ORDER BY rowid DESC"
        sql = f"SELECT rowid AS rid FROM texts WHERE texts MATCH ?{order}"
        if near:
            limit = f" LIMIT {self._limit}" if self._limit else ""
            sql = f"SELECT p.rid AS rid FROM ({sql}) t CROSS JOIN pairs p ON p.rid = t.rid WHERE {near}{limit}"
        found = json.loads(self._store.value(f"SELECT json_group_array(rid) FROM ({sql})", (expression,)))
        self._limited = self._limited or (0 < self._limit <= len(found))
        hits = self.hits
        for rid in found:
            hits[rid] = hits.get(rid, 0.0) + score

    def _demand(self) -> tuple[str, str] | None:
        """What every text must have, as an expression, and what none may; None where no text can meet it."""
        musts: list[str] = []
        for group in self._wanted.required:
            if group.column:
                return None
            musts.append(f"({self._any_of(group.words)})")
        nots = [
            self._any_of(group.words)
            for group in self._wanted.excluded
            if not group.column and group not in self._must_not
        ]
        return " AND ".join(musts), " OR ".join(nots)

    def _any_of(self, alternatives: Iterable[str], prefix: str = "") -> str:
        """Any of these, each a word or the words of a phrase, or what begins so, whatever they weigh."""
        ways = [
            "(" + " AND ".join(f"({_any(step + word for step in self._steps)})" for word in words.split()) + ")"
            for words in alternatives
        ]
        return " OR ".join([*ways, *(f'"{step}{prefix}"*' for step in self._steps if prefix)])

    def _completions(self, group: Group) -> list[str]:
        """Words of texts that the group's beginning begins: a few, where titles know too little of it."""
        if not group.prefix or self.whole or self._has_many(group.prefix):
            return []
        found: dict[str, None] = {}
        for step in self._steps:
            words = self._count.completions(step, group.prefix)
            self.exact = self.exact and len(words) < COMPLETIONS
            found |= dict.fromkeys(words)
        return [word for word in found if word not in group.words]

    def _texts_with(self, word: str) -> int:
        return sum(self._count.texts(step + word) for step in self._steps)

    def _rarity(self, rows: int) -> float:
        others = max(0, self._count.rows - rows)
        return max(_LEAST_RARE, math.log((others + 0.5) / (rows + 0.5)))


def _near(alternatives: Iterable[str]) -> str:
    """SQL over ``pairs p``: whether a text may have any of these phrases; "" where one of them is one word."""
    found = []
    for words in alternatives:
        asked = neighbours(words)[:_MOST_NEIGHBOURS]
        if not asked:
            return ""
        found.append(" AND ".join(map(_has_bits, asked)))
    return " OR ".join(found)


def _has_bits(places: Iterable[Place]) -> str:
    # SQLite sees the bytes of a blob as hexadecimal digits: each must be one of those that have the bit.
    return " AND ".join(
        f"instr('{''.join(f'{n:X}' for n in range(16) if n >> (bit & 3) & 1)}',"
        f" substr(hex(substr(p.bits, {byte} % length(p.bits) + 1, 1)), {1 if bit > 3 else 2}, 1)) > 0"
        for byte, bit in places
    )


def _is_phrase(group: Group) -> bool:
    return not group.column and any(" " in words for words in group.words)


def _any(words: Iterable[str]) -> str:
    return " OR ".join(f'"{word}"' for word in words)
