"""What became of a resource after it was published: its notice (docs/protocol.md, "Notices").

``notices`` in library.db holds which records have one, so that lists and searches need not unpack any to know;
it is empty on most shelves. Every function that takes a store runs in the caller's transaction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from resources_cache.database import Store

RULES = "1"
"""Changes when notices are to be taken out otherwise; shelves then find them anew."""

KINDS = ("corrected", "superseded", "withdrawn")
BELOW = 0.5
"""What the score of a superseded or withdrawn resource is multiplied with, so that it stands below the others."""

MOST_NOTE = 1_000
MOST_LANGUAGES = 20

SCHEMA = "CREATE TABLE notices (rid INTEGER PRIMARY KEY, kind TEXT NOT NULL)"

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
_AT_ONCE = 500


@dataclass(frozen=True)
class Notice:
    """``kind``: one of ``KINDS``. ``note``: (language, text), as the hub ordered them. ``since``: "2026-05-03" or
    "". ``by``: the id of the resource that takes its place, or ""."""

    kind: str
    note: tuple[tuple[str, str], ...] = ()
    since: str = ""
    by: str = ""

    @property
    def mark(self) -> str:
        """What stands for this notice where somebody has seen it: another one differs in it."""
        return "|".join((self.kind, self.since, self.by, str(hash_of(self.note))))

    def words(self, languages: Iterable[str]) -> tuple[str, str]:
        """(text, language) of the note in the first of these languages that it has, else of its first one."""
        told = {tag.partition("-")[0].lower(): (said, tag) for tag, said in reversed(self.note)}
        for lang in languages:
            if found := told.get(lang.partition("-")[0].lower()):
                return found
        return (self.note[0][1], self.note[0][0]) if self.note else ("", "")


def hash_of(note: Sequence[tuple[str, str]]) -> int:
    """A number that stands for a note."""
    from zlib import crc32

    return crc32("\0".join(part for one in note for part in one).encode("utf-8", "replace"))


def notice_of(record: Mapping[str, Any]) -> Notice | None:
    """The notice of a resource's record; None where it has none, or one of a shape or kind not known here."""
    from resources_cache.records import clean

    told = record.get("notice")
    if record.get("type") != "resource" or not isinstance(told, Mapping) or told.get("kind") not in KINDS:
        return None
    note = told.get("note")
    texts = [
        (tag, clean(text[:MOST_NOTE]).replace("\x00", ""))
        for tag, text in (list(note.items())[:MOST_LANGUAGES] if isinstance(note, Mapping) else ())
        if isinstance(tag, str) and _TAG.fullmatch(tag) and isinstance(text, str) and text.strip()
    ]
    since, by = told.get("since"), told.get("by")
    return Notice(
        kind=str(told["kind"]),
        note=tuple(texts),
        since=str(since) if _is_day(since) else "",
        by=by if isinstance(by, str) and _ID.fullmatch(by) and by != record.get("id") else "",
    )


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def file(store: Store, records: Iterable[tuple[int, Mapping[str, Any]]], known: Sequence[int]) -> None:
    """Note which of these records, by rid, have a notice; ``known`` are those of them that were here before."""
    forget(store, known)
    rows = [(rid, found.kind) for rid, record in records if (found := notice_of(record)) is not None]
    if rows:
        store.executemany("INSERT OR REPLACE INTO notices VALUES (?, ?)", rows)


def forget(store: Store, rids: Sequence[int]) -> None:
    """Take these records out."""
    if rids and store.value("SELECT 1 FROM notices LIMIT 1"):
        store.executemany("DELETE FROM notices WHERE rid=?", [(rid,) for rid in rids])


def rebuild(store: Store) -> None:
    """Find all notices anew from the stored records."""
    from resources_cache import bodies  # which files records, and a record is filed with its notice

    store.execute("DELETE FROM notices")
    rids = [rid for (rid,) in store.rows("SELECT rid FROM records WHERE type='resource'")]
    for start in range(0, len(rids), _AT_ONCE):
        part = rids[start : start + _AT_ONCE]
        sql = f"SELECT rid, body FROM bodies WHERE rid IN ({','.join('?' * len(part))})"
        # Few have one: most need not be read as JSON to know.
        told = {rid: bodies.unpack(store, body) for rid, body in store.blobs_at_once("rid", "body", sql, part)}
        file(store, [(rid, json.loads(body)) for rid, body in told.items() if '"notice"' in body], ())


def kinds(store: Store, rids: Collection[int]) -> dict[int, str]:
    """The kind of the notice of each of these that has one."""
    if not rids or not store.value("SELECT 1 FROM notices LIMIT 1"):
        return {}
    found: dict[int, str] = {}
    wanted = list(rids)
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        sql = f"SELECT rid, kind FROM notices WHERE rid IN ({','.join('?' * len(part))})"
        found |= dict(store.rows(sql, part))
    return found


def here(store: Store, ids: Iterable[str]) -> set[str]:
    """Which of these records are on the shelf."""
    wanted = list(ids)
    found: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        sql = f"SELECT id FROM records WHERE id IN ({','.join('?' * len(part))})"
        found.update(str(id_) for (id_,) in store.rows(sql, part))
    return found


def noticed(store: Store, ids: Iterable[str]) -> dict[str, Notice]:
    """The notices of those of these records that have one, by id."""
    from resources_cache import bodies

    wanted = set(ids)
    if not wanted:
        return {}
    rows = store.rows("SELECT id, rid FROM notices JOIN records USING (rid)")
    rids = {rid: id_ for id_, rid in rows if id_ in wanted}
    told = bodies.many(store, list(rids)) if rids else {}
    return {id_: found for rid, id_ in rids.items() if (found := notice_of(told[rid])) is not None}
