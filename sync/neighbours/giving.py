"""What this shelf can give to neighbours: what the hub publishes for all, and nothing of a person.

Each thing is asked for by its hash or is the signed head. Files are given only where a record on the shelf says
that they may be redistributed; what members alone may read is given as it came, sealed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from resources_cache.errors import CacheError, NotFound
from resources_cache.library import Library
from resources_cache.own import Own
from sync.home import Home
from sync.protocol import documents, packs
from sync.protocol.errors import ProtocolError
from sync.protocol.neighbours import private_base
from sync.protocol.pack_volumes import FolderVolume
from sync.protocol.packs import PackError
from sync.protocol.paths import DOCUMENTS, HEAD, OBJECTS, ROOT
from sync.protocol.trust import pin
from sync.protocol.wire_json import is_digest, sha256

SHARING = "lan_sharing"
THERE = "neighbours_now"
"""Setting: addresses of the neighbours that were there when they were asked last, for files."""
ADDRESSES = "neighbours"
"""Setting: addresses of neighbours that a person or an administrator named."""
COUNTS = "neighbour_counts"
"""Setting: `{"given", "taken"}`, bytes since it was allowed."""
SETTING = "giveable_files"
"""Setting: by the hash of a downloaded file, the record that it belongs to."""
FILES_MOST = 1_000
_FRESH_S = 1.0


def shares(own: Own) -> bool:
    """Whether this shelf gives to neighbours and takes from them: asked once, and no as long as nobody said yes.

    What an administrator decided is laid over the settings (`sync.home`), and so comes first. Raises CacheError.
    """
    return own.setting(SHARING) is True


def near(own: Own) -> list[str]:
    """Addresses of neighbours that may have a file; none where this shelf does not share. Raises CacheError."""
    kept = own.setting(THERE) if shares(own) else None
    found = [private_base(one) for one in kept if isinstance(one, str)] if isinstance(kept, list) else []
    return [one for one in found if one is not None]


def note_file(own: Own, hash_: str, resource: str) -> None:
    """A file of a record is here; whether it may be given is looked up when somebody asks. Raises CacheError."""
    kept = own.setting(SETTING)
    files = {key: value for key, value in kept.items() if key != hash_} if isinstance(kept, dict) else {}
    files[hash_] = resource
    own.set_setting(SETTING, dict(list(files.items())[-FILES_MOST:]))


def may_be_given(library: Library, resource: str, digest: str) -> bool:
    """Whether a public record names a file, and says that it may be given on. Raises CacheError."""
    record = library.get(resource)
    if record is None or record.get("redistributable") is not True:
        return False
    listed = record.get("files")
    return any(isinstance(one, dict) and one.get("hash") == digest for one in listed or [])


class Given:
    """Opens what is asked for. May be used by any thread; each call opens what it needs."""

    def __init__(self, home: Home, clock: Callable[[], float] = time.monotonic) -> None:
        self._home = home
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._head: bytes | None = None
        self._order = (0, 0)
        self._complete = False
        self._root: bytes | None = None
        self._version = 0

    def state(self) -> tuple[tuple[int, int], bool]:
        """(epoch, version) of the head that is here, and whether all that the shelf keeps is, as of it."""
        self._refresh()
        return self._order, self._complete

    def forget(self) -> None:
        """Look again at the next question: this shelf knows that something changed."""
        with self._lock:
            self._read_at = float("-inf")

    def open(self, path: str) -> bytes | BinaryIO | None:
        """Return what a path of the public plane names: bytes, a file to be closed, or None."""
        self._refresh()
        if path == HEAD:
            return self._head
        folder, _slash, name = path.rpartition("/")
        if f"{folder}/" == ROOT:
            return self._root if name == str(self._version) else None
        if not is_digest(name):
            return None
        try:
            if f"{folder}/" == DOCUMENTS:
                return self._document(name)
            if f"{folder}/" == OBJECTS:
                return self._object(name)
        except (CacheError, PackError, OSError):
            return None
        return None

    def _document(self, digest: str) -> bytes | None:
        raw = self._kept(digest)
        if raw is not None:
            return documents.pack(raw)
        volume = FolderVolume(self._home.path / "carry")
        name = packs.document_name(digest)
        return None if volume.size(name) is None else packs.read(volume, name, 8 * 1024 * 1024)

    def _object(self, digest: str) -> bytes | BinaryIO | None:
        given = self._home.given()
        if given.has(digest):
            return given.path(digest).open("rb")
        with self._home.library() as library:
            body = library.document(digest)
        if body is not None and sha256(body) == digest:
            return body
        volume = FolderVolume(self._home.path / "carry")
        for name in (packs.object_name(digest), packs.sealed_name(digest)):
            if volume.size(name) is not None:
                return volume.open(name)
        path = self._file(digest)
        return None if path is None else path.open("rb")

    def _kept(self, digest: str) -> bytes | None:
        with self._home.library() as library:
            body = library.document(digest)
        if body is None:
            given = self._home.given()
            body = given.path(digest).read_bytes() if given.has(digest) else None
        return body if body is not None and sha256(body) == digest else None

    def _file(self, digest: str) -> Path | None:
        """Where a downloaded file lies, if the record that it belongs to still lets it be given on."""
        with self._home.own() as own:
            kept = own.setting(SETTING)
        resource = kept.get(digest) if isinstance(kept, dict) else None
        if not isinstance(resource, str):
            return None
        with self._home.library() as library:
            if not may_be_given(library, resource, digest):
                return None
        try:
            return self._home.files().path(digest)
        except NotFound:
            return None

    def _refresh(self) -> None:
        with self._lock:
            if self._clock() - self._read_at < _FRESH_S:
                return
            self._read_at = self._clock()
            try:
                with self._home.library() as library, self._home.own() as own:
                    stored, document = library.head(), own.setting("root")
                    complete = own.setting("complete_at")
            except CacheError:
                return
            self._head = None if stored is None else stored.body
            self._order = (0, 0) if stored is None else (stored.epoch, stored.version)
            self._complete = isinstance(complete, list) and tuple(complete[:2]) == self._order
            try:
                root = pin(document.encode()) if isinstance(document, str) else None
            except ProtocolError:
                root = None
            self._root = None if root is None else root.document
            self._version = 0 if root is None else root.version
