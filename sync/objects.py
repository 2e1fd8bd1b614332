"""Fetching immutable objects: resumed at the byte after a cut, never read past their announced size."""

from __future__ import annotations

import re
from collections.abc import Callable

from resources_cache.files import FileStore, Partial
from sync.answers import read_all, require
from sync.cancel import Cancel
from sync.errors import BudgetReached, CaptivePortal, CutOff, NotTrusted, Offline, WrongHash
from sync.protocol.head import ObjectRef
from sync.protocol.paths import object_path
from sync.protocol.wire_json import sha256
from sync.traffic import REPLY_RESERVE
from sync.transport import Reply, Request, Transport

WORTHWHILE = 1024
"""A cut attempt that brought as many bytes is repeated at once; one that brought fewer ends the sync."""
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")

Arrived = Callable[[int], None]
"""Called with the number of bytes that just arrived."""


def fetch_document(transport: Transport, ref: ObjectRef, limit: int) -> bytes:
    """Return a small object (index, manifest) whole, verified against its name.

    Raises Offline, CaptivePortal, HubProblem, WrongHash, NotTrusted past `limit`, BudgetReached.
    """
    if ref.size > limit:
        raise NotTrusted(f"The hub names a document of {ref.size:,} bytes; at most {limit:,} are read.")
    request = Request("GET", object_path(ref.hash))
    left = transport.traffic.left
    if left is not None and left < request.size + REPLY_RESERVE + ref.size:
        raise BudgetReached(f"The next document needs {ref.size:,} bytes, more than may still be moved.")
    with transport.open(request) as reply:
        require(reply, 200)
        body = read_all(reply, ref.size)
    if len(body) != ref.size or sha256(body) != ref.hash:
        raise WrongHash("A document does not match its name, so it was not used.")
    return body


def fetch_object(
    transport: Transport,
    store: FileStore,
    ref: ObjectRef,
    cancel: Cancel | None = None,
    arrived: Arrived | None = None,
) -> Partial:
    """Bring all bytes of an object into `store`'s partial and return it, closed and not verified yet.

    Goes on where an earlier attempt stopped, and at once after a cut that came WORTHWHILE bytes or more into
    an attempt. Raises Offline, CaptivePortal, HubProblem, NotTrusted, BudgetReached, Cancelled, CacheError;
    what arrived stays.
    """
    with store.partial(ref.hash, ref.size) as partial:
        while partial.offset < ref.size:
            before = partial.offset
            try:
                _attempt(transport, partial, cancel, arrived)
            except Offline:
                if cancel is not None:
                    cancel.check()
                if partial.offset - before < WORTHWHILE:
                    raise
        return partial


def _attempt(transport: Transport, partial: Partial, cancel: Cancel | None, arrived: Arrived | None) -> None:
    if cancel is not None:
        cancel.check()
    start, end = partial.offset, _end(transport, partial)
    headers = {} if (start, end) == (0, partial.size) else {"Range": f"bytes={start}-{end - 1}"}
    with transport.open(Request("GET", object_path(partial.hash), headers)) as reply:
        require(reply, 200, 206)
        skip = _skip(reply, partial, end)
        for piece in reply.pieces():
            if cancel is not None:
                cancel.check()
            fresh = piece[skip:]
            skip -= len(piece) - len(fresh)
            if fresh:
                partial.write(fresh)
                if arrived is not None:
                    arrived(len(fresh))
    if end < partial.size and partial.offset >= end:
        raise BudgetReached("The bytes allowed for this sync are spent; what arrived of this object is kept.")
    if partial.offset < end:
        raise CutOff(f"The answer ended after {partial.offset:,} of {partial.size:,} bytes.")


def _end(transport: Transport, partial: Partial) -> int:
    """Return up to where to ask: with a budget, no further than what fits into it beside the headers."""
    left = transport.traffic.left
    if left is None:
        return partial.size
    overhead = Request("GET", object_path(partial.hash), {"Range": f"bytes={partial.size}-{partial.size}"}).size
    room = left - overhead - REPLY_RESERVE
    if room < min(WORTHWHILE, partial.size - partial.offset):
        raise BudgetReached(f"{partial.size - partial.offset:,} bytes are missing, more than may still be moved.")
    return min(partial.size, partial.offset + room)


def _skip(reply: Reply, partial: Partial, end: int) -> int:
    """Return how many bytes at the start of the body are here already. Raises CaptivePortal."""
    if reply.status == 200:
        return partial.offset  # ranges are not known there, so all of it comes again
    found = _CONTENT_RANGE.fullmatch(reply.headers.get("Content-Range", "").strip())
    if (
        found is None
        or (int(found[1]), int(found[2])) != (partial.offset, end - 1)
        or found[3] not in ("*", str(partial.size))
    ):
        raise CaptivePortal("Other bytes than those asked for were offered: no hub answers like that.")
    return 0
