"""The shelf: everything that came from the hub, in library.db. It can always be fetched again.

A ``Library`` belongs to the thread that opened it; each thread opens its own. One transaction covers the
records of a batch, the search index and the stream's cursor, so a cut leaves a whole earlier state.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from resources_cache import bodies, browse, filing, labels, notices, search, search_index, suggestions, works
from resources_cache.cards import (
    Applied,
    Card,
    Check,
    Cursor,
    Edition,
    Filters,
    Hit,
    Page,
    Record,
    SearchPage,
    StoredHead,
    StreamState,
)
from resources_cache.checks import check_library, differing
from resources_cache.counting import Counting
from resources_cache.database import (
    Store,
    Watcher,
    looks_sound,
    open_store,
    opening_alone,
    set_aside,
    suspicion,
)
from resources_cache.errors import MassDeletion, StoreDamaged
from resources_cache.filter_counts import FilterCounts
from resources_cache.library_schema import MIGRATIONS
from resources_cache.notices import Notice
from resources_cache.records import PERSONAL
from resources_cache.suggestions import Suggestion
from resources_cache.text import RULES, Query

__all__ = [
    "Applied", "Card", "Check", "Cursor", "Edition", "Filters", "Hit", "Library", "Page", "Record", "SearchPage",
    "StoredHead", "StreamState", "Suggestion",
]  # fmt: skip

_SET_CURSOR = "INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?, ?)"

_PAGE = 8192  # bytes: compressed records fill pages of 4,096 badly (docs/adr/0013-search-index.md)

_AT_OPENING = 200
"""Records that are indexed anew while the shelf is opened: 0.2 s at most."""

_EMPTIED = (
    "records", "bodies", "dictionaries", "links", "labels", "notices", "work_keys", "works", "displaced",
    "indexed", "cursors", "head", "documents",
)  # fmt: skip

_CHILDREN = {
    "resource": (("texts", "text"),),
    "thread": (("summaries", "summary"), ("messages", "message")),
    "request": (("replies", "reply"),),
}


MANY_DELETED = 100
"""Records that a hub may delete in one sync however small the shelf is."""


def _refuse_mass_deletion(store: Store, deleted: int) -> None:
    if deleted <= MANY_DELETED:
        return
    before = int(store.value("SELECT count(*) FROM records")) + deleted
    if deleted * 5 > before:
        raise MassDeletion(f"The hub wants to remove {deleted:,} of the {before:,} records on this shelf.")


class Library:
    """library.db, opened for one thread. Use as a context manager or call ``close``."""

    def __init__(self, path: Path, read_only: bool = False, *, on_statement: Watcher | None = None) -> None:
        """Open (and create or upgrade) the shelf at ``path``.

        A damaged one is set aside and an empty one begun (``recovered`` then says so, else it is None): the
        hub has everything. Not so with ``read_only``, which raises instead.
        Raises: StoreTooNew, StoreBusy, StoreUnwritable, DiskFull, StoreDamaged (read-only, or the damaged file
        is locked); NotFound if read-only and missing.
        """
        self.path = Path(path)
        self.recovered: str | None = None
        self._on_statement = on_statement
        try:
            self._store = self._open(read_only)
        except StoreDamaged:
            if read_only:
                raise
            with opening_alone(self.path):
                self._store = self._open_or_begin_anew()
        self._counting = Counting(self._store)
        self._filter_counts = FilterCounts(self._store)

    def keep_in_memory(self, kilobytes: int) -> None:
        """How much of the file this connection keeps of what it read, at most; 16,000 where nothing is said, which
        large writes want. The system keeps the rest of what is read often, once for all connections."""
        self._store.execute(f"PRAGMA cache_size=-{int(kilobytes)}")

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; closing twice does nothing."""
        self._store.close()

    # What the sync writes

    def cursors(self) -> dict[str, Cursor]:
        """How far each stream is applied, by stream name."""
        rows = self._store.rows("SELECT stream, epoch, seq, generation, parts FROM cursors")
        return {stream: Cursor(epoch, seq, generation, parts) for stream, epoch, seq, generation, parts in rows}

    def apply(
        self,
        stream: str,
        changes: Iterable[Mapping[str, Any]],
        cursor: Cursor,
        *,
        sweep: bool = False,
        mark: str = "",
    ) -> Applied:
        """Store a batch of one stream and its new cursor: ``apply_run`` for one stream. Raises: as that."""
        return self.apply_run({stream: changes}, {stream: cursor}, sweep=sweep, mark=mark)

    def apply_run(
        self,
        changes: Mapping[str, Iterable[Mapping[str, Any]]],
        cursors: Mapping[str, Cursor],
        *,
        sweep: bool = False,
        mark: str = "",
        deleted_before: int | None = None,
    ) -> Applied:
        """Store what came for several streams, and the new cursor of each, in ONE transaction.

        ``changes``: by stream, records or ``{"id": …, "deleted": true}`` in their order; the last change of an
        id wins, and a record that moves from one stream to another is shown once, whichever comes first. A
        deletion removes only what is filed under its stream. ``cursors``: the cursor of each of these streams,
        and of any that had nothing to bring. Each record put is marked with the generation ``mark``; ``sweep``
        then removes, from every stream in ``cursors``, the records of any other generation (the end of a
        snapshot). ``deleted_before``: records that the same sync deleted so far; with them the deletions of this
        run must stay below ``MANY_DELETED``, or below a fifth of the shelf. None: they need not.
        Raises: MassDeletion; ValueError for a stream without cursor or the personal one; BadRecord, DiskFull,
        StoreBusy, StoreDamaged, StoreUnwritable; then nothing has changed.
        """
        bare = [stream for stream in changes if stream not in cursors]
        if bare:
            raise ValueError(f"changes without a cursor: {', '.join(sorted(bare))}")
        _refuse_personal(cursors)
        with self._store.transaction() as store:
            done = [filing.file_changes(store, stream, found, mark) for stream, found in changes.items()]
            swept = sum(filing.sweep(store, stream, mark) for stream in cursors) if sweep else 0
            if deleted_before is not None:
                _refuse_mass_deletion(store, sum(one.deleted for one in done) + swept + deleted_before)
            store.executemany(
                _SET_CURSOR, [(stream, c.epoch, c.seq, c.generation, c.parts) for stream, c in cursors.items()]
            )
        return Applied(sum(one.put for one in done), sum(one.deleted for one in done) + swept)

    def advance_cursors(self, streams: Sequence[str], epoch: int, seq: int) -> None:
        """Say that each of these streams is applied whole up to ``seq`` of ``epoch``, with no run under way, in
        one transaction: what to do where nothing had changed in them.

        Raises: ValueError for the personal stream; else as ``apply_run``.
        """
        _refuse_personal(streams)
        with self._store.transaction() as store:
            store.executemany(_SET_CURSOR, [(stream, epoch, seq, "", 0) for stream in streams])

    def drop_stream(self, stream: str, deleted_before: int | None = None) -> int:
        """Remove the records and cursor of a stream that is no longer wanted. Returns how many records went.

        ``deleted_before``: as in ``apply_run``, where it is the hub that does not have it any more.
        Raises: MassDeletion; as ``apply``.
        """
        with self._store.transaction() as store:
            removed = filing.drop(store, stream)
            if deleted_before is not None:
                _refuse_mass_deletion(store, removed + deleted_before)
            store.execute("DELETE FROM cursors WHERE stream=?", (stream,))
        return removed

    def streams(self) -> dict[str, StreamState]:
        """What is here of each stream: records, bytes as stored (UTF-8 JSON), cursor."""
        with self._store.reading():
            cursors = self.cursors()
            rows = self._store.rows(
                "SELECT stream, count(*), sum(size) FROM records WHERE stream<>? GROUP BY stream", (PERSONAL,)
            )
        found = {stream: (int(count), int(size)) for stream, count, size in rows}
        return {
            stream: StreamState(*found.get(stream, (0, 0)), cursors.get(stream, Cursor()))
            for stream in sorted({*found, *cursors})
        }

    def apply_personal(
        self, items: Iterable[Mapping[str, Any]], epoch: int, cursor: int, reset: bool = False
    ) -> Applied:
        """Store what is new for this person (requests, replies, deletions) and the cursor, in one transaction.

        ``reset`` first removes all that was personal: the hub then sends everything again.
        Raises: as ``apply``.
        """
        with self._store.transaction() as store:
            dropped = filing.drop(store, PERSONAL) if reset else 0
            done = filing.file_changes(store, PERSONAL, items, "")
            _set_meta(store, "personal", json.dumps([epoch, cursor]))
        return Applied(done.put, done.deleted + dropped)

    def personal_cursor(self) -> tuple[int, int]:
        """(epoch, cursor) of the personal feed; (0, 0) before the first."""
        found = _meta(self._store, "personal")
        epoch, cursor = json.loads(found) if found else (0, 0)
        return int(epoch), int(cursor)

    def head(self) -> StoredHead | None:
        """The last verified head that was saved, or None."""
        row = self._store.row("SELECT epoch, version, body, complete, seen FROM head")
        if row is None:
            return None
        return StoredHead(int(row[0]), int(row[1]), bytes(row[2]), bool(row[3]), str(row[4]))

    def save_head(self, head: StoredHead, advance: Sequence[str] = ()) -> None:
        """Keep a head, and bring the cursors of the streams in ``advance`` to it, in one transaction.

        The caller has verified the head; that versions never go down is the caller's to see to.
        Raises: as ``advance_cursors``.
        """
        with self._store.transaction() as store:
            self.advance_cursors(advance, head.epoch, head.version)
            store.execute(
                "INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?)",
                (head.epoch, head.version, head.body, int(head.complete), head.seen),
            )

    def document(self, hash_: str) -> bytes | None:
        """A kept index or manifest by its hex SHA-256, or None."""
        found = self._store.value("SELECT body FROM documents WHERE hash=?", (hash_,))
        return None if found is None else bytes(found)

    def save_document(self, hash_: str, body: bytes) -> None:
        """Keep an index or manifest under its hex SHA-256, which the caller has verified."""
        with self._store.transaction() as store:
            store.execute("INSERT OR REPLACE INTO documents VALUES (?, ?)", (hash_, body))

    def forget_documents(self, keep: Collection[str]) -> int:
        """Remove the kept documents whose hash is not in ``keep``. Returns how many went."""
        with self._store.transaction() as store:
            gone = [(h,) for (h,) in store.rows("SELECT hash FROM documents") if h not in keep]
            if gone:
                store.executemany("DELETE FROM documents WHERE hash=?", gone)
        return len(gone)

    def clear(self) -> None:
        """Empty the shelf, cursors and head included: before changing to another hub.

        Raises: as ``apply``.
        """
        with self._store.transaction() as store:
            for table in _EMPTIED:
                store.execute(f"DELETE FROM {table}")
            store.execute("DELETE FROM meta WHERE key IN ('personal', 'label_languages')")
            search_index.clear(store)
            suggestions.clear(store)

    # What people read

    def get(self, id_: str) -> Record | None:
        """The whole wire record, or None.

        A resource also has ``texts``, a thread ``summaries`` and ``messages`` (its own count of messages
        gives way to the list), a request ``replies``: lists of wire records, oldest first.
        """
        with self._store.reading() as store:
            body = store.value("SELECT body FROM bodies JOIN records USING (rid) WHERE id=?", (id_,))
            if body is None:
                return None
            record = bodies.load(self._store, body)
            for name, kind in _CHILDREN.get(str(record.get("type")), ()):
                record[name] = self._children(id_, kind)
        return record

    def record(self, stream: str, id_: str) -> Record | None:
        """The wire record of this id as it is filed under ``stream``, without children, or None.

        Where another stream's copy is the one that is shown, it is the copy that waits under ``stream``.
        """
        body = self._store.value(
            "SELECT body FROM bodies JOIN records USING (rid) WHERE id=?1 AND stream=?2"
            " UNION ALL SELECT body FROM displaced WHERE id=?1 AND stream=?2 LIMIT 1",
            (id_, stream),
        )
        return None if body is None else bodies.load(self._store, body)

    def newest(self, streams: Sequence[str]) -> Generator[Record, None, None]:
        """The wire records filed under these streams, the largest id first (by the bytes of its UTF-8); copies
        that wait while another stream shows the record are among them.

        Read one by one, all from one state of the shelf: stop whenever there is enough. Nothing can be written
        through this object until it has ended or is closed.
        """
        with self._store.reading() as store:
            yield from browse.newest(store, streams)

    def counts(self) -> dict[str, int]:
        """How many records of each type are here, vocabularies and their concepts left out: nobody reads those."""
        rows = self._store.rows(
            "SELECT type, count(*) FROM records WHERE type NOT IN ('concept', 'vocabulary')"
            " GROUP BY type ORDER BY type"
        )
        return {str(kind): int(count) for kind, count in rows}

    def facets(
        self, filters: Filters | None = None, types: Sequence[str] = ("resource",)
    ) -> dict[str, list[tuple[str, int]]]:
        """Values with counts for "kind", "lang", "type", "year", "policy_cycle", "theme" and "country".

        Counts are over ``types`` ("kind" over all searchable ones; ``filters.kind`` takes the place of ``types``).
        A facet's own filter is left open in it. Most frequent first, years newest first.
        """
        return self._filter_counts.count(filters or Filters(), types)

    def latest(self, types: Sequence[str], since: str = "", limit: int = 20) -> list[Card]:
        """Cards of these types updated after ``since`` (UTC ISO 8601), newest first."""
        return browse.latest(self._store, types, since, limit)

    def changed_between(self, types: Sequence[str], moments: Sequence[str]) -> list[int]:
        """How many records of these types were last changed after each of these moments (UTC ISO 8601) and no
        later than the next one."""
        return browse.changed_between(self._store, types, moments)

    def browse(
        self,
        types: Sequence[str] = ("resource",),
        filters: Filters | None = None,
        sort: str = "newest",
        offset: int = 0,
        limit: int = 50,
    ) -> Page:
        """A page of cards; ``sort`` is "newest", "title" (accents ignored) or "year" (newest first)."""
        return browse.browse(self._store, types, filters or Filters(), sort, offset, limit)

    def order(
        self, types: Sequence[str] = ("resource",), filters: Filters | None = None, sort: str = "newest"
    ) -> array[int]:
        """The row numbers of all that ``browse`` would list, in its order: four bytes each, so that a list of a
        hundred thousand is known whole and any page of it is read by its numbers."""
        return browse.order(self._store, types, filters or Filters(), sort)

    def cards_at(self, rows: Sequence[int]) -> dict[int, Card]:
        """The cards of these row numbers (of ``order``); those that are no longer on the shelf are missing."""
        return browse.cards_at(self._store, rows)

    def ids_at(self, rows: Sequence[int]) -> list[str]:
        """The ids of these row numbers (of ``order``), in this order; what is no longer here is left out."""
        return browse.ids_at(self._store, rows)

    def threads(
        self, theme: str | None = None, activity: str | None = None, offset: int = 0, limit: int = 50
    ) -> Page:
        """A page of discussions, the most recently updated first."""
        return browse.threads(self._store, theme, activity, offset, limit)

    def vocabulary(self) -> dict[str, dict[str, str]]:
        """Theme slug → labels by language, in the themes' own order."""
        rows = self._store.rows("SELECT body FROM bodies JOIN records USING (rid) WHERE type='theme'")
        themes = [bodies.load(self._store, body) for (body,) in rows]

        def place(theme: Record) -> tuple[float, str]:
            order = theme.get("order")
            return (order if isinstance(order, int | float) else float("inf"), str(theme["id"]))

        labels = {str(t["id"]): t.get("labels") for t in sorted(themes, key=place)}
        return {slug: dict(found) if isinstance(found, Mapping) else {} for slug, found in labels.items()}

    def search(
        self,
        text: str,
        filters: Filters | None = None,
        limit: int = 20,
        offset: int = 0,
        *,
        as_typed: bool = False,
        reads: Collection[str] = (),
        counts: bool = False,
    ) -> SearchPage:
        """Ranked search: any of the words, more of them first; ``resources_cache.text.queries`` has what can be
        said besides ("phrases", -not, title:, author:, country:, year:).

        Texts count for their resource; messages and summaries for their thread; replies for their request:
        ``total`` counts these, and the best of them ranks and gives the snippet. Any text is a valid query.
        A word that nothing has is taken for one that something has, unless ``as_typed``.
        Where words of it name a theme or concept, what has one of its other names follows; its ``by`` says which.
        Of several records of one work one is shown, the best; one in a language that the person ``reads``
        (BCP 47) where such a one is among the best 24. With ``counts``, ``facets`` says how many of all results
        each value of a filter has; a facet's own filter is left open in it. Where there are many, ``total`` is
        exact only with ``counts`` or where ``limit`` is 0; ``exact`` tells.
        """
        counting = self._counting if counts else None
        return search.search(self._store, text, filters or Filters(), limit, offset, as_typed, reads, counting)

    def editions(self, id_: str) -> list[Edition]:
        """The other records of the same work as this one, by language and title."""
        with self._store.reading() as store:
            rid = store.value("SELECT rid FROM records WHERE id=?", (id_,))
            return works.editions(store, [rid]).get(rid, []) if rid is not None else []

    def noticed(self, ids: Iterable[str]) -> dict[str, Notice]:
        """The notices of those of these records that were corrected, superseded or withdrawn, by id."""
        with self._store.reading() as store:
            return notices.noticed(store, ids)

    def here(self, ids: Iterable[str]) -> set[str]:
        """Which of these records are on the shelf."""
        return notices.here(self._store, ids)

    def suggest(self, text: str, limit: int = 7, *, reads: Collection[str] = ()) -> list[Suggestion]:
        """Titles (of resources, discussions, events; names of people and organisations) that have all the words
        typed so far, the last one perhaps unfinished; those that begin so come first, then those in a language
        that the person ``reads``, then the shorter ones.
        """
        with self._store.reading() as store:
            return suggestions.suggested(store, text, limit, reads)

    def concepts(self, text: str, limit: int = 2, *, reads: Collection[str] = ()) -> list[Suggestion]:
        """What vocabularies have a name for that begins with what is typed so far, those in a language that the
        person ``reads`` first, then the shorter ones. A search for such a name finds its other names too.
        """
        with self._store.reading() as store:
            return suggestions.concepts(store, text, limit, reads)

    def understood(self, text: str) -> Query:
        """What a search for ``text`` looks for, with the languages of this shelf."""
        return search.understood(self._store, text)

    def newest_change(self) -> str:
        """When the newest of what a search answers with came or changed (UTC ISO 8601); "" where nothing is."""
        return browse.newest_change(self._store)

    def check(self) -> list[Check]:
        """What `hubshelf doctor` says of the shelf: sound file, index equal to content, cursors in order."""
        return check_library(self._store)

    def rebuild_index(self) -> None:
        """Index all records anew, now: 1,000 a second with their texts. Raises: as ``apply``."""
        with self._store.transaction() as store:
            search_index.rebuild(store)
            works.rebuild(store)
            suggestions.rebuild(store)
            _set_meta(store, "text_rules", RULES)

    def renew_index(self, most: int = 100) -> int:
        """Go on with indexing anew what was indexed under older rules, ``most`` records in one transaction (100 of
        them with texts: 0.1 s), the newest first. Returns how many are left: to be called until that is 0.

        What is indexed already answers meanwhile; a kill at any instant leaves what was done.
        Raises: as ``apply``.
        """
        if not search_index.left(self._store):
            return 0
        with self._store.transaction() as store:
            search_index.renew(store, most)
            return search_index.left(store)

    def index_left(self) -> int:
        """How many records have yet to be indexed anew: until then searches may miss some of these."""
        return search_index.left(self._store)

    def mend_index(self) -> int:
        """Index anew the records of which something else is indexed than should be, titles and works included.
        Returns how many these were.

        Compares everything, as ``check`` does, and keeps other writers waiting meanwhile. Raises: as ``apply``.
        """
        with self._store.transaction() as store:
            wrong, _records, _words = differing(store)
            search_index.again(store, sorted(wrong))
            if set(labels.expected(store)) != set(labels.kept(store)):
                labels.rebuild(store)
            if suggestions.problem(store):
                suggestions.rebuild(store)
            if works.problem(store):
                works.rebuild(store)
        return len(wrong)

    def _open(self, read_only: bool) -> Store:
        store = open_store(
            self.path,
            MIGRATIONS,
            synchronous="NORMAL",
            read_only=read_only,
            on_statement=self._on_statement,
            page_bytes=_PAGE,
        )
        try:
            suspect = suspicion(self.path)
            if suspect.exists():
                looks_sound(store)
                if found := bodies.unreadable(store):
                    raise StoreDamaged(f"{self.path.name} is damaged (these cannot be read: {', '.join(found)}).")
                suspect.unlink(missing_ok=True)
            if not read_only:
                self._follow_rules(store)
        except BaseException:
            store.close()
            raise
        return store

    def _open_or_begin_anew(self) -> Store:
        """Inside the opening lock: another program may have set the damaged file aside just before."""
        try:
            return self._open(read_only=False)
        except StoreDamaged as damage:
            for old in self.path.parent.glob(self.path.name + ".damaged-*"):
                old.unlink(
                    missing_ok=True
                )  # it can be fetched again, so one copy for those who investigate is enough
            aside = set_aside(self.path, str(damage))
            suspicion(self.path).unlink(missing_ok=True)
            self.recovered = (
                f"{damage} An empty shelf was begun, which the next sync fills;"
                f" the damaged file was kept as {aside.name}."
            )
            return self._open(read_only=False)

    def _children(self, id_: str, kind: str) -> list[Record]:
        rows = self._store.blobs_at_once(
            "rid",
            "body",
            "SELECT rid, body FROM bodies JOIN records USING (rid) WHERE owner=? AND owner<>'' AND type=?",
            (id_, kind),
        )
        found = [bodies.load(self._store, body) for _rid, body in rows]
        return sorted(found, key=lambda r: (str(r.get("created") or r.get("updated") or ""), str(r["id"])))

    @staticmethod
    def _follow_rules(store: Store) -> None:
        """Make anew what was made with other rules than today's: the index, the works.

        The index of a small shelf is made at once; of a large one the newest are, and ``renew_index`` goes on.
        """
        if _meta(store, "text_rules") != RULES:
            with store.transaction():
                if _meta(store, "text_rules") is not None:
                    search_index.begin_renewal(store)
                search_index.renew(store, _AT_OPENING)
                _set_meta(store, "text_rules", RULES)
        if _meta(store, "work_rules") != works.RULES:
            with store.transaction():
                works.rebuild(store)
                _set_meta(store, "work_rules", works.RULES)
        if _meta(store, "notice_rules") != notices.RULES:
            with store.transaction():
                notices.rebuild(store)
                _set_meta(store, "notice_rules", notices.RULES)
        if _meta(store, "title_rules") != RULES:
            with store.transaction():
                suggestions.rebuild(store)
                _set_meta(store, "title_rules", RULES)


def _refuse_personal(streams: Collection[str]) -> None:
    if PERSONAL in streams:
        raise ValueError(f"{PERSONAL!r} is not a stream; use apply_personal")


def _meta(store: Store, key: str) -> str | None:
    found = store.value("SELECT value FROM meta WHERE key=?", (key,))
    return None if found is None else str(found)


def _set_meta(store: Store, key: str, value: str) -> None:
    store.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
