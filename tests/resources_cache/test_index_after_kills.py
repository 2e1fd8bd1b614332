"""After any upserts, deletes and kills the index equals the content, and what was deleted is not found."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources_cache.cards import Cursor
from resources_cache.library import Library

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a child of this process")

# Words of several languages and scripts: each is looked for with the stems of all that were met.
_WORDS = st.lists(
    st.sampled_from(["wells", "écoles", "مدارس", "water", "pumping", "教育", "школы", "solar", "ponds"]),
    max_size=5,
)
_PUT = st.tuples(st.integers(0, 7), st.sampled_from(["en", "fr", "ar", "ru", "zh", ""]), _WORDS)
_CHANGES = st.lists(st.one_of(_PUT, st.integers(0, 7)), min_size=1, max_size=6)
_STEPS = st.lists(st.tuples(_CHANGES, st.one_of(st.none(), st.integers(0, 60))), min_size=1, max_size=6)


class Killer:
    """Ends its process before the statement of the given number."""

    def __init__(self, at: int) -> None:
        self._left = at

    def __call__(self, sql: str) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


def wire(change: Any) -> dict[str, Any]:
    if isinstance(change, int):
        return {"id": f"r{change}", "deleted": True}
    number, lang, words = change
    title = f"zz{number}only {' '.join(words[:2])}"
    return {"id": f"r{number}", "type": "resource", "lang": lang, "title": title, "summary": " ".join(words)}


def apply(path: Path, changes: list[Any], seq: int, kill_at: int | None) -> bool:
    """Apply in a child, which is killed before a statement; whether it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            with Library(path, on_statement=None if kill_at is None else Killer(kill_at)) as library:
                library.apply("s", [wire(change) for change in changes], Cursor(1, seq))
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed"
    return not os.WIFSIGNALED(status)


@settings(max_examples=40, deadline=None)
@given(_STEPS)
def test_the_index_equals_the_content_after_kills(steps: list[tuple[list[Any], int | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library.db"
        Library(path).close()
        known: dict[str, dict[str, Any]] = {}
        for seq, (changes, kill_at) in enumerate(steps, start=1):
            after = dict(known)
            for record in map(wire, changes):
                after.pop(record["id"], None)
                if "deleted" not in record:
                    after[record["id"]] = record
            ended = apply(path, changes, seq, kill_at)
            with Library(path) as library:
                found = {f"r{n}": library.record("s", f"r{n}") for n in range(8)}
                here = {id_: record for id_, record in found.items() if record is not None}
                assert here == after or (not ended and here == known), "whole or absent"
                known = here
                assert [check for check in library.check() if not check.ok] == []
                for number in range(8):
                    hits = [hit.id for hit in library.search(f"zz{number}only ", as_typed=True).results]
                    assert hits == [f"r{number}"][: f"r{number}" in known]
