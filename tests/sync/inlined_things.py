"""What the simulated hub puts behind its answer: a guess at what this shelf will ask for next, within its room."""

from __future__ import annotations

from collections.abc import Iterator

from sync.protocol import envelope
from sync.protocol.feeds import Feed, History, Index, Parts
from sync.protocol.messages import SyncRequest
from sync.protocol.routes import Place, plan
from tests.sync.published_feeds import PublishedFeeds


def things(hub: PublishedFeeds, request: SyncRequest, room: int) -> Iterator[bytes]:
    """Yield inlined things, the index first, of together at most `room` bytes."""
    newest = hub.indexes.get((hub.epoch, hub.version))
    at = request.at if request.head[0] == hub.epoch else 0
    if newest is None or not room or at == hub.version:
        return
    held = dict(request.have)
    for kind, name, data in _wanted(hub, request, newest, at):
        offset = held.get(name[:16], 0) if kind == envelope.OBJECT else 0
        if offset >= len(data):
            continue
        thing = envelope.inline(kind, name, data, offset)
        if len(thing) <= room:
            room -= len(thing)
            yield thing


def _wanted(hub: PublishedFeeds, request: SyncRequest, newest: str, at: int) -> Iterator[tuple[bytes, str, bytes]]:
    base = hub.indexes.get((hub.epoch, at))
    yield _document(hub, newest, base)
    index = Index.from_bytes(hub.documents[newest])
    for feed in request.streams.choose(index.feeds):
        if feed.parts is None or request.streams.takes_whole(feed):
            yield from _feed(hub, feed, at)
            continue
        yield _document(hub, feed.parts.hash, None)
        for part in Parts.from_bytes(hub.documents[feed.parts.hash]).feeds:
            if request.streams.wants(part.name):
                yield from _feed(hub, part, at)


def _feed(hub: PublishedFeeds, feed: Feed, at: int) -> Iterator[tuple[bytes, str, bytes]]:
    place = Place(hub.epoch, max((v for v in hub.feeds[feed.name].versions if v <= at), default=0)) if at else None
    if place is not None and not place.seq:
        place = None
    legs = plan(feed, place, hub.epoch, None)
    if legs is None and feed.history is not None:
        yield _document(hub, feed.history.hash, None)
        legs = plan(feed, place, hub.epoch, History.from_bytes(hub.documents[feed.history.hash]))
    for leg in legs or ():
        if leg.snapshot is not None:
            yield _document(hub, leg.snapshot.document.hash, None)
            return  # its segments come in ranges
        assert leg.run is not None
        for segment in leg.run.segments:
            yield envelope.OBJECT, segment.hash, hub.objects[segment.hash]


def _document(hub: PublishedFeeds, name: str, base: str | None) -> tuple[bytes, str, bytes]:
    whole = hub.frame(name)
    if base is not None:
        patch = bytes.fromhex(base) + hub.frame_patch(name, base)
        if len(patch) < len(whole):
            return envelope.PATCH, name, patch
    return envelope.DOCUMENT, name, whole
