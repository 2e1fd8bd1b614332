"""The public plane on disk: immutable objects by hash, and the head that names them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from hub.home import served_folder
from sync.protocol.head import ObjectRef
from sync.protocol.wire_json import is_digest, sha256


def put(home: Path, data: bytes) -> ObjectRef:
    """Store an immutable object and return its name; the same bytes are stored once."""
    ref = ObjectRef(sha256(data), len(data))
    path = served_path(home, ref.hash)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, data)
    return ref


def served_path(home: Path, digest: str) -> Path:
    """Return where the object named `digest` (64 hexadecimal characters) lies; raises ValueError."""
    if not is_digest(digest):
        raise ValueError("an object is named by its SHA-256")
    return served_folder(home) / "objects" / digest[:2] / digest


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
