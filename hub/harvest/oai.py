"""OAI-PMH 2.0 (http://www.openarchives.org/OAI/openarchivesprotocol.html), by oaipmh-scythe over a bounded fetch.

A harvest is a list of pages; the token of the next is the place, so that one that is interrupted goes on. When the
list is at its end, the place is the day of the first answer: the next harvest asks for what came since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
from lxml import etree
from oaipmh_scythe import Scythe, exceptions
from oaipmh_scythe.response import OAIResponse

from hub.harvest import dublin_core
from hub.harvest.errors import HarvestProblem, NotASource
from hub.harvest.fetching import Fetch, fetch
from hub.harvest.pages import KEY_MOST, RAW_MOST, Offered, Page
from hub.imports.records import Parsed

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_PAGES_MOST = 100_000
_STRICT = etree.XMLParser(resolve_entities=False, no_network=True)


class _Bounded(httpx2.BaseTransport):
    """The bounded fetch, as the library wants to have it."""

    def __init__(self, fetch_: Fetch) -> None:
        self._fetch = fetch_

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._fetch(str(request.url))
        kept = {name: answer.headers[name] for name in ("content-type", "retry-after") if name in answer.headers}
        return httpx2.Response(answer.status, headers=kept, content=answer.body, request=request)


class _Client(Scythe):
    def __init__(self, url: str, fetch_: Fetch) -> None:
        super().__init__(url)
        self._bounded = httpx2.Client(transport=_Bounded(fetch_))

    @property
    def client(self) -> httpx2.Client:
        return self._bounded

    def harvest(self, query: dict[str, str]) -> OAIResponse:
        """As in the library, which fails over an answer of which nothing can be read as XML."""
        answer = self.client.get(self.endpoint, params=query)
        response = OAIResponse(answer, params=query)
        if _root(response) is not None:
            response.raise_for_oaipmh_error()
        answer.raise_for_status()
        return response


class OaiReader:
    """Reads a repository's records in one metadata format, of one set or of all."""

    def __init__(self, url: str, prefix: str = "oai_dc", set_: str = "", fetch_: Fetch = fetch) -> None:
        self._url = url
        self._prefix = prefix or "oai_dc"
        self._set = set_
        self._client = _Client(url, fetch_)

    def pages(self, place: Mapping[str, Any]) -> Iterator[Page]:
        """As `Reader.pages`; place: `token` of the next page, `from` of the next harvest, `began` of this one."""
        began = str(place.get("began") or "")
        query, since = self._first(place), str(place.get("from") or "")
        token = str(place.get("token") or "")
        problems: list[str] = []
        for _page in range(_PAGES_MOST):
            try:
                response = self._client.harvest(
                    {"verb": "ListRecords", "resumptionToken": token} if token else query
                )
            except exceptions.NoRecordsMatch:
                yield Page((), {"from": since}, problems, last=True)
                return
            except exceptions.BadResumptionToken as error:
                if not token:
                    raise NotASource(f"The source does not understand what it is asked: {error}") from None
                # Tokens are good for a while only; what was read already is recognised again.
                problems.append(
                    "The place where the last harvest stopped is no longer known there: it begins anew."
                )
                token = ""
                continue
            except exceptions.OAIPMHException as error:
                raise NotASource(
                    f"The source answers: {type(error).__name__} {str(error)[:200]}".strip()
                ) from None
            except httpx2.HTTPError as error:
                raise HarvestProblem(f"The source answered with an error ({str(error)[:200]}).") from None
            root, broken = _read(response)
            if broken:
                problems.append(broken)
            if root is None:
                yield Page((), place, problems)
                raise NotASource("The source sent something that is no XML.")
            began = began or _day(root.findtext(f"{_OAI}responseDate"))
            following = (root.findtext(f".//{_OAI}resumptionToken") or "").strip()
            if following and following == token:
                raise HarvestProblem("The source gives the same page again and again.")
            token = following
            going_on = {"token": token, "began": began, "from": since} if token else {"from": began or since}
            elements = root.findall(f".//{_OAI}record")
            offered = [one for element in elements if (one := self._offered(element))]
            if nameless := len(elements) - len(offered):
                problems.append(f"Records without an identifier were left out: {nameless}.")
            if broken and not token:
                # Nobody knows what is missing: the next harvest asks for the same again.
                going_on = {"from": since}
            yield Page(offered, going_on, problems, last=not token and not broken)
            problems = []
            if not token:
                return

    def _first(self, place: Mapping[str, Any]) -> dict[str, str]:
        query = {"verb": "ListRecords", "metadataPrefix": self._prefix}
        if self._set:
            query["set"] = self._set
        if since := str(place.get("from") or ""):
            query["from"] = since
        return query

    def _offered(self, element: etree._Element) -> Offered | None:
        header = element.find(f"{_OAI}header")
        key = "" if header is None else (header.findtext(f"{_OAI}identifier") or "").strip()[:KEY_MOST]
        if header is None or not key:
            return None
        raw = etree.tostring(element, encoding="unicode", with_tail=False)[:RAW_MOST]
        if header.get("status") == "deleted":
            return Offered(key, raw, None)
        fields: dict[str, list[str]] = {}
        for one in element.iterfind(f"{_OAI}metadata/*/*"):
            if isinstance(one.tag, str) and (words := " ".join("".join(one.itertext()).split())):
                fields.setdefault(etree.QName(one).localname, []).append(words)
        if not fields:
            return Offered(key, raw, Parsed(key, None, ("the record has no metadata",)))
        return Offered(key, raw, dublin_core.parsed(key, fields, f"oai:{key}"))


def _read(response: OAIResponse) -> tuple[etree._Element | None, str]:
    """The answer's root, as far as it can be read, and what is wrong with its XML ("" for nothing)."""
    content = response.http_response.content
    try:
        return etree.fromstring(content, _STRICT), ""
    except etree.XMLSyntaxError as error:
        words = f"A page is no valid XML ({str(error.msg)[:150]})"
    root = _root(response)
    if root is None or not str(root.tag).endswith("OAI-PMH"):
        return None, f"{words}; nothing of it could be read."
    return root, f"{words}; what stands before was read."


def _root(response: OAIResponse) -> etree._Element | None:
    """What the library makes of an answer, broken or not; None for nothing."""
    try:
        root: etree._Element | None = response.xml
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root


def _day(said: str | None) -> str:
    """The day of an answer: every repository knows days, not all know seconds."""
    return (said or "").strip()[:10]
