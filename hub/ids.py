"""Identifiers: UUIDv7 made here, ids of other systems kept as they came."""

from __future__ import annotations

import os
import re
import threading
import time
import uuid

_IMPORTED = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_DERIVED = uuid.UUID("6f1f7a52-52c5-5c0e-9d0a-6f5cf0a3f7b1")

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562) as 36 characters; ids made by one process rise strictly.

    The 12 bits after the version are a counter (RFC 9562, method 1) so that ids made within one
    millisecond keep the order in which they were made: bulk imports then insert at the end of the index.
    """
    global _last
    with _lock:
        ticks = (time.time_ns() // 1_000_000) << 12
        _last = ticks = max(ticks, _last + 1)
    milliseconds, counter = ticks >> 12, ticks & 0xFFF
    random_tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | random_tail
    return str(uuid.UUID(int=value))


def derived_id(*parts: str) -> str:
    """The same UUIDv5 for the same parts, for records that have no id of their own (text editions)."""
    return str(uuid.uuid5(_DERIVED, "\x1f".join(parts)))


def is_importable_id(value: object) -> bool:
    """True when an id that came from outside may be kept: 1 to 64 of ``A-Za-z0-9._:-``."""
    return isinstance(value, str) and _IMPORTED.fullmatch(value) is not None
