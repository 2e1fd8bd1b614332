"""What was removed is put back where it was, with the times and the order that it had.

The bodies may have come from another PC's file: each is looked at before anything is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from resources_cache.errors import NotEditable, NotFound
from resources_cache.removed import Removed

if TYPE_CHECKING:
    from resources_cache.own import Own

_HIGHLIGHT = (str, str, str, str, str, str, int, str, str, str, str, str, str, int)
MOST_ATTACHED = 20
"""More files than this are never put together again under one draft."""


@dataclass(frozen=True)
class BroughtBack:
    """What came back. ``there``: its place was taken, and what stands there stays as it is (for a note or a reply:
    what came back stands below it). ``outbox``: it is a draft in the outbox now, or waits there again."""

    kind: str
    title: str
    there: bool = False
    outbox: bool = False


def bring_back(own: Own, id_: int) -> BroughtBack:
    """Put one removal back, in one transaction.

    Raises: NotFound (it is back or gone already, or cannot be read), NotEditable (sent meanwhile); DiskFull and
    others, with nothing changed.
    """
    with own._store.transaction() as store:
        one = own.removed.one(id_)
        way = _WAYS.get(one.kind)
        try:
            if way is None:
                raise ValueError(one.kind)
            there, outbox = way(own, one)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise NotFound(
                f"“{one.title}” cannot be read any more.", "A backup from before may have it."
            ) from None
        store.execute("DELETE FROM removed WHERE id=?", (id_,))
    return BroughtBack(one.kind, one.title, there, outbox)


def _rows(one: Removed, types: tuple[type, ...]) -> list[tuple[Any, ...]]:
    """The rows of a body, each of these types. Raises: ValueError."""
    rows = [tuple(row) for row in one.body["rows"]]
    for row in rows:
        if len(row) != len(types) or not all(isinstance(v, t) for v, t in zip(row, types, strict=True)):
            raise ValueError("not the row of a removal")
    return rows


def _insert(own: Own, table: str, rows: list[tuple[Any, ...]]) -> bool:
    """Put rows back; returns whether the places of all of them were taken."""
    before = int(own._store.connection.total_changes)
    holes = ", ".join("?" * len(rows[0]))
    own._store.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({holes})", rows)
    return int(own._store.connection.total_changes) == before


def _saved(own: Own, one: Removed) -> tuple[bool, bool]:
    return _insert(own, "bookmarks", _rows(one, (str, str, str))), False


def _search(own: Own, one: Removed) -> tuple[bool, bool]:
    rows = _rows(one, (str, str, str, str))
    if not all(isinstance(json.loads(filters), dict) for _words, filters, _seen, _created in rows):
        raise ValueError("no filters")
    return _insert(own, "searches", rows), False


def _collected(own: Own, one: Removed) -> tuple[bool, bool]:
    rows = _rows(one, (str, str, str, str))
    _again(own, *one.body["collection"])
    return _insert(own, "collected", rows), False


def _collection(own: Own, one: Removed) -> tuple[bool, bool]:
    id_, title, created = one.body["collection"]
    there = _again(own, id_, title, created)
    if rows := _rows(one, (str, str, str, str)):
        _insert(own, "collected", rows)
    return there, False


def _again(own: Own, id_: str, title: str, created: str) -> bool:
    """See that the collection is there; one of the same name but another id is another one, and both stay."""
    if not all(isinstance(value, str) for value in (id_, title, created)):
        raise ValueError("no collection")
    return _insert(own, "collections", [(id_, title, created)])


def _note(own: Own, one: Removed) -> tuple[bool, bool]:
    ((id_, words, updated),) = _rows(one, (str, str, str))
    now = own.note(id_)
    if not now:
        _insert(own, "notes", [(id_, words, updated)])
    elif words not in now:
        own._store.execute("UPDATE notes SET body=? WHERE id=?", (f"{now}\n\n{words}", id_))
    return bool(now), False


def _highlight(own: Own, one: Removed) -> tuple[bool, bool]:
    from resources_cache.annotations import from_row

    (row,) = _rows(one, _HIGHLIGHT)
    return own.annotations.put_back(from_row(row)), False


def _draft(own: Own, one: Removed) -> tuple[bool, bool]:
    ((key, text, updated),) = _rows(one, (str, str, str))
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("no draft")
    now = own.draft(key)
    if key == "ask" or key.startswith("edit:"):
        # The form may hold something else by now, also in a window that is open: a draft of its own, beside it.
        own.outbox.add("ask", str(content.get("title") or one.title), content, state="draft")
        return now is not None, True
    if now is None:
        _insert(own, "drafts", [(key, text, updated)])
        return False, False
    begun, words = str(now.get("body") or ""), str(content.get("body") or "")
    body = begun if words in begun else "\n\n".join(part for part in (begun, words) if part)
    own.save_draft(key, {**content, **now, "body": body, **_files(now, content)})
    return True, False


def _attachment(own: Own, one: Removed) -> tuple[bool, bool]:
    file, content = one.body["file"], one.body["draft"]
    if not isinstance(file, dict) or not isinstance(content, dict) or not isinstance(file["hash"], str):
        raise ValueError("no file")
    key = one.key
    now = own.draft(key)
    if key == "ask" or key.startswith("edit:"):
        kept = {**content, "attachments": [file]}
        own.outbox.add("ask", str(content.get("title") or file["name"]), kept, state="draft")
        return now is not None, True
    own.save_draft(key, {**content, **(now or {}), **_files(now or {}, {"attachments": [file]})})
    return now is not None, False


def _files(now: dict[str, Any], gone: dict[str, Any]) -> dict[str, Any]:
    there = list(now.get("attachments") or [])
    new = [one for one in gone.get("attachments") or [] if one not in there]
    return {"attachments": [*there, *new][:MOST_ATTACHED]} if there or new else {}


def _outbox(own: Own, one: Removed) -> tuple[bool, bool]:
    item, state = own.outbox.item(one.key), one.body["state"]
    if state not in ("draft", "waiting", "attention"):
        raise ValueError(state)
    if item.state != "withdrawn":
        raise NotEditable(f"“{item.title}” is {item.state} again already.", "Look into the outbox.")
    own.outbox.bring_back(replace(item, state=state))
    return False, True


_WAYS: dict[str, Callable[[Own, Removed], tuple[bool, bool]]] = {
    "saved": _saved,
    "search": _search,
    "collected": _collected,
    "collection": _collection,
    "note": _note,
    "highlight": _highlight,
    "draft": _draft,
    "attachment": _attachment,
    "outbox": _outbox,
}
