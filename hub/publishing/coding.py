"""Coding segments in processes of its own: PPMd keeps a processor busy, and threads of one process take turns.

Run as `python -m hub.publishing.coding` this module is such a process: it reads jobs from standard input and
writes segments to standard output. It knows neither Django nor the hub's home.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from struct import Struct
from types import TracebackType
from typing import IO

from sync.protocol.feeds import SegmentRef
from sync.protocol.segments import Segment, split
from sync.protocol.wire_json import sha256

_SIZES = Struct(">QQ")
_INLINE_BYTES = 2_000_000
"""Bytes that are coded here where there is no more: about half a second, and processes take a while to start."""


class Coded:
    """Lines that are to become segments: coded by a process once there is one, else by whoever asks for them."""

    def __init__(self, lines: list[bytes], prefix: bytes) -> None:
        self._lines = lines
        self._prefix = prefix
        self._segments: Future[list[Segment]] | None = None

    @property
    def size(self) -> int:
        """Bytes that the coder is to go through."""
        return sum(map(len, self._lines)) + len(self._prefix)

    def begin(self, pool: ThreadPoolExecutor, code: Callable[[list[bytes], bytes], list[Segment]]) -> None:
        """Have `code` do it in a thread of `pool`, unless it is done."""
        if self._segments is None:
            self._segments = pool.submit(code, self._lines, self._prefix)
            self._let_go()

    def result(self) -> list[Segment]:
        """Wait for the segments and return them; raises ValueError as `split`, EOFError where a process ended."""
        if self._segments is None:
            here: Future[list[Segment]] = Future()
            here.set_result(list(split(self._lines, self._prefix)))
            self._segments = here
            self._let_go()
        return self._segments.result()

    def _let_go(self) -> None:
        self._lines, self._prefix = [], b""


class Coders:
    """Codes lines into segments, beside each other where there is much to code. Use as a context manager."""

    def __init__(self, processes: int | None = None) -> None:
        self._count = processes if processes is not None else os.cpu_count() or 1
        self._spent = 0
        self._undecided: list[Coded] = []
        self._pool: ThreadPoolExecutor | None = None
        self._mine = threading.local()
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Coders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        for child in self._children:
            if child.stdin is not None:
                child.stdin.close()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()

    @property
    def width(self) -> int:
        """How many jobs are worth submitting ahead."""
        return 2 * self._count

    def submit(self, lines: list[bytes], prefix: bytes = b"") -> Coded:
        """Take `lines` to be coded (see `segments.split`) and return what will hold the segments."""
        job = Coded(lines, prefix)
        self._spent += job.size
        if self._count < 2:
            job.result()
        elif self._pool is None and self._spent <= _INLINE_BYTES:
            self._undecided.append(job)
        else:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._count)
            for one in [*self._undecided, job]:
                one.begin(self._pool, self._code)
            self._undecided.clear()
        return job

    def _code(self, lines: list[bytes], prefix: bytes) -> list[Segment]:
        child = getattr(self._mine, "child", None)
        if child is None:
            child = self._mine.child = subprocess.Popen(
                [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            self._children.append(child)
        assert child.stdin is not None
        assert child.stdout is not None
        _write(child.stdin, [prefix, b"\n".join(lines)])
        return [Segment(SegmentRef(sha256(data), len(data)), data) for data in _read(child.stdout)]


def _write(stream: IO[bytes], parts: Iterable[bytes]) -> None:
    whole = list(parts)
    stream.write(_SIZES.pack(len(whole), sum(map(len, whole))))
    for part in whole:
        stream.write(_SIZES.pack(len(part), 0))
        stream.write(part)
    stream.flush()


def _read(stream: IO[bytes]) -> list[bytes]:
    """Read what `_write` wrote; raises EOFError where the other side is gone."""

    def exactly(size: int) -> bytes:
        data = stream.read(size)
        if len(data) < size:
            raise EOFError("the process that codes segments ended")
        return data

    count, _total = _SIZES.unpack(exactly(_SIZES.size))
    return [exactly(_SIZES.unpack(exactly(_SIZES.size))[0]) for _ in range(count)]


def main() -> None:
    """Code jobs until standard input ends."""
    while True:
        try:
            prefix, raw = _read(sys.stdin.buffer)
        except EOFError:
            return
        _write(sys.stdout.buffer, [segment.data for segment in split(raw.split(b"\n"), prefix)])


if __name__ == "__main__":
    main()
