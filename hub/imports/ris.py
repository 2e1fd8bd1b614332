"""RIS, and the tagged format of Web of Science, through rispy."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

import rispy

from . import cleaning as clean
from . import csl, identity
from .records import Parsed

_END = re.compile(r"^[ \t]*ER[ \t]{0,2}-.*$", re.MULTILINE)
_START = re.compile(r"^[ \t\ufeff]*TY[ \t]{0,2}-", re.MULTILINE)
_TYPES = {
    "JOUR": "article-journal", "JFULL": "article-journal", "ABST": "article-journal", "INPR": "article-journal",
    "MGZN": "article-magazine", "NEWS": "article-newspaper", "BOOK": "book", "EBOOK": "book", "EDBOOK": "book",
    "CHAP": "chapter", "ECHAP": "chapter", "CONF": "paper-conference", "CPAPER": "paper-conference",
    "RPRT": "report", "GOVDOC": "report", "THES": "thesis", "DATA": "dataset", "DBASE": "dataset",
    "WEB": "webpage", "ELEC": "webpage", "BLOG": "post-weblog", "ICOMM": "webpage", "VIDEO": "video",
    "COMP": "software", "STAT": "legislation", "J": "article-journal", "B": "book", "GEN": "document",
}  # fmt: skip

logging.getLogger("rispy").setLevel(logging.ERROR)


def read(text: str) -> Iterator[Parsed]:
    """Resources from a RIS text. Every record is parsed alone, so a broken one costs only itself."""
    if not _START.search(text):
        yield from _read_web_of_science(text)
        return
    starts = [found.start() for found in _START.finditer(text)]
    line, counted = 1, 0
    for number, (begin, following) in enumerate(zip(starts, [*starts[1:], len(text)], strict=True), 1):
        piece = text[begin:following].lstrip("\ufeff \t\r\n")
        line += text.count("\n", counted, following - len(piece))
        counted = following - len(piece)
        # What stands between one record's end and the next one's start is a number or a remark.
        end = _END.search(piece)
        yield _parsed(f"record {number} (line {line})", piece[: end.end()] if end else piece)


def _parsed(where: str, piece: str) -> Parsed:
    if not _END.search(piece):
        piece += "\nER  - \n"
    try:
        entries = rispy.loads(piece, skip_unknown_tags=False)
    except Exception as error:  # rispy raises OSError, ValueError and others of its own for bad input
        return Parsed(where, None, (f"the record is not RIS: {clean.line(str(error), 200)}",))
    if not entries:
        return Parsed(where, None, ("the record is empty",))
    return csl.parsed(where, _to_csl(entries[0]), "ris")


def _read_web_of_science(text: str) -> Iterator[Parsed]:
    try:
        entries = rispy.loads(text, implementation=rispy.WokParser)
    except Exception as error:  # as above
        yield Parsed("", None, (f"the file is not RIS: {clean.line(str(error), 200)}",))
        return
    if not entries:
        yield Parsed("", None, ("no record was found in this file",))
    for number, entry in enumerate(entries, 1):
        yield csl.parsed(f"record {number}", _to_csl(entry), "wos")


def _to_csl(entry: Mapping[str, Any]) -> dict[str, Any]:
    def first(*keys: str) -> Any:
        return next((entry[key] for key in keys if entry.get(key)), None)

    pages = [
        str(page) for page in (first("start_page", "beginning_page"), first("end_page", "ending_page")) if page
    ]
    urls = first("urls", "url", "link1", "file_attachments1")
    serial = first("issn", "isbn")
    serials = " ".join(clean.lines(serial))
    is_book = bool(identity.normal_isbns(serials))
    return {
        "type": _TYPES.get(str(first("type_of_reference", "publication_type") or "").upper(), "document"),
        "id": first("id", "accession_number"),
        "title": first("title", "primary_title", "document_title", "translated_title", "short_title"),
        "author": first("authors", "first_authors", "author_full_name"),
        "editor": first("secondary_authors", "editors"),
        "abstract": first("abstract", "notes_abstract"),
        "issued": str(first("year", "publication_year", "date", "access_date") or ""),
        "keyword": first("keywords", "author_keywords"),
        "container-title": first(
            "journal_name", "secondary_title", "publication_name", "alternate_title3", "alternate_title1"
        ),
        "volume": first("volume"),
        "issue": first("number", "issue"),
        "page": "-".join(pages),
        "publisher": first("publisher"),
        "publisher-place": first("place_published", "publisher_city"),
        "language": first("language"),
        "DOI": first("doi"),
        "ISBN": serials if is_book else None,
        "ISSN": None if is_book else serials,
        "URL": urls[0] if isinstance(urls, list) and urls else urls,
    }
