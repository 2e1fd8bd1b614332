"""A newer version of the program that comes in a pack: put where updates look, so that it needs no link."""

from __future__ import annotations

from collections.abc import Callable

from resources_cache.files import FileStore
from sync.home import Home
from sync.places import builds_place
from sync.policies import policies
from sync.protocol import packs
from sync.protocol.build_folders import this_platform
from sync.protocol.builds import NotABuild
from sync.protocol.head import ObjectRef
from sync.protocol.pack_builds import listed
from sync.protocol.packs import Verified, Volume
from sync.updates.updating import Updates, installed_build

Take = Callable[[FileStore, ObjectRef], bool]


def take(home: Home, volume: Volume, verified: Verified, bring: Take) -> str:
    """Take the list of versions, and the step to the newest for this computer that the pack has; return its
    version, "" for none. `bring` brings an object into a store, verified.

    Raises PackUnreadable, CacheError, and what `bring` raises.
    """
    found, ref = listed(volume, verified), verified.head.builds
    if found is None or ref is None or not policies().value("updates"):
        return ""
    try:
        updates = Updates(home, installed_build(), builds_place())
    except NotABuild:
        return ""
    here, store = updates.here, updates.store()
    newer = [one for one in found.builds if one.platform == this_platform() and one.order > here.order]
    for build in sorted(newer, key=lambda one: one.order, reverse=True):
        way = build.way(here.listing.name)
        if way is None or volume.size(packs.object_name(way.ref.hash)) != way.ref.size:
            continue
        there = all(store.has(one.hash) or bring(store, one) for one in (ref, way.ref))
        return build.version if there else ""
    return ""
