"""A stream that only one key opens, in pieces, so that its size costs no memory.

Pieces of 64 KiB, the last one shorter or as long: ChaCha20-Poly1305 (RFC 8439). Each has the nonce counter
(11 bytes, big endian) · last (1 byte), and what the stream is bound to (its header) as associated data: the STREAM
construction of Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance" (CRYPTO 2015), with the numbers of the age format (C2SP, age-encryption.org/v1). A piece that
was changed, moved, left out or added does not open, nor does a stream that ends before its last piece or goes on
after it. A key is for one stream: under another one the same nonces come again.

The only module of this package that `sync.protocol` uses: files for a new PC and parcels are sealed alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

PIECE = 64 * 1024
"""Bytes of plain text in each piece but the last."""
TAG = 16
"""Bytes by which sealing makes each piece longer."""


class PiecesDamaged(ValueError):
    """The stream was changed, cut or continued since it was sealed, or sealed with another key."""


def sealed_size(size: int) -> int:
    """Return how many bytes `size` bytes have once they are sealed; nothing is one piece, too."""
    return size + TAG * max(1, -(-size // PIECE))


class Sealer:
    """Seals one stream: `feed` it any number of bytes, then `finish`. `key`: 32 bytes, for this stream alone."""

    def __init__(self, key: bytes, bound: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._bound = bound
        self._held = bytearray()
        self._number = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes at once; yield the pieces that they fill."""
        self._held += data
        return self._full()

    def _full(self) -> Iterator[bytes]:
        # A full piece is held too: only what follows tells that it was not the last.
        while len(self._held) > PIECE:
            piece = bytes(self._held[:PIECE])
            del self._held[:PIECE]
            yield self._seal(piece, last=False)

    def finish(self) -> bytes:
        """Return the last piece."""
        plain = bytes(self._held)
        self._held.clear()
        return self._seal(plain, last=True)

    def _seal(self, plain: bytes, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._number, last), plain, self._bound)
        self._number += 1
        return sealed


def seal(key: bytes, bound: bytes, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a stream of blocks of any length."""
    sealer = Sealer(key, bound)
    for block in blocks:
        yield from sealer.feed(block)
    yield sealer.finish()


class Opener:
    """Opens one stream from its beginning; `read` (at most so many bytes, b"" at the end) says what is sealed.

    It needs at most two pieces of memory, however long the stream is.
    """

    def __init__(self, key: bytes, bound: bytes, read: Callable[[int], bytes]) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._bound = bound
        self._read = read
        self._number = 0
        self._next = self._fetch()
        self._ended = False

    def next(self) -> bytes:
        """Return the next piece, every byte of it verified in its place; b"" at the end.

        Raises PiecesDamaged, and what `read` raises.
        """
        if self._ended:
            return b""
        sealed, self._next = self._next, self._fetch()
        last = not self._next
        try:
            plain = self._cipher.decrypt(_nonce(self._number, last), sealed, self._bound)
        except InvalidTag:
            raise PiecesDamaged("The stream was cut or changed after it was sealed.") from None
        self._number += 1
        self._ended = last
        if last and not plain and self._number > 1:
            raise PiecesDamaged("The stream does not end as it was sealed.")
        return plain

    def _fetch(self) -> bytes:
        """A whole piece: a reader may give less than was asked for in one go."""
        found = bytearray()
        while len(found) < PIECE + TAG and (part := self._read(PIECE + TAG - len(found))):
            found += part
        return bytes(found)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
