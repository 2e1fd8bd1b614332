"""Django for the hub's tests; the home it uses is the temporary one of tests/conftest.py."""

from __future__ import annotations

import django

django.setup()
