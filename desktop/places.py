"""Names of countries in the window's language (from the Unicode CLDR, kept in locale/countries.json)."""

from __future__ import annotations

import json
from functools import lru_cache

from desktop.words import LOCALE_DIR, language


@lru_cache(maxsize=1)
def _names() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((LOCALE_DIR / "countries.json").read_text("utf-8"))
    return found


def name_of(code: str) -> str:
    """The name of an ISO 3166 country in the window's language, else in English, else the code as it came."""
    names = _names()
    return names.get(language(), {}).get(code) or names["en"].get(code) or code
