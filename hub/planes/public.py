"""The public plane: the head, the roots, immutable objects and documents with byte ranges (docs/protocol.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from hub.models import Member
from hub.objects import object_path
from hub.planes.answers import Refused, answer_to, problem
from hub.planes.callers import device_of
from hub.publishing import file_deltas, keys, served
from sync.protocol.problems import Problem
from sync.protocol.wire_json import is_digest, sha256

_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
_PIECE = 64 * 1024
_FOREVER = "max-age=31536000,immutable"


@require_safe
def head(request: HttpRequest) -> HttpResponse:
    """The signed head; 304 where the caller has it already, 404 before the first publication."""
    document = served.read_head(settings.HOME)
    if document is None:
        return problem("not-published", "This hub has not published anything yet.", "wait", 404)
    tag = f'"{sha256(document)[:16]}"'
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
        del response["Content-Type"]  # there is no body, and a page would look like a log-in page
    else:
        response = HttpResponse(document, content_type="text/plain; charset=utf-8")
    response["ETag"] = tag
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def root(request: HttpRequest, version: int) -> HttpResponse:
    """One root document of the chain."""
    document = keys.root_document(settings.HOME, version)
    if document is None:
        return problem("not-found", "There is no such root document.", "resync", 404)
    response = HttpResponse(document, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = _FOREVER
    return response


@require_safe
def immutable_object(request: HttpRequest, digest: str) -> HttpResponseBase:
    """A segment, a snapshot's bulk or a file by its SHA-256; one range of bytes is honoured (RFC 9110, 14).

    What is sealed for members is given to their devices only.
    """
    places = (served.served_path, _stored_file) if is_digest(digest) else ()
    path = next((path for place in places if (path := place(settings.HOME, digest)).is_file()), None)
    if path is not None:
        return file_answer(request, path)
    if is_digest(digest) and (hidden := served.sealed_path(settings.HOME, digest)).is_file():
        try:
            device = device_of(request)
            if device.member.state == Member.State.JOINING:
                raise Refused(Problem("still-joining", "The hub's team has not approved you yet.", "wait", 403))
        except Refused as refused:
            return answer_to(refused)
        response = file_answer(request, hidden)
        response["Cache-Control"] = f"private,{_FOREVER}"
        return response
    return problem("not-found", "This hub has no object of that name.", "resync", 404)


@require_safe
def document(request: HttpRequest, digest: str) -> HttpResponseBase:
    """An index, or a document that one leads to, as a zstd frame, by the SHA-256 of its raw JSON."""
    if not is_digest(digest) or not (path := served.document_path(settings.HOME, digest)).is_file():
        return problem("not-found", "This hub has no document of that name.", "resync", 404)
    return file_answer(request, path)


@require_safe
def file_delta(request: HttpRequest, old: str, new: str) -> HttpResponseBase:
    """What differs between two versions of a file, by their SHA-256, where that is worth having."""
    path = file_deltas.find(settings.HOME, old, new)
    if path is None:
        return problem("not-found", "This hub has no shorter way from that file to this one.", "resync", 404)
    return file_answer(request, path)


def file_answer(request: HttpRequest, path: Path) -> HttpResponseBase:
    """Answer with a file, or with the range of it that was asked for; for good, since its name is its hash."""
    size = path.stat().st_size
    start, end, status = _range(request.headers.get("Range", ""), size)
    if status == 416:
        response: HttpResponseBase = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{size}"
        return response
    length = end - start
    if request.method == "HEAD":
        response = HttpResponse(status=status)
    elif length <= _PIECE:
        with path.open("rb") as handle:
            handle.seek(start)
            response = HttpResponse(handle.read(length), status=status)
    else:
        response = StreamingHttpResponse(_pieces(path, start, length), status=status)
    response["Content-Length"] = str(length)
    response["Cache-Control"] = _FOREVER
    if status == 206:
        # Ranges come by the hundred where a link is bad: no line that says what their reader knows.
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        del response["Content-Type"]
    else:
        response["Accept-Ranges"] = "bytes"
        response["Content-Type"] = "application/octet-stream"
    return response


def _stored_file(_home: Path, digest: str) -> Path:
    return object_path(digest)


def _range(header: str, size: int) -> tuple[int, int, int]:
    """Return (start, end exclusive, status) for a Range header; anything but one plain range is ignored."""
    found = _RANGE.fullmatch(header.strip())
    if not found:
        return 0, size, 200
    start = int(found[1])
    end = min(size, int(found[2]) + 1) if found[2] else size
    if start >= size:
        return 0, 0, 416
    if end <= start:
        return 0, size, 200
    return start, end, 206


def _pieces(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as handle:
        handle.seek(start)
        while length > 0:
            piece = handle.read(min(_PIECE, length))
            if not piece:
                return
            length -= len(piece)
            yield piece
