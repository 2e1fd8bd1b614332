"""What PCs tell of themselves, as far as somebody there allowed it, and the groups that they are in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from hub import audit
from hub.errors import InvalidInput, NotFound
from hub.models import Device
from hub.times import to_wire
from sync.protocol.telling import GROUP, About

COLUMNS = (
    "id", "name", "member", "email", "site", "group", "system", "version", "enrolled", "last_seen", "in_step",
    "failures", "free_mb", "shelf_mb", "told", "revoked", "lost",
)  # fmt: skip
"""Of the list as CSV."""


def note(device: Device, about: object) -> None:
    """Keep what a PC told of itself; {} makes the hub forget it. What cannot be read is passed over.

    Nobody is refused for the sake of this note.
    """
    if about is None:
        return
    found = About.from_json(about)
    forget = about == {}
    if found is None and not forget:
        return
    told = found or About()
    changed: dict[str, Any] = {
        "version": told.version,
        "in_step": _moment(told.in_step),
        "failures": dict(told.failed),
        "free_mb": None if forget else told.free_mb,
        "shelf_mb": None if forget else told.shelf_mb,
        "told": None if forget else timezone.now(),
    }
    if told.system and not device.system:
        changed["system"] = told.system
    with suppress(DatabaseError):
        Device.objects.filter(pk=device.pk).update(**changed)


def news_of_group(device: Device, known: str) -> str | None:
    """Return the group that a device is in where it knows of another one, "" for none; None where it knows it."""
    return None if device.group == known else device.group


@transaction.atomic
def put_into_group(name: str, devices: Sequence[str], actor: str = "command-line") -> int:
    """Put devices into the group `name`, "" for none; return how many changed. Raises InvalidInput, NotFound."""
    name = checked_group(name)
    found = Device.objects.filter(pk__in=devices)
    missing = sorted(set(devices) - {device.pk for device in found})
    if missing:
        raise NotFound(
            f"There is no device with the id {missing[0]}; nothing was changed.",
            "Run `hubshelf-hub devices` to see the ids.",
        )
    changed = 0
    for device in found.exclude(group=name):
        device.group = name
        device.save(update_fields=["group"])
        audit.record("device-grouped", actor=actor, target=f"{device.pk} {name}")
        changed += 1
    return changed


def checked_group(name: str) -> str:
    """Return the name of a group, or "". Raises InvalidInput."""
    name = " ".join(name.split())
    if len(name) > GROUP:
        raise InvalidInput(f"A group's name has at most {GROUP} characters.", "Choose a shorter one.")
    return name


def silent(devices: QuerySet[Device], days: int) -> QuerySet[Device]:
    """Those that may sync and were not here for so many days."""
    before = timezone.now() - timedelta(days=days)
    return devices.filter(Q(last_seen__lt=before) | Q(last_seen=None, created__lt=before), revoked=None)


def row(device: Device) -> dict[str, Any]:
    """Return a device as the list has it; times in UTC, ISO 8601, None for never."""
    return {
        "id": device.pk,
        "name": device.name,
        "member": device.member.name,
        "email": device.member.email,
        "site": str(device.site) if device.site is not None else "",
        "group": device.group,
        "system": device.system,
        "version": device.version,
        "enrolled": to_wire(device.created),
        "last_seen": device.last_seen and to_wire(device.last_seen),
        "in_step": device.in_step and to_wire(device.in_step),
        "failures": failures(device),
        "free_mb": device.free_mb,
        "shelf_mb": device.shelf_mb,
        "told": device.told and to_wire(device.told),
        "revoked": device.revoked and to_wire(device.revoked),
        "lost": device.lost,
    }


def failures(device: Device) -> str:
    """The codes of failures with their counts, in words."""
    found = device.failures if isinstance(device.failures, dict) else {}
    return ", ".join(f"{code} {count}" for code, count in sorted(found.items(), key=lambda one: -one[1]))


def as_csv(devices: Iterable[Device]) -> bytes:
    """Return the list as CSV (RFC 4180, UTF-8 with a mark that spreadsheets know it by)."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for device in devices:
        writer.writerow({key: _harmless(value) for key, value in row(device).items()})
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _harmless(value: object) -> object:
    """What a spreadsheet would run is text: people choose the names of their PCs."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _moment(said: str) -> datetime | None:
    try:
        return datetime.fromisoformat(said) if said else None
    except ValueError:
        return None
