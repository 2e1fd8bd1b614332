"""What rides along with an answer of the personal plane: things that the shelf would ask for next.

As long as they fit the caller's room, in the order in which a reader needs them: the index, then feed by feed
the documents and the segments on the way to the newest state. Everything is named by its hash and is served on
the public plane too, so that what does not fit, or is cut off, is fetched there. docs/protocol.md, "Inlining".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from hub.planes.heads import HeadInForce
from hub.publishing import served
from sync.protocol import documents, envelope, limits
from sync.protocol.errors import ProtocolError
from sync.protocol.feeds import Feed, History, Index, Parts, Run, Snapshot, SnapshotRef
from sync.protocol.messages import SyncRequest
from sync.protocol.routes import Place, plan
from sync.protocol.sealed import PREFIX, for_members
from sync.protocol.subscriptions import Subscription, tier

MOST = 4 * 1024 * 1024
"""Bytes that one answer carries at most, whatever the caller would take: they are held in memory."""
SMALL = 16 * 1024
"""A snapshot of at most this many bytes is sent to a new reader; larger ones are fetched in ranges, and with them
those that lie behind them in the same object: a range goes on over all of them."""
_FRAME = 64
"""Bytes that name a thing and say how long it is, at most."""

_Document = TypeVar("_Document", Index, Parts, History, Snapshot)
_log = logging.getLogger(__name__)


class _Full(Exception):
    """The next thing does not fit: what comes after it would be of no use before it."""


def things(home: Path, request: SyncRequest, head: HeadInForce) -> list[bytes]:
    """Return what goes behind the answer to `request`, each thing framed; no more than the room that it offers.

    A thing that the caller has whole (`have`) is left out, one that it has in part is continued. Nothing is
    read from the disk that is not sent, but for the documents that say what is next.
    """
    basket = _Basket(min(request.room, MOST), request.have)
    epoch, version = head.order
    known = request.head[1] if request.head[0] == epoch else 0
    at = request.at if request.head[0] == epoch else 0
    if basket.room <= _FRAME or at >= version:
        return []
    try:
        if known < version:
            _put_index(home, basket, head.index, known)
        feeds = [feed for feed in _load(home, head.index, Index).feeds if not for_members(feed.name)]
        if head.members:
            feeds += _members_feeds(home, basket, request, head)
        subscription = request.streams
        for feed in subscription.choose(feeds):
            # Shelves from before there were vocabularies keep none, and their requests do not tell them apart:
            # whoever keeps them asks for them, some times a year.
            if tier(feed.name) == "vocabularies":
                continue
            # Whoever had no key until now has nothing for members yet.
            since = 0 if for_members(feed.name) and not request.keys else at
            for part in _kept(home, basket, subscription, feed):
                _put_feed(home, basket, part, since, epoch)
        for name, run in basket.onward:
            _put_run(home, basket, run, name)
    except _Full:
        pass
    except (OSError, ProtocolError) as error:
        # The answer itself is whole; what could not be sent along is fetched on the public plane.
        _log.warning("not everything could be sent along: %s", error)
    return basket.things


class _Basket:
    """Framed things, and the room that is left for more (bytes)."""

    def __init__(self, room: int, have: Sequence[tuple[str, int]]) -> None:
        self.room = room
        self.things: list[bytes] = []
        self.in_ranges: set[str] = set()
        """Objects that are left to be fetched in ranges, by hash."""
        self.onward: list[tuple[str, Run]] = []
        """Feeds and runs that are wanted behind a snapshot which was left out: last, if there is room."""
        self._have: Mapping[str, int] = dict(have)

    def put(self, kind: bytes, digest: str, size: int, read: Callable[[int], bytes]) -> None:
        """Add the thing named `digest` of `size` bytes; `read` gives its bytes from an offset to its end.

        Raises _Full.
        """
        offset = self._have.get(digest[:16], 0)
        if offset >= size and digest[:16] in self._have:
            return
        if size - offset + _FRAME > self.room:
            raise _Full
        # What lies before the offset is not sent, so it is not read either.
        thing = envelope.inline(kind, digest, bytes(offset) + read(offset), offset)
        self.room -= len(thing)
        self.things.append(thing)


def _members_feeds(home: Path, basket: _Basket, request: SyncRequest, head: HeadInForce) -> Sequence[Feed]:
    """Add the members' sealed index where the caller cannot have it, and return its feeds."""
    index = _load(home, head.members, Index, PREFIX)
    known = request.head[1] if request.head[0] == index.epoch else 0
    if known < index.version or not request.keys:
        _put_document(home, basket, head.members, PREFIX)
    return [feed for feed in index.feeds if for_members(feed.name)]


def _kept(home: Path, basket: _Basket, subscription: Subscription, feed: Feed) -> Sequence[Feed]:
    """What a reader follows: the feed, or those of its parts that are kept."""
    if subscription.takes_whole(feed) or feed.parts is None:
        return [feed]
    _put_document(home, basket, feed.parts.hash, feed.name)
    return subscription.choose(_load(home, feed.parts.hash, Parts, feed.name).feeds)


def _put_feed(home: Path, basket: _Basket, feed: Feed, at: int, epoch: int) -> None:
    if at >= feed.last:
        return
    place = Place(epoch, at) if at else None
    legs = plan(feed, place, epoch, None)
    if legs is None and feed.history is not None:
        _put_document(home, basket, feed.history.hash, feed.name)
        legs = plan(feed, place, epoch, _load(home, feed.history.hash, History, feed.name))
    left_out = False
    for leg in legs or ():
        if leg.snapshot is not None:
            left_out = not _put_snapshot(home, basket, leg.snapshot, feed.name, new=place is None)
        elif leg.run is not None and left_out:
            basket.onward.append((feed.name, leg.run))
        elif leg.run is not None:
            _put_run(home, basket, leg.run, feed.name)


def _put_run(home: Path, basket: _Basket, run: Run, feed: str) -> None:
    for segment in run.segments:
        path = served.path_of(home, served.object_kind(feed), segment.hash)
        basket.put(envelope.OBJECT, segment.hash, segment.size, _reader(path, 0, segment.size))


def _put_snapshot(home: Path, basket: _Basket, snapshot: SnapshotRef, feed: str, *, new: bool) -> bool:
    """Add a snapshot; False where its segments are left for the public plane."""
    _put_document(home, basket, snapshot.document.hash, feed)
    listed = _load(home, snapshot.document.hash, Snapshot, feed)
    if new and (snapshot.size > SMALL or listed.bulk.hash in basket.in_ranges):
        basket.in_ranges.add(listed.bulk.hash)
        return False
    path = served.path_of(home, served.object_kind(feed), listed.bulk.hash)
    for segment, place in zip(listed.segments, listed.offsets(), strict=True):
        basket.put(envelope.OBJECT, segment.hash, segment.size, _reader(path, place, segment.size))
    return True


def _put_index(home: Path, basket: _Basket, digest: str, known: int) -> None:
    """Add the index: as a patch against the one that the caller has, where that is smaller.

    A patch is never continued: whoever was cut off in one asks again.
    """
    base = served.index_of(known) if known else None
    patch = _patch(home, digest, base) if base is not None else None
    if patch is None:
        frame = served.document_path(home, digest)
        basket.put(envelope.DOCUMENT, digest, frame.stat().st_size, _reader(frame, 0, frame.stat().st_size))
    elif len(patch) + _FRAME > basket.room:
        raise _Full
    else:
        thing = envelope.inline(envelope.PATCH, digest, patch)
        basket.room -= len(thing)
        basket.things.append(thing)


@lru_cache(maxsize=64)
def _patch(home: Path, digest: str, base: str) -> bytes | None:
    """The hash of the base and the patch; None where the document itself is as small, or the base is gone."""
    old = served.document(home, base)
    if old is None:
        return None
    patch = bytes.fromhex(base) + documents.patch(_raw(home, digest), old)
    return patch if len(patch) < served.document_path(home, digest).stat().st_size else None


def _put_document(home: Path, basket: _Basket, digest: str, feed: str) -> None:
    path = served.path_of(home, served.document_kind(feed), digest)
    size = path.stat().st_size
    # A sealed document is named by its bytes, so it travels as an object.
    kind = envelope.OBJECT if for_members(feed) else envelope.DOCUMENT
    if size > limits.SEGMENT and kind == envelope.OBJECT:
        raise _Full
    basket.put(kind, digest, size, _reader(path, 0, size))


@lru_cache(maxsize=64)
def _load(home: Path, digest: str, kind: type[_Document], feed: str = "") -> _Document:
    return kind.from_bytes(_raw(home, digest, feed))


def _raw(home: Path, digest: str, feed: str = "") -> bytes:
    raw = served.document(home, digest, feed)
    if raw is None:
        raise FileNotFoundError(f"the document {digest[:12]}… is missing")
    return raw


def _reader(path: Path, start: int, size: int) -> Callable[[int], bytes]:
    """Read `size` bytes of a file from `start`, from an offset within them to their end."""

    def read(offset: int) -> bytes:
        with path.open("rb") as handle:
            handle.seek(start + offset)
            data = handle.read(size - offset)
        if len(data) != size - offset:
            raise OSError(f"{path.name[:12]}… is shorter than it was published")
        return data

    return read
