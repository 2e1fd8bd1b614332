"""The community of practice: threads, messages, and the summaries made of them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .catalogue import PublicState, Resource
from .fields import digest_field, id_field, json_list, lang_field
from .people import Member, MemberCategory


class Thread(models.Model):
    class Activity(models.TextChoices):
        PLANNING = "planning", _("planning")
        IMPLEMENTATION = "implementation", _("implementation")
        RESEARCH = "research", _("research")

    class Visibility(models.TextChoices):
        PUBLIC = "public", _("everybody")
        MEMBERS = "members", _("members")

    id = id_field()
    title = models.CharField(_("title"), max_length=1000)
    lang = lang_field(verbose_name=_("language"))
    themes = json_list(verbose_name=_("themes"))
    activity = models.CharField(_("activity"), max_length=32, choices=Activity.choices, blank=True, default="")
    resource = models.ForeignKey(
        Resource,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="threads",
        verbose_name=_("about the resource"),
    )
    state = models.CharField(_("state"), max_length=12, choices=PublicState.choices, default=PublicState.PUBLISHED)
    visibility = models.CharField(
        _("visible to"), max_length=12, choices=Visibility.choices, default=Visibility.PUBLIC
    )
    created = models.DateTimeField(_("created"), default=timezone.now)
    updated = models.DateTimeField(_("updated"), default=timezone.now)
    digest = digest_field()

    class Meta:
        ordering = ["-updated", "id"]
        verbose_name = _("discussion")
        verbose_name_plural = _("discussions")

    def __str__(self) -> str:
        return self.title


class Message(models.Model):
    class State(models.TextChoices):
        PENDING = "pending", _("waiting for moderation")
        PUBLISHED = "published", _("published")
        REMOVED = "removed", _("removed")

    id = id_field()
    thread = models.ForeignKey(
        Thread, on_delete=models.CASCADE, related_name="messages", verbose_name=_("discussion")
    )
    member = models.ForeignKey(
        Member,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="messages",
        verbose_name=_("member"),
    )
    author_name = models.CharField(_("author"), max_length=300, blank=True, default="")
    category = models.CharField(
        _("category"), max_length=32, choices=MemberCategory.choices, blank=True, default=""
    )
    lang = lang_field(verbose_name=_("language"))
    body = models.TextField(_("text"))
    created = models.DateTimeField(_("created"), default=timezone.now)
    updated = models.DateTimeField(_("updated"), default=timezone.now)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.PENDING)
    parent = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="answers",
        verbose_name=_("answers"),
    )
    message_id = models.CharField(_("Message-ID (RFC 5322)"), max_length=998, blank=True, default="")
    digest = digest_field()

    class Meta:
        ordering = ["created", "id"]
        indexes = [models.Index(fields=["state", "created"], name="message_state_created")]
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return f"{self.author_name}: {self.body[:60]}"


class Summary(models.Model):
    """What a discussion came to; ``body`` cites its n-th citation as ``[n]``."""

    id = id_field()
    thread = models.ForeignKey(
        Thread, on_delete=models.CASCADE, related_name="summaries", verbose_name=_("discussion")
    )
    title = models.CharField(_("title"), max_length=1000)
    body = models.TextField(_("text"))
    lang = lang_field(verbose_name=_("language"))
    state = models.CharField(_("state"), max_length=12, choices=PublicState.choices, default=PublicState.PUBLISHED)
    updated = models.DateTimeField(_("updated"), default=timezone.now)
    digest = digest_field()

    cites = models.ManyToManyField(Message, through="SummaryCitation", related_name="cited_by", blank=True)

    class Meta:
        ordering = ["-updated", "id"]
        verbose_name = _("summary")
        verbose_name_plural = _("summaries")

    def __str__(self) -> str:
        return self.title

    def cited_ids(self) -> list[str]:
        """Message ids, the n-th for ``[n]``; empty where the cited message is not on this hub."""
        by_position = {link.position: link.message_id for link in self.summarycitation_set.all()}
        return [by_position.get(n, "") for n in range(1, max(by_position, default=0) + 1)]


class SummaryCitation(models.Model):
    summary = models.ForeignKey(Summary, on_delete=models.CASCADE)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, verbose_name=_("message"))
    position = models.PositiveSmallIntegerField(_("number in the text"), default=1)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["summary", "position"], name="citation_position_once")]
        verbose_name = _("cited message")
        verbose_name_plural = _("cited messages")

    def __str__(self) -> str:
        return f"[{self.position}]"
