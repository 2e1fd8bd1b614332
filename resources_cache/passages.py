"""The passage of a record that is shown under its title in an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resources_cache.records import Part
from resources_cache.text import Query
from resources_cache.text.snippets import Marker

_ORDER = ("summary", "body", "names", "title")
"""The title comes last: it is shown anyway."""


def passage(parts: Sequence[Part], keywords: tuple[str, str], wanted: Query, marker: Marker | None = None) -> str:
    """About 220 characters from the part that has the most of the words, these between U+0002 and U+0003.

    Each part is looked at by itself: nobody can read a passage that runs from a summary into its translation.
    Keywords are no prose, and shown only where nothing else has any of the words. ``parts`` and ``keywords``: what
    the functions of that name make of the record. ``marker``: that of ``wanted``, where there is one.
    """
    marker = marker or Marker(wanted)
    best, most = "", -1
    for _column, text, tag in _in_order(parts, keywords[0]):
        shown, matches = marker.snippet(text, tag)
        if matches > most:
            best, most = shown, matches
    if most > 0:
        return best
    words, tag = keywords
    shown, matches = marker.snippet(words, tag) if words else ("", 0)
    return shown if matches > 0 else best


def _in_order(parts: Sequence[Part], left_out: str) -> Iterator[Part]:
    found = [part for part in parts if not left_out or part[1] != left_out]
    for column in _ORDER:
        yield from (part for part in found if part[0] == column)
