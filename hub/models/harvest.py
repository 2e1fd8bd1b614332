"""What is harvested: when each source was asked and how it went, and the inbox of what came."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .catalogue import Resource, Source
from .fields import id_field, json_list, json_object


class Harvest(models.Model):
    """One harvest of a source: its counts, and what was wrong on the way."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="harvests", verbose_name=_("source"))
    started = models.DateTimeField(_("started"), default=timezone.now)
    ended = models.DateTimeField(_("ended"), null=True, blank=True)
    whole = models.BooleanField(_("came to its end"), default=False)
    pages = models.PositiveIntegerField(_("pages"), default=0)
    read = models.PositiveIntegerField(_("read"), default=0)
    new = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    deleted = models.PositiveIntegerField(_("deleted there"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    problems = json_list(verbose_name=_("problems"))
    error = models.CharField(_("error"), max_length=500, blank=True, default="")

    class Meta:
        ordering = ["-started", "-id"]
        verbose_name = _("harvest")
        verbose_name_plural = _("harvests")

    def __str__(self) -> str:
        return f"{self.source} {self.started:%Y-%m-%d %H:%M}"


class InboxItem(models.Model):
    """A record that a source offers, until a person has decided; its raw form is kept for good."""

    class State(models.TextChoices):
        NEW = "new", _("new")
        ACCEPTED = "accepted", _("accepted")
        MERGED = "merged", _("merged into another")
        REJECTED = "rejected", _("rejected")
        GONE = "gone", _("deleted there before anybody decided")

    id = id_field()
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="inbox", verbose_name=_("source"))
    key = models.CharField(_("id there"), max_length=500)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.NEW, db_index=True)
    deleted = models.BooleanField(_("deleted there"), default=False)
    fresh = models.BooleanField(_("changed there since it was decided"), default=False)
    title = models.CharField(_("title"), max_length=1000, blank=True, default="")
    year = models.IntegerField(_("year"), null=True, blank=True)
    lang = models.CharField(_("language"), max_length=35, default="und")
    record = json_object(verbose_name=_("record"))
    refused = models.CharField(_("why it cannot be taken"), max_length=500, blank=True, default="")
    raw = models.TextField(_("as it came"), blank=True, default="")
    digest = models.CharField(max_length=64, default="", editable=False)
    resource = models.ForeignKey(
        Resource,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="harvested",
        verbose_name=_("resource"),
    )
    likely = models.ForeignKey(
        Resource,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("perhaps the same"),
    )
    likely_by = models.CharField(_("because of"), max_length=40, blank=True, default="")
    came = models.DateTimeField(_("came"), default=timezone.now)
    changed = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        ordering = ["came", "id"]
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="inbox_once_a_source")]
        verbose_name = _("item of the inbox")
        verbose_name_plural = _("inbox")

    def __str__(self) -> str:
        return self.title or self.key
