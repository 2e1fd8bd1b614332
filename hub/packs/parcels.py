"""Files that come by hand, and those of answers that go back so. A parcel is taken as an upload is, with the
bounds of one, and goes on where a link has left off; what came by wire before, or comes later, is there once."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from hub import attachments, personal_feed
from hub.errors import HubError
from hub.models import ByHand, Device, Member
from hub.models.requests import Attachment
from hub.planes.answers import Refused
from hub.planes.devices import refuse_without_access
from hub.publishing import box_key, epochs
from sync.protocol import by_hand, limits, packs
from sync.protocol.errors import ProtocolError
from sync.protocol.packs import Entry, Lying, PackDamaged, PackNoRoom, PackUnreadable, Volume
from sync.protocol.parcels import Opened, Sealed, open_parcel, to_device
from sync.protocol.signing import SigningKey

_log = logging.getLogger(__name__)

_BLOCK = 256 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass
class TakenFiles:
    """What parcels brought: files that were new here, those that were here before, those that could not be taken
    now (too many of the member's are on their way, or another device sends it) or never (not what was announced),
    and parcels that are not for this hub, or of nobody that it knows."""

    files: int = 0
    known: int = 0
    refused: int = 0
    unread: int = 0


def take_parcels(volume: Volume) -> TakenFiles:
    """Take the files sealed to this hub in a pack; letters first, since they may make the devices of codes.

    Raises PackUnreadable, PackNoRoom (this disk is full; what came is kept), KeysUnusable.
    """
    secret, taken = box_key.secret(settings.HOME), TakenFiles()
    devices = {by_hand.tag_of(one.token_hash): one for one in Device.objects.select_related("member")}
    read = 0
    for one in packs.parcels(volume):
        if read > packs.PARCELS_READ:
            break
        try:
            outcome = _take(volume, one, secret, devices)
        except PackUnreadable:
            raise
        except ProtocolError as error:
            # Told by its beginning, mostly: rubbish does not use up what is read of a pack.
            _log.warning("a parcel was not taken: %s", error)
            taken.unread += 1
            continue
        except (HubError, Refused) as error:
            _log.warning("a parcel was refused: %s", error)
            taken.refused += 1
            outcome = True
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise PackNoRoom("The hub's disk is full; the files that came before are kept.") from None
        else:
            taken.files += outcome
            taken.known += not outcome
        read += one.size if outcome else 0
    return taken


def settled(volume: Volume) -> list[str]:
    """Return which parcels in a pack are of no more use: their file is here and belongs to what its sender
    wrote."""
    secret, found = box_key.secret(settings.HOME), []
    devices = {by_hand.tag_of(one.token_hash): one for one in Device.objects.select_related("member")}
    for one in packs.parcels(volume):
        try:
            with volume.open(one.name) as file:
                opened = open_parcel(file, one.size, secret)
                device = _sender(opened, devices)
        except ProtocolError:
            continue
        if attachments.file_of(device.member, opened.hash) is not None:
            found.append(one.name)
    return found


def _take(volume: Volume, one: Lying, secret: bytes, devices: dict[str, Device]) -> bool:
    """Take one parcel; False where its file is here already. Raises ProtocolError, Refused, HubError, OSError."""
    for _attempt in range(2):
        with volume.open(one.name) as file:
            opened = open_parcel(file, one.size, secret)
            device = _sender(opened, devices)
            refuse_without_access(device)
            upload = attachments.open_upload(device.member, opened.hash, opened.size)
            state = attachments.progress(upload)
            if state.complete:
                return False
            turn = attachments.Appender(upload, device.pk, state.offset)
            try:
                for block in opened.blocks(state.offset):
                    turn.write(block)
                turn.finish()
                return True
            except attachments.WrongDigest:
                # What a link had brought of it may have been wrong: once from its start.
                if not state.offset:
                    raise
            finally:
                turn.close()
    raise AssertionError("the second attempt begins at 0")


def _sender(opened: Opened, devices: dict[str, Device]) -> Device:
    """The device that sealed a parcel. Raises ProtocolError."""
    device = devices.get(opened.tag)
    if device is None:
        raise PackDamaged("A parcel is of a device that is not known here.")
    opened.require_from(device.token_hash)
    return device


def arrived(row: ByHand, member: Member) -> tuple[str, ...]:
    """Return which files of a device's parcels are here and belong to what it wrote."""
    sent = by_hand.Files.from_json(row.files).sent
    return tuple(one for one in sent if attachments.file_of(member, one) is not None)


class Returns:
    """The files of answers that go back with a pack, as a volume that seals them while they are read.

    `entries`: those that a pack may take, in `PARCEL_BYTES`; `left`: how many are more than that; `names`: of all
    that are under way to somebody.
    """

    def __init__(self, signer: SigningKey) -> None:
        self.entries: list[Entry] = []
        self.left = 0
        self._sealed: dict[str, tuple[Path, Sealed]] = {}
        room = packs.PARCEL_BYTES
        rows = ByHand.objects.exclude(device=None).select_related("device__member").order_by("-updated")
        for row in rows[: packs.ENVELOPES]:
            for one in _owed(row):
                path = attachments.path_of(one)
                if path is None:
                    continue
                if one.size > room:
                    self.left += 1
                    continue
                room -= one.size
                sealed = to_device(row.token_hash, one.digest, one.size, _blocks(path), signer)
                digest = sealed.digest(_blocks(path))
                name = packs.return_name(row.tag, digest)
                self._sealed[name] = path, sealed
                self.entries.append(Entry(name, sealed.length, digest))

    def size(self, name: str) -> int | None:
        found = self._sealed.get(name)
        return None if found is None else found[1].length

    def open(self, name: str) -> BinaryIO:
        path, sealed = self._sealed[name]
        return sealed.file(_blocks(path))

    def names(self, folder: str, most: int) -> list[str]:
        del folder, most
        return []

    def stale(self, volume: Volume) -> list[str]:
        """Return which returns in a pack nobody waits for any more, as far as this hub knows their devices."""
        if self.left:
            return []
        tags = set(ByHand.objects.exclude(device=None).values_list("tag", flat=True))
        return [one.name for one in packs.returns(volume) if one.tag in tags and one.name not in self._sealed]


def _owed(row: ByHand) -> Iterable[Attachment]:
    """The files of answers that a device does not have: those behind what it has read, and those that it asks
    for."""
    device = row.device
    assert device is not None
    try:
        refuse_without_access(device)
    except Refused:
        return []
    epoch = int(epochs.get_value("epoch", 1))
    cursor = int(row.cursor[1]) if row.cursor[:1] == [epoch] else 0
    items, _newest, _more = personal_feed.since(device.member, cursor, limits.PERSONAL_ITEMS)
    replies = [item["id"] for item in items if item.get("type") == "reply"]
    wants = by_hand.Files.from_json(row.files).wants
    answers = Attachment.objects.filter(member=device.member, reply__by_member=False)
    found = [*answers.filter(reply_id__in=replies), *answers.filter(digest__in=wants)]
    return {one.digest: one for one in found}.values()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
