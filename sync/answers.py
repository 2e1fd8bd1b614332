"""What an HTTP answer means: the document asked for, the hub's own problem, or somebody else speaking."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sync.errors import CaptivePortal, HubProblem, NotTrusted
from sync.protocol import limits
from sync.protocol.errors import ProtocolError
from sync.protocol.problems import MEDIA_TYPE, Problem
from sync.transport import Reply

LONGEST = 24 * 3600.0
"""Seconds; a hub that asks for more is asked again after a day."""


def require(reply: Reply, *wanted: int) -> None:
    """Return if the answer has one of the statuses `wanted` and is no web page.

    Raises HubProblem for a problem document (or a gateway that says the hub is away), CaptivePortal.
    """
    if reply.status == 304 and 304 in wanted:
        return  # it has no body, whatever its headers say
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == MEDIA_TYPE:
        raise HubProblem(_problem(reply), _retry_after(reply))
    if kind in ("text/html", "application/xhtml+xml") and reply.status < 500:
        raise CaptivePortal(
            "A web page came instead of the hub's answer: the network may ask you to sign in first.",
            status=reply.status,
        )
    if reply.status in wanted:
        return
    if reply.status >= 500 and reply.status != 511:  # RFC 6585: 511 asks to sign in to the network
        away = Problem("unavailable", "The hub is not available right now.", "retry", reply.status)
        raise HubProblem(away, _retry_after(reply))
    if reply.status in (404, 410):
        raise HubProblem(Problem("not-found", "The hub does not have what was asked for.", "resync", reply.status))
    if reply.status == 429:
        later = Problem("too-many", "The hub asks us to come back later.", "retry", 429)
        raise HubProblem(later, _retry_after(reply))
    raise CaptivePortal(f"Something answered with status {reply.status}, which no hub does.")


def read_all(reply: Reply, limit: int) -> bytes:
    """Return the whole body. Raises NotTrusted past `limit` bytes, Offline where it is cut."""
    parts = []
    size = 0
    for piece in reply.pieces():
        size += len(piece)
        if size > limit:
            raise NotTrusted(f"An answer is longer than the {limit:,} bytes that a hub sends.")
        parts.append(piece)
    return b"".join(parts)


def _problem(reply: Reply) -> Problem:
    try:
        problem = Problem.from_bytes(read_all(reply, limits.HEAD))
    except ProtocolError as error:
        raise CaptivePortal(str(error)) from error
    # The status line decides: it is what a proxy on the way would have acted on.
    return replace(problem, status=reply.status)


def _retry_after(reply: Reply) -> float:
    """Return the seconds that the answer asks us to stay away (RFC 9110, 10.2.3), at most LONGEST; 0 for none."""
    value = reply.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST)
    try:
        until = parsedate_to_datetime(value)
        return min(max(0.0, (until - datetime.now(UTC)).total_seconds()), LONGEST)
    except (ValueError, TypeError):
        return 0.0
