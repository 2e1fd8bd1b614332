"""The WSGI entry point, for gunicorn or any other server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from hub.planes.front import Front


def _load() -> Front:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    pages = get_wsgi_application()
    # Django is set up by now, and only then may the planes be loaded.
    from hub.planes.front import Front, PlaneHandler

    return Front(PlaneHandler(), pages)


application = _load()
