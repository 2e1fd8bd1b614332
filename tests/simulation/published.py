"""The hub of a history: the simulated hub, which also remembers everything that it ever published."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random
from typing import Any

from sync.protocol import limits, ppmd
from sync.protocol.documents import zstd_frame
from sync.protocol.feeds import SegmentRef
from sync.protocol.numbers import write_number
from sync.protocol.segments import IDENTITY, PPMD, PRIMED, SHORTEST_PREFIX, ZSTD, Segment
from sync.protocol.signing import SigningKey
from sync.protocol.trust import make_root
from sync.protocol.wire_json import sha256
from tests.sync.hub_simulator import EXPIRES, HubSimulator

_ORDER, _MEMORY_LOG = 6, 20
"""Order of PPMd and log2 of its memory: a small model is made in no time."""


class Published(HubSimulator):
    """A hub whose keys come from a history's chance."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.root_key, self.head_key = SigningKey(random.randbytes(32)), SigningKey(random.randbytes(32))
        self.roots = [self._root(1)]
        self.past: dict[tuple[int, int], dict[str, dict[str, bytes]]] = {}
        """(epoch, version) → stream → id → line."""
        self.ever: dict[str, set[tuple[str, bytes]]] = {}
        self.segments: dict[str, bytes] = {}
        """Every segment that was ever served, alone or within another object, by its hash."""
        self.codec: int | None = None
        """In which way segments are coded that are not primed; None: as a hub does, in whatever is smallest."""
        self._backup: dict[str, Any] | None = None
        self._random = random

    def list_all(self) -> Any:
        state = {name: dict(stream.records) for name, stream in self.streams.items()}
        self.past[self.epoch, self.version] = state
        for name, records in state.items():
            self.ever.setdefault(name, set()).update(records.items())
        return super().list_all()

    def rotate_head_key(self) -> None:
        """As in `HubSimulator`, with a key that the history knows."""
        self.head_key = SigningKey(self._random.randbytes(32))
        self.roots.append(self._root(len(self.roots) + 1))

    def _root(self, version: int) -> bytes:
        return make_root(version, [self.root_key.public], [self.head_key.public], EXPIRES, [self.root_key])

    def content(self, epoch: int, version: int, stream: str) -> dict[str, bytes]:
        """What a stream held at a version of an epoch, or at the last one before it."""
        at = max(known for era, known in self.past if era == epoch and known <= version)
        return self.past[epoch, at].get(stream, {})

    def code(self, lines: Sequence[bytes], prefix: bytes = b"") -> Segment:
        found = super().code(lines, prefix) if self.codec is None else coded(lines, self.codec, prefix)
        self.segments[found.ref.hash] = found.data
        return found

    def within(self, source: str, first: int, end: int) -> list[tuple[str, int, int]]:
        """The segments that bytes `first` to `end` of an object touch: (hash, from its byte, to its byte)."""
        if source in self.segments:
            return [(source, first, end)]
        found, start = [], 0
        for ref in self.bulks.get(source, ()):
            if start + ref.size > first and start < end:
                found.append((ref.hash, max(0, first - start), min(ref.size, end - start)))
            start += ref.size
        return found

    def back_up(self) -> None:
        """Remember all that a backup holds."""
        self._backup = {
            "streams": {name: dict(stream.records) for name, stream in self.streams.items()},
            "receipts": dict(self.receipts),
            "effects": {id_: list(found) for id_, found in self.effects.items()},
            "numbers": dict(self.numbers),
            "items": list(self.items),
            "version": self.version,
        }

    def come_back(self) -> bool:
        """Be as the backup was, in a new epoch; False where there is none."""
        kept = self._backup
        if kept is None:
            return False
        for name, stream in self.streams.items():
            stream.records = dict(kept["streams"].get(name, {}))
        self.receipts, self.effects = dict(kept["receipts"]), {k: list(v) for k, v in kept["effects"].items()}
        self.numbers, self.items, self.version = dict(kept["numbers"]), list(kept["items"]), kept["version"]
        self.begin_epoch(self._random.choice((1, 3, 1000)))
        self._sign()
        return True


def coded(lines: Sequence[bytes], codec: int, prefix: bytes = b"") -> Segment:
    """Return the segment of `lines` in this codec, or primed where there is a prefix of use.

    docs/protocol.md, 1.6. A hub tries all codecs and takes the smallest result; readers must take any.
    """
    raw = b"".join(line + b"\n" for line in lines)
    settings = b""
    if SHORTEST_PREFIX <= len(prefix) <= limits.PREFIX:
        codec, settings = PRIMED, bytes((_ORDER, _MEMORY_LOG)) + write_number(len(prefix))
        payload = ppmd.compress(raw, _ORDER, _MEMORY_LOG, prefix)
    elif codec == PPMD:
        settings = bytes((_ORDER, _MEMORY_LOG))
        payload = ppmd.compress(raw, _ORDER, _MEMORY_LOG)
    else:
        assert codec in (IDENTITY, ZSTD), codec
        payload = raw if codec == IDENTITY else zstd_frame(raw)
    head = b"HS\x02" + bytes((codec,)) + write_number(len(raw)) + hashlib.sha256(raw).digest()
    data = head + settings + payload
    return Segment(SegmentRef(sha256(data), len(data)), data)
