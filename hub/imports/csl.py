"""CSL-JSON: what RIS, BibTeX and Zotero are turned into, and a format of its own.

Reference: CSL 1.0.2, appendix "Types" and "Variables".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import cleaning as clean
from . import licences, native
from .records import Parsed, Refused, ResourceRecord

_TYPES = {
    "article-journal": "article",
    "article-magazine": "article",
    "article-newspaper": "article",
    "paper-conference": "conference-paper",
    "entry-encyclopedia": "reference",
    "entry-dictionary": "reference",
    "entry": "reference",
    "post-weblog": "webpage",
    "post": "webpage",
}
# Kept as they are: they tell where the work appeared and serve to cite it.
_PLACE = [
    "type", "container-title", "collection-title", "volume", "issue", "page", "number", "edition",
    "publisher-place", "ISSN", "genre", "event-title", "event", "event-place", "number-of-pages", "medium", "note",
]  # fmt: skip
_IDENTIFIERS = {"DOI": "doi", "ISBN": "isbn", "ISSN": "issn", "PMID": "pmid", "PMCID": "pmcid", "ERIC": "eric"}


def read(items: list[Any], what: str = "csl") -> Iterator[Parsed]:
    """Resources from CSL items (JSON objects), one ``Parsed`` for each."""
    for number, item in enumerate(items, 1):
        yield parsed(f"record {number}", item, what)


def parsed(where: str, item: object, what: str) -> Parsed:
    """One CSL item. ``what`` names the format that it came from, for its origin."""
    try:
        return Parsed(where, resource_of(item, what))
    except Refused as refused:
        return Parsed(where, None, (str(refused),))
    except RecursionError:
        return Parsed(where, None, ("the record is nested too deeply",))


def resource_of(item: object, what: str) -> ResourceRecord:
    """A resource from a CSL item. Raises Refused when it has no title or is no object at all."""
    if not isinstance(item, Mapping):
        raise Refused("a record must be a JSON object")
    title = _words(item, "title", clean.TITLE_LIMIT) or _words(item, "title-short", clean.TITLE_LIMIT)
    if not title:
        raise Refused("the record has no title")
    summary = clean.plain(_body(item.get("abstract")))[: clean.SUMMARY_LIMIT].strip()
    kind = _words(item, "type", 64)
    licence = licences.normal(_words(item, "license", 300))
    key = _words(item, "citation-key", 150) or _words(item, "id", 150)
    record = ResourceRecord(
        title=title,
        summary=summary,
        lang=native.said_or_guessed_lang(item.get("language"), f"{title} {summary}"),
        authors=names(item.get("author")) or names(item.get("editor")) or names(item.get("director")),
        publisher=_words(item, "publisher", 1000),
        year=issued_year(item.get("issued")),
        subjects=subjects(item.get("keyword")),
        resource_type=clean.slug(_TYPES.get(kind, kind)),
        licence=licence,
        redistributable=licences.may_be_passed_on(licence),
        url=clean.link(item.get("URL")),
        identifiers=native.normal_identifiers(
            {scheme: clean.lines(item.get(name)) for name, scheme in _IDENTIFIERS.items() if item.get(name)}
        ),
        origin=f"{what}:{key}"[:200] if key else "",
    )
    for name in _PLACE:
        value = _words(item, name, 1000)
        if value:
            record.bibliographic[name] = value
    editors = names(item.get("editor"))
    if editors and editors != record.authors:
        record.bibliographic["editor"] = editors
    if not record.url and record.identifiers.get("doi"):
        record.url = f"https://doi.org/{record.identifiers['doi'][0]}"
    return record


def names(value: object) -> list[str]:
    """ "Family, Given" of every CSL name; literal names as they are."""
    found = []
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, Mapping):
            name = _name(entry)
        elif isinstance(entry, str):
            name = clean.line(entry, 300)
        else:
            continue
        if name:
            found.append(clean.plain(name)[:300])
    return list(dict.fromkeys(found))[: clean.LIST_LIMIT]


def _name(entry: Mapping[str, Any]) -> str:
    literal = _words(entry, "literal", 300)
    if literal:
        return literal
    family = " ".join(
        part
        for key in ("dropping-particle", "non-dropping-particle", "family")
        if (part := _words(entry, key, 300))
    )
    given = _words(entry, "given", 300)
    suffix = _words(entry, "suffix", 60)
    return ", ".join(part for part in (family, given, suffix) if part)


def issued_year(value: object) -> int | None:
    """The year of a CSL date in any of its shapes: date-parts, raw, literal, ``{year}``, plain text."""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, Mapping):
        return clean.year(value)
    parts = value.get("date-parts")
    if isinstance(parts, list) and parts and isinstance(parts[0], list) and parts[0]:
        first = parts[0][0]
        found = clean.year(first if isinstance(first, int) else str(first))
        if found:
            return found
    for key in ("year", "raw", "literal"):
        found = clean.year(value.get(key))
        if found:
            return found
    return None


def subjects(value: object) -> list[str]:
    """Keywords from a list, or from one text that separates them by semicolons or commas."""
    if isinstance(value, str):
        value = value[:50_000]
        value = value.split(";") if ";" in value else value.split(",")
    return [clean.plain(word) for word in clean.lines(value, 200)]


def _words(item: Mapping[str, Any], key: str, limit: int) -> str:
    value = item.get(key)
    if isinstance(value, list):
        value = "; ".join(clean.lines(value))
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        return ""
    return clean.line(clean.plain(clean.line(value, limit * 2)), limit)


def _body(value: object) -> str:
    return clean.text(value, clean.SUMMARY_LIMIT * 2) if isinstance(value, str) else ""
