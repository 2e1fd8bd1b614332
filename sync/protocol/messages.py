"""The messages of the personal plane, as frozen dataclasses with their JSON forms."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.protocol import VERSION, limits
from sync.protocol.errors import BadMac, Malformed, TooLarge
from sync.protocol.problems import Problem
from sync.protocol.wire_json import dump, load_object, number, objects, text


@dataclass(frozen=True)
class Operation:
    """One thing a member did, to take effect exactly once.

    `id` is a UUIDv7 made by the client and becomes the id of what it makes; `epoch` and `counter` place it in
    the device's own order; `kind` is `ask` or `reply`; `body` as in docs/protocol.md.
    """

    id: str
    epoch: int
    counter: int
    kind: str
    body: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "epoch": self.epoch,
            "counter": self.counter,
            "kind": self.kind,
            "body": dict(self.body),
        }

    @classmethod
    def from_json(cls, source: dict[str, Any]) -> Operation:
        body = source.get("body")
        if not isinstance(body, dict):
            raise Malformed("An operation has no body.")
        return cls(
            id=text(source, "id", "operation"),
            epoch=number(source, "epoch", "operation"),
            counter=number(source, "counter", "operation"),
            kind=text(source, "kind", "operation"),
            body=body,
        )

    @property
    def size(self) -> int:
        """Bytes as JSON."""
        return len(dump(self.to_json()))


@dataclass(frozen=True)
class Receipt:
    """The hub's lasting answer to one operation: accepted with its effect, or rejected with a problem."""

    id: str
    accepted: bool
    effect: str = ""
    received: str = ""
    state: str = ""
    problem: Problem | None = None

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": self.id,
            "accepted": self.accepted,
            "effect": self.effect,
            "received": self.received,
            "state": self.state,
        }
        if self.problem is not None:
            body["problem"] = self.problem.to_json()
        return body

    @classmethod
    def from_json(cls, source: dict[str, Any]) -> Receipt:
        problem = source.get("problem")
        accepted = source.get("accepted")
        if not isinstance(accepted, bool):
            raise Malformed("A receipt says neither accepted nor rejected.")
        return cls(
            id=text(source, "id", "receipt"),
            accepted=accepted,
            effect=text(source, "effect", "receipt", default=""),
            received=text(source, "received", "receipt", default=""),
            state=text(source, "state", "receipt", default=""),
            problem=Problem.from_json(problem) if isinstance(problem, dict) else None,
        )


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
            head=_pair(body, "head"),
            personal=_pair(body, "personal"),
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


@dataclass(frozen=True)
class EnrolRequest:
    """Turns a one-time code into a device. The client makes the device id and the token (64 hexadecimal
    characters) and keeps them before it asks, so that a lost answer is repaired by asking again."""

    code: str
    device: str
    token: str
    device_name: str

    def to_bytes(self) -> bytes:
        return dump(
            {
                "protocol": VERSION,
                "code": self.code,
                "device": self.device,
                "token": self.token,
                "device_name": self.device_name,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> EnrolRequest:
        body = load_object(data, limits.HEAD, "enrolment")
        found = cls(
            code=text(body, "code", "enrolment"),
            device=text(body, "device", "enrolment"),
            token=text(body, "token", "enrolment"),
            device_name=text(body, "device_name", "enrolment", default="")[:200],
        )
        if len(found.token) != 64 or not 1 <= len(found.device) <= 64:
            raise Malformed("An enrolment names its device and a token of 64 hexadecimal characters.")
        return found


@dataclass(frozen=True)
class EnrolResponse:
    """Who the member is on this hub, and the newest root document to pin."""

    hub: str
    member: str
    email: str
    root: bytes

    def to_bytes(self) -> bytes:
        return dump({"hub": self.hub, "member": self.member, "email": self.email, "root": self.root.decode()})

    @classmethod
    def from_bytes(cls, data: bytes) -> EnrolResponse:
        body = load_object(data, 2 * limits.ROOT, "enrolment answer")
        return cls(
            hub=text(body, "hub", "enrolment answer"),
            member=text(body, "member", "enrolment answer"),
            email=text(body, "email", "enrolment answer"),
            root=text(body, "root", "enrolment answer").encode(),
        )


def token_hash(token: str) -> str:
    """Return what a hub stores of a device token. It holds 256 random bits: one SHA-256 suffices."""
    return hashlib.sha256(b"hubshelf/token/1\n" + token.encode()).hexdigest()


def answer_mac(token: str, nonce: str, body: bytes) -> str:
    """Return the MAC of an answer: HMAC-SHA256 under a key made from the token, over nonce and body."""
    key = hashlib.sha256(b"hubshelf/mac/1\n" + token.encode()).digest()
    return hmac.new(key, nonce.encode() + b"\n" + body, hashlib.sha256).hexdigest()


def verify_answer(token: str, nonce: str, body: bytes, mac: str) -> None:
    """Raise BadMac unless `mac` belongs to this answer to this question."""
    if not hmac.compare_digest(answer_mac(token, nonce, body).encode(), mac.encode(errors="replace")):
        raise BadMac("The answer was not made by the hub that this device is enrolled with.")


def batches(operations: Sequence[Operation]) -> list[list[Operation]]:
    """Cut operations into requests within the bounds of `limits`; raises TooLarge for one that never fits."""
    found: list[list[Operation]] = []
    size = 0
    for operation in operations:
        if operation.size > limits.OPERATION:
            raise TooLarge(f"“{operation.id}” is {operation.size} bytes long; {limits.OPERATION} can be sent.")
        if not found or len(found[-1]) >= limits.OPERATIONS or size + operation.size > limits.SYNC_REQUEST // 2:
            found.append([])
            size = 0
        found[-1].append(operation)
        size += operation.size
    return found


def _pair(body: Mapping[str, Any], key: str) -> tuple[int, int]:
    value = body.get(key)
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not all(isinstance(part, int) and not isinstance(part, bool) and 0 <= part < 2**53 for part in value)
    ):
        raise Malformed(f"The sync request has no pair of numbers under “{key}”.")
    return value[0], value[1]
