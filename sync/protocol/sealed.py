"""What only members may read: sealed with a key that the hub gives to their devices.

`HSX\\x01`, the id of the key (8 bytes), a nonce (12), and ChaCha20-Poly1305 (RFC 8439) of what is sealed. What is
sealed is named by the SHA-256 of all of that, so that whoever carries it can check it and learns nothing, and so
that nobody can confirm a guess of what is inside. docs/protocol.md, "Streams for members".
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sync.protocol import documents
from sync.protocol.errors import Malformed, NoKey, TooLarge
from sync.protocol.wire_json import is_digest

KEY = 32
"""Bytes of a key."""
OVERHEAD = 40
"""Bytes that sealing adds."""
PREFIX = "members/"
"""How the names of the streams and feeds for members begin."""

_MAGIC = b"HSX\x01"
_ID, _NONCE = 8, 12
_HEAD = len(_MAGIC) + _ID + _NONCE
_PURPOSE = b"hubshelf/members/1"


def for_members(name: str) -> bool:
    """Return whether a stream or feed is for members only."""
    return name.startswith(PREFIX)


def new_key() -> bytes:
    """Return a fresh random key."""
    return secrets.token_bytes(KEY)


def key_id(key: bytes) -> str:
    """Return the id of a key: the first 16 hexadecimal characters of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[: 2 * _ID]


def keyring(keys: Iterable[str]) -> dict[str, bytes]:
    """Return keys, given as 64 hexadecimal characters each, by their ids. Raises Malformed."""
    found = {}
    for one in keys:
        if not is_digest(one):
            raise Malformed("A key for members is not 64 hexadecimal characters.")
        found[key_id(bytes.fromhex(one))] = bytes.fromhex(one)
    return found


def seal(data: bytes, key: bytes) -> bytes:
    """Return `data` sealed with `key`, `OVERHEAD` bytes longer; never twice the same."""
    # Random nonces of 12 bytes are safe for 2**32 parts under one key; a hub makes some thousands a year.
    nonce = secrets.token_bytes(_NONCE)
    return _MAGIC + bytes.fromhex(key_id(key)) + nonce + ChaCha20Poly1305(key).encrypt(nonce, data, _PURPOSE)


def unseal(data: bytes, keys: Mapping[str, bytes]) -> bytes:
    """Return what was sealed; `keys` by id.

    Raises NoKey where the key that it names is not among `keys`, Malformed for anything that was not sealed with
    it.
    """
    if len(data) < OVERHEAD or data[: len(_MAGIC)] != _MAGIC:
        raise Malformed("What is for members is not sealed in a way that this version knows.")
    key = keys.get(data[len(_MAGIC) : len(_MAGIC) + _ID].hex())
    if key is None:
        raise NoKey("What is for members is sealed with a key that this shelf does not have.")
    try:
        return ChaCha20Poly1305(key).decrypt(data[_HEAD - _NONCE : _HEAD], data[_HEAD:], _PURPOSE)
    except InvalidTag:
        raise Malformed("What is for members was not sealed with the key that it names.") from None


def seal_document(raw: bytes, key: bytes) -> bytes:
    """Return a document's raw JSON, packed and sealed."""
    return seal(documents.pack(raw), key)


def unseal_document(data: bytes, keys: Mapping[str, bytes], limit: int) -> bytes:
    """Return the raw JSON, of at most `limit` bytes, of a sealed document; raises as `unseal`, and TooLarge."""
    if len(data) > limit + 1024:
        raise TooLarge(f"A document is {len(data)} bytes long as sent; at most {limit} are read.")
    return documents.read_bounded_frame(unseal(data, keys), limit)
