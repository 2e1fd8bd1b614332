"""Links that fail and strangers that answer: nothing is lost, nothing unverified is stored, errors have types."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from sync.cancel import Cancel
from sync.engine import price_once
from sync.errors import (
    BadSignature,
    BudgetReached,
    Cancelled,
    CaptivePortal,
    CutOff,
    HubProblem,
    HubTooOld,
    NotEnrolled,
    RolledBack,
    TimedOut,
    Unreachable,
    UpgradeNeeded,
    WrongHash,
)
from sync.protocol import VERSION, documents, envelope, limits
from sync.protocol.head import Head, ObjectRef
from sync.protocol.messages import SyncResponse
from sync.protocol.signing import SigningKey, sign_document, split_document
from sync.protocol.wire_json import dump
from sync.transport import HttpTransport
from tests.sync.hub_simulator import EXPIRES, Answer, HubSimulator, Seen
from tests.sync.simulated_shelf import Shelf, card, long_card, theme

Damage = Callable[[Answer], Answer]


def only(kind: str, damage: Damage) -> Callable[[Seen, Answer], Answer]:
    return lambda seen, answer: damage(answer) if seen.kind == kind else answer


def ask_for_everything(hub: HubSimulator) -> None:
    """Nothing comes behind an answer: each document and segment is a request of its own."""
    hub.inlines = False


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
    answers: list[Answer] = []

    def note(seen: Seen, answer: Answer) -> Answer:
        if hub.lies_in("public/cards/fr", seen.path, seen.range):
            answers.append(answer)
            if len(answers) == 1:
                hub.cut_after["object"] = [len(answer.head) + at]
        return answer

    hub.fault = note
    size = hub.snapshot("public/cards/fr").segments[0].size
    for at in range(0, size, step):
        shelf.lose_library()
        answers.clear()
        assert isinstance(shelf.sync().error, CutOff)
        assert shelf.sync().up_to_date
        assert [len(answer.body) for answer in answers] == [size, size - at]


def test_a_cut_far_into_a_segment_is_resumed_in_the_same_sync(hub: HubSimulator, shelf: Shelf) -> None:
    hub.snapshot_every = 1
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1040)]})
    size = hub.snapshot("public/cards/en").segments[0].size
    assert size > 5000
    hub.cut_after["object"] = [3000]
    heads: list[int] = []

    def note(seen: Seen, answer: Answer) -> Answer:
        heads.append(len(answer.head) if seen.path == hub.bulk_path("public/cards/en") else 0)
        return answer

    hub.fault = note
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    tries = [one for one in seen if one.path == hub.bulk_path("public/cards/en")]
    arrived = 3000 - next(filter(None, heads))
    assert [one.range for one in tries] == ["", f"bytes={arrived}-{size - 1}"]
    shelf.agrees()


def test_a_first_sync_cut_at_every_request_fetches_nothing_twice(hub: HubSimulator, shelf: Shelf) -> None:
    ask_for_everything(hub)
    attempts = 0
    with hub.counting() as seen:
        while True:
            attempts += 1
            hub.cut_after = {"object": [10**9, 60], "document": [10**9, 60]}
            if shelf.sync().up_to_date:
                break
            shelf.check()
    assert attempts > 3
    asked = [(one.path, one.range) for one in seen if one.kind in ("object", "document")]
    # Each was cut once, before any of its bytes, and fetched once.
    assert all(asked.count(one) <= 2 for one in asked)
    shelf.agrees()


def test_news_behind_an_answer_that_is_cut_anywhere_are_continued_at_that_byte(
    hub: HubSimulator, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.sync()
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1004)], "public/vocab": [theme("rain")]})
    hub.publish({"public/cards/fr": [long_card(n) for n in range(2000, 2002)]})
    length = 0

    def note(seen: Seen, answer: Answer) -> Answer:
        nonlocal length
        if seen.kind == "sync":
            length = len(answer.head) + len(answer.body)
        return answer

    hub.fault = note
    before = tmp_path / "before"
    shutil.copytree(shelf.home.path, before)
    whole = shelf.sync()
    assert (whole.up_to_date, whole.requests) == (True, 1)
    assert length == whole.bytes_down > 4000
    for at in range(0, length, 149):
        shutil.rmtree(shelf.home.path)
        shutil.copytree(before, shelf.home.path)
        hub.cut_after["sync"] = [at]
        report = shelf.sync()
        down = report.bytes_down
        if not report.up_to_date:
            # It was cut before the end of the answer itself: nothing counts that is not authenticated.
            assert isinstance(report.error, CutOff)
            assert at < 1200
            down += shelf.sync().bytes_down
        # Beside headers only the documents that were in flight come again; of objects not one byte.
        assert down <= whole.bytes_down + 2600, at
        shelf.agrees()


# Strangers and damage


def _set_html(answer: Answer) -> Answer:
    return Answer(200, b"<!doctype html><title>Log in</title>", {"Content-Type": "text/html; charset=utf-8"})


def _flip(answer: Answer, at: int = -20) -> Answer:
    place = at % len(answer.body)
    return replace(answer, body=answer.body[:place] + bytes([answer.body[place] ^ 1]) + answer.body[place + 1 :])


@pytest.mark.parametrize(
    ("kind", "damage", "error"),
    [
        ("sync", _set_html, CaptivePortal),
        ("sync", lambda a: Answer(302, b"", {"Location": "http://portal.invalid/"}), CaptivePortal),
        ("sync", lambda a: Answer(200, b"{}", {"Content-Type": "application/json"}), CaptivePortal),
        ("sync", lambda a: replace(a, body=b""), CaptivePortal),
        ("sync", lambda a: replace(a, body=a.body[:40]), CaptivePortal),
        ("sync", lambda a: _flip(a, 5), CaptivePortal),
        ("sync", lambda a: _flip(a, 40), CaptivePortal),
        (
            "sync",
            lambda a: Answer(200, a.body[:40], {"Content-Length": "9000", "Connection": "close"}),
            CutOff,
        ),
        ("sync", lambda a: Answer(503, b"away", {"Content-Type": "text/plain"}), HubProblem),
        ("object", _set_html, CaptivePortal),
        ("object", _flip, WrongHash),
        ("object", lambda a: replace(a, body=a.body[:-1]), CutOff),
        ("document", _set_html, CaptivePortal),
        ("document", _flip, CaptivePortal),
        ("document", lambda a: replace(a, body=documents.pack(b"{}")), CaptivePortal),
        ("document", lambda a: replace(a, body=a.body[:-1]), CaptivePortal),
        ("document", lambda a: Answer(404, b"", {}), HubProblem),
        ("object", lambda a: Answer(404, b"", {}), HubProblem),
    ],
)
def test_what_cannot_be_trusted_changes_nothing(
    hub: HubSimulator, shelf: Shelf, kind: str, damage: Damage, error: type[Exception]
) -> None:
    shelf.sync()
    if kind != "sync":
        ask_for_everything(hub)
    before, question = shelf.records(), shelf.ask("Does this survive?")
    hub.publish({"public/cards/en": [card(1, title="Newer")]})
    hub.fault = only(kind, damage)
    report = shelf.sync()
    assert isinstance(report.error, error), report.error
    assert report.error.code
    assert report.error.advice
    assert not report.up_to_date
    if error is not HubProblem or kind != "sync":
        assert shelf.records() == before
    assert shelf.states()[question] == ("sending" if kind == "sync" else "received")
    hub.fault = None
    assert shelf.sync().up_to_date
    shelf.agrees()
    assert len(hub.effects[question]) == 1


@pytest.mark.parametrize("what", ["flip", "cut", "other", "unknown"])
def test_what_is_damaged_behind_an_answer_is_fetched_alone(hub: HubSimulator, shelf: Shelf, what: str) -> None:
    shelf.sync()
    hub.publish({"public/cards/en": [card(1, title="Newer")]})

    def damage(seen: Seen, answer: Answer) -> Answer:
        if seen.kind != "sync":
            return answer
        if what == "flip":
            return _flip(answer)
        if what == "cut":
            return replace(answer, body=answer.body[:-30])
        if what == "other":
            name = hub.newest_run("public/cards/en").hash
            return replace(answer, body=answer.body + envelope.inline(envelope.OBJECT, name, b"no segment", 2))
        return replace(answer, body=answer.body + b"x" * 50)

    hub.fault = damage
    report = shelf.sync()
    if what == "flip":
        # The bytes were there, and were wrong: they are thrown away, and the next sync has them anew.
        assert isinstance(report.error, WrongHash)
        hub.fault = None
        report = shelf.sync()
    assert report.up_to_date, report.error
    shelf.agrees()


def test_a_damaged_segment_holds_up_its_own_feed_only(hub: HubSimulator, shelf: Shelf) -> None:
    feed = "public/cards/en"
    middle = hub.snapshot(feed).segments[0].size // 2
    hub.fault = lambda seen, answer: _flip(answer, middle) if hub.lies_in(feed, seen.path, seen.range) else answer
    report = shelf.sync()
    assert isinstance(report.error, WrongHash)
    assert shelf.streams() == {"public/cards/fr", "public/vocab", "public/texts/en/teaching"}
    hub.fault = None
    with hub.counting() as seen:
        assert shelf.sync().up_to_date
    assert [hub.lies_in(feed, one.path, one.range) for one in seen if one.kind == "object"] == [True]
    shelf.agrees()


def _with_head(hub: HubSimulator, head: bytes) -> Callable[[Seen, Answer], Answer]:
    """Put another head into an answer that is otherwise the hub's own."""

    def fault(seen: Seen, answer: Answer) -> Answer:
        if seen.kind != "sync":
            return answer
        token = next(iter(hub.devices.values()))
        assert isinstance(hub.nonce, bytes)
        told = SyncResponse(hub.epoch, len(hub.items), head=head)
        return replace(answer, body=envelope.answer(token, hub.nonce, told))

    return fault


@pytest.mark.parametrize("what", ["older", "foreign-key", "newer-client", "older-hub"])
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
    elif what == "newer-client":
        newer = Head(1, 99, 1, VERSION + 1, ObjectRef("0" * 64, 1), hub.name, "2026-01-01T00:00:00Z", EXPIRES)
        head, expected = newer.sign(hub.head_key), UpgradeNeeded
    else:
        assert hub.head is not None
        payload, _ = split_document(hub.head, limits.HEAD, "head")
        old_body = {key: value for key, value in json.loads(payload).items() if key != "protocol"}
        head, expected = sign_document("head", dump({**old_body, "client": 1}), [hub.head_key]), HubTooOld
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
    ask_for_everything(hub)
    hub.fault = only("document", _set_html)
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
    hub.restore(segment_records=4)
    hub.publish({"public/cards/en": [{"id": "r-0003", "deleted": True}]})
    first = hub.snapshot("public/cards/en").segments[0].size

    def cut(seen: Seen, answer: Answer) -> Answer:
        if hub.lies_in("public/cards/en", seen.path, seen.range):
            hub.cut_after["object"] = [len(answer.head) + first + 10]
        return answer

    hub.fault = cut
    assert isinstance(shelf.sync().error, CutOff)
    hub.fault = None
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
    hub.snapshot_every = 1
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1040)]})
    segment = hub.snapshot("public/cards/en").segments[0]
    with hub.counting() as seen:
        report = shelf.sync(budget=8000)
    asked = next(one.range for one in seen if one.path == hub.bulk_path("public/cards/en"))
    start, _, end = asked.removeprefix("bytes=").partition("-")
    assert 0 == int(start) < int(end) < segment.size - 1
    assert shelf.home.incoming().partial_size(segment.hash) == int(end) + 1
    assert isinstance(report.error, BudgetReached)


@pytest.mark.parametrize("inlined", [False, True])
def test_a_server_that_knows_no_ranges_sends_all_again(hub: HubSimulator, shelf: Shelf, inlined: bool) -> None:
    hub.inlines = inlined

    def whole(seen: Seen, answer: Answer) -> Answer:
        if seen.kind != "object":
            return answer
        return Answer(200, hub.objects[seen.path.rpartition("/")[2]], {})

    hub.fault = whole
    hub.cut_after["object"] = [200]
    assert isinstance(shelf.sync().error, CutOff)
    assert shelf.home.incoming().partial_size(hub.snapshot("public/cards/en").segments[0].hash) > 50
    assert shelf.sync().up_to_date
    shelf.agrees()


def test_other_bytes_than_those_asked_for_are_not_taken(hub: HubSimulator, shelf: Shelf) -> None:
    hub.cut_after["object"] = [200]
    assert isinstance(shelf.sync().error, CutOff)
    hub.fault = lambda seen, answer: (
        replace(answer, headers={"Content-Range": "bytes 0-9/10"}) if seen.kind == "object" else answer
    )
    assert isinstance(shelf.sync().error, CaptivePortal)
    hub.fault = None
    assert shelf.sync().up_to_date
    shelf.agrees()


def test_what_was_applied_leaves_nothing_behind(hub: HubSimulator, shelf: Shelf) -> None:
    first = hub.snapshot("public/cards/en").segments[0].size

    def cut_between_two_segments(seen: Seen, answer: Answer) -> Answer:
        if seen.kind == "object" and "object" not in hub.cut_after:
            hub.cut_after["object"] = [len(answer.head) + first, 0]
        return answer

    hub.fault = cut_between_two_segments
    report = shelf.sync()
    assert isinstance(report.error, CutOff)
    assert report.segments_applied == 1
    hub.fault = None
    hub.cut_after.clear()
    assert shelf.home.incoming().used() == 0
    assert shelf.sync().up_to_date
    assert not (shelf.home.path / "incoming").exists()


def test_a_budget_is_never_exceeded_and_enough_of_them_bring_everything(hub: HubSimulator, shelf: Shelf) -> None:
    hub.snapshot_every = 1
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


@pytest.mark.parametrize("budget", [1, 200, 500, 1000, 1500, 2000, 2500, 3000])
def test_any_budget_holds(hub: HubSimulator, shelf: Shelf, budget: int) -> None:
    report = shelf.sync(budget=budget)
    assert report.bytes_up + report.bytes_down <= budget
    assert isinstance(report.error, BudgetReached)


@pytest.mark.parametrize("left", [1, 300, 2200])
def test_a_price_costs_no_more_than_is_left_of_the_day(hub: HubSimulator, shelf: Shelf, left: int) -> None:
    with shelf.home.own() as own:
        own.set_setting("daily_limit", own.spent() + left)
        limit = own.spent() + left
    hub.publish({"public/cards/en": [long_card(n) for n in range(1000, 1040)]})
    with HttpTransport(hub.url) as transport:
        with pytest.raises(BudgetReached):
            price_once(shelf.home, transport, daily_limit=True)
        with shelf.home.own() as own:
            assert own.spent() <= limit
        assert price_once(shelf.home, transport).bytes > 0, "who asks for it without the limit gets it"


@pytest.mark.parametrize("kind", ["sync", "object", "document"])
def test_cancel_ends_a_blocked_read_within_a_second(hub: HubSimulator, shelf: Shelf, kind: str) -> None:
    hub.inlines = kind != "document"
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
