"""A few of the histories of `make simulate`, and that the simulation would see a broken engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from resources_cache import filing
from resources_cache.library import Library
from resources_cache.outbox import Outbox
from sync import running
from sync.protocol import envelope, patches
from tests.simulation.__main__ import live, memory_folder
from tests.simulation.history import History
from tests.simulation.simulated_reader import Violation

# A statement that fails in the middle of a walk over the shelf leaves an iterator behind, which then finds its
# connection closed. That is noise: nothing was going to be read from it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def folder() -> Any:
    import shutil

    made = memory_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.parametrize("first", range(1, 151, 30))
def test_every_history_keeps_the_invariants_and_converges(first: int) -> None:
    count, faults, failed = live(range(first, first + 30))
    assert not failed, "\n\n".join(failed)
    assert count == 30
    assert sum(faults.values()) > 300


def test_a_seed_replays_exactly(folder: Path) -> None:
    stories = []
    for attempt in range(2):
        history = History(77, folder / f"{attempt}")
        history.run()
        stories.append((history.story(), history.faults, history.clock.elapsed))
    assert stories[0] == stories[1]


def _first_violation(folder: Path, seeds: range) -> str:
    for seed in seeds:
        try:
            History(seed, folder / f"{seed}").run()
        except Violation as violation:
            return str(violation)
    return ""


def _receipts_are_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Outbox, "receive", lambda *_: None)


def _nothing_is_swept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(filing, "sweep", lambda *_: 0)


def _a_patch_is_applied_to_anything(patch: pytest.MonkeyPatch) -> None:
    def careless(old: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
        return {**old, **change.get("set", {})}

    patch.setattr(patches, "apply", careless)


def _cursors_run_ahead(patch: pytest.MonkeyPatch) -> None:
    whole = Library.apply_run

    def torn(self: Library, changes: Any, cursors: Any, **options: Any) -> Any:
        self.advance_cursors(list(cursors), *_end(cursors))
        return whole(self, changes, cursors, **options)

    patch.setattr(Library, "apply_run", torn)


def _end(cursors: Mapping[str, Any]) -> tuple[int, int]:
    one = next(iter(cursors.values()))
    return one.epoch, one.seq


def _answers_are_taken_from_anybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(envelope.hmac, "compare_digest", lambda *_: True)


def _what_was_spent_is_not_noted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(running.Run, "keep", lambda *_: None)


@pytest.mark.parametrize(
    "sabotage",
    [
        _receipts_are_ignored,
        _nothing_is_swept,
        _a_patch_is_applied_to_anything,
        _cursors_run_ahead,
        _answers_are_taken_from_anybody,
        _what_was_spent_is_not_noted,
    ],
)
def test_a_broken_engine_is_seen(sabotage: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sabotage(monkeypatch)
    assert _first_violation(folder, range(1, 120)), "the simulation saw nothing"
