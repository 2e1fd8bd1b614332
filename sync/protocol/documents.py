"""Documents as they travel: one zstd frame each (RFC 8878, with checksum), or a patch against an older one.

A document is named by the SHA-256 and the size of its raw JSON. A patch is a frame whose window begins with the
older document, so that only what differs is sent.
"""

from __future__ import annotations

from typing import Any

from backports import zstd

from sync.protocol.errors import Malformed, TooLarge, WrongHash
from sync.protocol.head import ObjectRef
from sync.protocol.wire_json import sha256

_WINDOW_LOG_MAX = 25
"""At most 32 MB of window: a bound on what a hostile frame can make the decoder allocate."""
_SHORTEST_BASE = 8
"""zstd takes no shorter prefix; both sides do without one then."""


def pack(raw: bytes) -> bytes:
    """Return a document's raw JSON as a zstd frame."""
    return _compress(raw, b"")


def unpack(data: bytes, ref: ObjectRef, limit: int) -> bytes:
    """Return the raw JSON that `ref` names, at most `limit` bytes of it.

    Raises TooLarge before anything is decoded, Malformed for what is no frame, WrongHash for another document.
    """
    return _decompress(data, b"", ref, limit)


def patch(raw: bytes, base: bytes) -> bytes:
    """Return a zstd frame that gives `raw` to a reader who has the raw JSON `base`."""
    return _compress(raw, base)


def unpatch(data: bytes, base: bytes, ref: ObjectRef, limit: int) -> bytes:
    """Return the raw JSON that `ref` names, from a patch and the older raw JSON; errors as `unpack`."""
    return _decompress(data, base, ref, limit)


def zstd_frame(raw: bytes) -> bytes:
    """Return `raw` as one zstd frame with its size and a checksum."""
    return _compress(raw, b"")


def read_zstd_frame(data: bytes, size: int) -> bytes:
    """Return the `size` bytes of one zstd frame; Malformed for anything else, nothing is allocated past it."""
    return _read_frame(data, b"", size)


def read_bounded_frame(data: bytes, limit: int) -> bytes:
    """Return what one zstd frame of unknown size holds; TooLarge above `limit` bytes, Malformed for no frame."""
    try:
        size = zstd.get_frame_info(data).decompressed_size
    except zstd.ZstdError as error:
        raise Malformed(f"A compressed part cannot be decoded ({error}).") from None
    if size is None:
        raise Malformed("A compressed part does not announce its size.")
    if size > limit:
        raise TooLarge(f"A compressed part announces {size} bytes; at most {limit} are read.")
    return _read_frame(data, b"", size)


def _compress(raw: bytes, base: bytes) -> bytes:
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: 19,
        zstd.CompressionParameter.checksum_flag: 1,
        zstd.CompressionParameter.content_size_flag: 1,
    }
    dictionary: Any = None
    if len(base) >= _SHORTEST_BASE:
        window = (len(base) + len(raw)).bit_length()
        options[zstd.CompressionParameter.window_log] = min(max(window, 10), _WINDOW_LOG_MAX)
        dictionary = zstd.ZstdDict(base, is_raw=True).as_prefix
    return zstd.compress(raw, options=options, zstd_dict=dictionary)


def _decompress(data: bytes, base: bytes, ref: ObjectRef, limit: int) -> bytes:
    if ref.size > limit:
        raise TooLarge(f"A document announces {ref.size} bytes; at most {limit} are read.")
    if len(data) > limit + 1024:
        raise TooLarge(f"A document is {len(data)} bytes long as sent; at most {limit} are read.")
    raw = _read_frame(data, base, ref.size)
    if sha256(raw) != ref.hash:
        raise WrongHash("A document does not match its name, so it was not used.")
    return raw


def _read_frame(data: bytes, base: bytes, size: int) -> bytes:
    dictionary: Any = None
    if len(base) >= _SHORTEST_BASE:
        dictionary = zstd.ZstdDict(base, is_raw=True).as_prefix
    try:
        decoder = zstd.ZstdDecompressor(
            dictionary, options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX}
        )
        raw = decoder.decompress(data, max_length=size + 1)
    except zstd.ZstdError as error:
        raise Malformed(f"A compressed part cannot be decoded ({error}).") from None
    if len(raw) != size or not decoder.eof or decoder.unused_data:
        raise Malformed("A compressed part does not have the size that it announces.")
    return raw
