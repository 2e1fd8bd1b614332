"""Rows of `error_table.TABLE` about the network of an office, in the order of `ErrorWords`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.words import N_

if TYPE_CHECKING:
    from desktop.error_table import Step, Weight

_SAFE = N_("What you wrote is safe on this computer.")
_READ_ON = N_("Everything on your shelf can still be read and searched.")
_NAME = N_("Name and password")

ROWS: dict[str, tuple[str, str, str, str, Step, Weight]] = {
    "proxy-login": (
        N_("The proxy of this network wants a name and a password."),
        _SAFE,
        N_("Give those that your office uses for the internet. Your IT team knows them."),
        _NAME,
        "proxy-login",
        "care",
    ),
    "name-not-found": (
        N_("The name of your hub is not known on this network."),
        _SAFE,
        N_("Check the connection. Where other pages open, tell your IT team."),
        N_("Try again"),
        "sync",
        "quiet",
    ),
    "hub-moved": (
        N_("Your hub has a new address."),
        _SAFE,
        N_("Hubshelf goes there by itself."),
        N_("Sync now"),
        "sync",
        "quiet",
    ),
    "hub-moved-locked": (
        N_("Your hub has a new address, and your administrator decided for the old one."),
        _SAFE,
        N_("Tell your IT team. The details have the new address."),
        N_("Copy details"),
        "copy",
        "care",
    ),
    "no-proxy": (
        N_("No proxy is asked on the way to your hub."),
        N_("No name and password were kept."),
        N_("Try to sync. If it does not work, ask your IT team."),
        N_("Sync now"),
        "sync",
        "quiet",
    ),
    "not-a-login": (
        N_("A name or a password is missing, or cannot be right."),
        N_("Nothing was kept."),
        N_("Give both. A name has no colon in it."),
        _NAME,
        "proxy-login",
        "care",
    ),
}
