"""The personal plane's messages: bounds, what an answer leaves out and gets back, addresses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import limits
from sync.protocol.errors import Malformed, TooLarge
from sync.protocol.messages import (
    Operation,
    Receipt,
    SyncRequest,
    SyncResponse,
    batches,
    complete_item,
    shorten_item,
    token_hash,
)
from sync.protocol.paths import normalise_base
from sync.protocol.problems import Problem
from sync.protocol.subscriptions import Subscription
from sync.protocol.wire_json import dump

TOKEN = "b" * 64


def operation(number: int, size: int = 10) -> Operation:
    return Operation(f"op-{number}", 1, number, "ask", {"title": "x" * size})


def test_operations_are_cut_into_requests_within_the_bounds() -> None:
    cut = batches([operation(n, 20_000) for n in range(150)])
    assert [item.counter for batch in cut for item in batch] == list(range(150))
    for batch in cut:
        assert len(SyncRequest((1, 1), (1, 1), batch).to_bytes()) < limits.SYNC_REQUEST


def test_an_operation_that_never_fits_is_refused_before_it_is_sent() -> None:
    with pytest.raises(TooLarge):
        batches([operation(1, limits.OPERATION)])


def test_a_request_says_only_what_differs_from_nothing() -> None:
    assert SyncRequest().to_bytes() == b"{}"
    whole = SyncRequest(
        (1, 2), (3, 4), (operation(1),), 5, Subscription(("en", "fr"), ("solar",)), 6, (("0" * 16, 7),)
    )
    assert SyncRequest.from_bytes(whole.to_bytes()) == whole
    assert SyncRequest.from_bytes(b"{}") == SyncRequest()
    nothing_kept = SyncRequest(streams=Subscription((), ()))
    assert SyncRequest.from_bytes(nothing_kept.to_bytes()).streams == Subscription((), ())


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"head":[0]}',
        b'{"head":[true,0]}',
        b'{"head":[0,-1]}',
        b'{"personal":"1"}',
        b'{"operations":[1]}',
        b'{"operations":[{"id":"a"}]}',
        b'{"at":-1}',
        b'{"room":"much"}',
        b'{"streams":[]}',
        b'{"streams":{"languages":"en"}}',
        b'{"streams":{"themes":[1]}}',
        b'{"have":{}}',
        b'{"have":[["0000000000000000"]]}',
        b'{"have":[["000000000000000G",1]]}',
        b'{"have":[["0000",1]]}',
        b'{"have":[["0000000000000000",-1]]}',
    ],
)
def test_a_request_that_is_none_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        SyncRequest.from_bytes(body)


@pytest.mark.parametrize(
    "request_",
    [
        SyncRequest(operations=[operation(n) for n in range(101)]),
        SyncRequest(have=[("0" * 16, 1)] * 101),
        SyncRequest(streams=Subscription(["en"] * 1001)),
    ],
)
def test_too_many_of_anything_are_refused(request_: SyncRequest) -> None:
    with pytest.raises(TooLarge):
        SyncRequest.from_bytes(request_.to_bytes())


def test_unknown_fields_are_ignored_and_unknown_actions_wait() -> None:
    assert SyncResponse.from_bytes(b'{"epoch":1,"cursor":2,"new":{"field":1}}').cursor == 2
    known = b'{"type":"urn:hubshelf:problem:x","title":"t","action":"dance"}'
    assert Problem.from_bytes(known).action == "wait"


FIELDS = st.sampled_from(["title", "body", "kind", "state", "of", "item", "without", "type"])
values = (
    st.none() | st.booleans() | st.integers(0, 1) | st.text(max_size=3) | st.lists(st.integers(0, 1), max_size=2)
)
bodies = st.dictionaries(FIELDS, values, max_size=5)


@given(bodies, bodies, st.booleans())
def test_a_shortened_item_is_completed_again(said: dict[str, Any], item: dict[str, Any], own: bool) -> None:
    asked = Operation("op-1", 1, 1, "ask", said)
    item = {**item, "id": "op-1" if own else "other"}
    short = shorten_item(asked, item)
    assert dump(complete_item(asked, json.loads(dump(short)))) == dump(item)


operations = st.lists(bodies, max_size=3).map(
    lambda found: [Operation(f"op-{n}", 1, n, "ask", body) for n, body in enumerate(found)]
)
names = st.sampled_from(["op-0", "op-1", "op-2", "else"])
receipts = st.builds(
    Receipt,
    id=names,
    accepted=st.booleans(),
    effect=names | st.just(""),
    received=st.sampled_from(["", "2026-11-22T09:00:00Z"]),
    state=st.sampled_from(["", "submitted"]),
    problem=st.none() | st.just(Problem("x", "t", "drop", 422, "d")),
)
items = st.builds(lambda body, name: {**body, "id": name}, bodies, names)


@given(operations, st.lists(receipts, max_size=4), st.lists(items, max_size=4), st.booleans())
def test_an_answer_comes_back_to_who_asked(
    asked: list[Operation], receipts: list[Receipt], items: list[dict[str, Any]], more: bool
) -> None:
    whole = SyncResponse(1, 2, tuple(receipts), tuple(items), more, b"head\n" if more else None)
    found = SyncResponse.from_bytes(whole.to_bytes(asked), asked)
    assert found == whole
    # Equal to Python is not equal on the wire.
    assert found.to_bytes() == whole.to_bytes()


def test_an_answer_does_not_say_again_what_was_asked() -> None:
    asked = Operation(
        "0192c8a0-3e80-76d9-9e1c-f6811ab6b920", 1, 1, "ask", {"title": "Solar?", "body": "words " * 90}
    )
    item = {**asked.body, "id": asked.id, "type": "request", "state": "submitted"}
    whole = SyncResponse(1, 2, (Receipt(asked.id, True, asked.id, "2026", "submitted"),), (item,))
    assert json.loads(whole.to_bytes([asked])) == {
        "epoch": 1,
        "cursor": 2,
        "receipts": [{"id": 0, "received": "2026", "state": "submitted"}],
        "items": [{"of": 0, "item": {"type": "request", "state": "submitted"}}],
    }


@pytest.mark.parametrize(
    "body",
    [
        b'{"epoch":1,"cursor":2,"receipts":[{"id":1}]}',
        b'{"epoch":1,"cursor":2,"receipts":[{"id":-1}]}',
        b'{"epoch":1,"cursor":2,"receipts":[{"id":true}]}',
        b'{"epoch":1,"cursor":2,"receipts":[{}]}',
        b'{"epoch":1,"cursor":2,"receipts":[{"id":"a","accepted":"no"}]}',
        b'{"epoch":1,"cursor":2,"items":[{"of":1,"item":{}}]}',
        b'{"epoch":1,"cursor":2,"items":[{"of":0,"item":[]}]}',
        b'{"epoch":1,"cursor":2,"items":[{"of":0,"without":{}}]}',
        b'{"epoch":1,"cursor":2,"items":[{"of":0,"without":[["id"]]}]}',
        b'{"epoch":1,"cursor":2,"items":[{"of":0,"without":["id"]}]}',
        b'{"epoch":1,"cursor":2,"items":[{"of":0,"item":{"id":7}}]}',
        b'{"epoch":1,"cursor":2,"items":[{"title":"no id"}]}',
        b'{"epoch":1}',
    ],
)
def test_an_answer_that_is_none_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        SyncResponse.from_bytes(body, [operation(0)])


def test_the_hub_stores_something_else_than_the_token() -> None:
    assert TOKEN not in token_hash(TOKEN)
    assert token_hash(TOKEN) != token_hash("c" * 64)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("hub.example.org", "https://hub.example.org"),
        (" https://hub.example.org/ ", "https://hub.example.org"),
        ("https://example.org:8443/hub/", "https://example.org:8443/hub"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_addresses_as_people_type_them(given: str, meant: str) -> None:
    assert normalise_base(given) == meant


@pytest.mark.parametrize(
    "given",
    [
        "http://hub.example.org",
        "http://127.0.0.1.example.org",
        "ftp://hub.example.org",
        "https://me:secret@hub.example.org",
        "https://hub.example.org/?x=1",
        "https://",
        "",
    ],
)
def test_unsafe_addresses_are_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        normalise_base(given)
