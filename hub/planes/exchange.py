"""One round trip with one device, whatever the wire's version: operations in, receipts and news out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from hub import personal_feed
from hub.models import Device
from hub.planes.operations import settle
from hub.publishing import epochs
from sync.protocol import limits
from sync.protocol.messages import Operation, Receipt

_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Exchanged:
    """What the hub answers: its epoch, receipts in the order of the operations, items up to `cursor`."""

    epoch: int
    cursor: int
    receipts: Sequence[Receipt]
    items: Sequence[Mapping[str, Any]]
    more: bool


def exchange(device: Device, personal: tuple[int, int], operations: Sequence[Operation]) -> Exchanged:
    """Settle `operations` and return what is new for the member after `personal` (epoch, cursor).

    Without operations and news this costs one question to the database beside the one for the device, and at
    most one write a minute. Raises Refused.
    """
    receipts = settle(device, list(operations))
    epoch = int(epochs.get_value("epoch", 1))
    cursor = personal[1] if personal[0] == epoch else 0
    items, newest, more = personal_feed.since(device.member, cursor, limits.PERSONAL_ITEMS)
    _note_seen(device, timezone.now())
    return Exchanged(epoch, newest, receipts, items, more)


def _note_seen(device: Device, now: datetime) -> None:
    if device.last_seen is not None and timedelta() <= now - device.last_seen < _SEEN_EVERY:
        return
    # Another thread may have just noted it; and nobody is refused for the sake of this note.
    stale = Q(last_seen=None) | Q(last_seen__lt=now - _SEEN_EVERY) | Q(last_seen__gt=now)
    with suppress(DatabaseError):
        Device.objects.filter(stale, pk=device.pk).update(last_seen=now)
