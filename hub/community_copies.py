"""What of a request the community may read: a discussion made of the question, and of its answers with permission.

The copies have ids derived from what they copy, so that doing it twice makes nothing twice. They reach the shelves
with the next publication, as every discussion does. The asker's name stands in them only where the asker did not
ask for anonymity; a confidential request is never copied.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from . import audit
from .errors import HubError, InvalidInput
from .ids import derived_id
from .models import Message, PublicState, Request, RequestKind, RequestReply, Thread
from .questions import find

_FOR_THE_COMMUNITY = (RequestKind.QUESTION, RequestKind.PRACTICE)
"""Kinds that are addressed to the community by themselves; for the others the asker has to allow it."""


class NotAllowed(HubError):
    code = "not-allowed"
    advice = "Ask the asker for permission in a reply; it comes back with what they say of the answer."


def thread_id(request: Request) -> str:
    """The id of the discussion that a request becomes."""
    return derived_id("community", request.pk)


def may_share_question(request: Request) -> bool:
    """Whether the community may read what was asked."""
    return not request.confidential and (request.kind in _FOR_THE_COMMUNITY or request.may_publish is True)


def may_share_answers(request: Request) -> bool:
    """Whether the community may read what was answered: only where the asker said so."""
    return not request.confidential and request.may_publish is True


@transaction.atomic
def share(request_id: str, actor: str, *, answers: bool = False) -> Thread:
    """Put a question before the community, with ``answers`` those of the team as well; return the discussion.

    What the asker wrote later stays between them and the team. Raises NotFound; NotAllowed; InvalidInput where
    ``answers`` are wanted and there is none.
    """
    find(request_id)
    request = Request.objects.select_for_update(of=("self",)).select_related("member").get(pk=request_id)
    if not may_share_question(request) or (answers and not may_share_answers(request)):
        raise NotAllowed(
            f"“{request.title}” is confidential: it stays between the asker and the team."
            if request.confidential
            else f"The asker has not allowed that the community reads this of “{request.title}”."
        )
    given = list(request.replies.filter(by_member=False)) if answers else []
    if answers and not given:
        raise InvalidInput("There is no answer yet that could be published.", "Answer the question first.")
    now = timezone.now()
    thread, made = Thread.objects.get_or_create(
        id=thread_id(request),
        defaults={
            "title": request.title,
            "lang": request.lang,
            "themes": request.themes,
            "created": request.created,
        },
    )
    if made:
        _question(request, thread)
    for reply in given:
        _answer(reply, thread)
    Thread.objects.filter(pk=thread.pk).update(state=PublicState.PUBLISHED, updated=now)
    audit.record("request-answers-shared" if answers else "request-shared", actor=actor, target=request.pk)
    return thread


def take_back_answers(request: Request) -> None:
    """The asker does not allow it (any more): the copies are erased, also from what was published earlier.

    Where the question itself is not for the community, it goes as well, and the discussion where nobody else wrote
    in it. All that leaves with the next publication. Belongs into the transaction of what the asker said.
    """
    thread = Thread.objects.filter(pk=thread_id(request)).first()
    if thread is None:
        return
    copies = [_copy_id(reply_id) for reply_id in request.replies.values_list("pk", flat=True)]
    if not may_share_question(request):
        copies.append(_copy_id(request.pk))
    # Rows that are gone leave the runs that are served too; withdrawn ones would stay in the older of them.
    Message.objects.filter(pk__in=copies).delete()
    if not thread.messages.exists():
        thread.delete()
    elif not may_share_question(request):
        Thread.objects.filter(pk=thread.pk).update(state=PublicState.WITHDRAWN, updated=timezone.now())


def _question(request: Request, thread: Thread) -> None:
    member = request.member
    known = {} if request.anonymous else {"member": member, "category": member.category}
    Message.objects.create(
        id=_copy_id(request.pk),
        thread=thread,
        author_name="" if request.anonymous else member.name or member.email.partition("@")[0],
        lang=request.lang,
        body=request.body or request.title,
        created=request.created,
        state=Message.State.PUBLISHED,
        **known,
    )


def _answer(reply: RequestReply, thread: Thread) -> None:
    Message.objects.update_or_create(
        id=_copy_id(reply.pk),
        defaults={
            "thread": thread,
            "author_name": reply.author_name,
            "lang": thread.lang,
            "body": reply.body,
            "created": reply.created,
            "updated": timezone.now(),
            "state": Message.State.PUBLISHED,
        },
    )


def _copy_id(original: str) -> str:
    return derived_id("community", "message", original)
