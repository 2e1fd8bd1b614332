"""A new version of a file as what differs from the old one: a zstd frame (RFC 8878) with the old file as prefix.

A delta has no name of its own and need not be trusted: what it gives is proved by the hash of the new file.
"""

from __future__ import annotations

from typing import Any

from backports import zstd

from sync.protocol.errors import Malformed, TooLarge, WrongHash
from sync.protocol.head import ObjectRef
from sync.protocol.wire_json import sha256

LIMIT = 64 * 1024 * 1024
"""Bytes of either file: both are in memory while one is made from the other."""
SHORTEST = 2048
"""Bytes of either file: for less, asking costs more than it can save."""
_WINDOW_LOG_MAX = 27
"""128 MB: reaches over both files, and bounds what a hostile frame can make the decoder allocate."""
_THOROUGH = 4 * 1024 * 1024
"""Bytes of the new file up to which the slow levels of zstd take a second or two; above, they take minutes."""


def delta_name(old: str, new: str) -> str:
    """Return the name, 64 hexadecimal digits, under which both sides keep the delta between two files."""
    return sha256(f"{old}{new}".encode())


def may_differ(old: int, new: int) -> bool:
    """Return whether there can be a delta between files of these sizes in bytes."""
    return SHORTEST <= old <= LIMIT and SHORTEST <= new <= LIMIT


def most(new: int) -> int:
    """Return how many bytes a delta for a file of `new` bytes has at most; a longer one is not worth it."""
    return max(0, (7 * new - 1) // 10)


def make(new: bytes, old: bytes) -> bytes:
    """Return the delta that gives `new` to a reader who has `old`. Raises TooLarge past SHORTEST or LIMIT."""
    if not may_differ(len(old), len(new)):
        raise TooLarge(f"There are no deltas between files of {len(old):,} and {len(new):,} bytes.")
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: 19 if len(new) <= _THOROUGH else 9,
        zstd.CompressionParameter.checksum_flag: 1,
        zstd.CompressionParameter.content_size_flag: 1,
        zstd.CompressionParameter.window_log: min(max((len(old) + len(new)).bit_length(), 10), _WINDOW_LOG_MAX),
        # Finds what the two have in common far away, whatever the level.
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    return zstd.compress(new, options=options, zstd_dict=zstd.ZstdDict(old, is_raw=True).as_prefix)


def apply(delta: bytes, old: bytes, new: ObjectRef) -> bytes:
    """Return the bytes of the file `new` from those of the old one.

    Allocates no more than a few times LIMIT, whatever the delta says. Raises TooLarge for files or a delta over
    the bounds and Malformed for a delta of another size than `new`, both before anything is decoded; Malformed
    for what is no delta or one of another old file; WrongHash where the result is not `new`.
    """
    if not may_differ(len(old), new.size) or len(delta) > most(new.size):
        raise TooLarge(
            f"A delta of {len(delta):,} bytes between files of {len(old):,} and {new.size:,} bytes is not read."
        )
    dictionary: Any = zstd.ZstdDict(old, is_raw=True).as_prefix
    try:
        if zstd.get_frame_info(delta).decompressed_size != new.size:
            raise Malformed("A delta makes a file of another size than the one asked for.")
        decoder = zstd.ZstdDecompressor(
            dictionary, options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX}
        )
        data = decoder.decompress(delta, max_length=new.size + 1)
    except zstd.ZstdError as error:
        raise Malformed(f"A delta cannot be applied to the file that is here ({error}).") from None
    if len(data) != new.size or not decoder.eof or decoder.unused_data:
        raise Malformed("A delta does not have the size that it announces.")
    if sha256(data) != new.hash:
        raise WrongHash("A delta makes another file than the one asked for, so it was not used.")
    return data
