"""Groups of Zotero by its web API, version 3 (https://www.zotero.org/support/dev/web_api/v3/syncing).

A library has a version that rises with each change. The next harvest asks for what changed since the version of
the last one; where it changes between two pages, the list begins anew, since places in it may have moved.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from hub.harvest.errors import HarvestProblem, NotASource, SourceUnreachable
from hub.harvest.fetching import Answer, Fetch, fetch
from hub.harvest.pages import KEY_MOST, RAW_MOST, Offered, Page
from hub.imports import zotero

_A_PAGE = 100
_PAGES_MOST = 10_000
_ANEW_MOST = 5
_BACKOFF_MOST_S = 60.0
_SITE = re.compile(r"https?://(?:www\.)?zotero\.org/(groups/\d+)(?:/.*)?", re.IGNORECASE)


class ZoteroReader:
    """Reads one public group: `https://www.zotero.org/groups/…` or the address of the group in an API."""

    def __init__(self, url: str, fetch_: Fetch = fetch) -> None:
        site = _SITE.fullmatch(url.strip())
        self._base = f"https://api.zotero.org/{site[1].lower()}" if site else url.strip().rstrip("/")
        self._fetch = fetch_

    def pages(self, place: Mapping[str, Any]) -> Iterator[Page]:
        """As `Reader.pages`; place: `version` of the last whole harvest; `start` and `to` within one."""
        since, start, until = (_number(place.get(name)) for name in ("version", "start", "to"))
        problems: list[str] = []
        anew = 0
        for _page in range(_PAGES_MOST):
            answer = self._asked(
                "items/top", since, {"start": start, "limit": _A_PAGE, "include": "data"}, not start
            )
            if answer.status == 304:
                yield Page((), {"version": since}, problems, last=True)
                return
            version = _number(answer.headers.get("last-modified-version"))
            if start and version != until:
                anew += 1
                if anew > _ANEW_MOST:
                    raise HarvestProblem("The group changes all the time; it is asked again at the next harvest.")
                start = 0
                continue
            until = version
            items = _json(answer, list)
            offered = [one for item in items[:_A_PAGE] if (one := _offered(item))]
            start += len(items)
            if items and start < _number(answer.headers.get("total-results")):
                yield Page(offered, {"version": since, "start": start, "to": until}, problems)
                problems = []
                continue
            if since:
                gone = _json(self._asked("deleted", since, {}, False), dict).get("items")
                keys = [key[:KEY_MOST] for key in gone if isinstance(key, str)] if isinstance(gone, list) else []
                offered += [Offered(key, "", None) for key in dict.fromkeys(keys)]
            yield Page(offered, {"version": until} if until else {}, problems, last=True)
            return

    def _asked(self, what: str, since: int, more: Mapping[str, object], conditional: bool) -> Answer:
        query = {**more, **({"since": since} if since else {})}
        if what != "deleted":
            query |= {"format": "json", "includeTrashed": 1, "sort": "dateAdded", "direction": "asc"}
        headers = {"Zotero-API-Version": "3"}
        if since and conditional:
            headers["If-Modified-Since-Version"] = str(since)
        answer = self._fetch(f"{self._base}/{what}?{urlencode(query)}", headers)
        if answer.status in (403, 404):
            raise NotASource("There is no such group, or it is not public.")
        if answer.status not in (200, 304):
            raise SourceUnreachable(f"The source answered with status {answer.status}.")
        if backoff := _number(answer.headers.get("backoff")):
            time.sleep(min(backoff, _BACKOFF_MOST_S))
        return answer


def _offered(item: object) -> Offered | None:
    if not isinstance(item, Mapping) or not isinstance(item.get("data"), Mapping):
        return None
    key = str(item.get("key") or item["data"].get("key") or "")[:KEY_MOST]
    raw = json.dumps(item, ensure_ascii=False, sort_keys=True)[:RAW_MOST]
    if not key:
        return None
    if item["data"].get("deleted"):
        return Offered(key, raw, None)
    # Notes and attachments are parts of a work, of which nothing comes.
    return next((Offered(key, raw, parsed) for parsed in zotero.read([item])), None)


def _json(answer: Answer, kind: type) -> Any:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise NotASource("The source sent something that is no JSON.") from None
    if not isinstance(found, kind):
        raise NotASource("The source sent something else than a list of records.")
    return found


def _number(said: object) -> int:
    text = str(said or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
