"""Addresses: the admin, and the two HTTP planes where they are mounted."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from hub.planes import personal, public, sync_v2, uploads

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("p/v1/head", public.head),
    path("p/v1/root/<int:version>", public.root),
    path("p/v1/objects/<str:digest>", public.immutable_object),
    path("p/v1/documents/<str:digest>", public.document),
    path("p/v1/deltas/<str:old>/<str:new>", public.file_delta),
    path("u/v1/uploads", uploads.collection),
    path("u/v1/uploads/<str:upload>", uploads.one),
    path("u/v1/attachments/<str:digest>", uploads.content),
    # Before the same under ninja, which describes it: the one request that every device makes each time.
    path("u/v2/sync", sync_v2.post_sync),
    path("u/", personal.api.urls),
    path("", RedirectView.as_view(pattern_name="admin:index", permanent=False)),
]
