"""What is taken out of a wire record: the columns for lists and filters, and the text to be indexed.

Pure functions over JSON objects. A field of an unexpected shape is treated as absent, never as an error:
the whole record is kept raw beside what is taken out of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from resources_cache.cards import Card
from resources_cache.errors import BadRecord
from resources_cache.notices import notice_of
from resources_cache.text import fold, guess, language, prepare, strip_html

OWNER_FIELD = {"text": "resource", "message": "thread", "summary": "thread", "reply": "request"}
"""Kinds that are shown inside another record, and the field that names it."""

SEARCHED = ("resource", "thread", "expert", "event", "organisation", "request")
"""Kinds that a search can answer with."""

SEARCHED_SQL = ", ".join(f"'{kind}'" for kind in SEARCHED)
"""The same for an SQL ``IN``."""

PERSONAL = "personal"
"""The stream name under which the person's own requests and replies are filed."""


_AS_WRITTEN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_ESCAPED = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True)
class Filed:
    """A record ready to be stored: columns, links, and the text fields as they are written."""

    id: str
    type: str
    owner: str
    lang: str
    year: int | None
    title: str
    sort_title: str
    updated: str
    resource_type: str
    policy_cycle: str
    activity: str
    body: str
    size: int
    links: tuple[tuple[str, str], ...]
    curated: bool


def record_id(change: Any) -> str:
    """The id of a change. Raises: BadRecord where it has none."""
    found = change.get("id") if isinstance(change, Mapping) else None
    if not isinstance(found, str) or not found:
        raise BadRecord("A record from the hub has no id, so it cannot be kept.")
    if not _holds(found):
        raise BadRecord("A record from the hub has an id that is not Unicode text, so it cannot be kept.")
    return found


def file_record(record: Mapping[str, Any]) -> Filed:
    """Take out of a record what lists and filters need. Raises: BadRecord where it is no JSON object."""
    kind = _text(record, "type") or "unknown"
    body = dump(record)
    title = _text(record, "title") or _text(record, "name")
    return Filed(
        id=record_id(record),
        type=kind,
        owner=_text(record, OWNER_FIELD[kind]) if kind in OWNER_FIELD else "",
        lang=_text(record, "lang"),
        year=_year(record.get("year")),
        title=title,
        sort_title=fold(title).lstrip("\"'«“‘(¿¡ ")[:120],
        updated=_text(record, "updated") or _text(record, "created"),
        resource_type=_text(record, "resource_type"),
        policy_cycle=_text(record, "policy_cycle"),
        activity=_text(record, "activity"),
        body=body,
        size=len(body.encode("utf-8")),
        links=tuple(
            dict.fromkeys(
                [("theme", value) for value in texts(record.get("themes"))]
                + [("country", value) for value in texts(record.get("countries"))]
            )
        ),
        curated=curated(record),
    )


def curated(record: Mapping[str, Any]) -> bool:
    """Whether a curator has put it into a collection."""
    return bool(record.get("collections"))


def dump(record: Mapping[str, Any]) -> str:
    """The record as compact JSON that SQLite can hold; lone surrogates stay as escapes, so nothing is lost.

    Raises: BadRecord where it is not JSON.
    """
    try:
        body = _AS_WRITTEN.encode(record)
        return body if _holds(body) else _ESCAPED.encode(record)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRecord(f"A record from the hub is not JSON ({error}), so it cannot be kept.") from error


Part = tuple[str, str, str]
"""(column of the search index or ``KEYWORDS``, text as it is written, its BCP 47 tag or "")."""

COLUMNS = ("title", "names", "summary", "body")
"""Columns of the search index. Names: who wrote, published or is it."""

KEYWORDS = "keywords"
"""What is searched of a resource and is no prose: subjects, identifiers, the year. In the index: summary."""


def parts(record: Mapping[str, Any]) -> list[Part]:
    """What is searched of a record, in the order of its columns; empty for kinds not searched."""
    kind, lang = _text(record, "type"), _text(record, "lang")
    title, summary, body = _text(record, "title"), _text(record, "summary"), _text(record, "body")
    found: list[Part] = []
    if kind == "resource":
        others = [t for t in _list(record, "translations") if isinstance(t, Mapping)]
        found = [
            ("title", title, lang),
            *(("title", _text(t, "title"), _text(t, "lang")) for t in others),
            ("names", _joined(*names(record.get("authors")), _text(record, "publisher")), lang),
            ("summary", summary, lang),
            *(("summary", _text(t, "summary"), _text(t, "lang")) for t in others),
            (KEYWORDS, _keywords(record), lang),
        ]
    elif kind == "text":
        found = [("body", strip_html(body) if record.get("format") == "html" else body, lang)]
    elif kind in ("thread", "request"):
        found = [("title", title, lang), ("summary", summary, lang), ("body", body, lang)]
    elif kind in ("message", "reply"):
        found = [("body", body, lang)]
    elif kind == "summary":
        found = [("summary", _joined(title, body), lang)]
    elif kind == "expert":
        name, at = _text(record, "name"), _text(record, "organisation_name")
        found = [("title", name, lang), ("names", at, lang), ("summary", _text(record, "role"), lang)]
        found.append(("body", _text(record, "bio"), lang))
    elif kind == "organisation":
        found = [("title", _text(record, "name"), lang), ("summary", summary, lang)]
    elif kind == "event":
        found = [("title", title, lang), ("summary", _joined(summary, _text(record, "place")), lang)]
    return [part for part in found if part[1]]


def titled(record: Mapping[str, Any]) -> str:
    """What a record is called: the first title that is searched of it; "" where it has none."""
    told = _text(record, "name" if _text(record, "type") in ("expert", "organisation") else "title")
    return told or next((text for column, text, _tag in parts(record) if column == "title"), "")


def in_languages(found: Sequence[Part]) -> list[Part]:
    """The parts of a record, each with the language that it is prepared in (``resources_cache.text.language``)."""
    told: list[Part] = []
    own = ""
    for column, text, tag in found:
        lang = language(tag)
        if not lang:
            # One guess for all that does not say: a title alone is too short to tell.
            own = own or guess("\n".join(other for _, other, tag in found if not language(tag)))
            lang = own
        told.append((column, text, lang))
    return told


def _keywords(record: Mapping[str, Any]) -> str:
    identifiers = record.get("identifiers")
    known = texts(list(identifiers.values())) if isinstance(identifiers, Mapping) else []
    year = _year(record.get("year"))
    return _joined(*texts(record.get("subjects")), *known, str(year or ""))


@dataclass(frozen=True)
class Indexed:
    """What the search index holds of a record: prepared words by ``COLUMNS``, and the languages they are in.

    ``long``: a text edition, of which the index keeps what weighs, not where it stands.
    """

    columns: tuple[str, str, str, str]
    languages: frozenset[str]
    long: bool = False

    def __bool__(self) -> bool:
        return any(self.columns)

    @property
    def digest(self) -> bytes:
        """16 bytes that stand for the columns and where they are kept (BLAKE2b)."""
        kept = "\0".join(self.columns) + "\0long" * self.long
        return blake2b(kept.encode("utf-8", "replace"), digest_size=16).digest()


def indexed(record: Mapping[str, Any]) -> Indexed:
    """The words of the search index for a record; none where it is not searched."""
    columns: dict[str, list[str]] = {name: [] for name in COLUMNS}
    found = in_languages(parts(record))
    for column, text, lang in found:
        columns["summary" if column == KEYWORDS else column].append(prepare(text, lang))
    title, name, summary, body = (" ".join(filter(None, columns[column])) for column in COLUMNS)
    languages = frozenset(lang for _column, _text, lang in found)
    return Indexed((title, name, summary, body), languages, record.get("type") == "text")


def card(record: Mapping[str, Any], *, has_text: bool, messages: int) -> Card:
    """The line that a list shows for a record."""
    kind = _text(record, "type") or "unknown"
    return Card(
        id=str(record.get("id", "")),
        kind=kind,
        title=_text(record, "title") or _text(record, "name"),
        summary=_text(record, "summary") or _text(record, "bio") or _text(record, "role"),
        lang=_text(record, "lang"),
        year=_year(record.get("year")),
        countries=tuple(texts(record.get("countries"))),
        themes=tuple(texts(record.get("themes"))),
        resource_type=_text(record, "resource_type"),
        updated=_text(record, "updated") or _text(record, "created"),
        has_text=has_text,
        files_bytes=sum(
            size for f in _list(record, "files") if isinstance(f, Mapping) and (size := _count(f.get("size")))
        ),
        authors=tuple(names(record.get("authors"))),
        messages=max(messages, _count(record.get("messages"))),
        activity=_text(record, "activity"),
        resource=_text(record, "resource"),
        notice=found.kind if (found := notice_of(record)) is not None else "",
    )


def texts(value: Any) -> list[str]:
    """The non-empty strings of a list; a lone string counts as a list of one."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        return []
    return [clean(item) for item in value if isinstance(item, str) and item]


def names(value: Any) -> list[str]:
    """People's names from strings or from objects with ``name`` (or ``family`` and ``given``)."""
    found: list[str] = []
    for item in value if isinstance(value, list | tuple) else [value]:
        if isinstance(item, str):
            found.append(clean(item))
        elif isinstance(item, Mapping):
            found.append(_text(item, "name") or _joined(_text(item, "given"), _text(item, "family"), by=" "))
    return [name for name in found if name]


def clean(text: str) -> str:
    """Text that SQLite can hold: lone surrogates become "?"."""
    return text if _holds(text) else text.encode("utf-8", "replace").decode("utf-8")


def _holds(text: str) -> bool:
    """Whether SQLite, which keeps UTF-8, can hold the text as it is."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else clean(value)


def _list(record: Mapping[str, Any], name: str) -> Iterable[Any]:
    value = record.get(name)
    return value if isinstance(value, list | tuple) else ()


def _joined(*parts: str, by: str = "\n") -> str:
    return by.join(part for part in parts if part)


def _year(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value[:4].isascii() and value[:4].isdigit():
        value = int(value[:4])
    return value if isinstance(value, int) and 0 < value < 10_000 else None


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else 0
