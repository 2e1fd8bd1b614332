"""Files that go by hand: what is attached to a question, sealed to the hub, and what the hub's people answer with,
sealed to a device. In pieces (`resources_cache.sealed_pieces`), so that their size costs no memory.

A **parcel** goes to the hub: `HSP\\x01`, an ephemeral X25519 key (32 bytes), and the pieces, under a key that HKDF
makes of both. Inside: the device's tag (16), the file's SHA-256 (32), its bytes (8, big endian), a MAC of these
under the device's secret (32), and the file. A **return** goes to a device: `HSR\\x01`, its tag (16), an id (16),
the SHA-256 of the pieces (32), the hub's signature of all that (64), and the pieces. Inside: the file's SHA-256,
its bytes, and the file. Both are named by their own SHA-256, and the same file for the same one is the same bytes
again, so that what lies on a stick already is not written anew. docs/protocol-packs.md, "Files".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from resources_cache.sealed_pieces import Opener, PiecesDamaged, seal, sealed_size
from sync.protocol import uploads
from sync.protocol.by_hand import KEY, agreed_key, derived_key, public_key, tag_of
from sync.protocol.errors import BadMac, Malformed
from sync.protocol.messages import token_hash
from sync.protocol.packs import PackDamaged, PackUnreadable
from sync.protocol.signing import SigningKey, verifies

_PARCEL, _RETURN = b"HSP\x01", b"HSR\x01"
_TAG, _HASH, _SIZE, _MAC, _ID, _SIGNATURE = 16, 32, 8, 32, 16, 64
_PARCEL_HEAD = len(_PARCEL) + KEY
_PARCEL_INSIDE = _TAG + _HASH + _SIZE + _MAC
_RETURN_BOUND = len(_RETURN) + _TAG + _ID
_RETURN_SIGNED = _RETURN_BOUND + _HASH
_RETURN_HEAD = _RETURN_SIGNED + _SIGNATURE
_RETURN_INSIDE = _HASH + _SIZE
_ROLE = "return"
_BLOCK = 256 * 1024

LONGEST = _RETURN_HEAD + sealed_size(_PARCEL_INSIDE + uploads.FILE)
"""Bytes of a parcel or a return, at most."""
SHORTEST = _PARCEL_HEAD + sealed_size(_PARCEL_INSIDE + 1)


@dataclass(frozen=True)
class Sealed:
    """How a file is sealed for one reader. `head`: what stands before the pieces; `length`: bytes of all of it."""

    head: bytes
    size: int
    _bound: bytes = field(repr=False)
    _key: bytes = field(repr=False)
    _inside: bytes = field(repr=False)

    @property
    def length(self) -> int:
        return len(self.head) + sealed_size(len(self._inside) + self.size)

    def pieces(self, blocks: Iterable[bytes]) -> Generator[bytes, None, None]:
        """Yield the bytes of it, from those of the file."""
        yield self.head
        yield from seal(self._key, self._bound, _chained(self._inside, blocks))

    def file(self, blocks: Iterable[bytes]) -> BinaryIO:
        """Return the bytes of it as a file that is sealed while it is read."""
        return cast(BinaryIO, _PiecesFile(self.pieces(blocks)))

    def digest(self, blocks: Iterable[bytes]) -> str:
        """Return the SHA-256 by which it is named."""
        digest = hashlib.sha256()
        for piece in self.pieces(blocks):
            digest.update(piece)
        return digest.hexdigest()


@dataclass(frozen=True)
class Opened:
    """A parcel or return that was opened: whose (a tag), and which file it says to be, by SHA-256 and bytes.

    Nothing of it is believed before `require_from`; a return was sealed by who has the device's secret.
    """

    tag: str
    hash: str
    size: int
    _mac: bytes = field(repr=False)
    _macced: bytes = field(repr=False)
    _first: bytes = field(repr=False)
    _opener: Opener = field(repr=False)

    def require_from(self, hashed_token: str) -> None:
        """Return if the device with this token hash sealed it. Raises BadMac."""
        if not hmac.compare_digest(_parcel_mac(hashed_token, self._macced), self._mac):
            raise BadMac("The parcel was not sealed by the device that it names.")

    def blocks(self, skip: int = 0) -> Iterator[bytes]:
        """Yield the file's bytes from `skip` on, once; each was verified in its place.

        Raises PackDamaged where it was cut, changed or continued, PackUnreadable.
        """
        here, block = 0, self._first
        while True:
            if fresh := block[max(0, skip - here) :]:
                yield fresh
            here += len(block)
            if not (block := _next(self._opener)):
                break
        if here != self.size:
            raise PackDamaged("A sealed file is not as long as it says.")


def to_hub(token: str, hub: bytes, hash_: str, size: int) -> Sealed:
    """Return how the device with this token seals a file for the hub with this public key: always alike.

    The ephemeral key comes from the token, which nobody else has: the hub's database alone opens no parcel. Raises
    Malformed for a key that is none.
    """
    purpose = b"hubshelf/by-hand/parcel-key/1" + hub + bytes.fromhex(hash_)
    secret = X25519PrivateKey.from_private_bytes(HKDF(SHA256(), KEY, None, purpose).derive(bytes.fromhex(token)))
    mine = secret.public_key().public_bytes_raw()
    hashed = token_hash(token)
    said = bytes.fromhex(tag_of(hashed)) + bytes.fromhex(hash_) + size.to_bytes(_SIZE, "big")
    inside = said + _parcel_mac(hashed, mine + hub + said)
    head = _PARCEL + mine
    return Sealed(head, size, head, agreed_key(secret, hub, mine, hub, b"parcel"), inside)


def to_device(hashed_token: str, hash_: str, size: int, blocks: Iterable[bytes], signer: SigningKey) -> Sealed:
    """Return how the hub seals a file for the device with this token hash: alike while `signer` stays, which is
    what signs its heads. `blocks`: the file's bytes, read once for the signature."""
    id_ = hmac.digest(derived_key(hashed_token, b"return-id"), bytes.fromhex(hash_), "sha256")[:_ID]
    bound = _RETURN + bytes.fromhex(tag_of(hashed_token)) + id_
    inside = bytes.fromhex(hash_) + size.to_bytes(_SIZE, "big")
    unsigned = Sealed(b"", size, bound, _return_key(hashed_token, id_), inside)
    signed = bound + bytes.fromhex(unsigned.digest(blocks))
    return Sealed(signed + signer.sign(_ROLE, signed), size, bound, _return_key(hashed_token, id_), inside)


def open_parcel(file: BinaryIO, length: int, secret: bytes) -> Opened:
    """Open a parcel of `length` bytes with the hub's secret key, as far as to know what it is.

    Raises Malformed (also of one for another hub), PackUnreadable.
    """
    head = _read(file, _PARCEL_HEAD)
    if head[: len(_PARCEL)] != _PARCEL or len(head) != _PARCEL_HEAD or length > LONGEST:
        raise Malformed("This is no parcel that this version knows.")
    theirs, hub = head[len(_PARCEL) :], public_key(secret)
    key = agreed_key(X25519PrivateKey.from_private_bytes(secret), theirs, theirs, hub, b"parcel")
    opener, first = _begin(file, key, head, _PARCEL_INSIDE)
    said, mac = first[: _PARCEL_INSIDE - _MAC], first[_PARCEL_INSIDE - _MAC : _PARCEL_INSIDE]
    size = int.from_bytes(said[_TAG + _HASH :], "big")
    _require_length(length, _PARCEL_HEAD, _PARCEL_INSIDE, size)
    return Opened(
        said[:_TAG].hex(),
        said[_TAG : _TAG + _HASH].hex(),
        size,
        mac,
        theirs + hub + said,
        first[_PARCEL_INSIDE:],
        opener,
    )


def open_return(file: BinaryIO, length: int, hashed_token: str) -> Opened:
    """Open a return of `length` bytes with the device's token hash, as far as to know which file it is.

    Raises Malformed (also of one for another device), PackUnreadable.
    """
    head, tag = _read(file, _RETURN_HEAD), tag_of(hashed_token)
    begin = _RETURN + bytes.fromhex(tag)
    if len(head) != _RETURN_HEAD or length > LONGEST or not head.startswith(begin):
        raise Malformed("This is no file for this device that this version knows.")
    bound = head[:_RETURN_BOUND]
    key = _return_key(hashed_token, bound[-_ID:])
    opener, first = _begin(file, key, bound, _RETURN_INSIDE)
    size = int.from_bytes(first[_HASH:_RETURN_INSIDE], "big")
    _require_length(length, _RETURN_HEAD, _RETURN_INSIDE, size)
    return Opened(tag, first[:_HASH].hex(), size, b"", b"", first[_RETURN_INSIDE:], opener)


def is_parcel(file: BinaryIO, length: int) -> bool:
    """Whether this looks like a parcel to whoever cannot open it. Raises PackUnreadable."""
    return SHORTEST <= length <= LONGEST and _read(file, len(_PARCEL)) == _PARCEL


def is_return(file: BinaryIO, tag: str, hub: Mapping[str, bytes]) -> bool:
    """Whether this begins as what one of the head keys of a hub (id → public) signed for the device with this tag.

    Raises PackUnreadable.
    """
    return _signed(_read(file, _RETURN_HEAD), tag, hub)


def return_pieces(file: BinaryIO, tag: str, hub: Mapping[str, bytes]) -> Iterator[bytes]:
    """Yield the bytes of a return as whoever carries it may keep them: what the hub did not sign for this tag ends
    with PackDamaged, after some of them. Raises PackUnreadable."""
    head = _read(file, _RETURN_HEAD)
    if not _signed(head, tag, hub):
        raise PackDamaged("A sealed file is not signed by the hub.")
    yield head
    digest, left = hashlib.sha256(), LONGEST
    while left > 0 and (block := _read(file, _BLOCK)):
        digest.update(block)
        left -= len(block)
        yield block
    if digest.digest() != head[_RETURN_BOUND:_RETURN_SIGNED]:
        raise PackDamaged("A sealed file is not the one that the hub signed.")


def _signed(head: bytes, tag: str, hub: Mapping[str, bytes]) -> bool:
    if len(head) != _RETURN_HEAD or head[: len(_RETURN) + _TAG] != _RETURN + bytes.fromhex(tag):
        return False
    signed, signature = head[:_RETURN_SIGNED], head[_RETURN_SIGNED:]
    return any(verifies(public, _ROLE, signed, signature) for public in hub.values())


def _begin(file: BinaryIO, key: bytes, bound: bytes, inside: int) -> tuple[Opener, bytes]:
    opener = Opener(key, bound, lambda most: _read(file, most))
    try:
        first = opener.next()
    except PiecesDamaged:
        raise Malformed("The sealed file is for somebody else, or damaged.") from None
    if len(first) <= inside:
        raise Malformed("The sealed file has nothing in it.")
    return opener, first


def _require_length(length: int, head: int, inside: int, size: int) -> None:
    if not 1 <= size <= uploads.FILE or length != head + sealed_size(inside + size):
        raise Malformed("The sealed file is not as long as it says.")


def _next(opener: Opener) -> bytes:
    try:
        return opener.next()
    except PiecesDamaged:
        raise PackDamaged("A sealed file was cut or changed after it was sealed.") from None


def _read(file: BinaryIO, most: int) -> bytes:
    try:
        return file.read(most)
    except (OSError, EOFError, ValueError) as error:
        raise PackUnreadable(f"The pack cannot be read ({error}).") from None


def _chained(inside: bytes, blocks: Iterable[bytes]) -> Iterator[bytes]:
    yield inside
    yield from blocks


def _parcel_mac(hashed_token: str, said: bytes) -> bytes:
    return hmac.digest(derived_key(hashed_token, b"parcel"), said, "sha256")


def _return_key(hashed_token: str, id_: bytes) -> bytes:
    return HKDF(SHA256(), 32, id_, b"hubshelf/by-hand/return/1").derive(bytes.fromhex(hashed_token))


class _PiecesFile:
    def __init__(self, pieces: Generator[bytes, None, None]) -> None:
        self._pieces, self._held = pieces, b""

    def read(self, size: int = -1) -> bytes:
        if not self._held:
            self._held = next(self._pieces, b"")
        data = self._held if size < 0 else self._held[:size]
        self._held = self._held[len(data) :]
        return data

    def __enter__(self) -> _PiecesFile:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._held = b""
        self._pieces.close()  # and with it the file that they are made of
