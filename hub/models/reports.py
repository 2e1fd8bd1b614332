"""What members report to the moderators: a message or a resource that somebody should look at."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .catalogue import Resource
from .community import Message
from .fields import id_field
from .people import Member


class ReportReason(models.TextChoices):
    WRONG = "wrong", _("wrong or outdated")
    OFFENSIVE = "offensive", _("offensive")
    PRIVATE = "private", _("private information")
    SPAM = "spam", _("spam")
    OTHER = "other", _("something else")


class Report(models.Model):
    """One report. Who reported is for the moderators alone, and goes with the member's account."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        REMOVED = "removed", _("looked at: removed")
        CHANGED = "changed", _("looked at: corrected or marked")
        STAYS = "stays", _("looked at: stays as it is")

    id = id_field()
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="reports", verbose_name=_("reported by")
    )
    target = models.CharField(_("id of what was reported"), max_length=64)
    message = models.ForeignKey(
        Message,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="reports",
        verbose_name=_("message"),
    )
    resource = models.ForeignKey(
        Resource,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="reports",
        verbose_name=_("resource"),
    )
    reason = models.CharField(_("reason"), max_length=12, choices=ReportReason.choices)
    words = models.TextField(_("in the reporter's words"), blank=True, default="")
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.OPEN)
    created = models.DateTimeField(_("reported"), default=timezone.now)
    handled = models.DateTimeField(_("looked at"), null=True, blank=True)
    handled_by = models.CharField(_("looked at by"), max_length=150, blank=True, default="")

    class Meta:
        ordering = ["-created", "id"]
        indexes = [
            models.Index(fields=["state", "created"], name="report_state_created"),
            models.Index(fields=["member", "created"], name="report_member_created"),
        ]
        verbose_name = _("report")
        verbose_name_plural = _("reports")

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.target}"
