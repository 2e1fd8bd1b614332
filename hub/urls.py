"""Addresses: the admin, and the two HTTP planes where they are mounted."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from hub.planes import personal, public

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("p/v1/head", public.head),
    path("p/v1/root/<int:version>", public.root),
    path("p/v1/objects/<str:digest>", public.immutable_object),
    path("u/v1/", personal.api.urls),
    path("", RedirectView.as_view(pattern_name="admin:index", permanent=False)),
]
