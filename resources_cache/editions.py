"""One answer for a work: the best of its records stands for the others, in a language of the reader if it can."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from resources_cache import works
from resources_cache.database import Store
from resources_cache.ranking import CANDIDATES

Found = tuple[int, float, int]
"""(rid of the record that is the answer, score, rid of the row whose words were found)."""


@dataclass(frozen=True)
class Answers:
    """The ``best`` of ``total`` answers; not ``exact``: there are at least so many."""

    total: int
    exact: bool
    best: list[Found]


Ask = Callable[[int], Answers]
"""Given how many: how many answers there are when folded, and the best so many of them unfolded, best first."""

LESS = " - (SELECT count(*) - count(DISTINCT work) FROM works WHERE rid IN (SELECT owner FROM folded))"
"""What folding takes off the number of rows of ``folded (owner, …)``."""


class Folding:
    """Folds the answers of one search; ``languages``: those of the reader, BCP 47."""

    def __init__(self, store: Store, languages: Collection[str]) -> None:
        self._store = store
        self._own = frozenset(map(_primary, languages))
        self.needed = works.any_folded(store)
        self.others: dict[int, list[Found]] = {}
        """Answer → others of its work that might be shown in its place, as none is in a language of the reader."""

    def best(self, ask: Ask, shown: int, least: int, besides: Sequence[Found] = ()) -> Answers:
        """The answers of ``ask`` with each work once, best first.

        At least ``shown`` where there are so many, after asking for ``least`` or more; none of the works of
        ``besides``. A work stands where the best of its records would, whichever of them is shown: that does not
        depend on how many are asked for, so that pages fit together.
        """
        answers = ask(least)
        found = answers.best
        if self.needed:
            taken = self._works([owner for owner, _score, _row in besides])
            kept = self._folded(found, {work for work, _lang in taken.values()})
        else:
            kept = found
        if besides:
            told = {owner for owner, _score, _row in besides}
            kept = [one for one in kept if one[0] not in told]
        if len(kept) < min(shown, answers.total) and len(found) == least:
            return self.best(ask, shown, 2 * least, besides)
        return replace(answers, best=kept)

    def _folded(self, found: Sequence[Found], taken: Collection[int]) -> list[Found]:
        known = self._works([owner for owner, _score, _row in found])
        if not known:
            return list(found)
        stand: dict[int, Found] = {}
        for one in found[:CANDIDATES]:  # these are always asked for
            work, lang = known.get(one[0], (0, ""))
            if work and _primary(lang) in self._own:
                stand.setdefault(work, one)
        others: dict[int, list[Found]] = {}
        for one in found[:CANDIDATES]:
            work, _lang = known.get(one[0], (0, ""))
            if work and work not in stand:
                others.setdefault(work, []).append(one)
        self.others |= {first[0]: more for first, *more in others.values() if more}
        kept: list[Found] = []
        seen = set(taken)
        for one in found:
            work, _lang = known.get(one[0], (0, ""))
            if work in seen:
                continue
            if work:
                seen.add(work)
                owner, _score, row = stand.get(work, one)
                one = (owner, one[1], row)
            kept.append(one)
        return kept

    def _works(self, rids: Sequence[int]) -> dict[int, tuple[int, str]]:
        """(work, language) of those of these records that share one."""
        marks = ",".join("?" * len(rids))
        sql = f"SELECT w.rid AS rid, work, lang FROM works w JOIN records r USING (rid) WHERE w.rid IN ({marks})"
        return {rid: (work, lang) for rid, work, lang in self._store.rows_at_once("rid, work, lang", sql, rids)}


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()
