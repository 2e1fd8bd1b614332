"""How much to ask for at once: small at first, then about what this link carries in a while, less after losses.

A request that is cut loses nothing of what arrived, but each one costs a round trip, and one that is too long
keeps everything else waiting.
"""

from __future__ import annotations

from dataclasses import dataclass

SMALLEST = 16 * 1024
"""Bytes; a link that does not carry these before it drops carries nothing."""
FIRST = 128 * 1024
LARGEST = 32 * 1024 * 1024
AIM_SECONDS = 20.0
"""What a request should take on a link that drops."""
STEADY_SECONDS = 60.0
"""What it may take while the link has not dropped once."""
SLOW = 44_000
"""Bytes a second, about 350 kbit/s: where the 64 KB that buffers on the way hold take a second and a half, what is
lost with them at a cut is worth the headers of shorter requests."""
TRUSTED_SECONDS = 30.0
"""A slow link that has been up so long and never dropped is asked for long ranges."""
_CAREFUL_FROM = 0.7
"""The share of the time that the link held before it dropped, after which it may drop again."""
_FILLED = 0.85
_SMALLEST_PIECE = 4 * 1024
_LARGEST_PIECE = 32 * 1024
_SHORTEST_HOLD = 2.0
_REFUSED_SECONDS = 1.0
"""In less, while no round trip is known, a request was refused rather than cut."""
_GROWTH = 4
_LOSSES = 2


@dataclass(frozen=True)
class Portion:
    """How many bytes to ask for, and in pieces of how many; 0: in one.

    `first`: of how many the first piece is, where it is longer than the others; else 0.
    """

    size: int
    piece: int = 0
    first: int = 0


class Pace:
    """The size of the next request in bytes, learnt from how the last ones went."""

    def __init__(self, size: int = FIRST) -> None:
        self.size = max(SMALLEST, min(LARGEST, size))
        self.rate = 0.0
        """Bytes a second, smoothed; 0 before the first request."""
        self._fastest = 0.0
        self._round_trip = 0.0
        self._lost = 0
        self._ever_lost = False
        self._up_since: float | None = None
        self._heard = 0.0
        self._hold = 0.0

    def portion(self, now: float) -> Portion:
        """Return what to ask for at `now` (seconds of a clock that never goes back)."""
        if self._up_since is None:
            self._up_since = self._heard = now
        if not 0 < self._fastest < SLOW or not self._round_trip:
            return Portion(self.size)
        # One piece arrives while the request for the next one travels: with as much as the link itself holds in
        # each it would never be idle, and with a little less nothing waits in front of it.
        held = self._fastest * self._round_trip
        piece = int(max(_SMALLEST_PIECE, min(_LARGEST_PIECE, held * _FILLED)))
        age = now - self._up_since
        if self._hold:
            # Short ones from when it may drop again; the first of them is asked for while the long one arrives.
            first = int(self._fastest * (self._hold * _CAREFUL_FROM - age))
            if first > SMALLEST:
                return Portion(self.size, piece, first) if first < self.size else Portion(self.size)
        elif age >= TRUSTED_SECONDS:
            return Portion(self.size)
        return Portion(self.size, piece)

    def waited(self, seconds: float) -> None:
        """Note how long the headers of an answer took: the shortest is the link's round trip."""
        self._round_trip = min(self._round_trip or seconds, seconds)

    def heard(self, now: float) -> None:
        """Note that bytes have arrived."""
        self._heard = now

    def went(self, count: int, seconds: float) -> None:
        """Note a request that brought `count` bytes in `seconds`."""
        if count <= 0:
            return
        seen = count / max(seconds, 0.001)
        self.rate = seen if not self.rate else 0.5 * self.rate + 0.5 * seen
        self._fastest = max(self._fastest, seen)
        self._lost = 0
        aim = AIM_SECONDS if self._ever_lost else STEADY_SECONDS
        self.size = int(max(SMALLEST, min(LARGEST, self.rate * aim, self.size * _GROWTH)))

    def lost(self, seconds: float) -> None:
        """Note a request that was cut after `seconds`; after two in a row, half as much is asked for.

        One that ended before an answer can have begun was no cut: there is no link, and its length is not why.
        """
        self.dropped()
        if seconds < (self._round_trip or _REFUSED_SECONDS):
            return
        self._ever_lost = True
        self._lost += 1
        if self.rate:
            self.size = int(max(SMALLEST, min(self.size, self.rate * AIM_SECONDS)))
        if self._lost >= _LOSSES:
            self._lost = 0
            self.size = max(SMALLEST, self.size // 2)

    def dropped(self) -> None:
        """Note that the link is gone, whatever was under way."""
        if self._up_since is not None and self._heard - self._up_since >= _SHORTEST_HOLD:
            held = self._heard - self._up_since
            self._hold = min(self._hold or held, held)
        self._up_since = None
