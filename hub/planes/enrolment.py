"""Enrolment: a one-time code, or a site code, becomes a device whose token only the client knows."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hub.audit import record
from hub.invitations import code_hash
from hub.models import Device, Invitation, Member, SiteCode
from hub.planes.answers import Refused
from hub.planes.callers import keys_for
from hub.publishing import epochs, keys
from hub.site_codes import SiteCodeRefused, use
from sync.protocol.messages import EnrolRequest, EnrolResponse, token_hash
from sync.protocol.problems import Problem

_ATTEMPTS = 20
_WINDOW = timedelta(minutes=10)


def enrol(request: EnrolRequest, caller: str) -> EnrolResponse:
    """Make the device, or answer again to the device that already used this code with this token.

    `caller` is the address that asks; it is only used to slow down guessing. Raises Refused.
    """
    _slow_down(caller)
    try:
        return enrol_hashed(request.code, request.device, request.device_name, token_hash(request.token))
    except Refused as refused:
        if refused.problem.code == "unknown-code":
            _count_failure(caller)
        raise


def enrol_hashed(
    code: str, device: str, device_name: str, hashed_token: str, *, site_codes: bool = True
) -> EnrolResponse:
    """The same with the hash of a token, which is all that is kept of one. Raises Refused.

    `site_codes`: whether those count; by hand nobody could be asked who they are.
    """
    with transaction.atomic():
        invitation = (
            Invitation.objects.select_for_update()
            .select_related("member")
            .filter(code_hash=code_hash(code))
            .first()
        )
        if invitation is not None:
            _use(invitation, device, device_name, hashed_token)
        site = None
        if invitation is None and site_codes:
            site = SiteCode.objects.filter(code_hash=code_hash(code)).first()
        if site is not None:
            _use_site_code(site, device, device_name, hashed_token)
    if site is not None:
        # Who is joining is nobody yet, and has no key for what only members may read.
        hub, root = str(epochs.get_value("name", "Hubshelf")), keys.newest_root(settings.HOME).document
        return EnrolResponse(hub=hub, member="", email="", root=root, joining=True)
    if invitation is None:
        raise Refused(
            Problem(
                "unknown-code",
                "This code is not known here. Check it letter by letter, or ask for a new one.",
                "wait",
                403,
            )
        )
    member = invitation.member
    return EnrolResponse(
        hub=str(epochs.get_value("name", "Hubshelf")),
        member=member.name or member.email,
        email=member.email,
        root=keys.newest_root(settings.HOME).document,
        keys=keys_for(device),
    )


def _use_site_code(code: SiteCode, device: str, device_name: str, hashed_token: str) -> None:
    try:
        use(code, device, device_name, hashed_token)
    except SiteCodeRefused as refused:
        known = refused.code == "device-known"
        raise Refused(
            Problem(refused.code, str(refused), "auth" if known else "wait", 409 if known else 403)
        ) from None


def _use(invitation: Invitation, device: str, device_name: str, hashed_token: str) -> None:
    if invitation.used_at is not None:
        if invitation.token_hash == hashed_token and invitation.used_by_device_id == device:
            return  # the answer was lost on its way; the same device asks again
        raise Refused(Problem("code-used", "This code was already used. Ask for a new one.", "wait", 403))
    if invitation.expires < timezone.now():
        raise Refused(Problem("code-expired", "This code has expired. Ask for a new one.", "wait", 403))
    if invitation.member.state != Member.State.ACTIVE:
        raise Refused(Problem("member-inactive", "This membership is not active.", "wait", 403))
    if Device.objects.filter(pk=device).exists() or Device.objects.filter(token_hash=hashed_token).exists():
        raise Refused(Problem("device-known", "This device is already enrolled.", "auth", 409))
    made = Device.objects.create(id=device, member=invitation.member, name=device_name, token_hash=hashed_token)
    invitation.used_at = timezone.now()
    invitation.used_by_device = made
    invitation.token_hash = hashed_token
    invitation.save(update_fields=["used_at", "used_by_device", "token_hash"])
    record("enrol", actor=invitation.member_id, target=made.id)


# A code holds 60 bits, so guessing is hopeless anyway; this keeps a guesser from wearing the hub out.
_failures: dict[str, list[float]] = {}


def _slow_down(caller: str) -> None:
    now = timezone.now().timestamp()
    recent = [moment for moment in _failures.get(caller, []) if now - moment < _WINDOW.total_seconds()]
    if recent:
        _failures[caller] = recent
    else:
        _failures.pop(caller, None)
    if len(recent) >= _ATTEMPTS:
        raise Refused(Problem("too-many-codes", "Too many wrong codes. Try again in ten minutes.", "wait", 429))


def _count_failure(caller: str) -> None:
    if len(_failures) > 10_000:
        _failures.clear()
    _failures.setdefault(caller, []).append(timezone.now().timestamp())
