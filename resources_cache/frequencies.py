"""In how many rows of the search index each word is: what the shelf has at all, and how rare it is.

Remembered for as long as the shelf does not change: every search asks for the same words several times over, and a
person who types asks for nearly the same ones again. Every function runs inside ``Store.reading``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from weakref import WeakKeyDictionary

from resources_cache.database import Store
from resources_cache.text import Group
from resources_cache.text.impact import STEPS

COMPLETIONS = 40
"""Words that a beginning is completed to, behind each step."""

_AT_ONCE = 500  # words in one statement
_MOST_REMEMBERED = 50_000


class Frequencies:
    """Numbers of rows by word, as far as they were asked; see ``frequencies``."""

    def __init__(self, store: Store, state: tuple[int, int]) -> None:
        self._store = store
        self._search: dict[str, int] = {}
        self._texts: dict[str, int] = {}
        self._begun: dict[str, int] = {}
        self._completed: dict[str, list[str]] = {}
        self._completions = 0
        self.state = state
        self.rows = int(store.value("SELECT coalesce(max(rid), 0) FROM records"))

    def search(self, word: str) -> int:
        """Rows of ``search`` that have this index word."""
        if word not in self._search:
            self.load_search([word])
        return self._search[word]

    def texts(self, word: str) -> int:
        """Rows of ``texts`` that have this index word, which begins with its step."""
        if word not in self._texts:
            _ask(self._store, "texts", self._texts, [word])
        return self._texts[word]

    def titles_begun(self, beginning: str, most: int) -> int:
        """Titles that have a word which begins so; ``most``, always the same, where there are more."""
        if beginning not in self._begun:
            sql = "SELECT count(*) FROM (SELECT 1 FROM titles WHERE titles MATCH ? LIMIT ?)"
            self._begun[beginning] = int(self._store.value(sql, (f'"{beginning}"*', most)))
        return self._begun[beginning]

    def completions(self, step: str, beginning: str) -> list[str]:
        """The first words behind this step that begin so, up to ``COMPLETIONS``."""
        first = step + beginning
        if first not in self._completed:
            sql = "SELECT term FROM texts_words WHERE term >= ? AND term < ? LIMIT ?"
            rows = self._store.rows(sql, (first, first + "\U0010ffff", COMPLETIONS))
            self._completed[first] = [term[1:] for (term,) in rows]
            self._completions += len(rows)
        return self._completed[first]

    def load_search(self, words: Iterable[str]) -> None:
        """Ask for these words at once."""
        _ask(self._store, "search", self._search, words)

    def load_texts(self, words: Iterable[str]) -> None:
        """Ask for all steps of these words at once; of a phrase, for each of its words."""
        _ask(
            self._store,
            "texts",
            self._texts,
            [step + one for word in words for one in word.split() for step in STEPS],
        )

    @property
    def size(self) -> int:
        """Words that are remembered."""
        return len(self._search) + len(self._texts) + len(self._begun) + len(self._completed) + self._completions


def _ask(store: Store, table: str, known: dict[str, int], words: Iterable[str]) -> None:
    missing = [word for word in dict.fromkeys(words) if word not in known]
    for at in range(0, len(missing), _AT_ONCE):
        some = missing[at : at + _AT_ONCE]
        sql = f"SELECT term, doc FROM {table}_words WHERE term IN ({','.join('?' * len(some))})"
        known |= dict.fromkeys(some, 0)
        known |= store.rows(sql, some)


_kept: WeakKeyDictionary[Store, Frequencies] = WeakKeyDictionary()


def frequencies(store: Store) -> Frequencies:
    """Those of the shelf as it is now."""
    state = (int(store.value("PRAGMA data_version")), int(store.connection.total_changes))
    found = _kept.get(store)
    if found is None or found.state != state or found.size > _MOST_REMEMBERED:
        found = _kept[store] = Frequencies(store, state)
    return found


def documents(store: Store, words: Sequence[str]) -> dict[str, int]:
    """In how many records each of these index words is, of those that are in any: of cards, else of texts."""
    known = frequencies(store)
    known.load_search(words)
    found = {word: count for word in words if (count := known.search(word))}
    if not found:
        known.load_texts(words)
        found = {word: count for word in words if (count := sum(known.texts(step + word) for step in STEPS))}
    return found


def holds(store: Store, group: Group) -> bool:
    """Whether the index has anything of what a group means; of a phrase in texts, whether it has its words."""
    phrases = [words for words in group.words if " " in words]
    if group.column or phrases:
        if store.value("SELECT 1 FROM search WHERE search MATCH ? LIMIT 1", (group.expression(),)) is not None:
            return True
        if group.column:
            return False
    known = frequencies(store)
    in_texts = partial(_in_texts, known)
    single = [words for words in group.words if " " not in words]
    known.load_search(single)
    if any(map(known.search, single)):
        return True
    known.load_texts(single)
    if any(map(in_texts, single)):
        return True
    tables = [("search", ""), *(("texts", step) for step in STEPS)]
    if group.prefix and any(_begins(store, table, step + group.prefix) for table, step in tables):
        return True
    return any(all(map(in_texts, words.split())) for words in phrases)


def _in_texts(known: Frequencies, word: str) -> bool:
    return any(known.texts(step + word) for step in STEPS)


def _begins(store: Store, table: str, beginning: str) -> bool:
    sql = f"SELECT 1 FROM {table}_words WHERE term >= ? AND term < ? LIMIT 1"
    return store.value(sql, (beginning, beginning + "\U0010ffff")) is not None
