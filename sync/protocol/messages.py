"""The messages of the personal plane, as frozen dataclasses with their JSON forms; `envelope` seals them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.protocol import VERSION, limits
from sync.protocol.errors import Malformed, TooLarge
from sync.protocol.problems import Problem
from sync.protocol.subscriptions import Subscription
from sync.protocol.telling import GROUP
from sync.protocol.wire_json import dump, is_digest, load_object, number, objects, text


@dataclass(frozen=True)
class Operation:
    """One thing a member did, to take effect exactly once.

    `id` is a UUIDv7 made by the client and becomes the id of what it makes; `epoch` and `counter` place it in
    the device's own order; `kind` is `ask`, `reply`, `rate` or `report`; `body` as in docs/protocol.md.
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

    `head`: (epoch, version) of the newest verified head. `personal`: (epoch, cursor) of the newest personal item
    stored. `at`: the version at which this shelf is complete (0: at none). `streams`: what it keeps. `room`: how
    many bytes of inlined things it takes (0: none). `have`: things of which it has the beginning, each as (first
    16 characters of the hash, bytes). `keys`: the ids of the keys for members that it has. `about`: what the PC
    tells of itself (`sync.protocol.telling`), {} for the hub to forget it, None for nothing. `group`: the group
    that it is in, as far as it knows.
    """

    head: tuple[int, int] = (0, 0)
    personal: tuple[int, int] = (0, 0)
    operations: Sequence[Operation] = field(default_factory=tuple)
    at: int = 0
    streams: Subscription = field(default_factory=Subscription)
    room: int = 0
    have: Sequence[tuple[str, int]] = field(default_factory=tuple)
    keys: Sequence[str] = field(default_factory=tuple)
    about: Mapping[str, Any] | None = None
    group: str = ""

    def to_bytes(self) -> bytes:
        body: dict[str, Any] = {}
        if self.head != (0, 0):
            body["head"] = list(self.head)
        if self.personal != (0, 0):
            body["personal"] = list(self.personal)
        if self.operations:
            body["operations"] = [operation.to_json() for operation in self.operations]
        if self.at:
            body["at"] = self.at
        if streams := self.streams.to_json():
            body["streams"] = streams
        if self.room:
            body["room"] = self.room
        if self.have:
            body["have"] = [list(one) for one in self.have]
        if self.keys:
            body["keys"] = list(self.keys)
        if self.about is not None:
            body["about"] = dict(self.about)
        if self.group:
            body["group"] = self.group
        return dump(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> SyncRequest:
        """Read a request; raises Malformed, TooLarge."""
        body = load_object(data, limits.SYNC_REQUEST, "sync request")
        operations = objects(body, "operations", "sync request", limits.OPERATIONS)
        return cls(
            head=read_pair(body, "head", default=(0, 0)),
            personal=read_pair(body, "personal", default=(0, 0)),
            operations=tuple(Operation.from_json(item) for item in operations),
            at=number(body, "at", "sync request", default=0),
            streams=_subscription(body.get("streams")),
            room=number(body, "room", "sync request", default=0),
            have=_partly_there(body.get("have", [])),
            keys=_key_list(body, "sync request", 16),
            about=about if isinstance(about := body.get("about"), dict) else None,
            group=text(body, "group", "sync request", default="")[:GROUP],
        )


@dataclass(frozen=True)
class SyncResponse:
    """The answer: a receipt for each operation that was settled, personal items, and the head if it is newer.

    `epoch` is the hub's, `cursor` the sequence number of the last of `items`; `more` asks for another round.
    An operation without a receipt was not settled and is sent again. On the wire, receipts and items that belong
    to an operation of the request name it by its place there and leave out what the request has said already:
    so both forms need the operations of the request. `keys`: those for members (64 hexadecimal characters each)
    that the caller has not. `group`: the group that the caller is in ("" for none), where it knows of another one.
    """

    epoch: int
    cursor: int
    receipts: Sequence[Receipt] = field(default_factory=tuple)
    items: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    more: bool = False
    head: bytes | None = None
    keys: Sequence[str] = field(default_factory=tuple)
    group: str | None = None

    def to_bytes(self, operations: Sequence[Operation] = ()) -> bytes:
        """Return the JSON of the answer to a request with `operations`."""
        places = {operation.id: place for place, operation in enumerate(operations)}
        body: dict[str, Any] = {"epoch": self.epoch, "cursor": self.cursor}
        if self.receipts:
            body["receipts"] = [_short_receipt(receipt, places) for receipt in self.receipts]
        if self.items:
            body["items"] = [_short_item(item, places, operations) for item in self.items]
        if self.more:
            body["more"] = True
        if self.head is not None:
            body["head"] = self.head.decode()
        if self.keys:
            body["keys"] = list(self.keys)
        if self.group is not None:
            body["group"] = self.group
        return dump(body)

    @classmethod
    def from_bytes(cls, data: bytes, operations: Sequence[Operation] = ()) -> SyncResponse:
        """Read an answer whose MAC was verified, to a request with `operations`; raises Malformed, TooLarge."""
        body = load_object(data, limits.SYNC_RESPONSE, "sync answer")
        items = [
            _whole_item(item, operations) for item in objects(body, "items", "sync answer", limits.PERSONAL_ITEMS)
        ]
        if not all(isinstance(item.get("id"), str) for item in items):
            raise Malformed("A personal item has no id.")
        head = text(body, "head", "sync answer", default="")
        receipts = objects(body, "receipts", "sync answer", limits.OPERATIONS)
        return cls(
            epoch=number(body, "epoch", "sync answer"),
            cursor=number(body, "cursor", "sync answer"),
            receipts=tuple(_whole_receipt(item, operations) for item in receipts),
            items=tuple(items),
            more=body.get("more") is True,
            head=head.encode() if head else None,
            keys=_key_list(body, "sync answer", 64),
            group=text(body, "group", "sync answer")[:GROUP] if "group" in body else None,
        )


def shorten_item(operation: Operation, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a personal item without what its operation says: `{"item": {…}, "without": […]}`.

    `without` lists what the operation says and the item does not have; `complete_item` is the inverse.
    """
    said = _said(operation)
    short: dict[str, Any] = {
        "item": {key: value for key, value in item.items() if key not in said or dump(said[key]) != dump(value)}
    }
    if without := sorted(key for key in said if key not in item):
        short["without"] = without
    return short


def complete_item(operation: Operation, short: Mapping[str, Any]) -> dict[str, Any]:
    """Return the personal item that `shorten_item` shortened; raises Malformed."""
    own, without = short.get("item", {}), short.get("without", [])
    if not isinstance(own, dict) or not isinstance(without, list):
        raise Malformed("A personal item cannot be read.")
    if not all(isinstance(key, str) for key in without):
        raise Malformed("A personal item leaves out something that has no name.")
    left_out = set(without)
    return {**{key: value for key, value in _said(operation).items() if key not in left_out}, **own}


def _said(operation: Operation) -> dict[str, Any]:
    return {**operation.body, "id": operation.id}


def _short_item(
    item: Mapping[str, Any], places: Mapping[str, int], operations: Sequence[Operation]
) -> dict[str, Any]:
    place = places.get(item["id"])
    if place is None:
        return dict(item)
    return {"of": place, **shorten_item(operations[place], item)}


def _whole_item(item: dict[str, Any], operations: Sequence[Operation]) -> dict[str, Any]:
    # A whole item has an id; a shortened one has it from its operation.
    if "id" in item or "of" not in item:
        return item
    return complete_item(_named(item["of"], operations), item)


def _short_receipt(receipt: Receipt, places: Mapping[str, int]) -> dict[str, Any]:
    body = receipt.to_json()
    if receipt.accepted:
        del body["accepted"]
    if receipt.effect == (receipt.id if receipt.accepted else ""):
        del body["effect"]
    for key in ("received", "state"):
        if not body[key]:
            del body[key]
    if receipt.id in places:
        body["id"] = places[receipt.id]
    return body


def _whole_receipt(body: dict[str, Any], operations: Sequence[Operation]) -> Receipt:
    whole = {"accepted": True, **body}
    if not isinstance(body.get("id"), str):
        whole["id"] = _named(body.get("id"), operations).id
    if whole["accepted"] is True:
        whole.setdefault("effect", whole["id"])
    return Receipt.from_json(whole)


def _named(place: object, operations: Sequence[Operation]) -> Operation:
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < len(operations):
        raise Malformed("The sync answer speaks of an operation that was not sent.")
    return operations[place]


def _subscription(source: object) -> Subscription:
    if source is None:
        return Subscription()
    if not isinstance(source, dict):
        raise Malformed("The sync request does not say which streams are kept.")
    return Subscription(_names(source, "languages"), _names(source, "themes"))


def _names(source: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    value = source.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, str) and len(one) <= 200 for one in value):
        raise Malformed(f"The sync request has no list of texts under “{key}”.")
    if len(value) > limits.CHOICES:
        raise TooLarge(f"The sync request names {len(value)} {key}; at most {limits.CHOICES} are read.")
    return tuple(value)


def _key_list(body: Mapping[str, Any], what: str, length: int) -> tuple[str, ...]:
    """Return the list under `keys`, each of `length` hexadecimal characters; absent means empty."""
    value = body.get("keys", [])
    if not isinstance(value, list) or not all(isinstance(one, str) and len(one) == length for one in value):
        raise Malformed(f"The {what} does not name keys.")
    if len(value) > limits.KEYS:
        raise TooLarge(f"The {what} names {len(value)} keys; at most {limits.KEYS} are read.")
    if not all(is_digest(one * (64 // length)) for one in value):
        raise Malformed(f"The {what} does not name keys.")
    return tuple(value)


def _partly_there(source: object) -> tuple[tuple[str, int], ...]:
    if not isinstance(source, list):
        raise Malformed("The sync request does not say what has arrived in part.")
    if len(source) > limits.PARTS_HELD:
        raise TooLarge(f"The sync request lists {len(source)} parts; at most {limits.PARTS_HELD} are read.")
    found = []
    for one in source:
        if not isinstance(one, list) or len(one) != 2 or not isinstance(one[0], str) or not _whole(one[1]):
            raise Malformed("The sync request does not say what has arrived in part.")
        if len(one[0]) != 16 or not is_digest(one[0] * 4):
            raise Malformed("The sync request names a part by something else than its hash.")
        found.append((one[0], one[1]))
    return tuple(found)


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
    """Who the member is on this hub, the newest root document to pin, and the keys for members, if there are."""

    hub: str
    member: str
    email: str
    root: bytes
    keys: Sequence[str] = field(default_factory=tuple)
    joining: bool = False
    """It was a site code: nobody is known to sit there yet, and `member` is ""."""

    def to_bytes(self) -> bytes:
        body: dict[str, Any] = {
            "hub": self.hub,
            "member": self.member,
            "email": self.email,
            "root": self.root.decode(),
        }
        if self.keys:
            body["keys"] = list(self.keys)
        if self.joining:
            body["joining"] = True
        return dump(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> EnrolResponse:
        body = load_object(data, 2 * limits.ROOT, "enrolment answer")
        return cls(
            hub=text(body, "hub", "enrolment answer"),
            member=text(body, "member", "enrolment answer"),
            email=text(body, "email", "enrolment answer"),
            root=text(body, "root", "enrolment answer").encode(),
            keys=_key_list(body, "enrolment answer", 64),
            joining=body.get("joining") is True,
        )


def token_hash(token: str) -> str:
    """Return what a hub stores of a device token. It holds 256 random bits: one SHA-256 suffices."""
    return hashlib.sha256(b"hubshelf/token/1\n" + token.encode()).hexdigest()


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


def read_pair(body: Mapping[str, Any], key: str, default: tuple[int, int] | None = None) -> tuple[int, int]:
    """Return the two whole numbers ≥ 0 under `key`; Malformed for anything else."""
    value = body.get(key, None if default is None else list(default))
    if not isinstance(value, list) or len(value) != 2 or not all(_whole(part) for part in value):
        raise Malformed(f"The sync request has no pair of numbers under “{key}”.")
    return value[0], value[1]


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
