"""Sources, their harvests, and the inbox where a person decides what becomes a resource."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from hub.errors import HubError
from hub.harvest import inbox, running
from hub.harvest.lists import KINDS
from hub.models import Harvest, InboxItem, Resource, Source

from .forms import HubModelAdmin, ReadOnlyAdmin, actor


@admin.register(Source)
class SourceAdmin(HubModelAdmin[Source]):
    list_display = ["name", "kind", "url", "every_minutes", "harvested", "waiting"]
    list_filter = ["kind"]
    search_fields = ["name", "url"]
    fields = ["name", "kind", "url", "every_minutes", "settings", "harvested", "created"]
    readonly_fields = ["created", "harvested"]
    actions = ["harvest"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return super().get_queryset(request).annotate(waiting=Count("inbox", filter=Q(inbox__state="new")))

    @admin.display(description=_("waiting"))
    def waiting(self, source: Source) -> SafeString:
        """How many of its items wait, with a link to them."""
        address = reverse("admin:hub_inboxitem_changelist") + f"?source__id__exact={source.pk}&state__exact=new"
        return format_html('<a href="{}">{}</a>', address, getattr(source, "waiting", 0))

    @admin.action(description=_("Harvest now"), permissions=["change"])
    def harvest(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        chosen = [source for source in queryset if source.kind in KINDS]
        begun = sum(running.begin(source) for source in chosen)
        if len(chosen) < queryset.count():
            self.message_user(request, _("Files are imported, not harvested."), messages.WARNING)
        if begun:
            text = ngettext(
                "%(count)d source is being harvested. What is new comes into the inbox.",
                "%(count)d sources are being harvested. What is new comes into the inbox.",
                begun,
            )
            self.message_user(request, text % {"count": begun}, messages.SUCCESS)


@admin.register(Harvest)
class HarvestAdmin(ReadOnlyAdmin[Harvest]):
    list_display = [
        "source", "started", "ended", "whole", "read", "new", "changed", "unchanged", "deleted", "refused",
        "error",
    ]  # fmt: skip
    list_filter = ["whole", "source"]
    list_select_related = ["source"]


@admin.register(InboxItem)
class InboxItemAdmin(ReadOnlyAdmin[InboxItem]):
    list_display = ["name", "source", "year", "lang", "licence", "perhaps", "state", "fresh", "deleted", "changed"]
    list_filter = ["state", "fresh", "deleted", "source", ("likely", admin.EmptyFieldListFilter), "lang"]
    search_fields = ["title", "key"]
    list_select_related = ["source", "likely"]
    actions = ["accept", "publish", "merge", "reject"]
    fields = (
        "title", "source", "key", "state", "refused", "year", "lang", "licence", "summary", "address", "perhaps",
        "resource", "fresh", "deleted", "came", "changed", "raw",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboxItem]:
        waits = Case(When(Q(state="new") | Q(fresh=True), then=0), default=1, output_field=IntegerField())
        return super().get_queryset(request).order_by(waits, F("came").asc(), "id")

    def get_ordering(self, request: HttpRequest) -> tuple[()]:
        return ()  # the order of get_queryset: what waits first

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may change resources decides what becomes one."""
        return request.user.has_perm("hub.change_resource")

    @admin.display(description=_("title"))
    def name(self, item: InboxItem) -> str:
        """The title, or the id of what has none."""
        return str(item)[:120]

    @admin.display(description=_("licence"))
    def licence(self, item: InboxItem) -> str:
        return str(item.record.get("licence") or "")[:120]

    @admin.display(description=_("summary"))
    def summary(self, item: InboxItem) -> str:
        return str(item.record.get("summary") or "")

    @admin.display(description=_("address"))
    def address(self, item: InboxItem) -> str:
        return str(item.record.get("url") or "")

    @admin.display(description=_("perhaps the same"))
    def perhaps(self, item: InboxItem) -> SafeString | str:
        """The resource that may be the same work, why, and a link to it."""
        if item.likely is None:
            return ""
        address = reverse("admin:hub_resource_change", args=[item.likely.pk])
        return format_html('<a href="{}">{}</a> ({})', address, item.likely.title[:80], item.likely_by)

    @admin.action(description=_("Accept as a draft"), permissions=["decide"])
    def accept(self, request: HttpRequest, queryset: QuerySet[InboxItem]) -> None:
        self._each(request, queryset, lambda item: inbox.accept(item.pk, actor(request)))

    @admin.action(description=_("Accept and publish with the next publication"), permissions=["decide"])
    def publish(self, request: HttpRequest, queryset: QuerySet[InboxItem]) -> None:
        self._each(request, queryset, lambda item: inbox.accept(item.pk, actor(request), draft=False))

    @admin.action(description=_("Merge into what is perhaps the same"), permissions=["decide"])
    def merge(self, request: HttpRequest, queryset: QuerySet[InboxItem]) -> None:
        there = queryset.exclude(likely=None)
        if there.count() < queryset.count():
            self.message_user(
                request, _("Where nothing is perhaps the same, nothing was merged."), messages.WARNING
            )
        self._each(request, there, lambda item: inbox.merge(item.pk, item.likely_id or "", actor(request)))

    @admin.action(description=_("Reject, now and when it comes again"), permissions=["decide"])
    def reject(self, request: HttpRequest, queryset: QuerySet[InboxItem]) -> None:
        self._each(request, queryset, lambda item: inbox.reject(item.pk, actor(request)))

    def _each(
        self, request: HttpRequest, queryset: QuerySet[InboxItem], decide: Callable[[InboxItem], Resource | None]
    ) -> None:
        done = 0
        for item in list(queryset):
            try:
                decide(item)
            except HubError as error:
                self.message_user(request, f"{error} {error.advice}", messages.ERROR)
            else:
                done += 1
        if done:
            text = ngettext("%(count)d item is decided.", "%(count)d items are decided.", done)
            self.message_user(request, text % {"count": done}, messages.SUCCESS)
