"""Operations: what members do, taken in exactly once. Effect and receipt are stored in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Max
from django.utils import timezone

from hub import attachments, community_copies, personal_feed, reports, site_codes
from hub.ids import is_importable_id
from hub.models import (
    Device,
    Message,
    PublicState,
    Request,
    RequestKind,
    RequestReply,
    RequestState,
    Satisfaction,
    Thread,
)
from hub.models import Operation as StoredOperation
from hub.planes.answers import Refused
from hub.planes.retention import receipt_of
from hub.publishing.records import utc
from sync.protocol import limits
from sync.protocol.messages import Operation, Receipt
from sync.protocol.problems import Problem

_log = logging.getLogger(__name__)

_OFFERED_AGAIN = 2**32
"""From here on a counter stands for one of an earlier device epoch, outside the order of this one."""


class _Rejected(Exception):
    """One operation will never be accepted; the others go on."""

    def __init__(self, code: str, title: str) -> None:
        super().__init__(code)
        self.problem = Problem(code, title, "drop", 422)


def settle(device: Device, operations: list[Operation], *, by_hand: bool = False) -> list[Receipt]:
    """Return a receipt for each operation, old or new, in the order given.

    `by_hand`: they came on a stick, where a later letter may be here before an earlier one.
    An operation that could not be settled for a reason of ours (a full disk, a locked database) has no
    receipt and is sent again by the client. Raises Refused where the device's order contradicts itself.
    """
    receipts = []
    order = _Order(device, by_hand)
    for operation in operations:
        try:
            receipts.append(_settle(device, operation, order))
        except DatabaseError as error:
            # Type only: the message of a database error may quote what the member wrote.
            _log.error("operation %s was not settled: %s", operation.id[:64], type(error).__name__)
            break
    return receipts


class _Order:
    """What a device counted before this request: a lower number for something new means that it was put back."""

    def __init__(self, device: Device, by_hand: bool = False) -> None:
        self._device = device
        self._by_hand = by_hand
        self._highest: dict[int, int] = {}

    def check(self, operation: Operation) -> None:
        """Raise Refused where the number of an operation that nobody knows was given already.

        That is so when one number stands for two things, and when a number lies below one that the hub has
        seen: the device was copied, or put back from an image of its disk.
        """
        epoch, counter = operation.epoch, operation.counter
        sent = StoredOperation.objects.filter(device=self._device, epoch=epoch)
        if epoch not in self._highest:
            seen = sent.filter(counter__lt=_OFFERED_AGAIN).aggregate(highest=Max("counter"))["highest"]
            self._highest[epoch] = -1 if seen is None else int(seen)
        behind = counter <= self._highest[epoch] and not self._by_hand
        if behind or sent.filter(counter=counter).exists():
            raise Refused(
                Problem(
                    "counter-reused",
                    "This device numbers what it sends as it did before: it was copied or put back.",
                    "resync",
                    409,
                )
            )


def _settle(device: Device, operation: Operation, order: _Order) -> Receipt:
    if not is_importable_id(operation.id):
        return Receipt(operation.id[:64], False, problem=Problem("bad-id", "The id cannot be used.", "drop", 422))
    with transaction.atomic():
        stored = StoredOperation.objects.select_related("device").filter(pk=operation.id).first()
        if stored is not None:
            return _again(device, stored)
        order.check(operation)
        try:
            with transaction.atomic():
                receipt = _take_effect(device, operation)
        except attachments.AttachmentRefused as refused:
            refusal = Problem(refused.code, str(refused), "drop", 422)
            receipt = Receipt(operation.id, False, received=_now(), problem=refusal)
        except reports.ReportRefused as refused:
            refusal = Problem(refused.code, str(refused), "drop", 422)
            receipt = Receipt(operation.id, False, received=_now(), problem=refusal)
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
    return receipt_of(stored)


def _take_effect(device: Device, operation: Operation) -> Receipt:
    if operation.kind == "ask":
        return _ask(device, operation)
    if operation.kind == "reply":
        return _reply(device, operation)
    if operation.kind == "rate":
        return _rate(device, operation)
    if operation.kind == "report":
        return _report(device, operation)
    if operation.kind == "introduce":
        return _introduce(device, operation)
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
    attachments.attach(request, device.member, body)
    personal_feed.append(device.member, personal_feed.request_item(request))
    return Receipt(operation.id, True, request.id, utc(request.created) or "", request.state)


def _reply(device: Device, operation: Operation) -> Receipt:
    target = operation.body.get("target")
    text = _words(operation.body, "body", limits.BODY, required=True)
    request = Request.objects.select_for_update().filter(pk=target, member=device.member).first()
    if request is not None:
        return _reply_to_request(device, operation, request, text)
    thread = Thread.objects.filter(pk=target, state=PublicState.PUBLISHED).first()
    if thread is None:
        raise _Rejected("no-such-target", "What this replies to is no longer on the hub.")
    attachments.refuse_any(operation.body)
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
    attachments.attach(reply, device.member, operation.body)
    if request.state in (RequestState.WAITING, RequestState.DELIVERED):
        personal_feed.resume(request)
    request.revision += 1
    request.updated = timezone.now()
    request.save()
    personal_feed.append(device.member, personal_feed.request_item(request))
    personal_feed.append(device.member, personal_feed.reply_item(reply))
    return Receipt(operation.id, True, reply.id, utc(reply.created) or "", request.state)


def _rate(device: Device, operation: Operation) -> Receipt:
    """What the asker says of an answer, and whether the community may read it; a later one takes its place."""
    target, publish = operation.body.get("target"), operation.body.get("publish", False)
    satisfied = operation.body.get("satisfied")
    if satisfied not in Satisfaction.values or not isinstance(publish, bool):
        raise _Rejected("bad-field", "“satisfied” is yes, partly or no, and “publish” true or false.")
    words = _words(operation.body, "body", limits.BODY)
    request = Request.objects.select_for_update().filter(pk=_text_id(target), member=device.member).first()
    if request is None:
        raise _Rejected("no-such-target", "What this replies to is no longer on the hub.")
    if not request.replies.filter(by_member=False).exists():
        raise _Rejected("not-answered", "This question has no answer yet, so nothing can be said of one.")
    request.satisfaction, request.satisfaction_words = satisfied, words
    request.may_publish = publish and not request.confidential
    request.rated = request.updated = timezone.now()
    request.revision += 1
    request.save()
    if not request.may_publish:
        community_copies.take_back_answers(request)
    personal_feed.append(device.member, personal_feed.request_item(request))
    return Receipt(operation.id, True, operation.id, _now(), request.state)


def _report(device: Device, operation: Operation) -> Receipt:
    """A message or a resource that the moderators should look at."""
    words = _words(operation.body, "body", limits.REPORT)
    target, reason = _text_id(operation.body.get("target")), operation.body.get("reason")
    report = reports.receive(device.member, operation.id, target, reason, words)
    return Receipt(operation.id, True, report.id, utc(report.created) or "", report.state)


def _introduce(device: Device, operation: Operation) -> Receipt:
    """Who somebody is that came in with a site code."""
    name, email = _words(operation.body, "name", 300, required=True), _words(operation.body, "email", 254)
    try:
        site_codes.introduce(device.member, name, email)
    except site_codes.SiteCodeRefused as refused:
        raise _Rejected(refused.code, str(refused)) from None
    return Receipt(operation.id, True, device.member_id, _now(), "waiting for approval")


def _text_id(value: object) -> str:
    """An id to look for; nothing has an empty one."""
    return value if is_importable_id(value) and isinstance(value, str) else ""


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
