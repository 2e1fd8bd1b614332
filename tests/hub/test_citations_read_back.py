"""What a shelf writes as RIS and BibTeX, the hub's imports read back as it was."""

from __future__ import annotations

from typing import Any

import pytest

from hub.imports import bibtex as bibtex_import
from hub.imports import ris as ris_import
from resources_cache.citing.formats import bibtex, ris
from resources_cache.citing.sources import source

GUIDE: dict[str, Any] = {
    "id": "r1",
    "type": "resource",
    "resource_type": "guide",
    "title": "Offline-first platforms: a planning guide",
    "authors": ["Grace Wairimu", "Diallo, Amina", "Ministry of Education"],
    "publisher": "Hub & Co",
    "year": 2024,
    "lang": "en",
    "url": "https://x.example/g?a=1&b=2_c",
    "identifiers": {"doi": "https://doi.org/10.1234/abc_d"},
    "summary": "For ministries: 100 % of it.",
    "subjects": ["offline", "schools, rural"],
}
FRENCH = {"id": "r2", "title": "Études <des> écoles", "authors": ["Ministère de l’Éducation"], "lang": "fr",
          "url": "https://x.example/é"}  # fmt: skip
ARABIC = {"id": "r3", "title": "المدرسة دون اتصال", "authors": ["منال السرحان الخوالدة", "رَهَف الدُّغيمات"],
          "publisher": "مركز مِدرار", "year": 2024, "lang": "ar"}  # fmt: skip
NOBODY = {"id": "r4", "title": "No author at all", "year": 2020, "lang": "en"}


def read_back(module: Any, text: str) -> list[Any]:
    found = list(module.read(text))
    assert all(parsed.record is not None for parsed in found), [parsed.problems for parsed in found]
    return [parsed.record for parsed in found]


@pytest.mark.parametrize("form", ["ris", "bibtex"])
def test_what_is_written_is_read_back(form: str) -> None:
    sources = [source(record) for record in (GUIDE, FRENCH, ARABIC, NOBODY)]
    module, write = (ris_import, ris) if form == "ris" else (bibtex_import, bibtex)
    guide, french, arabic, nobody = read_back(module, write(sources))
    assert (guide.title, guide.year, guide.publisher) == (GUIDE["title"], 2024, "Hub & Co")
    assert guide.authors == ["Wairimu, Grace", "Diallo, Amina", "Ministry of Education"]
    assert guide.url == GUIDE["url"]
    assert ("doi", "10.1234/abc_d") in {tuple(pair) for pair in _identifiers(guide)}
    assert (french.title, french.authors, french.year) == (FRENCH["title"], FRENCH["authors"], None)
    assert (arabic.title, arabic.authors) == (ARABIC["title"], ARABIC["authors"])
    assert (nobody.title, nobody.authors) == (NOBODY["title"], [])


def _identifiers(record: Any) -> list[tuple[str, str]]:
    found = record.identifiers
    pairs = found.items() if isinstance(found, dict) else found
    return [
        (scheme, value) for scheme, values in pairs for value in ([values] if isinstance(values, str) else values)
    ]
