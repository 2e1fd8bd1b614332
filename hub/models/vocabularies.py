"""Vocabularies loaded from SKOS files: their concepts widen what people search for, across languages."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import json_object


class Vocabulary(models.Model):
    """A concept scheme that was loaded from a file; ``uri`` tells that a later file holds the same one.

    ``languages``: BCP 47 primary languages whose labels are published, sorted, one space between.
    """

    id = models.CharField(primary_key=True, max_length=24)
    uri = models.CharField(_("address of the scheme"), max_length=500, unique=True)
    namespace = models.CharField(_("beginning of its concepts' addresses"), max_length=500)
    titles = json_object(verbose_name=_("titles by language"))
    rights = models.CharField(_("licence"), max_length=500, blank=True, default="")
    languages = models.CharField(_("languages published"), max_length=500, blank=True, default="")
    updated = models.DateTimeField(_("updated"), default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("vocabulary")
        verbose_name_plural = _("vocabularies")

    def __str__(self) -> str:
        return str(self.titles.get("en") or self.id)


class Concept(models.Model):
    """What a vocabulary has several names for. ``labels``: by language, the preferred one first."""

    id = models.CharField(primary_key=True, max_length=64)
    vocabulary = models.ForeignKey(Vocabulary, on_delete=models.CASCADE, related_name="concepts")
    labels = json_object(verbose_name=_("labels by language"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("concept")
        verbose_name_plural = _("concepts")

    def __str__(self) -> str:
        return str(next(iter(self.labels.get("en", [])), self.id))
