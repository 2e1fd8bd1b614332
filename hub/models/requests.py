"""Questions and the other requests that members send, with their state machine."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub.times import to_wire

from .fields import id_field, json_list, lang_field
from .people import Member

HISTORY = 60
"""How many moves of a request its timeline keeps, the newest."""


class RequestKind(models.TextChoices):
    QUESTION = "question", _("question to the community")
    HELPDESK = "helpdesk", _("helpdesk request")
    RESOURCE = "resource", _("proposed resource")
    PRACTICE = "practice", _("shared practice")


class RequestState(models.TextChoices):
    SUBMITTED = "submitted", _("submitted")
    TRIAGED = "triaged", _("triaged")
    SCOPED = "scoped", _("scoped")
    ASSIGNED = "assigned", _("assigned")
    IN_PROGRESS = "in-progress", _("in progress")
    WAITING = "waiting", _("waiting on the asker")
    DELIVERED = "delivered", _("delivered")
    CLOSED = "closed", _("closed")
    DECLINED = "declined", _("declined")


_S = RequestState
_OPEN = (_S.SUBMITTED, _S.TRIAGED, _S.SCOPED, _S.ASSIGNED, _S.IN_PROGRESS, _S.WAITING)

ALLOWED_TRANSITIONS: dict[RequestState, frozenset[RequestState]] = {
    # A question may be answered at once, so "delivered" can be reached from every open state.
    _S.SUBMITTED: frozenset({_S.TRIAGED, _S.ASSIGNED, _S.WAITING, _S.DELIVERED, _S.DECLINED}),
    _S.TRIAGED: frozenset({_S.SCOPED, _S.ASSIGNED, _S.WAITING, _S.DELIVERED, _S.DECLINED}),
    _S.SCOPED: frozenset({_S.ASSIGNED, _S.WAITING, _S.DELIVERED, _S.DECLINED}),
    _S.ASSIGNED: frozenset({_S.IN_PROGRESS, _S.WAITING, _S.DELIVERED, _S.DECLINED}),
    _S.IN_PROGRESS: frozenset({_S.WAITING, _S.DELIVERED, _S.DECLINED}),
    _S.WAITING: frozenset(
        {_S.TRIAGED, _S.SCOPED, _S.ASSIGNED, _S.IN_PROGRESS, _S.DELIVERED, _S.CLOSED, _S.DECLINED}
    ),
    # The asker may come back on an answer; a closed or declined request stays as it is.
    _S.DELIVERED: frozenset({_S.IN_PROGRESS, _S.WAITING, _S.CLOSED}),
    _S.CLOSED: frozenset(),
    _S.DECLINED: frozenset(),
}


class Satisfaction(models.TextChoices):
    YES = "yes", _("yes")
    PARTLY = "partly", _("partly")
    NO = "no", _("no")


class Request(models.Model):
    """What a member asked. ``revision`` rises by one with every change of state or reply.

    ``history``: ``[state, time]`` of each move after it was received, oldest first. ``satisfaction``,
    ``satisfaction_words`` and ``may_publish`` are what the asker said of the answer, and whether the community may
    read it (None: not asked); ``anonymous`` keeps the name from the community, never from the facilitators.

    The clock: ``age()`` leaves out the time spent in state "waiting", which is the asker's, not ours.
    ``paused_seconds`` holds the finished pauses, ``waiting_since`` the start of the running one.
    """

    id = id_field()
    kind = models.CharField(_("kind"), max_length=16, choices=RequestKind.choices, default=RequestKind.QUESTION)
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="requests", verbose_name=_("asked by")
    )
    title = models.CharField(_("title"), max_length=1000)
    body = models.TextField(_("text"), blank=True, default="")
    lang = lang_field(verbose_name=_("language"))
    themes = json_list(verbose_name=_("themes"))
    needed_by = models.DateField(_("needed by"), null=True, blank=True)
    decision = models.TextField(_("the decision it serves"), blank=True, default="")
    confidential = models.BooleanField(_("confidential"), default=False)
    anonymous = models.BooleanField(_("anonymous"), default=False)
    state = models.CharField(
        _("state"), max_length=12, choices=RequestState.choices, default=RequestState.SUBMITTED
    )
    assigned_to = models.CharField(_("assigned to"), max_length=300, blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=1)
    created = models.DateTimeField(_("received"), default=timezone.now)
    updated = models.DateTimeField(_("updated"), default=timezone.now)
    history = models.JSONField(_("history"), default=list, blank=True, editable=False)
    satisfaction = models.CharField(
        _("did the answer help?"),
        max_length=8,
        choices=Satisfaction.choices,
        blank=True,
        default="",
        editable=False,
    )
    satisfaction_words = models.TextField(_("in the asker's words"), blank=True, default="", editable=False)
    may_publish = models.BooleanField(
        _("the community may read the answer"), null=True, blank=True, default=None, editable=False
    )
    rated = models.DateTimeField(_("said on"), null=True, blank=True, editable=False)
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True, editable=False)
    paused_seconds = models.PositiveBigIntegerField(_("seconds paused"), default=0, editable=False)

    class Meta:
        ordering = ["-created", "id"]
        indexes = [models.Index(fields=["state", "created"], name="request_state_created")]
        permissions = [("read_confidential", _("Can read confidential requests"))]
        verbose_name = _("request")
        verbose_name_plural = _("requests")

    def __str__(self) -> str:
        return self.title

    def may_become(self, state: str) -> bool:
        """Whether the table of transitions lets this request go to ``state``."""
        return RequestState(state) in ALLOWED_TRANSITIONS[RequestState(self.state)]

    def move_to(self, state: RequestState, now: datetime | None = None) -> None:
        """Take the state, stopping or starting the clock; saving and the revision are the caller's.

        Raises ValueError where the table does not allow it: whoever calls has asked ``may_become``.
        """
        if not self.may_become(state):
            raise ValueError(f"{self.state} may not become {state}")
        now = now or timezone.now()
        if self.waiting_since is not None:
            self.paused_seconds += max(int((now - self.waiting_since).total_seconds()), 0)
            self.waiting_since = None
        if state == RequestState.WAITING:
            self.waiting_since = now
        self.state = state
        self.updated = now
        self.history = [*self.history, [str(state), to_wire(now)]][-HISTORY:]

    def is_open(self) -> bool:
        """True while somebody still owes something: not delivered, closed or declined."""
        return RequestState(self.state) in _OPEN

    def age(self, now: datetime | None = None) -> timedelta:
        """How long this has been with us, without the time spent waiting on the asker."""
        now = now or timezone.now()
        paused = timedelta(seconds=self.paused_seconds)
        if self.waiting_since is not None:
            paused += now - self.waiting_since
        return max(now - self.created - paused, timedelta(0))


class RequestReply(models.Model):
    id = id_field()
    request = models.ForeignKey(
        Request, on_delete=models.CASCADE, related_name="replies", verbose_name=_("request")
    )
    author_name = models.CharField(_("author"), max_length=300)
    by_member = models.BooleanField(_("written by the asker"), default=False)
    body = models.TextField(_("text"))
    cites = json_list(verbose_name=_("cited records"))
    created = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["created", "id"]
        verbose_name = _("reply")
        verbose_name_plural = _("replies")

    def __str__(self) -> str:
        return f"{self.author_name}: {self.body[:60]}"


class Upload(models.Model):
    """A member's file that arrives, or has arrived, in pieces; its bytes lie in the folder ``attachments``.

    ``id`` is derived from member and digest, so that asking again after a lost answer finds the same one, and
    the same bytes are stored once for each member.
    """

    id = models.CharField(primary_key=True, max_length=36, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="uploads", verbose_name=_("member"))
    digest = models.CharField(_("SHA-256"), max_length=64)
    size = models.PositiveBigIntegerField(_("bytes"))
    created = models.DateTimeField(_("announced"), default=timezone.now)
    completed = models.DateTimeField(_("complete"), null=True, blank=True)

    class Meta:
        ordering = ["created", "id"]
        constraints = [models.UniqueConstraint(fields=["member", "digest"], name="upload_once_per_member")]
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")

    def __str__(self) -> str:
        return self.id


class Attachment(models.Model):
    """A file that a request or a reply names. Its bytes are those of the member's upload of that digest,
    which may still be on its way."""

    id = id_field()
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="attachments", verbose_name=_("member")
    )
    request = models.ForeignKey(
        Request, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    reply = models.ForeignKey(
        RequestReply, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    position = models.PositiveSmallIntegerField(default=0)
    digest = models.CharField(_("SHA-256"), max_length=64)
    size = models.PositiveBigIntegerField(_("bytes"))
    name = models.CharField(_("name"), max_length=200)
    media_type = models.CharField(_("media type"), max_length=150)
    created = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["created", "position", "id"]
        indexes = [models.Index(fields=["member", "digest"], name="attachment_member_digest")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(request__isnull=True) ^ models.Q(reply__isnull=True),
                name="attachment_of_one_thing",
            )
        ]
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        return self.name
