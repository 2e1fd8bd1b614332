"""The names of themes and concepts, ready to be found in a query. Every function runs in the caller's transaction.

A row of ``labels`` is one name of one record: ``words`` its language and its words as the search index has them,
``start`` the same up to the first word, ``count`` how many words. Records that have names are no search answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from resources_cache import bodies
from resources_cache.database import Store
from resources_cache.records import clean
from resources_cache.text import fold, prepare, text_language

NAMING = ("concept", "theme")
"""Kinds of records with ``labels``: by language a name, or several with the preferred one first."""

MAX_WORDS = 12
"""Longer names are left out: nobody types them."""
_FIRST = 4  # letters of an unfinished word
_MAX_NAMES = 200  # of one record
_MAX_LENGTH = 300  # characters of a name

Row = tuple[str, int, str, int]
"""(words, rid, start, count)."""


def names(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(BCP 47 tag, name) of a record of a kind that has them, the preferred ones of each language first."""
    found: list[tuple[str, str]] = []
    labels = record.get("labels")
    if record.get("type") in NAMING and isinstance(labels, Mapping):
        for tag, named in labels.items():
            several = named if isinstance(named, list) else [named]
            found += [
                (str(tag), clean(one)) for one in several if isinstance(one, str) and len(one) <= _MAX_LENGTH
            ]
    return found[:_MAX_NAMES]


def prepared(tag: str, name: str) -> tuple[str, str]:
    """(language, words of the index) of a name."""
    lang = text_language(tag, name)
    return lang, prepare(name, lang)


def file(store: Store, records: Sequence[tuple[int, Mapping[str, Any]]], known: Sequence[int]) -> None:
    """Keep the names of these records, by rid; ``known`` are those of them that were here before."""
    forget(store, known)
    _add(store, [row for rid, record in records for row in _rows(rid, record)])


def forget(store: Store, rids: Iterable[int]) -> None:
    """Take the names of these records out."""
    store.executemany("DELETE FROM labels WHERE rid=?", [(rid,) for rid in rids])


def clear(store: Store) -> None:
    """Forget all names."""
    store.execute("DELETE FROM labels")
    store.execute("DELETE FROM meta WHERE key='label_languages'")


def rebuild(store: Store) -> None:
    """Prepare all names anew from the stored records."""
    clear(store)
    _add(store, expected(store))


def languages(store: Store) -> list[str]:
    """The languages that names were prepared in; one of which all are gone may still be among them."""
    found = store.value("SELECT value FROM meta WHERE key='label_languages'")
    return list(json.loads(found)) if found else []


def beginning(store: Store, typed: str, most: int) -> list[int]:
    """The records of which a name may begin with what is typed so far, by rid, ``most`` of each language.

    The first word decides. While it is unfinished its first letters do, since of a longer one less may be kept.
    """
    first, *others = typed.split() or [""]
    found: dict[int, None] = {}
    for lang in languages(store):
        word = prepare(first, lang) if others else fold(first)[:_FIRST]
        start = f"{lang} {word}"
        sql, values = "SELECT rid FROM labels WHERE start = ? LIMIT ?", [start, most]
        if not others:
            sql = "SELECT rid FROM labels WHERE words >= ? AND words < ? ORDER BY words LIMIT ?"
            values = [start, start + "\U0010ffff", most]
        if word:
            found |= dict.fromkeys(rid for (rid,) in store.rows(sql, values))
    return list(found)


def expected(store: Store) -> list[Row]:
    """What the table has to hold."""
    kinds = ", ".join(f"'{kind}'" for kind in NAMING)
    records = store.rows(f"SELECT rid, body FROM records JOIN bodies USING (rid) WHERE type IN ({kinds})")
    return [row for rid, body in records for row in _rows(rid, bodies.load(store, body))]


def kept(store: Store) -> list[Row]:
    """What the table holds."""
    return [
        (words, rid, start, count) for words, rid, start, count in store.rows(f"SELECT {_COLUMNS} FROM labels")
    ]


_COLUMNS = "words, rid, start, count"


def _add(store: Store, rows: Sequence[Row]) -> None:
    if not rows:
        return
    store.executemany(f"INSERT INTO labels ({_COLUMNS}) VALUES (?, ?, ?, ?)", rows)
    known = languages(store)
    met = {words.partition(" ")[0] for words, _rid, _start, _count in rows}
    if not met.issubset(known):
        store.execute(
            "INSERT OR REPLACE INTO meta VALUES ('label_languages', ?)", (json.dumps(sorted(met.union(known))),)
        )


def _rows(rid: int, record: Mapping[str, Any]) -> list[Row]:
    found: dict[str, Row] = {}
    for tag, name in names(record):
        lang, words = prepared(tag, name)
        count = words.count(" ") + 1
        if words and count <= MAX_WORDS:
            key = f"{lang} {words}"
            found.setdefault(key, (key, rid, key[: key.find(" ", len(lang) + 1)] if count > 1 else key, count))
    return list(found.values())
