"""The signed head: the one small document that changes, from which everything else follows by hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.protocol import VERSION, limits
from sync.protocol.errors import ClientTooOld, HubTooOld, Malformed, RolledBack
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
    `index` names the index by its raw JSON. `published` and `expires` are UTC ISO 8601 (shown, never used to
    order anything). `members` names the sealed index of what only members may read, by its bytes as they are sent
    (None for nothing). `box` is the public key that what is carried by hand is sealed to (64 hexadecimal
    characters, "" for none). `mirrors` are base addresses that serve the same objects and need not be trusted.
    `builds` names the signed list of builds of the program, `shares` how many of a hundred desktops take a version
    of them (all, where it is not named), `groups` the marks of groups (`sync.protocol.telling.group_mark`) whose
    desktops take a version whatever its share.
    """

    epoch: int
    version: int
    root: int
    client: int
    index: ObjectRef
    hub: str
    published: str
    expires: str
    mirrors: tuple[str, ...] = ()
    members: ObjectRef | None = None
    box: str = ""
    builds: ObjectRef | None = None
    shares: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def order(self) -> tuple[int, int]:
        """What versions are compared by: an epoch weighs more than any version."""
        return self.epoch, self.version

    def sign(self, key: SigningKey) -> bytes:
        """Return the signed document."""
        body: dict[str, Any] = {
            "epoch": self.epoch,
            "version": self.version,
            "root": self.root,
            "client": self.client,
            "protocol": VERSION,
            "index": self.index.to_json(),
            "hub": self.hub,
            "published": self.published,
            "expires": self.expires,
        }
        if self.mirrors:
            body["mirrors"] = list(self.mirrors)
        if self.members is not None:
            body["members"] = self.members.to_json()
        if self.box:
            body["box"] = self.box
        if self.builds is not None:
            more = {"shares": dict(self.shares), "groups": {key: list(self.groups[key]) for key in self.groups}}
            body["builds"] = self.builds.to_json() | {key: value for key, value in more.items() if value}
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
    Raises Malformed, TooLarge, BadSignature, RolledBack, ClientTooOld, HubTooOld.
    """
    payload = verify_document("head", document, root.head.keys, root.head.threshold, limits.HEAD)
    body = load_object(payload, limits.HEAD, "head")
    spoken = number(body, "protocol", "head", default=1)
    head = Head(
        epoch=number(body, "epoch", "head"),
        version=number(body, "version", "head"),
        root=number(body, "root", "head"),
        client=number(body, "client", "head"),
        index=ObjectRef.from_json(body.get("index"), "index"),
        hub=text(body, "hub", "head"),
        published=text(body, "published", "head"),
        expires=text(body, "expires", "head"),
        mirrors=_mirrors(body.get("mirrors", [])),
        members=ObjectRef.from_json(body["members"], "members' index") if "members" in body else None,
        box=digest(body, "box", "head") if "box" in body else "",
        builds=ObjectRef.from_json(body["builds"], "list of builds") if "builds" in body else None,
        shares=_shares(body.get("builds")),
        groups=_groups(body.get("builds")),
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
    if spoken < 2:
        raise HubTooOld(f"The hub speaks protocol {spoken}; this client needs protocol 2 or newer.")
    return head


def _shares(source: object) -> dict[str, int]:
    found = source.get("shares", {}) if isinstance(source, dict) else {}
    if not isinstance(found, dict) or len(found) > 50:
        raise Malformed("The head says in a way that cannot be read who takes which version.")
    return {str(version)[:40]: number(found, version, "share") for version in found}


def _groups(source: object) -> dict[str, tuple[str, ...]]:
    found = source.get("groups", {}) if isinstance(source, dict) else {}
    if not isinstance(found, dict) or len(found) > 50:
        raise Malformed("The head says in a way that cannot be read which groups take which version.")
    marks = {}
    for version, listed in found.items():
        if not isinstance(listed, list) or not all(isinstance(one, str) and len(one) == 8 for one in listed):
            raise Malformed("The head says in a way that cannot be read which groups take which version.")
        marks[str(version)[:40]] = tuple(listed[:20])
    return marks


def _mirrors(source: object) -> tuple[str, ...]:
    if not isinstance(source, list) or not all(isinstance(one, str) and len(one) <= 500 for one in source):
        raise Malformed("The head names its mirrors in a way that cannot be read.")
    return tuple(source[:20])
