"""What a citation needs of a resource's record, in the terms of CSL 1.0.2 (docs.citationstyles.org, Appendix IV).

A record says who wrote it as plain strings. Which part of one is the family name is a matter of custom, so a name
is only taken apart where that is safe: "Family, Given" as it is written; a few words in Latin, Greek or Cyrillic
script by the last of them (with what belongs to it, such as "van"; in Spanish the last two). Names in other
scripts stay as they are written, since in most of them nothing is inverted; and so do organisations.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

MOST_AUTHORS = 200
_LONGEST = 2_000  # characters of one field; the hub takes no longer ones either

_PARTICLES = frozenset(
    {
        "af", "al", "ben", "bin", "bint", "da", "dal", "de", "del", "della", "den", "der", "des", "di", "dos",
        "du", "el", "ibn", "la", "las", "le", "los", "ter", "van", "vel", "von", "y", "zu",
    }
)  # fmt: skip
_ORGANISATION = re.compile(
    r"\b(?:academy|agency|alliance|association|authority|bank|board|bureau|cent(?:er|re|ro)|college|commission|"
    r"committee|consortium|council|department|directorate|division|foundation|fund|government|group|hub|initiative|"
    r"institut[eo]?|laboratory|league|library|ministr(?:y|ies)|museum|network|nations|office|organi[sz]ation|"
    r"partnership|program(?:me)?|project|school|secretariat|service|society|survey|team|trust|unicef|unesco|union|"
    r"unit|universit(?:y|[àé]|at)|working|agence|banque|bureau|coll[eè]ge|comit[eé]|conseil|[eé]cole|fondation|fonds|"
    r"minist[eè]re|ong|r[eé]seau|secr[eé]tariat|soci[eé]t[eé]|agencia|banco|colegio|consejo|escuela|fundaci[oó]n|"
    r"ministerio|oficina|organizaci[oó]n|red|secretar[ií]a|universidad|ag[eê]ncia|conselho|escola|funda[cç][aã]o|"
    r"minist[eé]rio|rede|universidade|chuo|jukwaa|shirika|taasisi|wizara|and|et|und|for|of|pour|para|the|kwa|ya)\b"
    r"|[&/0-9@]",
    re.IGNORECASE,
)
_TYPES = {
    "article": "article-journal",
    "book": "book",
    "dataset": "dataset",
}
_DOI = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.\d{4,9}/\S+)$", re.IGNORECASE)
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ue000-\uf8ff]+")
_INITIALS = re.compile(r"(?:[^\W\d_]\.?-?){1,3}")


@dataclass(frozen=True)
class Name:
    """A person's ``family`` and ``given`` names, or, where they are not told apart, the ``literal`` name."""

    family: str = ""
    given: str = ""
    literal: str = ""

    def csl(self) -> dict[str, str]:
        """As a name variable of CSL-JSON."""
        if self.literal:
            return {"literal": self.literal}
        return {"family": self.family, "given": self.given} if self.given else {"literal": self.family}


@dataclass(frozen=True)
class Source:
    """One resource as it is cited. ``kind``: a type of CSL; ``year`` 0 where nobody said; the rest "" or empty.
    ``note``: what is to be said of it besides, such as that it was withdrawn."""

    id: str
    kind: str
    title: str
    authors: tuple[Name, ...] = ()
    publisher: str = ""
    year: int = 0
    lang: str = ""
    url: str = ""
    doi: str = ""
    isbn: str = ""
    abstract: str = ""
    subjects: tuple[str, ...] = ()
    record_type: str = "resource"
    note: str = ""


def source(record: Mapping[str, Any]) -> Source:
    """Take out of a resource's record what is cited; a field of an unexpected shape counts as absent."""
    from resources_cache.records import texts

    lang = _line(record.get("lang"))
    publisher = _line(record.get("publisher"))
    authors = record.get("authors")
    found = [_name(one, lang, publisher) for one in (authors if isinstance(authors, list | tuple) else [authors])]
    identifiers = record.get("identifiers")
    ids = identifiers if isinstance(identifiers, Mapping) else {}
    url = _line(record.get("url"))
    doi = next((m[1] for one in [*texts(ids.get("doi")), url] if (m := _DOI.match(_line(one)))), "")
    year = record.get("year")
    return Source(
        id=_line(record.get("id")),
        kind=_TYPES.get(_line(record.get("resource_type")), "report"),
        title=_line(record.get("title")) or _line(record.get("name")),
        authors=tuple(name for name in found if name is not None)[:MOST_AUTHORS],
        publisher=publisher,
        year=year if isinstance(year, int) and not isinstance(year, bool) and 0 < year < 10_000 else 0,
        lang=lang,
        url=url if url.lower().startswith(("http://", "https://")) and " " not in url else "",
        doi=doi,
        isbn=next(iter(texts(ids.get("isbn"))), ""),
        abstract=_line(record.get("summary")),
        record_type=_line(record.get("type")) or "resource",
        subjects=tuple(_line(one) for one in texts(record.get("subjects")))[:50],
        note=_note(record),
    )


def source_lines(source: Source, hub: str = "") -> str:
    """Where something copied is from, in two lines or three: author, year, title, publisher; addresses.

    ``hub``: the name of the hub that the resource came from. The last line is the resource's address on every
    shelf of that hub.
    """
    authors = "; ".join(name.literal or f"{name.given} {name.family}".strip() for name in source.authors)
    year = f"({source.year})" if source.year else ""
    who = " ".join(part for part in (authors, year) if part)
    said = ". ".join(part.rstrip(".") for part in (who, source.title, source.publisher) if part)
    address = f"hubshelf://{quote(source.record_type, safe='')}/{quote(source.id, safe='')}"
    lines = [f"{said}." if said else "", f"https://doi.org/{source.doi}" if source.doi else source.url]
    return "\n".join([*filter(None, lines), f"{hub}: {address}" if hub else address])


def _note(record: Mapping[str, Any]) -> str:
    """What became of it since, in English; a window says it in its own language."""
    from resources_cache.notices import notice_of

    notice = notice_of(record)
    if notice is None:
        return ""
    since = f" on {notice.since}" if notice.since else ""
    return f"{notice.kind.capitalize()}{since}. {_line(notice.words(['en'])[0])}".strip()


def _name(value: Any, lang: str, publisher: str) -> Name | None:
    if isinstance(value, Mapping):
        family, given = _line(value.get("family")), _line(value.get("given"))
        if family:
            return Name(family, given)
        value = value.get("name") or value.get("literal") or given
    written = _line(value)
    if not written:
        return None
    if written == publisher or _ORGANISATION.search(written) or not _inverted(written):
        return Name(literal=written)
    if written.count(",") == 1:
        family, _comma, given = (part.strip() for part in written.partition(","))
        return Name(family, given) if family and given else Name(literal=written.strip(", "))
    words = written.split(" ")
    if not 2 <= len(words) <= 6 or "," in written or written.isupper():
        return Name(literal=written)
    if len(words[-1]) <= 6 and words[-1].isupper() and _INITIALS.fullmatch(words[-1]):
        return Name(" ".join(words[:-1]), words[-1])
    at = len(words) - (2 if lang.startswith("es") and len(words) > 2 else 1)
    while at > 1 and (words[at - 1].lower() in _PARTICLES or words[at - 1].endswith("-")):
        at -= 1
    return Name(" ".join(words[at:]), " ".join(words[:at]))


def _inverted(written: str) -> bool:
    """Whether all letters are of scripts in which a family name is put before the given ones."""
    return all(
        unicodedata.name(letter, "").startswith(("LATIN", "GREEK", "CYRILLIC", "MODIFIER"))
        for letter in written
        if letter.isalpha()
    )


def _line(value: Any) -> str:
    """A text as one line of printed characters, "" for what is no text."""
    if not isinstance(value, str):
        return ""
    from resources_cache.records import clean  # here, for the window needs the rest of this before any store

    return " ".join(_NOT_PRINTED.sub(" ", clean(value[:_LONGEST])).split())
