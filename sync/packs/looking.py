"""What a pack is, before anything of it is taken in: whose, how old, what is in it, and what it would take."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync.home import Home
from sync.offers import StreamOffer
from sync.packs import carrying
from sync.packs.importing import known
from sync.protocol import packs
from sync.protocol.feeds import Feed
from sync.protocol.pack_volumes import opened
from sync.protocol.pack_writing import LeftOut
from sync.protocol.packs import NotAPack, Volume
from sync.protocol.subscriptions import parts
from sync.protocol.wire_json import is_digest

_SHOWN = 200
"""Files that were left out which are told one by one."""
_LONGEST = 200
"""Characters of a name or title that a stick tells."""
_MOST = 2**50
"""The largest number that a stick is believed to mean."""


@dataclass(frozen=True)
class Look:
    """A pack that this shelf may take in.

    `hub` is "" for one that only carries messages; `published` UTC; `fingerprint` that of its root (hexadecimal).
    `is_new_hub`: this shelf belongs to no hub yet, so a person is asked; `is_here`: this very version was taken
    in before. `offers`: the streams that are whole in it. `content`: bytes of the library in it, all verified by
    name; `to_keep`: bytes that giving it on takes on this disk beyond what is kept; `keeps`: it is kept anyway;
    `room`: free bytes on this disk. Only said by the pack, and so only shown: `files`, `file_bytes`, `left_out`
    (the first of them) and `left_out_count`. `envelopes`, `answers`: sealed messages; `parcels`: sealed files,
    with `parcel_bytes`.
    """

    hub: str = ""
    published: str = ""
    fingerprint: str = ""
    is_new_hub: bool = False
    is_here: bool = False
    offers: list[StreamOffer] = field(default_factory=list)
    content: int = 0
    to_keep: int = 0
    keeps: bool = False
    room: int = 0
    files: int = 0
    file_bytes: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    left_out_count: int = 0
    envelopes: int = 0
    answers: int = 0
    parcels: int = 0
    parcel_bytes: int = 0

    @property
    def records(self) -> int:
        """How many records the streams in it have."""
        return sum(offer.records for offer in self.offers)


def look(home: Home, source: Path | Volume) -> Look:
    """Return what the pack at `source` (a path, or a volume that is open) is to this shelf; nothing is changed.

    Raises NotAPack, PackDamaged, PackOlder, OtherHubsPack, PackUnreadable, ClientTooOld, HubTooOld, NotTrusted,
    SecretsUnusable, CacheError.
    """
    place: AbstractContextManager[Volume] = opened(source) if isinstance(source, Path) else nullcontext(source)
    with place as volume:
        envelopes, answers = _count(volume, packs.OUTBOX), _count(volume, packs.ANSWERS)
        sealed = [*packs.parcels(volume), *packs.returns(volume)]
        sizes = len(sealed), sum(one.size for one in sealed)
        if volume.size(packs.HEAD) is None:
            if not envelopes and not answers and not sealed:
                raise NotAPack("There is no pack of a hub here.")
            return Look(envelopes=envelopes, answers=answers, parcels=sizes[0], parcel_bytes=sizes[1])
        with home.own() as own, home.library() as library:
            pinned, seen = known(own, library)
        verified = packs.verify(volume, pinned, seen)
        head = verified.head
        feeds: dict[str, Feed] = {}

        def wants(feed: Feed) -> bool:
            feeds[feed.name] = feed
            return True

        found = packs.contained(volume, head, wants, home.secrets().member_keys(), lenient=True)
        kept = carrying.store(home)
        said = packs.contents(volume)
        left_out = said.get("left_out")
        left_out = [one for one in left_out if isinstance(one, dict)] if isinstance(left_out, list) else []
        return Look(
            hub=_plain(head.hub),
            published=head.published,
            fingerprint=verified.roots[0].fingerprint,
            is_new_hub=pinned is None,
            is_here=head.order == seen,
            offers=[offer for name, *_sizes in found.feeds for offer in _offers(feeds[name])],
            content=found.size,
            to_keep=sum(one.size for one in found.entries.values() if kept.size(one.name) != one.size),
            keeps=carrying.keeps(home),
            room=shutil.disk_usage(home.path).free,
            files=_number(said, "files"),
            file_bytes=max(0, _number(said, "bytes") - found.size) if _number(said, "files") else 0,
            left_out=[_left(one) for one in left_out[:_SHOWN]],
            left_out_count=len(left_out),
            envelopes=envelopes,
            answers=answers,
            parcels=sizes[0],
            parcel_bytes=sizes[1],
        )


def _offers(feed: Feed) -> list[StreamOffer]:
    found = [(stream, parts(stream.name)) for stream in feed.streams]
    return [
        StreamOffer(stream.name, tier, lang, theme, stream.size, stream.records)
        for stream, (tier, lang, theme) in found
        if tier
    ]


def _count(volume: Volume, folder: str) -> int:
    is_name = is_digest if folder == packs.OUTBOX else packs.is_tag
    return sum(is_name(name) for name in volume.names(folder, 4 * packs.ENVELOPES))


def _left(said: Mapping[str, Any]) -> LeftOut:
    return LeftOut(*(_plain(str(said.get(key) or "")) for key in ("name", "title", "licence", "why")))


def _number(said: Mapping[str, Any], key: str) -> int:
    found = said.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < _MOST else 0


def _plain(text: str) -> str:
    """What nobody signed, or only a stranger did, for one line."""
    return "".join(one if one.isprintable() else " " for one in text)[:_LONGEST]
