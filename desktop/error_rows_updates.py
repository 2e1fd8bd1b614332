"""Rows of `error_table.TABLE` about newer versions of the program, in the order of `ErrorWords`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.words import N_

if TYPE_CHECKING:
    from desktop.error_table import Step, Weight

_GOES_ON = N_("The version that is here goes on.")
_COPY = N_("Copy details")

ROWS: dict[str, tuple[str, str, str, str, Step, Weight]] = {
    "no-update": (
        N_("The newest version that your hub gives to this computer is here."),
        _GOES_ON,
        N_("There is nothing to do."),
        _COPY,
        "copy",
        "quiet",
    ),
    "nothing-before": (
        N_("There is no version to go back to."),
        _GOES_ON,
        N_("There is nothing to do."),
        _COPY,
        "copy",
        "quiet",
    ),
    "updates-off": (
        N_("Your IT team brings Hubshelf up to date."),
        _GOES_ON,
        N_("Ask them where you need a newer version."),
        _COPY,
        "copy",
        "quiet",
    ),
    "not-a-build": (
        N_("This Hubshelf does not bring itself up to date."),
        _GOES_ON,
        N_("Bring it up to date in the way in which it was installed."),
        _COPY,
        "copy",
        "quiet",
    ),
    "update-damaged": (
        N_("The new version did not come as the hub signed it."),
        N_("Nothing of it was used. The version that is here goes on."),
        N_("Try again: it is fetched anew."),
        _COPY,
        "copy",
        "care",
    ),
    "update-no-room": (
        N_("There is not enough room for the new version."),
        N_("What was fetched is kept. The version that is here goes on."),
        N_("Free some space and try again."),
        N_("Free some space"),
        "free-space",
        "care",
    ),
}
