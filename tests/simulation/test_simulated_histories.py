"""A few of the histories of `make simulate`, and that the simulation would see a broken engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from resources_cache import filing
from resources_cache.cards import Cursor
from resources_cache.files import Partial
from resources_cache.library import Library
from resources_cache.outbox import Outbox
from sync import running
from sync.inlined import Inlined
from sync.protocol import patches
from sync.protocol.segments import change_line
from tests.simulation import virtual_link
from tests.simulation.batches import live, memory_folder
from tests.simulation.history import History
from tests.simulation.shelf_content import Content, read_library
from tests.simulation.simulated_reader import Reader
from tests.simulation.violation import Violation

# A statement that fails in the middle of a walk over the shelf leaves an iterator behind, which then finds its
# connection closed. That is noise: nothing was going to be read from it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

COPIES_WAIT = (5291, 5448, 5726, 6148)
"""Seeds of histories in which a copy waits for a while."""


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


def test_a_seed_replays_exactly_whatever_was_lived_through_before(folder: Path) -> None:
    history = History(77, folder / "in the middle of others")
    history.run()
    told = f"{history.story()}\n{sorted(history.faults.items())} {history.clock.elapsed}\n"
    # In a process of its own, with nothing remembered and SQLite set up for it.
    alone = """
import sys
from pathlib import Path
from tests.simulation.batches import prepare_worker
from tests.simulation.history import History
prepare_worker()
history = History(77, Path(sys.argv[1]))
history.run()
print(f"{history.story()}\\n{sorted(history.faults.items())} {history.clock.elapsed}")
"""
    command = [sys.executable, "-c", alone, str(folder / "alone")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == told, done.stderr


def test_a_copy_that_waits_is_not_shown(folder: Path) -> None:
    """A record that moved, its new copy here before the old one went: the old one waits, and nobody sees it."""
    path = folder / "library.db"
    record = {"id": "r1", "type": "resource", "title": "Rain"}
    with Library(path) as library:
        for stream in ("public/cards/en", "public/cards/fr"):
            library.apply(stream, [record], Cursor(1, 1))
        assert [one["id"] for one in library.newest(["public/cards/en"])] == ["r1"]
    content = read_library(path)
    assert content.shown == {"public/cards/fr": {"r1": change_line(record)}}
    assert content.waiting == {"public/cards/en": {"r1": change_line(record)}}


def test_shelves_on_which_copies_wait_keep_the_invariants(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What once was counted as shown twice: seeds in which a shelf is looked at while copies wait on it."""
    waited = set()
    whole = Reader._check_content

    def watched(self: Reader, content: Content) -> None:
        if any(content.waiting.values()):
            waited.add(self.history.seed)
        whole(self, content)

    monkeypatch.setattr(Reader, "_check_content", watched)
    for seed in COPIES_WAIT:
        History(seed, folder / f"{seed}").run()
    assert waited, "in none of these histories a copy waits any more: choose others"


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
    # Where a replay is one fault of many it does harm in one history of some hundred and fifty.
    patch.setattr(virtual_link, "FATES", ("replay", "lost-answer"))
    patch.setattr("sync.protocol.envelope.hmac.compare_digest", lambda *_: True)


def _what_was_spent_is_not_noted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(running.Run, "keep", lambda *_: None)


def _what_arrived_is_thrown_away(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Partial, "close", Partial.discard)


def _what_is_here_is_not_said(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Inlined, "have", lambda _: [])


@pytest.mark.parametrize(
    "sabotage",
    [
        _what_arrived_is_thrown_away,
        _what_is_here_is_not_said,
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
