"""The closer look at the best answers: small, of known size, and never at odds with looking at all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources_cache.cards import Cursor
from resources_cache.library import Library
from resources_cache.ranking import BONUSES, Candidate, Ranker, within_reach
from resources_cache.text import parse

FILLER = "Budgets and staff of the northern districts were reviewed again. " * 3


def order(tmp_path: Path, query: str, **records: dict[str, Any]) -> list[str]:
    shown = [{"id": id_, "type": "resource", "lang": "en", "title": "Report", **r} for id_, r in records.items()]
    with Library(tmp_path / "library.db") as library:
        library.apply("s", shown, Cursor(1, 1))
        return [hit.id for hit in library.search(query).results]


@pytest.mark.parametrize("flip", [False, True])
def test_what_each_bonus_puts_first(tmp_path: Path, flip: bool) -> None:
    """Two records alike in words and length; the one that deserves it comes first, whichever was stored last."""

    def first(query: str, better: dict[str, Any], worse: dict[str, Any], name: str) -> None:
        records = {"better": better, "worse": worse}
        if flip:
            records = dict(reversed(records.items()))
        found = order(tmp_path / name, query, **records)
        assert found == ["better", "worse"], name

    for name in ("together", "exact", "stem", "fresh", "curated"):
        (tmp_path / name).mkdir()
    first(
        "education girls ", {"summary": f"{FILLER} education of girls"},
        {"summary": f"girls {FILLER} of education"}, "together",
    )  # fmt: skip
    first("pâté ", {"summary": "Le pâté", "lang": "fr"}, {"summary": "Le pâte", "lang": "fr"}, "exact")
    first("teaching ", {"summary": "about teaching"}, {"summary": "about teaches"}, "stem")
    first("water ", {"summary": "water", "year": 2026}, {"summary": "water", "year": 1990}, "fresh")
    first("water ", {"summary": "water", "collections": ["x"]}, {"summary": "water"}, "curated")


def test_scores_are_bm25_and_what_is_documented() -> None:
    ranker = Ranker(parse("solar pumps ", ["en"]), 2026)
    plain = Candidate(10.0, "", "a pump and then a good deal later something solar", "en")
    assert ranker.score(plain) == 10 * (1 + BONUSES["exact"] / 2)
    full = Candidate(10.0, "Solar pumps", "Solar pumps", "en", 2026, True)
    assert ranker.score(full) == pytest.approx(10 * (1 + sum(BONUSES.values())))
    assert ranker.score(Candidate(10.0, "", "", "en", 9999)) == 10 * (1 + BONUSES["fresh"])


@given(st.lists(st.tuples(st.floats(0.1, 100), st.floats(0, 1)), min_size=1, max_size=60), st.integers(1, 30))
def test_what_is_out_of_reach_could_not_have_come_in(found: list[tuple[float, float]], shown: int) -> None:
    found.sort(key=lambda one: -one[0])
    reach = within_reach([score for score, _ in found], shown)
    most = sum(BONUSES.values())

    def best(of: list[tuple[float, float]]) -> list[float]:
        return sorted((score * (1 + most * share) for score, share in of), reverse=True)[:shown]

    assert best(found[:reach]) == best(found)
