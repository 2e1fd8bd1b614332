"""Reports to the moderators, in words: why, where it stands, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desktop.amounts import date
from desktop.words import N_, _

REASONS: dict[str, str] = {
    "wrong": N_("It is wrong or outdated"),
    "offensive": N_("It is offensive"),
    "private": N_("It tells something private"),
    "spam": N_("It is spam"),
    "other": N_("Something else"),
}
_OUTCOMES: dict[str, tuple[str, str]] = {
    "removed": (N_("Looked at on {day}: it was removed."), N_("Removed")),
    "changed": (N_("Looked at on {day}: it was corrected or marked."), N_("Corrected or marked")),
    "stays": (N_("Looked at on {day}: it stays."), N_("It stays")),
}
MEANINGS: dict[str, str] = {
    "received": N_("The moderators have it. Only they see who reported; they will tell you here what came of it."),
    "answered": N_("The moderators have looked at it."),
}


def reason(body: Mapping[str, Any]) -> str:
    """Why it was reported."""
    return _(REASONS.get(str(body.get("reason")), REASONS["other"]))


def outcome(record: Mapping[str, Any] | None) -> str:
    """What came of it and when, by the record of the personal feed; "" while nobody has looked at it."""
    state = str((record or {}).get("state"))
    if record is None or state not in _OUTCOMES:
        return ""
    return _(_OUTCOMES[state][0]).format(day=date(str(record.get("updated") or "")))


def outcome_badge(record: Mapping[str, Any] | None) -> str:
    """The same in a word or two."""
    state = str((record or {}).get("state"))
    return _(_OUTCOMES[state][1]) if state in _OUTCOMES else ""
