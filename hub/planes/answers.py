"""Answers that both planes give: problem documents (RFC 9457), also for what went wrong unexpectedly."""

from __future__ import annotations

import logging

from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseProblem
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError

from hub.errors import means_unusable
from sync.protocol.errors import BadMac, ProtocolError, TooLarge
from sync.protocol.problems import MEDIA_TYPE, Action, Problem
from sync.protocol.wire_json import dump

_RETRY_AFTER = {429: 600, 503: 30}
"""Seconds to wait before the same is asked again, by status: as long as wrong codes are remembered; as long as a
publication or a backup may hold the database."""

_log = logging.getLogger(__name__)


class Refused(Exception):
    """A whole request is refused with a problem; nothing of it took effect.

    `forget`: the shelf must drop what only members may have.
    """

    def __init__(self, problem: Problem, *, forget: bool = False) -> None:
        super().__init__(problem.title)
        self.problem = problem
        self.forget = forget


def problem(code: str, title: str, action: Action, status: int, detail: str = "") -> HttpResponse:
    """Return the answer that carries a problem document."""
    return problem_response(Problem(code, title, action, status, detail))


def problem_response(document: Problem, *, forget: bool = False) -> HttpResponse:
    """Return the answer that carries `document`, with Retry-After (seconds) where waiting helps."""
    body = {**document.to_json(), "forget": True} if forget else document.to_json()
    response = HttpResponse(dump(body), status=document.status, content_type=MEDIA_TYPE)
    if document.status in _RETRY_AFTER:
        response["Retry-After"] = str(_RETRY_AFTER[document.status])
    return response


def answer_to(error: Exception) -> HttpResponse:
    """Return the problem document that tells about `error`; what nobody expected is logged, type and place."""
    if isinstance(error, Refused):
        return problem_response(error.problem, forget=error.forget)
    if isinstance(error, BadMac):
        return problem(error.code, "The request was changed on its way.", "retry", 400)
    if isinstance(error, TooLarge | RequestDataTooBig):
        return problem("too-large", str(error), "drop", 413)
    if isinstance(error, ProtocolError):
        return problem(error.code, str(error), "drop", 400)
    if isinstance(error, Http404):
        return problem("not-found", "This hub has nothing at this address.", "resync", 404)
    if isinstance(error, UnreadablePostError):
        return problem("cut-off", "The request ended before it was whole.", "retry", 400)
    if isinstance(error, DatabaseProblem) and means_unusable(error):
        # Type only: the message of a database error may quote what a member wrote.
        _log.error("the database cannot be used: %s", type(error).__name__)
        return problem("busy", "The hub is busy. What was sent is not lost: send it again later.", "retry", 503)
    _log.error("a request failed", exc_info=error)
    return problem("hub-error", "The hub failed at this request.", "retry", 500)


def body_of(request: HttpRequest, limit: int) -> bytes:
    """Return the body of a request; raises TooLarge, before it is read, for one of more than `limit` bytes."""
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        announced = 0
    if announced > limit:
        raise TooLarge(f"The request is {announced} bytes long; at most {limit} are read.")
    return request.body
