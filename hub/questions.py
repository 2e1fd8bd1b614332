"""The desk: what members asked, who waits, and how an answer goes out.

Each function is one transaction: the request, its reply, the asker's feed and the audit trail move
together or not at all.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import Case, IntegerField, QuerySet, When
from django.utils import timezone

from . import attachments, audit, personal_feed
from .errors import InvalidInput, NotFound, TransitionRefused
from .models import Request, RequestReply, RequestState

OPEN_STATES = (
    RequestState.SUBMITTED,
    RequestState.TRIAGED,
    RequestState.SCOPED,
    RequestState.ASSIGNED,
    RequestState.IN_PROGRESS,
)
_BODY_LIMIT = 200_000
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Given:
    """A file that goes with an answer: its name, its media type, and its bytes in blocks."""

    name: str
    media_type: str
    blocks: Iterable[bytes]


def given_file(path: Path) -> Given:
    """A file of this computer, read when it is kept."""

    def blocks() -> Iterator[bytes]:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block

    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Given(path.name, media_type, blocks())


def waiting() -> QuerySet[Request]:
    """Requests that wait for us (not for the asker), the oldest first."""
    return Request.objects.filter(state__in=OPEN_STATES).order_by("created", "id")


def listed(everything: bool = False) -> QuerySet[Request]:
    """Requests, those that wait for us first, then by age; closed and declined only with ``everything``."""
    requests = Request.objects.select_related("member")
    if not everything:
        requests = requests.exclude(state__in=(RequestState.CLOSED, RequestState.DECLINED))
    waits = Case(When(state__in=OPEN_STATES, then=0), default=1, output_field=IntegerField())
    return requests.order_by(waits, "created", "id")


def find(request_id: str) -> Request:
    """Raises NotFound."""
    try:
        return Request.objects.select_related("member").get(pk=request_id)
    except Request.DoesNotExist:
        raise NotFound(
            f"There is no question with the id {request_id}.",
            "Run `hubshelf-hub questions` to see the ids.",
        ) from None


@transaction.atomic
def answer(
    request_id: str, body: str, author: str, cites: Sequence[str] = (), files: Sequence[Given] = ()
) -> RequestReply:
    """Answer a request: it becomes "delivered" and the asker's devices get request and reply.

    Raises NotFound, InvalidInput (empty text; files that cannot go), TransitionRefused (closed or declined).
    """
    request = _locked(request_id)
    body = body.strip()
    if not body:
        raise InvalidInput("The reply is empty, so nothing was sent.", "Write the answer first.")
    _require_length(body)
    if request.state != RequestState.DELIVERED and not request.may_become(RequestState.DELIVERED):
        raise TransitionRefused(request.title, request.get_state_display(), str(RequestState.DELIVERED.label))
    try:
        # First of all: nobody waits for the database while files are written.
        given = [attachments.keep(request.member, one.name, one.media_type, one.blocks) for one in files]
    except attachments.AttachmentRefused as refused:
        raise InvalidInput(
            f"{refused} The answer was not sent.", "Leave that file out, or make it smaller."
        ) from None
    reply = RequestReply.objects.create(
        request=request, author_name=author, body=body, cites=[str(cite) for cite in cites]
    )
    try:
        # The same file twice is one.
        named = {one.hash: one.to_json() for one in given}
        attachments.attach(reply, request.member, {"attachments": list(named.values())})
    except attachments.AttachmentRefused as refused:
        raise InvalidInput(f"{refused} The answer was not sent.", "Send the others with another answer.") from None
    if request.state != RequestState.DELIVERED:
        request.move_to(RequestState.DELIVERED)
    _commit(request)
    _feed(request, reply)
    audit.record("request-answered", actor=author, target=request.id)
    return reply


@transaction.atomic
def change_state(request_id: str, state: str, actor: str) -> Request:
    """Move a request along its table of transitions. Raises NotFound, InvalidInput, TransitionRefused."""
    if state not in RequestState.values:
        raise InvalidInput(f"“{state}” is no state.", f"Choose one of: {', '.join(RequestState.values)}.")
    request = _locked(request_id)
    if not request.may_become(state):
        raise TransitionRefused(request.title, request.get_state_display(), str(RequestState(state).label))
    request.move_to(RequestState(state))
    _commit(request)
    _feed(request)
    audit.record(f"request-{state}", actor=actor, target=request.id)
    return request


def _require_length(body: str) -> None:
    if len(body) > _BODY_LIMIT:
        raise InvalidInput(
            f"The text is longer than {_BODY_LIMIT:,} characters, so it was not accepted.",
            "Shorten it, or attach it as a file.",
        )


def _locked(request_id: str) -> Request:
    find(request_id)
    return Request.objects.select_for_update(of=("self",)).select_related("member").get(pk=request_id)


def _commit(request: Request) -> None:
    request.revision += 1
    request.updated = timezone.now()
    request.save(update_fields=["state", "revision", "updated", "waiting_since", "paused_seconds", "history"])


def _feed(request: Request, reply: RequestReply | None = None) -> None:
    personal_feed.append(request.member, personal_feed.request_item(request))
    if reply is not None:
        personal_feed.append(request.member, personal_feed.reply_item(reply))
