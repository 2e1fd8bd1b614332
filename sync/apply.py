"""Bringing segments onto the shelf: fetched to disk, verified, decoded, applied in one transaction."""

from __future__ import annotations

from resources_cache.cards import Applied
from resources_cache.files import FileStore
from resources_cache.library import Library
from sync.cancel import Cancel
from sync.errors import HubProblem
from sync.objects import Arrived, fetch_object
from sync.protocol.catalogue import SegmentRef
from sync.protocol.errors import Malformed, TooLarge, WrongHash
from sync.protocol.head import ObjectRef
from sync.protocol.problems import Problem
from sync.protocol.segments import decode
from sync.routes import Step
from sync.transport import Transport


def fetch_segment(
    transport: Transport, incoming: FileStore, segment: SegmentRef, cancel: Cancel | None, arrived: Arrived
) -> None:
    """Bring the bytes of a segment into `incoming`, from where they stopped. Raises as `fetch_object`."""
    fetch_object(transport, incoming, ObjectRef(segment.hash, segment.size), cancel, arrived)


def apply_step(library: Library, incoming: FileStore, stream: str, step: Step) -> Applied:
    """Verify and decode what was fetched and apply it with its cursor; the fetched bytes go afterwards.

    Raises WrongHash and UnknownCodec of the protocol, HubProblem for a segment that the hub made wrong, and
    CacheError; then nothing has changed, and what was fetched is removed if it is of no use.
    """
    if step.segment is None:
        return library.apply(stream, [], step.cursor, sweep=step.sweep, mark=step.mark)
    with incoming.partial(step.segment.hash, step.segment.size) as partial:
        try:
            changes = decode(partial.path.read_bytes(), step.segment)
        except WrongHash:
            partial.discard()
            raise
        except (Malformed, TooLarge) as error:
            partial.discard()
            broken = Problem("broken-segment", "The hub has published something unusable.", "wait", 0, str(error))
            raise HubProblem(broken) from error
        applied = library.apply(stream, changes, step.cursor, sweep=step.sweep, mark=step.mark)
        partial.discard()
    return applied
