"""Versions of the program in a pack: the signed list, and the steps that are there, as objects like any other."""

from __future__ import annotations

from sync.protocol.builds import DOCUMENT, Builds, verify_builds
from sync.protocol.errors import ProtocolError
from sync.protocol.packs import Entry, PackUnreadable, Verified, Volume, object_name, read
from sync.protocol.wire_json import sha256

SMALL = 1024 * 1024
"""Bytes of a step that goes with every pack; larger ones go where somebody asks for them."""


def listed(volume: Volume, verified: Verified) -> Builds | None:
    """Return the list of versions that a pack has, None for none that the root signed. Raises PackUnreadable."""
    ref = verified.head.builds
    if ref is None or not 0 < ref.size <= DOCUMENT or volume.size(object_name(ref.hash)) != ref.size:
        return None
    try:
        data = read(volume, object_name(ref.hash), ref.size)
        return verify_builds(data, verified.roots[-1]) if sha256(data) == ref.hash else None
    except PackUnreadable:
        raise
    except ProtocolError:
        return None


def entries(volume: Volume, verified: Verified, *, everything: bool) -> list[Entry]:
    """Return the list and the steps that are in `volume`, with `everything` the large ones too. Raises
    PackUnreadable."""
    found, ref = listed(volume, verified), verified.head.builds
    if found is None or ref is None:
        return []
    steps = {way.ref.hash: way.ref for build in found.builds for way in build.ways}
    there = [
        one
        for one in steps.values()
        if (everything or one.size <= SMALL) and volume.size(object_name(one.hash)) == one.size
    ]
    return [Entry(object_name(one.hash), one.size, one.hash) for one in (ref, *there)]
