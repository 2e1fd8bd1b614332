"""What a PC tells its hub about itself, where its person or administrator allowed it. docs/protocol.md, 2.7.

Small, bounded, and nothing of what anybody reads, writes or looks for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.protocol.wire_json import dump

MOST = 600
"""Bytes of it as JSON; a longer one is passed over."""
CODES = 8
"""Codes of failures that are told, those that came most often."""
GROUP = 40
"""Characters of a group's name."""
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")
_SYSTEM = re.compile(r"[a-z0-9_-]{1,40}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_MB_MOST = 10**9


@dataclass(frozen=True)
class About:
    """One PC, as of now.

    `version` of the program, `system` such as linux-x86_64, `in_step`: when it last had everything (UTC, ISO
    8601), "" for never. `failed`: how many syncs ended with which code since it told last. `free_mb`, `shelf_mb`:
    rounded megabytes that are free, and that the shelf takes.
    """

    version: str = ""
    system: str = ""
    in_step: str = ""
    failed: Mapping[str, int] = field(default_factory=dict)
    free_mb: int = 0
    shelf_mb: int = 0

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"version": self.version, "system": self.system}
        if self.in_step:
            body["in_step"] = self.in_step
        if self.failed:
            body["failed"] = dict(self.failed)
        return {**body, "free_mb": self.free_mb, "shelf_mb": self.shelf_mb}

    @classmethod
    def from_json(cls, source: object) -> About | None:
        """Return what a PC tells; None for what cannot be one, which is no reason to refuse a sync."""
        if not isinstance(source, dict) or len(dump(source)) > MOST:
            return None
        failed = source.get("failed", {})
        if not isinstance(failed, dict) or len(failed) > CODES:
            return None
        if not all(_matches(_CODE, code) and _whole(count) for code, count in failed.items()):
            return None
        version, system, in_step = (source.get(key, "") for key in ("version", "system", "in_step"))
        free, shelf = source.get("free_mb", 0), source.get("shelf_mb", 0)
        right = _matches(_VERSION, version) and _matches(_SYSTEM, system) and _whole(free) and _whole(shelf)
        if not right or not (in_step == "" or _matches(_TIME, in_step)):
            return None
        return cls(version, system, in_step, failed, free, shelf)


def group_mark(name: str) -> str:
    """Return how a group is called in the head, which everybody reads: 8 hexadecimal characters, "" for none."""
    return hashlib.sha256(b"hubshelf/group/1\n" + name.encode()).hexdigest()[:8] if name else ""


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MB_MOST
