"""The JSON wire of version 1, which hubs still answer: its bounds and its MAC."""

from __future__ import annotations

import pytest

from sync.protocol import limits
from sync.protocol.errors import BadMac, Malformed, TooLarge
from sync.protocol.messages import Operation, Receipt
from sync.protocol.messages_v1 import SyncRequest, SyncResponse, answer_mac, verify_answer

TOKEN, NONCE = "b" * 64, "1" * 32


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


def test_the_bytes_of_version_1_stay_what_they_were() -> None:
    asked = Operation("op-1", 1, 2, "ask", {"title": "Solar?"})
    assert SyncRequest(NONCE, (1, 2), (3, 4), (asked,)).to_bytes() == (
        b'{"head":[1,2],"nonce":"11111111111111111111111111111111","operations":[{"body":{"title":"Solar?"},'
        b'"counter":2,"epoch":1,"id":"op-1","kind":"ask"}],"personal":[3,4],"protocol":1}'
    )
    response = SyncResponse(
        1, 2, (Receipt("op-1", True, "op-1", "2026", "submitted"),), ({"id": "op-1"},), True, b"h"
    )
    assert response.to_bytes() == (
        b'{"cursor":2,"epoch":1,"head":"h","items":[{"id":"op-1"}],"more":true,"receipts":[{"accepted":true,'
        b'"effect":"op-1","id":"op-1","received":"2026","state":"submitted"}]}'
    )
    assert SyncResponse.from_bytes(response.to_bytes()) == response


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"nonce":"short","head":[0,0],"personal":[0,0]}',
        b'{"nonce":"' + b"0" * 32 + b'","personal":[0,0]}',
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


def test_bounds_on_what_is_read() -> None:
    many = [Operation(f"op-{n}", 1, n, "ask", {}) for n in range(limits.OPERATIONS + 1)]
    with pytest.raises(TooLarge):
        SyncRequest.from_bytes(SyncRequest(NONCE, (0, 0), (0, 0), many).to_bytes())
    with pytest.raises(Malformed):
        SyncResponse.from_bytes(b'{"epoch":1,"cursor":2,"items":[{"title":"no id"}]}')
