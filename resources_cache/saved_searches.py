"""Searches that a person keeps, and what is new in them since they last looked.

New is what changed after ``seen``, the newest change that the shelf had then: the hub's times alone are compared,
so that the clock of this computer makes no difference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from resources_cache import removed
from resources_cache.cards import Filters
from resources_cache.database import Store
from resources_cache.identity import utc_now

if TYPE_CHECKING:
    from resources_cache.library import Library


@dataclass(frozen=True)
class SavedSearch:
    """What was typed, the filters that were set, ``seen`` (UTC ISO 8601, "" for never) and when it was saved."""

    words: str
    filters: Filters
    seen: str
    created: str


def save(store: Store, words: str, filters: Filters, seen: str) -> None:
    """Keep a search; one that is kept already is now seen up to ``seen``."""
    store.execute(
        "INSERT INTO searches VALUES (?, ?, ?, ?) ON CONFLICT (words, filters) DO UPDATE SET seen=excluded.seen",
        (words.strip(), _filters_text(filters), seen, utc_now()),
    )


def look(store: Store, words: str, filters: Filters, seen: str) -> None:
    """Note that a search was looked at; one that is not kept is not noted."""
    store.execute(
        "UPDATE searches SET seen=? WHERE words=? AND filters=?", (seen, words.strip(), _filters_text(filters))
    )


def forget(store: Store, words: str, filters: Filters) -> None:
    """Keep a search no longer."""
    which = (words.strip(), _filters_text(filters))
    with store.transaction():
        row = store.row("SELECT words, filters, seen, created FROM searches WHERE words=? AND filters=?", which)
        if row is not None:
            removed.keep(store, "search", "\n".join(which), which[0], {"rows": [list(row)]})
            store.execute("DELETE FROM searches WHERE words=? AND filters=?", which)


def put_back(store: Store, gone: SavedSearch) -> None:
    """Undo ``forget``: it is at its place among the others again. One that was kept meanwhile stays as it is."""
    filters = _filters_text(gone.filters)
    with store.transaction():
        row = (gone.words, filters, gone.seen, gone.created)
        store.execute("INSERT OR IGNORE INTO searches VALUES (?, ?, ?, ?)", row)
        removed.settle(store, "search", f"{gone.words}\n{filters}", lambda body: body["rows"] == [list(row)])


def kept(store: Store) -> list[SavedSearch]:
    """All of them, last saved first."""
    rows = store.rows("SELECT words, filters, seen, created FROM searches ORDER BY created DESC, words")
    return [SavedSearch(words, _filters(text), seen, created) for words, text, seen, created in rows]


def news(library: Library, search: SavedSearch) -> int:
    """How many of its answers came or changed since the person last looked."""
    return library.search(search.words, replace(search.filters, since=search.seen), limit=0).total


def _filters_text(filters: Filters) -> str:
    chosen = {
        name: value for name, value in asdict(filters).items() if value not in (None, "") and name != "since"
    }
    return json.dumps(chosen, sort_keys=True, ensure_ascii=False)


def _filters(text: str) -> Filters:
    found: Any = json.loads(text)
    names: Mapping[str, Any] = found if isinstance(found, dict) else {}
    return Filters(**{name: value for name, value in names.items() if name in Filters.__dataclass_fields__})
