"""``ENGINE = "hub.sqlite"``: WAL, transactions that take the write lock at once, FULL durability.

Follows django.db.backends.sqlite3.base (Django 5.2), which is bound to the standard library's module
at import; only what touches that module is said again here.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from django.db.backends.sqlite3 import base as stock
from django.db.backends.sqlite3._functions import (  # type: ignore[import-untyped]  # not in django-stubs
    register as register_functions,
)
from django.utils.dateparse import parse_date, parse_datetime, parse_time
from pysqlite3 import dbapi2 as Database

from .features import DatabaseFeatures

BUSY_TIMEOUT_SECONDS = 5
_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA legacy_alter_table = OFF",
    "PRAGMA journal_mode = WAL",
    # A receipt that was given out must survive a power cut; NORMAL may lose the last commits in WAL mode.
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -16000",
)


def _from_bytes(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda value: parse(value.decode())


Database.register_converter("bool", b"1".__eq__)
Database.register_converter("date", _from_bytes(parse_date))
Database.register_converter("time", _from_bytes(parse_time))
Database.register_converter("datetime", _from_bytes(parse_datetime))
Database.register_converter("timestamp", _from_bytes(parse_datetime))
Database.register_adapter(decimal.Decimal, str)
Database.register_adapter(datetime.date, datetime.date.isoformat)
Database.register_adapter(datetime.datetime, lambda value: value.isoformat(" "))


class SQLiteCursorWrapper(Database.Cursor):  # type: ignore[misc]  # pysqlite3 has no type information
    """Turns Django's ``%s`` and ``%(name)s`` into SQLite's ``?`` and ``:name``."""

    def execute(self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
        if params is None:
            return super().execute(query)
        return super().execute(_converted(query, params), params)

    def executemany(self, query: str, param_list: Iterable[Sequence[Any] | Mapping[str, Any]]) -> Any:
        rows = iter(param_list)
        first = next(rows, None)
        if first is None:
            return super().executemany(_converted(query, ()), [])
        return super().executemany(_converted(query, first), chain([first], rows))


def _converted(query: str, params: Sequence[Any] | Mapping[str, Any]) -> str:
    if isinstance(params, Mapping):
        return query % {name: f":{name}" for name in params}
    return stock.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


class DatabaseWrapper(stock.DatabaseWrapper):
    Database = Database
    features_class = DatabaseFeatures

    def get_connection_params(self) -> dict[str, Any]:
        """Keyword arguments for ``connect``; IMMEDIATE, because a read lock that has to be raised to a
        write lock in mid-transaction fails at once with "database is locked" instead of waiting."""
        self.settings_dict["OPTIONS"].setdefault("transaction_mode", "IMMEDIATE")
        self.settings_dict["OPTIONS"].setdefault("timeout", BUSY_TIMEOUT_SECONDS)
        return super().get_connection_params()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = Database.connect(**conn_params)
        register_functions(connection)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=SQLiteCursorWrapper)
