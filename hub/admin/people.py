"""Members, their organisations, the expert roster, the audit trail."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from hub import invitations, site_codes
from hub.errors import HubError
from hub.models import AuditEvent, ExpertProfile, Member, Organisation

from .forms import HubModelAdmin, ReadOnlyAdmin, actor


@admin.register(Member)
class MemberAdmin(HubModelAdmin[Member]):
    list_display = ["__str__", "email", "said_email", "category", "country", "organisation", "state"]
    list_filter = ["state", "category", "country"]
    search_fields = ["name", "email"]
    autocomplete_fields = ["organisation", "user"]
    readonly_fields = ["id", "created", "said_email"]
    actions = ["make_codes", "approve"]

    @admin.action(description=_("Approve: they are who they say"), permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        for member in queryset.filter(state=Member.State.JOINING):
            try:
                done = site_codes.approve(member.pk, actor(request))
            except HubError as error:
                self.message_user(request, f"{error} {error.advice}", messages.ERROR)
            else:
                self.message_user(request, _("%(member)s is a member now.") % {"member": done}, messages.SUCCESS)

    @admin.action(description=_("Make an enrolment code for each"), permissions=["change"])
    def make_codes(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        for member in queryset.filter(state=Member.State.ACTIVE)[:20]:
            code = invitations.issue_code(member, actor(request))
            text = _("Code for %(member)s, shown only now: %(code)s") % {"member": member, "code": code}
            self.message_user(request, text, messages.SUCCESS)


@admin.register(Organisation)
class OrganisationAdmin(HubModelAdmin[Organisation]):
    list_display = ["name", "country", "state"]
    list_filter = ["state", "country"]
    search_fields = ["name"]
    readonly_fields = ["id", "updated"]


@admin.register(ExpertProfile)
class ExpertAdmin(HubModelAdmin[ExpertProfile]):
    list_display = ["name", "role", "organisation", "state"]
    list_filter = ["state", "lang"]
    search_fields = ["name", "role", "bio"]
    autocomplete_fields = ["organisation", "member"]
    readonly_fields = ["id", "updated"]


@admin.register(AuditEvent)
class AuditAdmin(ReadOnlyAdmin[AuditEvent]):
    list_display = ["created", "kind", "actor", "target"]
    list_filter = ["kind"]
    search_fields = ["actor", "target"]
