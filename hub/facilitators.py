"""Accounts for the people who run the hub."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from .errors import InvalidInput

DEFAULT_EMAIL = "facilitator@hub.invalid"


@dataclass(frozen=True)
class Facilitator:
    """``password`` is only filled when it was made up here: it is shown once and kept nowhere."""

    email: str
    created: bool
    password: str | None = None


def ensure_facilitator(email: str = "", password: str = "") -> Facilitator | None:
    """Make the first facilitator, or set the password of the one named.

    Without ``email`` nothing happens on a hub that has a facilitator already (returns None).
    Raises InvalidInput for a bad address or a weak password.
    """
    users = get_user_model()._default_manager
    if not email:
        if users.filter(is_staff=True, is_active=True).exists():
            return None
        email = DEFAULT_EMAIL
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidInput(f"“{email}” is not an email address.", "Check the spelling.") from None
    user = users.filter(username=email).first()
    if user is not None and not password:
        return Facilitator(email, created=False)
    made_up = "" if password else secrets.token_urlsafe(12)
    created = user is None
    if user is None:
        user = get_user_model()(username=email, email=email)
    if password:
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise InvalidInput(
                "The password was not accepted: " + " ".join(error.messages), "Choose a longer one."
            ) from None
    user.is_staff = user.is_superuser = user.is_active = True
    user.set_password(password or made_up)
    user.save()
    return Facilitator(email, created, made_up or None)
