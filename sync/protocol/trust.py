"""The trust root: which keys may sign heads, and how that changes (TUF's root rules, version N to N+1).

Source: The Update Framework specification, 5.3 "Update the root role".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sync.protocol import limits
from sync.protocol.errors import BadSignature, Malformed
from sync.protocol.signing import SigningKey, key_id, sign_document, split_document, verify_document
from sync.protocol.wire_json import dump, load_object, number, sha256, text


@dataclass(frozen=True)
class Role:
    """The keys of a role (key id → 32-byte public key) and how many of them must sign."""

    keys: Mapping[str, bytes]
    threshold: int = 1


@dataclass(frozen=True)
class Root:
    """A verified root document; `expires` is UTC ISO 8601 and only ever warned about."""

    version: int
    root: Role
    head: Role
    expires: str
    document: bytes

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the document: what people compare by eye or carry in an invitation."""
        return sha256(self.document)


def make_root(
    version: int, root: Iterable[bytes], head: Iterable[bytes], expires: str, signers: Iterable[SigningKey]
) -> bytes:
    """Return a signed root document naming the public keys `root` and `head`, each with threshold 1."""
    payload = {"version": version, "expires": expires, "root": _role(root), "head": _role(head)}
    return sign_document("root", dump(payload), signers)


def pin(document: bytes) -> Root:
    """Read a first root document, signed by its own root keys: trust on first use, or by fingerprint.

    Raises Malformed, TooLarge, BadSignature.
    """
    root = _parse(document)
    verify_document("root", document, root.root.keys, root.root.threshold, limits.ROOT)
    return root


def advance(known: Root, document: bytes) -> Root:
    """Return the next root: exactly one version up, signed by the known root keys and by its own.

    Raises Malformed, TooLarge, BadSignature.
    """
    following = _parse(document)
    if following.version != known.version + 1:
        raise BadSignature(f"Root {following.version} does not follow root {known.version}.")
    verify_document("root", document, known.root.keys, known.root.threshold, limits.ROOT)
    verify_document("root", document, following.root.keys, following.root.threshold, limits.ROOT)
    return following


def _parse(document: bytes) -> Root:
    payload, _ = split_document(document, limits.ROOT, "root")
    body = load_object(payload, limits.ROOT, "root")
    return Root(
        version=number(body, "version", "root"),
        root=_read_role(body.get("root")),
        head=_read_role(body.get("head")),
        expires=text(body, "expires", "root"),
        document=document,
    )


def _role(keys: Iterable[bytes]) -> dict[str, Any]:
    named = {key_id(public): base64.b64encode(public).decode() for public in keys}
    return {"keys": named, "threshold": 1}


def _read_role(source: object) -> Role:
    if not isinstance(source, dict) or not isinstance(source.get("keys"), dict):
        raise Malformed("The root names no keys.")
    keys = {}
    for name, value in source["keys"].items():
        try:
            public = base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise Malformed("A key of the root cannot be read.") from None
        if len(public) != 32 or key_id(public) != name:
            raise Malformed("A key of the root does not bear its own name.")
        keys[name] = public
    threshold = number(source, "threshold", "root")
    if not 1 <= threshold <= len(keys):
        raise Malformed("The root asks for more signatures than it has keys.")
    return Role(keys, threshold)
