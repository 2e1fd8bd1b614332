"""What the welcome says, and of which parts of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.widgets.tour import Stop, Tour
from desktop.words import _

if TYPE_CHECKING:
    from desktop.window import MainWindow


def welcome(window: MainWindow) -> Tour:
    """Open the welcome over a window that shows a place."""
    centre = window.centralWidget()
    assert centre is not None, "a window has what it shows"
    for other in window.findChildren(Tour):
        if other.isVisible():
            other.leave()
    return Tour(
        centre,
        [
            Stop(
                lambda: window.rail,
                _("Your places"),
                _("Home says what is new. Everything here is on this computer and opens without a connection."),
            ),
            Stop(
                lambda: window.search,
                _("One search for everything"),
                _("Resources with their texts, discussions, people and your own notes. Ctrl+E leads here."),
            ),
            Stop(
                lambda: window.stack,
                _("Read, mark and keep"),
                _("What you open is shown here: mark words, write notes, save and cite. Nothing of it is lost."),
            ),
            Stop(
                lambda: window.rail.buttons["ask"],
                _("Ask whenever you like"),
                _("Write with no connection. It is kept as you type, and leaves when a link comes."),
            ),
            Stop(
                lambda: window.pill,
                _("How things stand"),
                _("When your shelf was last in step, and what waits to go. A click says what a sync would cost."),
            ),
        ],
    )
