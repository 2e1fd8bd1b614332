"""Why a file cannot be shown: whatever a file holds, reading it ends in a view or in one of these."""

from __future__ import annotations

from typing import Literal

from desktop.words import N_, _

Reason = Literal["damaged", "protected", "too-large", "unknown"]

_WORDS: dict[Reason, str] = {
    "damaged": N_("This file is damaged and cannot be shown. Download it again, or save a copy."),
    "protected": N_("This file is protected, so it cannot be shown here. Save a copy and open it with its key."),
    "too-large": N_("This file is too large to be shown here. Save a copy and open it with another program."),
    "unknown": N_("Files of this kind are not shown here. Save a copy and open it with another program."),
}


class Unreadable(Exception):
    """A file, or a part of it, that cannot be shown; `reason` says why. Nothing of it is kept in memory."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason

    @property
    def words(self) -> str:
        """For the person, in the window's language."""
        return _(_WORDS[self.reason])
