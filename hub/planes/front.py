"""What stands before Django: the two planes are answered without the middleware that pages for people need.

No cookies, sessions, languages or headers for browsers on `/p/` and `/u/`: devices say who they are in the
request, each byte of an answer costs a member money, and each of those layers costs processor time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from hub import relocation
from hub.planes.answers import answer_to

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_PLANES = ("/p/", "/u/")
_NO_BODY = (204, 304)


class PlaneHandler(WSGIHandler):
    """Django's own handler with an empty chain of middleware; every failure becomes a problem document."""

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = self._answer

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            response: HttpResponseBase | None = relocation.answer(request)
            if response is None:
                view, arguments, named = self.resolve_request(request)
                response = view(request, *arguments, **named)
        except Exception as error:
            # The last line of defence of a server: whatever it is, it is logged and the caller gets an answer.
            response = answer_to(error)
        if isinstance(response, HttpResponse) and response.status_code not in _NO_BODY:
            # Without a length the server would cut the body into chunks, which cost bytes.
            response.setdefault("Content-Length", str(len(response.content)))
        return response


class Front:
    """A WSGI application: the planes go to `planes`, everything else to `pages`."""

    def __init__(self, planes: WSGIApplication, pages: WSGIApplication) -> None:
        self._planes = planes
        self._pages = pages

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        chosen = self._planes if environ.get("PATH_INFO", "").startswith(_PLANES) else self._pages
        return chosen(environ, start_response)
