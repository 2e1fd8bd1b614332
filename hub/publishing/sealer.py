"""The sealer: numbers what changed since the last publication, packs it, signs the new head.

One sealer works at a time. Sealing commits the new records of every stream with their sequence number before
anything is packed, so that members' questions are not kept waiting by compression; a publication that died
half-way is finished by the next one.
"""

from __future__ import annotations

import fcntl
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from hub.home import served_folder
from hub.models import Stream, StreamRecord
from hub.publishing import epochs, runs, served
from hub.publishing.keys import load_keys
from hub.publishing.records import public_records
from sync.protocol import VERSION
from sync.protocol.catalogue import Index, Manifest, StreamEntry, cheapest_size
from sync.protocol.head import Head, ObjectRef
from sync.protocol.segments import change_line
from sync.protocol.wire_json import sha256

_HEAD_LIFETIME = timedelta(days=90)
_BATCH = 500


@dataclass(frozen=True)
class Published:
    """What a publication did: records put and deleted, streams that changed, and the head now in force."""

    put: int
    deleted: int
    streams: int
    epoch: int
    version: int
    seconds: float


def publish() -> Published:
    """Bring the public plane up to what the facilitators published; nothing changed means no new head.

    Raises KeysUnusable, HomeUnusable, DatabaseUnusable.
    """
    home: Path = settings.HOME
    started = time.monotonic()
    with _alone(home):
        keys = load_keys(home)
        epochs.notice_restore(home)
        _pack(home)  # what an interrupted publication left sealed but not packed
        put, deleted, changed = _seal()
        _pack(home)
        epoch, version = _sign(home, keys.head.key_id)
    return Published(put, deleted, changed, epoch, version, round(time.monotonic() - started, 3))


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (served_folder(home) / "publish.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _seal() -> tuple[int, int, int]:
    """Compare what is public with what is sealed and commit the difference, a sequence number a stream."""
    known: dict[tuple[str, str], str] = {
        (stream, record): digest
        for stream, record, digest in StreamRecord.objects.filter(deleted=False)
        .values_list("stream_id", "record_id", "digest")
        .iterator(5000)
    }
    put: dict[str, list[tuple[str, str, bytes]]] = defaultdict(list)
    for stream, body in public_records():
        line = change_line(body)
        digest = sha256(line)
        if known.pop((stream, body["id"]), None) != digest:
            put[stream].append((body["id"], digest, line))
    gone: dict[str, list[str]] = defaultdict(list)
    for stream, record in known:
        gone[stream].append(record)
    names = sorted(put.keys() | gone.keys())
    for name in names:
        _seal_stream(name, put.get(name, []), gone.get(name, []))
    return sum(map(len, put.values())), sum(map(len, gone.values())), len(names)


@transaction.atomic
def _seal_stream(name: str, put: list[tuple[str, str, bytes]], gone: list[str]) -> None:
    stream, _ = Stream.objects.get_or_create(name=name)
    stream.seq += 1
    rows = [
        StreamRecord(stream=stream, record_id=record, seq=stream.seq, digest=digest, body=line)
        for record, digest, line in put
    ]
    StreamRecord.objects.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["stream", "record_id"],
        update_fields=["seq", "digest", "body", "deleted"],
    )
    for start in range(0, len(gone), _BATCH):
        StreamRecord.objects.filter(stream=stream, record_id__in=gone[start : start + _BATCH]).update(
            seq=stream.seq, digest="", body=b"", deleted=True
        )
    stream.save(update_fields=["seq"])


def _pack(home: Path) -> None:
    epoch, _ = epochs.current()
    for stream in Stream.objects.order_by("name"):
        known = _manifest(stream)
        if known is not None and known.seq == stream.seq:
            continue
        manifest = runs.build(home, stream, epoch, known)
        ref = served.put(home, manifest.to_bytes())
        stream.manifest = {"hash": ref.hash, "size": ref.size, "body": manifest.to_bytes().decode()}
        stream.save(update_fields=["manifest"])


def _manifest(stream: Stream) -> Manifest | None:
    return Manifest.from_bytes(stream.manifest["body"].encode()) if stream.manifest else None


def _sign(home: Path, key_id: str) -> tuple[int, int]:
    """Sign a new head if the index changed or the present head is old; return (epoch, version)."""
    epoch, version = epochs.current()
    entries = []
    for stream in Stream.objects.order_by("name"):
        manifest = _manifest(stream)
        records = StreamRecord.objects.filter(stream=stream, deleted=False).count()
        if manifest is None or not records:
            continue  # an empty stream is left out; readers drop what they had of it
        entries.append(
            StreamEntry(
                stream.name,
                stream.seq,
                _ref(stream),
                cheapest_size(manifest.runs, stream.seq),
                records,
            )
        )
    index = Index(epoch, tuple(entries)).to_bytes()
    keys = load_keys(home)
    now = datetime.now(UTC)
    wanted = {"index": sha256(index), "epoch": epoch, "root": keys.root.version, "key": key_id}
    signed = epochs.get_value("signed", {})
    renew = now.timestamp() > signed.get("renew", 0)
    in_force = epochs.published(home) == (epoch, version)
    if in_force and not renew and all(signed.get(key) == value for key, value in wanted.items()):
        return epoch, version
    head = Head(
        epoch=epoch,
        version=version + 1,
        root=keys.root.version,
        client=VERSION,
        index=served.put(home, index),
        hub=str(epochs.get_value("name", "Hubshelf")),
        published=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        expires=(now + _HEAD_LIFETIME).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    # Committed before it is served: a version number that readers saw is never given twice.
    with transaction.atomic():
        epochs.set_value("version", head.version)
        epochs.set_value("epoch", epoch)
        epochs.set_value("signed", {**wanted, "renew": (now + _HEAD_LIFETIME / 2).timestamp()})
    served.write_head(home, head.sign(keys.head))
    return head.order


def _ref(stream: Stream) -> ObjectRef:
    return ObjectRef(stream.manifest["hash"], stream.manifest["size"])
