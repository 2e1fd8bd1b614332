"""How long to wait after failures: full jitter, so that an office full of shelves does not come back at once.

Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 ("full jitter").
"""

from __future__ import annotations

from random import Random

SHORTEST = 5.0
"""seconds"""
LONGEST = 30 * 60.0
"""seconds"""
_DOUBLINGS = 20


def next_delay(attempt: int, chance: Random) -> float:
    """Return the seconds to wait after failure number `attempt` (from 1): SHORTEST to LONGEST.

    The range doubles with each failure; where in it the delay falls is left to `chance`.
    """
    if attempt < 1:
        raise ValueError("failures are counted from 1")
    ceiling = min(LONGEST, SHORTEST * 2.0 ** min(attempt, _DOUBLINGS))
    return SHORTEST + chance.random() * (ceiling - SHORTEST)
