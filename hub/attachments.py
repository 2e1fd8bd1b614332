"""Members' attachments: the bytes as they arrive, and what they are attached to.

``attachments/incoming/<upload>.part``  what has arrived so far; its size on disk is the upload's offset
``attachments/incoming/<upload>.claim`` the device that is sending right now, and a mark of its present request
``attachments/kept/ab/<upload>``        whole files, verified against their digest

They are kept apart from ``objects/``, which the public plane hands out to everybody. An operation may name a file
long before its bytes are here: both are tied by (member, digest), in whatever order they come.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.utils import timezone

from hub.errors import HubError
from hub.home import attachments_folder, hub_home
from hub.ids import derived_id
from hub.models import Member, Request, RequestReply
from hub.models.requests import Attachment, Upload
from sync.protocol import uploads as wire
from sync.protocol.errors import ProtocolError

_log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
"""A device that has sent nothing for so long no longer keeps the member's other devices out."""
_DRAIN_SECONDS = 3.0
_STILL_SECONDS = 0.3
"""An earlier request that has written nothing for so long has nothing left to write, or a dead link."""
_BLOCK = 1 << 20
_LOCKS = 64
_STRAY_SECONDS = 86_400
"""Age at which bytes that no row knows (a member was erased) are removed."""


class AttachmentRefused(ValueError):
    """An operation names attachments in a way that will never be accepted; ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UploadBusy(HubError):
    code = wire.BUSY
    advice = "Wait until the other device has finished, then sync again."


class OffsetMismatch(HubError):
    """The bytes offered do not follow those that are here. ``expected``: where to go on, in bytes."""

    code = wire.MISMATCH
    advice = "Go on from the offset that the hub names."

    def __init__(self, expected: int) -> None:
        super().__init__(f"The next byte that is missing is number {expected}; nothing was stored.")
        self.expected = expected


class WrongDigest(HubError):
    code = wire.WRONG_DIGEST
    advice = "Check the file, then send it again from its beginning."


class QuotaReached(HubError):
    code = "uploads-unfinished"
    advice = "Let the files that are on their way arrive first, or remove some of them."


class LengthMismatch(HubError):
    code = wire.INCONSISTENT
    advice = "Cancel the upload that was begun, then send the file again."


# What an operation names


def checked(body: Mapping[str, Any]) -> tuple[wire.Attached, ...]:
    """Return what ``body["attachments"]`` names, nothing where it is absent. Raises AttachmentRefused."""
    try:
        return wire.attachments_of(body)
    except ProtocolError as error:
        raise AttachmentRefused("bad-attachments", str(error)) from None


def attach(target: Request | RequestReply, member: Member, body: Mapping[str, Any]) -> list[Attachment]:
    """Tie what ``body`` names to a request or a reply, whether or not its bytes have arrived. Idempotent.

    Belongs into the transaction of the operation. Raises AttachmentRefused.
    """
    named = checked(body)
    owner = {"reply": target} if isinstance(target, RequestReply) else {"request": target}
    made = []
    for position, one in enumerate(named):
        attachment, _ = Attachment.objects.get_or_create(
            id=derived_id("attachment", target.pk, one.hash),
            defaults={
                **owner,
                "member": member,
                "position": position,
                "digest": one.hash,
                "size": one.size,
                "name": one.name,
                "media_type": one.media_type,
            },
        )
        made.append(attachment)
    return made


def refuse_any(body: Mapping[str, Any]) -> None:
    """For what cannot carry files, such as a message to a discussion. Raises AttachmentRefused."""
    if body.get("attachments"):
        raise AttachmentRefused(
            "no-attachments-here", "Files can be attached to questions and their replies, not to a discussion."
        )


@dataclass(frozen=True)
class Listed:
    """An attachment as it is shown. ``path`` is where its bytes lie, None while it is still on its way."""

    attachment: Attachment
    path: Path | None


def listed(target: Request | RequestReply) -> list[Listed]:
    """What is attached to a request or a reply, in the member's order."""
    attachments = list(target.attachments.order_by("position", "id"))
    return [Listed(attachment, path_of(attachment)) for attachment in attachments]


def path_of(attachment: Attachment) -> Path | None:
    """Where the bytes of an attachment lie; None while they are still on their way."""
    path = _kept(upload_id(attachment.member_id, attachment.digest))
    return path if path.is_file() else None


def file_of(member: Member, digest: str) -> Path | None:
    """Where the bytes lie of a file that goes with a request of this member or a reply to one; None where there is
    none, or it has not arrived.
    """
    found = Attachment.objects.filter(member=member, digest=digest).first()
    return path_of(found) if found is not None else None


def keep(member: Member, name: str, media_type: str, blocks: Iterable[bytes]) -> wire.Attached:
    """Keep a file that the team gives `member` with an answer; `attach` then ties it to the reply.

    Raises AttachmentRefused (empty, over `wire.FILE` bytes, or a name that is none), OSError (a full disk).
    """
    incoming = _folder() / "incoming"
    incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = incoming / f"given-{secrets.token_hex(8)}"
    digest, size = hashlib.sha256(), 0
    try:
        with aside.open("xb") as file:
            for block in blocks:
                size += len(block)
                if size > wire.FILE:
                    break
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        entry = {"hash": digest.hexdigest(), "size": size, "name": name, "media_type": media_type}
        (given,) = checked({"attachments": [entry]})
        upload = upload_id(member.pk, given.hash)
        with _locked(upload):
            _kept(upload).parent.mkdir(parents=True, exist_ok=True)
            os.replace(aside, _kept(upload))
            _sync_folder(_kept(upload).parent)
        now = timezone.now()
        Upload.objects.update_or_create(
            id=upload, defaults={"member": member, "digest": given.hash, "size": size, "completed": now}
        )
    finally:
        aside.unlink(missing_ok=True)
    return given


def items(target: Request | RequestReply) -> list[dict[str, Any]]:
    """The attachments as personal records carry them: hash, size, name, media_type."""
    return [
        wire.Attached(one.digest, one.size, one.name, one.media_type).to_json()
        for one in target.attachments.order_by("position", "id")
    ]


# Uploads


@dataclass(frozen=True)
class Progress:
    """How far an upload is: ``offset`` bytes are here; ``complete``: all of them, verified."""

    offset: int
    complete: bool


def upload_id(member_id: str, digest: str) -> str:
    """The id of a member's upload of the file with this digest."""
    return derived_id("upload", member_id, digest)


def open_upload(member: Member, digest: str, size: int) -> Upload:
    """Return the member's upload of this file of ``size`` bytes, begun now or earlier.

    Raises QuotaReached, LengthMismatch.
    """
    with transaction.atomic():
        # The member's row is the lock: two devices cannot both take the last room.
        Member.objects.select_for_update().only("id").get(pk=member.pk)
        known = Upload.objects.filter(member=member, digest=digest).first()
        if known is not None:
            if known.size != size:
                raise LengthMismatch(f"This file was announced with {known.size:,} bytes, and now with {size:,}.")
            return known
        taken = _loose().filter(member=member).aggregate(total=Sum("size"))["total"] or 0
        if taken + size > wire.UNFINISHED:
            raise QuotaReached(
                f"Files of {taken:,} bytes are on their way already; {wire.UNFINISHED:,} may be at a time."
            )
        return Upload.objects.create(id=upload_id(member.pk, digest), member=member, digest=digest, size=size)


def progress(upload: Upload) -> Progress:
    """How far the upload is, as its bytes say: they are right where a crash or a restore made the row wrong."""
    if _kept(upload.pk).is_file():
        if upload.completed is None:
            _mark(upload, timezone.now())
        return Progress(upload.size, True)
    if upload.completed is not None:
        _mark(upload, None)
    return Progress(_size(_part(upload.pk)), False)


def release(upload: Upload, device_id: str) -> None:
    """End what this device's earlier request is still sending: it asks anew, so that one is lost to it.

    What that one has already brought to this computer is written first, so that no byte crosses the link twice.
    """
    _let_drain(upload.pk, device_id)
    with _locked(upload.pk):
        if _claimant(upload.pk)[0] == device_id:
            _claim(upload.pk).unlink(missing_ok=True)


def cancel(upload: Upload) -> bool:
    """Forget an upload with its bytes; False, and nothing is done, where a question or reply needs it whole."""
    with _locked(upload.pk):
        needed = Attachment.objects.filter(member_id=upload.member_id, digest=upload.digest).exists()
        if needed and _kept(upload.pk).is_file():
            return False
        _remove(upload.pk)
        upload.delete()
    return True


class Appender:
    """One request's turn to append to an upload. ``offset`` is where the next byte goes.

    A newer request of the same device takes the turn away, since this one's link is gone (the draft's advice,
    section "Concurrency"); another device has to wait.
    """

    def __init__(self, upload: Upload, device_id: str, offset: int) -> None:
        """Take the turn. Raises UploadBusy, OffsetMismatch; OSError where the disk refuses."""
        _let_drain(upload.pk, device_id)
        self._upload = upload
        self._turn = f"{device_id} {secrets.token_hex(8)}"
        with _locked(upload.pk):
            holder, since = _claimant(upload.pk)
            if holder and holder != device_id and time.time() - since < LEASE_SECONDS:
                raise UploadBusy("Another device of this member is sending this file right now.")
            here = upload.size if _kept(upload.pk).is_file() else _size(_part(upload.pk))
            if here != offset:
                raise OffsetMismatch(here)
            _claim(upload.pk).write_text(self._turn, encoding="ascii")
        self.offset = offset

    def write(self, block: bytes) -> None:
        """Append bytes; they survive the process when this returns. Raises UploadBusy; OSError (a full disk)."""
        if self.offset + len(block) > self._upload.size:
            raise AssertionError("more bytes than were announced: the caller checks Content-Length")
        with self._my_turn(), _part(self._upload.pk).open("ab", buffering=0) as file:
            view = memoryview(block)
            while view:
                count = file.write(view)
                self.offset += count
                view = view[count:]
            os.utime(_claim(self._upload.pk))

    def settle(self) -> None:
        """Put what was written on the disk, before it is acknowledged. Raises OSError."""
        with suppress(FileNotFoundError), _part(self._upload.pk).open("rb") as file:
            os.fsync(file.fileno())

    def finish(self) -> None:
        """Verify the whole file and keep it. Raises WrongDigest (and discards the bytes), UploadBusy, OSError."""
        upload = self._upload
        with self._my_turn():
            part, kept = _part(upload.pk), _kept(upload.pk)
            if _digest(part) != upload.digest:
                part.unlink()
                raise WrongDigest("The file that arrived is not the one that was announced, so it was discarded.")
            self.settle()
            kept.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, kept)
            _sync_folder(kept.parent)
        _mark(upload, timezone.now())

    def close(self) -> None:
        """Give the turn back; what was written stays."""
        with _locked(self._upload.pk):
            if self._holds():
                _claim(self._upload.pk).unlink(missing_ok=True)

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        with _locked(self._upload.pk):
            if not self._holds():
                raise UploadBusy("A newer request goes on with this upload.")
            yield

    def _holds(self) -> bool:
        try:
            return _claim(self._upload.pk).read_text(encoding="ascii") == self._turn
        except FileNotFoundError:
            return False


def sweep(now: datetime | None = None) -> int:
    """Forget uploads that brought nothing for LIFETIME_DAYS, and whole files as old that belong to nothing.

    Returns how many uploads went. What another process is doing at this moment is left alone.
    """
    now = now or timezone.now()
    limit = now - timedelta(days=wire.LIFETIME_DAYS)
    gone = 0
    for upload in _loose().filter(created__lt=limit):
        with _locked(upload.pk):
            if max(_touched(_part(upload.pk)), _touched(_kept(upload.pk))) >= limit.timestamp():
                continue
            if _kept(upload.pk).is_file() and _needed(upload):
                continue
            _remove(upload.pk)
            upload.delete()
            gone += 1
    _remove_strays(now)
    return gone


def _loose() -> QuerySet[Upload]:
    """Uploads that are not a whole part of something."""
    tied = Attachment.objects.filter(member=OuterRef("member"), digest=OuterRef("digest"))
    return Upload.objects.exclude(Exists(tied), completed__isnull=False)


def _needed(upload: Upload) -> bool:
    return Attachment.objects.filter(member_id=upload.member_id, digest=upload.digest).exists()


def _mark(upload: Upload, completed: datetime | None) -> None:
    upload.completed = completed
    Upload.objects.filter(pk=upload.pk).update(completed=completed)


def _remove_strays(now: datetime) -> None:
    """Remove bytes that no row knows: their member was erased, or the database is an older one."""
    folders = [_folder() / "incoming", *(_folder() / "kept").glob("??")]
    for folder in folders:
        for path in folder.glob("*") if folder.is_dir() else ():
            upload = path.name.partition(".")[0]
            if not wire.is_upload(upload) or now.timestamp() - _touched(path) < _STRAY_SECONDS:
                continue
            if not Upload.objects.filter(pk=upload).exists():
                with _locked(upload):
                    path.unlink(missing_ok=True)
                _log.info("bytes of an upload that is no longer known were removed")


def _let_drain(upload: str, device_id: str) -> None:
    """Wait while an earlier request of this device still writes what lies in its socket, a moment at most."""
    until = time.monotonic() + _DRAIN_SECONDS
    while time.monotonic() < until:
        holder, since = _claimant(upload)
        if holder != device_id or time.time() - since > _STILL_SECONDS:
            return
        time.sleep(0.02)


def _remove(upload: str) -> None:
    for path in (_claim(upload), _part(upload), _kept(upload)):
        path.unlink(missing_ok=True)


def _folder() -> Path:
    return attachments_folder(hub_home())


def _part(upload: str) -> Path:
    return _folder() / "incoming" / f"{upload}.part"


def _claim(upload: str) -> Path:
    return _folder() / "incoming" / f"{upload}.claim"


def _kept(upload: str) -> Path:
    assert wire.is_upload(upload), "an upload's id is a UUID"
    return _folder() / "kept" / upload[:2] / upload


def _claimant(upload: str) -> tuple[str, float]:
    """(device, time of its last byte in seconds) of the request that has the turn; ("", 0) where none has."""
    try:
        claim = _claim(upload)
        return claim.read_text(encoding="ascii").partition(" ")[0], claim.stat().st_mtime
    except FileNotFoundError:
        return "", 0.0


@contextmanager
def _locked(upload: str) -> Iterator[None]:
    """Alone with an upload's files, over all threads and processes, for a moment.

    One of a fixed set of lock files, which are never removed: a lock on a file that goes away guards nothing.
    """
    folder = _folder() / "incoming"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = int(upload[:8], 16) % _LOCKS
    handle = os.open(folder / f"lock-{number:02}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _touched(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with suppress(FileNotFoundError), path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
