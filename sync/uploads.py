"""Sending attachments: in pieces over bad links, each byte once, within the bytes allowed.

The hub writes what arrives as it comes and says by HEAD how far it is, so that a cut costs only what was in flight
(docs/protocol-uploads.md). Pieces begin small and grow while the link carries them easily.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources_cache.attachments import Attachments, Upload, open_files
from resources_cache.errors import NotFound
from resources_cache.files import FileStore
from resources_cache.own import Own
from sync.answers import read_all, require
from sync.cancel import Cancel
from sync.errors import (
    AuthNeeded,
    BudgetReached,
    CaptivePortal,
    HubProblem,
    Offline,
    SyncError,
    UpgradeNeeded,
    from_wire,
)
from sync.protocol import limits
from sync.protocol import uploads as wire
from sync.protocol.errors import ProtocolError
from sync.protocol.problems import Problem
from sync.report import Progress, ProgressCallback
from sync.traffic import REPLY_RESERVE, Traffic
from sync.transport import Reply, Request, Transport

FIRST_PIECE = 16 * 1024
SMALLEST_PIECE = 4 * 1024
LARGEST_PIECE = 512 * 1024
"""Below the 1 MB that proxies commonly take as a request's content."""
EASY_SECONDS = 5.0
"""A piece that took less is followed by one twice as large, which then stays within the transport's timeouts."""
WORTHWHILE = 1024
"""A cut attempt that brought as many bytes is repeated at once; one that brought fewer ends the sync."""
_FAILURES = 2
"""How often the hub may find other bytes than announced before a person has to look."""


class TooManyAttachments(SyncError):
    """More files than one question or reply can carry; nothing was queued."""

    code = "too-many-attachments"
    advice = "Send the others with a reply."


def attached(home: Path, own: Own, sources: Sequence[Path]) -> list[dict[str, Any]]:
    """Copy files into the shelf and return the `attachments` of an operation's body; the same file counts once.

    Raises TooManyAttachments, and CacheError (NotAttachable for one that is no file, empty, too large or
    unreadable; DiskFull, StoreUnwritable).
    """
    queue = Attachments.of(own, open_files(home, wire.FILE))
    found = {one.hash: one.to_json() for one in map(queue.take, sources)}
    if len(found) > wire.PER_OPERATION:
        raise TooManyAttachments(f"{len(found)} files are attached; at most {wire.PER_OPERATION} can be.")
    return list(found.values())


def upload_waiting(
    transport: Transport,
    token: str,
    own: Own,
    files: FileStore,
    room: int | None = None,
    cancel: Cancel | None = None,
    progress: ProgressCallback | None = None,
) -> int:
    """Send the attachments of received operations and return how many arrived whole.

    `files`: the shelf's copies (resources_cache.attachments.open_files). `room`: bytes, HTTP with headers both
    ways, that this may use of what the transport's own budget leaves; None for all of it. One that the hub
    refuses is set aside for the person and blocks none behind it; one that has to wait (the member's quota,
    another device that sends the same) stays, and is told after the others had their turn.
    Raises Offline, CaptivePortal, NotTrusted, AuthNeeded, HubProblem, UpgradeNeeded, BudgetReached, Cancelled,
    CacheError; what the hub has of each file is kept there, and the next call goes on from it.
    """
    queue = Attachments.of(own, files)
    due = queue.due()
    sender = _Sender(transport, token, queue, room, cancel)
    told = _Told(progress, sum(one.size for one in due))
    arrived = 0
    postponed: HubProblem | None = None
    for one in due:
        try:
            arrived += sender.send(one, told)
        except HubProblem as error:
            meaning = _meaning(error)
            if meaning is not error:
                raise meaning from error
            if error.problem.action == "drop":
                queue.set_aside(one.hash, error.problem.to_json())
            elif error.problem.code in _ONE_ONLY:
                postponed = postponed or error
            else:
                raise
        except ProtocolError as error:
            raise from_wire(error) from error
        told.over(one.size)
    if postponed is not None:
        raise postponed
    return arrived


_ONE_ONLY = (wire.BUSY, "uploads-unfinished")
"""Problems of one file that say nothing about the next."""


@dataclass(frozen=True)
class _Where:
    """An upload on the hub: its id, how many bytes are there, whether it is complete."""

    id: str
    offset: int
    complete: bool


class _Told:
    """What the person is told: bytes done of those known to go."""

    def __init__(self, progress: ProgressCallback | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._over = 0

    def at(self, offset: int) -> None:
        if self._progress is not None:
            self._progress(Progress("sending", self._over + offset, self._total))

    def over(self, size: int) -> None:
        self._over += size


class _Purse:
    """The bytes that may still be moved: the transport's budget, and the part of it that is for uploads."""

    def __init__(self, traffic: Traffic, room: int | None) -> None:
        self._traffic = traffic
        self._until = None if room is None else traffic.total + room

    @property
    def left(self) -> int | None:
        mine = None if self._until is None else max(0, self._until - self._traffic.total)
        return min((one for one in (mine, self._traffic.left) if one is not None), default=None)

    def require(self, request: Request) -> None:
        """Raise BudgetReached where a request and its answer have no room."""
        left = self.left
        if left is not None and left < request.size + REPLY_RESERVE:
            raise BudgetReached("The bytes allowed for this sync are spent; the attachments go on next time.")

    def content(self, request: Request, wanted: int, rest: int) -> int:
        """Return how many of `wanted` bytes fit into `request`, `rest` being missing. Raises BudgetReached."""
        self.require(request)
        left = self.left
        if left is None:
            return wanted
        fits = min(wanted, left - request.size - REPLY_RESERVE)
        if fits < min(WORTHWHILE, rest):
            raise BudgetReached(f"{rest:,} bytes of an attachment are missing, more than may still be moved.")
        return fits


class _Sender:
    """Sends files one after another over one link, whose pace it learns."""

    def __init__(
        self, transport: Transport, token: str, queue: Attachments, room: int | None, cancel: Cancel | None
    ) -> None:
        self._transport = transport
        self._headers = {"Authorization": f"Bearer {token}"}
        self._queue = queue
        self._purse = _Purse(transport.traffic, room)
        self._cancel = cancel
        self._piece = FIRST_PIECE

    def send(self, one: Upload, told: _Told) -> bool:
        """Bring one file to the hub; False where it was set aside here. Raises HubProblem where it is refused."""
        while True:
            try:
                where = self._begin(one)
                while not where.complete:
                    told.at(where.offset)
                    where = self._advance(one, where)
                    self._queue.note(one.hash, where.id, where.offset)
                self._queue.delivered(one.hash)
                return True
            except NotFound:
                return self._lost(one)
            except HubProblem as error:
                if error.problem.code != wire.WRONG_DIGEST:
                    raise
                failures = self._queue.failed(one.hash)
                if not self._sound(one):
                    return self._lost(one)
                if failures >= _FAILURES:
                    self._queue.set_aside(one.hash, error.problem.to_json())
                    return False
                one = self._fresh(one)

    def _begin(self, one: Upload) -> _Where:
        """Find out how far the file is on the hub, by as few bytes as possible."""
        self._check()
        if one.place:
            where = self._ask(one.place)
            if where is not None:
                return where
        # A first attempt carries the first piece with it; after a lost one, ask before sending anything twice.
        first = one.state == "waiting"
        self._queue.begin(one.hash)
        where = self._create(one, with_content=first)
        self._queue.note(one.hash, where.id, where.offset)
        return where

    def _advance(self, one: Upload, where: _Where) -> _Where:
        """Send the next piece; after a cut, find out what came of it. Raises Offline where too little did."""
        self._check()
        began = time.monotonic()
        try:
            moved = self._append(one, where)
        except Offline:
            self._check()
            self._piece = max(SMALLEST_PIECE, self._piece // 2)
            found = self._ask(where.id)
            if found is not None:
                self._queue.note(one.hash, found.id, found.offset)
                if found.complete or found.offset - where.offset >= WORTHWHILE:
                    return found
            raise
        if time.monotonic() - began < EASY_SECONDS:
            self._piece = min(LARGEST_PIECE, self._piece * 2)
        return moved

    def _create(self, one: Upload, *, with_content: bool) -> _Where:
        """Begin the upload, or find the one begun."""
        headers = {
            **self._headers,
            wire.COMPLETE: wire.boolean(False),
            wire.LENGTH: str(one.size),
            wire.REPR_DIGEST: wire.repr_digest(one.hash),
        }
        empty = Request("POST", wire.UPLOADS, headers, b"")
        content = b""
        if with_content:
            wanted = min(self._piece, one.size)
            content = self._read(one, 0, self._purse.content(empty, wanted, one.size))
            headers[wire.COMPLETE] = wire.boolean(len(content) == one.size)
        request = Request("POST", wire.UPLOADS, headers, content)
        self._purse.require(request)
        with self._transport.open(request) as reply:
            require(reply, 200, 201)
            read_all(reply, limits.HEAD)
            return self._where(reply, wire.upload_of(reply.headers.get("Location")), one.size)

    def _ask(self, place: str) -> _Where | None:
        """How far an upload is; None where the hub does not know it (any more), or will only say so to a POST."""
        request = Request("HEAD", wire.upload_path(place), self._headers)
        self._purse.require(request)
        with self._transport.open(request) as reply:
            # The answer to a HEAD has no body, so what a problem is about is learned by asking otherwise.
            if 400 <= reply.status < 500:
                return None
            require(reply, 200, 204)
            read_all(reply, limits.HEAD)
            return self._where(reply, place)

    def _append(self, one: Upload, where: _Where) -> _Where:
        rest = one.size - where.offset
        headers = {
            **self._headers,
            "Content-Type": wire.PARTIAL,
            wire.OFFSET: str(where.offset),
            wire.COMPLETE: wire.boolean(False),
        }
        empty = Request("PATCH", wire.upload_path(where.id), headers, b"")
        count = self._purse.content(empty, min(self._piece, rest), rest)
        headers[wire.COMPLETE] = wire.boolean(count == rest)
        content = self._read(one, where.offset, count)
        with self._transport.open(Request("PATCH", empty.path, headers, content)) as reply:
            try:
                require(reply, 200, 201, 204)
            except HubProblem as error:
                code = error.problem.code
                if code in (wire.NO_UPLOAD, wire.COMPLETED):
                    return self._create(one, with_content=False)
                offset = wire.read_count(reply.headers.get(wire.OFFSET))
                if code != wire.MISMATCH or offset is None or offset > one.size:
                    raise
                return _Where(where.id, offset, False)
            read_all(reply, limits.HEAD)
            return self._where(reply, where.id, one.size)

    def _where(self, reply: Reply, place: str, size: int | None = None) -> _Where:
        """What an answer says about an upload. Raises CaptivePortal where it says nothing."""
        offset = wire.read_count(reply.headers.get(wire.OFFSET))
        complete = wire.read_boolean(reply.headers.get(wire.COMPLETE))
        if offset is None or complete is None or (size is not None and offset > size):
            raise CaptivePortal("Something answered that does not know uploads: no hub answers like that.")
        return _Where(place, offset, complete)

    def _read(self, one: Upload, offset: int, count: int) -> bytes:
        """Read a part of the copy. Raises NotFound."""
        with self._queue.files.path(one.hash).open("rb") as file:
            file.seek(offset)
            content = file.read(count)
        if len(content) != count:
            raise NotFound("The shelf's copy of an attachment is damaged.")
        return content

    def _sound(self, one: Upload) -> bool:
        try:
            return self._queue.files.verify(one.hash)
        except NotFound:
            return False

    def _lost(self, one: Upload) -> bool:
        problem = Problem(
            "attachment-lost",
            "This computer's copy of an attached file is missing or damaged, so it was not sent.",
            "drop",
            0,
            "Attach the file again in a reply.",
        )
        self._queue.set_aside(one.hash, problem.to_json())
        return False

    def _fresh(self, one: Upload) -> Upload:
        return Upload(one.hash, one.size, one.name, "sending", 0, "", 0, None)

    def _check(self) -> None:
        if self._cancel is not None:
            self._cancel.check()


def _meaning(error: HubProblem) -> SyncError:
    text = f"{error.problem.title} {error.problem.detail}".strip()
    if error.problem.action == "auth":
        return AuthNeeded(text)
    if error.problem.action == "upgrade":
        return UpgradeNeeded(text)
    return error
