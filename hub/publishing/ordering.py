"""Sealed records in the byte order of their ids: both sides must agree on it, whatever the database sorts by."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from django.db import connection, transaction
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Collate

from hub.models import StreamRecord


def live(stream: str) -> QuerySet[StreamRecord]:
    """Return the records of one stream that are not deleted."""
    return StreamRecord.objects.filter(stream_id=stream, deleted=False)


def by_id(rows: QuerySet[StreamRecord], *, newest_first: bool = False) -> QuerySet[StreamRecord]:
    """Return `rows` in the order of their ids as UTF-8 bytes."""
    # SQLite compares bytes by itself, and an explicit collation would keep it from using its index.
    order = F("record_id") if connection.vendor == "sqlite" else Collate("record_id", "C")
    return rows.order_by(order.desc() if newest_first else order.asc())


def live_counts() -> dict[str, int]:
    """Return how many records each stream has, for streams that have any."""
    rows = StreamRecord.objects.filter(deleted=False).values("stream_id").annotate(n=Count("*"))
    return dict(rows.order_by().values_list("stream_id", "n"))


def reading() -> AbstractContextManager[object]:
    """Return what long reads stand in: PostgreSQL copies a cursor's whole result outside of a transaction.

    On SQLite a transaction would keep writers waiting, and a reader sees one state without.
    """
    return nullcontext() if connection.vendor == "sqlite" else transaction.atomic()
