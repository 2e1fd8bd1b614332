"""Zotero JSON: Better BibTeX's export (``{"config", "items"}``), or Zotero's own list of items.

Notes and attachments are parts of an item, not records; they are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import cleaning as clean
from . import csl
from .records import Parsed, ResourceRecord

_PARTS = frozenset({"note", "attachment", "annotation"})
_TYPES = {
    "journalArticle": "article-journal", "magazineArticle": "article-magazine",
    "newspaperArticle": "article-newspaper", "conferencePaper": "paper-conference", "bookSection": "chapter",
    "encyclopediaArticle": "entry-encyclopedia", "dictionaryEntry": "entry-dictionary",
    "blogPost": "post-weblog", "forumPost": "post", "computerProgram": "software", "videoRecording": "video",
    "tvBroadcast": "broadcast", "radioBroadcast": "broadcast", "podcast": "broadcast", "case": "legal-case",
    "statute": "legislation", "audioRecording": "audio",
}  # fmt: skip
_FIELDS = {
    "container-title": ("publicationTitle", "bookTitle", "proceedingsTitle", "encyclopediaTitle", "websiteTitle",
                        "blogTitle", "forumTitle", "dictionaryTitle"),
    "title": ("title", "caseName", "nameOfAct", "subject"),
    "title-short": ("shortTitle",),
    "abstract": ("abstractNote",),
    "publisher": ("publisher", "institution", "university", "company", "studio", "distributor", "label"),
    "publisher-place": ("place",),
    "collection-title": ("series", "seriesTitle"),
    "volume": ("volume",), "issue": ("issue",), "page": ("pages",), "edition": ("edition",),
    "number": ("number", "reportNumber", "patentNumber"), "number-of-pages": ("numPages",),
    "genre": ("type", "reportType", "thesisType"), "event-title": ("conferenceName", "meetingName"),
    "language": ("language",), "license": ("rights",), "URL": ("url",), "DOI": ("DOI",), "ISBN": ("ISBN",),
    "ISSN": ("ISSN",), "issued": ("date", "dateEnacted", "dateDecided", "issueDate"),
}  # fmt: skip
_EXTRA_IDENTIFIER = re.compile(r"^\s*(DOI|ISBN|ISSN|PMID|PMCID|ERIC)\s*:\s*(\S.*)$", re.IGNORECASE)


def read(items: list[Any], collections: object = None) -> Iterator[Parsed]:
    """Resources from Zotero items. ``collections``: Better BibTeX's object of ``{name, items}``."""
    shelves = _shelves(collections)
    for number, item in enumerate(items, 1):
        if isinstance(item, Mapping) and isinstance(item.get("data"), Mapping):
            item = item["data"]
        if isinstance(item, Mapping) and item.get("itemType") in _PARTS:
            continue
        found = csl.parsed(f"record {number}", _to_csl(item), "zotero")
        if isinstance(found.record, ResourceRecord) and isinstance(item, Mapping):
            found.record.collections = shelves.get(str(item.get("itemID")), [])
        yield found


def _to_csl(item: object) -> object:
    if not isinstance(item, Mapping):
        return item
    kind = str(item.get("itemType", ""))
    converted: dict[str, Any] = {
        "type": _TYPES.get(kind, kind),
        "citation-key": item.get("key") or item.get("citationKey") or item.get("citekey") or "",
    }
    for name, sources in _FIELDS.items():
        converted[name] = next((item[source] for source in sources if item.get(source)), None)
    for entry in _list(item.get("creators")):
        if isinstance(entry, Mapping):
            role = "editor" if entry.get("creatorType") in ("editor", "seriesEditor") else "author"
            person = {
                "literal": entry.get("name"),
                "family": entry.get("lastName"),
                "given": entry.get("firstName"),
            }
            if entry.get("creatorType") not in ("translator", "contributor", "reviewedAuthor", "recipient"):
                converted.setdefault(role, []).append(person)
    converted["keyword"] = [tag.get("tag") if isinstance(tag, Mapping) else tag for tag in _list(item.get("tags"))]
    extra = item.get("extra")
    for text in extra.split("\n") if isinstance(extra, str) else _list(extra):
        stated = _EXTRA_IDENTIFIER.match(text) if isinstance(text, str) else None
        if stated and not converted.get(stated.group(1).upper()):
            converted[stated.group(1).upper()] = stated.group(2)
    return converted


def _shelves(collections: object) -> dict[str, list[str]]:
    """Names of the collections of each item, by item id."""
    shelves: dict[str, list[str]] = {}
    for entry in collections.values() if isinstance(collections, Mapping) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
            name = clean.line(entry["name"], 300)
            for item_id in _list(entry.get("items")):
                if name and name not in shelves.setdefault(str(item_id), []):
                    shelves[str(item_id)].append(name)
    return shelves


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
