"""Site codes: one code for the PCs of an office, with a number of uses and an end.

A device comes in with it at once, as that of a member who is still joining: it reads what is public and may ask.
Who sits there is said at the first run; the team approves it, and from then on they are a member like any other.
"""

from __future__ import annotations

import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from . import audit
from .errors import InvalidInput, NotFound
from .fleet import checked_group
from .invitations import code_hash, new_code
from .models import Device, Member, SiteCode
from .models.devices import MOST_USES

LIFETIME = datetime.timedelta(days=90)
"""Of a code for which nobody said when it ends."""
_NAME = 300
_NOWHERE = "joining.invalid"
"""Addresses there are nobody's (RFC 2606): what a member has until the team has approved theirs."""


class SiteCodeRefused(Exception):
    """A device cannot come in with this code. `code` and the sentence are those of the problem document."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@transaction.atomic
def create(
    uses: int,
    expires: datetime.datetime | None = None,
    note: str = "",
    actor: str = "command-line",
    group: str = "",
) -> tuple[SiteCode, str]:
    """Return a new site code and its text, which is shown once; only its hash is kept. `group`: the one that its
    devices come into. Raises InvalidInput."""
    expires = expires or timezone.now() + LIFETIME
    if not 1 <= uses <= MOST_USES:
        raise InvalidInput(
            f"A site code is for 1 to {MOST_USES:,} PCs, so none was made.", "Choose such a number."
        )
    if expires <= timezone.now():
        raise InvalidInput("A site code ends in the future, so none was made.", "Choose a later day.")
    text = new_code()
    made = SiteCode.objects.create(
        code_hash=code_hash(text), uses=uses, expires=expires, note=note[:200], group=checked_group(group)
    )
    audit.record("site-code-made", actor=actor, target=str(made.pk))
    return made, text


@transaction.atomic
def revoke(code_id: int, actor: str = "command-line") -> SiteCode:
    """End a code; devices that came in with it stay. Raises NotFound."""
    found = SiteCode.objects.select_for_update().filter(pk=code_id).first()
    if found is None:
        raise NotFound(f"There is no site code with the number {code_id}.", "See: hubshelf-hub site-code list")
    if found.revoked is None:
        found.revoked = timezone.now()
        found.save(update_fields=["revoked"])
        audit.record("site-code-revoked", actor=actor, target=str(found.pk))
    return found


def use(code: SiteCode, device: str, device_name: str, hashed_token: str) -> Device:
    """Make the device of a member who is joining, and count the place; the same device and token count once.

    Inside the caller's transaction. Raises SiteCodeRefused.
    """
    known = Device.objects.filter(pk=device).first()
    if known is not None and known.site_id == code.pk and known.token_hash == hashed_token:
        return known  # the answer was lost on its way; the same device asks again
    if code.revoked is not None:
        raise SiteCodeRefused("site-code-revoked", "This site code was taken back. Ask for a new one.")
    if code.expires < timezone.now():
        raise SiteCodeRefused("site-code-expired", "This site code has expired. Ask for a new one.")
    if known is not None or Device.objects.filter(token_hash=hashed_token).exists():
        raise SiteCodeRefused("device-known", "This device is already enrolled.")
    # Counted and compared in one statement: of two that come at once for the last place one is refused.
    if not SiteCode.objects.filter(pk=code.pk, used__lt=F("uses")).update(used=F("used") + 1):
        raise SiteCodeRefused(
            "site-code-used-up", "All places of this site code are taken. Ask for a new one, or for more places."
        )
    member = Member(name=device_name[:_NAME] or "PC", state=Member.State.JOINING)
    member.email = f"{member.pk}@{_NOWHERE}"
    member.save()
    made = Device.objects.create(
        id=device, member=member, name=device_name, token_hash=hashed_token, site=code, group=code.group
    )
    audit.record("enrol-site", actor=f"site-code {code.pk}", target=made.id)
    return made


def introduce(member: Member, name: str, email: str) -> None:
    """Keep what somebody who is joining says of themselves, until the team has looked at it.

    The address is not theirs yet: it may be that of a member, whose place a site code gives nobody. Inside the
    caller's transaction. Raises SiteCodeRefused.
    """
    name, email = " ".join(name.split()), email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise SiteCodeRefused("bad-field", "This is not an email address.") from None
    if not 1 <= len(name) <= _NAME or len(email) > 254:
        raise SiteCodeRefused("bad-field", "A name has 1 to 300 characters, an address at most 254.")
    if member.state != Member.State.JOINING:
        raise SiteCodeRefused("already-a-member", "You are a member already; the team can change your name.")
    member.name, member.said_email = name, email
    member.save(update_fields=["name", "said_email"])
    audit.record("introduced", actor=member.pk, target=member.pk)


@transaction.atomic
def approve(member_id: str, actor: str = "command-line") -> Member:
    """Make somebody who is joining a member, under the address that they gave. Raises NotFound, InvalidInput."""
    member = Member.objects.select_for_update().filter(pk=member_id).first()
    if member is None:
        raise NotFound(f"There is no member with the id {member_id}.", "See: hubshelf-hub joining")
    if member.state != Member.State.JOINING:
        raise InvalidInput(
            f"{member} is not joining, so nothing was changed.", "Look at their state in the admin."
        )
    if not member.said_email:
        raise InvalidInput(
            f"Nobody has said yet who sits at {member}, so nothing was changed.",
            "Wait for their name and address.",
        )
    if Member.objects.filter(email=member.said_email).exclude(pk=member.pk).exists():
        raise InvalidInput(
            f"{member.said_email} is a member already, so nothing was changed.",
            f"If it is them, send them a code of their own: hubshelf-hub invite {member.said_email}",
        )
    member.email, member.said_email, member.state = member.said_email, "", Member.State.ACTIVE
    member.save(update_fields=["email", "said_email", "state"])
    audit.record("member-approved", actor=actor, target=member.pk)
    return member
