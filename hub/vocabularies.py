"""The taxonomies that ship with the hub: data in ``taxonomies/*.json``, loaded into Theme.

One file: ``{"scheme", "labels": {lang: name}, "concepts": [{"id", "labels": {lang: name}, "broader"?}]}``.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from django.db import transaction

from .models import Theme


def taxonomies() -> list[dict[str, Any]]:
    """Every taxonomy that ships, in the order of their file names."""
    folder = resources.files("hub") / "taxonomies"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".json")), key=lambda e: e.name)
    return [json.loads(entry.read_text(encoding="utf-8")) for entry in files]


@transaction.atomic
def load_taxonomies() -> int:
    """Add what is missing and refresh shipped names; returns the number of concepts that ship.

    A name that the facilitators added in another language stays.
    """
    count = 0
    for taxonomy in taxonomies():
        for position, concept in enumerate(taxonomy["concepts"]):
            theme = Theme.objects.filter(pk=concept["id"]).first() or Theme(pk=concept["id"])
            wanted = {**theme.labels, **concept["labels"]}
            same = (theme.scheme, theme.labels, theme.position) == (taxonomy["scheme"], wanted, position)
            if theme._state.adding or not same:
                theme.scheme, theme.labels, theme.position = taxonomy["scheme"], wanted, position
                theme.broader_id = concept.get("broader")
                theme.save()
            count += 1
    return count
