"""What this PC tells its hub about itself: only where somebody said yes, once a day, and shown before it leaves.

It rides in the message that a member's sync sends in any case. Guests tell nothing. Who takes the yes back tells
the hub once to forget it.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from resources_cache.identity import utc_now
from resources_cache.own import Own
from sync.home import Home
from sync.policies import may_send_usage_figures
from sync.protocol.build_folders import this_platform
from sync.protocol.builds import NotABuild
from sync.protocol.telling import CODES, GROUP, About

TOLD = "told_hub"
"""Setting: `{"at", "about"}` of what was told last; none where nothing was."""
GROUP_SETTING = "device_group"
"""Setting: the group that the hub's team put this PC into, for versions that some try first."""
_EVERY = timedelta(hours=20)
_SYNCS = 200


def is_allowed(home: Home, own: Own) -> bool:
    """Whether somebody said yes: the person, or the administrator for them. Raises CacheError."""
    return may_send_usage_figures(home.policies, {"usage_figures": own.setting("usage_figures")})


def about(home: Home, own: Own) -> About:
    """Return what would be told now. Raises CacheError."""
    told = own.setting(TOLD)
    since = str(told.get("at", "")) if isinstance(told, dict) else ""
    codes: Counter[str] = Counter()
    for one in own.syncs(_SYNCS):
        error = one.report.get("error")
        if one.at >= since and isinstance(error, dict) and error.get("code"):
            codes[str(error["code"])] += 1
    in_step = own.setting("last_in_step")
    free = 0
    with suppress(OSError):
        free = shutil.disk_usage(home.path).free // 1_000_000
    return About(
        _version(),
        this_platform(),
        in_step if isinstance(in_step, str) else "",
        dict(codes.most_common(CODES)),
        _rounded(free),
        _rounded(_taken(home.path) // 1_000_000),
    )


def to_tell(home: Home, own: Own, now: datetime | None = None) -> Mapping[str, Any] | None:
    """Return what is told in this sync: nothing ({}) where the hub is to forget, None where none is due.

    Raises CacheError.
    """
    told = own.setting(TOLD)
    if not is_allowed(home, own):
        return {} if told else None
    at = str(told.get("at", "")) if isinstance(told, dict) else ""
    if at and at > ((now or datetime.now(UTC)) - _EVERY).strftime("%Y-%m-%dT%H:%M:%SZ"):
        return None
    return about(home, own).to_json()


def note_told(own: Own, told: Mapping[str, Any] | None, group: str | None) -> None:
    """Keep what the hub was told, and the group that it put this PC into (None: as it was). Raises CacheError."""
    if told is not None:
        own.set_setting(TOLD, {"at": utc_now(), "about": dict(told)} if told else None)
    if group is not None:
        own.set_setting(GROUP_SETTING, group[:GROUP] or None)


def group_of(own: Own) -> str:
    """Return the group of this PC, "" for none. Raises CacheError."""
    found = own.setting(GROUP_SETTING)
    return found if isinstance(found, str) else ""


def _version() -> str:
    from sync.updates.updating import running_version  # seldom needed

    try:
        return running_version()
    except NotABuild:
        pass
    try:
        return version("hubshelf")
    except PackageNotFoundError:
        return "0"


def _rounded(megabytes: int) -> int:
    """Two digits say enough, and tell one PC from another less."""
    step = int(10 ** max(0, len(str(megabytes)) - 2))
    return megabytes // step * step


def _taken(folder: Path) -> int:
    """Bytes of a shelf. What goes away meanwhile counts for nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size if path.is_file() else 0
    return total
