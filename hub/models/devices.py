"""Devices and how they come in, the operations they sent, and what waits for each member."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import id_field, json_object
from .people import Member

INVITATION_LIFETIME = timedelta(days=30)
MOST_USES = 100_000
"""PCs that may come in with one site code."""


class SiteCode(models.Model):
    """A code for the PCs of an office. The code itself is shown once and kept only as a hash."""

    id = models.BigAutoField(primary_key=True)
    code_hash = models.CharField(max_length=64, unique=True, editable=False)
    note = models.CharField(_("note"), max_length=200, blank=True, default="")
    group = models.CharField(_("group"), max_length=40, blank=True, default="")
    uses = models.PositiveIntegerField(_("places"))
    used = models.PositiveIntegerField(_("taken"), default=0, editable=False)
    created = models.DateTimeField(_("created"), default=timezone.now)
    expires = models.DateTimeField(_("expires"))
    revoked = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created"]
        verbose_name = _("site code")
        verbose_name_plural = _("site codes")

    def __str__(self) -> str:
        return self.note or f"{self.pk}"

    def clean(self) -> None:
        """Refuse bounds that let nobody in, or everybody. Raises ValidationError."""
        if self.uses is not None and not 1 <= self.uses <= MOST_USES:
            raise ValidationError({"uses": _("A site code is for 1 to 100,000 PCs.")})
        if self.expires is not None and self.expires <= timezone.now():
            raise ValidationError({"expires": _("A site code ends in the future.")})

    @property
    def standing(self) -> str:
        """Whether it still lets anybody in: open, revoked, expired or full."""
        if self.revoked is not None:
            return "revoked"
        if self.expires < timezone.now():
            return "expired"
        return "full" if self.used >= self.uses else "open"


class Device(models.Model):
    """A copy of the client on somebody's machine. Only the SHA-256 of its token is kept."""

    id = id_field()
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="devices", verbose_name=_("member"))
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(_("enrolled"), default=timezone.now)
    last_seen = models.DateTimeField(_("last seen"), null=True, blank=True)
    revoked = models.DateTimeField(_("revoked"), null=True, blank=True)
    lost = models.BooleanField(_("lost"), default=False, editable=False)
    system = models.CharField(_("system"), max_length=40, blank=True, default="", editable=False)
    group = models.CharField(_("group"), max_length=40, blank=True, default="")
    # What the PC tells of itself (hub.fleet), where somebody there allowed it.
    told = models.DateTimeField(_("told"), null=True, blank=True, editable=False)
    version = models.CharField(_("version"), max_length=40, blank=True, default="", editable=False)
    in_step = models.DateTimeField(_("last in step"), null=True, blank=True, editable=False)
    failures = json_object()
    free_mb = models.PositiveBigIntegerField(_("free megabytes"), null=True, blank=True, editable=False)
    shelf_mb = models.PositiveBigIntegerField(_("megabytes of the shelf"), null=True, blank=True, editable=False)
    site = models.ForeignKey(
        SiteCode,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="devices",
        editable=False,
        verbose_name=_("came by"),
    )
    moved_to = models.OneToOneField(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="moved_from",
        editable=False,
        verbose_name=_("moved to"),
    )

    class Meta:
        ordering = ["-last_seen", "-created"]
        verbose_name = _("device")
        verbose_name_plural = _("devices")

    def __str__(self) -> str:
        return self.name or self.id


class KeyGrant(models.Model):
    """A device that was given a key for members. The row outlives the device: whoever had the key still has it."""

    id = models.BigAutoField(primary_key=True)
    device = models.CharField(max_length=64)
    key = models.CharField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "device"], name="key_grant_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.device}"


def _invitation_expiry() -> object:
    return timezone.now() + INVITATION_LIFETIME


class Invitation(models.Model):
    """A personal one-time code. The code itself is shown once and kept only as a hash."""

    id = models.BigAutoField(primary_key=True)
    code_hash = models.CharField(max_length=64, unique=True, editable=False)
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="invitations", verbose_name=_("member")
    )
    created = models.DateTimeField(_("created"), default=timezone.now)
    expires = models.DateTimeField(_("expires"), default=_invitation_expiry)
    used_at = models.DateTimeField(_("used"), null=True, blank=True, editable=False)
    used_by_device = models.ForeignKey(
        Device,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="invitations",
        editable=False,
        verbose_name=_("used by"),
    )
    token_hash = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta:
        ordering = ["-created"]
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return f"{self.member} ({self.created:%Y-%m-%d})"


class Operation(models.Model):
    """What a device sent: ``id`` is the client's operation id, kept for good, so a retry changes nothing."""

    class Status(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        REJECTED = "rejected", _("rejected")

    id = models.CharField(primary_key=True, max_length=64)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="operations")
    epoch = models.PositiveBigIntegerField()
    counter = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=32)
    effect_id = models.CharField(max_length=64, blank=True, default="")
    status = models.CharField(max_length=12, choices=Status.choices)
    receipt = json_object()
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created", "id"]
        constraints = [
            models.UniqueConstraint(fields=["device", "epoch", "counter"], name="operation_counter_once")
        ]
        verbose_name = _("operation")
        verbose_name_plural = _("operations")

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class PersonalItem(models.Model):
    """One entry of a member's own feed; ``seq`` has no gaps and rises in commit order."""

    id = models.BigAutoField(primary_key=True)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="personal_items")
    seq = models.PositiveBigIntegerField()
    item_id = models.CharField(max_length=64)
    body = models.JSONField()
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["member", "seq"]
        constraints = [models.UniqueConstraint(fields=["member", "seq"], name="personal_seq_once")]
        verbose_name = _("personal item")
        verbose_name_plural = _("personal items")

    def __str__(self) -> str:
        return f"{self.seq}: {self.item_id}"
