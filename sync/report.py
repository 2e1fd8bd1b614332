"""What a sync tells while it runs and when it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from resources_cache.errors import CacheError
from sync.errors import SyncError

Phase = Literal["connecting", "sending", "catalogue", "applying", "files", "done"]
KnownError = SyncError | CacheError


@dataclass(frozen=True)
class Progress:
    """How far a sync is: content bytes done of those known to come, records stored so far, the stream at hand."""

    phase: Phase
    bytes_done: int = 0
    bytes_total: int = 0
    records: int = 0
    stream: str = ""


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True)
class SyncReport:
    """What one sync did. Bytes are HTTP with headers; `seconds` wall time; `records` put and deleted together.

    `up_to_date`: everything subscribed is here, the outbox is delivered, and nothing went wrong. `error` is
    the known error that ended it or stood in the way, or None. `expired`: the hub's signature is past its
    date, which warns and locks nobody out. `postponed`: bytes, about, that wait for a better link (low-data
    mode). `clock_ahead`: seconds by which this computer's clock is ahead of the hub's, None where it did not say.
    """

    requests: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    segments_applied: int = 0
    records: int = 0
    operations_sent: int = 0
    up_to_date: bool = False
    expired: bool = False
    postponed: int = 0
    seconds: float = 0.0
    clock_ahead: int | None = None
    error: KnownError | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as JSON; `error` is None or `{code, message, advice}`."""
        error = None
        if self.error is not None:
            error = {"code": self.error.code, "message": str(self.error), "advice": self.error.advice}
        return {
            "requests": self.requests,
            "bytes_up": self.bytes_up,
            "bytes_down": self.bytes_down,
            "segments_applied": self.segments_applied,
            "records": self.records,
            "operations_sent": self.operations_sent,
            "up_to_date": self.up_to_date,
            "expired": self.expired,
            "postponed": self.postponed,
            "seconds": round(self.seconds, 3),
            "clock_ahead": self.clock_ahead,
            "error": error,
        }
