"""One's own files by hand: what is attached to questions goes sealed to the hub with a pack, and the files of
answers come back with one.

What was left on a stick still goes by wire where a link comes first: the hub takes a file once. It is sealed alike
each time, so that the next pack on the same stick has it already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from resources_cache.attachments import Attachments, Upload, open_files
from resources_cache.errors import CacheError, FileDamaged, NotFound
from resources_cache.files import FileStore
from resources_cache.library import Library
from resources_cache.own import Own
from resources_cache.records import PERSONAL
from sync.cancel import Cancel
from sync.home import Home
from sync.packs.watched import Watched
from sync.protocol import packs, uploads
from sync.protocol.by_hand import FILES, tag_of
from sync.protocol.errors import ProtocolError
from sync.protocol.messages import token_hash
from sync.protocol.packs import Entry, Lying, NotInPack, PackDamaged, PackUnreadable, Volume
from sync.protocol.parcels import Opened, Sealed, open_return, to_hub
from sync.protocol.wire_json import is_digest
from sync.report import Progress, ProgressCallback

_SENT = "parcels_sent"
"""Setting: the names of the newest sealed files of this shelf."""
_CAME = "returns_came"
"""Setting: the newest files of answers that came by hand; one that the person removes is not asked for again."""
_KEPT = 400
_BLOCK = 256 * 1024
_digests: dict[bytes, str] = {}
"""What sealed files are called, by what stands before their pieces, which no two have alike: sealing a file to
know its name takes a second for each 500 MB."""


@dataclass
class Outgoing:
    """Files that leave this shelf, as a volume that seals them while they are read."""

    files: FileStore
    uploads: dict[str, Upload] = field(default_factory=dict)
    """By the name of the parcel in a pack."""
    entries: list[Entry] = field(default_factory=list)
    _sealed: dict[str, Sealed] = field(default_factory=dict)

    @property
    def hashes(self) -> list[str]:
        return [one.hash for one in self.uploads.values()]

    @property
    def file_bytes(self) -> int:
        return sum(one.size for one in self.uploads.values())

    def add(self, one: Upload, sealed: Sealed) -> None:
        """Add a file; one whose copy is missing or damaged stays, and the next sync says so."""
        with suppress(OSError, NotFound, PackDamaged):
            digest = _digests.get(sealed.head) or sealed.digest(_checked(self.files.path(one.hash), one))
            _digests[sealed.head] = digest
            name = packs.parcel_name(digest)
            self.uploads[name], self._sealed[name] = one, sealed
            self.entries.append(Entry(name, sealed.length, digest))

    def size(self, name: str) -> int | None:
        found = self._sealed.get(name)
        return None if found is None else found.length

    def open(self, name: str) -> BinaryIO:
        one, sealed = self.uploads[name], self._sealed[name]
        try:
            return sealed.file(_checked(self.files.path(one.hash), one))
        except NotFound:
            raise NotInPack("The shelf's copy of an attachment is missing.") from None

    def names(self, folder: str, most: int) -> list[str]:
        del folder, most
        return []


def outgoing(home: Home, own: Own, token: str, hub: bytes) -> Outgoing:
    """Return the attachments of what waits, or was received without them, sealed by the device with this token
    for the hub with this key. Raises CacheError, Malformed."""
    queue = Attachments.of(own, open_files(home.path, uploads.FILE))
    found = Outgoing(queue.files)
    left = packs.PARCEL_BYTES
    for one in queue.outstanding():
        sealed = to_hub(token, hub, one.hash, one.size)
        if one.state != "attention" and sealed.length <= left and len(found.entries) < FILES:
            left -= sealed.length
            found.add(one, sealed)
    return found


def leave(own: Own, found: Outgoing) -> None:
    """Note, before they leave, which parcels are this shelf's own. Raises CacheError."""
    if found.entries:
        names = [*mine(own), *(entry.digest for entry in found.entries)]
        own.set_setting(_SENT, list(dict.fromkeys(reversed(names)))[:_KEPT][::-1])


def mine(own: Own) -> list[str]:
    """Return the names of this shelf's own parcels, as far as they are kept."""
    return _texts(own, _SENT)


def left(home: Home, own: Own, found: Outgoing, names: Iterable[str]) -> list[Upload]:
    """Note which files were left on a stick, of those in `found`: parcels with these names. Returns them.

    Raises CacheError.
    """
    there = [found.uploads[name] for name in names if name in found.uploads]
    Attachments.of(own, open_files(home.path, uploads.FILE)).left_by_hand([one.hash for one in there])
    return there


def confirm(home: Home, own: Own, arrived: Iterable[str]) -> int:
    """Note which files the hub has, as it said by hand; return how many had not arrived before. Raises
    CacheError."""
    queue = Attachments.of(own, open_files(home.path, uploads.FILE))
    waiting = {one.hash for one in queue.outstanding()}
    found = [one for one in arrived if one in waiting]
    for one in found:
        queue.delivered(one)
    return len(found)


def wants(home: Home, own: Own, library: Library) -> list[str]:
    """Return which files of answers are not here, for the next letter. Raises CacheError."""
    came = set(_texts(own, _CAME))
    return [one for one in _lacking(library, home.files()) if one not in came][:FILES]


def take_returns(
    home: Home,
    own: Own,
    library: Library,
    volume: Volume,
    progress: ProgressCallback | None = None,
    cancel: Cancel | None = None,
) -> tuple[int, int, int]:
    """Take the files of answers that a pack has for this device: they are then downloaded.

    Only what one's records name is taken, and each is checked against its hash before it can be seen. Returns
    (files, bytes, files that found no room in the quota). Raises PackUnreadable, Cancelled, SecretsUnusable,
    CacheError.
    """
    token = None if own.setting("guest", False) else home.secrets().token()
    if not token:
        return 0, 0, 0
    hashed, store = token_hash(token), home.files()
    lacking = _lacking(library, store)
    todo = list(packs.returns(volume, tag_of(hashed)))[: 2 * FILES] if lacking else []
    total, done, count, kept_out, room = sum(one.size for one in todo), 0, 0, 0, store.quota_bytes - store.used()
    source = Watched(volume, cancel)
    size = 0
    for one in todo:
        found = _open(source, one, hashed)
        if found is not None and lacking.get(found.hash) == found.size:
            if found.size > room:
                kept_out += 1
            elif _take(source, one, hashed, store):
                count, size, room = count + 1, size + found.size, room - found.size
                del lacking[found.hash]
                own.downloads.remove(found.hash)
                own.set_setting(_CAME, [*_texts(own, _CAME), found.hash][-_KEPT:])
        done += one.size
        if progress is not None:
            progress(Progress("files", done, total))
    return count, size, kept_out


def _open(source: Volume, one: Lying, hashed: str) -> Opened | None:
    """Which file a return has; None where it is none for this device."""
    try:
        with source.open(one.name) as file:
            return open_return(file, one.size, hashed)
    except PackUnreadable:
        raise
    except ProtocolError:
        return None


def _take(source: Volume, one: Lying, hashed: str, store: FileStore) -> bool:
    """Bring a file in; what a link or another stick has brought of it is not written twice, and, where that was
    wrong, all of it once more. False where it is not what it should be."""
    for _attempt in range(2):
        with source.open(one.name) as file:
            found = open_return(file, one.size, hashed)
            with store.partial(found.hash, found.size) as partial:
                begun = partial.offset
                try:
                    for block in found.blocks(begun):
                        partial.write(block)
                    partial.finish()
                    return True
                except PackUnreadable:
                    raise
                except (ProtocolError, FileDamaged):
                    if not begun:
                        return False
                    with suppress(CacheError):
                        partial.discard()
    return False


def _lacking(library: Library, store: FileStore) -> dict[str, int]:
    """The files of answers that are not here: SHA-256 and bytes, those of the newest records first."""
    found: dict[str, int] = {}
    for record in library.newest([PERSONAL]):
        if record.get("type") != "reply" or record.get("mine") is True:
            continue
        for one in _dicts(record.get("attachments")):
            hash_, size = one.get("hash"), one.get("size")
            if isinstance(hash_, str) and is_digest(hash_) and isinstance(size, int) and 0 < size <= uploads.FILE:
                found[hash_] = size
    return {hash_: size for hash_, size in found.items() if not store.has(hash_)}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(own: Own, key: str) -> list[str]:
    found = own.setting(key)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _checked(path: Path, one: Upload) -> Iterator[bytes]:
    """The bytes of a copy; PackDamaged after some of them where it is not what it was."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            yield block
    if digest.hexdigest() != one.hash:
        raise PackDamaged("The shelf's copy of an attachment is damaged.")
