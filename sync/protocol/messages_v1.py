"""The JSON wire of version 1: `/u/v1/sync`. Hubs still answer it; a client falls back to it where it must.

The MAC of an answer travels in a header, over the nonce of the request and the bytes of the answer.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.protocol import limits
from sync.protocol.errors import BadMac, Malformed
from sync.protocol.messages import Operation, Receipt, read_pair
from sync.protocol.wire_json import dump, load_object, number, objects, text

VERSION = 1


@dataclass(frozen=True)
class SyncRequest:
    """One round trip of the personal plane.

    `nonce`: 32 hexadecimal characters, fresh each time. `head`: (epoch, version) of the newest verified head.
    `personal`: (epoch, cursor) of the newest personal item stored.
    """

    nonce: str
    head: tuple[int, int]
    personal: tuple[int, int]
    operations: Sequence[Operation] = field(default_factory=tuple)

    def to_bytes(self) -> bytes:
        return dump(
            {
                "protocol": VERSION,
                "nonce": self.nonce,
                "head": list(self.head),
                "personal": list(self.personal),
                "operations": [operation.to_json() for operation in self.operations],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> SyncRequest:
        """Read a request; raises Malformed, TooLarge."""
        body = load_object(data, limits.SYNC_REQUEST, "sync request")
        nonce = text(body, "nonce", "sync request")
        if len(nonce) != 32:
            raise Malformed("The nonce has 32 hexadecimal characters.")
        operations = objects(body, "operations", "sync request", limits.OPERATIONS)
        return cls(
            nonce=nonce,
            head=read_pair(body, "head"),
            personal=read_pair(body, "personal"),
            operations=tuple(Operation.from_json(item) for item in operations),
        )


@dataclass(frozen=True)
class SyncResponse:
    """The answer: a receipt for each operation that was settled, personal items, and the head if it is newer.

    `epoch` is the hub's, `cursor` the sequence number of the last of `items`; `more` asks for another round.
    An operation without a receipt was not settled and is sent again.
    """

    epoch: int
    cursor: int
    receipts: Sequence[Receipt] = field(default_factory=tuple)
    items: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    more: bool = False
    head: bytes | None = None

    def to_bytes(self) -> bytes:
        body: dict[str, Any] = {"epoch": self.epoch, "cursor": self.cursor}
        if self.receipts:
            body["receipts"] = [receipt.to_json() for receipt in self.receipts]
        if self.items:
            body["items"] = [dict(item) for item in self.items]
        if self.more:
            body["more"] = True
        if self.head is not None:
            body["head"] = self.head.decode()
        return dump(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> SyncResponse:
        """Read an answer whose MAC was verified; raises Malformed, TooLarge."""
        body = load_object(data, limits.SYNC_RESPONSE, "sync answer")
        items = objects(body, "items", "sync answer", limits.PERSONAL_ITEMS)
        if not all(isinstance(item.get("id"), str) for item in items):
            raise Malformed("A personal item has no id.")
        head = text(body, "head", "sync answer", default="")
        return cls(
            epoch=number(body, "epoch", "sync answer"),
            cursor=number(body, "cursor", "sync answer"),
            receipts=tuple(
                Receipt.from_json(item) for item in objects(body, "receipts", "sync answer", limits.OPERATIONS)
            ),
            items=tuple(items),
            more=body.get("more") is True,
            head=head.encode() if head else None,
        )


def answer_mac(token: str, nonce: str, body: bytes) -> str:
    """Return the MAC of an answer: HMAC-SHA256 under a key made from the token, over nonce and body."""
    key = hashlib.sha256(b"hubshelf/mac/1\n" + token.encode()).digest()
    return hmac.new(key, nonce.encode() + b"\n" + body, hashlib.sha256).hexdigest()


def verify_answer(token: str, nonce: str, body: bytes, mac: str) -> None:
    """Raise BadMac unless `mac` belongs to this answer to this question."""
    if not hmac.compare_digest(answer_mac(token, nonce, body).encode(), mac.encode(errors="replace")):
        raise BadMac("The answer was not made by the hub that this device is enrolled with.")
