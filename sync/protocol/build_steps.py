"""A step from one build to another, or to a build from nothing, as one object.

    magic "HSBD1\\n", length of the header (4 bytes, big-endian), the header (JSON as a zstd frame), and one zstd
    frame (RFC 8878) with the contents of all files that are new, one after another

The header says which tree it begins with (`from`, "" for none), which it makes (`to`), what is removed and put,
and which old files, one after another, are the prefix that the frame was made with (`bases`). A step need not be
trusted: each file that it gives is proved by the listing, and that by the name of the tree, which is signed.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from backports import zstd

from sync.protocol.builds import FILES, Item, Listing, checked_path, listing
from sync.protocol.errors import Malformed, TooLarge
from sync.protocol.wire_json import dump, load_object, number, text

MAGIC = b"HSBD1\n"
_HEADER = 8 * 1024 * 1024
_PREFIX = 96 * 1024 * 1024
"""Bytes of old files that a step is made with: the reader has them in memory."""
_WINDOW_LOG_MAX = 27
"""128 MB: reaches over all that, and bounds what a hostile frame can make the decoder allocate."""
_PIECE = 256 * 1024
_THOROUGH = 32 * 1024 * 1024
"""Bytes of contents up to which the slow levels of zstd take seconds; above, they take minutes."""


@dataclass(frozen=True)
class Header:
    """What a step says of itself: trees by their names, paths, and new files and links in the order in which their
    contents come."""

    start: str
    end: str
    removed: Sequence[str]
    put: Sequence[Item]
    bases: Sequence[str]

    @property
    def size(self) -> int:
        """Bytes of the contents."""
        return sum(item.size for item in self.put)

    def apply(self, old: Listing | None) -> Listing:
        """Return the listing that comes of it. Raises Malformed where it does not lead from `old` to what it says
        it does."""
        if self.start != (old.name if old is not None else ""):
            raise Malformed("A step leads from another build than the one that is here.")
        before: Mapping[str, Item] = old.items if old is not None else {}
        items = dict(before)
        for path in self.removed:
            items.pop(path, None)
        items.update((item.path, item) for item in self.put)
        made = listing(items.values())
        if made.name != self.end:
            raise Malformed("A step leads to another build than it says.")
        if any(path not in before or before[path].link for path in self.bases):
            raise Malformed("A step is made with a file that the build before it does not have.")
        return made


def write_step(
    target: BinaryIO, new: Path, made: Listing, old: Path | None = None, had: Listing | None = None
) -> None:
    """Write the step to the build in the folder `new` from the one in `old` (None: from nothing).

    Reads files as they are: what they are proved by is their listing. Raises OSError.
    """
    before: Mapping[str, Item] = had.items if had is not None else {}
    put = [item for path, item in sorted(made.items.items()) if before.get(path) != item]
    removed = sorted(path for path in before if path not in made.items)
    bases, prefix = [], bytearray()
    if old is not None:
        # A file under its own name first; then those that went, which may be new ones under other names.
        likely = [item.path for item in put if item.path in before] + removed
        for path in likely:
            item = before[path]
            if not item.link and len(prefix) + item.size <= _PREFIX:
                bases.append(path)
                prefix += (old / path).read_bytes()
    header = {
        "from": had.name if had is not None else "",
        "to": made.name,
        "removed": removed,
        "put": [item.to_json() for item in put],
        "bases": bases,
    }
    packed = zstd.compress(dump(header), level=19)
    size = sum(item.size for item in put)
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: 19 if size <= _THOROUGH else 12,
        zstd.CompressionParameter.checksum_flag: 1,
        zstd.CompressionParameter.window_log: min(max((len(prefix) + size).bit_length(), 10), _WINDOW_LOG_MAX),
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    coder = zstd.ZstdCompressor(
        options=options,
        zstd_dict=zstd.ZstdDict(bytes(prefix), is_raw=True).as_prefix if len(prefix) >= 8 else None,
    )
    target.write(MAGIC + struct.pack(">I", len(packed)) + packed)
    for item in put:
        if item.link:
            continue
        with (new / item.path).open("rb") as file:
            while piece := file.read(_PIECE):
                target.write(coder.compress(piece))
    target.write(coder.flush())


def read_header(source: BinaryIO) -> Header:
    """Read the header of a step and stop behind it. Raises Malformed, TooLarge, OSError."""
    start = source.read(len(MAGIC) + 4)
    if len(start) != len(MAGIC) + 4 or not start.startswith(MAGIC):
        raise Malformed("This is no step to a build.")
    (length,) = struct.unpack(">I", start[len(MAGIC) :])
    if length > _HEADER:
        raise TooLarge("A step to a build has a longer header than any.")
    packed = source.read(length)
    try:
        decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 23})
        raw = decoder.decompress(packed, max_length=_HEADER + 1)
    except zstd.ZstdError as error:
        raise Malformed(f"The header of a step cannot be read ({error}).") from None
    if len(raw) > _HEADER or not decoder.eof:
        raise TooLarge("A step to a build has a longer header than any.")
    body = load_object(raw, _HEADER, "step to a build")
    number(body, "format", "step", default=1)
    put = listing(Item.from_json(one) for one in _list(body, "put"))
    return Header(
        text(body, "from", "step"),
        text(body, "to", "step"),
        tuple(checked_path(path) for path in _list(body, "removed")),
        # In the order of the contents, which is that of the names.
        tuple(put.items.values()),
        tuple(checked_path(path) for path in _list(body, "bases")),
    )


def contents(source: BinaryIO, header: Header, old: Path | None) -> Iterator[tuple[Item, Iterator[bytes]]]:
    """Yield each new file with its bytes, in pieces that have to be read before the next file is.

    `source` stands behind the header; `old` is the folder of the build that it begins with. No more is decoded
    than the header says. Raises Malformed, TooLarge, OSError.
    """
    prefix = bytearray()
    for path in header.bases:
        assert old is not None
        with (old / path).open("rb") as file:
            prefix += file.read(_PREFIX + 1 - len(prefix))
        if len(prefix) > _PREFIX:
            raise TooLarge("A step to a build is made with more than any is.")
    reader = _Decoded(source, bytes(prefix))
    for item in header.put:
        if item.link:
            yield item, iter(())
        else:
            yield item, _exactly(reader, item.size)
    if reader.read(1):
        raise Malformed("A step to a build holds more than it says.")


class _Decoded(io.RawIOBase):
    """The contents of a step, decoded as they are read."""

    def __init__(self, source: BinaryIO, prefix: bytes) -> None:
        self._source = source
        dictionary: Any = zstd.ZstdDict(prefix, is_raw=True).as_prefix if len(prefix) >= 8 else None
        self._decoder = zstd.ZstdDecompressor(
            dictionary, options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX}
        )

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, b"" at the end of a whole frame."""
        while not self._decoder.eof:
            fed = self._source.read(_PIECE) if self._decoder.needs_input else b""
            if self._decoder.needs_input and not fed:
                raise Malformed("A step to a build ends too early.")
            try:
                data = self._decoder.decompress(fed, max_length=size)
            except zstd.ZstdError as error:
                raise Malformed(f"A step to a build is damaged ({error}).") from None
            if data:
                return data
        return b""


def _exactly(reader: _Decoded, size: int) -> Iterator[bytes]:
    while size > 0:
        piece = reader.read(min(_PIECE, size))
        if not piece:
            raise Malformed("A step to a build ends too early.")
        size -= len(piece)
        yield piece


def _list(body: Mapping[str, Any], key: str) -> list[Any]:
    found = body.get(key, [])
    if not isinstance(found, list) or len(found) > FILES:
        raise Malformed("A step to a build cannot be read.")
    return found
