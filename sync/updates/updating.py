"""From the list that the hub's head names to a new build that starts the next time.

Looking costs the list, some hundred bytes, when it changed; fetching costs the step from the build that is here.
Both are objects like files: they come from neighbours and mirrors too, go on where they stopped, and are verified.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources_cache.database import known_errors
from resources_cache.files import FileStore
from resources_cache.own import Own
from sync.cancel import Cancel
from sync.errors import NotEnrolled, from_wire
from sync.files import Connect, fetch_file
from sync.home import Home
from sync.machine.taking import hand_in
from sync.policies import policies
from sync.protocol.build_folders import Installed, installed, running, this_platform
from sync.protocol.build_staging import folder_name, is_whole, stage
from sync.protocol.builds import DOCUMENT, Build, BuildDamaged, NotABuild, Way, verify_builds
from sync.protocol.errors import ProtocolError, RolledBack
from sync.protocol.head import ObjectRef
from sync.protocol.telling import group_mark
from sync.protocol.trust import pin
from sync.protocol.wire_json import is_digest
from sync.report import Progress, ProgressCallback
from sync.telling import group_of
from sync.updates import starting
from sync.updates.errors import NothingBefore, NoUpdate, UpdatesOff
from sync.updates.starting import Standing, Used

_FETCHED = "fetched"
_QUOTA = 4 * 1024**3

Program = Callable[[], Installed]


@dataclass(frozen=True)
class Update:
    """A build that is newer than the one here: what it is, how it comes, and bytes that are still to come."""

    build: Build
    way: Way
    left: int

    @property
    def notes(self) -> dict[str, str]:
        """What is new in it, by language."""
        return dict(self.build.notes)


def installed_build() -> Installed:
    """The build that was installed on this computer, whichever runs. Raises NotABuild."""
    here = os.environ.get(starting.STARTED)
    return installed(Path(here)) if here and Path(here).is_dir() else running()


def running_version() -> str:
    """The version of the build that runs. Raises NotABuild."""
    try:
        return running().version
    except NotABuild:
        return installed_build().version


class Updates:
    """The updates of one program by the hub of one shelf. For one thread at a time."""

    def __init__(self, home: Home, here: Installed, place: Path, connect: Connect | None = None) -> None:
        """`here`: the build that was installed; `place`: where newer ones are made."""
        self._home = home
        self.installed = here
        self.place = place
        self._connect = connect

    @property
    def standing(self) -> Standing:
        return starting.read(self.place)

    @property
    def here(self) -> Installed:
        """The newest build that is whole on this computer."""
        current = self.standing.current
        if current is not None:
            try:
                found = installed(self.place / current.folder)
                if found.order > self.installed.order:
                    return found
            except NotABuild:
                pass
        return self.installed

    def look(self, cancel: Cancel | None = None) -> Update:
        """Return what is to be had for this computer.

        Raises UpdatesOff, NoUpdate, NotEnrolled, SyncError (what fetching the list can meet; NotTrusted for one
        that is not signed by the hub's root), CacheError.
        """
        if not policies().value("updates"):
            raise UpdatesOff("An administrator decided that this program does not bring itself up to date.")
        with self._home.own() as own:
            said, document, seen = own.setting("builds"), own.setting("root"), own.setting("builds_seen", 0)
            chance, mark = _chance(own), group_mark(group_of(own))
        if not isinstance(document, str):
            raise NotEnrolled("This shelf belongs to no hub yet.")
        ref = _ref(said)
        if ref is None:
            raise NoUpdate("Your hub gives no versions of the program.")
        store = self.store()
        path = self._fetch(store, ref, None, cancel)
        try:
            root = pin(document.encode())
            listed = verify_builds(path.read_bytes(), root)
            if listed.number < seen:
                raise RolledBack("The hub offered an older list of versions than this shelf has seen.")
        except ProtocolError as error:
            raise from_wire(error) from None
        with self._home.own() as own:
            if listed.number != seen:
                own.set_setting("builds_seen", listed.number)
        here = self.here
        mine = [one for one in listed.builds if _is_given(one, said, chance, mark)]
        fitting = [one for one in mine if self._fits(one, here)]
        best = max(fitting, key=lambda one: one.order, default=None)
        way = best.way(here.listing.name) if best is not None else None
        if best is None or way is None:
            raise NoUpdate(f"Version {here.version} is the newest that your hub gives to this computer.")
        return Update(best, way, self._left(store, way.ref))

    def get(
        self, update: Update, progress: ProgressCallback | None = None, cancel: Cancel | None = None
    ) -> Installed:
        """Fetch an update and make it ready: it runs from the next start on.

        Where the step does not fit what is here, the whole build is fetched. Raises SyncError (what fetching can
        meet), BuildDamaged, BuildNoRoom, CacheError; the build that is here goes on then, and what was
        fetched is kept.
        """
        try:
            made = self._bring(update.build, update.way, progress, cancel)
        except BuildDamaged:
            whole = next((way for way in update.build.ways if not way.start), None)
            if whole is None or whole == update.way:
                raise
            made = self._bring(update.build, whole, progress, cancel)
        with self._home.own() as own:
            own.backup()  # before a program that this shelf has never met
        with known_errors(self.place):
            self._use(made)
        return made

    def back(self) -> str:
        """Go back to the build before, from the next start on; return its version.

        Raises NothingBefore, CacheError.
        """
        standing = self.standing
        if standing.current is None:
            raise NothingBefore("There is no update to go back from.")
        after = starting.left(standing)
        with known_errors(self.place):
            starting.write(self.place, after)
        return after.current.version if after.current is not None else self.installed.version

    def tidy(self) -> None:
        """Remove builds that nothing needs any more. Raises OSError."""
        standing = self.standing
        needed = {one.folder for one in (standing.current, standing.before) if one is not None}
        for folder in self.place.iterdir() if self.place.is_dir() else ():
            if folder.is_dir() and folder.name not in needed and folder.name != _FETCHED:
                shutil.rmtree(folder, ignore_errors=True)

    def _fits(self, build: Build, here: Installed) -> bool:
        return (
            build.platform == this_platform() == here.platform
            and build.order > here.order
            and folder_name(build) not in self.standing.bad
        )

    def _bring(
        self, build: Build, way: Way, progress: ProgressCallback | None, cancel: Cancel | None
    ) -> Installed:
        store = self.store()
        step = self._fetch(store, way.ref, progress, cancel)

        def told(done: int, total: int) -> None:
            if cancel is not None:
                cancel.check()
            if progress is not None:
                progress(Progress("applying", done, total, stream=build.version))

        with known_errors(self.place):
            made = stage(step, build, self.here, self.place, told)
            step.unlink(missing_ok=True)
        return made

    def _fetch(
        self, store: FileStore, ref: ObjectRef, progress: ProgressCallback | None, cancel: Cancel | None
    ) -> Path:
        source = policies().value("update_source")
        path = fetch_file(
            self._home,
            ref.hash,
            ref.size,
            progress,
            cancel,
            store=store,
            connect=self._connect,
            first=[source] if source else [],
        )
        hand_in(self._home, ref.hash, "", path)
        return path

    def _use(self, made: Installed) -> None:
        if not is_whole(made):
            raise BuildDamaged("A file of the new version went away while it was made.")
        standing = self.standing
        used = Used(made.folder.name, made.version, made.program)
        # The one before is the one that came up, not one that was made and never begun.
        before = standing.current if standing.current != used and not standing.tries else standing.before
        starting.write(self.place, Standing(used, before, 0, standing.bad))
        self.tidy()

    def store(self) -> FileStore:
        """Where lists and steps are until they are used."""
        return FileStore(self.place / _FETCHED, _QUOTA)

    def _left(self, store: FileStore, ref: ObjectRef) -> int:
        return 0 if store.has(ref.hash) else ref.size - store.partial_size(ref.hash)


def _chance(own: Own) -> int:
    """A number of this shelf, 0 to 99, drawn once: who is among the first that take a version."""
    found = own.setting("rollout")
    if not isinstance(found, int) or not 0 <= found < 100:
        found = random.SystemRandom().randrange(100)
        own.set_setting("rollout", found)
    return found


def _is_given(build: Build, said: object, chance: int, mark: str) -> bool:
    """Whether a version is for this computer: by the group that it is in, or by its number of a hundred."""
    given: dict[str, Any] = said if isinstance(said, dict) else {}
    groups, shares = given.get("groups"), given.get("shares")
    marks = groups.get(build.version) if isinstance(groups, dict) else None
    if mark and isinstance(marks, list) and mark in marks:
        return True
    share = shares.get(build.version, 100) if isinstance(shares, dict) else 100
    return isinstance(share, int) and chance < share


def _ref(said: object) -> ObjectRef | None:
    if not isinstance(said, dict):
        return None
    name, size = said.get("hash"), said.get("size")
    if not isinstance(name, str) or not is_digest(name) or not isinstance(size, int) or not 0 < size <= DOCUMENT:
        return None
    return ObjectRef(name, size)
