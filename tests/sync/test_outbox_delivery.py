"""What leaves the outbox takes effect exactly once, and one bad thing never holds up the others."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from sync.errors import AuthNeeded, HubProblem
from sync.protocol import limits
from sync.protocol.problems import Problem
from tests.sync.hub_simulator import Answer, HubSimulator, Seen
from tests.sync.simulated_shelf import Shelf, card


def problem_of(shelf: Shelf, id_: str) -> str:
    with shelf.home.own() as own:
        problem = own.outbox.item(id_).problem
    assert problem is not None
    return str(problem["type"]).rpartition(":")[2]


def test_a_rejected_operation_is_set_aside_and_the_next_one_goes(hub: HubSimulator, shelf: Shelf) -> None:
    bad, good = shelf.ask("Bad?"), shelf.ask("Good?")
    hub.reject[bad] = Problem("no-such-target", "It is gone.", "drop", 422)
    report = shelf.sync()
    assert report.up_to_date
    assert report.operations_sent == 1
    assert shelf.states() == {bad: "attention", good: "received"}
    assert problem_of(shelf, bad) == "no-such-target"


@pytest.mark.parametrize("bad_one", range(5))
def test_a_request_refused_as_a_whole_is_halved_until_the_bad_one_is_alone(
    hub: HubSimulator, shelf: Shelf, bad_one: int
) -> None:
    asked = [shelf.ask(f"Question {n}?") for n in range(5)]
    hub.refuse_requests_with = {asked[bad_one]}
    report = shelf.sync()
    assert report.up_to_date, report.error
    assert shelf.states() == {id_: "attention" if id_ == asked[bad_one] else "received" for id_ in asked}
    assert problem_of(shelf, asked[bad_one]) == "malformed"
    assert list(hub.effects) == [id_ for id_ in asked if id_ != asked[bad_one]]
    shelf.agrees()


def test_an_operation_that_is_too_long_never_leaves(hub: HubSimulator, shelf: Shelf) -> None:
    long, short = shelf.ask("Long?", "x" * limits.OPERATION), shelf.ask("Short?")
    assert shelf.sync().up_to_date
    assert shelf.states() == {long: "attention", short: "received"}
    assert problem_of(shelf, long) == "too-large"


def test_many_operations_leave_in_requests_that_pass_a_link_that_drops(hub: HubSimulator, shelf: Shelf) -> None:
    bodies = ["".join(chr(97 + number % 26) for number in Random(n).randbytes(5000)) for n in range(7)]
    asked = [shelf.ask(f"Question {n}?", body) for n, body in enumerate(bodies)]
    with hub.counting() as seen:
        report = shelf.sync()
    assert [one.kind for one in seen].count("sync") == 4
    assert max(one.size for one in seen) < 16_000
    assert report.bytes_up > 20_000
    assert list(hub.effects) == asked


def test_an_operation_without_a_receipt_is_sent_again_next_time(hub: HubSimulator, shelf: Shelf) -> None:
    question = shelf.ask("Settled later?")
    hub.unsettled = {question}
    with hub.counting() as seen:
        report = shelf.sync()
    assert not report.up_to_date
    assert report.error is None
    assert [one.kind for one in seen].count("sync") == 1
    assert shelf.states() == {question: "sending"}
    hub.unsettled = set()
    assert shelf.sync().up_to_date
    assert shelf.states() == {question: "received"}


def test_more_personal_items_than_fit_come_in_several_rounds(hub: HubSimulator, shelf: Shelf) -> None:
    hub.page = 2
    hub.items = [{"id": f"q-{n}", "type": "request", "title": f"{n}", "state": "submitted"} for n in range(7)]
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    assert [one.kind for one in seen].count("sync") == 4
    assert shelf.personal() == 7


def test_a_hub_that_never_ends_saying_more_is_not_followed(hub: HubSimulator, shelf: Shelf) -> None:
    hub.items = [{"id": "q-1", "type": "request", "title": "1"}]
    hub.page = 0
    with hub.counting() as seen:
        assert shelf.sync().error is not None
    assert len(seen) <= 2


def test_a_copied_folder_gets_numbers_of_its_own(
    hub: HubSimulator, shelf: Shelf, new_shelf: Callable[[str], Shelf]
) -> None:
    shelf.sync()
    copy = new_shelf("copy")
    shutil.copytree(shelf.home.path, copy.home.path, dirs_exist_ok=True)
    one, other = shelf.ask("From the one?"), copy.ask("From the other?")
    assert shelf.sync().up_to_date
    report = copy.sync()
    assert report.up_to_date, report.error
    third = copy.ask("And another?")
    assert copy.sync().up_to_date
    assert {id_: len(effects) for id_, effects in hub.effects.items()} == {one: 1, other: 1, third: 1}
    assert copy.states() == {other: "received", third: "received"}


def test_a_number_that_was_used_twice_is_given_anew(hub: HubSimulator, shelf: Shelf) -> None:
    first, second = shelf.ask("First?"), shelf.ask("Second?")
    with shelf.home.own() as own:
        numbers = [(item.epoch, item.counter) for item in own.outbox.pending()]
    token = next(iter(hub.devices.values()))
    hub.numbers[(token, *numbers[1])] = "somebody-elses"
    with hub.counting() as seen:
        report = shelf.sync()
    assert report.up_to_date, report.error
    assert [one.kind for one in seen].count("sync") == 2
    assert {id_: len(effects) for id_, effects in hub.effects.items()} == {first: 1, second: 1}
    assert shelf.states() == {first: "received", second: "received"}


def test_a_number_that_stays_used_is_reported_and_reading_goes_on(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.ask("Never?")

    class Taken(dict[tuple[str, int, int], str]):
        def get(self, key: object, default: object = None) -> str:
            return "somebody-elses"

    hub.numbers = Taken()
    with hub.counting() as seen:
        report = shelf.sync()
    assert isinstance(report.error, HubProblem)
    assert report.error.problem.code == "counter-reused"
    assert [one.kind for one in seen].count("sync") == 2
    shelf.agrees()


@pytest.mark.parametrize("lost", ["revoked", "secret"])
def test_reading_goes_on_when_the_hub_does_not_know_the_device(hub: HubSimulator, shelf: Shelf, lost: str) -> None:
    shelf.sync()
    question = shelf.ask("Still waiting?")
    if lost == "revoked":
        hub.devices.clear()
    else:
        shelf.home.secrets().forget()
    hub.publish({"public/cards/en": [card(1, title="New for everybody")]})
    report = shelf.sync()
    assert isinstance(report.error, AuthNeeded)
    assert not report.up_to_date
    shelf.agrees()
    assert shelf.states()[question] in ("sending", "waiting")
    shelf.enrol()
    assert shelf.sync().up_to_date
    assert shelf.states()[question] == "received"


def test_reading_goes_on_when_the_personal_plane_is_away(hub: HubSimulator, shelf: Shelf) -> None:
    question = shelf.ask("Later?")

    def away(seen: Seen, answer: Answer) -> Answer:
        return Answer(503, b"", {}) if seen.kind == "sync" else answer

    hub.fault = away
    report = shelf.sync()
    assert isinstance(report.error, HubProblem)
    assert report.error.problem.action == "retry"
    shelf.agrees()
    hub.fault = None
    assert shelf.sync().up_to_date
    assert shelf.states() == {question: "received"}


def test_an_answer_by_others_marks_the_question_answered(hub: HubSimulator, shelf: Shelf) -> None:
    first, second, third = shelf.ask("One?"), shelf.ask("Two?"), shelf.ask("Three?")
    shelf.sync()
    hub.items += [
        {"id": "a-1", "type": "reply", "request": first, "author": "Facilitator", "body": "Yes."},
        {"id": "a-2", "type": "reply", "request": second, "author": "Amina", "body": "Small ones.", "mine": True},
        {"id": third, "type": "request", "title": "Three?", "state": "delivered"},
    ]
    shelf.sync()
    assert shelf.states() == {first: "answered", second: "received", third: "answered"}


def test_what_is_withdrawn_during_a_sync_stays_here(hub: HubSimulator, shelf: Shelf) -> None:
    question = shelf.ask("Never mind?")

    def withdraw(_: object) -> None:
        with shelf.home.own() as own:
            if own.outbox.item(question).state == "waiting":
                own.outbox.withdraw(question)

    shelf.sync(progress=withdraw)
    assert question not in hub.effects


def test_a_reply_sends_its_target_and_text_only(hub: HubSimulator, shelf: Shelf, tmp_path: Path) -> None:
    with shelf.home.own() as own:
        body = {"target": "th-1", "body": "We did.", "title": "How do districts refresh tablets?"}
        reply = own.outbox.add("reply", "How do districts refresh tablets?", body).id
    shelf.sync()
    assert dict(hub.effects[reply][0].body) == {"target": "th-1", "body": "We did."}


def test_a_hub_of_before_takes_what_waits_at_its_own_address(hub: HubSimulator, shelf: Shelf) -> None:
    hub.speaks_v2 = False
    question = shelf.ask("Also by the old wire?")
    with hub.counting() as seen:
        report = shelf.sync()
    assert report.up_to_date, report.error
    assert [one.path for one in seen][:2] == ["/u/v2/sync", "/u/v1/sync"]
    assert shelf.states() == {question: "received"}
    assert len(hub.effects[question]) == 1
    shelf.agrees()
