"""Neighbours as a link: it answers the requests of the public plane with what they have, verified by its name.

To the engine it is a living pack (`sync.packs`): nobody can be told anything, and what nobody has is not there. A
neighbour that lies, stalls or vanishes is left alone for a while, and the next one is asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

from sync.errors import SyncError
from sync.packs.transport import PackGone, answer_from, missing_answer
from sync.protocol import VERSION, documents, limits
from sync.protocol.errors import ProtocolError
from sync.protocol.head import root_version, verify_head
from sync.protocol.neighbours import OBJECT_MOST, STATE, STATE_MOST, State, private_base
from sync.protocol.paths import DOCUMENTS, HEAD, OBJECTS, ROOT
from sync.protocol.trust import Root
from sync.protocol.wire_json import is_digest, sha256
from sync.traffic import Traffic
from sync.transport import HttpTransport, Reply, Request

_CONNECT_S, _READ_S = 2.0, 8.0
_WHOLE_S = 30.0
"""Seconds for one thing from one neighbour, however slowly it drips."""
_ASIDE_S = (60.0, 300.0, 1800.0)
"""Seconds for which one that failed, once or several times, is left alone."""


class Standing:
    """Who is left alone, and until when. Used by several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._lock = threading.Lock()

    def good(self, address: str) -> bool:
        """Whether it may be asked now."""
        with self._lock:
            return self._until.get(address, 0.0) <= self._clock()

    def failed(self, address: str) -> None:
        """It lied, stalled or vanished."""
        with self._lock:
            count = self._failures[address] = self._failures.get(address, 0) + 1
            self._until[address] = self._clock() + _ASIDE_S[min(count, len(_ASIDE_S)) - 1]
            if len(self._until) > 1000:  # addresses come and go
                self._until.pop(next(iter(self._until)))
                self._failures.pop(next(iter(self._failures)))

    def helped(self, address: str) -> None:
        """It gave something that was right."""
        with self._lock:
            self._failures.pop(address, None)


class Neighbours:
    """Several neighbours, as one `sync.transport.Transport` for one thread (`interrupt` from any)."""

    def __init__(
        self,
        addresses: Sequence[str],
        standing: Standing,
        *,
        took: Callable[[str, int], None] = lambda _address, _count: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`addresses`: those that are none of a private network are left out. `took` is told (address, bytes)."""
        self.traffic = Traffic()
        """Stays empty: what comes from neighbours is paid by nobody. `moved` has what it was."""
        self.moved = Traffic()
        self._addresses = [base for one in addresses if (base := private_base(one)) is not None]
        self._standing = standing
        self._took = took
        self._clock = clock
        self._links: dict[str, HttpTransport] = {}
        self._heads: dict[str, bytes] = {}
        self._stopped = False
        self.taken = 0
        """Bytes of things that were right."""
        self.root: Root | None = None
        self.floor = (0, 0)
        """Heads below are not looked at."""

    def states(self, root: str) -> dict[str, State]:
        """Ask each how it stands; those of another hub, and this shelf itself, are left out by who calls."""
        found = {}
        for address in self._good():
            data = self._fetch(address, STATE, STATE_MOST)
            if data is None:
                continue
            try:
                state = State.from_bytes(data)
            except ProtocolError:
                self._standing.failed(address)
                continue
            if state.root == root:
                found[address] = state
        return found

    def head(self, order: Sequence[str]) -> bytes | None:
        """Return the first head of these neighbours that the pinned root signs and that is not below the floor."""
        assert self.root is not None
        for address in order:
            document = self._fetch(address, HEAD, limits.HEAD)
            if document is None:
                continue
            try:
                if root_version(document) <= self.root.version:
                    verify_head(document, self.root, self.floor, VERSION)
            except ProtocolError as error:
                if error.code != "rolled-back":
                    self._standing.failed(address)
                continue
            return document
        return None

    @contextmanager
    def open(self, request: Request) -> Iterator[Reply]:
        """As `Transport.open`, of what one of them has; raises PackGone once it was interrupted."""
        body = None
        if self._stopped:
            raise PackGone("Asking the neighbours was stopped.")
        if request.method == "GET":
            body = self._found(request.path)
        if body is None:
            yield missing_answer()
        else:
            yield answer_from(request, BytesIO(body), len(body))

    def interrupt(self) -> None:
        self._stopped = True
        for link in list(self._links.values()):
            link.interrupt()

    def close(self) -> None:
        for link in self._links.values():
            link.close()
        self._links.clear()

    def _found(self, path: str) -> bytes | None:
        if path == HEAD:
            return self._heads.get(HEAD)
        folder, _slash, name = path.rpartition("/")
        kind = f"{folder}/"
        wanted = kind == ROOT or (kind in (DOCUMENTS, OBJECTS) and is_digest(name))
        if not wanted:
            return None
        for address in self._good():
            data = self._fetch(address, path, limits.ROOT if kind == ROOT else OBJECT_MOST)
            if data is None:
                continue
            if kind == ROOT or _is(kind, name, data):
                self._standing.helped(address)
                self.taken += len(data)
                self._took(address, len(data))
                return data
            self._standing.failed(address)
        return None

    def offer(self, head: bytes) -> None:
        """The head that is answered from now on."""
        self._heads[HEAD] = head

    def _good(self) -> list[str]:
        return [] if self._stopped else [one for one in self._addresses if self._standing.good(one)]

    def _fetch(self, address: str, path: str, most: int) -> bytes | None:
        """Return what a neighbour answers, None where it has it not; one that fails is left alone."""
        if self._stopped:
            return None
        try:
            link = self._links.get(address) or HttpTransport(
                address,
                connect_seconds=_CONNECT_S,
                read_seconds=_READ_S,
                traffic=self.moved,
                public_only=True,
                direct=True,
            )
            self._links[address] = link
            with link.open(Request("GET", path)) as reply:
                if reply.status == 404:
                    return None
                if reply.status == 200:
                    return self._read(reply, most)
        except (SyncError, _TooMuch):
            pass
        if not self._stopped:
            self._standing.failed(address)
        if (broken := self._links.pop(address, None)) is not None:
            broken.close()
        return None

    def _read(self, reply: Reply, most: int) -> bytes:
        began, data = self._clock(), bytearray()
        for piece in reply.pieces():
            data += piece
            if len(data) > most or self._clock() - began > _WHOLE_S:
                raise _TooMuch
        return bytes(data)


class _TooMuch(Exception):
    """More bytes, or more time, than anything here needs."""


def _is(kind: str, name: str, data: bytes) -> bool:
    """Whether these are the bytes that the name promises: a document is named by what is packed in it."""
    if kind == OBJECTS:
        return sha256(data) == name
    try:
        return sha256(documents.read_bounded_frame(data, limits.DOCUMENT)) == name
    except ProtocolError:
        return False
