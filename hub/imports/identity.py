"""How a resource is recognised again: normalised identifiers, and a fingerprint where there are none."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from .cleaning import fold
from .records import ResourceRecord

# In this order; the first that is found decides.
STRONG_SCHEMES = ("doi", "eric")
# These may be shared by different works (chapters, a journal's page), so the titles have to agree too.
WEAK_SCHEMES = ("isbn", "url")
FINGERPRINT = "key"
INTERNAL_SCHEMES = frozenset({"url", FINGERPRINT})

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_TRACKING = re.compile(r"utm_.*|fbclid|gclid|mc_[ce]id", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def normal_doi(value: str) -> str:
    """``10.1000/abc`` in lower case, out of any way to write it; empty when there is none (doi.org, handbook)."""
    found = _DOI.search(value.strip())
    return found.group(0).rstrip(".,;)>\"'").lower()[:500] if found else ""


def normal_isbns(value: str) -> list[str]:
    """All the valid ISBNs in a text, as 13 digits (ISO 2108)."""
    found = []
    for piece in re.findall(r"(?<![\dXx])[\dXx][\dXx\s‐-―-]{8,20}[\dXx]", value[:1000]):
        digits = re.sub(r"[^\dX]", "", piece.upper())
        if len(digits) == 10 and _isbn10_holds(digits):
            digits = "978" + digits[:9]
            digits += str(-sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10)
        if len(digits) == 13 and digits.isdigit() and _isbn13_holds(digits):
            found.append(digits)
    return list(dict.fromkeys(found))


def canonical_url(value: str) -> str:
    """The address as it identifies a page: host in lower case, no fragment, no tracking, no last slash.

    http and https count as the same page. Empty for what is no web address or names only a site.
    """
    try:
        parts = urlsplit(value.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in _DEFAULT_PORTS or not host:
        return ""
    query = [
        (name, content)
        for name, content in parse_qsl(parts.query, keep_blank_values=True)[:100]
        if not _TRACKING.fullmatch(name)
    ]
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~-._")
    if not path and not query:
        return ""
    netloc = host if port in (None, _DEFAULT_PORTS[parts.scheme.lower()]) else f"{host}:{port}"
    return urlunsplit(("https", netloc.removeprefix("www."), path, urlencode(query), ""))[:2000]


def fingerprint(record: ResourceRecord) -> str:
    """SHA-256 over title, authors, year and place: the same entry has the same, whatever else changed."""
    place = record.bibliographic
    parts = [
        fold(record.title),
        "|".join(sorted(fold(author) for author in record.authors)),
        str(record.year or ""),
        *(fold(str(place.get(name, ""))) for name in ("container-title", "volume", "issue", "page", "type")),
    ]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def same_work(one: str, other: str) -> bool:
    """Whether two titles may be the same work's: one holds the other, or half of the words are shared."""
    first, second = set(fold(one).split()), set(fold(other).split())
    shared, shorter = len(first & second), min(len(first), len(second))
    if not shorter:
        return False
    # "Introduction" is in many titles; two words or more have to agree before one may hold the other.
    return (shared == shorter and shorter > 1) or shared / len(first | second) >= 0.5


def stored_identifiers(record: ResourceRecord) -> list[tuple[str, str]]:
    """(scheme, value) of everything that may find this resource again, internal schemes included."""
    pairs = [(scheme, value) for scheme, values in record.identifiers.items() for value in values]
    address = canonical_url(record.url)
    if address:
        pairs.append(("url", address))
    if not record.id:
        pairs.append((FINGERPRINT, fingerprint(record)))
    return list(dict.fromkeys(pairs))


def _isbn10_holds(digits: str) -> bool:
    if "X" in digits[:9]:
        return False
    values = [10 if d == "X" else int(d) for d in digits]
    return sum(value * (10 - i) for i, value in enumerate(values)) % 11 == 0


def _isbn13_holds(digits: str) -> bool:
    return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0
