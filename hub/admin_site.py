"""The admin site: a first page with what waits, and models in the order of the work.

Beside the package ``hub.admin``, not in it: Django makes the site before that package may register models on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_SECTIONS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
    (_("Desk"), ("Request", "Message", "Report")),
    (_("Library"), ("Resource", "InboxItem", "Source", "Harvest", "Collection", "Theme")),
    (_("Community"), ("Thread", "Summary", "Event")),
    (_("People"), ("Member", "Organisation", "ExpertProfile")),
    (_("Devices"), ("Invitation", "SiteCode", "Device")),
    (_("Records"), ("AuditEvent",)),
)
_SHOWN = 8


class HubAdminSite(AdminSite):
    site_header = _("Hubshelf")
    site_title = _("Hubshelf")
    index_title = _("What waits for you")
    enable_nav_sidebar = True

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page: questions that wait, the oldest first, then posts, then drafts."""
        return super().index(request, {**(extra_context or {}), "waiting": self._waiting(request)})

    def get_urls(self) -> list[Any]:
        return [path("publish/", self.admin_view(self.publish), name="hub_publish"), *super().get_urls()]

    def publish(self, request: HttpRequest) -> HttpResponse:
        """Seal and sign what changed, as `hubshelf-hub publish` does; POST only."""
        from hub import audit
        from hub.errors import HubError
        from hub.publishing import sealer

        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("hub.change_resource"):
            raise PermissionDenied
        try:
            done = sealer.publish()
        except HubError as error:
            messages.error(request, f"{error} {error.advice}")
        else:
            audit.record("published", actor=request.user.get_username(), target=f"{done.epoch}.{done.version}")
            text = _(
                "Published: %(put)d records put and %(deleted)d deleted. Shelves get them at their next sync."
            )
            messages.success(request, text % {"put": done.put, "deleted": done.deleted})
        return HttpResponseRedirect(reverse("admin:index"))

    def _waiting(self, request: HttpRequest) -> dict[str, Any]:
        from hub import questions, reports
        from hub.models import Member, Message, PublicState, Resource

        waiting: dict[str, Any] = {}
        if request.user.has_perm("hub.view_request"):
            found = questions.waiting()
            waiting["questions"] = found.select_related("member")[:_SHOWN]
            waiting["question_count"] = found.count()
        if request.user.has_perm("hub.view_message"):
            pending = Message.objects.filter(state=Message.State.PENDING)
            waiting["messages"] = pending.select_related("thread").order_by("created")[:_SHOWN]
            waiting["message_count"] = pending.count()
        if request.user.has_perm("hub.view_member"):
            joining = Member.objects.filter(state=Member.State.JOINING).exclude(said_email="")
            waiting["joining_count"] = joining.count()
        if request.user.has_perm("hub.view_report"):
            waiting |= reports.waiting()
        if request.user.has_perm("hub.view_resource"):
            waiting["may_publish"] = request.user.has_perm("hub.change_resource")
            waiting["draft_count"] = Resource.objects.filter(state=PublicState.DRAFT).count()
        return waiting

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The hub's models in sections by kind of work, then Django's own applications."""
        applications = super().get_app_list(request, app_label)
        sections: list[Any] = []
        for application in applications:
            if application["app_label"] == "hub" and app_label is None:
                sections += _in_sections(application)
        return sections + [entry for entry in applications if not sections or entry["app_label"] != "hub"]


def _in_sections(application: Mapping[str, Any]) -> list[dict[str, Any]]:
    models = {model["object_name"]: model for model in application["models"]}
    return [
        {**application, "name": name, "models": [models[entry] for entry in names if entry in models]}
        for name, names in _SECTIONS
        if any(entry in models for entry in names)
    ]
