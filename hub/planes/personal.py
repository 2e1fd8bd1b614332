"""The personal plane: `POST /u/v1/enrol` and `POST /u/v1/sync` (docs/protocol.md).

The bodies are read by sync.protocol, which client and hub share; django-ninja routes them and describes them.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import NinjaAPI

from hub.models import Device, Member, PersonalItem
from hub.planes import descriptions
from hub.planes.answers import Refused, problem, problem_response
from hub.planes.enrolment import enrol
from hub.planes.operations import settle
from hub.publishing import epochs, served
from sync.protocol import limits
from sync.protocol.errors import ProtocolError, TooLarge
from sync.protocol.messages import (
    EnrolRequest,
    SyncRequest,
    SyncResponse,
    answer_mac,
    token_hash,
)
from sync.protocol.paths import MAC_HEADER
from sync.protocol.problems import Problem

api = NinjaAPI(
    title="Hubshelf, personal plane",
    version="1",
    description="What one member's device exchanges with the hub. docs/protocol.md is normative.",
    urls_namespace="personal",
    docs_url=None,
)


@api.exception_handler(Refused)
def _refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    return problem_response(refusal.problem)


@api.exception_handler(ProtocolError)
def _malformed(request: HttpRequest, error: ProtocolError) -> HttpResponse:
    status = 413 if isinstance(error, TooLarge) else 400
    return problem(error.code, str(error), "drop", status)


@api.post("/enrol", openapi_extra=descriptions.ENROL, summary="Turn a one-time code into a device")
def post_enrol(request: HttpRequest) -> HttpResponse:
    """Answer an EnrolRequest with an EnrolResponse; asking again with the same token changes nothing."""
    message = EnrolRequest.from_bytes(_body(request, limits.HEAD))
    return _json(enrol(message, _caller(request)).to_bytes())


@api.post("/sync", openapi_extra=descriptions.SYNC, summary="Send operations, fetch what is new for this member")
def post_sync(request: HttpRequest) -> HttpResponse:
    """Answer a SyncRequest with a SyncResponse under a MAC that only this device can check."""
    device, token = _device(request)
    message = SyncRequest.from_bytes(_body(request, limits.SYNC_REQUEST))
    receipts = settle(device, list(message.operations))
    epoch, version = epochs.current()
    since = message.personal[1] if message.personal[0] == epoch else 0
    items, cursor, more = _news(device.member, since)
    head = served.read_head(settings.HOME) if message.head != (epoch, version) else None
    answer = SyncResponse(epoch, cursor, receipts, items, more, head)
    Device.objects.filter(pk=device.pk).update(last_seen=timezone.now())
    body = answer.to_bytes()
    response = _json(body)
    response[MAC_HEADER] = answer_mac(token, message.nonce, body)
    return response


def _news(member: Member, since: int) -> tuple[list[dict[str, Any]], int, bool]:
    """Return (items after `since`, the newest number among them, whether there are more)."""
    with transaction.atomic():
        rows = list(
            PersonalItem.objects.filter(member=member, seq__gt=since)
            .order_by("seq")
            .values_list("seq", "body")[: limits.PERSONAL_ITEMS + 1]
        )
    more = len(rows) > limits.PERSONAL_ITEMS
    rows = rows[: limits.PERSONAL_ITEMS]
    # A cursor past the newest item can only come from a hub that was restored within one epoch.
    newest = rows[-1][0] if rows else min(since, Member.objects.get(pk=member.pk).personal_seq)
    return [body for _, body in rows], newest, more


def _device(request: HttpRequest) -> tuple[Device, str]:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or len(token) != 64:
        raise Refused(Problem("no-token", "This device has not said who it is.", "auth", 401))
    device = Device.objects.select_related("member").filter(token_hash=token_hash(token)).first()
    if device is None:
        raise Refused(
            Problem("unknown-device", "This hub does not know this device. Enrol it again.", "auth", 401)
        )
    if device.revoked is not None:
        raise Refused(
            Problem("device-revoked", "This device was revoked on the hub. Ask for a new code.", "auth", 401)
        )
    if device.member.state != Member.State.ACTIVE:
        raise Refused(Problem("member-inactive", "This membership is not active any more.", "auth", 403))
    return device, token


def _caller(request: HttpRequest) -> str:
    """The address that asks. Behind our own proxy everybody has the proxy's, and it names the caller last."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_PROXY else ""
    return forwarded.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def _body(request: HttpRequest, limit: int) -> bytes:
    try:
        announced = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        announced = 0
    if announced > limit:
        raise TooLarge(f"The request is {announced} bytes long; at most {limit} are read.")
    return request.body


def _json(body: bytes) -> HttpResponse:
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
