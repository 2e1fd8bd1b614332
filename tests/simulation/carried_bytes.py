"""6: what has arrived of an object stays, and is never asked for again.

Kept beside a shelf: how many good bytes of each segment it has written. A request that begins before them, an
answer that is asked for without naming them, or a segment under way that is thrown away although nothing was wrong
with it, costs more than what was in the air when the link was cut.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sync.protocol.messages import SyncRequest
from sync.protocol.paths import OBJECTS
from tests.simulation.violation import require

if TYPE_CHECKING:
    from tests.simulation.published import Published
    from tests.sync.hub_simulator import Seen


class CarriedBytes:
    """What one shelf has of segments that are under way."""

    def __init__(self, hub: Published, incoming: Path) -> None:
        self._hub = hub
        self._incoming = incoming
        self._good: dict[str, int] = {}
        """Bytes of each segment, from its beginning, that were written and are what the hub published."""

    def wrote(self, name: str, offset: int, data: bytes) -> None:
        """Note bytes that are on disk now."""
        whole = self._hub.segments.get(name, b"")
        if offset == 0 or self._good.get(name) == offset:
            self._good[name] = offset + len(data)
        if whole[offset : offset + len(data)] != data:
            # From here on it is damaged, and is fetched again from its beginning once that shows.
            self._good.pop(name, None)

    def asks(self, seen: Seen) -> None:
        """Look at a request for an object."""
        if not seen.path.startswith(OBJECTS) or not self._good:
            return
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", seen.range)
        first, end = (int(found[1]), int(found[2]) + 1) if found else (0, 1)
        for name, start, _ in self._hub.within(seen.path.removeprefix(OBJECTS), first, end)[:1]:
            here = self._under_way().get(name, 0)
            require(start >= here, f"6: asks for {name[:8]} from byte {start} on, {here} bytes of it are here")

    def says(self, request: SyncRequest) -> None:
        """Look at what a request to the personal plane says is here: the hub sends everything else."""
        said = dict(request.have)
        for name, size in self._under_way().items():
            require(said.get(name[:16], 0) >= size, f"6: does not say that it has {size} bytes of {name[:8]}")

    def stays(self) -> None:
        """After a sync: nothing good was thrown away, unless all is in step and nothing is under way any more."""
        if not self._incoming.exists():
            self._good.clear()
        for name, size in self._under_way().items():
            path = self._incoming / "partial" / name
            here = path.stat().st_size if path.exists() else 0
            require(here >= size, f"6: {here} bytes of {name[:8]} are here, {size} had been written")

    def forget(self) -> None:
        """Something else than the product changed what is on disk."""
        self._good.clear()

    def _under_way(self) -> dict[str, int]:
        """Good bytes of the segments that are not whole; what was whole was applied, or was of no use."""
        return {name: size for name, size in self._good.items() if size < len(self._hub.segments.get(name, b""))}
