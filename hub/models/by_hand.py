"""Devices that wrote by hand, on a stick, and how far the hub is with each."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from .devices import Device


class ByHand(models.Model):
    """What the newest letter of a device said, and what the next answer to it has to say.

    `tag` names the device where anybody may look. `epoch` and `number`: of its newest letter that was taken.
    `cursor`: [epoch, number] of the newest personal item that it had then; `operations`: the ids of what it sent
    by hand; `keys`: ids of the keys for members that it had; `joined`: a code was turned into it by hand;
    `files`: which it sends and which it lacks (`Files` of by_hand.py); `problem`: why it was refused; `answers`:
    how many answers were made.
    """

    tag = models.CharField(primary_key=True, max_length=32)
    token_hash = models.CharField(max_length=64)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, null=True, related_name="by_hand")
    epoch = models.PositiveBigIntegerField(default=0)
    number = models.PositiveBigIntegerField(default=0)
    cursor = models.JSONField(default=list)
    operations = models.JSONField(default=list)
    keys = models.JSONField(default=list)
    files = models.JSONField(default=dict)
    joined = models.BooleanField(default=False)
    problem = models.JSONField(null=True, default=None)
    answers = models.PositiveBigIntegerField(default=0)
    updated = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.tag
