"""Which words of a text are neighbours, in a few bytes: most texts that only have the words of a phrase show it.

A Bloom filter (B. H. Bloom: Space/time trade-offs in hash coding with allowable errors, 1970) over each two
neighbours. Of ``h = crc32(first word + second word)`` the lowest six bits name two bits of byte ``h div 64 mod
size``. With five bits for each pair one text in seven passes for a phrase of two words that it does not have, one
in fifty for one of three.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from zlib import crc32

_BITS_EACH = 5
_LEAST, _MOST = 8, 8192  # bytes

MASKS = tuple(1 << (n & 7) | 1 << (n >> 3) for n in range(64))
"""The two bits that the lowest six bits of a hash name."""


def signature(prepared: str) -> bytes:
    """The neighbours of a text, as the index has its words; empty for less than two words. 8 to 8,192 bytes."""
    hashes = set(neighbours(prepared))
    if not hashes:
        return b""
    size = min(_MOST, max(_LEAST, _BITS_EACH * len(hashes) // 8))
    bits = bytearray(size)
    for one in hashes:
        bits[(one >> 6) % size] |= MASKS[one & 63]
    return bytes(bits)


def neighbours(phrase: str) -> list[int]:
    """What ``may_have`` is asked for: a number for each two neighbours of a phrase of index words."""
    words = phrase.encode("utf-8", "replace").split()
    return [crc32(second, crc32(first)) for first, second in pairwise(words)]


def may_have(bits: bytes, asked: Sequence[int]) -> bool:
    """False where a text of this signature surely lacks a pair."""
    size = len(bits)
    return all(size and bits[(one >> 6) % size] & (mask := MASKS[one & 63]) == mask for one in asked)
