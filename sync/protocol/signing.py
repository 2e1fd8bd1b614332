"""Ed25519 keys and signed documents.

A signed document is two or more lines of UTF-8: the JSON that is signed, then one line for each signature,
`<key id> <base64 of 64 bytes>`. What is signed is the context line `hubshelf/<role>/1`, a line feed, and the
bytes of the JSON line, so that a signature made for one role never serves in another.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.protocol.errors import BadSignature, Malformed, TooLarge
from sync.protocol.wire_json import sha256

_MAX_SIGNATURES = 16


@dataclass(frozen=True)
class SigningKey:
    """A private Ed25519 key; `secret` is its 32-byte seed (RFC 8032)."""

    secret: bytes

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a new key from the system's randomness."""
        key = Ed25519PrivateKey.generate()
        return cls(
            key.private_bytes(
                serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
            )
        )

    @property
    def public(self) -> bytes:
        """The 32-byte public key."""
        key = Ed25519PrivateKey.from_private_bytes(self.secret).public_key()
        return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    @property
    def key_id(self) -> str:
        return key_id(self.public)

    def sign(self, role: str, payload: bytes) -> bytes:
        """Return the 64-byte signature of `payload` in `role`."""
        return Ed25519PrivateKey.from_private_bytes(self.secret).sign(_signed_bytes(role, payload))


def key_id(public: bytes) -> str:
    """Return the name of a public key: the first 16 hexadecimal characters of its SHA-256."""
    return sha256(public)[:16]


def sign_document(role: str, payload: bytes, keys: Iterable[SigningKey]) -> bytes:
    """Return the signed document for `payload` (one line of JSON) with a signature by each of `keys`."""
    if b"\n" in payload:
        raise ValueError("a signed payload is one line")
    lines = [payload]
    for key in keys:
        signature = base64.b64encode(key.sign(role, payload))
        lines.append(key.key_id.encode() + b" " + signature)
    return b"\n".join(lines) + b"\n"


def split_document(document: bytes, limit: int, what: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return the payload line and the (key id, signature) pairs of a document, none of them verified yet.

    Raises TooLarge past `limit` bytes and Malformed for anything that is not a signed document.
    """
    if len(document) > limit:
        raise TooLarge(f"The {what} is {len(document)} bytes long; at most {limit} are read.")
    payload, _, rest = document.partition(b"\n")
    lines = rest.splitlines()
    if not payload.startswith(b"{") or not lines or len(lines) > _MAX_SIGNATURES:
        raise Malformed(f"The answer is not a signed {what}.")
    signatures = []
    for line in lines:
        name, _, value = line.partition(b" ")
        try:
            signatures.append((name.decode("ascii"), base64.b64decode(value, validate=True)))
        except (UnicodeDecodeError, binascii.Error):
            raise Malformed(f"The signature of the {what} cannot be read.") from None
    return payload, signatures


def verify_document(role: str, document: bytes, keys: Mapping[str, bytes], threshold: int, limit: int) -> bytes:
    """Return the payload of `document` once `threshold` different keys of `keys` (id → public) signed it.

    Raises Malformed, TooLarge, BadSignature.
    """
    payload, signatures = split_document(document, limit, role)
    good = set()
    for name, signature in signatures:
        public = keys.get(name)
        if public is not None and name not in good and verifies(public, role, payload, signature):
            good.add(name)
    if len(good) < max(1, threshold):
        raise BadSignature(f"The {role} is not signed by a key that this shelf trusts, so it was not used.")
    return payload


def verifies(public: bytes, role: str, payload: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) is that of `payload` in `role` under a 32-byte public key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _signed_bytes(role, payload))
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed_bytes(role: str, payload: bytes) -> bytes:
    return b"hubshelf/" + role.encode() + b"/1\n" + payload
