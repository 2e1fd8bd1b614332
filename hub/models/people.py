"""People: members, their organisations, the expert roster, events, the audit trail."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .catalogue import PublicState
from .fields import digest_field, id_field, json_list, lang_field


class MemberCategory(models.TextChoices):
    GOVERNMENT = "government-policymaker", _("government policymaker")
    RESEARCHER = "researcher", _("researcher or academic")
    DONOR = "foundation-donor", _("foundation or donor official")
    NGO = "ngo-advocacy", _("NGO or advocacy professional")
    PRIVATE = "private-sector", _("private sector")
    SCHOOLS = "administrator-teacher", _("administrator or teacher group")


class Organisation(models.Model):
    id = id_field()
    name = models.CharField(_("name"), max_length=500)
    summary = models.TextField(_("summary"), blank=True, default="")
    country = models.CharField(_("country"), max_length=2, blank=True, default="")
    url = models.CharField(_("address"), max_length=2000, blank=True, default="")
    state = models.CharField(_("state"), max_length=12, choices=PublicState.choices, default=PublicState.PUBLISHED)
    updated = models.DateTimeField(_("updated"), default=timezone.now)
    digest = digest_field()

    class Meta:
        ordering = ["name"]
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """Somebody who may ask and reply. ``personal_seq`` is the last number given in their personal feed.

    Who is joining came in with a site code: ``said_email`` is what they say, and not theirs until it is approved.
    """

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        JOINING = "joining", _("joining")
        SUSPENDED = "suspended", _("suspended")
        LEFT = "left", _("left")

    id = id_field()
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="member"
    )
    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=300, blank=True, default="")
    category = models.CharField(
        _("category"), max_length=32, choices=MemberCategory.choices, blank=True, default=""
    )
    country = models.CharField(_("country"), max_length=2, blank=True, default="")
    languages = json_list(verbose_name=_("languages"))
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="members",
        verbose_name=_("organisation"),
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.ACTIVE)
    created = models.DateTimeField(_("created"), default=timezone.now)
    personal_seq = models.PositiveBigIntegerField(default=0, editable=False)
    said_email = models.EmailField(_("says their email is"), blank=True, default="")

    class Meta:
        ordering = ["name", "email"]
        verbose_name = _("member")
        verbose_name_plural = _("members")

    def __str__(self) -> str:
        return self.name or self.email


class ExpertProfile(models.Model):
    """An entry of the public roster."""

    id = id_field()
    member = models.OneToOneField(
        Member,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="expert",
        verbose_name=_("member"),
    )
    name = models.CharField(_("name"), max_length=300)
    role = models.CharField(_("role"), max_length=300, blank=True, default="")
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="experts",
        verbose_name=_("organisation"),
    )
    bio = models.TextField(_("biography"), blank=True, default="")
    themes = json_list(verbose_name=_("themes"))
    languages = json_list(verbose_name=_("languages"))
    countries = json_list(verbose_name=_("countries"))
    lang = lang_field(verbose_name=_("language"))
    state = models.CharField(_("state"), max_length=12, choices=PublicState.choices, default=PublicState.PUBLISHED)
    updated = models.DateTimeField(_("updated"), default=timezone.now)
    digest = digest_field()

    class Meta:
        ordering = ["name"]
        verbose_name = _("expert")
        verbose_name_plural = _("experts")

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """A meeting or webinar (iCalendar VEVENT)."""

    id = id_field()
    title = models.CharField(_("title"), max_length=1000)
    summary = models.TextField(_("summary"), blank=True, default="")
    starts = models.DateTimeField(_("starts"), null=True, blank=True)
    ends = models.DateTimeField(_("ends"), null=True, blank=True)
    place = models.CharField(_("place"), max_length=500, blank=True, default="")
    online = models.BooleanField(_("online"), default=False)
    url = models.CharField(_("address"), max_length=2000, blank=True, default="")
    lang = lang_field(verbose_name=_("language"))
    themes = json_list(verbose_name=_("themes"))
    state = models.CharField(_("state"), max_length=12, choices=PublicState.choices, default=PublicState.PUBLISHED)
    updated = models.DateTimeField(_("updated"), default=timezone.now)
    digest = digest_field()

    class Meta:
        ordering = ["-starts", "title"]
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return self.title


class AuditEvent(models.Model):
    """Who did what to which record, and when. No personal text: ids and kinds only."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(_("what"), max_length=64)
    actor = models.CharField(_("who"), max_length=64)
    target = models.CharField(_("record"), max_length=200)
    created = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"
