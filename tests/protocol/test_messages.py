"""The personal plane's messages: bounds, MAC, addresses."""

from __future__ import annotations

import pytest

from sync.protocol import limits
from sync.protocol.errors import BadMac, Malformed, TooLarge
from sync.protocol.messages import (
    Operation,
    SyncRequest,
    SyncResponse,
    answer_mac,
    batches,
    token_hash,
    verify_answer,
)
from sync.protocol.paths import normalise_base
from sync.protocol.problems import Problem

TOKEN, NONCE = "b" * 64, "1" * 32


def operation(number: int, size: int = 10) -> Operation:
    return Operation(f"op-{number}", 1, number, "ask", {"title": "x" * size})


def test_an_answer_under_its_mac_is_believed_and_any_other_is_not() -> None:
    body = SyncResponse(1, 0).to_bytes()
    mac = answer_mac(TOKEN, NONCE, body)
    verify_answer(TOKEN, NONCE, body, mac)
    for token, nonce, changed, given in [
        ("c" * 64, NONCE, body, mac),
        (TOKEN, "2" * 32, body, mac),
        (TOKEN, NONCE, body + b" ", mac),
        (TOKEN, NONCE, body, ""),
        (TOKEN, NONCE, body, "é"),
    ]:
        with pytest.raises(BadMac):
            verify_answer(token, nonce, changed, given)


def test_operations_are_cut_into_requests_within_the_bounds() -> None:
    cut = batches([operation(n, 20_000) for n in range(150)])
    assert [item.counter for batch in cut for item in batch] == list(range(150))
    for batch in cut:
        assert len(SyncRequest(NONCE, (1, 1), (1, 1), batch).to_bytes()) < limits.SYNC_REQUEST


def test_an_operation_that_never_fits_is_refused_before_it_is_sent() -> None:
    with pytest.raises(TooLarge):
        batches([operation(1, limits.OPERATION)])


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"nonce":"short","head":[0,0],"personal":[0,0]}',
        b'{"nonce":"' + b"0" * 32 + b'","head":[0],"personal":[0,0]}',
        b'{"nonce":"' + b"0" * 32 + b'","head":[true,0],"personal":[0,0]}',
        b'{"nonce":"' + b"0" * 32 + b'","head":[0,-1],"personal":[0,0]}',
        b'{"nonce":"' + b"0" * 32 + b'","head":[0,0],"personal":[0,0],"operations":[1]}',
        b'{"nonce":"' + b"0" * 32 + b'","head":[0,0],"personal":[0,0],"operations":[{"id":"a"}]}',
    ],
)
def test_a_request_that_is_none_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        SyncRequest.from_bytes(body)


def test_too_many_operations_are_refused() -> None:
    with pytest.raises(TooLarge):
        SyncRequest.from_bytes(SyncRequest(NONCE, (0, 0), (0, 0), [operation(n) for n in range(101)]).to_bytes())


def test_unknown_fields_are_ignored_and_unknown_actions_wait() -> None:
    assert SyncResponse.from_bytes(b'{"epoch":1,"cursor":2,"new":{"field":1}}').cursor == 2
    known = b'{"type":"urn:hubshelf:problem:x","title":"t","action":"dance"}'
    assert Problem.from_bytes(known).action == "wait"


def test_the_hub_stores_something_else_than_the_token() -> None:
    assert TOKEN not in token_hash(TOKEN)
    assert token_hash(TOKEN) != token_hash(NONCE)


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
