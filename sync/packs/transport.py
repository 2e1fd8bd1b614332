"""A pack as a link: it answers the requests that a hub's public plane does, from a stick instead of a network.

So planning, verification, applying and going on after a cut are those of any sync. Nothing secret goes this way,
and what is not a request for something public is answered as a hub answers an address that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from sync.errors import Offline
from sync.protocol import packs
from sync.protocol.packs import NotInPack, PackUnreadable, Volume
from sync.protocol.paths import DOCUMENTS, HEAD, OBJECTS, ROOT
from sync.protocol.problems import MEDIA_TYPE, Problem
from sync.protocol.wire_json import is_digest
from sync.traffic import Traffic
from sync.transport import Reply, Request

NOT_IN_PACK = "not-in-pack"
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
_PIECE = 16 * 1024


class PackGone(Offline):
    """The stick was pulled out, or cannot be read any more. What came is kept."""

    code = "pack-unreadable"
    advice = PackUnreadable.advice


class PackTransport:
    """A pack, as `sync.transport.Transport`. What it reads is no traffic: nobody pays for it."""

    def __init__(self, volume: Volume) -> None:
        self.traffic = Traffic()
        self._volume = volume
        self._stopped = False

    @contextmanager
    def open(self, request: Request) -> Iterator[Reply]:
        """As `Transport.open`; raises PackGone."""
        if self._stopped:
            raise PackGone("Reading the pack was stopped.")
        names = _names(request) if request.method == "GET" else ()
        found = self._find(names)
        if found is None:
            yield missing_answer()
            return
        file, size = found
        with file:
            yield answer_from(request, file, size)

    def _find(self, names: Iterable[str]) -> tuple[BinaryIO, int] | None:
        try:
            for name in names:
                if (size := self._volume.size(name)) is not None:
                    return self._volume.open(name), size
        except NotInPack:
            return None
        except PackUnreadable as error:
            raise PackGone(str(error)) from None
        return None

    def interrupt(self) -> None:
        """Answer nothing more; what is being read ends with its piece."""
        self._stopped = True

    def close(self) -> None:
        """The volume belongs to who opened it."""


class _Answer:
    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        file: BinaryIO | None,
        start: int,
        length: int,
        body: bytes = b"",
    ) -> None:
        self.status = status
        self.headers = {"Content-Length": str(length if file is not None else len(body)), **headers}
        self._file, self._start, self._length, self._body = file, start, length, body

    def pieces(self) -> Iterator[bytes]:
        if self._file is None:
            yield self._body
            return
        try:
            self._file.seek(self._start)
            left = self._length
            while left:
                piece = self._file.read(min(_PIECE, left))
                if not piece:
                    raise PackGone("A file of the pack is shorter than it was.")
                left -= len(piece)
                yield piece
        except (OSError, EOFError, ValueError) as error:
            raise PackGone(f"The pack cannot be read any more ({error}).") from None


def answer_from(request: Request, file: BinaryIO, size: int) -> Reply:
    """Return the answer to a request for a thing of `size` bytes, or for a range of it."""
    wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
    if wanted is None:
        return _Answer(200, {}, file, 0, size)
    start = int(wanted[1])
    end = min(size, int(wanted[2]) + 1) if wanted[2] else size
    if start >= end:
        return _Answer(416, {"Content-Range": f"bytes */{size}"}, None, 0, 0)
    return _Answer(206, {"Content-Range": f"bytes {start}-{end - 1}/{size}"}, file, start, end - start)


def _names(request: Request) -> tuple[str, ...]:
    """What a request's path is called in a pack; nothing for what is none of the public plane's."""
    path = request.path
    if path == HEAD:
        return (packs.HEAD,)
    name = path.rpartition("/")[2]
    if path == ROOT + name and name.isascii() and name.isdigit() and len(name) < 10:
        return (packs.root_name(int(name)),)
    if path == DOCUMENTS + name and is_digest(name):
        return (packs.document_name(name),)
    if path == OBJECTS + name and is_digest(name):
        return packs.object_name(name), packs.sealed_name(name)
    return ()


def missing_answer() -> Reply:
    """Return the answer where what is asked for is not there."""
    said = Problem(NOT_IN_PACK, "This pack does not have everything that is kept here.", "wait", 404).to_bytes()
    return _Answer(404, {"Content-Type": MEDIA_TYPE}, None, 0, 0, said)
