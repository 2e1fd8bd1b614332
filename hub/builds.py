"""Builds of the program that this hub gives: whole, with steps from those before, and listed under the root key.

The hub's state "builds" holds the list and the shares; the signed document and the steps are objects like files
of resources. Nothing of it is seen before it is signed and published.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import HubError, InvalidInput
from hub.fleet import checked_group
from hub.home import keys_folder
from hub.objects import object_path, open_object, put_file
from hub.publishing import epochs, keys
from sync.protocol.build_folders import BUILD, Installed, installed
from sync.protocol.build_staging import stage, verify
from sync.protocol.build_steps import write_step
from sync.protocol.builds import DOCUMENT, Build, Builds, NotABuild, Way, verify_builds, version_order
from sync.protocol.errors import ProtocolError
from sync.protocol.head import ObjectRef
from sync.protocol.telling import group_mark

STATE = "builds"
_GROUPS = 20
STEPS = 3
"""From so many builds before there are steps of their own."""


class BuildProblem(HubError):
    code = "build-problem"
    advice = "Nothing was changed. Make the package again, or give its folder as it was made."


@dataclass(frozen=True)
class Given:
    """A build that was added, and the steps to it: bytes by the version that they begin with ("" for none)."""

    build: Build
    steps: dict[str, int]


def add(home: Path, folder: Path, notes: dict[str, str] | None = None) -> Given:
    """Add the build in `folder`; it is given after the next publication.

    Raises BuildProblem, KeysUnusable (the root key has to be in `keys`), OSError.
    """
    signer = keys.read_key(keys_folder(home) / "root.key")
    made = _read(folder)
    current = _current(home)
    same = [one for one in current.builds if one.platform == made.platform]
    if any(one.version == made.version and one.tree != made.listing.name for one in same):
        raise BuildProblem(
            f"Another build of version {made.version} was given already.", "Give each build a version of its own."
        )
    before = sorted((one for one in same if one.order < made.order), key=lambda one: one.order)[-STEPS:]
    ways, steps = [], {}
    with tempfile.TemporaryDirectory(prefix="build-", dir=home) as place:
        aside = Path(place)
        ways.append(Way(_step(aside, made, None)))
        steps[""] = ways[0].ref.size
        for one in reversed(before):
            old = _unpacked(aside, one)
            ways.append(Way(_step(aside, made, old), one.tree))
            steps[one.version] = ways[-1].ref.size
    build = Build(
        made.platform, made.version, made.listing.name, made.listing.size, made.program, ways, notes or {}
    )
    builds = [one for one in current.builds if (one.platform, one.version) != (build.platform, build.version)]
    _keep(home, [*builds, build], current.number + 1, signer)
    return Given(build, steps)


def remove(home: Path, version: str) -> int:
    """Give the builds of a version no more; return how many there were. Raises KeysUnusable, OSError."""
    signer = keys.read_key(keys_folder(home) / "root.key")
    current = _current(home)
    kept = [one for one in current.builds if one.version != version]
    gone = [way.ref.hash for one in current.builds if one.version == version for way in one.ways]
    if len(kept) != len(current.builds):
        _keep(home, kept, current.number + 1, signer)
        still = {way.ref.hash for one in kept for way in one.ways}
        for digest in gone:
            if digest not in still:
                object_path(digest).unlink(missing_ok=True)
    return len(current.builds) - len(kept)


def share(version: str, percent: int, groups: Sequence[str] = ()) -> None:
    """Give a version to so many of a hundred desktops (0 to 100), and to all of some groups, after the next
    publication. Raises InvalidInput."""
    if len(groups) > _GROUPS:
        raise InvalidInput(f"A version is given to at most {_GROUPS} groups.", "Give it to a share instead.")
    state = dict(epochs.get_value(STATE, {}))
    shares = {**state.get("shares", {}), version: percent}
    state["shares"] = {key: value for key, value in shares.items() if value < 100}
    names = {**state.get("groups", {}), version: sorted({checked_group(one) for one in groups} - {""})}
    state["groups"] = {key: value for key, value in names.items() if value}
    epochs.set_value(STATE, state)


def listed(home: Path) -> list[tuple[Build, int, list[str]]]:
    """The builds that are given, the newest first, each with its share of a hundred, and its groups."""
    state = epochs.get_value(STATE, {})
    shares, groups = state.get("shares", {}), state.get("groups", {})
    found = sorted(_current(home).builds, key=lambda one: (one.order, one.platform), reverse=True)
    return [(one, int(shares.get(one.version, 100)), list(groups.get(one.version, []))) for one in found]


def of_head() -> dict[str, Any] | None:
    """What the head says of builds: the name of the signed list, the shares, and groups by their marks; None where
    there are none."""
    state = epochs.get_value(STATE, {})
    if not state.get("ref"):
        return None
    groups = {key: [group_mark(name) for name in names] for key, names in state.get("groups", {}).items()}
    return {"ref": state["ref"], "shares": state.get("shares", {})} | ({"groups": groups} if groups else {})


def objects(home: Path) -> Sequence[ObjectRef]:
    """The signed list, and every step that it names."""
    state = epochs.get_value(STATE, {})
    if not state.get("ref"):
        return []
    ways = [way.ref for one in _current(home).builds for way in one.ways]
    return [ObjectRef(state["ref"]["hash"], state["ref"]["size"]), *ways]


def _current(home: Path) -> Builds:
    ref = epochs.get_value(STATE, {}).get("ref")
    if not ref:
        return Builds(0)
    try:
        return verify_builds(open_object(ref["hash"]).read_bytes(), keys.newest_root(home))
    except ProtocolError as error:
        raise BuildProblem(f"The list of builds cannot be used ({error}).", "Restore the hub's backup.") from None


def _keep(home: Path, builds: list[Build], number: int, signer: Any) -> None:
    found = sorted(builds, key=lambda one: (one.platform, version_order(one.version)))
    document = Builds(number, found).sign([signer])
    if len(document) > DOCUMENT:
        raise BuildProblem(
            "There are more builds than a list takes.", "Remove old ones: hubshelf-hub build remove"
        )
    with tempfile.TemporaryDirectory(prefix="build-", dir=home) as place:
        path = Path(place) / "builds"
        path.write_bytes(document)
        stored = put_file(path)
    state = dict(epochs.get_value(STATE, {}))
    epochs.set_value(STATE, {**state, "ref": {"hash": stored.hash, "size": stored.size}})


def _read(folder: Path) -> Installed:
    try:
        made = installed(folder)
    except NotABuild:
        raise BuildProblem(f"{folder} has no {BUILD} that can be read.") from None
    wrong = verify(folder, made.listing)
    if wrong:
        raise BuildProblem(f"{len(wrong)} files in {folder} are not what {BUILD} says: {wrong[0]}")
    return made


def _step(aside: Path, made: Installed, old: Installed | None) -> ObjectRef:
    path = aside / "step"
    with path.open("wb") as target:
        write_step(
            target,
            made.folder,
            made.listing,
            old.folder if old else None,
            old.listing if old is not None else None,
        )
    stored = put_file(path)
    return ObjectRef(stored.hash, stored.size)


def _unpacked(aside: Path, build: Build) -> Installed:
    """A build of before, made anew from nothing."""
    whole = next(way for way in build.ways if not way.start)
    try:
        return stage(open_object(whole.ref.hash), build, None, aside)
    except ProtocolError as error:
        raise BuildProblem(f"Version {build.version} cannot be unpacked ({error}).") from None
