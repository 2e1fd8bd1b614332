"""Keeping the library of a machine: a guest's shelf whose content lies where everybody on the PC can read it.

Run every quarter of an hour by an account of its own (packaging/linux/hubshelf-library.timer). It asks the hub as
any shelf does, with the limits and hours that were decided, takes in what people handed in, and opens the result.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from resources_cache.errors import CacheError
from resources_cache.files import FileStore
from resources_cache.own import Own
from resources_cache.placing import put_in_place
from sync.cancel import Cancel
from sync.engine import sync_once
from sync.enrolment import connect_guest
from sync.home import Home
from sync.machine import place as places
from sync.machine.place import Place
from sync.machine.taking import handed_name
from sync.manners import Manners
from sync.neighbours.giving import may_be_given
from sync.policies import Policies
from sync.protocol import limits
from sync.protocol.builds import DOCUMENT, verify_builds
from sync.protocol.errors import ProtocolError
from sync.protocol.trust import pin
from sync.protocol.wire_json import is_digest, sha256
from sync.report import SyncReport
from sync.transport import Transport

_HANDED_MOST = 200
"""Files that are taken in at a time."""
_BLOCK = 1 << 20


class NoMachineLibrary(CacheError):
    """Nobody decided that this PC has a library for all. Nothing was changed."""

    code = "no-machine-library"
    default_advice = "Put machine_library_mb (such as 4000) and hub_url into policies.json; docs/it/many-users.md."


class NotTheKeeper(CacheError):
    """The library belongs to another account. Nothing was changed."""

    code = "not-the-keeper"
    default_advice = "Run it as root, or as the account that the folder belongs to; docs/it/many-users.md."


@dataclass(frozen=True)
class Kept:
    """What came of it. `report`: None outside the hours. `taken`, `refused`: files that people had handed in."""

    report: SyncReport | None
    taken: int = 0
    refused: int = 0


class KeepersHome(Home):
    """The shelf behind the library: what others may have of it lies in the library itself."""

    gives = True

    def __init__(self, of: Place, decided: Policies) -> None:
        self.of = of
        super().__init__(of.shelf, decided)

    def given(self) -> FileStore:
        return self.of.objects()


def keep(
    decided: Policies,
    *,
    connect: Callable[[str | None], Transport] | None = None,
    cancel: Cancel | None = None,
    now: datetime | None = None,
) -> Kept:
    """Bring the library of this machine in step, and take in what was handed in.

    `now`: local time. Raises NoMachineLibrary, NotTheKeeper, SyncError (what joining can meet), CacheError; what a
    sync met is in the report.
    """
    of = places.place(decided)
    url = decided.value("hub_url")
    if of is None or not url:
        raise NoMachineLibrary("It was not decided that this PC has a library for all, or of which hub.")
    become_keeper(of)
    os.umask(0o022)  # what is in the library is for everybody; the shelf's own folder is not
    home = KeepersHome(of, decided)
    with home.own() as own:
        manners = Manners.of(own)
    report = None
    if not manners.wait(now or datetime.now()):
        if home.hub_url is None:
            connect_guest(home, url, connect=connect)
        with closing((connect or home.connect)(home.hub_url)) as transport:
            report = sync_once(home, transport, cancel=cancel, daily_limit=True, patience=60.0)
    taken, refused = take_in(home)
    open_to_all(home)
    if report is not None and report.up_to_date:
        of.checked.touch(0o644)
    return Kept(report, taken, refused)


def become_keeper(of: Place) -> None:
    """Be the account that the library belongs to. Raises NotTheKeeper, also where there is no folder of it."""
    if sys.platform == "win32":
        return
    try:
        owner = of.library.stat()
    except FileNotFoundError:
        raise NotTheKeeper(f"There is no folder {of.library}.") from None
    if os.geteuid() == 0 and owner.st_uid != 0:
        # Nothing of what comes from a network or from people is handled as root.
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
    if os.geteuid() != owner.st_uid:
        raise NotTheKeeper(f"{of.library} belongs to another account.")


def take_in(home: KeepersHome) -> tuple[int, int]:
    """Move into the library what people handed in and everybody may have; the rest goes.

    Returns how many files came, and how many went. Raises CacheError.
    """
    folder, taken, refused = home.of.handed_in, 0, 0
    if not folder.is_dir():
        return 0, 0
    store = home.of.files()
    with home.own() as own:
        name, versions = _list_of_versions(own), _versions(own, home.of)
    # That list first: it says which of the others are versions.
    for path in sorted(
        islice(folder.iterdir(), _HANDED_MOST), key=lambda path: path.name != handed_name(name, "")
    ):
        if path.name.startswith("coming-"):
            if _is_old(path):
                _remove(path)
            continue
        if _take(home, store, path, versions | {name}):
            taken += 1
            if path.name == handed_name(name, ""):
                with home.own() as own:
                    versions = _versions(own, home.of)
        else:
            refused += 1
        _remove(path)
    store.evict(())
    return taken, refused


def open_to_all(home: KeepersHome) -> None:
    """Let everybody read what is in the library, and name its newest complete head last. Raises CacheError."""
    of = home.of
    for store in (of.objects(), of.files()):
        store.evict(())
        if os.name == "posix":
            for path in store.root.glob("??/*"):
                if path.stat().st_mode & 0o777 != 0o644:
                    path.chmod(0o644)
    with home.own() as own, home.library() as library:
        stored, root, complete = library.head(), own.setting("root"), own.setting("complete_at")
    if stored is None or not isinstance(root, str) or not isinstance(complete, list):
        return
    if tuple(complete[:2]) == (stored.epoch, stored.version):
        _write(of.root, root.encode())
        _write(of.head, stored.body)


def _take(home: KeepersHome, store: FileStore, path: Path, versions: frozenset[str]) -> bool:
    """Copy a file, which whoever handed it in may still be changing, and look at the copy."""
    digest, _dash, resource = path.name.partition("-")
    if not is_digest(digest) or store.has(digest):
        return False
    try:
        of = bytes.fromhex(resource).decode()
    except ValueError:
        return False
    with home.library() as library:
        if not (may_be_given(library, of, digest) if of else digest in versions):
            return False
    handle = places.opened(path, min(limits.FILE, store.quota_bytes))
    if handle is None:
        return False
    with os.fdopen(handle, "rb") as source:
        size = os.fstat(source.fileno()).st_size
        try:
            with store.partial(digest, size) as partial:
                partial.restart()
                while block := source.read(min(_BLOCK, size + 1 - partial.offset)):
                    partial.write(block)
                partial.finish()
        except (CacheError, OSError):
            return False  # other bytes than its name says, or no room
    return True


def _list_of_versions(own: Own) -> str:
    """The hash of the list of the program's versions that the hub's head names; "" for none."""
    said: Any = own.setting("builds")
    name = said.get("hash") if isinstance(said, dict) else None
    return name if isinstance(name, str) and is_digest(name) else ""


def _versions(own: Own, of: Place) -> frozenset[str]:
    """The hashes of what the hub's list of versions names, where that list was handed in."""
    name, root = _list_of_versions(own), own.setting("root")
    if not name or not isinstance(root, str):
        return frozenset()
    document = places.read(of.named("files", name), DOCUMENT)
    if document is None or sha256(document) != name:
        return frozenset()
    try:
        listed = verify_builds(document, pin(root.encode()))
    except ProtocolError:
        return frozenset()
    return frozenset(way.ref.hash for build in listed.builds for way in build.ways)


def _is_old(path: Path) -> bool:
    """Whether nothing was added to it for an hour: whoever began it is gone."""
    try:
        return datetime.now().timestamp() - path.lstat().st_mtime > 3600
    except OSError:
        return False


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def _write(path: Path, data: bytes) -> None:
    if places.read(path, len(data)) == data:
        return
    aside = path.with_name(f"{path.name}.new")
    aside.write_bytes(data)
    put_in_place(aside, path)
