"""Citations in the styles that readers and teachers ask for, by the Citation Style Language (citationstyles.org).

The styles are in ``styles/`` with their licence; citeproc-py formats by them (CSL 1.0.2), with the terms of its
locales. It is imported when the first citation is wanted: it brings an XML library that nothing else needs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from html import escape
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

from resources_cache.citing.sources import Source

STYLES = {
    "apa": "APA, 7th edition",
    "chicago": "Chicago, author and date",
    "harvard": "Harvard, Cite Them Right",
    "vancouver": "Vancouver",
    "mla": "MLA, 9th edition",
}
"""Names of styles, and how people call them; these names are the same in every language."""

_FILES = {
    "apa": "apa",
    "chicago": "chicago-author-date",
    "harvard": "harvard-cite-them-right",
    "vancouver": "nlm-citation-sequence",
    "mla": "modern-language-association",
}
_NUMBERED = frozenset({"vancouver"})
_LOCALES = {"ar": "ar", "en": "en-US", "es": "es-ES", "fr": "fr-FR", "pt": "pt-PT"}
LANGUAGES = tuple(_LOCALES)
"""The languages whose terms ("and", "retrieved", dates) the citations can speak; others get English ones."""

_FOLDER = Path(__file__).parent / "styles"
_CSL = "{http://purl.org/net/xbiblio/csl}"
_NUMBER = re.compile(r"^\s*\d+\.\s*")
_one_at_a_time = Lock()  # a style keeps the formatter that it is told, so two threads must not share it


# Private letters of Unicode; a source has none, for it keeps printed characters alone.
_ON, _OFF = "\ue000", "\ue001"


class _Marks:
    """A formatter for citeproc-py that only marks italics: its own one for HTML leaves the text unescaped."""

    @staticmethod
    def preformat(text: str) -> str:
        return text

    @staticmethod
    def Italic(text: str) -> str:
        return f"{_ON}{text}{_OFF}"

    Oblique = Italic

    @staticmethod
    def Bold(text: str) -> str:
        return text

    Light = Underline = Superscript = Subscript = SmallCaps = Bold


@dataclass(frozen=True)
class Citation:
    """One entry of a list of references: plain text, and the same as an HTML fragment (italics)."""

    text: str
    html: str


def cite(sources: Sequence[Source], style: str, lang: str = "en", accessed: date | None = None) -> list[Citation]:
    """The entries of a list of references, in the order of the style: by number as given, else by the alphabet.

    ``style``: one of ``STYLES``; ``lang``: whose terms to use; ``accessed``: the day on which addresses were
    looked at, today by default. Raises: KeyError for a style that is not there.
    """
    day = accessed or date.today()
    with _one_at_a_time:
        found = [_one(source, style, lang, day) for source in sources]
    if style in _NUMBERED:
        if len(found) > 1:
            found = [Citation(f"{n}. {one.text}", f"{n}. {one.html}") for n, one in enumerate(found, 1)]
        return found
    return sorted(found, key=lambda one: one.text.casefold())


def _one(source: Source, style: str, lang: str, day: date) -> Citation:
    from citeproc import Citation as Wanted
    from citeproc import CitationItem, CitationStylesBibliography
    from citeproc.source.json import CiteProcJSON

    known = CiteProcJSON([_csl(source, day)])
    bibliography = CitationStylesBibliography(_style(style, lang.split("-")[0]), known, _Marks)
    wanted = Wanted([CitationItem("it")])
    bibliography.register(wanted)
    # A style may number and shorten by what was cited before.
    bibliography.cite(wanted, lambda _missing: None)
    entry = "".join(map(str, bibliography.bibliography())).strip()
    if style in _NUMBERED:
        entry = _NUMBER.sub("", entry)
    html = escape(entry, quote=False).replace(_ON, "<i>").replace(_OFF, "</i>")
    return Citation(entry.replace(_ON, "").replace(_OFF, ""), html)


@lru_cache(maxsize=12)
def _style(style: str, lang: str) -> Any:
    from citeproc import CitationStylesStyle
    from lxml import etree

    path = _FOLDER / f"{_FILES[style]}.csl"
    tree = etree.parse(str(path), etree.XMLParser(no_network=True, resolve_entities=False, remove_comments=True))
    _keep_given_names(tree.getroot())
    _part_dates(tree.getroot())
    locale = _LOCALES.get(lang, "en-US")
    if locale == "en-US":
        locale = tree.getroot().get("default-locale") or locale
    return CitationStylesStyle(BytesIO(etree.tostring(tree)), locale=locale, validate=False)


def _keep_given_names(root: Any) -> None:
    """Say of each cs:name itself whether given names become initials.

    citeproc-py takes ``initialize-with`` from the style, and knows nothing of ``initialize="false"`` beside it.
    """
    names = list(root.iter(f"{_CSL}name"))
    if all(name.get("initialize") != "false" for name in names):
        return
    inherited = root.attrib.pop("initialize-with", None)
    for name in names:
        if name.get("initialize") == "false":
            name.attrib.pop("initialize-with", None)
        elif inherited is not None and "initialize-with" not in name.attrib:
            name.set("initialize-with", inherited)


def _part_dates(root: Any) -> None:
    """Put the delimiter of a date before each part but the first: citeproc-py does not know it as the date's."""
    for when in root.iter(f"{_CSL}date"):
        delimiter = when.get("delimiter", "")
        for part in list(when.iter(f"{_CSL}date-part"))[1:]:
            if delimiter and "prefix" not in part.attrib:
                part.set("prefix", delimiter)


def _csl(source: Source, day: date) -> dict[str, Any]:
    """The source as an item of CSL-JSON."""
    # An article is one of a journal to every style, and the hub names no journals.
    kind = "report" if source.kind == "article-journal" else source.kind
    item: dict[str, Any] = {"id": "it", "type": kind, "language": source.lang or "und"}
    if source.authors:
        item["author"] = [name.csl() for name in source.authors]
        item["title"] = source.title
    else:
        # Every style puts the title in the place of a missing author; citeproc-py then writes it twice.
        item["author"] = [{"literal": source.title or source.id}]
    if source.year:
        item["issued"] = {"date-parts": [[source.year]]}
    if source.publisher and source.publisher not in {name.literal for name in source.authors}:
        item["publisher"] = source.publisher
    if source.url:
        item["URL"] = source.url
        item["accessed"] = {"date-parts": [[day.year, day.month, day.day]]}
    if source.doi:
        item["DOI"] = source.doi
    if source.note:
        item["note"] = source.note
    return item
