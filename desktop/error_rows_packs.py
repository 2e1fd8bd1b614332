"""Rows of `error_table.TABLE` about packs, content carried by hand, in the order of `ErrorWords`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.words import N_

if TYPE_CHECKING:
    from desktop.error_table import Step, Weight

_NOTHING = N_("Nothing on this computer was changed.")
_STAYS = N_("What came from the stick before is kept.")
_COPY = N_("Copy details")

ROWS: dict[str, tuple[str, str, str, str, Step, Weight]] = {
    "not-a-pack": (
        N_("There is no pack of a hub here."),
        _NOTHING,
        N_("Choose the stick, or the folder hubshelf-pack on it."),
        _COPY,
        "copy",
        "care",
    ),
    "pack-damaged": (
        N_("The pack is damaged or not whole."),
        N_("Nothing damaged was kept."),
        N_("Have the pack made again, on another stick if you can."),
        _COPY,
        "copy",
        "care",
    ),
    "not-in-pack": (
        N_("This pack does not have everything that your shelf keeps."),
        N_("What it has is on your shelf now."),
        N_("Ask for a pack with all your languages."),
        _COPY,
        "copy",
        "quiet",
    ),
    "pack-unreadable": (
        N_("The stick cannot be read any more."),
        _STAYS,
        N_("Put the stick in and choose it again: it goes on where it stopped."),
        _COPY,
        "copy",
        "care",
    ),
    "pack-unwritable": (
        N_("The stick cannot be written."),
        N_("The pack that was on it before is whole."),
        N_("Check that the stick is in and not write-protected, then repeat it."),
        _COPY,
        "copy",
        "care",
    ),
    "pack-no-room": (
        N_("There is not enough room for this pack."),
        _NOTHING,
        N_("Free some space, or leave out files or languages."),
        _COPY,
        "copy",
        "care",
    ),
    "pack-file-too-large": (
        N_("A file of the pack is too large for this stick."),
        N_("The pack that was on it before is whole."),
        N_("Use a stick that is formatted as exFAT, or leave out files."),
        _COPY,
        "copy",
        "care",
    ),
    "pack-older": (
        N_("This pack is older than what you have."),
        _NOTHING,
        N_("Ask for a newer pack."),
        _COPY,
        "copy",
        "quiet",
    ),
    "other-hubs-pack": (
        N_("This pack is of another hub."),
        _NOTHING,
        N_("Ask for a pack of your own hub."),
        _COPY,
        "copy",
        "care",
    ),
    "pack-in-the-way": (
        N_("Another pack is there, of another hub or newer."),
        _NOTHING,
        N_("Use another stick or folder, or take in that pack first."),
        _COPY,
        "copy",
        "care",
    ),
    "pack-not-confirmed": (
        N_("This shelf belongs to no hub yet."),
        _NOTHING,
        N_("If you trust whoever gave you the stick, say yes to its hub."),
        _COPY,
        "copy",
        "care",
    ),
    "nothing-to-carry": (
        N_("This shelf has nothing to put on a stick."),
        _NOTHING,
        N_("Take in a pack first and keep it to give it on, or ask your hub for one."),
        _COPY,
        "copy",
        "quiet",
    ),
}
