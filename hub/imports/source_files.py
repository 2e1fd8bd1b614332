"""Opening what somebody named: bounded, decoded, and recognised by its content, then by its name."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .records import Refused

# Everything but JSON Lines and CSV is parsed as one piece in memory.
WHOLE_LIMIT = 256 << 20
LINE_LIMIT = 32 << 20
_HEAD = 64 << 10
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_BY_NAME = {
    ".jsonl": "native", ".ndjson": "native", ".json": "json", ".csv": "csv", ".tsv": "csv", ".tab": "csv",
    ".ris": "ris", ".bib": "bibtex", ".bibtex": "bibtex", ".biblatex": "bibtex",
}  # fmt: skip
_FOREIGN = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP, Word or EPUB file"),
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
)


@dataclass(frozen=True)
class SourceFile:
    """A file to import. ``format``: native, json, csv, ris or bibtex."""

    path: Path
    format: str
    encoding: str

    @property
    def folder(self) -> Path:
        return self.path.absolute().parent


def recognise(path: Path) -> SourceFile:
    """What kind of file this is. Raises Refused with the reason why nothing can be done with it."""
    try:
        if not path.exists():
            raise Refused("there is no such file")
        if not path.is_file():
            raise Refused("this is not a regular file")
        with path.open("rb") as handle:
            head = handle.read(_HEAD)
    except OSError as error:
        raise Refused(f"the file cannot be read: {error.strerror or error}") from error
    if not head.strip():
        raise Refused("the file is empty")
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            raise Refused(f"this is {name}, which is not an import format")
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "")
    if not encoding and b"\x00" in head:
        raise Refused("this is a binary file, not text")
    sample = head.decode(encoding or "utf-8", "replace").lstrip("\ufeff").lstrip()
    form = _by_content(sample) or _BY_NAME.get(path.suffix.lower(), "")
    if form == "json" and path.suffix.lower() in (".jsonl", ".ndjson") and not encoding.startswith("utf-16"):
        form = "native"
    if not form:
        raise Refused(
            "the format is not known; what can be imported: JSON Lines, ERIC JSON, CSV, RIS, BibTeX, CSL-JSON, "
            "Zotero JSON"
        )
    return SourceFile(path, form, encoding)


def _by_content(sample: str) -> str:
    if sample.startswith(("{", "[")):
        first = sample.split("\n", 1)[0].rstrip()
        # One complete object on the first line, and another line that begins one: JSON Lines.
        if first.startswith("{") and first.endswith("}") and re.search(r"\n\s*\{", sample):
            return "native" if _is_object(first) else "json"
        return "json"
    if re.search(r"^[ \t]*TY[ \t]{0,2}-", sample[:8000], re.MULTILINE) or re.match(
        r"FN .*\nVR |PT [A-Z]\n", sample
    ):
        return "ris"
    if re.search(r"(?:^|\n)\s*@\s*[A-Za-z]+\s*[{(]", sample):
        return "bibtex"
    if re.match(r"<(?:!doctype|html|\?xml)", sample, re.IGNORECASE):
        raise Refused("this is HTML or XML, which is not an import format")
    return ""


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def whole_text(source: SourceFile) -> str:
    """The file as text: its byte order mark decides, then UTF-8, then Windows-1252.

    Raises Refused when it is too large or cannot be read.
    """
    try:
        if source.path.stat().st_size > WHOLE_LIMIT:
            raise Refused(f"the file is larger than {WHOLE_LIMIT >> 20} MB; split it")
        raw = source.path.read_bytes()
    except OSError as error:
        raise Refused(f"the file cannot be read: {error.strerror or error}") from error
    if source.encoding:
        return raw.decode(source.encoding, "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def whole_json(source: SourceFile) -> Any:
    """The file as one JSON value. Raises Refused."""
    try:
        return json.loads(whole_text(source))
    except RecursionError:
        raise Refused("the JSON is nested too deeply") from None
    except ValueError as error:
        raise Refused(f"the file is not valid JSON: {str(error)[:200]}") from None


def raw_lines(source: SourceFile) -> Iterator[tuple[int, bytes | None]]:
    """(line number, bytes) of every line that is not blank; None for a line longer than LINE_LIMIT bytes.

    UTF-16 and UTF-32 files are turned into UTF-8 first. Raises Refused when the file cannot be read.
    """
    if source.encoding and source.encoding != "utf-8-sig":
        for number, text in enumerate(whole_text(source).split("\n"), 1):
            if text.strip():
                yield number, text.encode("utf-8", "replace")
        return
    try:
        with source.path.open("rb") as handle:
            number = 0
            while line := handle.readline(LINE_LIMIT + 1):
                number += 1
                if number == 1:
                    line = line.removeprefix(codecs.BOM_UTF8)
                if len(line) > LINE_LIMIT and not line.endswith(b"\n"):
                    while (rest := handle.readline(LINE_LIMIT)) and not rest.endswith(b"\n"):
                        pass
                    yield number, None
                elif line.strip():
                    yield number, line
    except OSError as error:
        raise Refused(f"the file cannot be read any further: {error.strerror or error}") from error
