"""How many answers of a search each value of each filter has.

A common word is in fifty thousand records; grouped by SQL, seven times over, they took 180 ms. So the few columns
that are counted are kept in memory, as numbers, two bytes a record and column for most: then the same takes 40 ms.
They are read anew when the shelf has changed (0.5 s for 100,000 resources with their texts).
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from resources_cache.browse import COLUMN_FACETS, LINK_FACETS, ordered
from resources_cache.cards import Filters
from resources_cache.database import Store
from resources_cache.finding import every_row
from resources_cache.records import SEARCHED
from resources_cache.text import Query

FACETS = (*COLUMN_FACETS, *LINK_FACETS)

_ROWS = 20_000  # read at a time: in between, other threads get their turn

Version = tuple[int, int]


@dataclass(frozen=True)
class Counted:
    """``total`` answers, not ``exact``: at least; ``facets``: values with counts, as ``Library.facets`` has them,
    each facet's own filter left open in it."""

    total: int
    exact: bool
    facets: dict[str, list[tuple[str, int]]]


class Counting:
    """Counts for one connection to the shelf; belongs to its thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version: Version | None = None
        self._columns = _Columns()

    def count(self, wanted: Query, filters: Filters) -> Counted:
        """All that answers ``wanted``: a work counts once. Runs inside ``Store.reading``."""
        columns = self._current()
        answers, sure = columns.answers(self._store, wanted)
        if filters.since:
            answers &= self._since(filters.since)
        chosen = {name: value for name in FACETS if (value := getattr(filters, name)) not in (None, "")}
        passing = {name: columns.passing(name, value) for name, value in chosen.items()}
        every = _filtered(answers, passing.values())
        works: dict[int, int] = dict(self._store.rows("SELECT rid, work FROM works"))
        same = [works[rid] for rid in every if rid in works] if works else []
        of_every = _gathering(every)  # most facets are of all of them
        facets: dict[str, list[tuple[str, int]]] = {}
        for name in FACETS:
            rids, gather = every, of_every
            if name in passing:
                rids = _filtered(answers, [one for other, one in passing.items() if other != name])
                gather = _gathering(rids)
            facets[name] = ordered(name, columns.counted(name, rids, works, gather))
        return Counted(len(every) - len(same) + len(set(same)), sure, facets)

    def _current(self) -> _Columns:
        # Changes of other connections, and of this one.
        version = int(self._store.value("PRAGMA data_version")), int(self._store.connection.total_changes)
        if version != self._version:
            self._columns = _Columns()
            self._columns.read(self._store)
            self._version = version
        return self._columns

    def _since(self, moment: str) -> set[int]:
        rows = self._store.rows_at_once("rid", "SELECT rid FROM records WHERE updated > ?", (moment,))
        return {rid for (rid,) in rows}


Gather = Callable[["array[int]"], tuple[int, ...]]

Passes = Callable[[Iterable[int]], list[int]]
"""Of these records those that a filter lets through."""


def _filtered(answers: Collection[int], passing: Iterable[Passes]) -> Collection[int]:
    for passes in passing:
        answers = passes(answers)
    return answers


class _Columns:
    """By rid: whose answer a row is, and of each facet the number of what it has; the numbers' meanings.

    A number stands for a tuple of values: of columns one or none, of links (themes, countries) any.
    """

    def __init__(self) -> None:
        self.owner: array[int] = array("I", [0])
        self.numbers: dict[str, array[int]] = {name: array("I", [0]) for name in FACETS}
        self.meanings: dict[str, list[tuple[Any, ...]]] = {name: [()] for name in FACETS}

    def read(self, store: Store) -> None:
        size = int(store.value("SELECT coalesce(max(rid), 0) FROM records")) + 1
        owner = [0] * size
        numbers: dict[str, list[int]] = {name: [0] * size for name in FACETS}
        known: dict[str, dict[str, int]] = {name: {"[]": 0} for name in FACETS}
        columns = ", ".join(COLUMN_FACETS.values())
        for first in range(0, size, _ROWS):
            between = (first, first + _ROWS - 1)
            # Two long lists are read five times as fast as many short ones.
            pair = store.row(
                "SELECT json_group_array(rid), json_group_array(owner_rid) FROM records"
                " WHERE rid BETWEEN ? AND ? AND owner_rid IS NOT NULL",
                between,
            )
            for rid, of in zip(*map(json.loads, pair or ("[]", "[]")), strict=True):
                owner[rid] = of
            # What is alike is one row, so that most of the work is done by SQLite.
            for same, *values in store.rows_at_once(
                f"rids, {columns}",
                f"SELECT json_group_array(rid) AS rids, {columns} FROM records"
                f" WHERE rid BETWEEN ? AND ? AND owner_rid = rid GROUP BY {columns}",
                between,
            ):
                rids = json.loads(same)
                for name, value in zip(COLUMN_FACETS, values, strict=True):
                    if value not in (None, ""):
                        number = self._number(name, known[name], json.dumps([value]))
                        for rid in rids:
                            numbers[name][rid] = number
            for rid, name, meaning in store.rows_at_once(
                "rid, facet, meaning",
                "SELECT rid, facet, json_group_array(value) AS meaning FROM links"
                " WHERE rid BETWEEN ? AND ? GROUP BY rid, facet",
                between,
            ):
                if name in numbers:
                    numbers[name][rid] = self._number(name, known[name], meaning)
        self.owner = array("I", owner)
        self.numbers = {
            name: array("H" if len(known[name]) < 1 << 16 else "I", found) for name, found in numbers.items()
        }

    def _number(self, name: str, known: dict[str, int], meaning: str) -> int:
        number = known.setdefault(meaning, len(known))
        if number == len(self.meanings[name]):
            self.meanings[name].append(tuple(json.loads(meaning)))
        return number

    def answers(self, store: Store, wanted: Query) -> tuple[set[int], bool]:
        """All records that answer a query, its own country and years included, and whether these are all."""
        sure = True
        if wanted.wanted:
            rows, sure = every_row(store, wanted)
            answers = set(map(self.owner.__getitem__, rows))
            answers.discard(0)
        else:
            searched = self.passing_meanings("kind", lambda meaning: any(kind in SEARCHED for kind in meaning))
            answers = {rid for rid in searched(range(len(self.owner))) if self.owner[rid] == rid}
        if wanted.country:
            answers = set(self.passing("country", wanted.country)(answers))
        if wanted.years:
            first, last = wanted.years
            passes = self.passing_meanings("year", lambda meaning: any(first <= year <= last for year in meaning))
            answers = set(passes(answers))
        return answers, sure

    def passing(self, name: str, value: object) -> Passes:
        """What a filter lets through. A type is also a kind, as everywhere."""
        passes = self.passing_meanings(name, lambda meaning: value in meaning)
        if name != "type":
            return passes
        kinds = self.passing_meanings("kind", lambda meaning: value in meaning)
        return lambda rids: list({*passes(found := list(rids)), *kinds(found)})

    def passing_meanings(self, name: str, fits: Callable[[tuple[Any, ...]], bool]) -> Passes:
        wanted = {number for number, meaning in enumerate(self.meanings[name]) if fits(meaning)}
        numbers = self.numbers[name]
        return lambda rids: [rid for rid in rids if numbers[rid] in wanted]

    def counted(
        self, name: str, rids: Collection[int], works: Mapping[int, int], gather: Gather
    ) -> list[tuple[Any, int]]:
        """(value, records that have it); the records of one work count once. ``gather``: that of ``rids``."""
        meanings, numbers = self.meanings[name], self.numbers[name]
        found: Counter[Any] = Counter()
        for number, count in _how_often(gather(numbers), len(meanings)):
            for value in meanings[number]:
                found[value] += count
        if works:
            several = [(works[rid], value) for rid in rids if rid in works for value in meanings[numbers[rid]]]
            found.subtract(value for _work, value in several)
            found.update(value for _work, value in set(several))
        return list(found.items())


def _gathering(rids: Collection[int]) -> Gather:
    """What takes the numbers of these records out of a column, in one call."""
    if len(rids) > 1:
        return itemgetter(*rids)
    return lambda numbers: tuple(numbers[rid] for rid in rids)  # an itemgetter of one gives no tuple


def _how_often(gathered: tuple[int, ...], below: int) -> Iterable[tuple[int, int]]:
    """(number, how often it is there); all numbers are ``below`` this."""
    if below > 256:
        return Counter(gathered).items()
    raw = bytes(gathered)  # few numbers: to look for each of them takes less time than to look each up
    return [(number, count) for number in range(below) if (count := raw.count(number))]
