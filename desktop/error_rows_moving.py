"""Rows of `error_table.TABLE` about moving to a new PC and one's own devices, in the order of `ErrorWords`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.words import N_

if TYPE_CHECKING:
    from desktop.error_table import Step, Weight

_NOTHING = N_("Nothing on this computer was changed.")
_COMPUTERS = N_("Your computers")

ROWS: dict[str, tuple[str, str, str, str, Step, Weight]] = {
    "shelf-moved": (
        N_("This shelf was moved to another PC."),
        N_("You can read everything here. Your writing goes out from the new PC."),
        N_("To write from here again, use this PC again."),
        _COMPUTERS,
        "moving",
        "quiet",
    ),
    "device-moved": (
        N_("Another PC has taken the place of this one."),
        N_("Your notes and what you wrote stay here. What is only for members was removed from this computer."),
        N_("Go on at the other PC. To use this one too, connect with a new code from your hub."),
        N_("Connect again"),
        "enrol",
        "care",
    ),
    "device-revoked": (
        N_("The access of this computer was taken away."),
        N_("Your notes and what you wrote stay here. What is only for members was removed from this computer."),
        N_("If you did not expect this, ask your hub. With a new code you can connect again."),
        N_("Connect again"),
        "enrol",
        "care",
    ),
    "device-lost": (
        N_("This computer was reported lost."),
        N_("What you wrote and received was removed from it. What is for everybody can still be read."),
        N_("If it was found again, ask your hub for a new code."),
        N_("Connect again"),
        "enrol",
        "care",
    ),
    "not-a-move-file": (
        N_("This is not a file for moving to a new PC."),
        _NOTHING,
        N_("Choose the file that you made on the old PC. Its name ends in .hubshelf-move"),
        _COMPUTERS,
        "moving",
        "care",
    ),
    "move-file-too-new": (
        N_("This file was made by a newer version of Hubshelf."),
        _NOTHING,
        N_("Install the newer version, or ask your IT team for it."),
        N_("Copy details"),
        "copy",
        "care",
    ),
    "move-file-damaged": (
        N_("This file is damaged or not whole."),
        _NOTHING,
        N_("Copy it from the old PC once more, or make it there again."),
        _COMPUTERS,
        "moving",
        "care",
    ),
    "wrong-passphrase": (
        N_("This passphrase does not open the file."),
        _NOTHING,
        N_("Look at it letter by letter, capitals too."),
        _COMPUTERS,
        "moving",
        "care",
    ),
    "passphrase-short": (
        N_("The passphrase is too short, or too long."),
        _NOTHING,
        N_("Take at least eight letters; four or five words are better."),
        _COMPUTERS,
        "moving",
        "quiet",
    ),
    "shelf-in-use": (
        N_("Somebody already works with the shelf on this PC."),
        _NOTHING,
        N_("Ask your IT team for a shelf of its own, so that the two do not mix."),
        N_("Copy details"),
        "copy",
        "care",
    ),
    "file-exists": (
        N_("There is a file of that name already."),
        N_("It was not written over."),
        N_("Choose another name or another folder."),
        _COMPUTERS,
        "moving",
        "quiet",
    ),
    "no-such-device": (
        N_("The hub does not know this computer as yours."),
        N_("Nothing has changed."),
        N_("Look at the list again: it may have been removed meanwhile."),
        _COMPUTERS,
        "moving",
        "care",
    ),
}
