"""Putting segments onto the shelf: verified, decoded, patched, applied in one transaction with their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from resources_cache.cards import Applied, Cursor
from resources_cache.files import FileStore
from resources_cache.library import Library
from sync.errors import HubProblem
from sync.protocol import patches, sealed
from sync.protocol.errors import Malformed, TooLarge, WrongBase, WrongHash
from sync.protocol.feeds import SegmentRef
from sync.protocol.problems import Problem
from sync.protocol.routes import Place, Step
from sync.protocol.segments import Change, change_line, decode
from sync.protocol.subscriptions import Subscription
from sync.protocol.wire_json import sha256


def apply_step(
    library: Library,
    incoming: FileStore,
    feed: str,
    streams: Sequence[str],
    step: Step,
    keys: Mapping[str, bytes] | None = None,
    raw: bytes | None = None,
    deleted_before: int | None = None,
    given: FileStore | None = None,
) -> Applied:
    """Verify and decode what was fetched and apply it with its place; the fetched bytes go afterwards, to `given`
    where there is that.

    `keys` by id open what is for members; `raw` is what the segment unpacks to, where that is known;
    `deleted_before` as `Library.apply_run` has it. Raises WrongHash, WrongPrefix, WrongBase, UnknownCodec and
    NoKey of the protocol, HubProblem for a segment that the hub made wrong, MassDeletion and other CacheErrors;
    then nothing has changed, and what was fetched is removed if it is of no use.
    """
    # What the feed does not name any more, but is here, belongs to it until the planner drops it: a snapshot of an
    # earlier version may bring it, its end must sweep it, and runs are primed with it.
    here = [name for name in library.cursors() if _belongs(name, feed)]
    cursors = dict.fromkeys((feed, *streams, *here), cursor(step.place))
    if step.segment is None:
        return library.apply_run({}, cursors, sweep=step.sweep, mark=step.mark, deleted_before=deleted_before)
    with incoming.partial(step.segment.hash, step.segment.size) as partial:
        try:
            data, segment = partial.path.read_bytes(), step.segment
            if sealed.for_members(feed):
                data, segment = _unsealed(data, segment, keys or {})
            decoded = decode(data, segment, lambda size: prefix(library, feed, size), raw)
            changes = _resolved(library, decoded.changes, feed)
        except WrongHash:
            partial.discard()
            raise
        except (Malformed, TooLarge) as error:
            partial.discard()
            broken = Problem("broken-segment", "The hub has published something unusable.", "wait", 0, str(error))
            raise HubProblem(broken) from error
        cursors |= dict.fromkeys(changes, cursor(step.place))
        applied = library.apply_run(
            changes, cursors, sweep=step.sweep, mark=step.mark, deleted_before=deleted_before
        )
        if given is None:
            partial.discard()
        else:
            partial.close()
            given.adopt(partial.path, step.segment.hash)
    return applied


def _unsealed(data: bytes, segment: SegmentRef, keys: Mapping[str, bytes]) -> tuple[bytes, SegmentRef]:
    """Return the segment within, and its name. Raises WrongHash, NoKey, Malformed."""
    if len(data) != segment.size or sha256(data) != segment.hash:
        raise WrongHash("A segment does not match its name, so it was not used.")
    inner = sealed.unseal(data, keys)
    return inner, SegmentRef(sha256(inner), len(inner))


def cursor(place: Place) -> Cursor:
    """Return a place as the store keeps it."""
    return Cursor(place.epoch, place.seq, place.generation, place.parts)


def place(found: Cursor) -> Place:
    """Return what the store keeps as a place."""
    return Place(found.epoch, found.seq, found.generation, found.parts)


def prefix(library: Library, feed: str, size: int) -> bytes:
    """Return the `size` bytes that a segment was primed with: the feed's newest records here, the newest last.

    Streams count that the feed does not name any more: at the state that was primed with, it did.
    """
    streams = [name for name in library.cursors() if _belongs(name, feed)]
    lines: list[bytes] = []
    gathered = 0
    # It holds a read transaction, which must be over before the next write.
    with closing(library.newest(streams)) as records:
        for record in records:
            if gathered >= size:
                break
            lines.append(change_line(record) + b"\n")
            gathered += len(lines[-1])
    return b"".join(reversed(lines))[-size:] if size else b""


def _resolved(library: Library, changes: Sequence[Change], feed: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return whole changes by stream: each patch applied to the record that is here, or that came just before."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    latest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for stream, change in changes:
        if not _belongs(stream, feed):
            raise Malformed("A segment changes a stream that is not its own.")
        whole: Mapping[str, Any] = change
        if patches.is_patch(change):
            base = latest.get((stream, change["id"])) or library.record(stream, change["id"])
            if base is None or base.get("deleted") is True:
                raise WrongBase("A change is for a record that is not here.")
            whole = patches.apply(base, change)
        latest[stream, change["id"]] = whole
        found[stream].append(whole)
    return found


def _belongs(stream: str, feed: str) -> bool:
    return stream == feed or stream.startswith(feed + "/")


def complete_at(setting: object, places: Mapping[str, Place], choice: Subscription) -> tuple[int, int]:
    """Return (epoch, version) at which a shelf last had all of `choice`; (0, 0) where it never had."""
    if isinstance(setting, list) and len(setting) == 3 and places:
        epoch, version, chosen = setting
        if isinstance(epoch, int) and isinstance(version, int) and chosen == choice.to_json():
            return epoch, version
    return 0, 0
