"""Erasing: what was erased on the hub leaves the runs and snapshots that are served, not only the newest state.

A withdrawn record is deleted from every shelf, but stays in older runs until they leave the list. A record whose
row is gone was erased; here its feeds lose every run from before the deletion and every snapshot that may hold it.
Readers who were half-way through one begin with the new snapshot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from hub.models import FeedState, StreamRecord
from hub.publishing import changes, naming, served
from hub.publishing.runs import Row, as_run

_ROWS = 2000
_PIECE = 1 << 20


def mark(record_ids: Iterable[str]) -> int:
    """Have the next publication erase these records where they are deleted; returns how many rows there are."""
    ids = list(record_ids)
    return sum(
        StreamRecord.objects.filter(record_id__in=ids[start : start + _ROWS], deleted=True).update(erased=True)
        for start in range(0, len(ids), _ROWS)
    )


class Erasure:
    """What is to be erased: the feeds that may hold it, and the version that deleted it in each."""

    def __init__(self, states: Mapping[str, FeedState]) -> None:
        rows = list(StreamRecord.objects.filter(erased=True, deleted=True).values_list("id", "stream_id", "seq"))
        self._rows = [number for number, _stream, _version in rows]
        self.deleted_in: dict[str, int] = defaultdict(int)
        for _number, stream, version in rows:
            for feed in naming.feeds_of(stream):
                if feed in states:
                    # What came and went within one version never was in the feed, which may then be older.
                    change = min(version, states[feed].last)
                    self.deleted_in[feed] = max(self.deleted_in[feed], change)
        self._ranges: list[tuple[Path, int, int]] = []
        self._names: set[tuple[str, str]] = set()

    def __bool__(self) -> bool:
        return bool(self._rows)

    def strip(self, home: Path, epoch: int, state: FeedState) -> None:
        """Take what may hold erased text off the list of a feed, whose new snapshot is listed already."""
        version = self.deleted_in[state.name]
        stay: list[Row] = []
        for row in state.runs:
            # A run that ends with the deletion or later says no more than that it is deleted.
            if row[3] >= version:
                stay.append(row)
                continue
            changes.drop(home, epoch, state.name, row[2], row[3])
            self._names.update((served.object_kind(state.name), one.hash) for one in as_run(row).segments)
        state.runs = stay
        for one in state.snapshots:
            if one["at"] < version:
                bulk = served.path_of(home, served.object_kind(state.name), one["bulk"][0])
                self._ranges.append((bulk, one["offset"], one["size"]))
                self._names.add((served.document_kind(state.name), one["document"][0]))
        state.snapshots = [one for one in state.snapshots if one["at"] >= version]

    def finish(self, still_served: set[tuple[str, str]]) -> list[tuple[str, str]]:
        """Overwrite what was erased in the objects that stay, and return the names that can be removed now."""
        for path, offset, size in self._ranges:
            _blank(path, offset, size)
        StreamRecord.objects.filter(id__in=self._rows).update(erased=False)
        return sorted(self._names - still_served)


def _blank(path: Path, offset: int, size: int) -> None:
    # The object holds other feeds' snapshots too, whose segments have names of their own and stay as they are.
    try:
        with path.open("r+b") as handle:
            handle.seek(offset)
            left = size
            while left > 0:
                left -= handle.write(bytes(min(left, _PIECE)))
    except FileNotFoundError:
        return
