"""The desk: requests, the oldest that wait on top, and answering them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Case, IntegerField, QuerySet, When
from django.http import FileResponse, Http404, HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from hub import attachments, audit, community_copies, questions
from hub.errors import HubError
from hub.models import ALLOWED_TRANSITIONS, Request, RequestReply, RequestState
from hub.models.requests import Attachment

from .forms import HubModelAdmin, actor, shown_name
from .generic import ModelForm, StackedInline


class WaitingFilter(admin.SimpleListFilter):
    title = _("waiting")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("us", _("on us")), ("asker", _("on the asker")), ("nobody", _("on nobody"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "us":
            return queryset.filter(state__in=questions.OPEN_STATES)
        if self.value() == "asker":
            return queryset.filter(state=RequestState.WAITING)
        if self.value() == "nobody":
            return queryset.exclude(state__in=[*questions.OPEN_STATES, RequestState.WAITING])
        return queryset


class Replies(StackedInline[RequestReply, Request]):
    model = RequestReply
    extra = 0
    can_delete = False
    fields = ["author_name", "body", "attached", "created"]
    readonly_fields = ["author_name", "body", "attached", "created"]

    @admin.display(description=_("attachments"))
    def attached(self, reply: RequestReply) -> SafeString | str:
        return _attached(reply)

    def has_add_permission(self, request: HttpRequest, obj: Request | None = None) -> bool:
        return False


def _attached(target: Request | RequestReply) -> SafeString | str:
    """The attachments as links, each with its size; "-" where there are none."""
    lines = []
    for entry in attachments.listed(target):
        one = entry.attachment
        size = filesizeformat(one.size)
        if entry.path is None:
            lines.append((format_html("{} ({}): {}", one.name, size, _("still on its way")),))
        else:
            address = reverse("admin:hub_attachment", args=[one.pk])
            lines.append((format_html('<a href="{}" download>{}</a> ({})', address, one.name, size),))
    return format_html_join(SafeString("<br>"), "{}", lines) or "-"


class _Several(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """As many files as somebody chooses (see “Uploading multiple files” of Django's documentation)."""

    widget = _Several

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        several = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(one, initial) for one in several if one]


class RequestForm(ModelForm[Request]):
    reply = forms.CharField(
        label=_("Answer"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 10, "cols": 100}),
        help_text=_("Saved with this, it reaches the asker at their next sync and the request is delivered."),
    )
    reply_author = forms.CharField(label=_("Signed"), required=False, max_length=300)
    new_state = forms.ChoiceField(label=_("Move to"), required=False)

    class Meta:
        model = Request
        fields = ["assigned_to"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        state = RequestState(self.instance.state)
        allowed = [entry for entry in RequestState if entry in ALLOWED_TRANSITIONS[state]]
        choices = [("", str(_("stay “%(state)s”") % {"state": state.label}))]
        choices += [(entry.value, str(entry.label)) for entry in allowed if entry != RequestState.DELIVERED]
        self.fields["new_state"].choices = choices  # type: ignore[attr-defined]  # Field is untyped by name

    reply_files = FilesField(
        label=_("Files with the answer"),
        required=False,
        help_text=_(
            "Only the asker can fetch them. Say in the answer what they are: over a bad link they are dear."
        ),
    )

    def clean(self) -> dict[str, Any] | None:
        data = super().clean() or {}
        if data.get("reply_files") and not data.get("reply"):
            raise forms.ValidationError(_("Files go with an answer: write at least a line."))
        if data.get("reply") and data.get("new_state"):
            raise forms.ValidationError(
                _("An answer delivers the request by itself; leave “Move to” as it is, or answer later.")
            )
        closed = (RequestState.CLOSED, RequestState.DECLINED)
        if data.get("reply") and self.instance.state in closed:
            raise forms.ValidationError(_("This request is closed; it can no longer be answered."))
        return data


@admin.register(Request)
class RequestAdmin(HubModelAdmin[Request]):
    form = RequestForm
    list_display = ["title", "kind", "state", "asked_by", "age", "needed_by", "assigned_to"]
    list_filter = [WaitingFilter, "state", "kind", "lang", "confidential", "satisfaction", "may_publish"]
    search_fields = ["title", "body", "id", "assigned_to"]
    inlines = [Replies]
    actions = ["share_question", "share_answers"]
    readonly_fields = [
        "title", "body", "attached", "kind", "asked_by", "lang", "themes", "needed_by", "decision", "confidential",
        "state", "created", "age", "id", "revision", "satisfaction", "satisfaction_words", "may_publish", "rated",
    ]  # fmt: skip
    fieldsets = [
        (None, {"fields": ["title", "body", "attached", "kind", "asked_by", "state", "age"]}),
        (_("What it is for"), {"fields": ["needed_by", "decision", "confidential", "themes", "lang"]}),
        (_("Your answer"), {"fields": ["reply", "reply_files", "reply_author", "new_state", "assigned_to"]}),
        (
            _("What the asker says of it"),
            {"fields": ["satisfaction", "satisfaction_words", "may_publish", "rated"]},
        ),
        (_("Record"), {"classes": ["collapse"], "fields": ["id", "created", "revision"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Request]:
        waits = Case(When(state__in=questions.OPEN_STATES, then=0), default=1, output_field=IntegerField())
        found = super().get_queryset(request).select_related("member").order_by(waits, "created", "id")
        # “Only the helpdesk team reads it”: for others it is not there, neither in lists nor by its address.
        return found if request.user.has_perm("hub.read_confidential") else found.exclude(confidential=True)

    def get_ordering(self, request: HttpRequest) -> tuple[()]:
        return ()  # the order of get_queryset: what waits on us first

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Request | None = None) -> bool:
        return False

    @admin.display(description=_("asked by"))
    def asked_by(self, request: Request) -> str:
        if request.anonymous:
            return str(_("%(member)s (anonymous to the community)") % {"member": request.member})
        return str(request.member)

    @admin.display(description=_("attachments"))
    def attached(self, request: Request) -> SafeString | str:
        return _attached(request)

    def get_urls(self) -> list[URLPattern]:
        download = self.admin_site.admin_view(self.download)
        return [path("attachment/<str:attachment>/", download, name="hub_attachment"), *super().get_urls()]

    def download(self, request: HttpRequest, attachment: str) -> FileResponse:
        """An attachment's bytes, to be saved and never shown: a stranger made them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = Attachment.objects.select_related("request", "reply__request").filter(pk=attachment).first()
        asked = found and (found.request or (found.reply and found.reply.request))
        if asked and asked.confidential and not request.user.has_perm("hub.read_confidential"):
            raise Http404
        where = attachments.path_of(found) if found is not None else None
        if found is None or where is None:
            raise Http404
        audit.record("attachment-downloaded", actor=actor(request), target=found.pk)
        response = FileResponse(
            where.open("rb"), as_attachment=True, filename=found.name, content_type="application/octet-stream"
        )
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response

    @admin.action(description=_("Put the selected questions before the community"), permissions=["change"])
    def share_question(self, request: HttpRequest, queryset: QuerySet[Request]) -> None:
        self._share(request, queryset, answers=False)

    @admin.action(description=_("Publish the answers, where the asker allows it"), permissions=["change"])
    def share_answers(self, request: HttpRequest, queryset: QuerySet[Request]) -> None:
        self._share(request, queryset, answers=True)

    def _share(self, request: HttpRequest, queryset: QuerySet[Request], *, answers: bool) -> None:
        shared = 0
        for one in queryset:
            try:
                community_copies.share(one.pk, actor(request), answers=answers)
                shared += 1
            except HubError as error:
                self.message_user(request, f"{error} {error.advice}", messages.ERROR)
        if shared:
            text = ngettext(
                "%(count)d discussion. It reaches the shelves with the next publication.",
                "%(count)d discussions. They reach the shelves with the next publication.",
                shared,
            )
            self.message_user(request, text % {"count": shared}, messages.SUCCESS)

    @admin.display(description=_("age"))
    def age(self, request: Request) -> str:
        """Time with us; the clock stands while the asker is asked back."""
        created = request.created
        return timesince(created, created + request.age(), depth=1)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"reply_author": shown_name(request)}

    def save_model(self, request: HttpRequest, obj: Request, form: ModelForm[Request], change: bool) -> None:
        if "assigned_to" in form.changed_data:
            Request.objects.filter(pk=obj.pk).update(assigned_to=obj.assigned_to)
        data = form.cleaned_data
        try:
            if data.get("reply"):
                author = data.get("reply_author") or shown_name(request)
                files = [
                    questions.Given(
                        one.name or "file", one.content_type or "application/octet-stream", one.chunks()
                    )
                    for one in data.get("reply_files") or []
                ]
                questions.answer(obj.pk, data["reply"], author, files=files)
                self.message_user(
                    request, _("Answered. It reaches the asker at their next sync."), messages.SUCCESS
                )
            elif data.get("new_state"):
                questions.change_state(obj.pk, data["new_state"], actor(request))
        except HubError as error:
            # Somebody else was faster; what was typed is in the message, not lost.
            self.message_user(request, f"{error} {error.advice} {data.get('reply') or ''}", messages.ERROR)
