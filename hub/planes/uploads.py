"""Resumable uploads of attachments: `/u/v1/uploads` (docs/protocol-uploads.md).

What arrives is written as it comes, in small blocks, so that a cut costs next to nothing and no file is ever held
in memory.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from hub import attachments
from hub.errors import HubError
from hub.models import Device
from hub.models.requests import Upload
from hub.planes.answers import Refused, answer_to, problem_response
from hub.planes.callers import device_of
from hub.planes.public import file_answer
from sync.protocol import uploads as wire
from sync.protocol.problems import MEDIA_TYPE, Action, Problem
from sync.protocol.wire_json import dump

_log = logging.getLogger(__name__)

_BLOCK = 4096
"""Bytes read at a time: at most so many that arrived are lost when a link is cut."""
_SILENCE_SECONDS = 30.0
"""A sender from whom nothing comes for so long is gone; a dead link says nothing by itself."""
_LIMITS = f"max-size={wire.FILE}, max-age={wire.LIFETIME_DAYS * 86_400}"
_REFUSALS: dict[type[HubError], tuple[Action, int]] = {
    attachments.UploadBusy: ("retry", 409),
    attachments.QuotaReached: ("wait", 429),
    attachments.LengthMismatch: ("drop", 400),
    attachments.WrongDigest: ("retry", 422),
}
_FULL = (errno.ENOSPC, errno.EDQUOT)

View = Callable[..., HttpResponse]


def _for_devices(view: View) -> View:
    """Give a view the device that calls; turn what it raises into problem documents."""

    @csrf_exempt  # a bearer token, never a cookie, says who calls
    @wraps(view)
    def answer(request: HttpRequest, **parts: str) -> HttpResponse:
        response = attempt(request, parts)
        if request.method == "HEAD" and response.status_code >= 400:
            response.content = b""  # the status says it; a body would be taken for the next answer
            del response["Content-Type"]
        return response

    def attempt(request: HttpRequest, parts: dict[str, str]) -> HttpResponse:
        try:
            return view(request, device_of(request), **parts)
        except Refused as refused:
            response = answer_to(refused)
            if refused.problem.status == 413:
                response[wire.LIMIT] = _LIMITS
            return response
        except attachments.OffsetMismatch as mismatch:
            return _mismatch(mismatch, wire.read_count(request.headers.get(wire.OFFSET)))
        except HubError as error:
            action, status = _REFUSALS[type(error)]
            response = problem_response(Problem(error.code, str(error), action, status))
            if isinstance(error, attachments.WrongDigest):
                response[wire.COMPLETE] = wire.boolean(True)  # all of it was processed; going on helps nobody
            return response
        except OSError as error:
            if error.errno not in _FULL:
                raise
            _log.error("the disk is full: an attachment could not be stored")
            return problem_response(
                Problem("hub-full", "The hub has no room for this file right now.", "retry", 507)
            )

    return answer


@_for_devices
def collection(request: HttpRequest, device: Device) -> HttpResponse:
    """POST: begin an upload, or find the one begun. OPTIONS: what is possible."""
    if request.method == "OPTIONS":
        response = HttpResponse(status=204)
        response["Allow"] = "OPTIONS, POST"
        response["Accept-Patch"] = wire.PARTIAL
        response[wire.LIMIT] = _LIMITS
        return response
    if request.method != "POST":
        return _not_allowed("OPTIONS, POST")
    last = _completes(request)
    content = _content_length(request)
    digest = wire.read_digest(request.headers.get(wire.REPR_DIGEST))
    if digest is None:
        raise _refused("no-digest", "The upload does not say which file it is (Repr-Digest with sha-256).")
    upload = attachments.open_upload(device.member, digest, _announced(request, content, last))
    state = attachments.progress(upload)
    if content and state.offset == 0 and not state.complete:
        _require_fit(upload, 0, content, last)
        state = _append(request, upload, device, 0, content, last)
    response = _told(upload, state, HttpResponse(status=200 if state.complete else 201))
    response["Location"] = wire.upload_path(upload.pk)
    return response


@_for_devices
def one(request: HttpRequest, device: Device, upload: str) -> HttpResponse:
    """HEAD: how far it is. PATCH: append. DELETE: forget it."""
    if request.method not in ("HEAD", "PATCH", "DELETE"):
        return _not_allowed("DELETE, HEAD, PATCH")
    found = Upload.objects.filter(pk=upload, member=device.member).first()
    if found is None:  # another member's is not here either
        raise _refused(wire.NO_UPLOAD, "There is no such upload; begin it again.", "retry", 404)
    if request.method == "DELETE":
        if not attachments.cancel(found):
            raise _refused(wire.COMPLETED, "This file has arrived and belongs to what you sent.", "drop", 409)
        return HttpResponse(status=204)
    if request.method == "HEAD":
        attachments.release(found, device.pk)
        return _told(found, attachments.progress(found), HttpResponse(status=204))
    return _patch(request, device, found)


@csrf_exempt
def content(request: HttpRequest, digest: str) -> HttpResponseBase:
    """GET: the bytes of a file that goes with this member's own requests and their answers, by its SHA-256."""
    try:
        device = device_of(request)
        if request.method not in ("GET", "HEAD"):
            return _not_allowed("GET, HEAD")
        path = attachments.file_of(device.member, digest)
        if path is None:  # another member's is not here either
            raise _refused("not-found", "This hub has no file of that name for you.", "drop", 404)
    except Refused as refused:
        return answer_to(refused)
    response = file_answer(request, path)
    response["Cache-Control"] = "private, no-store"
    return response


def _patch(request: HttpRequest, device: Device, upload: Upload) -> HttpResponse:
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != wire.PARTIAL:
        raise _refused("not-a-piece", f"A piece is sent as {wire.PARTIAL}.", "drop", 415)
    last = _completes(request)
    content = _content_length(request)
    offset = wire.read_count(request.headers.get(wire.OFFSET))
    if offset is None:
        raise _refused("no-offset", f"The piece does not say where it belongs ({wire.OFFSET}).")
    state = attachments.progress(upload)
    if state.complete:
        raise _refused(wire.COMPLETED, "This file has arrived already.", "drop", 409 if content else 410)
    if state.offset != offset:
        raise attachments.OffsetMismatch(state.offset)
    _require_fit(upload, offset, content, last)
    state = _append(request, upload, device, offset, content, last)
    return _told(upload, state, HttpResponse(status=200 if state.complete else 204))


def _append(
    request: HttpRequest, upload: Upload, device: Device, offset: int, length: int, last: bool
) -> attachments.Progress:
    """Store the request's content as it comes. A cut keeps what came and is a problem that nobody will read."""
    turn = attachments.Appender(upload, device.pk, offset)
    try:
        for block in _blocks(request, length):
            turn.write(block)
        turn.settle()
        if turn.offset < offset + length:
            raise _refused("cut-off", "The link went away in the middle; what came is kept.", "retry", 400)
        if last:
            turn.finish()
    finally:
        turn.close()
    return attachments.Progress(turn.offset, last)


def _blocks(request: HttpRequest, length: int) -> Iterator[bytes]:
    """Yield the content in blocks, until its end, a cut, or a silence."""
    with _patience(request):
        while length > 0:
            try:
                block = request.read(min(_BLOCK, length))
            except OSError:
                return
            if not block:
                return
            length -= len(block)
            yield block


@contextmanager
def _patience(request: HttpRequest) -> Iterator[None]:
    """Bound each wait for bytes: a thread that waits for a dead link is one that serves nobody else."""
    socket: Any = request.META.get("gunicorn.socket")
    if socket is None:
        yield
        return
    before = socket.gettimeout()
    socket.settimeout(_SILENCE_SECONDS)
    try:
        yield
    finally:
        socket.settimeout(before)


def _told(upload: Upload, state: attachments.Progress, response: HttpResponse) -> HttpResponse:
    response[wire.OFFSET] = str(state.offset)
    response[wire.COMPLETE] = wire.boolean(state.complete)
    response[wire.LENGTH] = str(upload.size)
    response[wire.LIMIT] = _LIMITS
    response["Cache-Control"] = "no-store"
    del response["Content-Type"]  # there is no content
    return response


def _completes(request: HttpRequest) -> bool:
    last = wire.read_boolean(request.headers.get(wire.COMPLETE))
    if last is None:
        raise _refused("no-completeness", f"The request does not say whether it is the last ({wire.COMPLETE}).")
    return last


def _content_length(request: HttpRequest) -> int:
    if request.headers.get("Transfer-Encoding"):
        raise _refused("no-length", "A piece is sent with its length (Content-Length).", "drop", 411)
    return wire.read_count(request.headers.get("Content-Length")) or 0


def _announced(request: HttpRequest, content: int, last: bool) -> int:
    """The length of the whole file. Raises Refused where it is not said, contradicts itself, or is too much."""
    length = wire.read_count(request.headers.get(wire.LENGTH))
    if length is None and last:
        length = content
    if length is None:
        raise _refused("no-length", f"The upload does not say how long the file is ({wire.LENGTH}).", "drop", 411)
    if length == 0:
        raise _refused("empty-file", "The file is empty.")
    if length > wire.FILE:
        problem = Problem("file-too-large", f"At most {wire.FILE:,} bytes can be attached.", "drop", 413)
        raise Refused(problem)
    if last and content not in (0, length):
        raise _refused(wire.INCONSISTENT, "The lengths of the upload contradict each other.")
    return length


def _require_fit(upload: Upload, offset: int, content: int, last: bool) -> None:
    end = offset + content
    if end > upload.size or (last and end != upload.size):
        raise _refused(wire.INCONSISTENT, f"The file was announced with {upload.size:,} bytes, not {end:,}.")


def _refused(code: str, title: str, action: Action = "drop", status: int = 400) -> Refused:
    return Refused(Problem(code, title, action, status))


def _mismatch(error: attachments.OffsetMismatch, provided: int | None) -> HttpResponse:
    document = Problem(error.code, str(error), "retry", 409).to_json()
    document |= {"expected-offset": error.expected, "provided-offset": provided or 0}
    response = HttpResponse(dump(document), status=409, content_type=MEDIA_TYPE)
    response[wire.OFFSET] = str(error.expected)
    response[wire.COMPLETE] = wire.boolean(False)
    return response


def _not_allowed(allowed: str) -> HttpResponse:
    response = problem_response(Problem("not-allowed", "This cannot be done here.", "drop", 405))
    response["Allow"] = allowed
    return response
