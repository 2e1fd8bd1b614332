"""The personal plane: `POST /u/v1/enrol`, `POST /u/v2/sync`, and `POST /u/v1/sync` for older clients; `/u/v1/move`
and `/u/v1/devices` for what members do with their own devices.

The bodies are read by sync.protocol, which client and hub share; django-ninja routes and describes them
(docs/protocol.md is normative). `/u/v2/sync` is answered by hub.planes.sync_v2.
"""

from __future__ import annotations

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from hub.planes import descriptions, devices, sync_v2
from hub.planes.answers import Refused, answer_to, body_of
from hub.planes.callers import device_with, token_of
from hub.planes.enrolment import enrol
from hub.planes.exchange import exchange
from sync.protocol import limits, messages_v1
from sync.protocol.devices import DevicesRequest, MoveRequest
from sync.protocol.errors import ProtocolError
from sync.protocol.messages import EnrolRequest
from sync.protocol.paths import MAC_HEADER

api = NinjaAPI(
    title="Hubshelf, personal plane",
    version="2",
    description="What one member's device exchanges with the hub. docs/protocol.md is normative.",
    urls_namespace="personal",
    docs_url=None,
    openapi_url="/v1/openapi.json",
)


@api.exception_handler(Refused)
@api.exception_handler(ProtocolError)
@api.exception_handler(DatabaseProblem)
def _problem(request: HttpRequest, error: Exception) -> HttpResponse:
    return answer_to(error)


@api.post("/v1/enrol", openapi_extra=descriptions.ENROL, summary="Turn a one-time code into a device")
def post_enrol(request: HttpRequest) -> HttpResponse:
    """Answer an EnrolRequest with an EnrolResponse; asking again with the same token changes nothing."""
    message = EnrolRequest.from_bytes(body_of(request, limits.HEAD))
    return _json(enrol(message, _caller(request)).to_bytes())


@api.post("/v1/move", openapi_extra=descriptions.MOVE, summary="Put a new device in the place of the caller")
def post_move(request: HttpRequest) -> HttpResponse:
    """Answer a MoveRequest under a MAC of the old token; asking again with the same new token changes nothing."""
    token = token_of(request)
    message = MoveRequest.from_bytes(body_of(request, limits.HEAD))
    devices.move(token, message)
    return _authenticated(token, message.nonce, b"{}")


@api.post("/v1/devices", openapi_extra=descriptions.DEVICES, summary="List one's devices, and revoke another one")
def post_devices(request: HttpRequest) -> HttpResponse:
    """Answer a DevicesRequest with the member's devices, under a MAC."""
    token = token_of(request)
    device = device_with(token)
    message = DevicesRequest.from_bytes(body_of(request, limits.HEAD))
    return _authenticated(token, message.nonce, devices.devices_of(device, message).to_bytes())


@api.post("/v2/sync", openapi_extra=descriptions.SYNC, summary="Send operations, fetch what is new")
def post_sync(request: HttpRequest) -> HttpResponse:
    """Answer an envelope with an envelope, and with what the shelf needs next."""
    return sync_v2.post_sync(request)


@api.post("/v1/sync", openapi_extra=descriptions.SYNC_V1, summary="The same in JSON, for clients of protocol 1")
def post_sync_v1(request: HttpRequest) -> HttpResponse:
    """Answer a SyncRequest with a SyncResponse under a MAC that only this device can check.

    Without the head: such a client cannot read what it leads to, and its members still get their answers.
    """
    token = token_of(request)
    device = device_with(token)
    message = messages_v1.SyncRequest.from_bytes(body_of(request, limits.SYNC_REQUEST))
    found = exchange(device, message.personal, message.operations)
    answer = messages_v1.SyncResponse(found.epoch, found.cursor, found.receipts, found.items, found.more)
    return _authenticated(token, message.nonce, answer.to_bytes())


def _caller(request: HttpRequest) -> str:
    """The address that asks. Behind our own proxy everybody has the proxy's, and it names the caller last."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_PROXY else ""
    return forwarded.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def _authenticated(token: str, nonce: str, body: bytes) -> HttpResponse:
    response = _json(body)
    response[MAC_HEADER] = messages_v1.answer_mac(token, nonce, body)
    return response


def _json(body: bytes) -> HttpResponse:
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
