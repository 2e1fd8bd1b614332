"""Which records are one work: the same DOI, a translation, or the same title, year and author.

Every function runs in the caller's transaction. ``work_keys`` holds what each resource can be recognised by, as
hashes; ``works`` only the records that share a work with others, so it is small, and empty on most shelves.
A work is whatever keys join, directly or over a third record; which ones do depends on the content alone.

The wire says of no record that it is a translation of another one. What it says is the title of each translation
of a resource: a record that is called so, of the same year, is taken for that translation.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from resources_cache import bodies
from resources_cache.cards import Edition
from resources_cache.database import Store
from resources_cache.records import names, texts
from resources_cache.text import fold
from resources_cache.text.folding import WORD, is_unspaced

RULES = "1"
"""Changes when records are to be recognised otherwise; shelves then find their works anew."""

MAX_SHARED = 30
"""A key that more records have names no work but a series, or a mistake in a catalogue: it joins nothing."""

_DOI, _NAMED, _NAMED_TRANSLATION, _TITLED, _TITLED_TRANSLATION = range(5)
"""Kinds of keys: a DOI; title, year and author, its own or a translation's; the same without the author."""

_TRANSLATIONS = {_NAMED_TRANSLATION, _TITLED_TRANSLATION}
_MAX_TOLD = 16  # translations, and DOIs, of one record that are looked at
_MAX_TITLE = 400  # characters
_LONG_WORDS, _LONG_LETTERS = 5, 10  # a title that tells by itself, without an author; letters where no spaces are
_AT_ONCE = 500  # values in one statement

_FIND_DOI = re.compile(r"10\.\d{4,9}/\S+")

Key = tuple[int, int]
"""(hash, kind)."""

Row = tuple[int, int, int]
"""(key, rid, kind)."""

SCHEMA = (
    "CREATE TABLE work_keys (key INTEGER NOT NULL, rid INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " PRIMARY KEY (key, rid, kind)) WITHOUT ROWID",
    "CREATE INDEX work_keys_by_record ON work_keys (rid)",
    "CREATE TABLE works (rid INTEGER PRIMARY KEY, work INTEGER NOT NULL)",
    "CREATE INDEX works_by_work ON works (work)",
)


def keys(record: Mapping[str, Any]) -> set[Key]:
    """What a resource can be recognised by; nothing for other kinds of records."""
    if record.get("type") != "resource":
        return set()
    found = {(_hash("doi", doi), _DOI) for doi in _dois(record)}
    year = str(record.get("year") or "")[:4]
    if not year:
        return found
    name = next(iter(names(record.get("authors"))), "") or next(iter(texts(record.get("publisher"))), "")
    name = " ".join(sorted(_words(name)))
    told = record.get("translations")
    others = [one.get("title") for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    for title, kinds in (
        *((one, (_NAMED_TRANSLATION, _TITLED_TRANSLATION)) for one in others[:_MAX_TOLD]),
        (record.get("title"), (_NAMED, _TITLED)),
    ):
        words = _words(title) if isinstance(title, str) else []
        called = " ".join(words)
        if name and words:
            found.add((_hash("named", called, year, name), kinds[0]))
        if len(words) >= _LONG_WORDS or (is_unspaced(called) and len(called) >= _LONG_LETTERS):
            found.add((_hash("titled", called, year), kinds[1]))
    return found


def file(store: Store, records: Sequence[tuple[int, Mapping[str, Any]]], known: Sequence[int]) -> None:
    """Find the works of these records, by rid; ``known`` are those of them that were here before."""
    before: dict[int, set[Key]] = defaultdict(set)
    for key, rid, kind in _of_records(store, known):
        before[rid].add((key, kind))
    rows = [(key, rid, kind) for rid, record in records for key, kind in keys(record)]
    now: dict[int, set[Key]] = defaultdict(set)
    for key, rid, kind in rows:
        now[rid].add((key, kind))
    changed = [rid for rid, _record in records if before.get(rid) != now.get(rid)]
    _replace(store, changed, before, now)


def forget(store: Store, rids: Sequence[int]) -> None:
    """Take these records out of their works."""
    before: dict[int, set[Key]] = defaultdict(set)
    for key, rid, kind in _of_records(store, rids):
        before[rid].add((key, kind))
    _replace(store, list(before), before, {})


def rebuild(store: Store) -> None:
    """Find all works anew from the stored records."""
    store.execute("DELETE FROM work_keys")
    store.execute("DELETE FROM works")
    store.executemany("INSERT INTO work_keys VALUES (?, ?, ?)", expected_keys(store))
    _settle(store, [rid for (rid,) in store.rows(_WITH_SHARED_KEYS)])


def editions(store: Store, rids: Sequence[int], most: int = MAX_SHARED) -> dict[int, list[Edition]]:
    """The others of the works of these records, by rid, at most ``most`` of each, by language and title."""
    if not rids or not any_folded(store):
        return {}
    sql = (
        "SELECT w.rid AS one, r.id AS id, r.title AS title, r.lang AS lang FROM works w"
        " JOIN works o ON o.work = w.work AND o.rid <> w.rid JOIN records r ON r.rid = o.rid"
        f" WHERE w.rid IN ({_marks(rids)}) ORDER BY w.rid, r.lang, r.sort_title, r.id"
    )
    found: dict[int, list[Edition]] = defaultdict(list)
    for rid, *edition in store.rows_at_once("one, id, title, lang", sql, rids):
        if len(found[rid]) < most:
            found[rid].append(Edition(*edition))
    return dict(found)


def of(store: Store, rids: Sequence[int]) -> dict[int, int]:
    """The work of those of these records that share one."""
    if not rids or not any_folded(store):
        return {}
    return dict(store.rows_at_once("rid, work", f"SELECT * FROM works WHERE rid IN ({_marks(rids)})", rids))


def any_folded(store: Store) -> bool:
    """Whether any record shares a work with another."""
    return store.value("SELECT 1 FROM works LIMIT 1") is not None


def problem(store: Store) -> str:
    """What is wrong with the tables, "" where they are as the records say."""
    kept = set(store.rows("SELECT key, rid, kind FROM work_keys"))
    if difference := len(kept ^ set(expected_keys(store))):
        return f"{difference} keys of works are not as they should be"
    works: dict[int, int] = dict(store.rows("SELECT rid, work FROM works"))
    found = _found(store, [rid for (rid,) in store.rows(_WITH_SHARED_KEYS)])
    if difference := len(set(works.items()) ^ set(found.items())):
        return f"{difference} records stand in the wrong work"
    return ""


def expected_keys(store: Store) -> Iterator[Row]:
    """What ``work_keys`` has to hold."""
    last = -1
    sql = (
        "SELECT rid, body FROM records JOIN bodies USING (rid) WHERE +type='resource' AND rid > ?"
        " ORDER BY rid LIMIT 500"
    )
    while batch := store.rows(sql, (last,)):
        last = batch[-1][0]
        for rid, body in batch:
            yield from ((key, rid, kind) for key, kind in keys(bodies.load(store, body)))


_WITH_SHARED_KEYS = (
    "SELECT DISTINCT rid FROM work_keys"
    " WHERE key IN (SELECT key FROM work_keys GROUP BY key HAVING min(rid) < max(rid))"
)


def _dois(record: Mapping[str, Any]) -> set[str]:
    """In lower case, without what stands around them: ``https://doi.org/10.1000/ABC.`` is ``10.1000/abc``."""
    identifiers = record.get("identifiers")
    said = texts(identifiers.get("doi")) if isinstance(identifiers, Mapping) else []
    said += [url for url in texts(record.get("url")) if "doi.org/" in url.casefold()]
    found = (_FIND_DOI.search(one[:_MAX_TITLE]) for one in said[:_MAX_TOLD])
    return {match.group().rstrip(".,;)>\"'").lower() for match in found if match}


def _words(text: str) -> list[str]:
    return WORD.findall(fold(text[:_MAX_TITLE]))


def _hash(*parts: str) -> int:
    digest = blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _replace(
    store: Store, rids: Sequence[int], before: Mapping[int, set[Key]], now: Mapping[int, set[Key]]
) -> None:
    """Give these records other keys, and find again all works that this can change."""
    if not rids:
        return
    old = [(key, rid, kind) for rid in rids for key, kind in before.get(rid, ())]
    new = [(key, rid, kind) for rid in rids for key, kind in now.get(rid, ())]
    met = {key for key, _rid, _kind in (*old, *new)}
    touched = set(rids)
    if old:
        touched.update(_holders(store, met, MAX_SHARED + len(rids)))
    store.executemany("DELETE FROM work_keys WHERE key=? AND rid=? AND kind=?", old)
    store.executemany("INSERT INTO work_keys VALUES (?, ?, ?)", new)
    touched.update(_holders(store, met, MAX_SHARED + len(rids)))
    touched.update(_members(store, list(touched)))
    _settle(store, list(touched))


def _settle(store: Store, rids: Sequence[int]) -> None:
    """Find the works of these records and of all that keys join them with."""
    found = _found(store, rids)
    every = list({*rids, *found})
    before: dict[int, int] = {}
    for part in _parts(every):
        before.update(store.rows(f"SELECT rid, work FROM works WHERE rid IN ({_marks(part)})", part))
    gone = [(rid,) for rid in before if rid not in found]
    moved = [(rid, work) for rid, work in found.items() if before.get(rid) != work]
    if gone:
        store.executemany("DELETE FROM works WHERE rid=?", gone)
    if moved:
        store.executemany("INSERT OR REPLACE INTO works VALUES (?, ?)", moved)


def _found(store: Store, rids: Sequence[int]) -> dict[int, int]:
    """The work of each of these records, and of all that they are joined with; those that stand alone are missing.

    A work is called by the smallest rid of its records.
    """
    leader: dict[int, int] = {}

    def root(rid: int) -> int:
        while leader.setdefault(rid, rid) != rid:
            leader[rid] = leader[leader[rid]]
            rid = leader[rid]
        return rid

    seen: set[int] = set(rids)
    looked: set[int] = set()
    frontier = list(seen)
    while frontier:
        met = {key for key, _rid, _kind in _of_records(store, frontier)} - looked
        looked |= met
        joined: set[int] = set()
        for group in _joined(store, met):
            for rid in group[1:]:
                first, other = sorted((root(group[0]), root(rid)))
                leader[other] = first
            joined.update(group)
        frontier = list(joined - seen)
        seen |= joined
    works = {rid: root(rid) for rid in seen}
    shared = {work for rid, work in works.items() if rid != work}
    return {rid: work for rid, work in works.items() if work in shared}


def _joined(store: Store, met: Iterable[int]) -> Iterator[list[int]]:
    """Records, two or more, that one of these keys joins."""
    held: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for part in _parts(list(met)):
        sql = (
            f"SELECT key, rid, kind FROM work_keys WHERE key IN (SELECT key FROM work_keys WHERE key IN"
            f" ({_marks(part)}) GROUP BY key HAVING count(DISTINCT rid) BETWEEN 2 AND {MAX_SHARED})"
        )
        for key, rid, kind in store.rows(sql, part):
            held[key].append((rid, kind))
    published: dict[int, set[int]] = defaultdict(set)
    for key, rid, kind in _of_records(store, [rid for rows in held.values() for rid, _kind in rows]):
        if kind == _DOI:
            published[rid].add(key)
    for rows in held.values():
        kinds = {kind for _rid, kind in rows}
        rids = list({rid for rid, _kind in rows})
        if kinds == {_TITLED}:
            continue  # a long title alone says something only where one record tells that it is a translation's
        told = not kinds.isdisjoint(_TRANSLATIONS) and not kinds.issubset(_TRANSLATIONS)
        if kinds != {_DOI} and not told and len({doi for rid in rids for doi in published.get(rid, ())}) > 1:
            # Two DOIs are two works, such as a paper and its preprint; whose the others are nobody can tell.
            # Not so where one is told to be the other's translation: these often have a DOI each.
            rids = [rid for rid in rids if rid not in published]
        if len(rids) > 1:
            yield rids


def _of_records(store: Store, rids: Sequence[int]) -> list[Row]:
    return [
        row
        for part in _parts(rids)
        for row in store.rows(f"SELECT key, rid, kind FROM work_keys WHERE rid IN ({_marks(part)})", part)
    ]


def _holders(store: Store, met: Iterable[int], most: int) -> set[int]:
    """Records that have these keys, but for keys that more than ``most`` records have."""
    return {
        rid
        for part in _parts(list(met))
        for (rid,) in store.rows(
            "SELECT rid FROM work_keys WHERE key IN (SELECT key FROM work_keys WHERE key IN"
            f" ({_marks(part)}) GROUP BY key HAVING count(DISTINCT rid) BETWEEN 2 AND {most})",
            part,
        )
    }


def _members(store: Store, rids: Sequence[int]) -> list[int]:
    """All records of the works of these records."""
    return [
        rid
        for part in _parts(rids)
        for (rid,) in store.rows(
            f"SELECT rid FROM works WHERE work IN (SELECT work FROM works WHERE rid IN ({_marks(part)}))", part
        )
    ]


def _parts(values: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))
