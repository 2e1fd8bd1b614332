"""Devices and the codes that enrol them."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from hub import invitations
from hub.models import Device, Invitation

from .forms import HubModelAdmin, ReadOnlyAdmin, actor
from .generic import ModelForm


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin[Device]):
    list_display = ["__str__", "member", "created", "last_seen", "revoked"]
    list_filter = [("revoked", admin.EmptyFieldListFilter)]
    search_fields = ["name", "member__name", "member__email", "id"]
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Devices are never edited, so Django's change permission stands for taking them back."""
        return request.user.has_perm("hub.change_device")

    @admin.action(description=_("Revoke: the selected devices can no longer sync"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        devices = list(queryset.filter(revoked__isnull=True))
        for device in devices:
            invitations.revoke(device.pk, actor(request))
        text = ngettext("%(count)d device was revoked.", "%(count)d devices were revoked.", len(devices))
        self.message_user(request, text % {"count": len(devices)}, messages.SUCCESS)


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
