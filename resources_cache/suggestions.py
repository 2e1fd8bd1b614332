"""What may be meant while a query is still being typed: titles that have its words.

``titles`` holds the written words of all titles, folded and not stemmed, so that what is typed so far is the
beginning of one: 100,000 titles answer in a few milliseconds, where the search index would have to gather every
word that begins so in every text. Every function runs in the caller's transaction.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resources_cache import bodies, labels, works
from resources_cache.database import Row, Store
from resources_cache.records import SEARCHED, SEARCHED_SQL, parts
from resources_cache.text import END, PLAIN, START, fold, key
from resources_cache.text.folding import WORD, is_unspaced
from resources_cache.text.words import asked_pieces

SCHEMA = (
    # No places: which titles have the words is all that is asked. Of one to three letters all words that begin
    # so are gathered beforehand; a person who has typed four is looking for few.
    "CREATE VIRTUAL TABLE titles USING fts5(words, content='', contentless_delete=1, detail=none,"
    " tokenize='ascii', prefix='1 2 3')"
)

SHORTEST = 2
"""Letters below which nothing is suggested, but in scripts where one is a word: everything begins with one."""

_MAX_TYPED = 200  # characters that are looked at
_MAX_BEGUN = 100  # characters of a title that are compared as they are
_MAX_WORDS = 8
_CANDIDATES = 200  # the newest titles that have the words; of these the best are shown
_ARABIC_ARTICLE = re.compile("^(?:[وفبك]?ال|لل)(?=.{3})")  # typed without, as often as with
_CONCEPTS = 100  # of each language that are looked at
_ENDING = 5  # letters; from here on a word that is finished may still have another ending in a title


@dataclass(frozen=True)
class Suggestion:
    """Something that may be meant.

    ``kind``: of the record, "theme", "concept" (to be searched for by its title), or "search" (a saved one: its
    words are the title, and it has no id). ``title``: the one that has the words typed, be it a translation's;
    ``marked``: the same with these words between U+0002 and U+0003.
    """

    kind: str
    id: str
    title: str
    marked: str
    lang: str = ""
    year: int | None = None


def add(store: Store, records: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Keep the titles of these records by rid; none of them has any yet."""
    store.executemany(
        "INSERT INTO titles(rowid, words) VALUES (?, ?)",
        [(rid, words) for rid, record in records if (words := titled(record))],
    )


def remove(store: Store, rids: Iterable[int]) -> None:
    """Take the titles of these records out; those without are left alone."""
    store.executemany("DELETE FROM titles WHERE rowid=?", [(rid,) for rid in rids])


def rebuild(store: Store) -> None:
    """Keep all titles anew from the stored records."""
    clear(store)
    last = -1
    sql = (
        f"SELECT rid, body FROM records JOIN bodies USING (rid) WHERE +type IN ({SEARCHED_SQL}) AND rid > ?"
        " ORDER BY rid LIMIT 500"
    )
    while batch := store.rows(sql, (last,)):
        last = batch[-1][0]
        add(store, [(rid, bodies.load(store, body)) for rid, body in batch])


def clear(store: Store) -> None:
    """Forget all titles."""
    store.execute("INSERT INTO titles(titles) VALUES ('delete-all')")


def titled(record: Mapping[str, Any]) -> str:
    """The words of a record's titles, as ``titles`` has them; "" for what no search answers with."""
    if record.get("type") not in SEARCHED:
        return ""
    found = (_tokens(text) for column, text, _tag in parts(record) if column == "title")
    return " ".join(dict.fromkeys(token for tokens in found for token in tokens))


def suggested(store: Store, text: str, limit: int, reads: Collection[str]) -> list[Suggestion]:
    """See ``Library.suggest``."""
    asked = _asked(text)
    if not asked or limit <= 0:
        return []
    begun = " ".join(fold(text[:_MAX_TYPED]).split())[:_MAX_BEGUN]
    rows: dict[int, Row] = {}
    for row in (*_beginning(store, begun, limit), *_having(store, asked)):
        rows.setdefault(row[0], row)
    own = {"", "und", *(tag.partition("-")[0].lower() for tag in reads)}

    def order(row: Row) -> tuple[bool, bool, int, int]:
        rid, _type, lang, _year, sort_title = row
        other = bool(reads) and lang.partition("-")[0].lower() not in own
        return not sort_title.startswith(begun), other, len(sort_title), -rid

    best = sorted(rows.values(), key=order)
    shown = _one_of_each(store, best[: 4 * limit], limit)
    return [_suggestion(*one, asked) for one in _with_bodies(store, shown)]


def concepts(store: Store, text: str, limit: int, reads: Collection[str]) -> list[Suggestion]:
    """See ``Library.concepts``."""
    if not _asked(text) or limit <= 0:
        return []
    own = {tag.partition("-")[0].lower() for tag in reads}
    rids = labels.beginning(store, text[:_MAX_TYPED], _CONCEPTS)
    found: list[Suggestion] = []
    for record in bodies.many(store, rids[: 2 * _CONCEPTS]).values():
        if record.get("type") != "concept":
            continue
        called = [
            Suggestion("concept", str(record["id"]), name, shown, tag)
            for tag, name in labels.names(record)
            if (shown := marked(text, name))
        ]
        found += sorted(called, key=lambda one: one.lang.partition("-")[0].lower() not in own)[:1]
    found.sort(key=lambda one: (one.lang.partition("-")[0].lower() not in own, len(one.title), one.title))
    return list({one.title.casefold(): one for one in reversed(found)}.values())[::-1][:limit]


def marked(typed: str, text: str) -> str:
    """A text, such as the name of a theme, with the words that are typed so far marked; "" where it lacks any."""
    asked = _asked(typed)
    return _marked(asked, text) if asked and _matches(asked, _tokens(text)) else ""


def problem(store: Store) -> str:
    """What is wrong with the table, "" where it holds the titles of the records and nothing else."""
    expected: dict[int, int] = {}
    for rid, body in store.each("SELECT rid, body FROM bodies"):
        if words := titled(bodies.load(store, body)):
            expected[rid] = sum(map(hash, words.split()))
    read_only = bool(store.value("PRAGMA query_only"))
    store.execute("PRAGMA query_only=OFF")  # the table below is a view of the index and writes nothing to the file
    store.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.title_words USING fts5vocab(main, titles, instance)")
    store.execute(f"PRAGMA query_only={int(read_only)}")
    for word, rid in store.each("SELECT term, doc FROM temp.title_words"):
        expected[rid] = expected.get(rid, 0) - hash(word)
    wrong = sum(1 for rest in expected.values() if rest)
    return f"{wrong} titles are not as they should be" if wrong else ""


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    for word in WORD.findall(text):
        for token in key(word, PLAIN).split():
            found.append(token)
            if bare := _ARABIC_ARTICLE.sub("", token) if token > "\u0600" else "":
                found.append(bare)
    return found


def _asked(text: str) -> list[tuple[str, bool]]:
    """(token, whether a word may also only begin so) of what is typed; too little of it is nothing."""
    text = text[:_MAX_TYPED]
    words = WORD.findall(text)[:_MAX_WORDS]
    typed = "".join(words)
    if len(typed) < SHORTEST and not is_unspaced(typed):
        return []
    found: list[tuple[str, bool]] = []
    for at, word in enumerate(words):
        pieces = asked_pieces(word)
        last = at == len(words) - 1 and text.rstrip().endswith(word) and not text[-1:].isspace()
        for place, piece in enumerate(pieces):
            if last and place == len(pieces) - 1:
                found.append((piece, True))
            elif len(piece) >= _ENDING:
                found.append((piece[:-1], True))
            else:
                found.append((piece, False))
    return found


def _matches(asked: Sequence[tuple[str, bool]], tokens: Sequence[str]) -> bool:
    return all(
        any(token.startswith(word) if begins else token == word for token in tokens) for word, begins in asked
    )


def _marked(asked: Sequence[tuple[str, bool]], text: str) -> str:
    def mark(word: re.Match[str]) -> str:
        tokens = _tokens(word.group())
        found = any(_matches([one], tokens) for one in asked)
        return f"{START}{word.group()}{END}" if found else word.group()

    return WORD.sub(mark, text)


_COLUMNS = "r.rid AS rid, r.type AS type, r.lang AS lang, r.year AS year, r.sort_title AS sort_title"
_NAMES = "rid, type, lang, year, sort_title"


def _beginning(store: Store, begun: str, limit: int) -> list[Row]:
    """Records whose title begins so, the first of each kind by title."""
    each = (
        f"SELECT * FROM (SELECT {_COLUMNS} FROM records r WHERE type='{kind}' AND sort_title >= ?1"
        " AND sort_title < ?2 ORDER BY sort_title LIMIT ?3)"
        for kind in SEARCHED
    )
    return store.rows_at_once(_NAMES, " UNION ALL ".join(each), (begun, begun + "\U0010ffff", 2 * limit))


def _having(store: Store, asked: Sequence[tuple[str, bool]]) -> list[Row]:
    """The newest records whose titles have the words. Letters and digits in quotes: nothing in it is syntax."""
    expression = " AND ".join(f'"{word}"*' if begins else f'"{word}"' for word, begins in asked)
    sql = (
        f"SELECT {_COLUMNS} FROM (SELECT rowid FROM titles WHERE titles MATCH ? ORDER BY rowid DESC LIMIT ?) t"
        " CROSS JOIN records r ON r.rid = t.rowid"
    )
    return store.rows_at_once(_NAMES, sql, (expression, _CANDIDATES))


def _one_of_each(store: Store, rows: Sequence[Row], limit: int) -> list[Row]:
    """The first ``limit``, each work and each title of a kind once."""
    work_of = works.of(store, [row[0] for row in rows])
    seen: set[Any] = set()
    kept: list[Row] = []
    for row in rows:
        rid, kind, lang, _year, sort_title = row
        same = {(kind, lang, sort_title), *([work_of[rid]] if rid in work_of else [])}
        if seen.isdisjoint(same):
            kept.append(row)
        seen |= same
    return kept[:limit]


def _with_bodies(store: Store, rows: Sequence[Row]) -> Iterator[tuple[Row, dict[str, Any]]]:
    records = bodies.many(store, [row[0] for row in rows])
    for row in rows:
        yield row, records[row[0]]


def _suggestion(row: Row, record: Mapping[str, Any], asked: Sequence[tuple[str, bool]]) -> Suggestion:
    _rid, kind, lang, year, _sort_title = row
    called = [(text, tag) for column, text, tag in parts(record) if column == "title"]
    title, tag = next(
        ((text, tag) for text, tag in called if _matches(asked, _tokens(text))),
        called[0] if called else ("", lang),
    )
    return Suggestion(kind, str(record["id"]), title, _marked(asked, title), tag, year)
