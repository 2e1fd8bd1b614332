"""Rows of `error_table.TABLE` about what an administrator decided, in the order of `ErrorWords`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.words import N_

if TYPE_CHECKING:
    from desktop.error_table import Step, Weight

_NOTHING = N_("Nothing on this computer was changed.")
_READ_ON = N_("Everything on your shelf can still be read and searched.")

ROWS: dict[str, tuple[str, str, str, str, Step, Weight]] = {
    "setting-locked": (
        N_("Your administrator decided this for this computer."),
        _NOTHING,
        N_("Ask your IT team if it should be otherwise."),
        N_("Copy details"),
        "copy",
        "care",
    ),
    "no-site-code": (
        N_("This computer has no hub and code of its own to join with."),
        _NOTHING,
        N_("Fill in the address and the code that your hub gave you, or ask your IT team."),
        N_("Connect to a hub"),
        "enrol",
        "care",
    ),
    "no-machine-library": (
        N_("This computer has no library for all who use it."),
        _NOTHING,
        N_("Your IT team can decide that it has one."),
        N_("Copy details"),
        "copy",
        "care",
    ),
    "not-the-keeper": (
        N_("The library of this computer belongs to another account."),
        _NOTHING,
        N_("Your IT team can bring it up to date."),
        N_("Copy details"),
        "copy",
        "care",
    ),
    "not-an-address": (
        N_("A name or an e-mail address is missing or cannot be right."),
        _NOTHING,
        N_("Write your name, and an address such as name@ministry.example"),
        N_("Preferences"),
        "preferences",
        "care",
    ),
    "site-code-used-up": (
        N_("All places of your office's code are taken."),
        _READ_ON,
        N_("Ask your IT team for a code with more places."),
        N_("Copy details"),
        "copy",
        "care",
    ),
    "site-code-expired": (
        N_("Your office's code is no longer good."),
        _READ_ON,
        N_("Ask your IT team for a new code."),
        N_("Copy details"),
        "copy",
        "care",
    ),
    "already-a-member": (
        N_("The hub knows already who you are."),
        N_("Everything on your shelf can still be read and searched."),
        N_("To change your name or address, write to the people who run your hub."),
        N_("Preferences"),
        "preferences",
        "quiet",
    ),
    "still-joining": (
        N_("The people who run your hub have not confirmed yet who you are."),
        N_("You read what is for everybody, and may ask. What is only for members comes once they have."),
        N_("There is nothing to do. Write to them if it takes long."),
        N_("Copy details"),
        "copy",
        "quiet",
    ),
}
