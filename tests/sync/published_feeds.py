"""What a hub publishes on wire version 2, in dictionaries: feeds, runs, snapshots, documents.

The public side of `HubSimulator`, made after docs/protocol.md and not after the hub's own publisher: every run of
one step is patched and primed, merged runs stand beside them, snapshots lie one after another in one object.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from typing import Any

from sync.protocol import documents, limits, patches
from sync.protocol.feeds import (
    Feed,
    History,
    Index,
    Parts,
    Run,
    SegmentRef,
    Snapshot,
    SnapshotRef,
    StreamSize,
)
from sync.protocol.head import ObjectRef
from sync.protocol.paths import object_path
from sync.protocol.segments import Change, Segment, change_line, encode, stream_line
from sync.protocol.wire_json import sha256

RECENT = 4
"""Runs of one step that an index lists by itself."""
_ORDER = ("cards", "vocab", "people", "talk", "vocabularies", "texts")


@dataclass
class Stream:
    """The live records of one stream, as lines by id."""

    records: dict[str, bytes] = field(default_factory=dict)


@dataclass
class FeedState:
    """One feed: its change versions, what each changed, and what is served of it."""

    name: str
    versions: list[int] = field(default_factory=list)
    steps: dict[int, list[Change]] = field(default_factory=dict)
    runs: dict[tuple[int, int], Run] = field(default_factory=dict)
    fine: int = 0
    snapshots: list[SnapshotRef] = field(default_factory=list)
    since_snapshot: int = 0
    sizes: dict[str, int] = field(default_factory=dict)


class PublishedFeeds:
    """The content of a hub and everything that its public plane serves of it but the head."""

    def __init__(self) -> None:
        self.epoch = 1
        self.version = 0
        self.streams: dict[str, Stream] = {}
        self.feeds: dict[str, FeedState] = {}
        self.objects: dict[str, bytes] = {}
        self.bulks: dict[str, list[SegmentRef]] = {}
        """The segments of each object that holds snapshots, in their order."""
        self.documents: dict[str, bytes] = {}
        """Raw JSON by hash; what is served is packed."""
        self.indexes: dict[tuple[int, int], str] = {}
        """(epoch, version) → hash of the index."""
        self.snapshot_every = 4
        """Changes of a feed after which a new snapshot is made."""
        self.kept_changes = 16
        """Changes of a feed of which the runs of one step are still served; merged ones longer in proportion."""
        self.lists_empty_streams = False
        """Whether a stream of texts without records is still named in its feed."""
        self.primes = True
        self._packed: dict[str, bytes] = {}
        self._patches: dict[tuple[str, str], bytes] = {}

    # Changing

    def change(self, changes: Mapping[str, Sequence[Mapping[str, Any]]], segment_records: int) -> None:
        """Take records and deletions by stream in as the next version, and make the runs and snapshots of it."""
        self.version += 1
        steps = {name: step for name, records in changes.items() if (step := self._step(name, records))}
        touched: dict[str, list[Change]] = {}
        for name, step in sorted(steps.items()):
            for feed in feeds_of(name):
                touched.setdefault(feed, []).extend(self._patched(change) for change in step)
        prefixes = {feed: self._prefix(feed) for feed in touched}
        for change in (change for step in steps.values() for change in step):
            self._keep(*change)
        for name, step in touched.items():
            state = self.feeds.setdefault(name, FeedState(name, fine=self.version))
            self._seal(state, step, prefixes[name], segment_records)
        self._snapshots([state for state in self.feeds.values() if self._due(state)], segment_records)

    def begin_epoch(self, segment_records: int = 1000) -> None:
        """Everything starts anew with a snapshot: what a hub does after it came back from a backup."""
        self.epoch += 1
        self.version += 1
        for name in list(self.feeds):
            self.feeds[name] = FeedState(name, [self.version], fine=self.version)
        self._snapshots(list(self.feeds.values()), segment_records)

    def _step(self, name: str, records: Sequence[Mapping[str, Any]]) -> list[Change]:
        known = self.streams.setdefault(name, Stream()).records
        found: dict[str, Change] = {}
        for record in records:
            id_ = record["id"]
            if record.get("deleted"):
                found.pop(id_, None)
                if id_ in known:
                    found[id_] = (name, {"id": id_, "deleted": True})
            elif known.get(id_) != change_line(record):
                found[id_] = (name, dict(record))
        return [found[id_] for id_ in sorted(found)]

    def _patched(self, change: Change) -> Change:
        """The change as readers of the present state get it."""
        stream, record = change
        known = self.streams[stream].records.get(record["id"])
        if known is None or record.get("deleted"):
            return change
        return stream, patches.make(json.loads(known), record) or record

    def _keep(self, stream: str, record: dict[str, Any]) -> None:
        known = self.streams[stream].records
        if record.get("deleted"):
            del known[record["id"]]
        else:
            known[record["id"]] = change_line(record)

    def _prefix(self, feed: str) -> bytes:
        """What every reader of the state before has: docs/protocol.md, "Priming"."""
        live = [pair for name in self.names(feed) for pair in self.streams[name].records.items()]
        lines: list[bytes] = []
        for _, line in sorted(live, key=lambda pair: pair[0].encode(), reverse=True):
            if sum(map(len, lines)) >= limits.PRIMING:
                break
            lines.append(line + b"\n")
        return b"".join(reversed(lines))[-limits.PRIMING :] if self.primes else b""

    def _seal(self, state: FeedState, step: list[Change], prefix: bytes, segment_records: int) -> None:
        before = state.versions[-1] if state.versions else None
        state.versions.append(self.version)
        state.since_snapshot += 1
        if before is None:
            return
        state.steps[self.version] = step
        self._run(state, before, self.version, step, segment_records, prefix)
        count, span = len(state.versions), 2
        while count % span == 0 and span < count:
            parts = [state.steps[version] for version in state.versions[-span:] if version in state.steps]
            if len(parts) == span:
                merged = reduce(patches.compose, parts)
                self._run(state, state.versions[-span - 1], self.version, merged, segment_records, b"")
            span *= 2
        self._prune(state)

    def _run(
        self, state: FeedState, start: int, end: int, changes: list[Change], most: int, prefix: bytes
    ) -> None:
        refs = []
        for chunk in chunks(changes, most):
            segment = self.code(list(lines_of(chunk)), prefix if len(changes) <= most else b"")
            self.objects[segment.ref.hash] = segment.data
            refs.append(segment.ref)
        state.runs[start, end] = Run(start, end, tuple(refs))

    def _prune(self, state: FeedState) -> None:
        place = {version: number for number, version in enumerate(state.versions)}
        newest = len(state.versions) - 1
        # A reader half-way through the older snapshot must get on from there.
        oldest = min((newest - place[one.at] for one in state.snapshots[-1:]), default=newest)
        kept = max(self.kept_changes, oldest)
        for start, end in list(state.runs):
            if newest - place[end] >= kept * (place[end] - place[start]):
                del state.runs[start, end]
        state.fine = state.versions[max(0, newest - kept)]

    def _due(self, state: FeedState) -> bool:
        return bool(self.names(state.name)) and (
            not state.snapshots or state.since_snapshot >= self.snapshot_every
        )

    def _snapshots(self, states: Iterable[FeedState], segment_records: int) -> None:
        """Make the snapshots of one publication, all in one object."""
        ordered = sorted(states, key=lambda state: _rank(state.name))
        bulk, made = bytearray(), []
        for state in ordered:
            offset, refs, sizes = len(bulk), [], {}
            for name in self.names(state.name):
                records = self.streams[name].records
                changes = [(name, json.loads(records[id_])) for id_ in sorted(records)]
                sizes[name] = 0
                for chunk in chunks(changes, segment_records):
                    segment = self.code(list(lines_of(chunk)))
                    bulk += segment.data
                    refs.append(segment.ref)
                    sizes[name] += segment.ref.size
            made.append((state, offset, tuple(refs), sizes))
        if not made:
            return
        whole = self.put(bytes(bulk))
        self.bulks[whole.hash] = [ref for _, _, refs, _ in made for ref in refs]
        for state, offset, refs, sizes in made:
            at = state.versions[-1]
            document = self.write(Snapshot(state.name, at, whole, offset, refs).to_bytes())
            named = SnapshotRef(at, document, sum(ref.size for ref in refs))
            state.snapshots = [named, *state.snapshots][:2]
            state.since_snapshot, state.sizes = 0, sizes

    # Listing

    def list_all(self) -> ObjectRef:
        """Write the index of the present version and return its name."""
        feeds = []
        for name, state in sorted(self.feeds.items()):
            if name.count("/") < 3 and self.names(name):
                listed = self.feed(state)
                if name.startswith("public/texts/"):
                    parts = [
                        self.feed(self.feeds[part]) for part in self.names(name) if self.feeds[part].snapshots
                    ]
                    document = self.write(Parts(name, tuple(parts)).to_bytes())
                    listed = Feed(**{**listed.__dict__, "parts": document})
                feeds.append(listed)
        ref = self.write(Index(self.epoch, self.version, tuple(feeds)).to_bytes())
        self.indexes[self.epoch, self.version] = ref.hash
        return ref

    def feed(self, state: FeedState) -> Feed:
        """One feed as an index or a list of parts names it."""
        single = [state.runs[pair] for pair in pairwise(state.versions) if pair in state.runs]
        history = None
        if len(single) > RECENT:
            runs = tuple(sorted(state.runs.values(), key=lambda run: (run.start, run.end)))
            history = self.write(History(state.name, state.fine, runs).to_bytes())
        sizes = tuple(
            StreamSize(name, self.feeds[name].sizes.get(name, 0), len(self.streams[name].records))
            for name in self.names(state.name)
        )
        last = state.versions[-1]
        return Feed(state.name, last, sizes, tuple(state.snapshots), tuple(single[-RECENT:]), history)

    def names(self, feed: str) -> list[str]:
        """The streams of a feed, in order."""
        return [
            name
            for name, stream in sorted(self.streams.items())
            if (name == feed or (name.startswith(feed + "/") and feed.startswith("public/texts/")))
            and (stream.records or (self.lists_empty_streams and self.feeds.get(name) and name != feed))
        ]

    def code(self, lines: Sequence[bytes], prefix: bytes = b"") -> Segment:
        """Return the segment of `lines`, primed with `prefix` where that is of use."""
        return encode(lines, prefix)

    def frame(self, name: str) -> bytes:
        """The frame in which a document is sent; made once."""
        if name not in self._packed:
            self._packed[name] = documents.pack(self.documents[name])
        return self._packed[name]

    def frame_patch(self, name: str, base: str) -> bytes:
        """The patch that makes a document out of an older one; made once."""
        if (name, base) not in self._patches:
            self._patches[name, base] = documents.patch(self.documents[name], self.documents[base])
        return self._patches[name, base]

    def put(self, data: bytes) -> ObjectRef:
        """Serve bytes as an object."""
        self.objects[sha256(data)] = data
        return ObjectRef(sha256(data), len(data))

    def write(self, raw: bytes) -> ObjectRef:
        """Serve JSON as a document."""
        self.documents[sha256(raw)] = raw
        return ObjectRef(sha256(raw), len(raw))

    # For tests

    def snapshot(self, feed: str) -> Snapshot:
        """The newest snapshot of a feed."""
        return Snapshot.from_bytes(self.documents[self.feeds[feed].snapshots[0].document.hash])

    def bulk_path(self, feed: str) -> str:
        """The address of the object in which the newest snapshot of a feed lies."""
        return object_path(self.snapshot(feed).bulk.hash)

    def lies_in(self, feed: str, path: str, asked: str) -> bool:
        """Whether a range that was asked for begins in the newest snapshot of a feed."""
        snapshot = self.snapshot(feed)
        first = int(asked.removeprefix("bytes=").partition("-")[0] or 0)
        end = snapshot.offset + sum(segment.size for segment in snapshot.segments)
        return path == self.bulk_path(feed) and snapshot.offset <= first < end

    def newest_run(self, feed: str) -> SegmentRef:
        """The segment of the newest run of one step."""
        state = self.feeds[feed]
        return state.runs[state.versions[-2], state.versions[-1]].segments[0]


def feeds_of(stream: str) -> list[str]:
    """The feeds that bring a stream: itself, and for texts that of the whole language."""
    parts = stream.split("/")
    return [stream] if parts[1] != "texts" else ["/".join(parts[:3]), stream]


def lines_of(changes: Iterable[Change]) -> Iterator[bytes]:
    """Changes as the lines of a segment."""
    before = ""
    for stream, change in changes:
        if stream != before:
            yield stream_line(stream)
        before = stream
        yield change_line(change)


def chunks(changes: Sequence[Change], most: int) -> Iterator[Sequence[Change]]:
    """Parts of at most `most` changes."""
    for start in range(0, len(changes), most):
        yield changes[start : start + most]


def _rank(name: str) -> tuple[bool, int, str]:
    """Snapshots in one object: the most useful first, single streams of texts at the end."""
    return name.count("/") > 2, _ORDER.index(name.split("/")[1]), name
