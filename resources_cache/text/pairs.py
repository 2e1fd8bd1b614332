"""Which words of a text are neighbours, in a few bytes: most texts that only have the words of a phrase show it.

A Bloom filter (B. H. Bloom: Space/time trade-offs in hash coding with allowable errors, 1970) over each two
neighbours, with three bits for each. ``crc32(first word + second word)`` names two of them by its halves, and
times the golden ratio (D. E. Knuth, The Art of Computer Programming 3, 6.4) the third by its upper half: the upper
13 bits of a half, modulo the size, tell the byte, the lower three the bit in it. With 6.5 bits of space for each
pair one text in twenty passes for a phrase of two words that it does not have, one in four hundred for one of
three.
"""

from __future__ import annotations

from itertools import pairwise
from zlib import crc32

_BITS_EACH = 6.5
_GOLDEN = 0x9E3779B1  # 2³² by the golden ratio
_LEAST, _MOST = 8, 8192  # bytes
_SET = ord("1")

Place = tuple[int, int]
"""(a number whose remainder by the size of a signature tells which byte; which bit of it, 0 the lowest)."""


def signature(prepared: str) -> bytes:
    """The neighbours of a text, as the index has its words; empty for less than two words. 8 to 8,192 bytes."""
    words = prepared.encode("utf-8", "replace").split()
    hashes = set(map(crc32, words[1:], map(crc32, words)))
    if not hashes:
        return b""
    size = min(_MOST, max(_LEAST, int(_BITS_EACH * len(hashes) / 8)))
    bits = 8 * size
    digits = bytearray(b"0" * bits)  # one a bit, the lowest first: quicker to write than bits
    for one in hashes:
        digits[(one >> 16) % bits] = _SET
        digits[(one & 0xFFFF) % bits] = _SET
        digits[(one * _GOLDEN >> 16 & 0xFFFF) % bits] = _SET
    return int(digits[::-1], 2).to_bytes(size, "little")


def neighbours(phrase: str) -> list[tuple[Place, ...]]:
    """Where the signature of a text has a bit for each two neighbours of a phrase of index words."""
    words = phrase.encode("utf-8", "replace").split()
    found: list[tuple[Place, ...]] = []
    for first, second in pairwise(words):
        one = crc32(second, crc32(first))
        more = one * _GOLDEN
        found.append(((one >> 19, one >> 16 & 7), (one >> 3 & 8191, one & 7), (more >> 19 & 8191, more >> 16 & 7)))
    return found
