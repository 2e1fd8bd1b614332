"""Uploads of attachments: addresses, header fields and bounds (docs/protocol-uploads.md).

The semantics are those of the Internet-Draft "Resumable Uploads for HTTP" (draft-ietf-httpbis-resumable-upload);
the digest of the whole file is RFC 9530's `Repr-Digest`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.protocol.errors import Malformed, TooLarge
from sync.protocol.wire_json import digest, number, text

UPLOADS = "/u/v1/uploads"
"""Creation; an upload's own address is below it."""
ATTACHMENTS = "/u/v1/attachments"
"""Below it, by their SHA-256, files that go with a member's own requests and their answers."""

COMPLETE = "Upload-Complete"
OFFSET = "Upload-Offset"
LENGTH = "Upload-Length"
LIMIT = "Upload-Limit"
REPR_DIGEST = "Repr-Digest"
PARTIAL = "application/partial-upload"
"""The media type of a piece."""

FILE = 25 * 1024 * 1024
"""Bytes of one attachment."""
PER_OPERATION = 10
"""Attachments of one question or reply (count)."""
UNFINISHED = 200 * 1024 * 1024
"""Bytes that one member may have announced and that belong to nothing finished yet."""
LIFETIME_DAYS = 30
"""An unfinished upload that brought nothing for so long is forgotten."""
NAME = 200
"""Characters of a file's name."""

# Codes of problem documents that a client acts upon.
MISMATCH = "mismatching-upload-offset"
COMPLETED = "completed-upload"
INCONSISTENT = "inconsistent-upload-length"
WRONG_DIGEST = "wrong-digest"
NO_UPLOAD = "no-such-upload"
BUSY = "upload-busy"

_COUNT = re.compile(r"\d{1,15}")
_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62}")
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Attached:
    """One attachment as an operation names it: hex SHA-256, bytes, the file's name, its media type."""

    hash: str
    size: int
    name: str
    media_type: str

    def to_json(self) -> dict[str, Any]:
        return {"hash": self.hash, "size": self.size, "name": self.name, "media_type": self.media_type}

    @classmethod
    def from_json(cls, source: Mapping[str, Any]) -> Attached:
        """Read one; raises Malformed, and TooLarge for a file over FILE bytes."""
        name = text(source, "name", "attachment").strip()
        if not 1 <= len(name) <= NAME or _UNFIT.search(name) or name in (".", ".."):
            raise Malformed("An attachment's name is empty, too long or not a file's name.")
        media_type = text(source, "media_type", "attachment", default="application/octet-stream")
        if not _MEDIA_TYPE.fullmatch(media_type):
            raise Malformed("An attachment's media type is none.")
        size = number(source, "size", "attachment")
        if size > FILE:
            raise TooLarge(f"“{name}” is {size:,} bytes; at most {FILE:,} can be attached.")
        if size == 0:
            raise Malformed(f"“{name}” is empty.")
        return cls(digest(source, "hash", "attachment"), size, name, media_type)


def attachments_of(body: Mapping[str, Any]) -> tuple[Attached, ...]:
    """Return what an operation's body names under `attachments` (nothing where the key is absent or null).

    Raises Malformed (also where one file stands twice), TooLarge past PER_OPERATION or FILE.
    """
    listed = body.get("attachments") or []
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise Malformed("“attachments” is not a list of attachments.")
    if len(listed) > PER_OPERATION:
        raise TooLarge(f"{len(listed)} files are attached; at most {PER_OPERATION} can be.")
    found = tuple(Attached.from_json(entry) for entry in listed)
    if len({one.hash for one in found}) != len(found):
        raise Malformed("The same file is attached twice.")
    return found


def upload_path(upload: str) -> str:
    """Return the address of an upload by its id."""
    return f"{UPLOADS}/{upload}"


def attachment_path(hash_: str) -> str:
    """Return the address of a file that goes with one's own requests and their answers, by its SHA-256."""
    return f"{ATTACHMENTS}/{hash_}"


def upload_of(location: str | None) -> str:
    """Return the id at the end of a `Location`; nothing else of it is believed. Raises Malformed."""
    upload = (location or "").rstrip("/").rpartition("/")[2]
    if not _ID.fullmatch(upload):
        raise Malformed("The answer names no upload.")
    return upload


def is_upload(value: str) -> bool:
    """Whether `value` can be the id of an upload: safe as a file name."""
    return _ID.fullmatch(value) is not None


def boolean(value: bool) -> str:
    """Write a boolean as a structured field (RFC 9651, 3.3.6)."""
    return "?1" if value else "?0"


def read_boolean(value: str | None) -> bool | None:
    """Read a boolean field; None where it is absent or something else."""
    return {"?1": True, "?0": False}.get((value or "").strip())


def read_count(value: str | None) -> int | None:
    """Read a non-negative integer field; None where it is absent or something else."""
    found = _COUNT.fullmatch((value or "").strip())
    return int(found[0]) if found else None


def repr_digest(hex_digest: str) -> str:
    """Write a hex SHA-256 as `Repr-Digest`."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(hex_digest)).decode()}:"


def read_digest(value: str | None) -> str | None:
    """Read the SHA-256 of a `Repr-Digest` as hex; None where there is none."""
    found = _DIGEST.search(value or "")
    if found is None:
        return None
    try:
        return base64.b64decode(found[1], validate=True).hex()
    except binascii.Error:
        return None
