"""What `hubshelf doctor` checks around a shelf: policies, packs that came with the PC, secrets, clock, proxy, hub.

Nothing here says a person's words: details may name paths and addresses, which a report for others leaves out.
"""

from __future__ import annotations

import shutil
import stat
import sys
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from resources_cache.errors import CacheError
from resources_cache.library import Check
from resources_cache.own import Own
from sync.errors import SyncError
from sync.home import Home
from sync.policies import decisions
from sync.protocol.errors import ProtocolError

_LOW_SPACE = 200 * 1024 * 1024
_WRONG_BY = 12 * 3600
"""Seconds: less is a time zone that was set wrongly, which changes nothing but dates that are shown."""
_LIBRARY_OLD = 7 * 86_400
"""Seconds: so long a PC may well have been without a link."""
_ASKED_BYTES = 20_000
_PASSING = (
    "offline",
    "unreachable",
    "name-not-found",
    "timed-out",
    "cut-off",
    "budget-reached",
    "cancelled",
    "sync-busy",
)
"""Codes of errors that a link has now and then."""


def around(home: Home, own: Own) -> list[Check]:
    """Return the checks that ask nobody. Raises CacheError."""
    return [
        space(home),
        policies_of(home),
        preload(home),
        machine_library(home),
        kept_secretly(home),
        clock(own),
        last_syncs(own),
        proxy(home, own),
    ]


def space(home: Home) -> Check:
    free = shutil.disk_usage(home.path).free
    advice = "Free some space: downloaded files can be removed in My shelf and fetched again."
    return Check("disk", free > _LOW_SPACE, f"{free // (1024 * 1024)} MB free", advice)


def policies_of(home: Home) -> Check:
    """What is locked, by name, and what is wrong with the files."""
    found = home.policies
    advice = "Tell the IT team: what is named here is not in force. hubshelf --show-policy says what is."
    if found.problems:
        return Check("policies", False, " ".join(found.problems), advice)
    locked = ", ".join(sorted(found.locked)) or "nothing is locked"
    return Check("policies", True, locked, "")


def preload(home: Home) -> Check:
    """Packs that came with this PC and are not used."""
    from sync.packs.preloaded import problems

    found = problems(home)
    advice = "Tell the IT team. What is on the shelf is not touched by it."
    return Check("packs that came with the PC", not found, " ".join(found) or "none that is wrong", advice)


def machine_library(home: Home) -> Check:
    """How old the library is that all who use this PC take from."""
    from sync.machine.place import place

    name, of = "library of this PC", place(home.policies)
    if of is None:
        return Check(name, True, "there is none", "")
    advice = "Tell the IT team: `hubshelf machine keep` says what keeps it. Until then the hub is asked for all."
    try:
        age = time.time() - of.checked.stat().st_mtime
    except OSError:
        return Check(name, False, f"Nothing was put into {of.library} yet.", advice)
    words = f"brought in step {max(0, age) / 3600:.0f} hours ago"
    return Check(name, age < _LIBRARY_OLD, words, advice)


def kept_secretly(home: Home) -> Check:
    """Whether secrets that lie in files are their owner's alone."""
    folder, name = home.path / "secrets", "secrets"
    advice = f"Make the folder yours alone: chmod -R go= {folder}"
    try:
        files = sorted(folder.iterdir())
    except FileNotFoundError:
        return Check(name, True, "none in files", "")
    except OSError as error:
        return Check(name, False, f"The folder cannot be read ({error.strerror}).", advice)
    if sys.platform == "win32":  # there the person's folder has its own access list
        return Check(name, True, f"{len(files)} in files of the shelf", "")
    open_ones = [one.name for one in (folder, *files) if stat.S_IMODE(one.stat().st_mode) & 0o077]
    words = f"Others can read: {', '.join(open_ones)}" if open_ones else f"{len(files)} in files that are private"
    return Check(name, not open_ones, words, advice)


def clock(own: Own) -> Check:
    """What the hub's clock said at the last sync that reached it."""
    for one in own.syncs(20):
        ahead = one.report.get("clock_ahead")
        if isinstance(ahead, int | float):
            words = (
                "as the hub's at the last sync" if abs(ahead) < 120 else f"{ahead:+,.0f} seconds at the last sync"
            )
            return Check("clock", abs(ahead) < _WRONG_BY, words, "Set the date, the time and the time zone.")
    return Check("clock", True, "no hub has been asked yet", "")


def last_syncs(own: Own) -> Check:
    """How the last syncs ended, by code."""
    ended = [_code(one.report) for one in own.syncs(5)]
    codes = ", ".join(code or "well" for code in ended) or "there was none yet"
    bad = bool(ended) and ended[0] not in ("", *_PASSING)
    return Check(
        "last syncs", not bad, codes, "Sync once more: the window, or `hubshelf sync`, says what it means."
    )


def proxy(home: Home, own: Own) -> Check:
    """Which way the hub is reached."""
    hub = own.setting("hub_url") or home.policies.value("hub_url")
    if not isinstance(hub, str) or not hub:
        return Check("proxy", True, "not asked for: there is no hub yet", "")
    network = home.network(own)
    found = network.proxies(hub).get(urlsplit(hub).scheme, "")
    parts = urlsplit(found)
    # A name and password in an environment variable are nobody's business here.
    shown = f"{parts.scheme}://{parts.hostname}:{parts.port or 80}" if found and parts.hostname else "none"
    return Check("proxy", True, f"{network.proxy_mode}: {shown}", "")


def ask_hub(home: Home) -> Check:
    """Ask the hub for its signed head, bounded in bytes and time."""
    from sync.catalogue import get_head

    name, advice = (
        "hub",
        "Check the connection, the proxy and the firewall: docs/it/firewall.md has what must pass.",
    )
    begun = time.monotonic()
    try:
        with closing(home.connect(home.hub_url or home.policies.value("hub_url"))) as transport:
            transport.traffic.allow(_ASKED_BYTES)
            get_head(transport, None)
            moved = transport.traffic.up + transport.traffic.down
            signer = getattr(transport, "signer", "")
    except (SyncError, ProtocolError, CacheError) as error:
        return Check(name, False, f"{error} ({error.code})", getattr(error, "advice", "") or advice)
    vouched = f"; its certificate is signed by “{signer}”" if signer else ""
    return Check(name, True, f"answered in {time.monotonic() - begun:.1f} s with {moved:,} bytes{vouched}", "")


def report_for_others(home: Home) -> list[str]:
    """Return lines that may be given to anybody: what is well by name, what is decided by key, the end of the log.

    No path, address, title or word of a person is in it. Raises CacheError.
    """
    with home.own() as own:
        checks, settings = around(home, own), own.settings()
    lines = [f"{'ok ' if check.ok else 'BAD'} {check.name}" for check in checks]
    rows = [row for row in decisions(home.policies, settings) if row.origin != "built-in"]
    lines += [f"policy {row.key.name}: {row.origin}" for row in rows]
    lines += [f"policy problems: {len(home.policies.problems)}"]
    return [*lines, *home.log.last(40)]


def _code(report: dict[str, Any]) -> str:
    error = report.get("error")
    return str(error.get("code") or "") if isinstance(error, dict) else ""
