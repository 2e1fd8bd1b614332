"""Answers that both planes give: problem documents (RFC 9457)."""

from __future__ import annotations

from django.http import HttpResponse

from sync.protocol.problems import MEDIA_TYPE, Action, Problem


class Refused(Exception):
    """A whole request is refused with a problem; nothing of it took effect."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.title)
        self.problem = problem


def problem(code: str, title: str, action: Action, status: int, detail: str = "") -> HttpResponse:
    """Return the answer that carries a problem document."""
    return problem_response(Problem(code, title, action, status, detail))


def problem_response(document: Problem) -> HttpResponse:
    return HttpResponse(document.to_bytes(), status=document.status, content_type=MEDIA_TYPE)
