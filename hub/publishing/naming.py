"""Names of streams and feeds, and which feeds carry a stream (docs/protocol.md, "Feeds")."""

from __future__ import annotations

_TIERS = ("cards", "vocab", "people", "talk", "vocabularies", "texts")
"""In the order in which a new reader fetches them, so that a whole snapshot is one long range of one object."""


def stream_name(tier: str, lang: str = "", theme: str = "", *, members: bool = False) -> str:
    """Return the name of a stream: `public/<tier>[/<lang>[/<theme>]]`, or with `members` in place of `public`."""
    return "/".join(part for part in ("members" if members else "public", tier, lang, theme) if part)


def feeds_of(stream: str) -> tuple[str, ...]:
    """Return the feeds that carry `stream`, the one that the index lists first."""
    parts = stream.split("/")
    if len(parts) == 4:
        return "/".join(parts[:3]), stream
    return (stream,)


def is_part(feed: str) -> bool:
    """Return whether a feed is listed among the parts of another, not in the index."""
    return len(feed.split("/")) == 4


def group_of(part: str) -> str:
    """Return the feed that lists `part` among its parts."""
    return "/".join(part.split("/")[:3])


def order(feed: str) -> tuple[int, int, str]:
    """Return what feeds are sorted by: parts behind all others, then by tier, then by name."""
    tier = feed.split("/")[1]
    return int(is_part(feed)), _TIERS.index(tier) if tier in _TIERS else len(_TIERS), feed
