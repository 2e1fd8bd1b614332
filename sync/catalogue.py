"""Fetching the documents of the public plane: head, roots, index, lists of parts, snapshots, histories."""

from __future__ import annotations

from resources_cache.files import FileStore
from sync.answers import read_all, require
from sync.errors import BudgetReached, CaptivePortal, NotTrusted
from sync.protocol import documents, limits
from sync.protocol.errors import ProtocolError
from sync.protocol.head import ObjectRef
from sync.protocol.paths import HEAD, ROOT, document_path
from sync.protocol.wire_json import sha256
from sync.replies import CONTENT_RANGE
from sync.transport import Reply, Request, Transport

WHOLE = 8 * 1024
"""Bytes up to which a document is not worth continuing: it comes whole or anew."""
PACKING = 1024
"""Bytes by which a document that does not shrink grows by being packed, at most."""


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


def fetch_document(transport: Transport, incoming: FileStore, ref: ObjectRef, limit: int) -> bytes:
    """Return the raw JSON of a document, verified against its name. A long one is continued where a cut left it.

    `incoming`: the store of what is under way. Raises Offline, CaptivePortal, HubProblem, ProtocolError
    (WrongHash, Malformed, TooLarge), NotTrusted past `limit` bytes, BudgetReached, CacheError.
    """
    if ref.size > limit:
        raise NotTrusted(f"The hub names a document of {ref.size:,} bytes; at most {limit:,} are read.")
    if ref.size <= WHOLE:
        return documents.unpack(_fetch_whole(transport, ref), ref, limit)
    begun = incoming.partial_size(ref.hash)
    try:
        return _continued(transport, incoming, ref, begun, limit)
    except ProtocolError:
        if not begun:
            raise
    # What was here may be the beginning of another frame of the same document.
    return _continued(transport, incoming, ref, 0, limit)


def _fetch_whole(transport: Transport, ref: ObjectRef) -> bytes:
    request = Request("GET", document_path(ref.hash))
    transport.traffic.require(request.size)
    with transport.open(request) as reply:
        require(reply, 200)
        left = transport.traffic.left
        announced = _length(reply)
        if left is not None and announced > left:
            raise BudgetReached(f"The next document needs {announced:,} bytes, more than may still be moved.")
        return read_all(reply, ref.size + PACKING)


def _continued(transport: Transport, incoming: FileStore, ref: ObjectRef, begun: int, limit: int) -> bytes:
    """Bring what is missing behind the `begun` bytes that are here, and unpack all; what is no good is removed."""
    request = Request("GET", document_path(ref.hash), {"Range": f"bytes={begun}-"} if begun else {})
    with incoming.partial(ref.hash, ref.size + PACKING) as partial:
        with transport.open(request) as reply:
            if reply.status != 416:  # RFC 9110, 15.5.17: all of it is here already
                require(reply, 200, 206)
                begun = _first_byte(reply) if reply.status == 206 else 0
                if begun != partial.offset:
                    partial.restart()
                    if begun:
                        raise CaptivePortal(
                            "Other bytes than those asked for were offered: no hub answers like that."
                        )
                if begun + _length(reply) > partial.size:
                    raise NotTrusted(f"A document is longer than the {partial.size:,} bytes that it can have.")
                for piece in reply.pieces():
                    partial.write(piece)
        frame = partial.path.read_bytes()
        partial.discard()
    return documents.unpack(frame, ref, limit)


def _length(reply: Reply) -> int:
    announced = reply.headers.get("Content-Length", "0").strip()
    return int(announced) if announced.isdigit() else 0


def _first_byte(reply: Reply) -> int:
    """Return where the bytes of a partial answer begin. Raises CaptivePortal."""
    found = CONTENT_RANGE.fullmatch(reply.headers.get("Content-Range", "").strip())
    if found is None:
        raise CaptivePortal("A part of something was offered that does not say which: no hub answers like that.")
    return int(found[1])
