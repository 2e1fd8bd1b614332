"""Links into the shelf: `hubshelf://resource/ID` and its like (RFC 3986), read strictly and written back.

    hubshelf://KIND/ID          KIND: resource, thread, summary, request, expert, organisation, event
    hubshelf://search?q=WORDS

A link only ever shows a place of the window: it changes, sends and fetches nothing, and there is no other part
in it. Whoever follows one may have it from anywhere, so that whatever is not exactly this is refused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from desktop.navigation import Place, place_of

SCHEME = "hubshelf"
KINDS = ("resource", "thread", "summary", "request", "expert", "organisation", "event")
LONGEST = 2_000
"""Characters of a link."""
LONGEST_QUERY = 300
"""Characters of the words to search for."""

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
"""What hubs give and take as ids."""
_SHAPE = re.compile(r"hubshelf://([a-z]{1,16})(/[^?#]*)?(?:\?([^?#]*))?", re.IGNORECASE)
_ESCAPED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
_NEVER_TYPED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Controls, and marks that turn the order of letters round (Unicode general categories)."""
_JOINERS = "\u200c\u200d"
"""Persian and the scripts of India write with these."""

Reason = Literal["too-long", "not-a-link", "unknown-kind", "bad-id", "bad-search"]


class LinkRefused(Exception):
    """The link is none that this program opens; `reason` says which part is wrong. Nothing was done."""

    advice = "Check that it was copied whole, or ask for it again."

    def __init__(self, reason: Reason) -> None:
        self.code, words = REASONS[reason]
        super().__init__(words)
        self.reason = reason


REASONS: dict[Reason, tuple[str, str]] = {
    "too-long": ("link-refused", f"The link is longer than {LONGEST:,} characters."),
    "not-a-link": ("link-refused", "This is not a link of Hubshelf: they look like hubshelf://resource/ID"),
    "unknown-kind": ("link-of-other-kind", f"Links lead to a search or to one of: {', '.join(KINDS)}."),
    "bad-id": ("link-without-record", "The link does not name one record."),
    "bad-search": (
        "link-without-words",
        f"The link does not hold words to search for, or more than {LONGEST_QUERY} characters.",
    ),
}
"""Why a link is refused → the code of the error, and what happened."""


def place_of_link(link: str) -> Place:
    """The place that `link` leads to. Raises LinkRefused; whether the record is on the shelf is not looked at."""
    if len(link) > LONGEST:
        raise LinkRefused("too-long")
    shape = _SHAPE.fullmatch(link)
    if shape is None or not link.isascii() or not link.isprintable() or not _ESCAPED.fullmatch(link):
        raise LinkRefused("not-a-link")
    kind, path, query = shape[1].lower(), shape[2] or "", shape[3]
    if kind == "search":
        # Browsers put the slash in.
        if path not in ("", "/") or query is None:
            raise LinkRefused("bad-search")
        return Place("search", query=_words(query))
    if kind not in KINDS:
        raise LinkRefused("unknown-kind")
    # Some systems add a slash to what they hand over.
    record = path[1:].removesuffix("/")
    if query is not None or not _ID.fullmatch(record):
        raise LinkRefused("bad-id")
    return place_of(kind, record)


def link_to(kind: str, record: str) -> str:
    """The link to a record of `kind`. Raises LinkRefused for a kind or an id that no link can name."""
    if kind not in KINDS:
        raise LinkRefused("unknown-kind")
    if not _ID.fullmatch(record):
        raise LinkRefused("bad-id")
    return f"{SCHEME}://{kind}/{record}"


def link_to_search(words: str) -> str:
    """The link that searches for `words`. Raises LinkRefused where there are none or too many."""
    from urllib.parse import quote

    link = f"{SCHEME}://search?q={quote(words.strip(), safe='')}"
    if not words.strip() or len(words.strip()) > LONGEST_QUERY or len(link) > LONGEST:
        raise LinkRefused("bad-search")
    return link


def _words(query: str) -> str:
    from urllib.parse import unquote_to_bytes

    name, sign, value = query.partition("=")
    if name != "q" or not sign or "&" in value or ";" in value:
        raise LinkRefused("bad-search")
    try:
        words = unquote_to_bytes(value.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError:
        raise LinkRefused("bad-search") from None
    if any(unicodedata.category(c) in _NEVER_TYPED and c not in _JOINERS for c in words):
        raise LinkRefused("bad-search")
    words = words.strip()
    if not words or len(words) > LONGEST_QUERY:
        raise LinkRefused("bad-search")
    return words
