"""A volume to copy from that can be stopped: between two pieces of a file, however large that is."""

from __future__ import annotations

from types import TracebackType
from typing import BinaryIO, cast

from sync.cancel import Cancel
from sync.protocol.packs import Volume


class Watched:
    """As the volume behind it; what is read of it raises Cancelled once somebody asked to stop."""

    def __init__(self, volume: Volume, cancel: Cancel | None) -> None:
        self._volume = volume
        self._cancel = cancel

    def size(self, name: str) -> int | None:
        return self._volume.size(name)

    def names(self, folder: str, most: int) -> list[str]:
        return self._volume.names(folder, most)

    def open(self, name: str) -> BinaryIO:
        file = self._volume.open(name)
        return file if self._cancel is None else cast(BinaryIO, _File(file, self._cancel))


class _File:
    def __init__(self, file: BinaryIO, cancel: Cancel) -> None:
        self._file, self._cancel = file, cancel

    def read(self, size: int = -1) -> bytes:
        self._cancel.check()
        return self._file.read(size)

    def __enter__(self) -> _File:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
