"""What went over the wire, and what may: bytes of HTTP with its headers (without TLS and TCP)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sync.errors import BudgetReached

REPLY_RESERVE = 1024
"""Bytes set aside for the status line and headers of one answer when a request is planned within a budget."""


class Traffic:
    """Counts requests and bytes both ways; with a budget, refuses the byte that would go over it.

    One thread may read an answer while another asks.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.up = 0
        self.down = 0
        self.clock_ahead: float | None = None
        """Seconds by which this computer's clock was ahead of the hub's, as its last answer had it, if it did."""
        self._allowed: int | None = None
        self._coming = 0  # bytes that a read under way may bring
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Bytes both ways."""
        return self.up + self.down

    @property
    def left(self) -> int | None:
        """Bytes that may still be moved; None where there is no budget."""
        return None if self._allowed is None else max(0, self._allowed - self.total)

    def allow(self, budget: int | None) -> None:
        """From now on move at most `budget` bytes; None takes the bound away."""
        self._allowed = None if budget is None else self.total + budget

    def asked(self, requests: int = 1) -> None:
        """Note a request about to leave; -1 takes back one that did not, or that was noted when it left early."""
        with self._lock:
            self.requests += requests

    def send(self, count: int) -> None:
        """Note `count` bytes about to leave. Raises BudgetReached, and then they must not."""
        with self._lock:
            self._require(count)
            self.up += count

    def read(self, count: int, bring: Callable[[int], int]) -> int:
        """Let `bring` read at most so many of `count` bytes as are allowed, at least 1; return how many came.

        What may come is set aside meanwhile, so that nothing that leaves in another thread takes its room. Raises
        BudgetReached where none may, and what `bring` raises.
        """
        with self._lock:
            self._require(1)
            most = count if self._allowed is None else min(count, self._allowed - self.total - self._coming)
            self._coming += most
        came = 0
        try:
            came = bring(most)
        finally:
            with self._lock:
                self._coming -= most
                self.down += came
        return came

    def require(self, sent: int) -> None:
        """Raise BudgetReached where a request of `sent` bytes and the headers of its answer have no room."""
        self._require(sent + REPLY_RESERVE)

    def _require(self, count: int) -> None:
        if self._allowed is not None and self.total + self._coming + count > self._allowed:
            raise BudgetReached(
                f"The bytes allowed for this sync are spent: {self.total:,} were moved, and {count:,} more "
                "would go over."
            )
