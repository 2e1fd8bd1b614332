"""How fast the link is: what bytes take in time is said beside everything that is to be sent or fetched."""

from __future__ import annotations

from desktop.shelf import Shelf

ASSUMED_SPEED = 12_000.0
"""Bytes a second where nothing was measured yet: a slow mobile link."""


def speed_of(shelf: Shelf) -> float:
    """Bytes a second: as the last syncs measured, else those of a slow mobile link."""
    rate = shelf.own.setting("link_rate")
    return float(rate) if isinstance(rate, int | float) and rate > 0 else ASSUMED_SPEED
