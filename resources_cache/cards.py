"""What the shelf hands out: cards, pages, filters, hits, cursors. Plain frozen data, safe between threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

Record = dict[str, Any]
"""One record as it came over the wire: a JSON object with at least ``id`` and ``type``."""


@dataclass(frozen=True)
class Cursor:
    """How far one stream is applied.

    ``seq`` is the last complete sequence number of ``epoch``. While a run (such as a snapshot) is being
    applied, ``generation`` is its id and ``parts`` the number of its parts already applied; else "" and 0.
    """

    epoch: int = 0
    seq: int = 0
    generation: str = ""
    parts: int = 0


@dataclass(frozen=True)
class Applied:
    """What one ``apply`` did: records stored, and records removed (deletions and sweep together)."""

    put: int
    deleted: int


@dataclass(frozen=True)
class StreamState:
    """One stream on the shelf: records, their bytes as stored, and the cursor."""

    records: int
    bytes: int
    cursor: Cursor


@dataclass(frozen=True)
class StoredHead:
    """The last verified head. ``seen`` is when (UTC ISO 8601); ``complete``: all that it names is applied."""

    epoch: int
    version: int
    body: bytes
    complete: bool
    seen: str


@dataclass(frozen=True)
class Filters:
    """What to show; None or "" leaves a field open.

    ``theme`` and ``country`` match any of a record's; ``type`` is a resource's ``resource_type`` (or, for
    convenience, a kind); ``kind`` is the record type shown: resource, thread, expert, event, organisation,
    request; ``year`` is a whole year; ``since`` (UTC ISO 8601): only what came or changed after that.
    """

    lang: str | None = None
    theme: str | None = None
    country: str | None = None
    type: str | None = None
    year: int | None = None
    kind: str | None = None
    policy_cycle: str | None = None
    since: str | None = None

    def without(self, name: str) -> Filters:
        """The same filters with one left open."""
        kept: Mapping[str, Any] = {f.name: getattr(self, f.name) for f in fields(self) if f.name != name}
        return Filters(**kept)


@dataclass(frozen=True)
class Card:
    """One line of a list. ``files_bytes`` is the size of the record's own files; ``updated`` UTC ISO 8601.

    ``has_text``: a text edition is on the shelf. ``messages``, ``activity`` and ``resource`` speak of threads.
    ``notice``: a kind of ``resources_cache.notices``, or "".
    """

    id: str
    kind: str
    title: str
    summary: str
    lang: str
    year: int | None
    countries: tuple[str, ...]
    themes: tuple[str, ...]
    resource_type: str
    updated: str
    has_text: bool
    files_bytes: int
    authors: tuple[str, ...]
    messages: int = 0
    activity: str = ""
    resource: str = ""
    notice: str = ""


@dataclass(frozen=True)
class Page:
    """Some of ``total`` cards."""

    total: int
    items: list[Card]


class Edition(NamedTuple):
    """One of the records that are one work: its id, title, and BCP 47 tag ("" where it has none)."""

    id: str
    title: str
    lang: str


@dataclass(frozen=True)
class Hit:
    """One search result. ``score``: higher is better, comparable within one search only.

    ``snippet``: original text, matching words between U+0002 and U+0003. ``by``: the other name of a theme or
    concept by which it was found, "" where it has words of the query itself. ``editions``: the others of its
    work on the shelf, in whatever language and whether they were found or not; at most 30.
    ``notice``: as a card's.
    """

    id: str
    kind: str
    title: str
    snippet: str
    score: float
    lang: str
    year: int | None
    by: str = ""
    editions: tuple[Edition, ...] = ()
    notice: str = ""


@dataclass(frozen=True)
class SearchPage:
    """Some of ``total`` results, best first.

    Records of one work (the same DOI, translations, the same title, year and author: ``resources_cache.works``)
    are one result, and ``total`` counts them once.

    ``instead``: what they answer, where a word of the query is on no shelf and another was meant; else "".
    ``facets``: how many results each value of a filter has, where they were asked for; names and order are those
    of ``Library.facets``. ``exact``: else there are ``total`` or more. ``not_indexed``: records that may be
    missing among the results, because the index is being made anew.
    """

    total: int
    results: list[Hit]
    instead: str = ""
    facets: Mapping[str, list[tuple[str, int]]] = field(default_factory=dict)
    exact: bool = True
    not_indexed: int = 0


@dataclass(frozen=True)
class Check:
    """One finding of ``hubshelf doctor``: a name, whether it is well, what was found, and what to do."""

    name: str
    ok: bool
    detail: str
    advice: str = ""
