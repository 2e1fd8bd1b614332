"""Joining a hub with the site code of this PC: the device comes in by itself, a person says later who they are."""

from __future__ import annotations

import re

from resources_cache.errors import CacheError
from resources_cache.outbox import Item
from resources_cache.own import Own
from sync.enrolment import JOINING, Connect, Enrolled, enrol
from sync.home import Home
from sync.policies import Policies

KIND = "introduce"
"""The operation with which somebody says who they are."""
_NAME, _EMAIL = 300, 254
_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>.]+(\.[^\s@<>.]+)+")
_PATIENCE = 30.0
"""Seconds to wait for another program that joins with the same shelf."""


class NoSiteCode(CacheError):
    """Nobody decided the hub and the site code of this PC. Nothing was changed."""

    code = "no-site-code"
    default_advice = "Put hub_url and site_code into policies.json or defaults.json, or enrol with URL and CODE."


class NotAnAddress(CacheError):
    """What was given as name or e-mail address cannot be one. Nothing was kept."""

    code = "not-an-address"
    default_advice = "Give your name, and an address such as name@ministry.example."


def has_site_code(decided: Policies) -> bool:
    """Return whether a new shelf on this PC joins a hub by itself."""
    return bool(decided.value("hub_url") and decided.value("site_code"))


def join_site(home: Home, device_name: str, *, connect: Connect | None = None) -> Enrolled | None:
    """Join the hub that was decided for this PC; None where the shelf belongs to a hub already.

    Of several that try at once, in threads or programs, one asks the hub. A lost answer takes no second place: the
    same device asks again (`sync.enrolment`). Raises NoSiteCode, SyncBusy, and what `enrol` raises.
    """
    decided = home.policies
    if not has_site_code(decided):
        raise NoSiteCode("No site code was decided for this PC, so it joined no hub.")
    with home.alone(_PATIENCE):
        with home.own() as own:
            if own.setting("hub_url"):
                return None
        return enrol(home, decided.value("hub_url"), decided.value("site_code"), device_name, connect=connect)


def is_unknown(own: Own) -> bool:
    """Return whether this device came in with a site code and nobody said yet who sits here. Raises CacheError."""
    if own.setting(JOINING) is not True:
        return False
    said = own.outbox.items(["waiting", "sending", "received"])
    return not any(item.kind == KIND for item in said)


def introduce(own: Own, name: str, email: str) -> Item:
    """Say who sits here; it leaves with the next sync, like all that a person writes.

    Raises NotAnAddress, CacheError.
    """
    name, email = " ".join(name.split()), email.strip()
    if not 1 <= len(name) <= _NAME:
        raise NotAnAddress("Your name is missing, or longer than 300 characters.")
    if len(email) > _EMAIL or not _ADDRESS.fullmatch(email):
        raise NotAnAddress(f"“{email[:80]}” is not an e-mail address.")
    for refused in own.outbox.items(["attention"]):
        if refused.kind == KIND:
            own.outbox.withdraw(refused.id, instead=True)  # what was wrong with it is mended by this one
    item = own.outbox.add(KIND, name, {"name": name, "email": email})
    own.set_setting("member", name)
    return item
