"""The head in force, as the planes need it: its bytes, and what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hub.publishing import served
from sync.protocol import limits
from sync.protocol.errors import ProtocolError
from sync.protocol.signing import split_document


@dataclass(frozen=True)
class HeadInForce:
    """A signed head, and from it: (epoch, version), the SHA-256 of the index and of the members' sealed one."""

    document: bytes
    order: tuple[int, int]
    index: str
    members: str = ""


def in_force(home: Path) -> HeadInForce | None:
    """Return the head that the hub serves; None before the first publication, or where it cannot be read."""
    document = served.read_head(home)
    return None if document is None else _read(document)


@lru_cache(maxsize=4)
def _read(document: bytes) -> HeadInForce | None:
    try:
        body = json.loads(split_document(document, limits.HEAD, "head")[0])
        order = int(body["epoch"]), int(body["version"])
        hidden = str(body["members"]["hash"]) if "members" in body else ""
        return HeadInForce(document, order, str(body["index"]["hash"]), hidden)
    except (ProtocolError, ValueError, KeyError, TypeError):
        return None  # the next publication replaces it
