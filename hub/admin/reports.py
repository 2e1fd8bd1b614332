"""The queue of reports: what members want the moderators to look at, the oldest open one on top."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import Case, F, IntegerField, QuerySet, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from hub import reports
from hub.models import Report

from .forms import HubModelAdmin, actor


@admin.register(Report)
class ReportAdmin(HubModelAdmin[Report]):
    list_display = ["about", "reason", "words", "member", "state", "created", "handled_by"]
    list_filter = ["state", "reason"]
    search_fields = ["words", "target", "message__body", "resource__title"]
    actions = ["remove", "changed", "stays"]
    fields = ["about", "reason", "words", "member", "state", "created", "handled", "handled_by", "id"]
    readonly_fields = ["about", "reason", "words", "member", "state", "created", "handled", "handled_by", "id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        waits = Case(When(state=Report.State.OPEN, then=0), default=1, output_field=IntegerField())
        found = super().get_queryset(request).select_related("message", "resource", "member")
        return found.order_by(waits, F("handled").desc(nulls_first=True), "created", "id")

    def get_ordering(self, request: HttpRequest) -> tuple[()]:
        return ()  # the order of get_queryset: what is open first

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        return False

    @admin.display(description=_("about"))
    def about(self, report: Report) -> SafeString | str:
        """What was reported, with a link to it; the id of what is gone."""
        if report.message is not None:
            address = reverse("admin:hub_message_change", args=[report.message.pk])
            return format_html('<a href="{}">{}</a>', address, str(report.message)[:120])
        if report.resource is not None:
            address = reverse("admin:hub_resource_change", args=[report.resource.pk])
            return format_html('<a href="{}">{}</a>', address, report.resource.title[:120])
        return report.target

    @admin.action(description=_("Remove the message"), permissions=["change"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        found = list(queryset)
        if any(one.message is None for one in found):
            text = _("Only a message can be removed here. Say in the resource's form what became of it.")
            self.message_user(request, text, messages.ERROR)
        self._handle(request, [one for one in found if one.message is not None], Report.State.REMOVED)

    @admin.action(description=_("Looked at: it was corrected or marked"), permissions=["change"])
    def changed(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._handle(request, list(queryset), Report.State.CHANGED)

    @admin.action(description=_("Looked at: it stays as it is"), permissions=["change"])
    def stays(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._handle(request, list(queryset), Report.State.STAYS)

    def _handle(self, request: HttpRequest, chosen: list[Report], outcome: Report.State) -> None:
        count = sum(reports.handle(one.pk, outcome, actor(request)) for one in chosen)
        if count:
            text = ngettext(
                "%(count)d report is closed. Who reported is told at the next sync.",
                "%(count)d reports are closed. Who reported is told at the next sync.",
                count,
            )
            self.message_user(request, text % {"count": count}, messages.SUCCESS)
