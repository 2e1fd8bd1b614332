"""Who gave what to whom among neighbours, as it is kept: sums, and those of the computers that moved most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MOST = 16
"""Computers whose own sums are kept."""


@dataclass(frozen=True)
class Counts:
    """Bytes `given` to others and `taken` from them; `each`: the same by a computer's address, most first."""

    given: int = 0
    taken: int = 0
    each: dict[str, tuple[int, int]] = field(default_factory=dict)


def read(kept: object) -> Counts:
    """Return what the setting holds; what cannot be read counts for nothing."""
    if not isinstance(kept, Mapping):
        return Counts()
    each = kept.get("each")
    found = {
        str(host): (_number(pair[0]), _number(pair[1]))
        for host, pair in (each.items() if isinstance(each, Mapping) else ())
        if isinstance(pair, list) and len(pair) == 2
    }
    return Counts(_number(kept.get("given")), _number(kept.get("taken")), _most(found))


def added(kept: object, moved: Mapping[str, Sequence[int]]) -> dict[str, object]:
    """Return the setting with what moved since added; `moved`: [given, taken] by a computer's address."""
    before = read(kept)
    each = dict(before.each)
    for host, (given, taken) in moved.items():
        old = each.get(host, (0, 0))
        each[host] = (old[0] + given, old[1] + taken)
    return {
        "given": before.given + sum(given for given, _taken in moved.values()),
        "taken": before.taken + sum(taken for _given, taken in moved.values()),
        "each": {host: list(pair) for host, pair in _most(each).items()},
    }


def _most(each: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    return dict(sorted(each.items(), key=lambda one: -sum(one[1]))[:MOST])


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
