"""Ids and times made on this computer."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime


def new_id() -> str:
    """A UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then random bits, so that ids sort by their making."""
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def utc_now() -> str:
    """Now in UTC to the second, as on the wire: "2026-09-14T08:30:00Z". For people; it orders nothing."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_day() -> str:
    """Today where the person is: "2026-09-14"."""
    return datetime.now().astimezone().date().isoformat()
