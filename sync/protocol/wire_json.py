"""JSON as both sides write and read it: compact, sorted, UTF-8, and bounded when it is read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from sync.protocol import limits
from sync.protocol.errors import Malformed, TooLarge

_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
"""A string, or what begins like one and has no end: each byte is looked at once."""
_BRACKETS = re.compile(rb"[\[\]{}]")


def dump(value: object) -> bytes:
    """Return `value` as compact UTF-8 JSON with sorted keys: equal values give equal bytes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode("utf-8")


def sha256(data: bytes) -> str:
    """Return the lower-case hexadecimal SHA-256 of `data` (64 characters)."""
    return hashlib.sha256(data).hexdigest()


def load_object(data: bytes, limit: int, what: str) -> dict[str, Any]:
    """Read a JSON object of at most `limit` bytes.

    `what` names the document in errors. Raises TooLarge, and Malformed for anything but an object,
    for nesting past `limits.JSON_DEPTH`, for NaN and for a key that stands twice.
    """
    if len(data) > limit:
        raise TooLarge(f"The {what} is {len(data)} bytes long; at most {limit} are read.")
    _check_depth(data, what)
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Malformed(f"The {what} is not the JSON that a hub sends ({error}).") from None
    if not isinstance(value, dict):
        raise Malformed(f"The {what} is not a JSON object.")
    return value


def _check_depth(data: bytes, what: str) -> None:
    # Counted before parsing, since the parser recurses; brackets inside strings do not count.
    if data.count(b"[") + data.count(b"{") <= limits.JSON_DEPTH:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > limits.JSON_DEPTH:
            raise Malformed(f"The {what} is nested deeper than {limits.JSON_DEPTH} levels.")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def text(source: Mapping[str, Any], key: str, what: str, *, default: str | None = None) -> str:
    """Return the string under `key`; Malformed where it is missing (without a default) or not a string."""
    value = source.get(key, default)
    if not isinstance(value, str):
        raise Malformed(f"The {what} has no text under “{key}”.")
    return value


def number(source: Mapping[str, Any], key: str, what: str, *, default: int | None = None) -> int:
    """Return the whole number ≥ 0 (below 2**53) under `key`; Malformed for anything else."""
    value = source.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise Malformed(f"The {what} has no whole number under “{key}”.")
    return value


def digest(source: Mapping[str, Any], key: str, what: str) -> str:
    """Return the 64 hexadecimal characters under `key`; Malformed for anything else."""
    value = text(source, key, what)
    if not is_digest(value):
        raise Malformed(f"The {what} has no SHA-256 under “{key}”.")
    return value


def is_digest(value: str) -> bool:
    """Return whether `value` is a lower-case hexadecimal SHA-256: safe as a file name or a path segment."""
    return len(value) == 64 and all(c in "0123456789abcdef" for c in value)


def objects(source: Mapping[str, Any], key: str, what: str, most: int) -> list[dict[str, Any]]:
    """Return the list of objects under `key` (an absent key is an empty list); Malformed, TooLarge."""
    value = source.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Malformed(f"The {what} has no list of objects under “{key}”.")
    if len(value) > most:
        raise TooLarge(f"The {what} lists {len(value)} entries under “{key}”; at most {most} are read.")
    return value
