"""Who calls: the device that a request's bearer token belongs to."""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest

from hub.models import Device
from hub.planes.answers import Refused
from hub.planes.devices import refuse_without_access
from hub.publishing import members
from hub.publishing.keys import KeysUnusable
from sync.protocol.messages import token_hash
from sync.protocol.problems import Problem

_log = logging.getLogger(__name__)

_TOKEN = 64
"""Characters of a token."""


def token_of(request: HttpRequest) -> str:
    """Return the bearer token of a request. Raises Refused where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or len(token) != _TOKEN:
        raise Refused(Problem("no-token", "This device has not said who it is.", "auth", 401))
    return token


def device_with(token: str) -> Device:
    """Return the device, with its member, that a token belongs to.

    Raises Refused for a device that is unknown or revoked, or whose member is not active.
    """
    try:
        device = Device.objects.select_related("member").get(token_hash=token_hash(token))
    except Device.DoesNotExist:
        raise Refused(
            Problem("unknown-device", "This hub does not know this device. Enrol it again.", "auth", 401)
        ) from None
    refuse_without_access(device)
    return device


def keys_for(device: str, has: Collection[str] = ()) -> tuple[str, ...]:
    """Return the keys for members that a device with access lacks; `has`: ids of those that it has.

    None where that fails: its questions are not kept waiting for it.
    """
    try:
        return members.hand_out(settings.HOME, device, has)
    except (KeysUnusable, DatabaseError) as error:
        _log.error("no key for members could be given: %s", error)
        return ()


def device_of(request: HttpRequest) -> Device:
    """Return the device that asks, with its member. Raises Refused."""
    return device_with(token_of(request))
