"""The home folder of a shelf: where its stores are, and which hub it belongs to."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from resources_cache.errors import SettingLocked, StoreUnwritable
from resources_cache.files import FileStore
from resources_cache.library import Library
from resources_cache.own import Own
from sync.errors import SecretsUnusable, SyncBusy
from sync.locks import FolderLock
from sync.logbook import Logbook
from sync.network import Network
from sync.policies import Policies, expanded, policies
from sync.secrets import Secrets

if TYPE_CHECKING:
    from sync.transport import Transport

_FILES_QUOTA = 2 * 1024 * 1024 * 1024
"""Bytes for downloaded files where the person chose nothing (setting `files_quota`)."""
_LOOK_AGAIN = 0.1  # seconds
_GIVEN_QUOTA = 256 * 1024 * 1024
"""Bytes of segments and documents that are kept to be given to neighbours."""
_INCOMING_QUOTA = 64 * 1024 * 1024
"""Bytes of segments that are on their way; each is at most 1 MB and goes when it is applied."""


def default_home() -> Path:
    """Return the folder that `HUBSHELF_HOME` names, else the one that was decided for this machine, else the one
    where this system keeps a person's data."""
    given = os.environ.get("HUBSHELF_HOME")
    if given:
        return Path(given)
    decided = policies().value("shelf_folder")
    return expanded(decided) if decided else user_data_path("Hubshelf", appauthor=False)


def require_allowed(home: Path) -> None:
    """Raise SettingLocked where the administrator decided that shelves are in another folder than `home`."""
    found = policies()
    if not found.is_locked("shelf_folder"):
        return
    decided = expanded(found.value("shelf_folder"))
    if home.absolute() != decided.absolute():
        raise SettingLocked(f"Your administrator decided that a shelf on this PC is in {decided}.")


OWN_BEGUN_ANEW, OWN_FROM_BACKUP, LIBRARY_BEGUN_ANEW = "own-begun-anew", "own-from-backup", "library-begun-anew"
_MENDED = "mended.txt"
_MENDED_MOST = 4096  # bytes


class Home:
    """One shelf. Each call opens a new object for the calling thread, which closes it."""

    gives = False
    """Whether content is kept for others even where nobody chose to share it."""

    def __init__(self, path: Path, decided: Policies | None = None) -> None:
        """Make the folder, private to its owner, where it is missing. Raises StoreUnwritable.

        `decided`: what the administrator decided; this machine's where it is not given, as of now.
        """
        self.path = Path(path)
        self.policies = policies() if decided is None else decided
        try:
            self.path.mkdir(mode=0o700, parents=True)
            # mkdir's mode is cut by the umask and means nothing on some systems.
            with contextlib.suppress(OSError):
                self.path.chmod(0o700)
        except FileExistsError:
            pass  # perhaps another thread of a window that opens for the first time was faster
        except OSError as error:
            raise StoreUnwritable(f"The folder {self.path} cannot be made ({error.strerror or error}).") from None

    def library(self) -> Library:
        """Open what came from the hub; `mended` then has what was done about damage. Raises CacheError."""
        library = Library(self.path / "library.db")
        if library.recovered is not None:
            self._note(LIBRARY_BEGUN_ANEW)
        return library

    def own(self) -> Own:
        """Open the person's own work, with what was decided for this machine laid over its settings.

        `mended` then has what was done about damage. Raises CacheError.
        """
        own = Own(self.path / "own.db")
        locked, defaults = self.policies.settings()
        hub = self.policies.locked.get("hub_url")
        if hub is not None and own.setting("hub_url"):
            # A hub that moved: who joined it follows. Its keys prove that it is the same.
            locked["hub_url"] = hub[0]
        own.decide(locked, defaults)
        if own.recovered is not None:
            self._note(OWN_FROM_BACKUP if own.from_backup else OWN_BEGUN_ANEW)
        return own

    def mended(self) -> list[str]:
        """What was done about damaged stores since the person was last told, the gravest first.

        Whichever program opens a store mends it: the window may learn of it from here alone.
        """
        try:
            noted = (self.path / _MENDED).read_bytes()[:_MENDED_MOST].decode("utf-8", "replace").split()
        except OSError:
            return []
        return [one for one in (OWN_BEGUN_ANEW, OWN_FROM_BACKUP, LIBRARY_BEGUN_ANEW) if one in noted]

    def told(self) -> None:
        """The person was told of what `mended` had."""
        with contextlib.suppress(OSError):
            (self.path / _MENDED).unlink(missing_ok=True)

    def _note(self, what: str) -> None:
        # What was mended is mended, whether or not it can be told.
        with contextlib.suppress(OSError), (self.path / _MENDED).open("a", encoding="utf-8") as file:
            file.write(f"{what}\n")

    def files(self) -> FileStore:
        """Open the downloaded files; their quota is the setting `files_quota` (bytes). Raises CacheError."""
        with self.own() as own:
            quota = own.setting("files_quota", _FILES_QUOTA)
        return FileStore(self.path / "files", quota if isinstance(quota, int) else _FILES_QUOTA)

    def incoming(self) -> FileStore:
        """Open the segments that are on their way. Raises CacheError."""
        return FileStore(self.path / "incoming", _INCOMING_QUOTA)

    def given(self) -> FileStore:
        """Open what this shelf keeps to give to neighbours. Raises CacheError."""
        return FileStore(self.path / "given", _GIVEN_QUOTA)

    @property
    def log(self) -> Logbook:
        """What the program did on this shelf, without a word of anybody."""
        return Logbook(self.path)

    def secrets(self) -> Secrets:
        """Return the device's secrets."""
        return Secrets(self.path)

    @contextmanager
    def alone(self, patience: float = 0.0) -> Iterator[None]:
        """Keep every other sync of this shelf out meanwhile, waiting up to `patience` seconds for one that is at
        work. Raises SyncBusy, StoreUnwritable."""
        lock = FolderLock(self.path / "sync.lock")
        end = time.monotonic() + patience
        try:
            while not (held := lock.take()) and time.monotonic() < end:
                time.sleep(_LOOK_AGAIN)
        except OSError as error:
            raise StoreUnwritable(f"The shelf's folder is not writable ({error.strerror or error}).") from None
        if not held:
            raise SyncBusy("Another sync is working on this shelf right now.")
        try:
            yield
        finally:
            lock.release()

    def network(self, own: Own | None = None) -> Network:
        """Return how this shelf reaches the network; `own` where it is open already. Raises CacheError."""
        with nullcontext(own) if own is not None else self.own() as settings:
            mode, proxy = settings.setting("proxy_mode"), settings.setting("proxy_url")
        login = None
        with contextlib.suppress(SecretsUnusable):  # the proxy will ask then
            login = self.secrets().proxy_login()
        bundle = self.policies.value("ca_bundle")
        return Network(
            mode if isinstance(mode, str) else "system",
            proxy if isinstance(proxy, str) else "",
            expanded(bundle) if bundle else None,
            login,
        )

    def connect(self, base: str | None) -> Transport:
        """Return a transport to the hub at `base`. Raises NotEnrolled for None, InsecureAddress, CacheError."""
        from sync.transport import HttpTransport  # seldom needed: most commands ask nobody

        return HttpTransport(base, network=self.network())

    @property
    def hub_url(self) -> str | None:
        """The hub's base address, or None. Raises CacheError."""
        return self._text("hub_url")

    @property
    def hub_name(self) -> str | None:
        """The hub's name, or None. Raises CacheError."""
        return self._text("hub_name")

    @property
    def member(self) -> str | None:
        """The member's name on the hub; None for a guest. Raises CacheError."""
        return self._text("member")

    def _text(self, key: str) -> str | None:
        with self.own() as own:
            value = own.setting(key)
        return value if isinstance(value, str) and value else None
