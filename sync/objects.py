"""Fetching immutable objects in ranges: resumed at the byte after a cut, never read past what was asked for.

Segments of a snapshot lie one after another in one object, so an open answer is read on from segment to
segment: while one is being applied, the link goes on carrying the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from resources_cache.files import FileStore, Partial
from sync.answers import require
from sync.cancel import Cancel
from sync.clock import SYSTEM, Clock
from sync.errors import BudgetReached, CaptivePortal, CutOff, Offline
from sync.pace import Pace
from sync.protocol.feeds import SegmentRef
from sync.protocol.head import ObjectRef
from sync.protocol.paths import object_path
from sync.read_ahead import ReadAhead
from sync.replies import CONTENT_RANGE
from sync.traffic import REPLY_RESERVE
from sync.transport import Reply, Request, Transport

WORTHWHILE = 1024
"""A cut attempt that brought as many bytes is repeated at once; one that brought fewer ends the sync."""
_SKIPPED = 2 * 1024 * 1024
"""Where ranges are not known, as many bytes may come again for nothing; more would be a poor bargain."""
_PASSED = 16 * 1024
"""As many bytes of an open answer may be let go to reach what is wanted: a new request costs a slow link more."""
_MARGIN = 64 * 1024
"""Bytes by which segments that follow one another may differ."""

Arrived = Callable[[int], None]
"""Called with the number of bytes that just arrived."""


def fetch_object(
    transport: Transport,
    store: FileStore,
    ref: ObjectRef,
    cancel: Cancel | None = None,
    arrived: Arrived | None = None,
) -> Partial:
    """Bring all bytes of an object into `store`'s partial and return it, closed and not verified yet.

    Raises as `Ranges.bring`.
    """
    whole = SegmentRef(ref.hash, ref.size)
    with Ranges(transport, store, Pace(), cancel) as ranges:
        ranges.bring(whole, whole, 0, 0, arrived)
    with store.partial(ref.hash, ref.size) as partial:
        return partial


class Ranges:
    """Reads ranges of objects into a store's partials, one open answer at a time. Close it in the end."""

    def __init__(
        self,
        transport: Transport,
        store: FileStore,
        pace: Pace,
        cancel: Cancel | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self._transport = transport
        self._store = store
        self._pace = pace
        self._cancel = cancel
        self._clock = clock
        self._open: _Open | None = None

    def __enter__(self) -> Ranges:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, why: Offline | None = None) -> None:
        """Give up the open answer, if any, telling the transport `why`; closing twice does nothing.

        Raises MirrorFailed where it was a mirror's and broke off.
        """
        answer, self._open = self._open, None
        if answer is not None:
            answer.close(why)

    def bring(
        self, segment: SegmentRef, source: SegmentRef, offset: int, ahead: int, arrived: Arrived | None = None
    ) -> None:
        """Bring the bytes of `segment`, which begin at `offset` of the object `source`, into its partial.

        `ahead` bytes behind it will be wanted next. Goes on where an earlier attempt stopped, and at once after
        a cut that came WORTHWHILE bytes or more into an attempt. Raises Offline (MirrorFailed: ask again at
        once), CaptivePortal, HubProblem, NotTrusted, BudgetReached, Cancelled, CacheError; what arrived stays.
        """
        with self._store.partial(segment.hash, segment.size) as partial:
            while partial.offset < segment.size:
                before, began = partial.offset, self._clock.now()
                try:
                    self._attempt(partial, source, offset, ahead, arrived)
                except Offline as error:
                    self.close(error)
                    self._pace.lost(self._clock.now() - began)
                    if self._cancel is not None:
                        self._cancel.check()
                    if partial.offset - before < WORTHWHILE:
                        raise
                except BaseException:
                    self.close()
                    raise

    def bring_what_came(self, segment: SegmentRef, source: SegmentRef, offset: int, arrived: Arrived) -> bytes:
        """Move what has arrived of `segment` already into its partial, without waiting; arguments as in `bring`.

        Returns all of its bytes if they are here (not verified), else nothing. Raises CacheError.
        """
        if self._store.partial_size(segment.hash) == 0 and self._open is None:
            return b""
        with self._store.partial(segment.hash, segment.size) as partial:
            answer = self._open
            if answer is not None and (answer.hash, answer.place) == (source.hash, offset + partial.offset):
                answer.expect(segment.size)
                while piece := answer.read_if_here(partial.size - partial.offset):
                    partial.write(piece)
                    arrived(len(piece))
                self._end_of(answer)
            return partial.path.read_bytes() if partial.offset == segment.size else b""

    def _attempt(
        self, partial: Partial, source: SegmentRef, offset: int, ahead: int, arrived: Arrived | None
    ) -> None:
        place = offset + partial.offset
        answer = self._open
        if answer is None or not answer.leads_to(source.hash, place):
            self.close()
            answer = self._ask(source, place, offset + partial.size + ahead)
        answer.pass_over(place - answer.place)
        while partial.offset < partial.size and answer.place < answer.end:
            if self._cancel is not None:
                self._cancel.check()
            piece = answer.read(partial.size - partial.offset)
            self._pace.heard(self._clock.now())
            partial.write(piece)
            if arrived is not None:
                arrived(len(piece))
        self._end_of(answer)

    def _end_of(self, answer: _Open) -> None:
        if answer.place >= answer.end:
            self._pace.went(answer.end - answer.start, self._clock.now() - answer.since)
            self.close()

    def _ask(self, source: SegmentRef, place: int, wanted: int) -> _Open:
        if self._cancel is not None:
            self._cancel.check()
        since = self._clock.now()
        portion = self._pace.portion(since)
        end = min(wanted, source.size, place + portion.size)
        end = self._within_budget(source, place, end)
        # In pieces only where their headers cannot use up what may still be moved.
        left = self._transport.traffic.left
        longest = max(portion.piece, portion.first)
        piece = portion.piece if longest < end - place and (left is None or left > 2 * (end - place)) else 0
        headers = {} if (place, end) == (0, source.size) and not piece else {"Range": f"bytes={place}-{end - 1}"}
        request = Request("GET", object_path(source.hash), headers, piece=piece, first_piece=portion.first)
        context = self._transport.open(request)
        reply = context.__enter__()
        self._pace.waited(self._clock.now() - since)
        self._open = _Open(source.hash, place, place, end, since, context, reply.pieces())
        try:
            require(reply, 200, 206)
            self._open.skip(_behind(reply, source, place, end))
        except BaseException:
            self.close()
            raise
        return self._open

    def _within_budget(self, source: SegmentRef, place: int, end: int) -> int:
        """Return up to where to ask: with a budget, no further than what fits into it beside the headers."""
        left = self._transport.traffic.left
        if left is None:
            return end
        overhead = Request("GET", object_path(source.hash), {"Range": f"bytes={end}-{end}"}).size
        room = left - overhead - REPLY_RESERVE
        if room < min(WORTHWHILE, end - place):
            raise BudgetReached(f"{source.size - place:,} bytes are missing, more than may still be moved.")
        return min(end, place + room)


@dataclass
class _Open:
    """An answer that is being read: bytes `start` to `end` of an object, `place` the next one."""

    hash: str
    start: int
    place: int
    end: int
    since: float
    context: AbstractContextManager[Reply]
    pieces: Iterator[bytes]
    left: bytes = b""

    def read(self, most: int) -> bytes:
        """Return the next bytes, at least one and at most `most`; raises CutOff where the answer ends early."""
        if not self.left:
            self.left = next(self.pieces, b"")
            if not self.left:
                raise CutOff(f"The answer ended after {self.place - self.start:,} bytes.")
        return self._cut(most)

    def expect(self, size: int) -> None:
        """Let as much arrive ahead as the next segment has, which will be about as long as this one (bytes)."""
        if isinstance(self.pieces, ReadAhead):
            self.pieces.hold(size + _MARGIN)

    def read_if_here(self, most: int) -> bytes:
        """Return the next bytes that are here already, none where there are none."""
        if not self.left and isinstance(self.pieces, ReadAhead) and self.place < self.end:
            self.left = self.pieces.next_if_here()
        return self._cut(most)

    def _cut(self, most: int) -> bytes:
        count = min(most, self.end - self.place)
        piece, self.left = self.left[:count], self.left[count:]
        self.place += len(piece)
        return piece

    def leads_to(self, hash_: str, place: int) -> bool:
        """Whether byte `place` of an object comes next, or so soon that it is not worth a request of its own."""
        return self.hash == hash_ and 0 <= place - self.place <= _PASSED and place < self.end

    def pass_over(self, count: int) -> None:
        """Let the next `count` bytes go, which are here already."""
        self.skip(count)
        self.place += count

    def skip(self, count: int) -> None:
        while count > 0:
            piece = self.left or next(self.pieces, b"")
            if not piece:
                raise CutOff("The answer ended before what was asked for.")
            self.left = piece[count:]
            count -= min(count, len(piece))

    def close(self, why: Offline | None = None) -> None:
        if why is None:
            self.context.__exit__(None, None, None)
        else:
            self.context.__exit__(type(why), why, why.__traceback__)


def _behind(reply: Reply, source: SegmentRef, place: int, end: int) -> int:
    """Return how many bytes at the start of the body lie before `place`. Raises CaptivePortal."""
    if reply.status == 200:
        if place > _SKIPPED:
            raise CaptivePortal("Something between here and the hub does not pass on ranges of bytes.")
        return place  # ranges are not known there, so all of it comes again
    found = CONTENT_RANGE.fullmatch(reply.headers.get("Content-Range", "").strip())
    if (
        found is None
        or (int(found[1]), int(found[2])) != (place, end - 1)
        or found[3] not in ("*", str(source.size))
    ):
        raise CaptivePortal("Other bytes than those asked for were offered: no hub answers like that.")
    return 0
