"""How many bytes the hub may put behind its answer: within the budget, and nothing before the news."""

from __future__ import annotations

from resources_cache.library import Library
from sync.actions import PostPersonal

_FOR_NEWS = 4 * 1024 * 1024
"""Where the shelf was complete: what is cut is continued."""
_FOR_BEGINNERS = 64 * 1024
"""Where it has yet to fetch its content, which comes in ranges of larger objects."""
_FOR_A_PRICE = 8 * 1024
"""Where a list of what there is is all that is needed: for a price, or half-way through a beginning."""


def room_for(action: PostPersonal, pricing: bool, library: Library, left: int | None) -> int:
    """Return the bytes; `left`: those that may still be moved at all, None without a bound. Raises CacheError."""
    room = _FOR_NEWS if action.at else _FOR_BEGINNERS
    if pricing or (not action.at and library.cursors()):
        # The hub would send again what is here already: it only knows at which version all of it was.
        room = _FOR_A_PRICE
    if left is not None:
        # What is sent, the answer itself and the headers of both come first.
        room = min(room, left // 2 - 4096 - 2 * sum(one.size for one in action.operations))
    return max(0, room)
