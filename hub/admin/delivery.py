"""The codes that let devices in."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub import invitations, site_codes
from hub.models import Invitation, SiteCode

from .forms import HubModelAdmin, actor
from .generic import ModelForm


@admin.register(SiteCode)
class SiteCodeAdmin(HubModelAdmin[SiteCode]):
    list_display = ["__str__", "state", "used", "uses", "group", "expires", "created"]
    fields = ["note", "uses", "expires", "group"]
    actions = ["revoke"]

    def has_change_permission(self, request: HttpRequest, obj: SiteCode | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Codes are never edited, so Django's change permission stands for taking them back."""
        return request.user.has_perm("hub.change_sitecode")

    @admin.display(description=_("standing"))
    def state(self, code: SiteCode) -> str:
        words = {"open": _("open"), "full": _("full"), "expired": _("expired"), "revoked": _("revoked")}
        return str(words[code.standing])

    @admin.action(description=_("Revoke: nobody else comes in with it"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[SiteCode]) -> None:
        for code in queryset:
            site_codes.revoke(code.pk, actor(request))

    def save_model(self, request: HttpRequest, obj: SiteCode, form: ModelForm[SiteCode], change: bool) -> None:
        """The code is made now and shown once; the hub itself keeps only its hash."""
        made, code = site_codes.create(obj.uses, obj.expires, obj.note, actor(request), obj.group)
        obj.pk = made.pk
        text = _("Site code %(note)s, shown only now: %(code)s") % {"note": made, "code": code}
        self.message_user(request, text, messages.WARNING)


@admin.register(Invitation)
class InvitationAdmin(HubModelAdmin[Invitation]):
    list_display = ["member", "standing", "created", "expires", "used_at", "used_by_device"]
    search_fields = ["member__name", "member__email"]
    autocomplete_fields = ["member"]
    fields = ["member"]

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    @admin.display(description=_("standing"))
    def standing(self, invitation: Invitation) -> str:
        if invitation.used_at:
            return str(_("used"))
        return str(_("expired")) if invitation.expires < timezone.now() else str(_("open"))

    def save_model(self, request: HttpRequest, obj: Invitation, form: ModelForm[Invitation], change: bool) -> None:
        """The code is made now and shown once; the hub itself keeps only its hash."""
        code = invitations.new_code()
        obj.code_hash = invitations.code_hash(code)
        super().save_model(request, obj, form, change)
        text = _("Code for %(member)s, shown only now: %(code)s") % {"member": obj.member, "code": code}
        self.message_user(request, text, messages.WARNING)
