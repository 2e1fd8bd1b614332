"""`POST /u/v2/sync`: one compressed, authenticated message each way, and behind the answer what is needed next."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from hub import fleet
from hub.models import Member
from hub.planes import heads, inlining
from hub.planes.answers import answer_to, body_of, problem
from hub.planes.callers import device_with, keys_for
from hub.planes.exchange import exchange
from sync.protocol import envelope, limits
from sync.protocol.messages import SyncResponse

MEDIA_TYPE = "application/octet-stream"


@csrf_exempt
def post_sync(request: HttpRequest) -> HttpResponse:
    """Answer a message of `envelope.ask` with one of `envelope.answer` and what rides along with it."""
    if request.method != "POST":
        response = problem("method", "Messages are sent with POST.", "drop", 405)
        response["Allow"] = "POST"
        return response
    try:
        return HttpResponse(_answer(body_of(request, limits.SYNC_REQUEST)), content_type=MEDIA_TYPE)
    except Exception as error:
        # Whatever it is, the caller is told in a problem document, and what nobody expected is logged.
        return answer_to(error)


def _answer(body: bytes) -> bytes:
    # Who asks comes first: nothing that a stranger sent is unpacked.
    device = device_with(envelope.ask_token(body))
    token, nonce, asked = envelope.read_ask(body)
    found = exchange(device, asked.personal, asked.operations)
    fleet.note(device, asked.about)
    head = heads.in_force(settings.HOME)
    newer = head is not None and asked.head != head.order
    answer = envelope.answer(
        token,
        nonce,
        SyncResponse(
            found.epoch,
            found.cursor,
            found.receipts,
            found.items,
            found.more,
            head.document if head is not None and newer else None,
            keys_for(device.pk, asked.keys),
            fleet.news_of_group(device, asked.group),
        ),
        asked.operations,
    )
    if head is not None and device.member.state == Member.State.JOINING:
        head = replace(head, members="")  # sealed, it would only cost bytes
    riding = [] if head is None else inlining.things(settings.HOME, asked, head)
    return b"".join((answer, *riding))
