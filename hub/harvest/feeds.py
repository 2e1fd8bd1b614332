"""RSS, Atom, RDF and CDF by feedparser, asked for only when they changed (RFC 9110, 13.1).

A feed shows what is newest: what falls out of it is not deleted, only older.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import feedparser
import nh3

from hub.harvest.errors import NotASource, SourceUnreachable
from hub.harvest.fetching import Fetch, fetch
from hub.harvest.pages import KEY_MOST, RAW_MOST, Offered, Page
from hub.imports import cleaning as clean
from hub.imports import licences, native
from hub.imports.records import Parsed, ResourceRecord

_ENTRIES = 5_000
_NO_MATTER = (feedparser.exceptions.NonXMLContentType, feedparser.exceptions.CharacterEncodingOverride)
"""What servers say wrongly of the type and the encoding; the feed itself is read as it is."""
_ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.1"


class FeedReader:
    """Reads one feed."""

    def __init__(self, url: str, fetch_: Fetch = fetch) -> None:
        self._url = url
        self._fetch = fetch_

    def pages(self, place: Mapping[str, Any]) -> Iterator[Page]:
        """As `Reader.pages`; place: `etag` and `modified` of the last answer."""
        asked = {"Accept": _ACCEPT}
        if etag := str(place.get("etag") or ""):
            asked["If-None-Match"] = etag
        if modified := str(place.get("modified") or ""):
            asked["If-Modified-Since"] = modified
        answer = self._fetch(self._url, asked)
        if answer.status == 304:
            yield Page((), place, last=True)
            return
        if answer.status != 200:
            raise SourceUnreachable(f"The source answered with status {answer.status}.")
        found, problems = read(answer.body, answer.headers, answer.url)
        going_on = {"etag": answer.headers.get("etag", ""), "modified": answer.headers.get("last-modified", "")}
        # What is not well formed is looked at again each time: the rest may come when it is mended.
        yield Page(found, {} if problems else {k: v for k, v in going_on.items() if v}, problems, last=True)


def read(body: bytes, headers: Mapping[str, str], url: str) -> tuple[list[Offered], list[str]]:
    """Return the entries of a feed, and what is wrong with it. Raises NotASource for what is no feed at all."""
    told = {name: headers[name] for name in ("content-type", "content-language") if name in headers}
    parsed = feedparser.parse(BytesIO(body), response_headers={**told, "content-location": url})
    problems = []
    if parsed.bozo and not isinstance(parsed.get("bozo_exception"), _NO_MATTER):
        problems.append(f"The feed is not well formed ({clean.line(str(parsed.get('bozo_exception', '')), 150)}).")
    if not parsed.version and not parsed.entries:
        raise NotASource("What came is no feed.")
    lang = parsed.feed.get("language") or ""
    offered: dict[str, Offered] = {}
    for entry in parsed.entries[:_ENTRIES]:
        one = _offered(entry, str(lang), parsed.feed)
        offered.setdefault(one.key, one)
    return list(offered.values()), problems


def _offered(entry: Any, lang: str, feed: Any) -> Offered:
    link = clean.link(entry.get("link"))
    title = _words(entry.get("title"), clean.TITLE_LIMIT)
    summary = _words(_longest(entry), clean.SUMMARY_LIMIT)
    # A feed need not name its entries: then they are what they say.
    said = clean.line(entry.get("id"), KEY_MOST) or link
    key = said or hashlib.sha256(f"{title}\n{summary}".encode()).hexdigest()
    raw = json.dumps(clean.json_value(_plain(entry)), ensure_ascii=False, sort_keys=True)[:RAW_MOST]
    if not title and not link:
        return Offered(key, raw, Parsed(key, None, ("the entry has neither a title nor an address",)))
    statements = (entry.get("license"), entry.get("rights"), feed.get("license"), feed.get("rights"))
    licence = licences.chosen([_words(one, 300) for one in statements if one])
    record = ResourceRecord(
        title=title or summary[:200] or link,
        summary=summary,
        lang=native.said_or_guessed_lang(entry.get("language") or lang, f"{title} {summary}"),
        authors=_authors(entry),
        publisher=_words(entry.get("publisher") or feed.get("title"), 1000),
        year=_year(entry),
        subjects=[
            words
            for tag in entry.get("tags", ())
            if (words := clean.line(tag.get("label") or tag.get("term"), 300))
        ],
        resource_type="webpage",
        licence=licence,
        redistributable=licences.may_be_passed_on(licence),
        url=link,
        origin=f"feed:{key}"[:200],
    )
    return Offered(key, raw, Parsed(key, record))


def _longest(entry: Any) -> str:
    texts = [entry.get("summary") or "", *(one.get("value") or "" for one in entry.get("content", ()))]
    return max((one for one in texts if isinstance(one, str)), key=len, default="")


def _authors(entry: Any) -> list[str]:
    people = [one.get("name") for one in entry.get("authors", ()) if hasattr(one, "get")]
    return clean.lines([name for name in people if name] or entry.get("author"), 300)


def _year(entry: Any) -> int | None:
    for name in ("published_parsed", "updated_parsed", "created_parsed"):
        when = entry.get(name)
        if when and 1000 <= when[0] <= 2100:
            return int(when[0])
    return None


def _words(value: object, limit: int) -> str:
    """Text without markup; feeds put HTML everywhere."""
    if not isinstance(value, str):
        return ""
    return clean.plain(clean.line(nh3.clean(value, tags=set()), limit))


def _plain(entry: Any) -> Any:
    if isinstance(entry, Mapping):
        return {str(key): _plain(value) for key, value in entry.items() if not str(key).endswith("_parsed")}
    if isinstance(entry, list | tuple):
        return [_plain(one) for one in entry]
    return entry if isinstance(entry, str | int | float | bool) or entry is None else str(entry)
