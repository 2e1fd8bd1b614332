"""What a person allows a sync to do on their link: bytes a day, hours, and whether long texts may wait.

Settings of own.db: `daily_limit` (bytes a day; none, 0 or anything else: no limit), `allowed_hours` (a list of
["HH:MM", "HH:MM"] in local time; the end may lie after midnight; none: always), `low_data` (true: texts wait).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from resources_cache.own import Own

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DAY = 24 * 60


@dataclass(frozen=True)
class Manners:
    """`left_today`: bytes that may still be moved today, None without a limit. `hours`: minutes of the day."""

    left_today: int | None = None
    hours: Sequence[tuple[int, int]] = ()
    low_data: bool = False
    binding: bool = False
    """The limit is the administrator's: nothing is let past it."""

    @classmethod
    def of(cls, own: Own) -> Manners:
        """Read the settings; one that cannot be understood is as if it were not there. Raises CacheError."""
        limit = own.setting("daily_limit")
        left = None
        if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0:
            left = max(0, limit - own.spent())
        binding = left is not None and own.is_locked("daily_limit")
        return cls(left, _hours(own.setting("allowed_hours")), own.setting("low_data") is True, binding)

    def wait(self, now: datetime) -> float:
        """Return the seconds from `now` (local time) until a sync may run by itself; 0 where it may at once."""
        if not self.hours:
            return 0.0
        minute = now.hour * 60 + now.minute
        if any(_within(minute, start, end) for start, end in self.hours):
            return 0.0
        ahead = min((start - minute) % _DAY for start, _ in self.hours)
        begin = now.replace(second=0, microsecond=0) + timedelta(minutes=ahead)
        return max(1.0, (begin - now).total_seconds())


def _within(minute: int, start: int, end: int) -> bool:
    return start <= minute < end if start < end else minute >= start or minute < end


def _hours(setting: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(setting, list):
        return ()
    found = []
    for pair in setting:
        if isinstance(pair, list) and len(pair) == 2:
            start, end = _minutes(pair[0]), _minutes(pair[1])
            if start is not None and end is not None and start != end:
                found.append((start, end))
    return tuple(found)


def _minutes(clock: object) -> int | None:
    match = _CLOCK.fullmatch(clock) if isinstance(clock, str) else None
    return None if match is None else int(match[1]) * 60 + int(match[2])
