"""The list of sources: added one by one or from an OPML list, and which of them are due."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import listparser
from django.db import transaction
from django.db.models import Q

from hub import audit
from hub.errors import InvalidInput, NotFound
from hub.imports import cleaning as clean
from hub.models import Source

KINDS = ("oai", "feed", "zotero")
_OPML_MOST = 8 * 1024 * 1024
_FEEDS_MOST = 5_000
_MINUTES_MOST = 366 * 24 * 60


@dataclass(frozen=True)
class Listed:
    """What became of an OPML list: the sources that are new, how many were there, what could not be taken."""

    added: list[Source]
    known: int
    problems: list[str]


def add(
    kind: str,
    url: str,
    name: str = "",
    *,
    every_minutes: int = 0,
    settings: dict[str, str] | None = None,
    actor: str,
) -> tuple[Source, bool]:
    """Return the source with this address, and whether it is new. Raises InvalidInput."""
    if kind not in KINDS:
        raise InvalidInput(f"“{kind}” is no kind of source.", f"Choose one of: {', '.join(KINDS)}.")
    url = url.strip()
    try:
        parts = urlsplit(url)
        good = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= 2000 and not parts.password
        )
    except ValueError:
        good = False
    if not good or re.search(r"[\s\x00-\x1f]", url):
        raise InvalidInput(
            f"“{url[:200]}” is no address of a source.",
            "It begins with http:// or https:// and holds no password.",
        )
    if not 0 <= every_minutes <= _MINUTES_MOST:
        raise InvalidInput(
            "A source is harvested at least once a year.", "Give the minutes, or 0 for by hand alone."
        )
    known = Source.objects.filter(kind=kind, url=url).first()
    if known is not None:
        return known, False
    made = Source.objects.create(
        name=_free_name(clean.line(name, 280) or url[:280]),
        kind=kind,
        url=url,
        every_minutes=every_minutes,
        settings=settings or {},
    )
    audit.record("source-added", actor=actor, target=made.pk)
    return made, True


def add_feeds(file: Path, *, every_minutes: int = 0, actor: str) -> Listed:
    """Add every feed of an OPML list. Raises InvalidInput for what cannot be read at all."""
    try:
        if file.stat().st_size > _OPML_MOST:
            raise InvalidInput(f"{file.name} is larger than {_OPML_MOST >> 20} MB.", "Split the list.")
        found = listparser.parse(file.read_bytes())
    except OSError as error:
        raise InvalidInput(f"{file.name} cannot be read: {error.strerror or error}.", "Check its name.") from error
    problems = []
    if found.bozo:
        problems.append(f"The list is not well formed ({clean.line(str(found.bozo_exception), 150)}).")
    if not found.feeds:
        reason = problems[0] if problems else "It names none."
        raise InvalidInput(f"There is no feed in {file.name}. {reason}", "Choose an OPML list of feeds.")
    if len(found.feeds) > _FEEDS_MOST:
        problems.append(f"The list names more than {_FEEDS_MOST:,} feeds; the rest was left out.")
    added, known = [], 0
    with transaction.atomic():
        for one in found.feeds[:_FEEDS_MOST]:
            try:
                source, new = add("feed", one.url, str(one.title or ""), every_minutes=every_minutes, actor=actor)
            except InvalidInput as error:
                problems.append(str(error))
                continue
            known += not new
            if new:
                added.append(source)
    return Listed(added, known, problems)


def _free_name(wished: str) -> str:
    """Return the name, with a number behind it where another source has it already."""
    taken = set(Source.objects.filter(name__startswith=wished).values_list("name", flat=True))
    return next(
        name for n in range(1, len(taken) + 2) if (name := f"{wished} {n}" if n > 1 else wished) not in taken
    )


def named(key: str) -> Source:
    """Return the source with this id, or this name. Raises NotFound."""
    found = Source.objects.filter(Q(pk=key) | Q(name=key)).first()
    if found is None:
        raise NotFound(f"There is no source “{key}”.", "hubshelf-hub source list")
    return found


def due(now: datetime) -> list[Source]:
    """Return the sources whose turn it is, those that waited longest first."""
    return [
        one
        for one in Source.objects.filter(every_minutes__gt=0, kind__in=KINDS).order_by("harvested", "created")
        if one.harvested is None or one.harvested + timedelta(minutes=one.every_minutes) <= now
    ]
