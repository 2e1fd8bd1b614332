"""How much to ask for at once: small at first, then about what this link carries in a while, less after losses.

A request that is cut loses nothing of what arrived, but each one costs a round trip, and one that is too long
keeps everything else waiting.
"""

from __future__ import annotations

SMALLEST = 16 * 1024
"""Bytes; a link that does not carry these before it drops carries nothing."""
FIRST = 128 * 1024
LARGEST = 32 * 1024 * 1024
AIM_SECONDS = 20.0
"""What a request should take on a link that drops."""
STEADY_SECONDS = 60.0
"""What it may take while the link has not dropped once."""
_GROWTH = 4
_LOSSES = 2


class Pace:
    """The size of the next request in bytes, learnt from how the last ones went."""

    def __init__(self, size: int = FIRST) -> None:
        self.size = max(SMALLEST, min(LARGEST, size))
        self.rate = 0.0
        """Bytes a second, smoothed; 0 before the first request."""
        self._lost = 0
        self._ever_lost = False

    def went(self, count: int, seconds: float) -> None:
        """Note a request that brought `count` bytes in `seconds`."""
        if count <= 0:
            return
        seen = count / max(seconds, 0.001)
        self.rate = seen if not self.rate else 0.5 * self.rate + 0.5 * seen
        self._lost = 0
        aim = AIM_SECONDS if self._ever_lost else STEADY_SECONDS
        self.size = int(max(SMALLEST, min(LARGEST, self.rate * aim, self.size * _GROWTH)))

    def lost(self) -> None:
        """Note a request that was cut; after two in a row, half as much is asked for."""
        self._ever_lost = True
        self._lost += 1
        if self.rate:
            self.size = int(max(SMALLEST, min(self.size, self.rate * AIM_SECONDS)))
        if self._lost >= _LOSSES:
            self._lost = 0
            self.size = max(SMALLEST, self.size // 2)
