"""Which streams a person wants, and in which order they are most useful."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sync.protocol.feeds import Feed
from sync.protocol.sealed import for_members

_TIERS = ("cards", "vocab", "people", "talk", "vocabularies", "texts")
"""In the order in which they are fetched: what can be found, how it is filed, who is there, what was said, what
else it is called; texts last."""
NO_LANGUAGE = frozenset({"und", "mul", "zxx"})
"""BCP 47 for "undetermined", "several" and "none": left out by no choice of languages."""


@dataclass(frozen=True)
class Subscription:
    """What a person keeps: BCP 47 languages (the first is read first) and theme slugs; None means all.

    Languages choose among cards, talk and texts, themes among texts.
    """

    languages: Sequence[str] | None = None
    themes: Sequence[str] | None = None

    @classmethod
    def from_settings(cls, languages: object, themes: object) -> Subscription:
        """Read the settings `languages` and `themes`; anything but a list of texts means all."""
        return cls(_texts(languages), _texts(themes))

    def wants(self, name: str) -> bool:
        """Return whether the stream called `name` is kept; one of an unknown kind never is."""
        tier, lang, theme = parts(name)
        if tier not in _TIERS:
            return False
        if lang and not self._speaks(lang):
            return False
        return not theme or self.themes is None or theme in self.themes

    def choose(self, feeds: Iterable[Feed]) -> list[Feed]:
        """Return the feeds of which something is kept, the most useful first."""
        return sorted(
            (feed for feed in feeds if any(self.wants(stream.name) for stream in feed.streams)),
            key=lambda feed: self._rank(feed.name),
        )

    def takes_whole(self, feed: Feed) -> bool:
        """Return whether every stream of a feed is kept."""
        return all(self.wants(stream.name) for stream in feed.streams)

    def to_json(self) -> dict[str, Any]:
        """The choice as the wire carries it; what is not restricted is left out."""
        body: dict[str, Any] = {}
        if self.languages is not None:
            body["languages"] = list(self.languages)
        if self.themes is not None:
            body["themes"] = list(self.themes)
        return body

    def _speaks(self, lang: str) -> bool:
        if self.languages is None or lang in NO_LANGUAGE:
            return True
        # "pt" wants pt-BR too; "pt-BR" wants what is filed under plain pt.
        return any(_same_language(lang, wanted) for wanted in self.languages)

    def _rank(self, name: str) -> tuple[int, bool, int, str]:
        tier, lang, _ = parts(name)
        languages = list(self.languages or ())
        place = next((n for n, wanted in enumerate(languages) if _same_language(lang, wanted)), len(languages))
        # A feed of a name that nobody here knows can have streams that are wanted: last.
        useful = _TIERS.index(tier) if tier in _TIERS else len(_TIERS)
        return useful, for_members(name), place, name


def tier(name: str) -> str:
    """Return the tier of a stream or feed: cards, vocab, people, talk, vocabularies or texts; "" for none."""
    return parts(name)[0]


def parts(name: str) -> tuple[str, str, str]:
    """Return (tier, language, theme) of a stream's name, "" for what it does not have; ("", "", "") for none.

    Whether it is for everybody or for members makes no difference.
    """
    found = name.split("/")
    if found[0] not in ("public", "members") or not 2 <= len(found) <= 4:
        return "", "", ""
    tier, lang, theme = (*found[1:], "", "")[:3]
    return tier, lang, theme


def _same_language(one: str, other: str) -> bool:
    one, other = one.lower(), other.lower()
    return one == other or one.startswith(other + "-") or other.startswith(one + "-")


def _texts(value: object) -> list[str] | None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return list(value)
    return None
