"""How many records of the shelf each value of each filter has, counted with bits.

Grouped by SQL over 100,000 resources the counts took 420 ms, and 250 with a filter. Here each value is one long
number, with a bit for each record that has it: how many have two of them is one AND and a count of bits, a few
microseconds. They are read anew when the shelf has changed, and take 30 KB a value (4 MB for 100,000 resources).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from resources_cache.browse import COLUMN_FACETS, LINK_FACETS, facets, ordered
from resources_cache.cards import Filters
from resources_cache.database import Store
from resources_cache.records import SEARCHED

Version = tuple[int, int]
_KINDS = ",".join(f"'{kind}'" for kind in SEARCHED)
_MOST_VALUES = 1_000
"""Values of all filters together beyond which SQL counts: each takes memory, and a hub could send one a record."""
_ROWS = 8_000  # read at a time: in between, other threads get their turn


class FilterCounts:
    """Counts for one connection to the shelf; belongs to its thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version: Version | None = None
        self._bits: dict[str, dict[str, int]] = {}

    def count(self, filters: Filters, types: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
        """As ``Library.facets``."""
        if filters.since or not set(types) <= set(SEARCHED):
            return facets(self._store, filters, types)
        with self._store.reading():
            self._read()
        if not self._bits:
            return facets(self._store, filters, types)
        return {
            name: ordered(name, self._counted(name, self._scope(filters.without(name), name, types)))
            for name in (*COLUMN_FACETS, *LINK_FACETS)
        }

    def _counted(self, name: str, scope: int) -> list[tuple[Any, int]]:
        found = ((value, (bits & scope).bit_count()) for value, bits in self._bits[name].items())
        return [(value, count) for value, count in found if count]

    def _scope(self, filters: Filters, name: str, types: Sequence[str]) -> int:
        """The records that are counted for the filter `name`, which is open."""
        kinds = [filters.kind] if filters.kind else SEARCHED if name == "kind" else types
        scope = 0
        for kind in kinds:
            scope |= self._of("kind", kind)
        for other in ("lang", "year", "policy_cycle", *LINK_FACETS):
            if (value := getattr(filters, other)) not in (None, ""):
                scope &= self._of(other, value)
        if filters.type:
            scope &= self._of("type", filters.type) | self._of("kind", filters.type)
        return scope

    def _of(self, name: str, value: object) -> int:
        return self._bits[name].get(str(value), 0)

    def _read(self) -> None:
        # Changes of other connections, and of this one.
        version = int(self._store.value("PRAGMA data_version")), int(self._store.connection.total_changes)
        if version == self._version:
            return
        size = int(self._store.value("SELECT coalesce(max(rid), 0) FROM records")) + 1
        flags: dict[str, dict[str, bytearray]] = {name: {} for name in (*COLUMN_FACETS, *LINK_FACETS)}
        values_seen = 0

        def note(name: str, value: object, rids: str) -> None:
            nonlocal values_seen
            if value in (None, "") or values_seen > _MOST_VALUES:
                return
            values_seen += str(value) not in flags[name]
            field = flags[name].setdefault(str(value), bytearray(size // 8 + 1))
            for rid in json.loads(rids):
                field[rid >> 3] |= 1 << (rid & 7)

        columns = ", ".join(COLUMN_FACETS.values())
        for first in range(0, size, _ROWS):
            between = (first, first + _ROWS - 1)
            # What is alike is one row, so that most of the work is done by SQLite.
            for rids, *values in self._store.rows_at_once(
                f"rids, {columns}",
                f"SELECT json_group_array(rid) AS rids, {columns} FROM records"
                f" WHERE rid BETWEEN ? AND ? AND type IN ({_KINDS}) GROUP BY {columns}",
                between,
            ):
                for name, value in zip(COLUMN_FACETS, values, strict=True):
                    note(name, value, rids)
            for name, value, rids in self._store.rows_at_once(
                "facet, value, rids",
                "SELECT facet, value, json_group_array(rid) AS rids FROM links"
                " WHERE rid BETWEEN ? AND ? GROUP BY facet, value",
                between,
            ):
                if name in flags:
                    note(name, value, rids)
        self._bits = {}
        if values_seen <= _MOST_VALUES:
            for name, fields in flags.items():
                self._bits[name] = {value: int.from_bytes(field, "little") for value, field in fields.items()}
        self._version = version
