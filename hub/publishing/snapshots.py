"""Snapshots: everything in a feed, for new readers, in frames of about 4 MB that compress best.

All snapshots of one publication lie one after another in one object, so that a new reader of everything reads one
long range. It is written as it is coded; a few frames are in memory at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from hub.models import FeedState
from hub.publishing import member_keys, naming, served
from hub.publishing.coding import Coded, Coders
from hub.publishing.ordering import by_id, live, reading
from sync.protocol.feeds import SegmentRef, Snapshot
from sync.protocol.sealed import for_members, key_id
from sync.protocol.segments import stream_line

_FRAME = 4 * 1024 * 1024 - 4096
"""Raw bytes of a frame; a little below what `segments.split` would cut at."""
_KEPT = 2
_FEW_CHANGES = 64
"""Half of the one-step runs that are kept: both snapshots can then be left by runs."""
_PART = 4
"""A snapshot is made anew when the runs since then come to more than one in so many of its bytes."""
_FLOOR = 4096
"""Bytes: below, no new snapshot is worth its own request."""
_SMALL = 100_000


def due(state: FeedState) -> bool:
    """Return whether new readers would pay too much for what came since the newest snapshot."""
    newest = state.snapshots[0]
    if state.changes - newest["n"] >= _FEW_CHANGES:
        return True
    return bool(state.since > max(_FLOOR, newest["size"] // _PART))


def small(state: FeedState) -> bool:
    """Return whether the snapshot of a feed is made in no time."""
    return bool(state.snapshots[0]["size"] <= _SMALL)


def build(home: Path, coders: Coders, feeds: list[FeedState], streams: dict[str, list[str]]) -> None:
    """Make a snapshot of each of `feeds` at its newest change and list it.

    `streams` names, by feed, the streams that have records; feeds without any are left as they are.
    """
    wanted = sorted((feed for feed in feeds if streams.get(feed.name)), key=lambda feed: naming.order(feed.name))
    for members in (False, True):
        if group := [feed for feed in wanted if for_members(feed.name) is members]:
            _build(home, coders, group, streams, key=key_id(member_keys.key(home)) if members else "")


def _build(home: Path, coders: Coders, wanted: list[FeedState], streams: dict[str, list[str]], key: str) -> None:
    """Make the snapshots of feeds that are all for everybody or all for members; `key`: the id of what seals."""
    segments: dict[str, list[SegmentRef]] = {feed.name: [] for feed in wanted}
    with served.bulk(home, wanted[0].name) as (writer, names), reading():
        waiting: deque[tuple[str, Coded]] = deque()
        for feed in wanted:
            for frame in _frames(streams[feed.name]):
                waiting.append((feed.name, coders.submit(frame)))
                if len(waiting) > coders.width:
                    _write(writer, segments, *waiting.popleft())
        while waiting:
            _write(writer, segments, *waiting.popleft())
    bulk = names[0]
    offset = 0
    for feed in wanted:
        listed = tuple(segments[feed.name])
        size = sum(segment.size for segment in listed)
        document = Snapshot(feed.name, feed.last, bulk, offset, listed)
        ref = served.put_document(home, document.to_bytes(), feed.name)
        newest = {
            "at": feed.last,
            "n": feed.changes,
            "document": [ref.hash, ref.size],
            "size": size,
            "bulk": [bulk.hash, bulk.size],
            "offset": offset,
            "key": key,
        }
        older = [one for one in feed.snapshots if one["at"] != feed.last and one.get("key", "") == key]
        feed.snapshots = [newest, *older][:_KEPT]
        feed.since = 0
        offset += size


def _write(writer: served.Bulk, found: dict[str, list[SegmentRef]], feed: str, coded: Coded) -> None:
    for segment in coded.result():
        found[feed].append(writer.add(segment.data))


def _frames(streams: list[str]) -> Iterator[list[bytes]]:
    """Yield the records of streams as lines, by stream and id, in frames that each begin with their stream."""
    frame: list[bytes] = []
    size = 0
    for stream in sorted(streams):
        name = stream_line(stream)
        here = False
        for body in by_id(live(stream)).values_list("body", flat=True).iterator(200):
            line = bytes(body)
            if frame and size + len(name) + len(line) + 2 > _FRAME:
                yield frame
                frame, size, here = [], 0, False
            if not here:
                frame.append(name)
                size, here = size + len(name) + 1, True
            frame.append(line)
            size += len(line) + 1
    if frame:
        yield frame
