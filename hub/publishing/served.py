"""What is published, on disk: immutable objects and documents by hash, and the head that leads to them.

`served/objects/ab/<hash>` holds segments and the bulk objects of snapshots, `served/documents/ab/<hash>` holds
packed documents, named by the hash of their raw JSON. What belongs to a feed for members is sealed and lies in
`members/ab/<hash>`, documents too, each named by the hash of its sealed bytes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backports import zstd

from hub.home import members_folder, served_folder
from hub.models import HubState
from hub.publishing import member_keys
from hub.publishing.keys import KeysUnusable
from sync.protocol import documents, limits, sealed
from sync.protocol.errors import ProtocolError
from sync.protocol.feeds import SegmentRef
from sync.protocol.head import ObjectRef
from sync.protocol.wire_json import is_digest, sha256

OBJECT, DOCUMENT, SEALED = "o", "d", "s"
"""Kinds of names, as ServedName keeps them; objects and documents for members are both SEALED."""
INDEXES = "indexes"
"""The state under which the epoch and the indexes of its newest versions are kept."""


def put(home: Path, data: bytes, feed: str = "") -> ObjectRef:
    """Store an immutable object of `feed` and return its name; the same bytes are stored once, unless sealed."""
    data = _as_sent(home, data, feed)
    ref = ObjectRef(sha256(data), len(data))
    path = path_of(home, object_kind(feed), ref.hash)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, data)
    return ref


def put_document(home: Path, raw: bytes, feed: str = "") -> ObjectRef:
    """Store a document of `feed`, packed, and return its name: hash and size of its raw JSON, or as sealed."""
    ref = ObjectRef(sha256(raw), len(raw))
    if ref.size > limits.DOCUMENT:
        raise AssertionError(f"a document of {ref.size} bytes is larger than a reader takes")
    if sealed.for_members(feed):
        return put(home, documents.pack(raw), feed)
    path = document_path(home, ref.hash)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, documents.pack(raw))
    return ref


def document(home: Path, digest: str, feed: str = "") -> bytes | None:
    """Return the raw JSON of the document of `feed` named `digest`, None where it is not (or no longer) served."""
    if sealed.for_members(feed):
        try:
            data = sealed_path(home, digest).read_bytes()
            return sealed.unseal_document(data, member_keys.keys(home), limits.DOCUMENT)
        except (OSError, ProtocolError, KeysUnusable):
            return None
    try:
        return zstd.decompress(document_path(home, digest).read_bytes())
    except (OSError, ValueError, zstd.ZstdError):
        return None


def index_of(version: int) -> str | None:
    """Return the hash of the index of `version` in the current epoch; None past the newest 64."""
    row = HubState.objects.filter(key=INDEXES).first()
    if row is None or not isinstance(row.value, dict):
        return None
    found = row.value.get("versions", {}).get(str(version))
    return found if isinstance(found, str) else None


def served_path(home: Path, digest: str) -> Path:
    """Return where the object named `digest` (64 hexadecimal characters) lies; raises ValueError."""
    if not is_digest(digest):
        raise ValueError("an object is named by its SHA-256")
    return served_folder(home) / "objects" / digest[:2] / digest


def document_path(home: Path, digest: str) -> Path:
    """Return where the packed document named `digest` lies; raises ValueError."""
    if not is_digest(digest):
        raise ValueError("a document is named by its SHA-256")
    return served_folder(home) / "documents" / digest[:2] / digest


def sealed_path(home: Path, digest: str) -> Path:
    """Return where the object or document for members named `digest` lies; raises ValueError."""
    if not is_digest(digest):
        raise ValueError("an object is named by its SHA-256")
    return members_folder(home) / digest[:2] / digest


def path_of(home: Path, kind: str, digest: str) -> Path:
    """Return where an object or a document lies."""
    return {OBJECT: served_path, DOCUMENT: document_path, SEALED: sealed_path}[kind](home, digest)


def object_kind(feed: str) -> str:
    """Return the kind of the objects of a feed."""
    return SEALED if sealed.for_members(feed) else OBJECT


def document_kind(feed: str) -> str:
    """Return the kind of the documents of a feed."""
    return SEALED if sealed.for_members(feed) else DOCUMENT


def _as_sent(home: Path, data: bytes, feed: str) -> bytes:
    return sealed.seal(data, member_keys.key(home)) if sealed.for_members(feed) else data


class Bulk:
    """An object that is written piece by piece; its name is known when it is finished."""

    def __init__(self, path: Path, wrap: Callable[[bytes], bytes]) -> None:
        self._handle = path.open("wb")
        self._wrap = wrap
        self._digest = hashlib.sha256()
        self.size = 0

    def add(self, data: bytes) -> SegmentRef:
        """Append a segment and return its name as it lies there, which for members is sealed."""
        data = self._wrap(data)
        self._handle.write(data)
        self._digest.update(data)
        self.size += len(data)
        return SegmentRef(sha256(data), len(data))

    def finish(self) -> ObjectRef:
        """Bring everything to the disk and return the name."""
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self._handle.close()
        return ObjectRef(self._digest.hexdigest(), self.size)

    def close(self) -> None:
        self._handle.close()


@contextmanager
def bulk(home: Path, feed: str = "") -> Iterator[tuple[Bulk, list[ObjectRef]]]:
    """Yield an object to write to and a list that holds its name once the block has ended without an error.

    `feed` is one of those whose segments it takes: all are for members, or none.
    """
    folder = members_folder(home) if sealed.for_members(feed) else served_folder(home) / "objects"
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".bulk.{secrets.token_hex(4)}"
    writer, names = Bulk(temporary, lambda data: _as_sent(home, data, feed)), list[ObjectRef]()
    try:
        yield writer, names
        ref = writer.finish()
        path = path_of(home, object_kind(feed), ref.hash)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(path)
        names.append(ref)
    finally:
        writer.close()
        temporary.unlink(missing_ok=True)


def read_head(home: Path) -> bytes | None:
    """Return the signed head in force, or None before the first publication."""
    try:
        return head_path(home).read_bytes()
    except FileNotFoundError:
        return None


def write_head(home: Path, document: bytes) -> None:
    """Put a new head in force; readers see the old one or the new one, whole."""
    _write(head_path(home), document)


def head_path(home: Path) -> Path:
    return served_folder(home) / "head"


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with temporary.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
