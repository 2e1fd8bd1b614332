"""How long what only repetitions need is kept: an operation's id for good, the body of its receipt 24 months."""

from __future__ import annotations

from datetime import datetime

from hub.models import Operation as StoredOperation
from hub.times import to_wire
from sync.protocol.messages import Receipt
from sync.protocol.problems import Problem

RECEIPT_MONTHS = 24
_BATCH = 1000


def thin(now: datetime) -> int:
    """Remove the bodies of receipts that were given more than 24 months before `now`; return how many.

    What became of each operation and the id of its effect stay, so that one repeated after years still has no
    second effect. Each batch is a transaction of its own: nobody waits long for the database.
    """
    before = _months_before(now, RECEIPT_MONTHS)
    thinned = 0
    while True:
        old = StoredOperation.objects.filter(created__lt=before).exclude(receipt={})
        ids = list(old.order_by().values_list("pk", flat=True)[:_BATCH])
        if not ids:
            return thinned
        thinned += StoredOperation.objects.filter(pk__in=ids).update(receipt={})


def receipt_of(stored: StoredOperation) -> Receipt:
    """Return the receipt of an operation that was settled before, made anew where its body is gone."""
    if stored.receipt:
        return Receipt.from_json(stored.receipt)
    accepted = stored.status == StoredOperation.Status.ACCEPTED
    refusal = Problem("refused-before", "The hub refused this long ago; its reasons are not kept.", "drop", 422)
    return Receipt(
        stored.id, accepted, stored.effect_id, to_wire(stored.created), problem=None if accepted else refusal
    )


def _months_before(now: datetime, months: int) -> datetime:
    years, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    # The 29th to 31st may not exist in that month; the 28th always does, and days do not matter here.
    return now.replace(year=years, month=month + 1, day=min(now.day, 28))
