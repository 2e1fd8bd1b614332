"""Segments: changes as JSON Lines, compressed, named by the SHA-256 of what is sent.

Each line is a record of docs/protocol.md, or `{"deleted": true, "id": …}`. Codecs: `zstd` (one frame with
content size and checksum, RFC 8878) and `identity`. The hash is verified before a decoder sees a byte, and
the hash of what comes out before a record is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backports import zstd

from sync.protocol import limits
from sync.protocol.catalogue import SegmentRef
from sync.protocol.errors import Malformed, UnknownCodec, WrongHash
from sync.protocol.wire_json import dump, load_object, sha256

_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 19,
    zstd.CompressionParameter.checksum_flag: 1,
    zstd.CompressionParameter.content_size_flag: 1,
}
_WINDOW_LOG_MAX = 25
"""At most 32 MB of window: a bound on what a hostile frame can make the decoder allocate."""


@dataclass(frozen=True)
class Segment:
    """An encoded segment: the reference that a manifest holds and the bytes that are served."""

    ref: SegmentRef
    data: bytes


def encode(lines: Iterable[bytes]) -> Segment:
    """Return the segment of `lines` (each one JSON object without a line feed)."""
    rows = list(lines)
    raw = b"".join(row + b"\n" for row in rows)
    data = zstd.compress(raw, options=_OPTIONS)
    codec = "zstd"
    if len(data) >= len(raw):
        codec, data = "identity", raw
    return Segment(SegmentRef(sha256(data), len(data), codec, len(raw), sha256(raw), len(rows)), data)


def split(lines: Iterable[bytes], target: int = 700_000, raw_target: int = 2_000_000) -> Iterator[Segment]:
    """Cut `lines` into segments of at most about `target` bytes sent, and never over `limits.SEGMENT`.

    `raw_target` bounds the uncompressed bytes of one segment, so that one apply stays short.
    """
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and size + len(line) > raw_target:
            yield from _fit(batch, target)
            batch, size = [], 0
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield from _fit(batch, target)


def _fit(batch: list[bytes], target: int) -> Iterator[Segment]:
    segment = encode(batch)
    if len(segment.data) <= target or len(batch) == 1:
        if len(segment.data) > limits.SEGMENT:
            raise ValueError("a single record is larger than a segment may be")
        yield segment
        return
    middle = len(batch) // 2
    yield from _fit(batch[:middle], target)
    yield from _fit(batch[middle:], target)


def decode(data: bytes, ref: SegmentRef) -> list[dict[str, Any]]:
    """Return the changes of a segment that came from anywhere.

    Raises WrongHash, UnknownCodec, Malformed, TooLarge; nothing is allocated past `ref.raw_size` and the
    decoder's window.
    """
    if len(data) != ref.size or sha256(data) != ref.hash:
        raise WrongHash("A segment does not match its name, so it was not used.")
    raw = _decompress(data, ref)
    if len(raw) != ref.raw_size or sha256(raw) != ref.raw_hash:
        raise WrongHash("A segment decodes to something else than its manifest says, so it was not used.")
    changes = []
    for line in raw.split(b"\n")[:-1]:
        record = load_object(line, limits.RECORD, "record")
        if not isinstance(record.get("id"), str) or not 1 <= len(record["id"]) <= 200:
            raise Malformed("A record in a segment has no id.")
        changes.append(record)
    if not raw.endswith(b"\n") or len(changes) != ref.records:
        raise Malformed("A segment does not hold the number of records that its manifest says.")
    return changes


def _decompress(data: bytes, ref: SegmentRef) -> bytes:
    if ref.codec == "identity":
        return data
    if ref.codec != "zstd":
        raise UnknownCodec(f"A segment is coded as “{ref.codec}”, which this version cannot read.")
    decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX})
    try:
        raw = decoder.decompress(data, max_length=ref.raw_size + 1)
    except zstd.ZstdError as error:
        raise Malformed(f"A segment cannot be decoded ({error}).") from None
    if not decoder.eof or decoder.unused_data:
        raise Malformed("A segment is cut short or has something behind its end.")
    return raw


def change_line(record: Mapping[str, object]) -> bytes:
    """Return one record as a line of a segment."""
    return dump(dict(record))


def deletion_line(record_id: str) -> bytes:
    """Return the line that deletes a record."""
    return dump({"id": record_id, "deleted": True})
