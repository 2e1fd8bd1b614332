"""Which devices were given the key for what only members may read, and when it is replaced.

It is replaced by the first publication after a device that has it lost its access.
docs/adr/0011-member-streams.md.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from django.db import transaction

from hub.models import Device, KeyGrant, Member
from hub.publishing import epochs, member_keys

STATE = "members"
"""The state that names the sealed index: its hash and size, the version and epoch that made it, a fingerprint."""


def rotate_if_due(home: Path) -> bool:
    """Replace the key where somebody has it who should not read on; the caller then seals everything anew.

    Also in a new epoch: the database may have forgotten who was given it. Raises KeysUnusable.
    """
    newest = member_keys.newest_id(home)
    if not newest or not (_epoch_changed() or _lost(newest)):
        return False
    member_keys.replace(home)
    return True


def settle(home: Path) -> None:
    """Forget the key before: a head is in force that leads only to what the newest one sealed."""
    member_keys.forget_previous(home)
    if newest := member_keys.newest_id(home):
        KeyGrant.objects.exclude(key=newest).delete()


def due(home: Path) -> bool:
    """Return whether the next publication replaces the key. Raises KeysUnusable."""
    newest = member_keys.newest_id(home)
    return bool(newest) and _lost(newest)


def hand_out(home: Path, device: str, has: Collection[str] = ()) -> tuple[str, ...]:
    """Return the keys (64 hexadecimal characters each) in use that a device lacks, noted before they leave.

    `has`: ids. The caller has made sure that the device may have them. Raises KeysUnusable.
    """
    in_use = member_keys.keys(home)
    if next(iter(in_use), "") in has:
        return ()  # whoever has the newest needs none before it: what is served is soon sealed with that
    lacking = {name: one for name, one in in_use.items() if name not in has}
    if lacking and Device.objects.filter(pk=device, member__state=Member.State.JOINING).exists():
        return ()
    if lacking:
        with transaction.atomic():
            for name in lacking:
                KeyGrant.objects.get_or_create(device=device, key=name)
    return tuple(one.hex() for one in lacking.values())


def _lost(name: str) -> bool:
    """Whether a device that was given this key has no access any more, or is gone."""
    welcome = Device.objects.filter(revoked=None, member__state=Member.State.ACTIVE)
    return KeyGrant.objects.filter(key=name).exclude(device__in=welcome.values("id")).exists()


def _epoch_changed() -> bool:
    return bool(epochs.get_value(STATE, {}).get("epoch") != epochs.current()[0])
