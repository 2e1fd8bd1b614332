"""Fetching the small documents of the public plane: head, roots, index, lists of parts, snapshots, histories."""

from __future__ import annotations

from sync.actions import GetDocument
from sync.answers import read_all, require
from sync.objects import fetch_document
from sync.protocol import limits
from sync.protocol.paths import HEAD, ROOT
from sync.protocol.wire_json import sha256
from sync.transport import Request, Transport


def get_head(transport: Transport, known: bytes | None) -> bytes | None:
    """Return the head document, not verified; None where it is still `known`.

    Raises Offline, CaptivePortal, HubProblem, NotTrusted, BudgetReached.
    """
    # The entity tag of a head is the beginning of its hash (docs/protocol.md).
    headers = {} if known is None else {"If-None-Match": f'"{sha256(known)[:16]}"'}
    with transport.open(Request("GET", HEAD, headers)) as reply:
        require(reply, *((200,) if known is None else (200, 304)))
        return None if reply.status == 304 else read_all(reply, limits.HEAD)


def get_root(transport: Transport, version: int) -> bytes:
    """Return one root document, not verified. Raises as `get_head`."""
    with transport.open(Request("GET", f"{ROOT}{version}")) as reply:
        require(reply, 200)
        return read_all(reply, limits.ROOT)


def get_document(transport: Transport, action: GetDocument) -> bytes:
    """Return a document's JSON, verified against its name. Raises as `sync.objects.fetch_document`."""
    return fetch_document(transport, action.ref, limits.DOCUMENT)
