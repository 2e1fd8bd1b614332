"""What every reader of a source yields: pages of what it offers, each with the place where the next begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.imports.records import Parsed

RAW_MOST = 256 * 1024
"""Characters of a raw record that are kept."""
KEY_MOST = 500


@dataclass(frozen=True)
class Offered:
    """One thing that a source offers under its own `key`. `parsed` is None for what it has deleted."""

    key: str
    raw: str
    parsed: Parsed | None

    @property
    def deleted(self) -> bool:
        return self.parsed is None


@dataclass(frozen=True)
class Page:
    """What came together. `place`: where the next harvest goes on, once this page is stored; `problems`: what
    could not be read of it, in words; `last`: whether the source has been read to its end."""

    offered: Sequence[Offered] = ()
    place: Mapping[str, Any] = field(default_factory=dict)
    problems: Sequence[str] = ()
    last: bool = False


class Reader(Protocol):
    """Reads one kind of source."""

    def pages(self, place: Mapping[str, Any]) -> Iterator[Page]:
        """Yield what is new since `place` ({} for everything). Raises HarvestProblem where it cannot go on; what
        was yielded before stays."""
        ...
