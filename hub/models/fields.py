"""Small pieces that every model leans on: the primary key, times, JSON lists."""

from __future__ import annotations

from typing import Any

from django.db import models

from hub.ids import new_id


def id_field() -> models.CharField[str, str]:
    """A text primary key: a UUIDv7 made here, or the id under which a record was imported."""
    return models.CharField(primary_key=True, max_length=64, default=new_id, editable=False)


def json_list(**options: Any) -> models.JSONField[Any, Any]:
    """A JSON list of strings, empty by default."""
    return models.JSONField(default=list, blank=True, **options)


def json_object(**options: Any) -> models.JSONField[Any, Any]:
    """A JSON object, empty by default."""
    return models.JSONField(default=dict, blank=True, **options)


def lang_field(**options: Any) -> models.CharField[str, str]:
    """A BCP 47 language tag; ``und`` where nobody said."""
    options.setdefault("default", "und")
    return models.CharField(max_length=35, **options)


def digest_field() -> models.CharField[str, str]:
    """SHA-256 of the record as it was last imported; empty for what was made here or deleted by a file.

    An import compares with this, not with the row: a facilitator's correction survives when the same
    file is imported again, and a file that did change wins.
    """
    return models.CharField(max_length=64, default="", blank=True, editable=False)
