"""What the palette offers of the shelf: where reading stopped last, and titles for what is being typed."""

from __future__ import annotations

from dataclasses import replace

from desktop.card_rows import hit_row
from desktop.navigation import place_of
from desktop.shelf import Shelf
from desktop.state_words import RECORD_KINDS
from desktop.widgets.cards import CardRow

RECENT = 5
TITLES = 7


def recently_read(shelf: Shelf) -> list[CardRow]:
    """What was read last, to go on where reading stopped."""
    rows = []
    for place in shelf.own.reading_places(limit=RECENT):
        if (found := shelf.library.get(place.id)) is not None:
            title = str(found.get("title") or "")
            kind = str(found.get("type") or "resource")
            picture = RECORD_KINDS.get(kind, ("", "file"))[1]
            rows.append(
                CardRow(id=place.id, title=title, picture=picture, place=place_of(kind, place.id, resume=True))
            )
    return rows


def titles(shelf: Shelf, text: str) -> list[CardRow]:
    """Records for what is being typed, best first: the one place to change for a quicker way to them."""
    hits = shelf.library.search(text, limit=TITLES).results
    return [replace(hit_row(hit, compact=True), line="") for hit in hits]
