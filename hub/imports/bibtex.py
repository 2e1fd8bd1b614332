"""BibTeX and BibLaTeX through bibtexparser 2, LaTeX markup through pylatexenc."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

from bibtexparser import model
from bibtexparser.entrypoint import parse_string
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexWalkerError

from . import cleaning as clean
from . import csl
from .records import Parsed

_FIELD_LIMIT = 200_000
_NO_KEY = re.compile(r"(@\s*[A-Za-z]+\s*\{)(?=\s*[A-Za-z][\w+-]*\s*=)")
_NOT_ENTRIES = re.compile(r"@\s*(?:string|comment|preamble)\s*\{", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_MARKUP = re.compile(r"[\\{}$~]|--|``|''")
_TYPES = {
    "article": "article-journal", "book": "book", "mvbook": "book", "booklet": "pamphlet", "inbook": "chapter",
    "incollection": "chapter", "inproceedings": "paper-conference", "conference": "paper-conference",
    "proceedings": "book", "collection": "book", "manual": "report", "techreport": "report", "report": "report",
    "phdthesis": "thesis", "mastersthesis": "thesis", "thesis": "thesis", "online": "webpage", "www": "webpage",
    "electronic": "webpage", "dataset": "dataset", "software": "software", "video": "video", "movie": "video",
    "misc": "document", "unpublished": "manuscript", "patent": "patent", "legislation": "legislation",
}  # fmt: skip
_FIELDS = {
    "title": ("title", "maintitle"), "abstract": ("abstract", "annotation", "annote"),
    "container-title": ("journaltitle", "journal", "booktitle"), "collection-title": ("series",),
    "publisher": ("publisher", "institution", "school", "organization"), "volume": ("volume",),
    "publisher-place": ("location", "address"), "issue": ("issue", "number"), "page": ("pages",),
    "edition": ("edition",), "issued": ("date", "year"), "keyword": ("keywords", "keyword"),
    "language": ("langid", "language"), "DOI": ("doi",), "ISBN": ("isbn",), "ISSN": ("issn",), "PMID": ("pmid",),
    "URL": ("url", "bdsk-url-1"), "license": ("rights", "copyright", "license"), "note": ("note",),
    "genre": ("type",), "event-title": ("eventtitle",),
}  # fmt: skip
# These hold addresses and codes: LaTeX's rules do not apply beyond the escapes that people put in.
_LITERAL = frozenset({"DOI", "URL", "ISBN", "ISSN", "PMID"})

logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
logging.getLogger("pylatexenc").setLevel(logging.CRITICAL)
_to_text = LatexNodes2Text(math_mode="text", keep_comments=True, strict_latex_spaces=False)


def read(text: str) -> Iterator[Parsed]:
    """Resources from a BibTeX text; blocks that cannot be parsed are refused with their line."""
    try:
        library = parse_string(_with_keys(text))
    except Exception as error:  # the parser's own errors come in many classes
        yield Parsed("", None, (f"the file is not BibTeX: {clean.line(str(error), 200)}",))
        return
    entries: list[model.Entry] = []
    broken: list[tuple[int, str]] = []
    for block in library.blocks:
        line = (block.start_line or 0) + 1
        if isinstance(block, model.Entry):
            entries.append(block)
        elif isinstance(block, (model.DuplicateBlockKeyBlock, model.DuplicateFieldKeyBlock)) and isinstance(
            block.ignore_error_block, model.Entry
        ):
            # A key or a field that stands twice is untidy; nothing is lost by taking the entry.
            entries.append(block.ignore_error_block)
        elif isinstance(block, model.ParsingFailedBlock):
            reason = clean.line(str(block.error), 200) or "it is cut off or its braces do not match"
            broken.append((line, f"the entry cannot be read: {reason}"))
    if not entries and not broken:
        yield Parsed("", None, ("no entry was found in this file",))
    by_key = {entry.key.lower(): entry for entry in entries}
    for entry in entries:
        where = f"line {(entry.start_line or 0) + 1}"
        yield csl.parsed(where, _to_csl(entry, by_key), "bibtex")
    for line, reason in broken:
        yield Parsed(f"line {line}", None, (reason,))


def _with_keys(text: str) -> str:
    """Entries without a citation key get an empty one, which the parser needs to see a comma."""

    def keyed(found: re.Match[str]) -> str:
        return found.group(0) if _NOT_ENTRIES.match(found.group(1)) else f"{found.group(1)},"

    return _NO_KEY.sub(keyed, text)


def _to_csl(entry: model.Entry, by_key: dict[str, model.Entry]) -> dict[str, Any]:
    fields = _fields(entry)
    parent = by_key.get(fields.get("crossref", "").strip().lower())
    if parent is not None and parent is not entry:
        # The rule of BibTeX's crossref: a child takes what it lacks, the parent's title as its booktitle.
        inherited = _fields(parent)
        inherited["booktitle"] = inherited.pop("title", "")
        for name in ("author", "doi", "url", "abstract", "crossref", "pages"):
            inherited.pop(name, None)
        fields = {**inherited, **{name: value for name, value in fields.items() if value.strip()}}
    converted: dict[str, Any] = {
        "type": _TYPES.get(entry.entry_type.lower(), "document"),
        "citation-key": entry.key,
        "author": _names(fields.get("author", "")),
        "editor": _names(fields.get("editor", "")),
    }
    for name, sources in _FIELDS.items():
        value = next((fields[source] for source in sources if fields.get(source)), "")
        converted[name] = _unescaped(value) if name in _LITERAL else plain_text(value)
    subtitle = plain_text(fields.get("subtitle", ""))
    if converted["title"] and subtitle:
        converted["title"] = f"{converted['title']}: {subtitle}"
    if not converted["DOI"] and fields.get("eprinttype", "").lower() == "doi":
        converted["DOI"] = fields.get("eprint", "")
    return converted


def _fields(entry: model.Entry) -> dict[str, str]:
    fields: dict[str, str] = {}
    for item in entry.fields:
        fields.setdefault(item.key.lower(), str(item.value)[:_FIELD_LIMIT])
    return fields


def plain_text(value: str) -> str:
    """LaTeX markup as the characters that it stands for; what cannot be understood stays, without braces."""
    if not _MARKUP.search(value):
        return value.strip()
    try:
        return str(_to_text.latex_to_text(value)).strip()
    except (LatexWalkerError, RecursionError, ValueError, IndexError, KeyError, TypeError, AttributeError):
        return value.replace("{", "").replace("}", "").strip()


def _unescaped(value: str) -> str:
    value = re.sub(r"^\s*\\url\{(.*)\}\s*$", r"\1", value)
    return re.sub(r"\\([_%#&~$])", r"\1", value).replace("{", "").replace("}", "").strip()


def _names(value: str) -> list[dict[str, str]]:
    names = []
    for name in _split_and(value)[: clean.LIST_LIMIT]:
        if name.lower() == "others":
            continue
        if name.startswith("{") and name.endswith("}"):
            names.append({"literal": plain_text(name)})
            continue
        parts = [plain_text(part) for part in _split_commas(name)]
        if len(parts) == 1:
            names.append({"literal": parts[0]} if " " not in parts[0] else _first_last(parts[0]))
        else:
            # "von Last, First" or "von Last, Jr, First"
            names.append({"family": parts[0], "given": parts[-1], "suffix": parts[1] if len(parts) > 2 else ""})
    return names


def _first_last(name: str) -> dict[str, str]:
    """ "First von Last": the family name begins at the first word in lower case, else it is the last word."""
    words = name.split()
    cut = next((i for i, word in enumerate(words[:-1]) if i and word[0].islower()), len(words) - 1)
    return {"given": " ".join(words[:cut]), "family": " ".join(words[cut:])}


def _split_and(value: str) -> list[str]:
    if "{" not in value:
        return [name.strip() for name in _AND.split(value.strip()) if name.strip()]
    names, depth, begin, position = [], 0, 0, 0
    while position < len(value):
        letter = value[position]
        depth += (letter == "{") - (letter == "}")
        if depth == 0 and letter.isspace():
            found = _AND.match(value, position)
            if found:
                names.append(value[begin:position])
                begin = position = found.end()
                continue
        position += 1
    names.append(value[begin:])
    return [name.strip() for name in names if name.strip()]


def _split_commas(name: str) -> list[str]:
    parts, depth, begin = [], 0, 0
    for position, letter in enumerate(name):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            parts.append(name[begin:position])
            begin = position + 1
    parts.append(name[begin:])
    return [part.strip() for part in parts if part.strip()] or [name]
