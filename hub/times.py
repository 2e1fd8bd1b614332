"""Times as they stand on the wire: UTC, ISO 8601, whole seconds, ``Z``."""

from __future__ import annotations

from datetime import UTC, date, datetime, time


def to_wire(moment: datetime) -> str:
    """``2026-09-14T08:30:00Z``. ``moment`` must be aware."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_wire(text: str) -> datetime:
    """An aware datetime in UTC from ISO 8601; a bare date is its midnight, a naive time is taken as UTC.

    Raises ValueError for anything else.
    """
    text = text.strip()
    if len(text) == 10:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the calendar") from error
