"""Which mirror is asked first: the one that was the fastest, the hub itself being one of them.

Each sync that fetches something measures who gave it. Now and then the one that was not tried for the longest
goes first, so that what became faster is noticed; whoever failed rests for a while. Counted in syncs, not in
hours: a shelf that was closed for a month has learnt nothing meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from resources_cache.own import Own
from sync.mirrors import addresses

SETTING = "mirror_speeds"
HUB = ""
"""The hub, among the addresses of mirrors."""
LEAST = 16 * 1024
"""Bytes of an answer from which its speed says something."""
_EXPLORE = 10
"""One sync in so many tries who was not tried for longest."""
_CLEARLY = 1.25
"""The hub is asked directly only where it is so many times as fast: mirrors are there to spare it."""
_REST_MOST = 64
_KEPT = 16


@dataclass
class Speed:
    """`rate`: bytes a second, smoothed, 0 for unknown; `tried`: in which sync last; `failures`: one after another;
    `rests`: until which sync it is left alone."""

    rate: float = 0.0
    tried: int = 0
    failures: int = 0
    rests: int = 0


@dataclass
class MirrorChoice:
    """The order of mirrors for one sync, and what is learnt in it. Times are given, none is read."""

    by_hand: list[str] = field(default_factory=list)
    """Those of the person or the office, which go first in the order given."""
    named: list[str] = field(default_factory=list)
    """Those that the hub's head names."""
    speeds: dict[str, Speed] = field(default_factory=dict)
    sync: int = 0
    """The number of this sync, among those that fetched something."""
    _learnt: bool = False

    @classmethod
    def of(cls, own: Own) -> MirrorChoice:
        """Read what is known. Raises CacheError."""
        by_hand = addresses(own.setting("office_mirrors"))
        named = [one for one in addresses(own.setting("mirrors")) if one not in by_hand]
        return cls(by_hand, named, *_read(own.setting(SETTING)))

    def order(self) -> list[str]:
        """Return the mirrors to be asked, in their order; after the last of them the hub is."""
        if not self.named:
            return list(self.by_hand)
        awake = [one for one in (*self.named, HUB) if self._of(one).rests <= self.sync]
        if HUB not in awake:
            awake.append(HUB)
        ranked = sorted(awake, key=self._rank)
        if self.sync % _EXPLORE == _EXPLORE - 1:
            oldest = min(awake, key=lambda one: self._of(one).tried)
            ranked.remove(oldest)
            ranked.insert(0, oldest)
        return [*self.by_hand, *ranked[: ranked.index(HUB)]]

    def gave(self, address: str, count: int, seconds: float) -> None:
        """An answer of `count` bytes took so many seconds. Short ones say nothing."""
        if count < LEAST or seconds <= 0:
            return
        speed, rate = self._mine(address), count / seconds
        # Of two links of which one is ten times as fast now and then, the mean of logarithms is the fair one.
        speed.rate = rate if not speed.rate else math.exp((math.log(speed.rate) + math.log(rate)) / 2)
        speed.tried, speed.failures, speed.rests = self.sync, 0, 0

    def failed(self, address: str) -> None:
        """It did not answer, broke off, or gave something wrong: it rests, longer each time."""
        speed = self._mine(address)
        speed.failures += 1
        speed.tried = self.sync
        speed.rests = self.sync + min(2**speed.failures, _REST_MOST)

    def keep(self, own: Own) -> None:
        """Keep what was learnt, of those that are named now. Raises CacheError."""
        if not self._learnt or not self.named:
            return
        known = {one: asdict(self.speeds[one]) for one in (HUB, *self.named) if one in self.speeds}
        own.set_setting(SETTING, {"sync": self.sync + 1, "speeds": dict(list(known.items())[:_KEPT])})

    def _rank(self, address: str) -> tuple[int, float]:
        rate = self._of(address).rate
        if address == HUB:
            # Never measured, it comes behind those that are named instead of it.
            return (1, -rate / _CLEARLY) if rate else (2, 0.0)
        return (1, -rate) if rate else (0, self.named.index(address))

    def _of(self, address: str) -> Speed:
        return self.speeds.get(address) or Speed()

    def _mine(self, address: str) -> Speed:
        self._learnt = True
        return self.speeds.setdefault(address, Speed())


def _read(kept: object) -> tuple[dict[str, Speed], int]:
    """What the setting holds; what cannot be read is as if nothing had been learnt."""
    if not isinstance(kept, Mapping):
        return {}, 0
    speeds, sync = kept.get("speeds"), kept.get("sync")
    found = {
        str(address): speed
        for address, one in _pairs(speeds)
        if isinstance(one, Mapping) and (speed := _speed(one)) is not None
    }
    return found, sync if isinstance(sync, int) and sync >= 0 else 0


def _pairs(found: object) -> Iterable[tuple[Any, Any]]:
    return found.items() if isinstance(found, Mapping) else ()


def _speed(one: Mapping[str, Any]) -> Speed | None:
    numbers = [one.get(name, 0) for name in ("rate", "tried", "failures", "rests")]
    if not all(isinstance(value, int | float) and 0 <= value < 1e15 for value in numbers):
        return None
    rate, *counts = numbers
    return Speed(float(rate), *(int(count) for count in counts))
