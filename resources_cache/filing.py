"""Putting records into library.db and taking them out, with everything that hangs on them.

Every function runs inside the caller's transaction. A record has one visible row (``records``, ``bodies``,
``links``, ``labels``, ``work_keys``, ``titles``, ``search`` or ``texts`` and ``pairs``, ``indexed``); copies under
other streams wait in ``displaced``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from resources_cache import bodies, labels, notices, search_index, suggestions, works
from resources_cache.cards import Applied
from resources_cache.database import Store
from resources_cache.records import (
    OWNER_FIELD,
    SEARCHED,
    SEARCHED_SQL,
    Filed,
    Indexed,
    file_record,
    indexed,
    record_id,
)

_CHUNK = 400

_PUT = """
INSERT INTO records (rid, id, stream, generation, type, owner, owner_rid, lang, year, title, sort_title,
  updated, resource_type, policy_cycle, activity, size, curated)
VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (rid) DO UPDATE SET stream=excluded.stream, generation=excluded.generation, type=excluded.type,
  owner=excluded.owner, owner_rid=excluded.owner_rid, lang=excluded.lang, year=excluded.year,
  title=excluded.title, sort_title=excluded.sort_title, updated=excluded.updated,
  resource_type=excluded.resource_type, policy_cycle=excluded.policy_cycle, activity=excluded.activity,
  size=excluded.size, curated=excluded.curated
"""


def file_changes(store: Store, stream: str, changes: Iterable[Mapping[str, Any]], mark: str) -> Applied:
    """Store puts and carry out deletions of one stream, in order; the last change of an id wins.

    Raises: BadRecord for a change without id or that is not JSON.
    """
    put = deleted = 0
    source = iter(changes)
    while chunk := list(islice(source, _CHUNK)):
        # Within one stream only the last change of an id counts, so a chunk's order is no matter any more.
        latest = {record_id(change): change for change in chunk}
        gone = [id_ for id_, change in latest.items() if change.get("deleted") is True]
        kept = [change for change in latest.values() if change.get("deleted") is not True]
        deleted += delete(store, stream, gone)
        put += _put(store, stream, kept, mark)
    return Applied(put, deleted)


def delete(store: Store, stream: str, ids: Sequence[str]) -> int:
    """Remove the records that are filed under ``stream``; those filed elsewhere stay. Returns how many went."""
    if not ids:
        return 0
    store.executemany("DELETE FROM displaced WHERE id=? AND stream=?", [(id_, stream) for id_ in ids])
    rids = [
        rid
        for part in _parts(ids)
        for (rid,) in store.rows(
            f"SELECT rid FROM records WHERE stream=? AND id IN ({_marks(part)})", (stream, *part)
        )
    ]
    _remove(store, rids)
    return len(rids)


def sweep(store: Store, stream: str, mark: str) -> int:
    """Remove the stream's records of other generations than ``mark``. Returns how many went."""
    store.execute("DELETE FROM displaced WHERE stream=? AND generation<>?", (stream, mark))
    rids = [
        rid for (rid,) in store.rows("SELECT rid FROM records WHERE stream=? AND generation<>?", (stream, mark))
    ]
    _remove(store, rids)
    return len(rids)


def drop(store: Store, stream: str) -> int:
    """Remove all records of the stream. Returns how many went."""
    store.execute("DELETE FROM displaced WHERE stream=?", (stream,))
    rids = [rid for (rid,) in store.rows("SELECT rid FROM records WHERE stream=?", (stream,))]
    _remove(store, rids)
    return len(rids)


def _put(store: Store, stream: str, records: Sequence[Mapping[str, Any]], mark: str) -> int:
    if not records:
        return 0
    filed = [file_record(record) for record in records]
    known = _known(store, [one.id for one in filed])
    elsewhere = [id_ for id_, (_rid, under, _digest) in known.items() if under != stream]
    _displace(store, elsewhere, [one.id for one in filed], stream)
    next_rid = int(store.value("SELECT coalesce(max(rid), 0) FROM records")) + 1
    rids: list[int] = []
    for one in filed:
        if one.id in known:
            rids.append(known[one.id][0])
        else:
            rids.append(next_rid)
            next_rid += 1
    store.executemany(_PUT, [_columns(rid, one, stream, mark) for rid, one in zip(rids, filed, strict=True)])
    store.executemany(
        "INSERT OR REPLACE INTO bodies VALUES (?, ?)",
        list(zip(rids, bodies.pack(store, filed), strict=True)),
    )
    _link(store, rids, filed, known)
    _adopt(store, rids, filed)
    _index(store, rids, filed, records, known)
    by_rid, before = list(zip(rids, records, strict=True)), [known[one.id][0] for one in filed if one.id in known]
    labels.file(store, by_rid, before)
    works.file(store, by_rid, before)
    notices.file(store, by_rid, before)
    suggestions.remove(store, before)
    suggestions.add(store, by_rid)
    return len(filed)


def _known(store: Store, ids: Sequence[str]) -> dict[str, tuple[int, str, bytes | None]]:
    rows = store.rows(
        f"SELECT id, rid, stream, digest FROM records LEFT JOIN indexed USING (rid) WHERE id IN ({_marks(ids)})",
        ids,
    )
    return {id_: (rid, stream, seen) for id_, rid, stream, seen in rows}


def _displace(store: Store, elsewhere: Sequence[str], ids: Sequence[str], stream: str) -> None:
    """The copy shown so far waits under its stream; a copy that waited under this one is replaced."""
    if store.value("SELECT 1 FROM displaced LIMIT 1"):
        store.executemany("DELETE FROM displaced WHERE id=? AND stream=?", [(id_, stream) for id_ in ids])
    if elsewhere:
        store.executemany(
            "INSERT OR REPLACE INTO displaced SELECT id, stream, generation, body"
            " FROM records JOIN bodies USING (rid) WHERE id=?",
            [(id_,) for id_ in elsewhere],
        )


def _columns(rid: int, one: Filed, stream: str, mark: str) -> tuple[Any, ...]:
    return (
        rid, one.id, stream, mark, one.type, one.owner, _own_rid(rid, one), one.lang,
        one.year, one.title, one.sort_title, one.updated, one.resource_type, one.policy_cycle, one.activity,
        one.size, one.curated,
    )  # fmt: skip


def _link(store: Store, rids: Sequence[int], filed: Sequence[Filed], known: Mapping[str, Any]) -> None:
    old = [(rid,) for rid, one in zip(rids, filed, strict=True) if one.id in known]
    if old:
        store.executemany("DELETE FROM links WHERE rid=?", old)
    links = [(facet, value, rid) for rid, one in zip(rids, filed, strict=True) for facet, value in one.links]
    if links:
        store.executemany("INSERT INTO links VALUES (?, ?, ?)", links)


def _adopt(store: Store, rids: Sequence[int], filed: Sequence[Filed]) -> None:
    """Tie texts, messages, summaries and replies to the record they are shown in, whichever came first."""
    children = [(rid,) for rid, one in zip(rids, filed, strict=True) if one.type in OWNER_FIELD]
    if children:
        store.executemany(
            "UPDATE records SET owner_rid = (SELECT p.rid FROM records p WHERE p.id = records.owner"
            f" AND p.type IN ({SEARCHED_SQL})) WHERE rid=?",
            children,
        )
    # Also for records known before: one that changed its type takes its children in, or lets them go.
    parents = [(_own_rid(rid, one), one.id) for rid, one in zip(rids, filed, strict=True)]
    store.executemany(
        "UPDATE records SET owner_rid=?1 WHERE owner=?2 AND owner<>'' AND owner_rid IS NOT ?1", parents
    )


def _own_rid(rid: int, one: Filed) -> int | None:
    """What a search finds by this row itself: its own record, where that is of a kind that can be a result."""
    return rid if one.type in SEARCHED else None


def _index(
    store: Store,
    rids: Sequence[int],
    filed: Sequence[Filed],
    records: Sequence[Mapping[str, Any]],
    known: Mapping[str, tuple[int, str, bytes | None]],
) -> None:
    """Bring the search index in step; a row whose indexed text is the same as before is left alone."""
    gone: list[int] = []
    rows: list[tuple[int, Indexed]] = []
    for rid, one, record in zip(rids, filed, records, strict=True):
        found = indexed(record)
        new = found.digest if found else None
        old = known[one.id][2] if one.id in known else None
        if new == old:
            continue
        if old is not None:
            gone.append(rid)
        if new is not None:
            rows.append((rid, found))
    search_index.remove(store, gone)
    search_index.add(store, rows)


def _remove(store: Store, rids: Sequence[int]) -> None:
    """Take visible rows out; where a copy waits under another stream, it is shown again."""
    if not rids:
        return
    one_each = [(rid,) for rid in rids]
    waiting: list[tuple[str, str, str, bodies.Packed]] = []
    if store.value("SELECT 1 FROM displaced LIMIT 1"):
        for part in _parts(rids):
            waiting += store.rows(
                "SELECT d.stream, d.generation, d.id, d.body FROM records r JOIN displaced d ON d.id = r.id"
                f" WHERE r.rid IN ({_marks(part)}) GROUP BY d.id HAVING d.stream = max(d.stream)",
                part,
            )
    search_index.remove(
        store,
        [
            rid
            for part in _parts(rids)
            for (rid,) in store.rows(f"SELECT rid FROM indexed WHERE rid IN ({_marks(part)})", part)
        ],
    )
    store.executemany(
        "UPDATE records SET owner_rid=NULL WHERE owner=(SELECT id FROM records WHERE rid=?) AND owner<>''",
        one_each,
    )
    labels.forget(store, rids)
    works.forget(store, rids)
    notices.forget(store, rids)
    suggestions.remove(store, rids)
    store.executemany("DELETE FROM links WHERE rid=?", one_each)
    store.executemany("DELETE FROM bodies WHERE rid=?", one_each)
    store.executemany("DELETE FROM records WHERE rid=?", one_each)
    for stream, generation, id_, body in waiting:
        store.execute("DELETE FROM displaced WHERE id=? AND stream=?", (id_, stream))
        _put(store, stream, [bodies.load(store, body)], generation)


def _parts(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))
