"""A Hypothesis state machine plays members, facilitators and the link, in any order; then traffic stops.

Members ask, edit, withdraw, reply and sync; facilitators import, edit, withdraw, publish, answer; the link is cut;
the hub is stopped, killed, started, backed up and restored; the shelf is lost. The model knows what was promised.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from resources_cache.errors import NotEditable
from tests.faults.bad_link import Fault, bad_link
from tests.faults.shelves import Shelf, agree
from tests.programs import HubProgram, copy_home, write_records

TEMPLATE: list[Path] = []


class HubAndShelf(RuleBasedStateMachine):
    """One hub, one member's shelf, and what must be true of both."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="hubshelf-machine-"))
        self.asked: dict[str, str] = {}
        self.withdrawn: set[str] = set()
        self.backup: Path | None = None
        self.number = 0
        self.answers: dict[str, str] = {}

    @initialize()
    def begin(self) -> None:
        self.hub = HubProgram(copy_home(TEMPLATE[0], self.folder / "hub"))
        self.hub.start()
        self.shelf = Shelf(self.folder / "shelf").enrol(self.hub)
        # Backed up after enrolment, so that a restore does not forget the device itself.
        self.back_up()

    def teardown(self) -> None:
        if hasattr(self, "hub"):
            try:
                self.settle()
            finally:
                self.hub.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def settle(self) -> None:
        """Traffic stops: start what is down, publish, sync twice; both sides agree and every promise is kept."""
        if not self.hub.serving:
            self.hub.start()
        self.hub.do("publish")
        self.shelf.sync_until_in_step(self.hub.url, 4)
        agree(self.shelf, self.hub)
        stored = self.hub.do("requests")
        assert {key: row["title"] for key, row in stored.items()} == self.asked
        assert all(
            state in ("received", "answered") for key, state in self.shelf.states().items() if key in self.asked
        )
        for request, answer in self.answers.items():
            record = self.shelf.get(request)
            assert record is not None
            assert answer in [reply["body"] for reply in record["replies"]]

    @rule()
    def ask(self) -> None:
        self.number += 1
        title = f"Question {self.number}?"
        self.asked[self.shelf.ask(title)] = title

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(sorted(self.asked)))
        self.number += 1
        title = f"Edited {self.number}?"
        with self.shelf.home.own() as own:
            item = own.outbox.item(request)
            try:
                own.outbox.edit(request, title, {**item.body, "title": title})
            except NotEditable:
                assert item.attempted or item.state not in ("draft", "waiting", "attention")
                return
        self.asked[request] = title

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(sorted(self.asked)))
        with self.shelf.home.own() as own:
            item = own.outbox.item(request)
            try:
                own.outbox.withdraw(request)
            except NotEditable:
                assert item.attempted or item.state not in ("draft", "waiting", "attention")
                return
        del self.asked[request]
        self.withdrawn.add(request)

    @rule()
    def sync(self) -> None:
        report = self.shelf.sync(self.hub.url)
        if self.hub.serving:
            assert report is not None
            assert report.error is None, report.error

    @precondition(lambda self: self.hub.serving)
    @rule(
        kind=st.sampled_from(["cut", "truncate", "corrupt", "cut-request", "repeat"]),
        at=st.integers(0, 4000),
        spared=st.integers(0, 3),
    )
    def sync_over_a_bad_link(self, kind: Any, at: int, spared: int) -> None:
        with bad_link(self.hub.port) as link:
            link.next_faults = [Fault()] * spared + [Fault(kind, at, 0.05)]
            self.shelf.sync(link.url)

    @rule(record=st.integers(0, 39))
    def edit_record(self, record: int) -> None:
        self.number += 1
        self.hub.do("edit", id=f"r-{record:04}", title=f"Title {self.number}")

    @rule(record=st.integers(0, 39))
    def delete_record(self, record: int) -> None:
        self.hub.do("withdraw", id=f"r-{record:04}")

    @rule()
    def add_record(self) -> None:
        self.number += 1
        record = {"id": f"n-{self.number}", "type": "resource", "title": f"New {self.number}", "lang": "en"}
        self.hub.do("import", file=str(write_records(self.folder / "new.jsonl", [record])))

    @rule()
    def publish(self) -> None:
        self.hub.do("publish")

    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        stored = self.hub.do("requests")
        if not stored:
            return
        request = data.draw(st.sampled_from(sorted(stored)))
        self.number += 1
        self.hub.do("reply", id=request, body=f"Answer {self.number}")
        self.answers[request] = f"Answer {self.number}"

    @precondition(lambda self: self.hub.serving)
    @rule(how=st.sampled_from([signal.SIGTERM, signal.SIGKILL]))
    def stop_hub(self, how: signal.Signals) -> None:
        self.hub.stop(how)

    @precondition(lambda self: not self.hub.serving)
    @rule()
    def start_hub(self) -> None:
        self.hub.start()

    @rule()
    def back_up(self) -> None:
        self.number += 1
        self.backup = self.folder / f"backup-{self.number}"
        self.hub.do("backup", folder=str(self.backup))

    @rule()
    def restore(self) -> None:
        was_serving = self.hub.serving
        self.hub.stop()
        self.hub.do("restore", folder=str(self.backup))
        self.hub.rest()
        # An answer that only the lost hub knew is the facilitators' to give again.
        self.answers = {key: text for key, text in self.answers.items() if self._still_there(key, text)}
        self.hub.do("publish")
        if was_serving:
            self.hub.start()

    def _still_there(self, request: str, answer: str) -> bool:
        row = self.hub.do("requests").get(request)
        return row is not None and answer in row["replies"]

    @rule()
    def lose_library(self) -> None:
        for path in self.shelf.home.path.glob("library.db*"):
            path.unlink()

    @invariant()
    def own_writes_stay_visible(self) -> None:
        if not hasattr(self, "hub"):
            return
        states = self.shelf.states()
        assert set(self.asked) <= set(states)
        assert all(states.get(request, "withdrawn") == "withdrawn" for request in self.withdrawn)
        assert "attention" not in states.values()


def play(examples: int, steps: int) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        HubAndShelf,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=examples < 20,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_order_of_events(hub_template: Path) -> None:
    TEMPLATE[:] = [hub_template]
    play(examples=8, steps=20)


@pytest.mark.slow
def test_long_histories(hub_template: Path) -> None:
    TEMPLATE[:] = [hub_template]
    play(examples=40, steps=40)
