"""A file that only a passphrase opens: written and read in pieces, so that its size costs no memory.

    magic (8 bytes) · version (1) · log2 of scrypt's N, r, p (1 byte each) · salt (16)
    HMAC-SHA256 of these under the second half of the key (32) · SHA-256 of all before (8 bytes of it)
    pieces of 64 KiB, bound to all of the above (``sealed_pieces``), under the first half of the key

The key is scrypt's (RFC 7914), 64 bytes, of the passphrase in NFKC. The salt is new for each file, so no nonce
serves twice under one key.

What a header may ask of scrypt is bounded before it is given: 256 MiB of memory, some seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from typing import BinaryIO

from resources_cache.errors import CacheError
from resources_cache.sealed_pieces import Opener, PiecesDamaged, Sealer

MAGIC = b"\x89HSMOVE\n"
VERSION = 1
SHORTEST = 8
"""Characters of a passphrase. What it is made of is left to the person: length is what counts."""
LONGEST = 1024
USUAL_COST = 17
"""log2 of scrypt's N: 128 MiB of memory and about half a second on an office PC."""

_SALT = 16
_HEADER = len(MAGIC) + 4 + _SALT
_WHOLE_HEADER = _HEADER + 32 + 8
_LEAST_COST, _MOST_COST, _R, _MOST_P = 14, 18, 8, 4


class NotAMoveFile(CacheError):
    """Some other file, or an empty one."""

    code = "not-a-move-file"
    default_advice = "Choose the file that was made on the old PC; its name ends in .hubshelf-move."


class MoveFileTooNew(CacheError):
    """Made by a newer Hubshelf."""

    code = "move-file-too-new"
    default_advice = "Install the newest Hubshelf on this PC, then open the file again."


class MoveFileDamaged(CacheError):
    """Changed, cut or continued since it was written."""

    code = "move-file-damaged"
    default_advice = "Copy the file from the old PC once more, or make it there again."


class WrongPassphrase(CacheError):
    """The passphrase is not the one the file was made with."""

    code = "wrong-passphrase"
    default_advice = "Look at it letter by letter, capitals too. Without it nobody can open the file."


class PassphraseTooShort(CacheError):
    """Fewer than ``SHORTEST`` characters, or more than ``LONGEST``."""

    code = "passphrase-short"
    default_advice = "Four or five words that only you would put together are easy to keep and hard to guess."


def check_passphrase(passphrase: str) -> None:
    """Raise PassphraseTooShort for what is not worth sealing a file with."""
    if not SHORTEST <= len(passphrase) <= LONGEST:
        raise PassphraseTooShort(f"A passphrase has at least {SHORTEST} characters, and at most {LONGEST:,}.")


class SealedWriter:
    """Writes one file; use ``write`` for any number of bytes, then ``finish``. The file is not closed."""

    def __init__(self, file: BinaryIO, passphrase: str, *, cost: int = USUAL_COST) -> None:
        """``cost``: log2 of scrypt's N, 14 to 18. Raises: PassphraseTooShort, OSError of the file."""
        check_passphrase(passphrase)
        self._file = file
        header = MAGIC + bytes([VERSION, cost, _R, 1]) + os.urandom(_SALT)
        key, mac = _keys(passphrase, header)
        header += mac
        header += hashlib.sha256(header).digest()[:8]
        self._sealer = Sealer(key, header)
        file.write(header)

    def write(self, data: bytes) -> None:
        """Seal what fills a piece; the rest is held until more comes. Raises: OSError of the file."""
        for piece in self._sealer.feed(data):
            self._file.write(piece)

    def finish(self) -> None:
        """Seal the last piece. Raises: OSError of the file."""
        self._file.write(self._sealer.finish())


class SealedReader:
    """Reads one file from its beginning; every byte that ``read`` returns was verified in its place."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        """Raises: NotAMoveFile, MoveFileTooNew, MoveFileDamaged, WrongPassphrase, OSError of the file."""
        start = file.read(_WHOLE_HEADER)
        if start[: len(MAGIC)] != MAGIC:
            raise NotAMoveFile("This is not a file for moving to a new PC.")
        if len(start) > len(MAGIC) and start[len(MAGIC)] > VERSION:
            raise MoveFileTooNew("The file was made by a newer Hubshelf than this one.")
        header, mac, check = start[:_HEADER], start[_HEADER:-8], start[-8:]
        if len(start) < _WHOLE_HEADER or hashlib.sha256(header + mac).digest()[:8] != check:
            raise MoveFileDamaged("The beginning of the file is damaged.")
        _check_cost(header)
        key, expected = _keys(passphrase, header)
        if not hmac.compare_digest(mac, expected):
            raise WrongPassphrase("This passphrase does not open the file.")
        self._opener = Opener(key, start, file.read)
        self._held = b""

    def read(self, most: int) -> bytes:
        """The next bytes, at most ``most``; b"" at the end. Raises: MoveFileDamaged, OSError of the file."""
        if not self._held:
            try:
                self._held = self._opener.next()
            except PiecesDamaged:
                raise MoveFileDamaged("The file was cut or changed after it was made.") from None
        data, self._held = self._held[:most], self._held[most:]
        return data

    def read_exactly(self, count: int) -> bytes:
        """The next ``count`` bytes. Raises: MoveFileDamaged where there are fewer, OSError of the file."""
        parts = []
        while count:
            part = self.read(count)
            if not part:
                raise MoveFileDamaged("The file ends too early.")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def _keys(passphrase: str, header: bytes) -> tuple[bytes, bytes]:
    """The key, and the HMAC by which the right passphrase is known."""
    cost, r, p = header[len(MAGIC) + 1 : len(MAGIC) + 4]
    key = hashlib.scrypt(
        unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass"),
        salt=header[-_SALT:],
        n=1 << cost,
        r=r,
        p=p,
        # What OpenSSL needs beside N and p blocks of 128 r bytes is less than a megabyte.
        maxmem=128 * r * ((1 << cost) + p) + (1 << 20),
        dklen=64,
    )
    return key[:32], hmac.digest(key[32:], header, "sha256")


def _check_cost(header: bytes) -> None:
    cost, r, p = header[len(MAGIC) + 1 : len(MAGIC) + 4]
    if not (_LEAST_COST <= cost <= _MOST_COST and r == _R and 1 <= p <= _MOST_P):
        raise MoveFileDamaged("The file asks for more work than such files need.")
