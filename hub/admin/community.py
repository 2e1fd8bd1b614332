"""Discussions: moderation of posts, threads, summaries with their citations."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Case, IntegerField, QuerySet, When
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from hub.models import Event, Message, Summary, SummaryCitation, Thread

from .forms import HubModelAdmin
from .generic import TabularInline

_CITATION = re.compile(r"\[(\d{1,3})\]")


@admin.register(Message)
class MessageAdmin(HubModelAdmin[Message]):
    list_display = ["excerpt", "author_name", "thread", "state", "created"]
    list_filter = ["state", "category", "lang"]
    search_fields = ["body", "author_name", "thread__title"]
    actions = ["approve", "remove"]
    autocomplete_fields = ["thread"]
    readonly_fields = ["id", "member", "author_name", "category", "body", "parent", "message_id", "created"]
    fields = ["thread", "author_name", "category", "body", "state", "lang", "member", "parent", "created", "id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        waits = Case(When(state=Message.State.PENDING, then=0), default=1, output_field=IntegerField())
        return super().get_queryset(request).select_related("thread").order_by(waits, "-created", "id")

    def get_ordering(self, request: HttpRequest) -> tuple[()]:
        return ()  # the order of get_queryset: what waits for moderation first

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("message"))
    def excerpt(self, message: Message) -> str:
        return message.body if len(message.body) <= 90 else f"{message.body[:89]}…"

    @admin.action(description=_("Approve: publish the selected messages"), permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        self._moderate(request, queryset, Message.State.PUBLISHED, "approved")

    @admin.action(description=_("Remove the selected messages"), permissions=["change"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        self._moderate(request, queryset, Message.State.REMOVED, "removed")

    def _moderate(
        self, request: HttpRequest, queryset: QuerySet[Message], state: Message.State, what: str
    ) -> None:
        now = timezone.now()
        with transaction.atomic():
            changing = list(queryset.exclude(state=state).only("id", "thread_id"))
            Message.objects.filter(pk__in=[row.pk for row in changing]).update(state=state, updated=now)
            if state == Message.State.PUBLISHED:
                # The discussion moves up where its readers look.
                Thread.objects.filter(pk__in={row.thread_id for row in changing}).update(updated=now)
            self.note(request, what, changing)
        text = ngettext("%(count)d message: %(state)s.", "%(count)d messages: %(state)s.", len(changing))
        self.message_user(request, text % {"count": len(changing), "state": state.label}, messages.SUCCESS)


@admin.register(Thread)
class ThreadAdmin(HubModelAdmin[Thread]):
    list_display = ["title", "lang", "activity", "state", "visibility", "updated"]
    list_filter = ["state", "visibility", "lang", "activity"]
    search_fields = ["title", "id"]
    autocomplete_fields = ["resource"]
    readonly_fields = ["id", "created", "updated"]


class Citations(TabularInline[SummaryCitation, Summary]):
    model = SummaryCitation
    extra = 1
    autocomplete_fields = ["message"]


@admin.register(Summary)
class SummaryAdmin(HubModelAdmin[Summary]):
    list_display = ["title", "thread", "lang", "state", "updated"]
    list_filter = ["state", "lang"]
    search_fields = ["title", "body"]
    autocomplete_fields = ["thread"]
    inlines = [Citations]
    readonly_fields = ["id", "updated"]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Tell the author when the text cites a number that no message stands for."""
        super().save_related(request, form, formsets, change)
        summary: Summary = form.instance
        cited = {int(number) for number in _CITATION.findall(summary.body)}
        listed = set(SummaryCitation.objects.filter(summary=summary).values_list("position", flat=True))
        if cited - listed:
            missing = ", ".join(f"[{number}]" for number in sorted(cited - listed))
            text = _("The text cites %(missing)s, but no message has that number.") % {"missing": missing}
            self.message_user(request, text, messages.WARNING)


@admin.register(Event)
class EventAdmin(HubModelAdmin[Event]):
    list_display = ["title", "starts", "place", "online", "state"]
    list_filter = ["state", "online", "lang"]
    search_fields = ["title", "summary", "place"]
    readonly_fields = ["id", "updated"]
