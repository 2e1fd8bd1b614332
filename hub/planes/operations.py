"""Operations: what members do, taken in exactly once. Effect and receipt are stored in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from hub import personal_feed
from hub.ids import is_importable_id
from hub.models import (
    Device,
    Message,
    PublicState,
    Request,
    RequestKind,
    RequestReply,
    RequestState,
    Thread,
)
from hub.models import Operation as StoredOperation
from hub.planes.answers import Refused
from hub.publishing.records import utc
from sync.protocol import limits
from sync.protocol.messages import Operation, Receipt
from sync.protocol.problems import Problem

_log = logging.getLogger(__name__)


class _Rejected(Exception):
    """One operation will never be accepted; the others go on."""

    def __init__(self, code: str, title: str) -> None:
        super().__init__(code)
        self.problem = Problem(code, title, "drop", 422)


def settle(device: Device, operations: list[Operation]) -> list[Receipt]:
    """Return a receipt for each operation, old or new, in the order given.

    An operation that could not be settled for a reason of ours (a full disk, a locked database) has no
    receipt and is sent again by the client. Raises Refused where the device's order contradicts itself.
    """
    receipts = []
    for operation in operations:
        try:
            receipts.append(_settle(device, operation))
        except DatabaseError as error:
            # Type only: the message of a database error may quote what the member wrote.
            _log.error("operation %s was not settled: %s", operation.id[:64], type(error).__name__)
            break
    return receipts


def _settle(device: Device, operation: Operation) -> Receipt:
    if not is_importable_id(operation.id):
        return Receipt(operation.id[:64], False, problem=Problem("bad-id", "The id cannot be used.", "drop", 422))
    with transaction.atomic():
        stored = StoredOperation.objects.select_related("device").filter(pk=operation.id).first()
        if stored is not None:
            return _again(device, stored)
        taken = StoredOperation.objects.filter(device=device, epoch=operation.epoch, counter=operation.counter)
        if taken.exists():
            raise Refused(
                Problem(
                    "counter-reused",
                    "This device gave the same number to two different things: it was copied.",
                    "resync",
                    409,
                )
            )
        try:
            with transaction.atomic():
                receipt = _take_effect(device, operation)
        except _Rejected as rejected:
            receipt = Receipt(operation.id, False, received=_now(), problem=rejected.problem)
        StoredOperation.objects.create(
            id=operation.id,
            device=device,
            epoch=operation.epoch,
            counter=operation.counter,
            kind=operation.kind[:32],
            effect_id=receipt.effect,
            status=StoredOperation.Status.ACCEPTED if receipt.accepted else StoredOperation.Status.REJECTED,
            receipt=receipt.to_json(),
        )
        return receipt


def _again(device: Device, stored: StoredOperation) -> Receipt:
    if stored.device.member_id != device.member_id:
        return Receipt(stored.id, False, problem=Problem("id-taken", "The id is already in use.", "drop", 422))
    return Receipt.from_json(stored.receipt)


def _take_effect(device: Device, operation: Operation) -> Receipt:
    if operation.kind == "ask":
        return _ask(device, operation)
    if operation.kind == "reply":
        return _reply(device, operation)
    raise _Rejected("unknown-operation", "This hub does not know this kind of message yet.")


def _ask(device: Device, operation: Operation) -> Receipt:
    body = operation.body
    kind = body.get("kind", "question")
    if kind not in RequestKind.values:
        raise _Rejected("unknown-kind", "This hub does not know this kind of question.")
    if Request.objects.filter(pk=operation.id).exists():
        raise _Rejected("id-taken", "The id is already in use.")
    request = Request.objects.create(
        id=operation.id,
        kind=kind,
        member=device.member,
        title=_words(body, "title", limits.TITLE, required=True),
        body=_words(body, "body", limits.BODY),
        lang=_words(body, "lang", 35) or "und",
        themes=_slugs(body),
        needed_by=_date(body),
        decision=_words(body, "decision", limits.BODY),
        confidential=body.get("confidential") is True,
        anonymous=body.get("anonymous") is True,
    )
    personal_feed.append(device.member, personal_feed.request_item(request))
    return Receipt(operation.id, True, request.id, utc(request.created) or "", request.state)


def _reply(device: Device, operation: Operation) -> Receipt:
    target = operation.body.get("target")
    text = _words(operation.body, "body", limits.BODY, required=True)
    request = Request.objects.select_for_update().filter(pk=target, member=device.member).first()
    if request is not None:
        return _reply_to_request(device, operation, request, text)
    thread = Thread.objects.filter(
        pk=target, state=PublicState.PUBLISHED, visibility=Thread.Visibility.PUBLIC
    ).first()
    if thread is None:
        raise _Rejected("no-such-target", "What this replies to is no longer on the hub.")
    if Message.objects.filter(pk=operation.id).exists():
        raise _Rejected("id-taken", "The id is already in use.")
    message = Message.objects.create(
        id=operation.id,
        thread=thread,
        member=device.member,
        author_name=device.member.name or device.member.email.partition("@")[0],
        category=device.member.category,
        lang=thread.lang,
        body=text,
        state=Message.State.PENDING,
    )
    return Receipt(operation.id, True, message.id, utc(message.created) or "", "waiting for moderation")


def _reply_to_request(device: Device, operation: Operation, request: Request, text: str) -> Receipt:
    if request.state in (RequestState.CLOSED, RequestState.DECLINED):
        raise _Rejected("request-closed", "This question is closed; ask a new one.")
    reply = RequestReply.objects.create(
        id=operation.id,
        request=request,
        author_name=device.member.name or device.member.email,
        by_member=True,
        body=text,
    )
    if request.state in (RequestState.WAITING, RequestState.DELIVERED):
        personal_feed.resume(request)
    request.revision += 1
    request.updated = timezone.now()
    request.save()
    personal_feed.append(device.member, personal_feed.request_item(request))
    personal_feed.append(device.member, personal_feed.reply_item(reply))
    return Receipt(operation.id, True, reply.id, utc(reply.created) or "", request.state)


def _words(body: Mapping[str, Any], key: str, most: int, *, required: bool = False) -> str:
    value = body.get(key, "")
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise _Rejected("bad-field", f"“{key}” is not a text.")
    # A NUL cannot be stored by every database; nobody types one.
    value = value.replace("\x00", "").strip()
    if required and not value:
        raise _Rejected("empty", f"“{key}” is empty.")
    if len(value) > most:
        raise _Rejected("too-long", f"“{key}” is longer than {most} characters.")
    return value


def _slugs(body: Mapping[str, Any]) -> list[str]:
    themes = body.get("themes") or []
    if not isinstance(themes, list) or len(themes) > 20 or not all(is_importable_id(theme) for theme in themes):
        raise _Rejected("bad-field", "“themes” is not a short list of themes.")
    return themes


def _date(body: Mapping[str, Any]) -> date | None:
    value = body.get("needed_by")
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Rejected("bad-field", "“needed_by” is not a date like 2026-05-03.") from None


def _now() -> str:
    return utc(timezone.now()) or ""
