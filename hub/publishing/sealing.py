"""Sealing: what changed since the last publication is committed under the version that will carry it.

Sealing comes before packing and is committed in short transactions, so that members' questions are not kept
waiting. The version is noted with the first of them: a publication that dies goes on under the same version, which
nobody has seen yet.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from django.db import transaction

from hub.models import Stream, StreamRecord
from hub.publishing import epochs, marks
from hub.publishing.records import RULES, PublicRecord, absent, public_records
from sync.protocol.sealed import PREFIX, for_members
from sync.protocol.segments import change_line
from sync.protocol.wire_json import sha256

_MARKS = 400
"""Marks that are sealed in one transaction: some tenths of a second."""
_ROWS = 400
_BATCH_BYTES = 4_000_000
_OLD_BYTES = 64_000_000
"""How much of what is replaced is kept in memory to code patches against; more is published whole."""
_COLLECTED = 8
"""Batches of a whole comparison after which unreachable objects are looked for: some 20 MB of them."""
_RULES = "rules"

Place = tuple[str, str]
"""A stream and the id of a record in it."""


@dataclass
class Sealed:
    """What was sealed.

    `version` is None where nothing was. `old` holds the bodies that records had before, by stream and id; None
    where not all of them are known, because an earlier publication died after it had overwritten some.
    """

    version: int | None = None
    put: int = 0
    deleted: int = 0
    streams: set[str] = field(default_factory=set)
    old: dict[Place, bytes] | None = field(default_factory=dict)


class _New(NamedTuple):
    line: bytes
    digest: str
    owner: str


def seal(*, whole: bool = False) -> Sealed:
    """Seal what is marked, or everything that differs: with `whole`, and where the marks cannot be trusted."""
    if marks.ensure() or epochs.get_value(_RULES, 0) != RULES:
        whole = True
    pending = epochs.get_value(epochs.SEALING, None)
    job = _Job(int(pending or epochs.current()[1] + 1), Sealed())
    if pending:
        job.done.version, job.done.old = int(pending), None
    if whole or epochs.get_value(epochs.WHOLE, False):
        with transaction.atomic():
            # Whatever changes from here on is marked again; a death half-way leaves the note that all is to do.
            epochs.set_value(epochs.WHOLE, True)
            marks.clear_all()
        job.compare_all()
        with transaction.atomic():
            epochs.set_value(epochs.WHOLE, False)
            epochs.set_value(_RULES, RULES)
    upto = marks.newest()
    while job.take_marks(upto):
        pass
    return job.done


class _Job:
    def __init__(self, version: int, done: Sealed) -> None:
        self.version = version
        self.done = done
        self._old_bytes = 0

    @transaction.atomic
    def take_marks(self, upto: int) -> bool:
        """Seal what the oldest marks name; False where none are left. On SQLite, writers wait meanwhile."""
        found = marks.oldest(_MARKS, upto)
        if not found:
            return False
        owners: dict[str, set[str]] = defaultdict(set)
        for mark in found:
            owners[mark.kind].add(mark.key)
        fresh = _fresh(public_records(owners))
        names = sorted({mark.owner for mark in found})
        rows = StreamRecord.objects.filter(owner__in=names, deleted=False)
        known = {
            (stream, record): digest
            for stream, record, digest in rows.values_list("stream_id", "record_id", "digest")
        }
        put = {place: new for place, new in fresh.items() if known.get(place) != new.digest}
        gone = [place for place in known if place not in fresh]
        erased = absent(owners)
        self._write(put, gone, [*gone, *put])
        _mark_erased(erased)
        # An owner of what is gone is among the marked ones.
        _mark_hidden(names if gone else _newly_hidden(put, known))
        marks.clear([mark.id for mark in found])
        return True

    def compare_all(self) -> None:
        """Compare everything that is public with everything that is sealed."""
        rows = StreamRecord.objects.filter(deleted=False).values_list("stream_id", "record_id", "digest")
        # 16 bytes of the digest: it only has to tell one state of a record from another.
        known = {(stream, record): bytes.fromhex(digest[:32]) for stream, record, digest in rows.iterator(5000)}
        with _collecting_by_hand():
            for number, batch in enumerate(_batches(public_records()), 1):
                self._compare(batch, known)
                if number % _COLLECTED == 0:
                    gc.collect()
        left = iter(known)
        while places := list(islice(left, _ROWS)):
            self._remove(places)

    def _compare(self, batch: list[PublicRecord], known: dict[Place, bytes]) -> None:
        """Seal what of a batch is not `known`, and take what is out of that."""
        put: dict[Place, _New] = {}
        replaced: list[Place] = []
        for place, new in _fresh(batch).items():
            before = known.pop(place, None)
            if before == bytes.fromhex(new.digest[:32]):
                continue
            put[place] = new
            if before is not None:
                replaced.append(place)
        with transaction.atomic():
            self._write(put, [], replaced)
            _mark_hidden(_newly_hidden(put, replaced))

    @transaction.atomic
    def _remove(self, places: list[Place]) -> None:
        owners: dict[str, set[str]] = defaultdict(set)
        for row in _rows(places, "owner"):
            kind, _, key = row.owner.partition("/")
            owners[kind].add(key)
        erased = absent(owners)
        self._write({}, places, places)
        _mark_erased(erased)
        _mark_hidden(f"{kind}/{key}" for kind, keys in owners.items() for key in keys)

    def _write(self, put: dict[Place, _New], gone: list[Place], replaced: list[Place]) -> None:
        """Write new states and deletions inside the caller's transaction; `replaced` stand there now."""
        if not put and not gone:
            return
        self._keep_old(replaced)
        streams = {stream for stream, _record in (*put, *gone)}
        Stream.objects.bulk_create(
            [Stream(name=name, seq=self.version) for name in sorted(streams)],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["seq"],
        )
        StreamRecord.objects.bulk_create(
            [
                StreamRecord(
                    stream_id=stream,
                    record_id=record,
                    seq=self.version,
                    owner=new.owner,
                    digest=new.digest,
                    body=new.line,
                )
                for (stream, record), new in put.items()
            ],
            batch_size=_ROWS,
            update_conflicts=True,
            unique_fields=["stream", "record_id"],
            update_fields=["seq", "deleted", "erased", "owner", "digest", "body"],
        )
        by_stream: dict[str, list[str]] = defaultdict(list)
        for stream, record in gone:
            by_stream[stream].append(record)
        for stream, records in by_stream.items():
            for start in range(0, len(records), _ROWS):
                StreamRecord.objects.filter(stream_id=stream, record_id__in=records[start : start + _ROWS]).update(
                    seq=self.version, digest="", body=b"", deleted=True
                )
        if self.done.version is None:
            epochs.set_value(epochs.SEALING, self.version)
            self.done.version = self.version
        self.done.put += len(put)
        self.done.deleted += len(gone)
        self.done.streams |= streams

    def _keep_old(self, places: list[Place]) -> None:
        old = self.done.old
        if old is None:
            return
        for row in _rows(places, "seq", "body"):
            # What this publication itself put there is no state that a reader has.
            if row.seq != self.version:
                old[row.stream_id, row.record_id] = bytes(row.body)
                self._old_bytes += len(row.body)
        if self._old_bytes > _OLD_BYTES:
            self.done.old = None


@contextmanager
def _collecting_by_hand() -> Iterator[None]:
    """Keep the interpreter from looking for unreachable objects by itself, and at what is there now at all.

    Rows and what was fetched with them refer to each other. So many are made that it would look through the whole
    program again and again, which took a quarter of the time of a whole comparison.
    """
    by_itself = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if by_itself:
            gc.enable()


def _mark_erased(owners: set[str]) -> None:
    """Note that nothing made from these owners may stay in what is served: their rows are gone."""
    names = sorted(owners)
    for start in range(0, len(names), _ROWS):
        # Also where a record was before it moved to another stream, or was withdrawn before it was erased.
        rows = StreamRecord.objects.filter(owner__in=names[start : start + _ROWS], deleted=True)
        rows.update(erased=True)


def _mark_hidden(owners: Iterable[str]) -> None:
    """Note the same for what was made from these owners for everybody, where it is for members now."""
    names = sorted(set(owners))
    hiding = list(Stream.objects.filter(name__startswith=PREFIX).values_list("name", flat=True)) if names else []
    if not hiding:
        return
    for start in range(0, len(names), _ROWS):
        rows = StreamRecord.objects.filter(owner__in=names[start : start + _ROWS])
        hidden = set(rows.filter(stream_id__in=hiding, deleted=False).values_list("owner", flat=True))
        if hidden:
            rows.filter(owner__in=hidden, deleted=True).exclude(stream_id__in=hiding).update(erased=True)


def _newly_hidden(put: Mapping[Place, _New], replaced: Container[Place]) -> Iterator[str]:
    """Yield the owners of what is put for members and was not for them before."""
    return (new.owner for place, new in put.items() if for_members(place[0]) and place not in replaced)


def _rows(places: Iterable[Place], *fields: str) -> Iterator[StreamRecord]:
    """Yield the live rows of these places, with these fields."""
    by_stream: dict[str, list[str]] = defaultdict(list)
    for stream, record in places:
        by_stream[stream].append(record)
    for stream, records in by_stream.items():
        for start in range(0, len(records), _ROWS):
            rows = StreamRecord.objects.filter(
                stream_id=stream, record_id__in=records[start : start + _ROWS], deleted=False
            )
            yield from rows.only("stream_id", "record_id", *fields)


def _fresh(records: Iterable[PublicRecord]) -> dict[Place, _New]:
    found = {}
    for record in records:
        line = change_line(record.body)
        found[record.stream, record.body["id"]] = _New(line, sha256(line), record.owner)
    return found


def _batches(records: Iterable[PublicRecord]) -> Iterator[list[PublicRecord]]:
    batch: list[PublicRecord] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(str(record.body.get("body", ""))) + 500
        if size > _BATCH_BYTES or len(batch) >= _ROWS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
