"""The passage of a record that is shown under its title in an answer."""

from __future__ import annotations

from collections.abc import Sequence

from resources_cache.records import KEYWORDS, Part
from resources_cache.text import Query
from resources_cache.text.snippets import Marker, Place

_ORDER = ("summary", "body", "names", "title", KEYWORDS)
"""The title comes last of the prose: it is shown anyway."""


def passage(parts: Sequence[Part], wanted: Query, marker: Marker | None = None) -> str:
    """About 220 characters from the part that has the most of the words, these between U+0002 and U+0003.

    Each part is looked at by itself: nobody can read a passage that runs from a summary into its translation.
    Keywords are shown only where nothing else has any of the words. ``parts``: what the function of that name
    makes of the record. ``marker``: that of ``wanted``, where there is one.
    """
    marker = marker or Marker(wanted)
    best: Place | None = None
    for column in _ORDER:
        for one, text, tag in parts:
            if one != column or (column == KEYWORDS and best is not None and best.words):
                continue
            found = marker.place(text, tag)
            if found.has_all:
                return found.shown()
            if found.words > best.words if best is not None else found.words or column != KEYWORDS:
                best = found
    return best.shown() if best is not None else ""
