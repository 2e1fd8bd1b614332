"""Letters that come by hand, and the answers that go back so. The operations in them are settled by the sync
plane's own code: what came by wire before, or comes later, has no second effect."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hub import personal_feed
from hub.models import ByHand, Device
from hub.models import Operation as StoredOperation
from hub.packs import parcels
from hub.planes.answers import Refused
from hub.planes.callers import keys_for
from hub.planes.devices import refuse_without_access
from hub.planes.enrolment import enrol_hashed
from hub.planes.operations import settle
from hub.planes.retention import receipt_of
from hub.publishing import box_key, epochs, keys
from sync.protocol import by_hand, limits, packs
from sync.protocol.errors import ProtocolError, TooLarge
from sync.protocol.messages import EnrolResponse, SyncResponse
from sync.protocol.pack_volumes import opened
from sync.protocol.packs import Volume
from sync.protocol.problems import Problem
from sync.protocol.signing import SigningKey

_log = logging.getLogger(__name__)

_REFUSED_KEPT = 1000
"""Codes that were refused by hand, of which the answer is kept (count): strangers can write letters too."""


@dataclass
class Taken:
    """What a pack brought to the hub: letters that were taken, devices made of codes, operations that were new
    here and that were here before, and envelopes that are not for this hub, or of nobody that it knows. What came
    of attached files, `TakenFiles` says."""

    letters: int = 0
    joined: int = 0
    operations: int = 0
    known: int = 0
    refused: int = 0
    unread: int = 0
    files: parcels.TakenFiles = field(default_factory=parcels.TakenFiles)


def take_letters(source: Path) -> Taken:
    """Take the sealed envelopes and files of the pack at `source`. Raises PackError, KeysUnusable."""
    secret, taken = box_key.secret(settings.HOME), Taken()
    waiting: list[tuple[str, tuple[int, int], str]] = []
    with opened(source) as volume:
        # Opened twice: in between only names and places are kept, whatever their number.
        for name, data in packs.envelopes(volume):
            try:
                letter = by_hand.open_envelope(data, secret).letter
            except ProtocolError:
                taken.unread += 1
            else:
                waiting.append((letter.tag, letter.order, name))
        tags = {by_hand.tag_of(one): one for one in Device.objects.values_list("token_hash", flat=True)}
        for _tag, _order, name in sorted(waiting):
            data = packs.read(volume, packs.envelope_name(name), limits.SYNC_REQUEST)
            try:
                _take(by_hand.open_envelope(data, secret), tags, taken)
            except ProtocolError as error:
                _log.warning("an envelope was not taken: %s", error)
                taken.unread += 1
        taken.files = parcels.take_parcels(volume)
    return taken


def settled(volume: Volume) -> list[str]:
    """Return which envelopes in a pack are of no more use: the hub opens them, and has all that is in them."""
    secret, found = box_key.secret(settings.HOME), []
    tags = {by_hand.tag_of(one): one for one in Device.objects.values_list("token_hash", flat=True)}
    for name, data in packs.envelopes(volume):
        try:
            opened_one = by_hand.open_envelope(data, secret)
            hashed = tags.get(opened_one.letter.tag)
            if hashed is None:
                continue
            opened_one.require_from(hashed)
        except ProtocolError:
            continue
        ids = {one.id for one in opened_one.letter.request.operations}
        row = ByHand.objects.filter(tag=opened_one.letter.tag).first()
        seen = row is not None and opened_one.letter.order <= (row.epoch, row.number)
        if seen and StoredOperation.objects.filter(pk__in=ids).count() == len(ids):
            found.append(name)
    return found


def _take(found: by_hand.Opened, tags: dict[str, str], taken: Taken) -> None:
    letter = found.letter
    hashed = tags.get(letter.tag) or (letter.joining.token_hash if letter.joining is not None else "")
    if not hashed or by_hand.tag_of(hashed) != letter.tag:
        taken.unread += 1
        return
    found.require_from(hashed)
    row, _new = ByHand.objects.get_or_create(tag=letter.tag, defaults={"token_hash": hashed})
    try:
        device = _device(letter, hashed, row, taken)
        tags[letter.tag] = hashed
        before = set(
            StoredOperation.objects.filter(pk__in=[one.id for one in letter.request.operations]).values_list(
                "pk", flat=True
            )
        )
        receipts = settle(device, list(letter.request.operations), by_hand=True)
    except Refused as refused:
        taken.refused += 1
        ByHand.objects.filter(pk=row.pk).update(problem=refused.problem.to_json(), updated=timezone.now())
        _forget_refused()
        return
    taken.letters += 1
    taken.known += len(before)
    taken.operations += sum(receipt.id not in before for receipt in receipts)
    row.device, row.problem = device, None
    if letter.order >= (row.epoch, row.number):
        # A letter that is found again years later says nothing of where its device is now.
        row.epoch, row.number = letter.order
        row.cursor, row.keys = list(letter.request.personal), list(letter.request.keys)
        row.files = letter.files.to_json()
    sent = [*row.operations, *(one.id for one in letter.request.operations)]
    row.operations = list(dict.fromkeys(reversed(sent)))[: limits.OPERATIONS][::-1]
    row.updated = timezone.now()
    row.save()


def _device(letter: by_hand.Letter, hashed: str, row: ByHand, taken: Taken) -> Device:
    known = Device.objects.select_related("member").filter(token_hash=hashed).first()
    if known is None:
        joining = letter.joining
        assert joining is not None, "without a code only known devices have a tag"
        enrol_hashed(joining.code, joining.device, joining.device_name, hashed, site_codes=False)
        known = Device.objects.select_related("member").get(token_hash=hashed)
        row.joined = True
        taken.joined += 1
    refuse_without_access(known)
    return known


def _forget_refused() -> None:
    old = ByHand.objects.filter(device=None).order_by("-updated").values_list("pk", flat=True)
    ByHand.objects.filter(pk__in=list(old[_REFUSED_KEPT : 2 * _REFUSED_KEPT])).delete()


def write_answers() -> dict[str, bytes]:
    """Return the sealed answers to all who wrote by hand, by tag. Raises KeysUnusable."""
    found, signer = {}, keys.load_keys(settings.HOME).head
    newest = ByHand.objects.select_related("device__member").order_by("-updated")[: packs.ENVELOPES]
    for row in newest:
        sealed = _answer(row, signer)
        if sealed is not None:
            found[row.tag] = sealed
    return found


def _answer(row: ByHand, signer: SigningKey) -> bytes | None:
    epoch = int(epochs.get_value("epoch", 1))
    with transaction.atomic():
        row.answers += 1
        ByHand.objects.filter(pk=row.pk).update(answers=row.answers)
    most, number = limits.PERSONAL_ITEMS, by_hand.numbered(epoch, row.answers)
    while most:
        try:
            return by_hand.seal_answer(_says(row, epoch, most), row.token_hash, number, signer)
        except TooLarge:
            most //= 2
    return None


def _says(row: ByHand, epoch: int, most: int) -> by_hand.Answer:
    through, problem = (row.epoch, row.number), row.problem
    device = row.device
    if device is not None:
        try:
            refuse_without_access(device)
        except Refused as refused:
            device, problem = None, refused.problem.to_json()
    if device is None:
        refusal = Problem.from_json(problem) if problem else Problem("refused", "Refused.", "wait", 403)
        return by_hand.Answer((epoch, 0), through, SyncResponse(epoch, 0), problem=refusal)
    cursor = int(row.cursor[1]) if row.cursor[:1] == [epoch] else 0
    items, newest, more = personal_feed.since(device.member, cursor, most)
    stored = {
        one.pk: one for one in StoredOperation.objects.filter(pk__in=row.operations, device__member=device.member)
    }
    receipts = tuple(receipt_of(stored[one]) for one in row.operations if one in stored)
    response = SyncResponse(epoch, newest, receipts, tuple(items), more, keys=keys_for(device.pk, row.keys))
    enrolled = None
    if row.joined:
        enrolled = EnrolResponse(
            str(epochs.get_value("name", "Hubshelf")),
            device.member.name or device.member.email,
            device.member.email,
            keys.newest_root(settings.HOME).document,
        )
    said = Problem.from_json(problem) if problem else None
    here = parcels.arrived(row, device.member)
    return by_hand.Answer((epoch, cursor), through, response, enrolled, said, here)
