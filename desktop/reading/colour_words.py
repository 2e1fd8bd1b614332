"""The colours of highlights in words."""

from __future__ import annotations

from desktop.words import N_, _

COLOUR_WORDS = {"yellow": N_("Yellow"), "green": N_("Green"), "blue": N_("Blue"), "rose": N_("Rose")}
_HIGHLIGHT = {
    "yellow": N_("Highlight in yellow"),
    "green": N_("Highlight in green"),
    "blue": N_("Highlight in blue"),
    "rose": N_("Highlight in rose"),
}


def colour_word(colour: str) -> str:
    """A colour's name in the window's language."""
    return _(COLOUR_WORDS.get(colour, colour))


def in_colour(colour: str) -> str:
    """What a button does that highlights in this colour."""
    return _(_HIGHLIGHT[colour])
