"""Segments: changes as lines, compressed, named by the SHA-256 of all that is sent.

A segment is `HS\\x02`, a codec byte, the raw size (LEB128), the SHA-256 of the raw bytes, the codec's parameters
and the payload. Codecs: 0 identity; 1 zstd (one frame with checksum, RFC 8878); 2 PPMd variant I (order, log2 of
the memory); 3 the same, trained before with what the reader has (order, log2 of the memory, size of the prefix).

Raw: lines, each ended by a line feed. `@` and a name file the lines that follow in that stream; any other line is
a JSON object with `id`: a record, a patch of one (`patches`), or `{"deleted": true, "id": …}`. The hash is
verified before a decoder sees a byte, and the hash of what comes out before a record is believed. The range coder
of PPMd says nothing about damage; these hashes do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any

from sync.protocol import limits, ppmd
from sync.protocol.documents import read_zstd_frame, zstd_frame
from sync.protocol.errors import Malformed, TooLarge, UnknownCodec, WrongHash, WrongPrefix
from sync.protocol.feeds import SegmentRef
from sync.protocol.numbers import read_number, write_number
from sync.protocol.wire_json import dump, load_object, sha256

Change = tuple[str, dict[str, Any]]
"""(name of the stream, record or patch or deletion)"""

IDENTITY, ZSTD, PPMD, PRIMED = range(4)
SHORTEST_PREFIX = 256
"""Bytes: a shorter prefix teaches the model nothing."""

_MAGIC = b"HS\x02"
_SMALL = 1024 * 1024
_FRAME = 4 * 1024 * 1024
"""Raw bytes of one segment: what one apply takes at once."""
_SENT = limits.SEGMENT - 64
"""Bytes of a segment as `split` makes it: what is sealed for members becomes a little longer."""
_ORDERS_SMALL, _ORDER = (5, 8), 8
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
"""A string of JSON, or what begins like one and has no end: so that each byte is looked at once."""
_NO_MARKS = bytes(sorted(set(range(256)) - set(b"\n,:[{")))


@dataclass(frozen=True)
class Segment:
    """An encoded segment: the reference that a run or snapshot holds and the bytes that are served."""

    ref: SegmentRef
    data: bytes


@dataclass(frozen=True)
class Decoded:
    """What a segment holds: its raw bytes, and its changes in their order."""

    raw: bytes
    changes: list[Change]


def change_line(record: Mapping[str, object]) -> bytes:
    """Return one record or patch as a line (without its line feed)."""
    return dump(dict(record))


def deletion_line(record_id: str) -> bytes:
    """Return the line that deletes a record."""
    return dump({"id": record_id, "deleted": True})


def stream_line(name: str) -> bytes:
    """Return the line that files those after it in the stream `name`."""
    return b"@" + name.encode()


def encode(lines: Sequence[bytes], prefix: bytes = b"") -> Segment:
    """Return the segment of `lines`, in the smallest of the codecs that suit its size.

    `prefix` is what every reader of it has (at most `limits.PREFIX` bytes). Up to 1 MiB of raw bytes, zstd, PPMd
    and PPMd primed are compared; above, PPMd is taken.
    """
    raw = b"".join(line + b"\n" for line in lines)
    coded = [(len(raw) + 1, IDENTITY, b"", raw)]
    small = len(raw) <= _SMALL
    memory_log = _memory_log(len(raw))
    for order in _ORDERS_SMALL if len(raw) <= 64 * 1024 else (_ORDER,):
        payload = ppmd.compress(raw, order, memory_log)
        coded.append((len(payload), PPMD, bytes((order, memory_log)), payload))
    if small:
        frame = zstd_frame(raw)
        coded.append((len(frame), ZSTD, b"", frame))
    if small and SHORTEST_PREFIX <= len(prefix) <= limits.PREFIX:
        memory_log = _memory_log(len(raw) + len(prefix))
        payload = ppmd.compress(raw, _ORDER, memory_log, prefix)
        settings = bytes((_ORDER, memory_log)) + write_number(len(prefix))
        coded.append((len(payload), PRIMED, settings, payload))
    _, way, settings, payload = min(coded, key=lambda one: one[0] + len(one[2]))
    head = _MAGIC + bytes((way,)) + write_number(len(raw)) + hashlib.sha256(raw).digest()
    data = head + settings + payload
    return Segment(SegmentRef(sha256(data), len(data)), data)


def split(lines: Iterable[bytes], prefix: bytes = b"") -> Iterator[Segment]:
    """Cut `lines` into segments of about 4 MiB raw, none over `limits.SEGMENT` as sent, sealed or not.

    Every segment begins by naming its stream. `prefix` primes the segment where all fits into one; of several,
    none is primed. Raises ValueError where a single record is larger than a segment may be.
    """
    frames = _frames(lines)
    first = next(frames, None)
    if first is None:
        return
    second = next(frames, None)
    if second is None and prefix:
        whole = encode(first, prefix)
        if len(whole.data) <= _SENT:
            yield whole
            return
    yield from _fit(first)
    if second is not None:
        yield from _fit(second)
        for frame in frames:
            yield from _fit(frame)


def decode(
    data: bytes, ref: SegmentRef, prefix: Callable[[int], bytes] | None = None, raw: bytes | None = None
) -> Decoded:
    """Return the changes of a segment that came from anywhere. Raises as `unpack`.

    `raw` is what `unpack` gave for it, where it was asked before.
    """
    if raw is None:
        raw = unpack(data, ref, prefix)
    return Decoded(raw, _parse(raw))


def unpack(data: bytes, ref: SegmentRef, prefix: Callable[[int], bytes] | None = None) -> bytes:
    """Return the raw bytes of a segment that came from anywhere, verified, its lines not looked at yet.

    `prefix` gives the bytes (as many as it is asked for) that a primed segment was coded against. Raises
    WrongHash, Malformed, TooLarge, UnknownCodec, and WrongPrefix where a primed segment was coded against other
    content than `prefix` gives. Nothing is allocated past `limits.SEGMENT_RAW`, `PREFIX` and `MODEL`.
    """
    if len(data) != ref.size or sha256(data) != ref.hash:
        raise WrongHash("A segment does not match its name, so it was not used.")
    if len(data) > limits.SEGMENT:
        raise TooLarge(f"A segment is {len(data)} bytes long; at most {limits.SEGMENT} are read.")
    way = codec(data)
    if way is None:
        raise Malformed("A segment does not begin like one.")
    size, place = read_number(data, 4)
    if size > limits.SEGMENT_RAW:
        raise TooLarge(f"A segment announces {size} bytes decoded; at most {limits.SEGMENT_RAW} are read.")
    expected, place = data[place : place + 32], place + 32
    raw = _decompress(way, data, place, size, prefix)
    if len(raw) != size or hashlib.sha256(raw).digest() != expected:
        if way == PRIMED:
            raise WrongPrefix(_OTHER_CONTENT)
        raise WrongHash("A segment decodes to something else than it says, so it was not used.")
    return raw


def codec(data: bytes) -> int | None:
    """Return the codec that a segment says it is coded with; None where it does not begin like one."""
    return data[3] if data[:3] == _MAGIC and len(data) > 3 else None


_OTHER_CONTENT = "A segment was coded against other content than this shelf has."


def _memory_log(size: int) -> int:
    return 22 if size <= 128 * 1024 else 24 if size <= 512 * 1024 else 26


def _decompress(way: int, data: bytes, place: int, size: int, prefix: Callable[[int], bytes] | None) -> bytes:
    if way == IDENTITY:
        return data[place:]
    if way == ZSTD:
        return read_zstd_frame(data[place:], size)
    if way not in (PPMD, PRIMED):
        raise UnknownCodec(f"A segment is coded in way {way}, which this version cannot read.")
    if len(data) < place + 2:
        raise Malformed("A segment is cut short.")
    order, memory_log = data[place], data[place + 1]
    if order not in ppmd.ORDERS or memory_log < ppmd.MEMORY_LOGS[0]:
        raise Malformed(f"A segment asks for a model of order {order} with 2**{memory_log} bytes.")
    if memory_log > ppmd.MEMORY_LOGS[-1]:
        raise TooLarge(f"A segment asks for a model of 2**{memory_log} bytes; at most {limits.MODEL} are given.")
    if way == PPMD:
        return ppmd.expand(data[place + 2 :], size, order, memory_log)
    wanted, place = read_number(data, place + 2)
    if wanted > limits.PREFIX:
        raise TooLarge(f"A segment asks for {wanted} bytes of earlier content; at most {limits.PREFIX} are read.")
    known = prefix(wanted) if prefix is not None else b""
    if len(known) != wanted:
        raise WrongPrefix(_OTHER_CONTENT)
    try:
        return ppmd.expand(data[place:], size, order, memory_log, known)
    except Malformed:
        # With another prefix the stream soon contradicts itself; a damaged one has no right name.
        raise WrongPrefix(_OTHER_CONTENT) from None


def _parse(raw: bytes) -> list[Change]:
    if not raw.endswith(b"\n") or not raw.startswith(b"@"):
        raise Malformed("A segment does not say which stream it belongs to, or is cut short.")
    if _values(raw) > limits.VALUES:
        raise TooLarge(f"A segment holds more than {limits.VALUES} values.")
    stream = ""
    changes: list[Change] = []
    for line in BytesIO(raw):
        if line.startswith(b"@"):
            stream = _stream_name(line[:-1])
            continue
        change = load_object(line[:-1], limits.RECORD, "record")
        if not isinstance(change.get("id"), str) or not 1 <= len(change["id"]) <= 200:
            raise Malformed("A record in a segment has no id.")
        if change.get("deleted", True) is not True:
            raise Malformed("A record in a segment is neither there nor deleted.")
        changes.append((stream, change))
    return changes


def _stream_name(line: bytes) -> str:
    try:
        name = line[1:].decode()
    except UnicodeDecodeError:
        name = ""
    if len(name) > 200 or not 2 <= len(name.split("/")) <= 5 or not all(name.split("/")):
        raise Malformed("A segment names a stream that is none.")
    return name


def _values(raw: bytes) -> int:
    """How many values and lines `raw` has at most; counted exactly only where a quick bound does not do."""
    found = sum(raw.count(mark) for mark in (b"\n", b",", b":", b"[", b"{"))
    if found <= limits.VALUES or raw.count(b"\n") > limits.VALUES:
        return found
    for strings, match in enumerate(_STRINGS.finditer(raw)):
        # A mark follows each string, so more strings than values are too many values already.
        if strings > limits.VALUES:
            break
        found -= len(match[0].translate(None, _NO_MARKS))
    return found


def _frames(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Cut lines into batches of about `_FRAME` bytes; each begins with the line of its stream."""
    batch: list[bytes] = []
    stream = b""
    size = values = 0
    for line in lines:
        if line.startswith(b"@"):
            stream = line
        elif not stream:
            raise ValueError("the first line of a segment names the stream")
        line_values = _values(line) + 1
        if batch and (size + len(line) > _FRAME or values + line_values > limits.VALUES):
            if _holds_changes(batch):
                yield batch
            batch = [] if line is stream else [stream]
            size, values = len(stream), 0
        batch.append(line)
        size += len(line) + 1
        values += line_values
    if _holds_changes(batch):
        yield batch


def _holds_changes(batch: list[bytes]) -> bool:
    return any(not line.startswith(b"@") for line in batch)


def _fit(batch: list[bytes]) -> Iterator[Segment]:
    segment = encode(batch)
    if len(segment.data) <= _SENT:
        yield segment
        return
    changes = sum(1 for line in batch if not line.startswith(b"@"))
    if changes < 2:
        raise ValueError("a single record is larger than a segment may be")
    yield from _fit(_part(batch, 0, changes // 2))
    yield from _fit(_part(batch, changes // 2, changes))


def _part(batch: list[bytes], first: int, last: int) -> list[bytes]:
    """The changes number `first` to `last` (exclusive) of a batch, under the lines of their streams."""
    found: list[bytes] = []
    stream = written = b""
    for line, filed in islice(_filed(batch), first, last):
        stream = filed
        if stream != written:
            found.append(stream)
            written = stream
        found.append(line)
    return found


def _filed(batch: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    stream = b""
    for line in batch:
        if line.startswith(b"@"):
            stream = line
        else:
            yield line, stream
