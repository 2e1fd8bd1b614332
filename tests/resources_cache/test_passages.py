"""The passage under a title: one part of a record, in one language, with the most of the words."""

from __future__ import annotations

from typing import Any

from resources_cache.passages import passage
from resources_cache.records import parts
from resources_cache.text import parse

RECORD: dict[str, Any] = {
    "id": "a", "type": "resource", "lang": "en", "title": "Schools without a grid",
    "summary": "What a server costs where no cable comes.", "subjects": ["offline learning", "school servers"],
    "authors": ["Offline Schools Trust"], "year": 2024, "identifiers": {"isbn": "9781"},
    "translations": [{"lang": "fr", "title": "Écoles sans réseau", "summary": "Ce que coûte un serveur d’école."}],
}  # fmt: skip


def shown(query: str, record: dict[str, Any] | None = None) -> str:
    record = record or RECORD
    found = passage(parts(record), parse(query, ("en", "fr")))
    return found.replace("\x02", "[").replace("\x03", "]")


def test_a_passage_is_of_one_part_and_one_language() -> None:
    assert shown("servers cost") == "What a [server] [costs] where no cable comes."
    assert shown("serveur école") == "Ce que coûte un [serveur] d’[école]."
    assert shown("nothing of it") == "What a server costs where no cable comes."


def test_prose_comes_before_keywords_and_these_before_nothing() -> None:
    assert shown("offline servers learning") == "What a [server] costs where no cable comes."
    assert shown("learning 9781") == "offline [learning] school servers [9781] 2024"
    assert shown("offline trust") == "[Offline] Schools [Trust]"
    assert shown("grid") == "Schools without a [grid]"


def test_other_kinds_and_odd_fields() -> None:
    assert shown("pumps", {"id": "m", "type": "message", "body": "Two pumps."}) == "Two [pumps]."
    assert shown("pumps", {"id": "x", "type": "theme"}) == ""
    assert shown("2024", {"id": "y", "type": "resource", "title": "2024", "year": 2024}) == "[2024]"
