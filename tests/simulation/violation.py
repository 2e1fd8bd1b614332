"""What the checks of a history raise."""

from __future__ import annotations


class Violation(Exception):
    """An invariant does not hold."""


def require(holds: bool, what: str) -> None:
    """Raise Violation unless it holds."""
    if not holds:
        raise Violation(what)
