"""What waits for one member: numbered items that their devices fetch over the personal plane.

The wire shapes of a request and its replies live here, because every change of one is fed in as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from . import attachments
from .models import Member, PersonalItem, Request, RequestReply, RequestState
from .times import to_wire


def append(member: Member, item: Mapping[str, Any]) -> int:
    """Give ``item`` (a wire record with ``id``) the member's next number and return it.

    The member's row stays locked until the surrounding transaction ends, so numbers have no gaps and rise
    in the order of commits: a device that has seen n has seen everything up to n.
    """
    if not transaction.get_connection().in_atomic_block:
        raise AssertionError("personal_feed.append must run inside the transaction of what it reports")
    locked = Member.objects.select_for_update().only("id", "personal_seq").get(pk=member.pk)
    seq = locked.personal_seq + 1
    Member.objects.filter(pk=member.pk).update(personal_seq=seq)
    PersonalItem.objects.create(member_id=member.pk, seq=seq, item_id=item["id"], body=dict(item))
    member.personal_seq = seq
    return seq


def since(member: Member, cursor: int, most: int) -> tuple[list[dict[str, Any]], int, bool]:
    """Return (up to `most` items after `cursor`, the number of the newest among them, whether there are more).

    `member.personal_seq` says, without a question to the database, that there is nothing new. A cursor past it
    can only come from a hub that was restored within one epoch, and is put back.
    """
    if cursor >= member.personal_seq:
        return [], member.personal_seq, False
    rows = list(
        PersonalItem.objects.filter(member_id=member.pk, seq__gt=cursor)
        .order_by("seq")
        .values_list("seq", "body")[: most + 1]
    )
    found = rows[:most]
    newest = found[-1][0] if found else min(cursor, member.personal_seq)
    return [body for _, body in found], newest, len(rows) > most


def request_item(request: Request) -> dict[str, Any]:
    """The wire record of a request."""
    record = {
        "id": request.id,
        "type": "request",
        "kind": request.kind,
        "title": request.title,
        "body": request.body,
        "lang": request.lang,
        "themes": list(request.themes),
        "state": request.state,
        "created": to_wire(request.created),
        "updated": to_wire(request.updated),
        "revision": request.revision,
    }
    if request.needed_by is not None:
        record["needed_by"] = request.needed_by.isoformat()
    # What is empty is left out: it costs bytes on every device and says nothing.
    said = {
        "decision": request.decision,
        "confidential": request.confidential,
        "anonymous": request.anonymous,
        "history": request.history,
        "satisfied": request.satisfaction,
    }
    record.update({key: value for key, value in said.items() if value})
    if request.may_publish is not None:
        record["publish"] = request.may_publish
    if attached := attachments.items(request):
        record["attachments"] = attached
    return record


def reply_item(reply: RequestReply) -> dict[str, Any]:
    """The wire record of a reply."""
    record: dict[str, Any] = {
        "id": reply.id,
        "type": "reply",
        "request": reply.request_id,
        "author": reply.author_name,
        "body": reply.body,
        "created": to_wire(reply.created),
        "cites": list(reply.cites),
    }
    if reply.by_member:
        record["mine"] = True  # the asker's own words do not make a question answered
    if attached := attachments.items(reply):
        record["attachments"] = attached
    return record


def resume(request: Request) -> None:
    """The asker came back on a request that waited on them or was answered: the work and its clock go on.

    Changes the object only; the caller raises the revision, saves and feeds it.
    """
    request.move_to(RequestState.IN_PROGRESS)
