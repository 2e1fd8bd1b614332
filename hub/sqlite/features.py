"""What the bundled SQLite can do; Django asks the standard library's version otherwise."""

from __future__ import annotations

from django.db.backends.sqlite3 import features as stock


class DatabaseFeatures(stock.DatabaseFeatures):
    # SQLITE_MAX_VARIABLE_NUMBER since 3.32; Django still assumes 999, which cuts bulk inserts into crumbs.
    max_query_params = 32766
