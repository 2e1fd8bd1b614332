"""A reader of what a hub serves, as docs/protocol.md says it, for tests: files in, records out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from hub.publishing import keys, served
from hub.publishing.records import public_records
from sync.protocol import documents, limits, patches, trust
from sync.protocol.feeds import Feed, History, Index, Parts, Run, SegmentRef, Snapshot, SnapshotRef
from sync.protocol.head import Head, ObjectRef, verify_head
from sync.protocol.segments import Decoded, decode
from sync.protocol.wire_json import dump

State = dict[str, dict[str, bytes]]
"""Records as JSON, by stream and id; a stream without records is left out."""


def truth() -> State:
    """Return what the hub's tables say is public."""
    return {name: rows for name, rows in published().items() if name.startswith("public/")}


def published() -> State:
    """Return the same, and what is for members."""
    found: State = {}
    for record in public_records():
        found.setdefault(record.stream, {})[record.body["id"]] = dump(record.body)
    return found


def part_of(state: State, feed: str) -> State:
    """Return the streams that `feed` carries."""
    return {name: rows for name, rows in state.items() if name == feed or name.startswith(feed + "/")}


class Reader:
    """Reads the plane below `home`; every byte is verified as a shelf verifies it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.seen: list[tuple[str, bytes]] = []
        """Name and raw bytes of every segment that was read."""

    def head(self) -> Head:
        root = keys.root_document(self._home, 1)
        signed = served.read_head(self._home)
        assert root is not None
        assert signed is not None
        return verify_head(signed, trust.pin(root), (0, 0), 2)

    def index(self) -> Index:
        return Index.from_bytes(self.document(self.head().index))

    def feeds(self) -> dict[str, Feed]:
        """Return every feed that can be followed, those of single streams too."""
        found = {feed.name: feed for feed in self.index().feeds}
        for feed in list(found.values()):
            if feed.parts is not None:
                parts = Parts.from_bytes(self.document(feed.parts))
                assert parts.feed == feed.name
                found.update({part.name: part for part in parts.feeds})
        return found

    def history(self, feed: Feed) -> History | None:
        return None if feed.history is None else History.from_bytes(self.document(feed.history))

    def runs(self, feed: Feed) -> list[Run]:
        history = self.history(feed)
        known = {(run.start, run.end): run for run in (history.runs if history else ())}
        recent = {(run.start, run.end): run for run in feed.recent}
        if history is not None:
            assert recent.items() <= known.items()
        return list({**known, **recent}.values())

    def document(self, ref: ObjectRef) -> bytes:
        packed = served.document_path(self._home, ref.hash).read_bytes()
        return documents.unpack(packed, ref, limits.DOCUMENT)

    def follow(self, feed: str, run: Run, before: State) -> State:
        """Return the state after `run`; one segment after the other, each against what is there."""
        found = {name: dict(rows) for name, rows in before.items()}
        for segment in run.segments:
            data = served.served_path(self._home, segment.hash).read_bytes()
            decoded = decode(data, segment, lambda size: priming(part_of(before, feed), size))
            self.seen.append((segment.hash, decoded.raw))
            apply(found, decoded)
        return {name: rows for name, rows in found.items() if rows}

    def snapshot(self, feed: str, ref: SnapshotRef) -> State:
        """Return the state that a snapshot gives to a new reader."""
        listed = Snapshot.from_bytes(self.document(ref.document))
        assert (listed.feed, listed.at) == (feed, ref.at)
        assert sum(segment.size for segment in listed.segments) == ref.size
        found: State = {}
        for segment, data in self.snapshot_bytes(listed):
            decoded = decode(data, segment)
            self.seen.append((segment.hash, decoded.raw))
            apply(found, decoded)
        return found

    def snapshot_bytes(self, listed: Snapshot) -> Iterator[tuple[SegmentRef, bytes]]:
        with served.served_path(self._home, listed.bulk.hash).open("rb") as handle:
            for segment, offset in zip(listed.segments, listed.offsets(), strict=True):
                handle.seek(offset)
                yield segment, handle.read(segment.size)


def apply(state: State, decoded: Decoded) -> None:
    for stream, change in decoded.changes:
        rows = state.setdefault(stream, {})
        if change.get("deleted"):
            rows.pop(change["id"], None)
        elif patches.is_patch(change):
            rows[change["id"]] = dump(patches.apply(json.loads(rows[change["id"]]), change))
        else:
            rows[change["id"]] = dump(change)


def priming(state: State, size: int) -> bytes:
    """Return the last `size` bytes of the newest records, written from the words of the protocol."""
    lines = {key.encode(): row for rows in state.values() for key, row in rows.items()}
    whole = b"".join(lines[key] + b"\n" for key in sorted(lines))
    return whole[-size:]


def check_every_way(reader: Reader, states: dict[int, State]) -> int:
    """Follow every run and snapshot that is listed; returns how many there were.

    `states`: what was public at each version that a publication ended with.
    """
    newest = reader.index()
    ways = 0
    expected = {name for stream in states[max(states)] for name in (stream, "/".join(stream.split("/")[:3]))}
    feeds = reader.feeds()
    assert feeds.keys() == expected
    for name, feed in feeds.items():
        assert feed.last <= newest.version
        now = part_of(states[max(states)], name)
        assert {one.name: one.records for one in feed.streams} == {key: len(rows) for key, rows in now.items()}
        at = {version: part_of(_at(states, version), name) for version in _ends(reader, feed)}
        for one in feed.snapshots:
            assert reader.snapshot(name, one) == at[one.at], (name, one.at)
            ways += 1
        for run in reader.runs(feed):
            assert reader.follow(name, run, at[run.start]) == at[run.end], (name, run.start, run.end)
            ways += 1
        assert at[feed.last] == now
        assert feed.snapshots[0].at in _reaching(reader.runs(feed), feed.last), name
    return ways


def _ends(reader: Reader, feed: Feed) -> set[int]:
    runs = reader.runs(feed)
    return {
        feed.last,
        *(run.start for run in runs),
        *(run.end for run in runs),
        *(one.at for one in feed.snapshots),
    }


def _at(states: dict[int, State], version: int) -> State:
    """What was public at `version`: a publication may end with a later one under which nothing changed."""
    return states[min(number for number in states if number >= version)]


def _reaching(runs: list[Run], last: int) -> set[int]:
    found = {last}
    for run in sorted(runs, key=lambda run: -run.end):
        if run.end in found:
            found.add(run.start)
    return found
