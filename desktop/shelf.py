"""The stores as one thread sees them: opened at first use, closed together."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from desktop.words import language

if TYPE_CHECKING:
    from resources_cache.files import FileStore
    from resources_cache.library import Library
    from resources_cache.own import Own
    from sync.home import Home

_LIBRARY_KB = 3_000  # each thread of the window has a connection; what it reads is in the system's memory anyway


class Shelf:
    """Library, own work and files of one home folder, for the thread that made it and no other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._home: Home | None = None
        self._library: Library | None = None
        self._own: Own | None = None
        self._files: FileStore | None = None

    def __enter__(self) -> Shelf:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    @property
    def home(self) -> Home:
        """The home folder as the engine knows it (imported here: the window paints before it is needed)."""
        if self._home is None:
            from sync.home import Home

            self._home = Home(self.path)
        return self._home

    @property
    def library(self) -> Library:
        """What came from the hub. Raises CacheError when it cannot be opened."""
        if self._library is None:
            self._library = self.home.library()
            self._library.keep_in_memory(_LIBRARY_KB)
        return self._library

    @property
    def own(self) -> Own:
        """The person's own work. Raises CacheError when it cannot be opened."""
        if self._own is None:
            self._own = self.home.own()
        return self._own

    @property
    def files(self) -> FileStore:
        """Downloaded files, by content."""
        if self._files is None:
            self._files = self.home.files()
        return self._files

    @property
    def reads(self) -> list[str]:
        """The languages of the person: those that they chose to keep, else the window's."""
        return [str(tag) for tag in self.own.setting("languages") or []] or [language()]

    def close(self) -> None:
        """Close what was opened."""
        for store in (self._library, self._own):
            if store is not None:
                store.close()
        self._library = self._own = self._files = None
