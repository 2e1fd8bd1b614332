"""A range asked for in short pieces, each request leaving while the answer to the one before it arrives.

What a hub has sent when a link drops is lost, paid for, and asked for again. On a slow link that is all that the
buffers on the way hold, often two seconds' worth, unless no more is asked for than the link itself holds. One
request is ahead at any time (pipelining: RFC 9112, 9.3.2), so that the link is never idle in between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from typing import cast

import requests
from requests.structures import CaseInsensitiveDict

from sync.connections import Ahead, shut
from sync.errors import BudgetReached, CutOff, Offline
from sync.read_ahead import ReadAhead
from sync.replies import CONTENT_RANGE, HttpReply

_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})")


class InPieces:
    """As `sync.transport.Reply`: the answers to all pieces as if they were one to the whole range."""

    def __init__(
        self,
        send: Callable[[str], requests.Response],
        wanted: str,
        piece: int,
        went: Callable[[bool], None],
        first_piece: int = 0,
    ) -> None:
        """Ask for the first `piece` bytes of the range `wanted` (`bytes=A-B`); `first_piece`: so many at first.

        `send` makes a request with the given Range; `went` is told whether one that was sent ahead was answered.
        Raises what `send` raises, ValueError.
        """
        found = _RANGE.fullmatch(wanted)
        if found is None:
            raise ValueError(f"{wanted!r} is not a range of bytes with both ends")
        first, last = int(found[1]), int(found[2])
        self._send, self._went = send, went
        short = first + (first_piece or piece)
        self._spans = [
            (first, min(short - 1, last)),
            *((at, min(at + piece - 1, last)) for at in range(short, last + 1, piece)),
        ]
        self._ahead: ReadAhead | None = None
        self._response = send(_range(self._spans[0]))
        self._connection = cast(Ahead | None, self._response.raw.connection)
        self.status: int = self._response.status_code
        self.headers: MutableMapping[str, str] = self._response.headers
        self._whole = not self._answers(self._spans[0])
        if not self._whole:
            total = self.headers["Content-Range"].rpartition("/")[2]
            self.headers = CaseInsensitiveDict(self.headers)
            self.headers["Content-Range"] = f"bytes {first}-{last}/{total}"
            self._send_ahead(0)

    def pieces(self) -> Iterator[bytes]:
        """As `sync.transport.Reply.pieces`."""
        self._ahead = ReadAhead(self._read())
        return self._ahead

    def close(self) -> None:
        """Give the connection back, or end it where an answer is still to come."""
        if self._ahead is not None:
            self._ahead.stop(self._shut)
        self._response.close()
        if self._connection is not None and self._connection.waits_ahead:
            self._connection.close()

    def _read(self) -> Iterator[bytes]:
        if self._whole:  # something else than the piece: whoever asked for it will see what it is
            yield from _body(self._response)
            return
        yield from _body(self._response)
        number = 1
        while number < len(self._spans):
            self._next(number)
            self._send_ahead(number)
            yield from _body(self._response)
            number += 1

    def _next(self, number: int) -> None:
        ahead = self._connection is not None and self._connection.waits_ahead
        span = self._spans[number]
        try:
            self._response = self._send(_range(span))
        except Offline:
            if ahead:
                self._went(False)
            raise
        same = self._response.raw.connection is self._connection
        self._connection = cast(Ahead | None, self._response.raw.connection)
        if ahead:
            # On another connection it was answered only because it was asked for once more.
            self._went(same)
        if not self._answers(span):
            raise CutOff("The hub stopped giving what was asked for.")

    def _send_ahead(self, number: int) -> None:
        """Ask for the piece behind the given one, the answer to which has just begun."""
        connection = self._connection
        if number + 1 >= len(self._spans):
            return
        here, there = (_range(span).encode() for span in self._spans[number : number + 2])
        sent = b"" if connection is None or connection.sock is None else connection.last_request
        if connection is None or sent.count(here) != 1:
            # The connection ends with this answer: with a new one for each piece, the link would mostly wait.
            self._spans[number + 1 :] = [(self._spans[number + 1][0], self._spans[-1][1])]
            return
        # What is on its way to us may still arrive after a send that failed; that nothing follows is found then.
        with suppress(OSError, BudgetReached):
            connection.send_ahead(sent.replace(here, there))

    def _answers(self, span: tuple[int, int]) -> bool:
        found = CONTENT_RANGE.fullmatch(self._response.headers.get("Content-Range", "").strip())
        status, length = self._response.status_code, self._response.headers.get("Content-Length")
        return (
            status == 206
            and found is not None
            and (int(found[1]), int(found[2])) == span
            and length == str(span[1] - span[0] + 1)
        )

    def _shut(self) -> None:
        sock = None if self._connection is None else self._connection.sock
        if sock is not None:
            shut(sock)


def _body(response: requests.Response) -> Iterator[bytes]:
    return HttpReply(response).read(response.headers.get("Content-Length", "0").strip())


def _range(span: tuple[int, int]) -> str:
    return f"bytes={span[0]}-{span[1]}"
