"""Devices: who has which version, is silent or fails, and which group tries a version first."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from hub import audit, fleet, invitations
from hub.models import Device

from .forms import HubModelAdmin, actor
from .generic import ModelForm

_FIELDS = [
    "name", "member", "site", "group", "system", "version", "created", "last_seen", "in_step", "failed", "free",
    "shelf", "told", "revoked", "lost",
]  # fmt: skip


class SilentFilter(admin.SimpleListFilter):
    """Devices that were not here for so many days."""

    title = _("silent for")
    parameter_name = "silent"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(str(days), str(_("%(count)d days") % {"count": days})) for days in (7, 30, 90)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        if self.value() not in ("7", "30", "90"):
            return queryset
        return fleet.silent(queryset, int(self.value() or 0))


class FailingFilter(admin.SimpleListFilter):
    """Devices that told of failures."""

    title = _("failures")
    parameter_name = "failing"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", str(_("some"))), ("no", str(_("none")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        if self.value() == "yes":
            return queryset.exclude(failures={})
        return queryset.filter(failures={}).exclude(told=None) if self.value() == "no" else queryset


@admin.register(Device)
class DeviceAdmin(HubModelAdmin[Device]):
    list_display = [
        "__str__", "member", "site", "group", "version", "last_seen", "in_step", "failed", "free", "revoked",
        "lost",
    ]  # fmt: skip
    list_editable = ["group"]
    list_filter = [
        SilentFilter, FailingFilter, "version", "group", "site", "system",
        ("revoked", admin.EmptyFieldListFilter), "lost",
    ]  # fmt: skip
    list_select_related = ["member", "site"]
    search_fields = ["name", "member__name", "member__email", "id", "group"]
    actions = ["as_csv", "revoke", "lose"]
    fields = tuple(_FIELDS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Device | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Only a group is ever edited; Django's change permission stands for taking devices back too."""
        return request.user.has_perm("hub.change_device")

    def get_readonly_fields(self, request: HttpRequest, obj: Device | None = None) -> list[str]:
        return [name for name in _FIELDS if name != "group"]

    def save_model(self, request: HttpRequest, obj: Device, form: ModelForm[Device], change: bool) -> None:
        """Nothing but the group, which the database has now, not the list that was open since the morning."""
        if "group" in form.changed_data:
            fleet.put_into_group(obj.group, [obj.pk], actor(request))

    @admin.display(description=_("failures"))
    def failed(self, device: Device) -> str:
        return fleet.failures(device)

    @admin.display(description=_("free"), ordering="free_mb")
    def free(self, device: Device) -> str:
        return "" if device.free_mb is None else f"{device.free_mb:,} MB"

    @admin.display(description=_("shelf"), ordering="shelf_mb")
    def shelf(self, device: Device) -> str:
        return "" if device.shelf_mb is None else f"{device.shelf_mb:,} MB"

    @admin.action(description=_("Download as CSV"), permissions=["view"])
    def as_csv(self, request: HttpRequest, queryset: QuerySet[Device]) -> HttpResponse:
        audit.record("devices-exported", actor=actor(request), target=str(queryset.count()))
        response = HttpResponse(
            fleet.as_csv(queryset.select_related("member", "site")), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = 'attachment; filename="devices.csv"'
        return response

    @admin.action(description=_("Revoke: the selected devices can no longer sync"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        devices = list(queryset.filter(revoked__isnull=True))
        for device in devices:
            invitations.revoke(device.pk, actor(request))
        text = ngettext("%(count)d device was revoked.", "%(count)d devices were revoked.", len(devices))
        self.message_user(request, text % {"count": len(devices)}, messages.SUCCESS)

    @admin.action(
        description=_("Lost or stolen: revoke, and remove at the next contact what people wrote and received"),
        permissions=["revoke"],
    )
    def lose(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        devices = list(queryset.filter(lost=False))
        for device in devices:
            invitations.revoke(device.pk, actor(request), lost=True)
        text = ngettext("%(count)d device is lost.", "%(count)d devices are lost.", len(devices))
        self.message_user(request, text % {"count": len(devices)}, messages.SUCCESS)
