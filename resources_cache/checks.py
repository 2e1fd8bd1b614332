"""What the doctor looks at in the stores."""

from __future__ import annotations

from collections.abc import Iterator

from resources_cache import bodies, labels, suggestions, works
from resources_cache.cards import Check
from resources_cache.database import MIN_SQLITE, Row, Store, sqlite_version
from resources_cache.errors import CacheError
from resources_cache.records import SEARCHED_SQL, indexed
from resources_cache.search_index import COLUMNS_OF, TABLES, kept, left, neighbours, usual

_REBUILD = "Run `hubshelf doctor --mend`: what is indexed wrongly is indexed anew from the records."
_FETCH = "Close Hubshelf and open it again: the shelf is set aside and fetched again from the hub."


def check_sqlite() -> Check:
    """Whether SQLite is new enough (3.51.3 fixed a corruption in WAL mode)."""
    found = sqlite_version()
    ok = tuple(int(part) for part in found.split(".")[:3]) >= MIN_SQLITE
    return Check("sqlite", ok, f"SQLite {found}", "" if ok else "Install Hubshelf anew: it brings its own SQLite.")


def check_file(store: Store, advice: str) -> Check:
    """SQLite's own integrity check of the whole file."""
    name = f"{store.path.name} is sound"
    try:
        found = [str(row[0]) for row in store.rows("PRAGMA integrity_check(5)")]
    except CacheError as error:
        return Check(name, False, str(error), advice)
    ok = found == ["ok"]
    return Check(name, ok, "integrity check passed" if ok else "; ".join(found), "" if ok else advice)


def check_library(store: Store) -> list[Check]:
    """All checks of library.db; sees one state throughout."""
    found = [check_sqlite(), check_file(store, _FETCH)]
    if not found[-1].ok:
        return found
    for name, check in (("search index equals the content", _index), ("cursors", _cursors), ("records", _records)):
        try:
            with store.reading():
                problem, detail = check(store)
        except CacheError as error:
            problem, detail = True, str(error)
        found.append(
            Check(name, not problem, detail, (_REBUILD if check is _index else _FETCH) if problem else "")
        )
    return found


def differing(store: Store) -> tuple[set[int], int, int]:
    """Rows of which something else is indexed than should be; how many records and words are indexed.

    Every word of the index, with its row, column and place, is compared to what the records would be indexed as,
    and so are the neighbours of the words of texts. The digests say which rows were indexed from what; the walk
    through the index itself says that it was done. Records that are yet to be indexed anew are left out.
    """
    length = usual(store)
    below = int(store.value("SELECT value FROM meta WHERE key='index_below'") or 0)
    expected: dict[int, int] = {}
    wrong: set[int] = set()
    digests: dict[int, bytes] = dict(store.rows("SELECT rid, digest FROM indexed WHERE rid >= ?", (below,)))
    for rid, body in store.each("SELECT rid, body FROM bodies WHERE rid >= ? ORDER BY rid", (below,)):
        found = indexed(bodies.load(store, body))
        if not found:
            continue
        if digests.pop(rid, None) != found.digest:
            wrong.add(rid)
        expected[rid] = hash(neighbours(found)) + sum(
            hash((table, name, None if table == "texts" else place, word))
            for table, columns in kept(found, length)
            for name, text in zip(COLUMNS_OF[table], columns, strict=True)
            for place, word in enumerate(text.split())
        )
    records = len(expected)
    words = 0
    for rid, bits in store.each("SELECT rid, bits FROM pairs WHERE rid >= ?", (below,)):
        expected[rid] = expected.get(rid, 0) - hash(bits)
    for table in TABLES:
        for word, rid, name, place in _instances(store, table):
            if rid >= below:
                words += 1
                # Where words have a weight the index keeps no place and, there being one column, no column.
                key = (table, name or COLUMNS_OF[table][0], place, word)
                expected[rid] = expected.get(rid, 0) - hash(key)
    wrong.update(rid for rid, rest in expected.items() if rest)
    wrong.update(digests)
    return wrong, records, words


def _index(store: Store) -> tuple[bool, str]:
    wrong, records, words = differing(store)
    if wrong:
        return True, f"{len(wrong)} of {records} records are indexed wrongly"
    if difference := set(labels.expected(store)) ^ set(labels.kept(store)):
        return True, f"{len(difference)} names of themes and concepts are not as they should be"
    if wrong_table := works.problem(store) or suggestions.problem(store):
        return True, wrong_table
    waiting = left(store)
    return False, f"{records} records, {words} words" + (
        f"; {waiting} are yet to be indexed anew" if waiting else ""
    )


def _instances(store: Store, table: str) -> Iterator[Row]:
    """(word, row, column, place) of everything in one table of the index."""
    read_only = bool(store.value("PRAGMA query_only"))
    store.execute("PRAGMA query_only=OFF")  # the table below is a view of the index and writes nothing to the file
    store.execute(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{table}_places USING fts5vocab(main, {table}, instance)"
    )
    store.execute(f"PRAGMA query_only={int(read_only)}")
    yield from store.each(f"SELECT term, doc, col, offset FROM temp.{table}_places")


def _cursors(store: Store) -> tuple[bool, str]:
    """Numbers that cannot be, and a run that is half applied under no name."""
    bad = store.rows(
        "SELECT stream FROM cursors WHERE epoch < 0 OR seq < 0 OR parts < 0 OR (parts > 0 AND generation = '')"
    )
    total = int(store.value("SELECT count(*) FROM cursors"))
    if bad:
        return True, "impossible cursors: " + ", ".join(str(stream) for (stream,) in bad)
    return False, f"{total} streams"


def _records(store: Store) -> tuple[bool, str]:
    """Rows that hang on nothing, and records without their body."""
    loose = sum(
        int(store.value(f"SELECT count(*) FROM {table} WHERE rid NOT IN (SELECT rid FROM records)"))
        for table in ("bodies", "links", "indexed")
    )
    bare = int(store.value("SELECT count(*) FROM records WHERE rid NOT IN (SELECT rid FROM bodies)"))
    astray = int(
        store.value(
            "SELECT count(*) FROM records c WHERE c.owner_rid IS NOT"
            f" CASE WHEN c.type IN ({SEARCHED_SQL}) THEN c.rid"
            " WHEN c.owner <> '' THEN (SELECT p.rid FROM records p WHERE p.id = c.owner"
            f" AND p.type IN ({SEARCHED_SQL})) END"
        )
    )
    if damaged := bodies.unreadable(store):
        return True, f"these cannot be read: {', '.join(damaged)}"
    if loose or bare or astray:
        return (
            True,
            f"{loose} rows hang on no record, {bare} records have no body, {astray} are tied to the wrong one",
        )
    return False, f"{int(store.value('SELECT count(*) FROM records'))} records"
