"""What a hub puts behind its answer: documents and segments that this shelf will ask for next.

Nothing of it is believed for being there: each thing is verified by its name when it is used. Bytes of objects
go to disk as they come, so that a cut loses none of them; documents are small and kept in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from resources_cache.errors import FileDamaged
from resources_cache.files import FileStore, Partial
from resources_cache.own import Own
from sync.catalogue import WHOLE
from sync.protocol import documents, limits
from sync.protocol.envelope import DOCUMENT, OBJECT, PATCH, Begun, Ended, Event, Piece
from sync.protocol.errors import ProtocolError
from sync.protocol.feeds import SegmentRef
from sync.protocol.head import ObjectRef

_MOST_HELD = limits.PARTS_HELD
"""Names in `have`, and documents of one answer (count)."""
_MOST_APPLIED = 60
"""Names of segments that were applied among them (count)."""
_MOST_READ = 30
"""Names of documents among them (count): more than there are feeds that have a history."""
_APPLIED = "news_applied"


class Inlined:
    """Takes the things of one answer; `document` finds what came. Not kept beyond one sync."""

    def __init__(
        self, incoming: Callable[[], FileStore], known_document: Callable[[str], bytes | None], own: Own
    ) -> None:
        """`incoming` gives the store of segments under way, `known_document` the raw JSON of one that is kept."""
        self._incoming = incoming
        self._known = known_document
        self._own = own
        kept = own.setting(_APPLIED)
        self._applied: list[tuple[str, int]] = [(one[0], one[1]) for one in kept] if isinstance(kept, list) else []
        self._frames: dict[str, tuple[bytes, bytes]] = {}
        self._read: list[tuple[str, int]] = []
        self.came = False
        """Whether the hub sent anything along in this sync."""
        self._begun: Begun | None = None
        self._partial: Partial | None = None
        self._frame = bytearray()

    def have(self) -> list[tuple[str, int]]:
        """What is here of objects, and which documents came: (first 16 characters of the hash, bytes)."""
        partly = [(name[:16], size) for name, size in sorted(self._incoming().partials().items())]
        return [*self._read, *self._applied, *partly][:_MOST_HELD]

    def applied(self, segment: SegmentRef | None) -> None:
        """Note that a segment is on the shelf: the hub only knows when all was, and would send it again."""
        if segment is not None:
            self._applied = [*self._applied, (segment.hash[:16], segment.size)][-_MOST_APPLIED:]
            self._own.set_setting(_APPLIED, self._applied)

    def complete(self) -> None:
        """Note that all is here, which is what the hub is told from now on."""
        if self._applied:
            self._applied = []
            self._own.set_setting(_APPLIED, None)

    def take(self, event: Event) -> None:
        """Take one event of the answer. Raises CacheError."""
        if isinstance(event, Begun):
            self.stop()
            self._begun = event
            self.came = True
            if event.kind == OBJECT or _continued(event):
                self._partial = self._incoming().partial(event.hash, event.size)
                if event.kind == DOCUMENT and not event.offset:
                    self._partial.restart()
                if self._partial.offset != event.offset:
                    self.stop()  # not what is missing here
        elif isinstance(event, Piece):
            self._write(event.data)
        elif isinstance(event, Ended):
            begun = self._begun
            if begun is not None and begun.kind != OBJECT and len(self._frames) < _MOST_HELD:
                if self._partial is not None:
                    self._frame += self._partial.path.read_bytes()
                    self._partial.discard()
                self._frames[begun.hash] = (begun.kind, bytes(self._frame))
            self.stop()

    def stop(self) -> None:
        """The thing under way is over, whole or cut."""
        if self._partial is not None:
            self._partial.close()
        self._partial, self._begun = None, None
        self._frame.clear()

    def holds(self, ref: ObjectRef) -> bool:
        """Whether a document came and was not looked at yet."""
        return ref.hash in self._frames

    def document(self, ref: ObjectRef) -> bytes | None:
        """Return the raw JSON of a document that came, verified against its name; None where it did not."""
        kind, frame = self._frames.pop(ref.hash, (b"", b""))
        with suppress(ProtocolError):
            body = None
            if kind == DOCUMENT:
                body = documents.unpack(frame, ref, limits.DOCUMENT)
            elif kind == PATCH and (base := self._known(frame[:32].hex())) is not None:
                body = documents.unpatch(frame[32:], base, ref, limits.DOCUMENT)
            if body is not None:
                self._read = [*self._read, (ref.hash[:16], limits.DOCUMENT)][-_MOST_READ:]
            return body
        return None

    def _write(self, data: bytes) -> None:
        if self._begun is None:
            return
        if self._partial is not None:
            with suppress(FileDamaged):  # more than was announced: it is fetched again when it is needed
                self._partial.write(data)
        elif self._begun.kind != OBJECT:
            self._frame += data


def _continued(event: Begun) -> bool:
    """Whether a document is long enough to be kept on disk as it comes, so that a cut loses none of it."""
    return event.kind == DOCUMENT and event.size > WHOLE
