"""Decoding the next segment on a thread of its own while the one before it is applied.

Decoding is half of what a first sync computes, and the decoder is C that lets others run. What comes out is
verified like anything else; nothing here decides whether a segment is any good (`sync.apply` does).
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from sync.protocol.errors import ProtocolError
from sync.protocol.feeds import SegmentRef
from sync.protocol.segments import PPMD, codec, unpack


class DecodeAhead:
    """Decodes one segment at a time, so that one model (64 MiB at most) is in memory. Close it in the end."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._segment: SegmentRef | None = None
        self._raw: Future[bytes | None] | None = None

    def begin(self, segment: SegmentRef, data: bytes) -> None:
        """Begin to decode a segment, unless one is under way; of `data` nothing is believed."""
        if self._raw is not None or codec(data) != PPMD:
            return  # what is primed needs what is about to change, and other codecs take no time
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="decode-ahead")
        self._segment, self._raw = segment, self._pool.submit(_unpacked, data, segment)

    def take(self, segment: SegmentRef) -> bytes | None:
        """Return the raw bytes of a segment, waiting for them; None where it is not under way, or is no good."""
        if self._raw is None:
            return None
        raw = self._raw.result()
        mine = self._segment == segment
        self._segment = self._raw = None
        return raw if mine else None

    def close(self) -> None:
        """End the thread; what it had decoded is dropped."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool = self._segment = self._raw = None


def _unpacked(data: bytes, segment: SegmentRef) -> bytes | None:
    try:
        return unpack(data, segment)
    except ProtocolError:
        return None  # whoever applies it finds out what is wrong
