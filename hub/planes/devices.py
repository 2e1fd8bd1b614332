"""A member's own devices: one takes another's place, and what each of them may know of the others."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from hub import invitations
from hub.audit import record
from hub.models import Device, Member
from hub.planes.answers import Refused
from hub.publishing.records import utc
from sync.protocol.devices import MOST_DEVICES, DeviceEntry, DevicesAnswer, DevicesRequest, MoveRequest
from sync.protocol.messages import token_hash
from sync.protocol.problems import Problem

_ASKED = 60
_WINDOW = timedelta(minutes=10)


def move(old_token: str, request: MoveRequest) -> None:
    """Put a new device in the place of the one with `old_token`, which has no access from then on.

    Once for each token: whoever asks first with it goes on, and may ask again. Raises Refused.
    """
    hashed = token_hash(request.token)
    with transaction.atomic():
        old = Device.objects.select_for_update().select_related("member").filter(token_hash=token_hash(old_token))
        device = old.first()
        if device is None:
            raise Refused(
                Problem("unknown-device", "This hub does not know this device. Enrol it again.", "auth", 401)
            )
        if device.moved_to is not None:
            new = device.moved_to
            if (new.pk, new.token_hash) == (request.device, hashed):
                return  # the answer was lost on its way; the same device asks again
        refuse_without_access(device)
        if Device.objects.filter(pk=request.device).exists() or Device.objects.filter(token_hash=hashed).exists():
            raise Refused(Problem("device-known", "This device is already enrolled.", "auth", 409))
        device.moved_to = Device.objects.create(
            id=request.device,
            member=device.member,
            site=device.site,
            name=request.device_name or device.name,
            system=request.system,
            token_hash=hashed,
        )
        device.revoked = timezone.now()
        device.save(update_fields=["moved_to", "revoked"])
        record("device-moved", actor=device.member_id, target=f"{device.pk} {device.moved_to.pk}")


def refuse_without_access(device: Device) -> None:
    """Raise Refused for a device that was moved or revoked, or whose member is neither active nor joining."""
    if device.moved_to_id is not None:
        raise Refused(
            Problem("device-moved", "This shelf was moved to another computer.", "auth", 401), forget=True
        )
    if device.revoked is not None:
        raise Refused(
            Problem("device-revoked", "This device was revoked on the hub. Ask for a new code.", "auth", 401),
            forget=True,
        )
    if device.member.state not in (Member.State.ACTIVE, Member.State.JOINING):
        raise Refused(
            Problem("member-inactive", "This membership is not active any more.", "auth", 403),
            # A suspended member may come back, and keeps what is on the shelf until then.
            forget=device.member.state == Member.State.LEFT,
        )


def devices_of(caller: Device, request: DevicesRequest) -> DevicesAnswer:
    """The list of the caller's member's devices, after one of the others was revoked where that is asked for.

    Raises Refused: too often, the caller's own device, or one that is not the member's.
    """
    _slow_down(caller.pk)
    if request.revoke:
        _revoke(caller, request.revoke)
    if request.system and caller.system != request.system:
        Device.objects.filter(pk=caller.pk).update(system=request.system)
    found = Device.objects.filter(member=caller.member).order_by(F("last_seen").desc(nulls_last=True), "-created")
    return DevicesAnswer([_entry(device, caller) for device in found[:MOST_DEVICES]])


def _revoke(caller: Device, wanted: str) -> None:
    if wanted == caller.pk:
        raise Refused(Problem("own-device", "A device cannot revoke itself.", "drop", 422))
    # Whoever else's devices there are is nobody's business: theirs are as unknown as none.
    if not Device.objects.filter(pk=wanted, member=caller.member).exists():
        raise Refused(Problem("no-such-device", "You have no such device.", "drop", 404))
    invitations.revoke(wanted, actor=caller.member_id)


def _entry(device: Device, caller: Device) -> DeviceEntry:
    return DeviceEntry(
        device.pk,
        device.name,
        device.system,
        utc(device.created) or "",
        utc(device.last_seen) or "",
        device.pk == caller.pk,
        utc(device.revoked) or "",
        device.moved_to_id is not None,
    )


# A list is one question to the database; this keeps a device gone wild from asking it all day.
_asked: dict[str, list[float]] = {}


def _slow_down(caller: str) -> None:
    now = timezone.now().timestamp()
    if len(_asked) > 10_000:
        _asked.clear()
    recent = [moment for moment in _asked.get(caller, []) if now - moment < _WINDOW.total_seconds()]
    if len(recent) >= _ASKED:
        raise Refused(Problem("too-many", "This device asks too often. Try again in ten minutes.", "wait", 429))
    _asked[caller] = [*recent, now]
