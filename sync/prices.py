"""What a sync would cost before it starts: bytes, requests, and seconds at the speed of the last one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sync.pace import FIRST, LARGEST
from sync.protocol.messages import Operation

_EXCHANGE = 550
"""Bytes of one round trip of the personal plane with its headers, its answer and a signed head."""
_FRAMING = 40
"""Bytes around a segment that comes behind the hub's answer."""
_REQUEST = 420
"""Bytes of one request for a range, and of the headers of its answer."""
_PACKED = 0.55
"""What is left of an operation once it is packed."""
_INLINE = 4 * 1024 * 1024


@dataclass(frozen=True)
class Price:
    """`bytes`: HTTP both ways with headers. `seconds`: None where no speed was measured yet."""

    bytes: int
    requests: int
    seconds: int | None

    def to_json(self) -> dict[str, Any]:
        return {"bytes": self.bytes, "requests": self.requests, "seconds": self.seconds}


def price_of(segments: Sequence[int], operations: Sequence[Operation], rate: object) -> Price:
    """Return the price of fetching `segments` (bytes each) and sending `operations` at `rate` bytes a second."""
    content = sum(segments)
    if not content and not operations:
        return Price(0, 0, None)
    sent = round(sum(operation.size for operation in operations) * _PACKED)
    ranges = 0 if content <= _INLINE else _ranges(content)
    total = _EXCHANGE + sent + content + _FRAMING * len(segments) + _REQUEST * ranges
    seconds = round(total / rate) if isinstance(rate, int | float) and rate > 0 else None
    return Price(total, 1 + ranges, seconds)


def _ranges(content: int) -> int:
    """How many ranges a long object is read in: the first are small, and each may be four times the last."""
    count, size = 0, FIRST
    while content > 0:
        content -= size
        size = min(LARGEST, size * 4)
        count += 1
    return count
