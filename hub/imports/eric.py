"""ERIC's API answers: ``{"response": {"docs": […]}}`` (api.ies.ed.gov/eric)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hub.ids import is_importable_id

from . import cleaning as clean
from . import languages, native
from .records import Parsed, Refused, ResourceRecord

_ERIC_ID = re.compile(r"E[DJ]\d{4,9}")
# The first that fits decides; ERIC lists several types for most records.
_TYPES = (
    ("Guides", "guide"),
    ("Reports - Research", "study"),
    ("Reports - Evaluative", "study"),
    ("Numerical/Quantitative Data", "dataset"),
    ("Reports", "report"),
    ("Journal Articles", "article"),
    ("Books", "book"),
)


def read(documents: list[Any]) -> Iterator[Parsed]:
    for number, document in enumerate(documents, 1):
        where = f"record {number}"
        try:
            yield Parsed(where, resource_of(document))
        except Refused as refused:
            yield Parsed(where, None, (str(refused),))
        except RecursionError:
            yield Parsed(where, None, ("the record is nested too deeply",))


def resource_of(document: object) -> ResourceRecord:
    """A resource from one of ERIC's documents. Raises Refused when it has no title."""
    if not isinstance(document, Mapping):
        raise Refused("a record must be a JSON object")
    title = html.unescape(clean.line(document.get("title"), clean.TITLE_LIMIT))
    if not title:
        raise Refused("the record has no title")
    given = document.get("id")
    eric_id = given if isinstance(given, str) and is_importable_id(given) else ""
    description = document.get("description")
    summary = clean.text(description, clean.SUMMARY_LIMIT) if isinstance(description, str) else ""
    issn = [number.removeprefix("ISSN-").removeprefix("EISSN-") for number in clean.lines(document.get("issn"))]
    # Titles and abstracts of ERIC are in English unless the record says otherwise.
    lang = clean.lang(document.get("language"))
    if lang == "und":
        lang = languages.guess(f"{title} {summary}")
    url = clean.link(document.get("url"))
    if _ERIC_ID.fullmatch(eric_id):
        url = f"https://eric.ed.gov/?id={eric_id}"
    publisher = document.get("publisher")
    return ResourceRecord(
        id=eric_id,
        title=title,
        summary=html.unescape(summary),
        lang="en" if lang == "und" else lang,
        authors=clean.lines(document.get("author"), 300),
        publisher=_publisher(publisher if isinstance(publisher, str) else ""),
        year=clean.year(document.get("publicationdateyear")),
        subjects=clean.lines(document.get("subject"), 200),
        resource_type=_type(clean.lines(document.get("publicationtype"))),
        url=url,
        identifiers=native.normal_identifiers({"eric": eric_id, "issn": issn, "isbn": document.get("isbn")}),
        bibliographic=_bibliographic(document, issn),
        origin=f"eric:{eric_id}" if eric_id else "",
    )


def _publisher(value: str) -> str:
    """The name alone: ERIC puts divisions, postal address and telephone numbers behind it."""
    # A full stop behind a word of three letters ends a sentence; "U.S. Department" goes on.
    name = re.split(r"(?<=\w{3})\.\s", clean.line(value, 1000))[0]
    return html.unescape(name.rstrip("."))


def _type(names: list[str]) -> str:
    for start, kind in _TYPES:
        if any(name.startswith(start) for name in names):
            return kind
    return clean.slug(names[0]) if names else ""


def _bibliographic(document: Mapping[str, Any], issn: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if issn:
        found["ISSN"] = issn[0]
    source = document.get("source")
    if isinstance(source, str) and source.strip():
        found["container-title"] = clean.line(source, 1000)
    if document.get("peerreviewed") == "T":
        found["peer-reviewed"] = True
    kinds = clean.lines(document.get("publicationtype"))
    if kinds:
        found["genre"] = "; ".join(kinds)
    return found
