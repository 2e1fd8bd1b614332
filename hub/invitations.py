"""One-time codes that turn a person's machine into a device, and how devices are taken back."""

from __future__ import annotations

import hashlib
import secrets

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from . import audit
from .errors import InvalidInput, NotFound
from .models import Device, Invitation, Member, MemberCategory

# Crockford's base32: no I, L, O, U, so that a code survives the telephone and handwriting.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0"})
_LENGTH = 12


def new_code() -> str:
    """60 random bits as ``XXXX-XXXX-XXXX``."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(letters[start : start + 4] for start in range(0, _LENGTH, 4))


def code_hash(code: str) -> str:
    """SHA-256 of the code as it was meant: case, spaces, hyphens and I/L/O do not matter."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum()).translate(_MISREAD)
    return hashlib.sha256(plain.encode()).hexdigest()


@transaction.atomic
def invite(
    email: str, *, name: str = "", category: str = "", country: str = "", actor: str = "command-line"
) -> str:
    """A new code for the member with this address, who is added where missing.

    The code is returned once and only its hash is kept. Raises InvalidInput.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidInput(
            f"“{email}” is not an email address, so nobody was invited.", "Check the spelling."
        ) from None
    if category and category not in MemberCategory.values:
        raise InvalidInput(
            f"“{category}” is no member category, so nobody was invited.",
            f"Choose one of: {', '.join(MemberCategory.values)}.",
        )
    country = country.strip().upper()
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise InvalidInput(
            f"“{country}” is no country code, so nobody was invited.",
            "Use the two letters of ISO 3166, such as KE or SN.",
        )
    member, _created = Member.objects.get_or_create(email=email)
    if member.state != Member.State.ACTIVE:
        raise InvalidInput(
            f"The membership of {email} is {member.get_state_display()}, so no code was made.",
            "Make the member active again in the admin first.",
        )
    member.name = name.strip() or member.name
    member.category = category or member.category
    member.country = country or member.country
    member.save(update_fields=["name", "category", "country"])
    return issue_code(member, actor)


@transaction.atomic
def issue_code(member: Member, actor: str) -> str:
    """A new code for an existing member; earlier codes stay good until they expire."""
    code = new_code()
    invitation = Invitation.objects.create(code_hash=code_hash(code), member=member)
    audit.record("invited", actor=actor, target=str(invitation.pk))
    return code


@transaction.atomic
def revoke(device_id: str, actor: str = "command-line", *, lost: bool = False) -> Device:
    """Take back a device's access; once revoked it stays revoked. `lost`: at its next contact it also removes all
    that is its person's. Raises NotFound."""
    try:
        device = Device.objects.select_for_update().get(pk=device_id)
    except Device.DoesNotExist:
        raise NotFound(
            f"There is no device with the id {device_id}.", "Run `hubshelf-hub devices` to see the ids."
        ) from None
    if device.revoked is None:
        device.revoked = timezone.now()
        device.save(update_fields=["revoked"])
        audit.record("device-revoked", actor=actor, target=device.id)
    if lost and not device.lost:
        device.lost = True
        device.save(update_fields=["lost"])
        audit.record("device-lost", actor=actor, target=device.id)
    return device
