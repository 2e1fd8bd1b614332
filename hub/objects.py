"""Content-addressed bytes: ``objects/ab/abcd…``, named by their SHA-256, written once, never changed."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from .errors import ObjectMissing
from .home import hub_home, objects_folder

_BLOCK = 1 << 20


@dataclass(frozen=True)
class StoredObject:
    """``hash``: lower-case hex SHA-256; ``size``: bytes."""

    hash: str
    size: int


def object_path(digest: str) -> Path:
    """Where the bytes with this hash lie, whether or not they are there."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise ValueError(f"not a lower-case hex SHA-256: {digest!r}")
    return objects_folder(hub_home()) / digest[:2] / digest


def has_object(digest: str) -> bool:
    return object_path(digest).is_file()


def put_file(source: Path) -> StoredObject:
    """Copy a file into the store. What becomes visible under its name is whole and on the disk.

    Raises OSError when the source cannot be read or the disk is full; then nothing stays behind.
    """
    folder = objects_folder(hub_home())
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".incoming-{secrets.token_hex(8)}"
    digest, size = hashlib.sha256(), 0
    try:
        with source.open("rb") as reader, temporary.open("xb") as writer:
            while block := reader.read(_BLOCK):
                digest.update(block)
                size += len(block)
                writer.write(block)
            writer.flush()
            os.fsync(writer.fileno())
        target = object_path(digest.hexdigest())
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return StoredObject(digest.hexdigest(), size)


def open_object(digest: str) -> Path:
    """The path of an object that is there. Raises ObjectMissing."""
    path = object_path(digest)
    if not path.is_file():
        raise ObjectMissing(digest)
    return path
