"""Values from outside made fit to store: no control characters, bounded, codes where there are codes."""

from __future__ import annotations

import functools
import html
import json
import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from importlib import resources
from typing import Any

import nh3

from hub.times import from_wire

from .records import Refused

TITLE_LIMIT = 1000
LINE_LIMIT = 2000
SUMMARY_LIMIT = 100_000
BODY_LIMIT = 8_000_000
LIST_LIMIT = 500
DEPTH_LIMIT = 12

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_SPACE = re.compile(r"\s+")
_INLINE_MARKUP = re.compile(
    r"</?(?:i|b|em|strong|sub|sup|sc|u|span|nc|br|p|div|jats:[a-z-]+)(?:\s[^<>]*)?/?>", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
_LANG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_YEAR = re.compile(r"(?<!\d)(1[0-9]{3}|20[0-9]{2}|2100)(?!\d)")

TEXT_TAGS = {
    "h2", "h3", "p", "ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td",
    "strong", "em", "a",
}  # fmt: skip


def text(value: object, limit: int = BODY_LIMIT) -> str:
    """A text of at most ``limit`` characters, line breaks kept; numbers become their digits.

    Raises Refused for anything that is no text at all (a list, an object).
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Refused(f"a text was expected, not {_kind(value)}")
    if not isinstance(value, str):
        value = _number_text(value)
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    # Lone surrogates come out of JSON escapes and cannot be encoded again.
    value = value.encode("utf-8", "replace").decode("utf-8")
    value = _CONTROL.sub(" ", value)
    return unicodedata.normalize("NFC", value)[:limit].strip()


def line(value: object, limit: int = LINE_LIMIT) -> str:
    """A text on one line."""
    return _SPACE.sub(" ", text(value, limit * 2)).strip()[:limit].strip()


def plain(value: str) -> str:
    """Bibliographic text without its inline markup and character entities."""
    value = _INLINE_MARKUP.sub("", value)
    return html.unescape(value) if _ENTITY.search(value) else value


def lines(value: object, limit: int = LINE_LIMIT) -> list[str]:
    """A list of distinct one-line texts; a single text is a list of one, other members are left out."""
    if value is None:
        return []
    members: Iterable[object] = value if isinstance(value, (list, tuple)) else [value]
    cleaned: dict[str, None] = {}
    for member in members:
        if isinstance(member, (str, int, float)) and not isinstance(member, bool):
            cleaned.setdefault(line(member, limit))
        if len(cleaned) > LIST_LIMIT:
            break
    cleaned.pop("", None)
    return list(cleaned)[:LIST_LIMIT]


def safe_html(value: str) -> str:
    """HTML with the tags of text editions only; scripts, styles, images and handlers are gone."""
    return nh3.clean(
        value,
        tags=TEXT_TAGS,
        clean_content_tags={"script", "style"},
        attributes={"a": {"href", "title"}, "th": {"scope", "colspan", "rowspan"}, "td": {"colspan", "rowspan"}},
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )


def moment(value: object) -> datetime | None:
    """An aware time, or None where there is none or it cannot be read."""
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        return from_wire(value)
    except ValueError:
        return None


def year(value: object) -> int | None:
    """The first year between 1000 and 2100 that the value holds."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    if isinstance(value, int):
        return value if 1000 <= value <= 2100 else None
    found = _YEAR.search(value[:200])
    return int(found.group(1)) if found else None


def lang(value: object) -> str:
    """A BCP 47 tag from a tag or from a language's name; "und" where it says neither."""
    if isinstance(value, (list, tuple)):
        value = value[0] if value else ""
    if not isinstance(value, str):
        return "und"
    name = value.strip()[:100]
    known = _table("languages.json").get(fold(name))
    if known:
        return known
    if not _LANG.fullmatch(name):
        first = re.split(r"[;,/(]", name)[0]
        return lang(first) if first != name else "und"
    first, *rest = name.replace("_", "-").split("-")
    first = _table("languages.json").get(first.lower(), first.lower()) if len(first) == 3 else first.lower()
    tag = [first]
    for part in rest:
        tag.append(part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part.lower())
    return "-".join(tag)


def country(value: object) -> str:
    """ISO 3166 alpha-2 from a code or from a country's name in six languages; empty where it is neither."""
    if not isinstance(value, str):
        return ""
    name = value.strip()[:200]
    if len(name) == 2 and name.isascii() and name.isalpha():
        return name.upper()
    names = _table("countries.json")
    folded = fold(name)
    if folded in names:
        return names[folded]
    stripped = re.sub(
        r"^(?:the )?(?:[a-z ]*? )?(?:republic|kingdom|commonwealth|state|union|federation|principality|sultanate)"
        r" (?:of )?(?:the )?",
        "",
        folded,
    )
    return names.get(stripped, "") or names.get(folded.removeprefix("the "), "")


def countries(value: object) -> list[str]:
    """Codes of all the countries named, in order, without those that no table knows."""
    return list(dict.fromkeys(code for name in lines(value) if (code := country(name))))


def link(value: object) -> str:
    """An http(s) address, or nothing: no other scheme may reach a reader's machine."""
    address = line(value) if isinstance(value, str) else ""
    if address.lower().startswith("www."):
        address = f"https://{address}"
    return address if re.match(r"https?://[^\s/]", address, re.IGNORECASE) else ""


def fold(value: str) -> str:
    """Lower case without accents or punctuation, words apart by one space: for looking names up."""
    decomposed = unicodedata.normalize("NFKD", value.casefold())
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())


def slug(value: str) -> str:
    """A theme's id from its slug or its name: at most 64 of ``a-z0-9-`` (any script's letters are kept)."""
    return "-".join(fold(value).split())[:64].strip("-")


def json_value(value: Any, depth: int = 0) -> Any:
    """A JSON value that any database and any wire takes: finite numbers, clean texts, bounded depth."""
    if depth > DEPTH_LIMIT:
        return None
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [json_value(member, depth + 1) for member in value[: LIST_LIMIT * 4]]
    if isinstance(value, dict):
        return {line(str(key), 200): json_value(member, depth + 1) for key, member in value.items()}
    return None


@functools.cache
def _table(name: str) -> dict[str, str]:
    table: dict[str, str] = json.loads((resources.files("hub.imports") / name).read_text(encoding="utf-8"))
    return table


def _number_text(value: int | float) -> str:
    if isinstance(value, int) and value.bit_length() > 1000:
        raise Refused("a number is too large")
    return str(value)


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, (list, tuple)) else "something else"
