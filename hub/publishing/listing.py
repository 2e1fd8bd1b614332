"""What the index says of each feed, and the documents that it leads to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from hub.models import FeedState
from hub.publishing import naming, served
from hub.publishing.runs import as_run, segments_of
from sync.protocol.feeds import Feed, History, Parts, SnapshotRef, StreamSize
from sync.protocol.head import ObjectRef
from sync.protocol.sealed import for_members

_RECENT = 4
States = Mapping[str, FeedState]


def write_entries(home: Path, states: States, changed: Iterable[str], counts: Mapping[str, int]) -> set[str]:
    """Write the documents of the feeds that changed and note in each how the index (or a list of parts) names it.

    `counts`: live records by stream. Returns the names of the feeds that were written: with a part, its group.
    """
    names = set(changed)
    names |= {naming.group_of(name) for name in names if naming.is_part(name)}
    parts: dict[str, list[str]] = defaultdict(list)
    for name in sorted(states):
        if naming.is_part(name) and counts.get(name):
            parts[naming.group_of(name)].append(name)
    # Parts first: their groups list them.
    for name in sorted(names, key=naming.order, reverse=True):
        if name in states:
            _write(home, states, states[name], parts.get(name, []), counts)
    return names & states.keys()


def index_feeds(states: States, counts: Mapping[str, int], *, members: bool = False) -> tuple[Feed, ...]:
    """Return the feeds of the public index, or of the members'.

    One without records is left out, and readers drop what they had of it.
    """
    streams = {feed for stream, count in counts.items() if count for feed in naming.feeds_of(stream)[:1]}
    names = sorted((name for name in states if name in streams and for_members(name) is members), key=naming.order)
    return tuple(Feed.from_json(states[name].entry) for name in names)


def _write(home: Path, states: States, state: FeedState, parts: list[str], counts: Mapping[str, int]) -> None:
    one_step = [as_run(row) for row in state.runs if row[1] == 0]
    recent = tuple(one_step[-_RECENT:])
    written: list[str] = []
    history = None
    if len(recent) < len(state.runs):
        runs = tuple(sorted(map(as_run, state.runs), key=lambda run: (run.end, run.start)))
        history = served.put_document(home, History(state.name, _fine(state), runs).to_bytes(), state.name)
        written.append(history.hash)
    if naming.is_part(state.name) or not parts:
        of_parts = None
        sizes = [(state.name, state.snapshots[0]["size"])] if counts.get(state.name) else []
    else:
        feeds = tuple(Feed.from_json(states[part].entry) for part in parts)
        of_parts = served.put_document(home, Parts(state.name, feeds).to_bytes())
        written.append(of_parts.hash)
        sizes = [(part, states[part].snapshots[0]["size"]) for part in parts]
    snapshots = tuple(SnapshotRef(one["at"], ObjectRef(*one["document"]), one["size"]) for one in state.snapshots)
    listed = tuple(StreamSize(name, size, counts[name]) for name, size in sizes)
    state.entry = Feed(state.name, state.last, listed, snapshots, recent, history, of_parts).to_json()
    state.documents = written


def _fine(state: FeedState) -> int:
    """The version from which on every change has its run of one step."""
    fine = state.last
    for row in reversed([row for row in state.runs if row[1] == 0]):
        if row[3] != fine:
            break
        fine = row[2]
    return int(fine)


def names_of(states: States) -> Iterator[tuple[str, str]]:
    """Yield kind and hash of everything that the feeds lead to, the indexes themselves left out."""
    for state in states.values():
        for segment in segments_of(state):
            yield served.object_kind(state.name), segment.hash
        for snapshot in state.snapshots:
            yield served.object_kind(state.name), snapshot["bulk"][0]
            yield served.document_kind(state.name), snapshot["document"][0]
        for digest in state.documents:
            yield served.document_kind(state.name), digest
