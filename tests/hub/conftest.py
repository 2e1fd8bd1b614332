"""Django for the hub's tests; the home it uses is the temporary one of tests/conftest.py."""

from __future__ import annotations

import django
import pytest
from django.db import connection

django.setup()


@pytest.fixture
def sqlite_only() -> None:
    """Skip where DATABASE_URL names another database: what is tested belongs to SQLite."""
    if connection.vendor != "sqlite":
        pytest.skip("DATABASE_URL names another database")
