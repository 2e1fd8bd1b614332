"""The signed head: the one small document that changes, from which everything else follows by hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync.protocol import limits
from sync.protocol.errors import ClientTooOld, Malformed, RolledBack
from sync.protocol.signing import SigningKey, sign_document, split_document, verify_document
from sync.protocol.trust import Root
from sync.protocol.wire_json import digest, dump, load_object, number, text


@dataclass(frozen=True)
class ObjectRef:
    """Names an immutable object: its SHA-256 and its size in bytes."""

    hash: str
    size: int

    def to_json(self) -> dict[str, Any]:
        return {"hash": self.hash, "size": self.size}

    @classmethod
    def from_json(cls, source: object, what: str) -> ObjectRef:
        if not isinstance(source, dict):
            raise Malformed(f"The {what} is not named.")
        return cls(digest(source, "hash", what), number(source, "size", what))


@dataclass(frozen=True)
class Head:
    """The state of a hub's public plane.

    `epoch` rises when a hub was restored from a backup, `version` with each publication; both only rise.
    `root` is the version of the root document in force, `client` the oldest protocol version served,
    `published` and `expires` are UTC ISO 8601 (shown, never used to order anything).
    """

    epoch: int
    version: int
    root: int
    client: int
    index: ObjectRef
    hub: str
    published: str
    expires: str

    @property
    def order(self) -> tuple[int, int]:
        """What versions are compared by: an epoch weighs more than any version."""
        return self.epoch, self.version

    def sign(self, key: SigningKey) -> bytes:
        """Return the signed document."""
        body = {
            "epoch": self.epoch,
            "version": self.version,
            "root": self.root,
            "client": self.client,
            "index": self.index.to_json(),
            "hub": self.hub,
            "published": self.published,
            "expires": self.expires,
        }
        return sign_document("head", dump(body), [key])


def root_version(document: bytes) -> int:
    """Return which root a head was signed under, before it is verified: it says what to fetch first.

    Raises Malformed, TooLarge.
    """
    payload, _ = split_document(document, limits.HEAD, "head")
    return number(load_object(payload, limits.HEAD, "head"), "root", "head")


def verify_head(document: bytes, root: Root, seen: tuple[int, int], client: int) -> Head:
    """Return the head that `document` holds, once it is signed under `root` and not older than `seen`.

    `seen` is the `order` of the newest head known ((0, 0) for none), `client` the protocol version spoken.
    Raises Malformed, TooLarge, BadSignature, RolledBack, ClientTooOld.
    """
    payload = verify_document("head", document, root.head.keys, root.head.threshold, limits.HEAD)
    body = load_object(payload, limits.HEAD, "head")
    head = Head(
        epoch=number(body, "epoch", "head"),
        version=number(body, "version", "head"),
        root=number(body, "root", "head"),
        client=number(body, "client", "head"),
        index=ObjectRef.from_json(body.get("index"), "index"),
        hub=text(body, "hub", "head"),
        published=text(body, "published", "head"),
        expires=text(body, "expires", "head"),
    )
    if head.order < seen:
        raise RolledBack(
            f"The hub offered version {head.version} of epoch {head.epoch}; this shelf has already seen "
            f"version {seen[1]} of epoch {seen[0]}. An older state is never taken for a newer one."
        )
    if head.client > client:
        raise ClientTooOld(
            f"The hub serves clients from protocol {head.client}; this one speaks protocol {client}."
        )
    return head
