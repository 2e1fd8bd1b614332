"""The catalogue: themes, collections, sources, resources and what hangs on a resource."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import digest_field, id_field, json_list, json_object, lang_field


class PublicState(models.TextChoices):
    """Where a published kind of content stands. Withdrawn content is deleted from every shelf."""

    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    WITHDRAWN = "withdrawn", _("withdrawn")


class NoticeKind(models.TextChoices):
    """What became of a resource after it was published."""

    CORRECTED = "corrected", _("corrected")
    SUPERSEDED = "superseded", _("superseded by a newer one")
    WITHDRAWN = "withdrawn", _("withdrawn: the record stays, texts and files go")


class PolicyCycle(models.TextChoices):
    ADVOCACY = "advocacy", _("advocacy")
    ASSESSMENT = "assessment", _("assessment")
    DEVELOPMENT = "development", _("development")
    IMPLEMENTATION = "implementation", _("implementation")


class Theme(models.Model):
    """A concept of one of the hub's taxonomies (SKOS); ``id`` is its slug."""

    id = models.CharField(primary_key=True, max_length=64)
    scheme = models.CharField(_("taxonomy"), max_length=64, default="local", db_index=True)
    labels = json_object(verbose_name=_("names by language"))
    broader = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="narrower",
        verbose_name=_("broader"),
    )
    position = models.PositiveIntegerField(_("order"), default=0)
    state = models.CharField(_("state"), max_length=12, choices=PublicState.choices, default=PublicState.PUBLISHED)
    updated = models.DateTimeField(_("updated"), default=timezone.now)
    digest = digest_field()

    class Meta:
        ordering = ["scheme", "position", "id"]
        verbose_name = _("theme")
        verbose_name_plural = _("themes")

    def __str__(self) -> str:
        return str(self.labels.get("en") or self.id)


class Collection(models.Model):
    """A named set of resources that the facilitators put together."""

    id = id_field()
    name = models.CharField(_("name"), max_length=300, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("collection")
        verbose_name_plural = _("collections")

    def __str__(self) -> str:
        return self.name


class Source(models.Model):
    """Where resources come from: a file somebody imported, a repository, a feed."""

    id = id_field()
    name = models.CharField(_("name"), max_length=300, unique=True)
    kind = models.CharField(_("kind"), max_length=32, default="file")
    url = models.CharField(_("address"), max_length=2000, blank=True, default="")
    created = models.DateTimeField(_("created"), default=timezone.now)
    # Of those that are harvested (hub.harvest): how they are asked, every how many minutes (0: by hand), and where
    # the next harvest goes on.
    settings = json_object(verbose_name=_("settings"))
    every_minutes = models.PositiveIntegerField(_("every so many minutes"), default=0)
    place = models.JSONField(default=dict, blank=True, editable=False)
    harvested = models.DateTimeField(_("harvested"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return self.name


class Resource(models.Model):
    """A guide, report, study …: what people look for. Dublin Core and schema.org LearningResource."""

    id = id_field()
    title = models.CharField(_("title"), max_length=1000)
    summary = models.TextField(_("summary"), blank=True, default="")
    lang = lang_field(verbose_name=_("language"))
    publisher = models.CharField(_("publisher"), max_length=1000, blank=True, default="")
    year = models.IntegerField(_("year"), null=True, blank=True)
    authors = json_list(verbose_name=_("authors"))
    countries = json_list(verbose_name=_("countries"))
    subjects = json_list(verbose_name=_("subjects"))
    policy_cycle = models.CharField(
        _("policy cycle"), max_length=32, choices=PolicyCycle.choices, blank=True, default=""
    )
    resource_type = models.CharField(_("type"), max_length=64, blank=True, default="")
    licence = models.CharField(_("licence"), max_length=300, blank=True, default="")
    redistributable = models.BooleanField(_("may be redistributed"), default=False)
    url = models.CharField(_("address"), max_length=2000, blank=True, default="")
    bibliographic = json_object(verbose_name=_("further bibliographic fields (CSL)"))
    extra = json_object(verbose_name=_("fields unknown here, kept as they came"))
    state = models.CharField(_("state"), max_length=12, choices=PublicState.choices, default=PublicState.DRAFT)
    notice_kind = models.CharField(
        _("what became of it"), max_length=12, choices=NoticeKind.choices, blank=True, default=""
    )
    notice_note = json_object(verbose_name=_("why, by language"))
    notice_since = models.DateField(_("since"), null=True, blank=True)
    notice_by = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="replaced",
        verbose_name=_("the newer one"),
    )
    sample = models.BooleanField(_("sample content"), default=False)
    created = models.DateTimeField(_("created"), default=timezone.now)
    updated = models.DateTimeField(_("updated"), default=timezone.now)
    source = models.ForeignKey(
        Source,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="resources",
        verbose_name=_("source"),
    )
    digest = digest_field()
    # Which record of which kind of file this was made from; a duplicate from elsewhere only fills gaps.
    origin = models.CharField(max_length=200, default="", blank=True, editable=False)

    themes = models.ManyToManyField(
        Theme, through="ResourceTheme", related_name="resources", verbose_name=_("themes"), blank=True
    )
    collections = models.ManyToManyField(
        Collection, related_name="resources", verbose_name=_("collections"), blank=True
    )

    class Meta:
        ordering = ["-updated", "id"]
        verbose_name = _("resource")
        verbose_name_plural = _("resources")
        indexes = [
            models.Index(fields=["state", "lang"], name="resource_state_lang"),
            models.Index(fields=["-updated"], name="resource_updated"),
        ]

    def __str__(self) -> str:
        return self.title

    def theme_slugs(self) -> list[str]:
        """Slugs in the order that the facilitator gave; the first is the primary theme."""
        links = sorted(self.resourcetheme_set.all(), key=lambda link: link.position)
        return [link.theme_id for link in links]


class ResourceTheme(models.Model):
    """A resource's theme; position 0 is the primary one, which decides the stream of its texts."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE)
    theme = models.ForeignKey(Theme, on_delete=models.CASCADE, verbose_name=_("theme"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["resource", "theme"], name="resource_theme_once")]
        verbose_name = _("theme of a resource")
        verbose_name_plural = _("themes of the resource")

    def __str__(self) -> str:
        return str(self.theme_id)


class ResourceIdentifier(models.Model):
    """A DOI, ISBN, ERIC id …, normalised (``hub.imports.identity``).

    Schemes ``url`` and ``key`` (a fingerprint of title, authors, year and place) only serve to recognise
    a resource again and never leave the hub. One value may stand at several resources: the chapters of a
    book share its ISBN.
    """

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="identifiers")
    scheme = models.CharField(_("scheme"), max_length=32)
    value = models.CharField(_("value"), max_length=2000)

    class Meta:
        ordering = ["scheme", "value"]
        constraints = [
            models.UniqueConstraint(fields=["resource", "scheme", "value"], name="resource_identifier_once")
        ]
        indexes = [models.Index(fields=["scheme", "value"], name="identifier_scheme_value")]
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"


class ResourceTranslation(models.Model):
    """Title and summary in another language; ``machine`` tells readers that nobody checked it."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="translations")
    lang = lang_field(verbose_name=_("language"))
    title = models.CharField(_("title"), max_length=1000)
    summary = models.TextField(_("summary"), blank=True, default="")
    machine = models.BooleanField(_("made by a machine"), default=False)
    source = models.CharField(_("translated by"), max_length=300, blank=True, default="")

    class Meta:
        ordering = ["lang"]
        constraints = [models.UniqueConstraint(fields=["resource", "lang"], name="resource_translation_once")]
        verbose_name = _("translation")
        verbose_name_plural = _("translations")

    def __str__(self) -> str:
        return f"{self.lang}: {self.title}"


class Edition(models.Model):
    """A text edition of a resource: what people read offline. Sanitised HTML or plain text."""

    class Format(models.TextChoices):
        TEXT = "text", _("plain text")
        HTML = "html", _("HTML")

    id = id_field()
    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="editions")
    lang = lang_field(verbose_name=_("language"))
    format = models.CharField(_("format"), max_length=8, choices=Format.choices, default=Format.TEXT)
    body = models.TextField(_("text"))
    updated = models.DateTimeField(_("updated"), default=timezone.now)

    class Meta:
        ordering = ["lang"]
        constraints = [models.UniqueConstraint(fields=["resource", "lang"], name="edition_once_a_language")]
        verbose_name = _("text edition")
        verbose_name_plural = _("text editions")

    def __str__(self) -> str:
        return f"{self.lang} ({self.format})"


class StoredFile(models.Model):
    """A file of a resource. Its bytes lie under ``objects/`` by content hash (``hub.objects``)."""

    id = models.BigAutoField(primary_key=True)
    hash = models.CharField(_("SHA-256"), max_length=64, db_index=True)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    media_type = models.CharField(_("media type"), max_length=200)
    name = models.CharField(_("file name"), max_length=300)
    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="files")
    # The hash of the file that stood here before, so that its readers need only what differs.
    replaces = models.CharField(max_length=64, default="", blank=True, editable=False)

    class Meta:
        ordering = ["name", "hash"]
        constraints = [models.UniqueConstraint(fields=["resource", "hash"], name="file_once_a_resource")]
        verbose_name = _("file")
        verbose_name_plural = _("files")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; other bytes in the place of stored ones are noted as replacing them."""
        before = type(self)._default_manager.filter(pk=self.pk).values_list("hash", flat=True).first()
        if before and before != self.hash:
            self.replaces = before
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "replaces"}
        super().save(*args, **kwargs)
