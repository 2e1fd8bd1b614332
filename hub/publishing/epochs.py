"""The hub's epoch: it rises when the database was put back to an earlier state, and every shelf then knows.

A restored hub gives version numbers again that it gave before, to other content; under the old epoch a shelf
would take them for what it already has. docs/adr/0006-epochs.md.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from django.db import transaction

from hub.models import FeedState, HubState
from hub.publishing.served import INDEXES, read_head
from sync.protocol import VERSION, limits
from sync.protocol.errors import ProtocolError
from sync.protocol.signing import split_document

WHOLE = "whole"
"""The state under which it is noted that everything must be compared: marks alone would not tell."""
SEALING = "sealing"
"""The state that holds the version under which records are sealed until it is published."""
WIRE = "wire"
"""The state that holds the wire version of what is published."""


def current() -> tuple[int, int]:
    """Return (epoch, version of the newest head); (1, 0) for a hub that never published."""
    return int(get_value("epoch", 1)), int(get_value("version", 0))


def get_value(key: str, default: Any) -> Any:
    """Return a single value of the hub's state."""
    row = HubState.objects.filter(key=key).first()
    return default if row is None else row.value


def set_value(key: str, value: Any) -> None:
    HubState.objects.update_or_create(key=key, defaults={"value": value})


def begin_new_epoch(home: Path) -> int:
    """Start a new epoch and return it: the next publication compares everything and serves it whole.

    The number only has to be larger than any that shelves may have seen, also when the same backup is
    restored twice; seconds since 1970 are, unless the clock is wrong, and then the known number plus one.
    """
    epoch, version = current()
    seen_epoch, seen_version = published(home)
    fresh = max(epoch + 1, seen_epoch + 1, int(time.time()))
    with transaction.atomic():
        set_value("epoch", fresh)
        # A version that was sealed but not published may be the number of something else out there.
        set_value("version", max(version, seen_version, int(get_value(SEALING, None) or 0)))
        set_value(SEALING, None)
        set_value(WHOLE, True)
        set_value(INDEXES, {"epoch": fresh, "versions": {}})
        set_value(WIRE, VERSION)
        FeedState.objects.all().delete()
    return fresh


def notice_restore(home: Path) -> int | None:
    """Begin a new epoch if the head on disk is newer than the database knows; return it, else None."""
    if published(home) > current():
        return begin_new_epoch(home)
    return None


def notice_upgrade(home: Path) -> int | None:
    """Begin a new epoch if what was published speaks an older wire; return it, else None.

    A shelf that followed the hub across the upgrade would take numbers of the old wire for versions.
    """
    if current()[1] and get_value(WIRE, 1) != VERSION:
        return begin_new_epoch(home)
    return None


def published(home: Path) -> tuple[int, int]:
    """Return (epoch, version) of the head on disk; (0, 0) where there is none."""
    document = read_head(home)
    if document is None:
        return 0, 0
    try:
        body = json.loads(split_document(document, limits.HEAD, "head")[0])
        return int(body["epoch"]), int(body["version"])
    except (ProtocolError, ValueError, KeyError):
        return 0, 0  # a head that cannot be read is replaced by the next publication
