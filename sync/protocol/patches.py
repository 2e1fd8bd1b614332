"""Patches: what changed in a record that the reader has, where that is much less than the record.

`{"id", "was", "set": {field: value}, "unset": [field], "edit": {field: [[position, delete_count, insert], …]}}`:
`was` is the beginning of the SHA-256 of the old record as JSON; positions and counts are Unicode code points of
the old text, ascending and apart. What is empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from typing import Any

from sync.protocol import limits
from sync.protocol.errors import Malformed, TooLarge, WrongBase
from sync.protocol.segments import Change
from sync.protocol.wire_json import dump, sha256

Edit = list[Any]
"""[position, delete_count, insert]"""

_LONG = 200
"""Characters: shorter texts are set whole."""
_WORTH = 0.7
"""A patch larger than this part of the record is not made."""
_GAP = 8
"""Characters: edits closer than that become one; a second edit costs more than the text between."""
_COST = 20_000_000
"""Pairs of parts that a comparison may look at: about two seconds."""
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_SENTENCES = re.compile(r"[^.!?\n؟।]+[.!?\n؟।]*\s*|[.!?\n؟।]+\s*")


def is_patch(change: Mapping[str, object]) -> bool:
    """Return whether a change of a segment is a patch rather than a record or a deletion."""
    return "was" in change


def make(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the patch that leads from one state of a record to another; None where it is hardly smaller.

    Both have the same `id` (ValueError otherwise).
    """
    if old.get("id") != new.get("id"):
        raise ValueError("a patch leads from a record to the same record")
    fields: dict[str, Any] = {}
    edits: dict[str, list[Edit]] = {}
    for field, value in new.items():
        before = old.get(field)
        if field in old and _same(before, value):
            continue
        if isinstance(before, str) and isinstance(value, str) and min(len(before), len(value)) >= _LONG:
            edits[field] = _compare(_clean(before), _clean(value))
        else:
            fields[field] = value
    patch: dict[str, Any] = {"id": new["id"], "was": _name(old)}
    unset = sorted(field for field in old if field not in new)
    for key, part in (("set", fields), ("unset", unset), ("edit", edits)):
        if part:
            patch[key] = part
    return patch if len(dump(patch)) <= _WORTH * len(dump(dict(new))) else None


def apply(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record that `patch` makes of `old`.

    Raises WrongBase where the patch was made for another state, Malformed for one that cannot be followed,
    TooLarge where the result is over `limits.RECORD`.
    """
    if patch.get("id") != old.get("id") or patch.get("was") != _name(old):
        raise WrongBase("A change was made for another state of a record than this shelf has.")
    fields, unset, edits = patch.get("set", {}), patch.get("unset", []), patch.get("edit", {})
    if not isinstance(fields, dict) or not isinstance(unset, list) or not isinstance(edits, dict):
        raise Malformed("A change of a record cannot be read.")
    if "id" in fields or "id" in edits or "id" in unset:
        raise Malformed("A change of a record would rename it.")
    found = dict(old)
    for field in unset:
        if not isinstance(field, str) or field not in found:
            raise Malformed("A change takes away a field that the record does not have.")
        del found[field]
    for field, steps in edits.items():
        if field in fields or not isinstance(found.get(field), str):
            raise Malformed("A change edits a text that the record does not have.")
        found[field] = _edited(_clean(found[field]), steps)
    found.update(fields)
    if len(dump(found)) > limits.RECORD:
        raise TooLarge(f"A change makes a record of more than {limits.RECORD} bytes.")
    return found


def compose(first: Iterable[Change], second: Iterable[Change]) -> list[Change]:
    """Return two consecutive runs as one, sorted by stream and id.

    A record or deletion replaces what came before it; a patch is applied to a record and stays behind another
    patch, in order. Raises Malformed for a patch of what was deleted, and as `apply`.
    """
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for changes in (first, second):
        for stream, change in changes:
            key = stream, change["id"]
            before = found.get(key)
            if before is None or not is_patch(change):
                found[key] = [change]
            elif is_patch(before[-1]):
                before.append(change)
            elif before[-1].get("deleted") is True:
                raise Malformed("A change is made to a record that was deleted.")
            else:
                found[key] = [apply(before[-1], change)]
    return [(key[0], change) for key in sorted(found) for change in found[key]]


def _name(record: Mapping[str, Any]) -> str:
    return sha256(dump(dict(record)))[:16]


def _same(before: object, after: object) -> bool:
    # 1, 1.0 and true are equal to Python, and different on the wire.
    if isinstance(before, str) and isinstance(after, str):
        return before == after
    return dump(before) == dump(after)


def _clean(text: str) -> str:
    """The text as its JSON carries it: positions count what both sides have."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return text


def _compare(old: str, new: str) -> list[Edit]:
    """Edits that lead from one text to another: by words, by sentences where that costs too much, or as one."""
    start = 0
    most = min(len(old), len(new))
    while start < most and old[start] == new[start]:
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end]:
        end += 1
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    for parts in (_WORDS, _SENTENCES):
        left, right = parts.findall(before), parts.findall(after)
        if len(left) * len(right) <= _COST:
            return _joined(old, [*_steps(left, right, start)])
    return [[start, len(before), after]]


def _steps(left: list[str], right: list[str], start: int) -> Iterable[Edit]:
    places = [start]
    for part in left:
        places.append(places[-1] + len(part))
    for kind, one, two, three, four in SequenceMatcher(None, left, right).get_opcodes():
        if kind != "equal":
            yield [places[one], places[two] - places[one], "".join(right[three:four])]


def _joined(old: str, steps: list[Edit]) -> list[Edit]:
    found: list[Edit] = []
    for place, count, insert in steps:
        if found and place - (found[-1][0] + found[-1][1]) <= _GAP:
            last = found[-1]
            between = old[last[0] + last[1] : place]
            found[-1] = [last[0], place + count - last[0], last[2] + between + insert]
        else:
            found.append([place, count, insert])
    return found


def _edited(old: str, steps: object) -> str:
    if not isinstance(steps, list):
        raise Malformed("A change of a text cannot be read.")
    parts: list[str] = []
    at = 0
    for step in steps:
        if not isinstance(step, list) or len(step) != 3 or not isinstance(step[2], str):
            raise Malformed("A change of a text cannot be read.")
        place, count, insert = step
        if not _whole(place) or not _whole(count) or place < at or place + count > len(old):
            raise Malformed("A change of a text goes past it, or back.")
        parts += (old[at:place], insert)
        at = place + count
    return "".join((*parts, old[at:]))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
