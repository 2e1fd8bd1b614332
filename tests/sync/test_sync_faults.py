"""Links that fail and strangers that answer: nothing is lost, nothing unverified is stored, errors have types."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Timer
from typing import Any

import pytest

from sync.cancel import Cancel
from sync.errors import (
    BadSignature,
    BudgetReached,
    Cancelled,
    CaptivePortal,
    CutOff,
    HubProblem,
    NotEnrolled,
    RolledBack,
    TimedOut,
    Unreachable,
    UpgradeNeeded,
    WrongHash,
)
from sync.protocol.messages import answer_mac
from sync.protocol.paths import MAC_HEADER
from sync.protocol.signing import SigningKey
from tests.sync.hub_simulator import Answer, HubSimulator, Seen
from tests.sync.simulated_shelf import Shelf, card, long_card

Damage = Callable[[Answer], Answer]


def only(kind: str, damage: Damage) -> Callable[[Seen, Answer], Answer]:
    return lambda seen, answer: damage(answer) if seen.kind == kind else answer


def segment_path(hub: HubSimulator, stream: str = "public/cards/en") -> str:
    return "/p/v1/objects/" + hub.segments(stream)[0]


# Cuts


every_byte = pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])


@every_byte
def test_a_question_has_one_effect_wherever_its_answer_is_cut(hub: HubSimulator, shelf: Shelf, step: int) -> None:
    shelf.sync()
    shelf.ask("Asked: 0000?")
    length = shelf.sync().bytes_down
    asked = []
    for at in range(0, length, step):
        asked.append(shelf.ask(f"Asked: {at:04}?"))
        hub.cut_after["sync"] = [at]
        report = shelf.sync()
        assert isinstance(report.error, CutOff), (at, report.error)
        assert shelf.states()[asked[-1]] == "sending"
        assert shelf.sync().up_to_date
    assert set(shelf.states().values()) == {"received"}
    assert {id_: len(effects) for id_, effects in hub.effects.items()} == dict.fromkeys(hub.effects, 1)
    assert set(asked) <= set(hub.effects)


@every_byte
def test_a_segment_cut_at_every_byte_is_resumed_at_that_byte(hub: HubSimulator, shelf: Shelf, step: int) -> None:
    shelf.set(languages=["fr"], themes=[])
    shelf.sync()
    bodies: list[bytes] = []

    def note(seen: Seen, answer: Answer) -> Answer:
        if seen.path == segment_path(hub, "public/cards/fr"):
            bodies.append(answer.body)
        return answer

    hub.fault = note
    size = len(hub.objects[hub.segments("public/cards/fr")[0]])
    for at in range(0, size, step):
        shelf.lose_library()
        bodies.clear()
        hub.cut_after["object"] = [10**9, 10**9, _headers(hub, "public/cards/fr") + at]
        assert isinstance(shelf.sync().error, CutOff)
        assert shelf.sync().up_to_date
        assert [len(body) for body in bodies] == [size, size - at]


def _headers(hub: HubSimulator, stream: str) -> int:
    size = len(hub.objects[hub.segments(stream)[0]])
    return len(
        f"HTTP/1.1 200 Whatever\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n"
    )


def test_a_cut_far_into_a_segment_is_resumed_in_the_same_sync(hub: HubSimulator, shelf: Shelf) -> None:
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1040)]})
    size = len(hub.objects[hub.segments("public/cards/en")[0]])
    assert size > 5000
    hub.cut_after["object"] = [10**9, 10**9, 3000]
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    tries = [one for one in seen if one.path == segment_path(hub)]
    arrived = 3000 - _headers(hub, "public/cards/en")
    assert [one.range for one in tries] == ["", f"bytes={arrived}-{size - 1}"]
    shelf.agrees()


def test_a_first_sync_cut_at_every_request_fetches_nothing_twice(hub: HubSimulator, shelf: Shelf) -> None:
    attempts = 0
    with hub.counting() as seen:
        while True:
            attempts += 1
            hub.cut_after = {"object": [10**9, 60]}
            if shelf.sync().up_to_date:
                break
            shelf.check()
    assert attempts > 3
    whole = [one.path for one in seen if one.kind == "object"]
    # Each object was cut once, before any of its bytes, and fetched once.
    assert all(whole.count(path) <= 2 for path in whole)
    shelf.agrees()


# Strangers and damage


def _set_html(answer: Answer) -> Answer:
    return Answer(200, b"<!doctype html><title>Log in</title>", {"Content-Type": "text/html; charset=utf-8"})


def _flip(answer: Answer) -> Answer:
    return replace(answer, body=answer.body[:-20] + bytes([answer.body[-20] ^ 1]) + answer.body[-19:])


@pytest.mark.parametrize(
    ("kind", "damage", "error"),
    [
        ("sync", _set_html, CaptivePortal),
        ("sync", lambda a: Answer(302, b"", {"Location": "http://portal.invalid/"}), CaptivePortal),
        ("sync", lambda a: Answer(200, a.body, {"Content-Type": "application/json"}), CaptivePortal),
        ("sync", lambda a: replace(a, headers={MAC_HEADER: "0" * 64}), BadSignature),
        ("sync", _flip, BadSignature),
        (
            "sync",
            lambda a: replace(a, headers={**a.headers, "Content-Length": "9000", "Connection": "close"}),
            CutOff,
        ),
        ("sync", lambda a: Answer(503, b"away", {"Content-Type": "text/plain"}), HubProblem),
        ("object", _set_html, CaptivePortal),
        ("object", _flip, WrongHash),
        ("object", lambda a: replace(a, body=a.body[:-1]), WrongHash),
        ("object", lambda a: Answer(404, b"", {}), HubProblem),
    ],
)
def test_what_cannot_be_trusted_changes_nothing(
    hub: HubSimulator, shelf: Shelf, kind: str, damage: Damage, error: type[Exception]
) -> None:
    shelf.sync()
    before, question = shelf.records(), shelf.ask("Does this survive?")
    hub.publish({"public/cards/en": [card(1, title="Newer")]})
    hub.fault = only(kind, damage)
    report = shelf.sync()
    assert isinstance(report.error, error), report.error
    assert report.error.code
    assert report.error.advice
    assert not report.up_to_date
    if error is not HubProblem or kind == "object":
        assert shelf.records() == before
    assert shelf.states()[question] == ("received" if kind == "object" else "sending")
    hub.fault = None
    assert shelf.sync().up_to_date
    shelf.agrees()
    assert len(hub.effects[question]) == 1


def test_a_damaged_segment_holds_up_its_own_stream_only(hub: HubSimulator, shelf: Shelf) -> None:
    path = segment_path(hub)
    hub.fault = lambda seen, answer: _flip(answer) if seen.path == path else answer
    report = shelf.sync()
    assert isinstance(report.error, WrongHash)
    with shelf.home.library() as library:
        assert set(library.streams()) == {"public/cards/fr", "public/vocab", "public/texts/en/teaching"}
    hub.fault = None
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    assert [one.path for one in seen if one.kind == "object"] == [path]
    shelf.agrees()


def _with_head(hub: HubSimulator, head: bytes) -> Callable[[Seen, Answer], Answer]:
    """Put another head into an answer that is otherwise the hub's own."""
    from sync.protocol.messages import SyncResponse

    def fault(seen: Seen, answer: Answer) -> Answer:
        if seen.kind != "sync":
            return answer
        body = replace(SyncResponse.from_bytes(answer.body), head=head).to_bytes()
        token = next(iter(hub.devices.values()))
        return replace(answer, body=body, headers={MAC_HEADER: answer_mac(token, hub.nonce, body)})

    return fault


@pytest.mark.parametrize("what", ["older", "foreign-key", "newer-client"])
def test_a_head_that_is_not_to_be_believed_is_not_stored(hub: HubSimulator, shelf: Shelf, what: str) -> None:
    assert hub.head is not None
    old = hub.head
    hub.publish({"public/cards/en": [card(1, title="Newer")]})
    shelf.sync()
    hub.publish({"public/cards/en": [card(1, title="Newest")]})
    expected: type[Exception]
    if what == "older":
        head, expected = old, RolledBack
    elif what == "foreign-key":
        known, hub.head_key = hub.head_key, SigningKey.generate()
        hub.publish({})
        head, expected, hub.head_key = hub.head, BadSignature, known
    else:
        from sync.protocol.head import Head, ObjectRef

        newer = Head(1, 99, 1, 2, ObjectRef("0" * 64, 1), hub.name, "2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z")
        head, expected = newer.sign(hub.head_key), UpgradeNeeded
    with shelf.home.library() as library:
        stored = library.head()
    hub.fault = _with_head(hub, head)
    report = shelf.sync()
    assert isinstance(report.error, expected), report.error
    with shelf.home.library() as library:
        assert library.head() == stored
    assert shelf.records()["r-0001"]["title"] == "Newer"
    hub.fault = None
    hub.publish({})
    assert shelf.sync().up_to_date
    shelf.agrees()


def test_an_older_head_is_refused_by_a_shelf_that_lost_its_library(hub: HubSimulator, shelf: Shelf) -> None:
    hub.publish({"public/cards/en": [card(1, title="Newer")]})
    shelf.sync()
    shelf.lose_library()
    hub.version -= 2
    hub.publish({})
    assert isinstance(shelf.sync().error, RolledBack)
    with shelf.home.library() as library:
        assert library.counts() == {}


def test_a_rotated_head_key_is_followed_through_the_chain_of_roots(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    hub.rotate_head_key()
    hub.rotate_head_key()
    hub.publish({"public/cards/en": [card(1, title="Under the new key")]})
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    assert [one.path for one in seen if one.kind == "root"] == ["/p/v1/root/2", "/p/v1/root/3"]
    shelf.agrees()
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    assert len(seen) == 1


def test_a_root_by_a_stranger_is_not_followed(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    hub.root_key = SigningKey.generate()
    hub.rotate_head_key()
    hub.publish({"public/cards/en": [card(1, title="Theirs")]})
    assert isinstance(shelf.sync().error, BadSignature)
    assert shelf.records()["r-0001"]["title"] != "Theirs"


def test_a_cut_between_the_new_root_and_the_new_head_is_repaired(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    hub.rotate_head_key()
    hub.publish({"public/cards/en": [card(1, title="Under the new key")]})
    hub.fault = only("object", _set_html)
    assert isinstance(shelf.sync().error, CaptivePortal)
    # The root is kept, and the stored head is none of its keys': as if the process had died in between.
    with shelf.home.library() as library:
        head = library.head()
        assert head is not None
        library.save_head(replace(head, body=head.body.replace(b"=", b"A"), complete=True))
    hub.fault = None
    assert shelf.sync().up_to_date
    shelf.agrees()


# Epochs


def test_a_restored_hub_gets_back_what_it_lost(hub: HubSimulator, shelf: Shelf) -> None:
    first, second = shelf.ask("Kept by the backup?"), shelf.ask("Lost by the backup?")
    shelf.sync()
    hub.restore(forget_operations=1)
    hub.publish({"public/cards/en": [{"id": "r-0003", "deleted": True}]})
    assert second not in hub.effects
    with hub.counting() as seen:
        report = shelf.sync()
    assert report.up_to_date, report.error
    assert [one.kind for one in seen][:2] == ["sync", "sync"]
    assert {id_: len(effects) for id_, effects in hub.effects.items()} == {first: 1, second: 1}
    assert shelf.states() == {first: "received", second: "received"}
    shelf.agrees()
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    assert len(seen) == 1


def test_old_content_stays_readable_until_the_new_epoch_is_whole(hub: HubSimulator, shelf: Shelf) -> None:
    shelf.sync()
    before = shelf.records()
    hub.restore()
    hub.publish({"public/cards/en": [{"id": "r-0003", "deleted": True}]}, segment_records=4)
    hub.cut_after["object"] = [10**9, 10**9, 10**9, 100]
    assert isinstance(shelf.sync().error, CutOff)
    with shelf.home.library() as library:
        cursor = library.cursors()["public/cards/en"]
        assert (cursor.epoch, cursor.parts) == (2, 1)
        assert all(library.get(id_) is not None for id_ in before)
    assert shelf.sync().up_to_date
    shelf.agrees()


def test_what_a_restored_hub_does_not_know_any_more_is_gone_here_too(hub: HubSimulator, shelf: Shelf) -> None:
    hub.items = [{"id": "a-1", "type": "reply", "request": "q-9", "body": "Only the lost hub knew."}]
    shelf.sync()
    assert shelf.personal() == 1
    hub.items = []
    hub.restore()
    assert shelf.sync().up_to_date
    assert shelf.personal() == 0


def test_an_older_epoch_is_refused_before_anything_is_kept(hub: HubSimulator, shelf: Shelf) -> None:
    hub.epoch = 5
    hub.publish({})
    shelf.sync()
    hub.epoch = 4
    assert isinstance(shelf.sync().error, RolledBack)


# Budget and stopping


def test_with_a_budget_no_more_is_asked_for_than_fits(hub: HubSimulator, shelf: Shelf) -> None:
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1040)]})
    size = len(hub.objects[hub.segments("public/cards/en")[0]])
    with hub.counting() as seen:
        report = shelf.sync(budget=6000)
    asked = next(one.range for one in seen if one.path == segment_path(hub))
    start, _, end = asked.removeprefix("bytes=").partition("-")
    assert 0 == int(start) < int(end) < size - 1
    assert shelf.home.incoming().partial_size(hub.segments("public/cards/en")[0]) == int(end) + 1
    assert isinstance(report.error, BudgetReached)


def test_a_server_that_knows_no_ranges_sends_all_again(hub: HubSimulator, shelf: Shelf) -> None:
    path = segment_path(hub)

    def whole(seen: Seen, answer: Answer) -> Answer:
        return Answer(200, hub.objects[path.rpartition("/")[2]], {}) if seen.path == path else answer

    hub.fault = whole
    hub.cut_after["object"] = [10**9, 10**9, 200]
    assert isinstance(shelf.sync().error, CutOff)
    assert shelf.home.incoming().partial_size(path.rpartition("/")[2]) > 50
    assert shelf.sync().up_to_date
    shelf.agrees()


def test_other_bytes_than_those_asked_for_are_not_taken(hub: HubSimulator, shelf: Shelf) -> None:
    path = segment_path(hub)
    hub.cut_after["object"] = [10**9, 10**9, 200]
    assert isinstance(shelf.sync().error, CutOff)
    hub.fault = lambda seen, answer: (
        replace(answer, headers={"Content-Range": "bytes 0-9/10"}) if seen.path == path else answer
    )
    assert isinstance(shelf.sync().error, CaptivePortal)
    hub.fault = None
    assert shelf.sync().up_to_date
    shelf.agrees()


def test_what_was_applied_leaves_nothing_behind(hub: HubSimulator, shelf: Shelf) -> None:
    hub.cut_after["object"] = [10**9] * 5 + [100]
    assert isinstance(shelf.sync().error, CutOff)
    assert shelf.home.incoming().used() == 0
    assert shelf.sync().up_to_date
    assert not (shelf.home.path / "incoming").exists()


def test_a_budget_is_never_exceeded_and_enough_of_them_bring_everything(hub: HubSimulator, shelf: Shelf) -> None:
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1040)]})
    for _ in range(60):
        report = shelf.sync(budget=6000)
        assert report.bytes_up + report.bytes_down <= 6000
        if report.up_to_date:
            break
        assert isinstance(report.error, BudgetReached)
        shelf.check()
    assert report.up_to_date
    shelf.agrees()


@pytest.mark.parametrize("budget", [1, 200, 500, 1000, 1500, 2000, 3000, 4500])
def test_any_budget_holds(hub: HubSimulator, shelf: Shelf, budget: int) -> None:
    report = shelf.sync(budget=budget)
    assert report.bytes_up + report.bytes_down <= budget
    assert isinstance(report.error, BudgetReached)


@pytest.mark.parametrize("kind", ["sync", "object"])
def test_cancel_ends_a_blocked_read_within_a_second(hub: HubSimulator, shelf: Shelf, kind: str) -> None:
    hub.fault = lambda seen, answer: None if seen.kind == kind else answer
    cancel = Cancel()
    timer = Timer(0.3, cancel.cancel)
    timer.start()
    started = time.monotonic()
    report = shelf.sync(cancel=cancel)
    assert time.monotonic() - started < 1.3
    timer.join()
    assert isinstance(report.error, Cancelled)
    hub.fault = None
    hub.stalled.set()
    assert shelf.sync().up_to_date


def test_a_sync_cancelled_beforehand_moves_nothing(hub: HubSimulator, shelf: Shelf) -> None:
    cancel = Cancel()
    cancel.cancel()
    with hub.counting() as seen:
        report = shelf.sync(cancel=cancel)
    assert isinstance(report.error, Cancelled)
    assert seen == []


def test_silence_is_a_timeout(hub: HubSimulator, shelf: Shelf) -> None:
    hub.fault = lambda seen, answer: None
    report = shelf.sync(read_seconds=0.3)
    assert isinstance(report.error, TimedOut)


def test_nobody_there_is_unreachable(shelf: Shelf) -> None:
    report = shelf.sync("http://127.0.0.1:1")
    assert isinstance(report.error, Unreachable)
    assert report.bytes_down == 0


def test_no_hub_is_said_so(hub: HubSimulator, new_shelf: Callable[[str], Shelf]) -> None:
    report = new_shelf("nobody").sync()
    assert isinstance(report.error, NotEnrolled)


def test_a_fault_of_the_program_is_not_swallowed(shelf: Shelf) -> None:
    def broken(_: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        shelf.sync(progress=broken)
    assert shelf.sync().up_to_date
