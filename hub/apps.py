"""The one Django application of the hub, and Django's admin with the hub's own site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class HubConfig(AppConfig):
    name = "hub"
    label = "hub"
    verbose_name = _("Hub")
    default_auto_field = "django.db.models.BigAutoField"


class HubAdminConfig(AdminConfig):
    default_site = "hub.admin_site.HubAdminSite"
