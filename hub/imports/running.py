"""An import from end to end: recognise, read, store in batches, report.

    import_files(paths) ── for each file ── recognise ── reader ── batches ── one transaction each
                                                                  └─ on failure record by record

What one record refers to may stand later in the file, or in a later file; such records wait until the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.db import DatabaseError, Error, transaction

from hub.errors import DatabaseUnusable, means_unusable
from hub.models import Source

from . import bibtex, community_store, csl, eric, native, ris, tables, zotero
from . import cleaning as clean
from .records import Deletion, Parsed, Record, Refused, Rejection, ResourceRecord, Superseded, ThemeRecord
from .resource_store import Counts, ResourceStore
from .source_files import SourceFile, raw_lines, recognise, whole_json, whole_text

BATCH = 400
_LEADING_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*"([A-Za-z0-9._:-]{1,64})"')
Progress = Callable[[str, int], None]


@dataclass
class ImportReport:
    """``read`` = created + updated + unchanged + deleted + records rejected (refused files only add lines)."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """Records that are in the database as the files have them."""
        return self.created + self.updated + self.unchanged + self.deleted

    def add(self, counts: Counts) -> None:
        self.created += counts.created
        self.updated += counts.updated
        self.unchanged += counts.unchanged
        self.deleted += counts.deleted

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class _Entry:
    """A record on its way into the database, and where it stands."""

    file: str
    where: str
    record: Record


def import_files(
    paths: Sequence[Path],
    *,
    draft: bool = False,
    mapping: tables.ColumnMapping | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import files of any format; what cannot be read is in the report, everything else is stored.

    ``progress`` is told the file's name and the records read so far. Raises DatabaseUnusable; batches that
    were stored before stay stored, and running the import again goes on where it ended.
    """
    run = _Run(draft, mapping or {}, progress)
    sources = []
    for path in paths:
        try:
            sources.append(recognise(path))
        except Refused as refused:
            run.reject(str(path), "", str(refused))
    try:
        run.find_last_lines(sources)
        for number, source in enumerate(sources):
            run.take_file(number, source)
        run.finish()
    except Error as error:
        if not means_unusable(error):
            raise
        raise DatabaseUnusable(clean.line(str(error), 200)) from error
    return run.report


class _Run:
    def __init__(self, draft: bool, mapping: tables.ColumnMapping, progress: Progress | None) -> None:
        self.report = ImportReport()
        self.draft, self.mapping, self.progress = draft, mapping, progress
        self.store = ResourceStore(None, draft)
        self.last_lines: dict[bytes, tuple[int, int]] = {}
        self.batch: list[_Entry] = []
        self.waiting: list[_Entry] = []

    def reject(self, file: str, where: str, reason: str) -> None:
        self.report.rejected.append(Rejection(file, where, reason))

    def find_last_lines(self, sources: Sequence[SourceFile]) -> None:
        """Note the last line of each id over all native files: it is the one that counts."""
        for number, source in enumerate(sources):
            if source.format == "native":
                try:
                    for line, raw in raw_lines(source):
                        found = _LEADING_ID.match(raw) if raw else None
                        if found:
                            self.last_lines[found.group(1)] = (number, line)
                except Refused:
                    continue  # reading it in earnest reports this

    def take_file(self, number: int, source: SourceFile) -> None:
        name = str(source.path)
        with transaction.atomic():
            self.store.source, _created = Source.objects.get_or_create(
                name=source.path.name[:300], defaults={"kind": source.format}
            )
        try:
            for parsed in self._parsed(number, source):
                self._take(name, parsed)
        except Refused as refused:
            self.reject(name, "", str(refused))
        self._flush()

    def _parsed(self, number: int, source: SourceFile) -> Iterator[Parsed]:
        if source.format == "native":
            yield from self._native_lines(number, source)
        elif source.format == "json":
            yield from _json(source)
        elif source.format == "csv":
            yield from tables.read(whole_text(source), self.mapping)
        elif source.format == "ris":
            yield from ris.read(whole_text(source))
        else:
            yield from bibtex.read(whole_text(source))

    def _native_lines(self, number: int, source: SourceFile) -> Iterator[Parsed]:
        for line, raw in raw_lines(source):
            where = f"line {line}"
            if raw is None:
                yield Parsed(where, None, ("the line is longer than 32 MB",))
                continue
            found = _LEADING_ID.match(raw)
            if found and self.last_lines.get(found.group(1), (number, line)) != (number, line):
                yield Parsed(where, Superseded())
            else:
                yield native.parsed_line(where, raw, source.folder)

    def _take(self, file: str, parsed: Parsed) -> None:
        for refusal in parsed.refusals:
            self.reject(file, parsed.where, refusal)
        if parsed.record is None and not parsed.where:
            return  # the file as a whole, not a record of it
        self.report.read += 1
        if isinstance(parsed.record, Superseded):
            self.report.unchanged += 1
        elif parsed.record is not None:
            self.batch.append(_Entry(file, parsed.where, parsed.record))
        if len(self.batch) >= BATCH:
            self._flush()
        if self.progress and self.report.read % 1000 == 0:
            self.progress(file, self.report.read)

    def _flush(self) -> None:
        batch, self.batch = self.batch, []
        if batch:
            self._store(batch, final=False)

    def finish(self) -> None:
        """Store what waited for something that stood later; what still lacks it is settled for good."""
        waiting, self.waiting = self.waiting, []
        for start in range(0, len(waiting), BATCH):
            # By kind over all: a thread that waited must be there before its messages are.
            ordered = sorted(waiting, key=lambda entry: _rank(entry.record))
            self._store(ordered[start : start + BATCH], final=True)

    def _store(self, entries: list[_Entry], final: bool) -> None:
        kinds: dict[type[Record], list[_Entry]] = {}
        for entry in entries:
            kinds.setdefault(type(entry.record), []).append(entry)
        order: tuple[type[Record], ...] = (ThemeRecord, ResourceRecord, *community_store.ORDER, Deletion)
        for kind in order:
            group = kinds.get(kind, [])
            if kind in community_store.REFERENCES:
                group = self._with_references(group, final)
            if group:
                self._store_group(kind, group)

    def _with_references(self, group: list[_Entry], final: bool) -> list[_Entry]:
        """Those whose references hold; the others wait, or at the end do without, or are refused."""
        missing = community_store.unmet([entry.record for entry in group])
        # A message may answer one of its own batch.
        together = {entry.record.id for entry in group}
        ready = []
        for position, entry in enumerate(group):
            lacks = [
                (attribute, optional)
                for attribute, optional in missing.get(position, [])
                if not (attribute in ("parent", "broader") and getattr(entry.record, attribute) in together)
            ]
            cites_later = not final and community_store.awaits_messages(
                entry.record, community_store.known_messages
            )
            if not lacks and not cites_later:
                ready.append(entry)
            elif not final:
                self.waiting.append(entry)
            elif all(optional for _attribute, optional in lacks):
                for attribute, _optional in lacks:
                    setattr(entry.record, attribute, "")
                ready.append(entry)
            else:
                attribute = next(attribute for attribute, optional in lacks if not optional)
                wanted = getattr(entry.record, attribute)
                self.reject(
                    entry.file, entry.where, f"the {attribute} {wanted} is neither in these files nor on this hub"
                )
        return ready

    def _store_group(self, kind: type[Record], group: list[_Entry]) -> None:
        try:
            self._store_together(kind, [entry.record for entry in group])
        except (DatabaseError, ValueError, OverflowError) as error:
            if means_unusable(error):
                raise
            self.store.forget()
            if len(group) == 1:
                self.reject(group[0].file, group[0].where, f"the record cannot be stored: {_short(error)}")
                return
            # One record spoils the batch: find it by storing each alone.
            for entry in group:
                self._store_group(kind, [entry])

    def _store_together(self, kind: type[Record], records: list[Record]) -> None:
        with transaction.atomic():
            met: set[str] = set()
            if kind is ResourceRecord:
                resources = [record for record in records if isinstance(record, ResourceRecord)]
                counts, met = self.store.write(resources)
            elif kind is Deletion:
                counts = community_store.delete([r for r in records if isinstance(r, Deletion)])
            else:
                counts = community_store.write(kind, records, self.draft)
        self.store.touched |= met
        self.report.add(counts)


def _rank(record: Record) -> int:
    return community_store.ORDER.index(type(record)) if type(record) in community_store.ORDER else -1


def _short(error: Exception) -> str:
    return clean.line(str(error).split("\n")[0], 200)


def _json(source: SourceFile) -> Iterator[Parsed]:
    """Any of the JSON formats, told apart by their shape."""
    try:
        document = whole_json(source)
    except Refused as refused:
        yield from _lines_after_all(source, refused)
        return
    if isinstance(document, dict):
        response = document.get("response")
        if isinstance(response, dict) and isinstance(response.get("docs"), list):
            yield from eric.read(response["docs"])
            return
        if isinstance(document.get("items"), list):
            yield from _items(document["items"], source, document.get("collections"))
            return
        if isinstance(document.get("references"), list):
            yield from csl.read(document["references"])
            return
        if "id" in document or "title" in document:
            yield from _items([document], source)
            return
    elif isinstance(document, list):
        if document:
            yield from _items(document, source)
        else:
            yield Parsed("", None, ("the file holds no records",))
        return
    yield Parsed("", None, ("this JSON is none of the known formats (native, ERIC, CSL-JSON, Zotero)",))


def _items(items: list[Any], source: SourceFile, collections: object = None) -> Iterator[Parsed]:
    objects = [item for item in items[:200] if isinstance(item, dict)]
    if any("itemType" in item or isinstance(item.get("data"), dict) for item in objects):
        yield from zotero.read(items, collections)
    elif any(_is_native(item) for item in objects):
        for number, item in enumerate(items, 1):
            yield native.parsed(f"record {number}", item, source.folder)
    elif objects and any(key in item for item in objects for key in ("docs", "publicationdateyear")):
        yield from eric.read(items)
    else:
        yield from csl.read(items)


def _is_native(item: dict[str, Any]) -> bool:
    return item.get("deleted") is True or item.get("type") in (
        "resource", "thread", "message", "expert", "organisation", "theme", "summary",
    )  # fmt: skip


def _lines_after_all(source: SourceFile, refused: Refused) -> Iterator[Parsed]:
    """JSON Lines under another name; when not one line is an object, the first complaint stands."""
    lines = list(raw_lines(source))
    if not any(raw is not None and _is_json_object(raw) for _line, raw in lines[:50]):
        yield Parsed("", None, (str(refused),))
        return
    for line, raw in lines:
        if raw is None:
            yield Parsed(f"line {line}", None, ("the line is longer than 32 MB",))
        else:
            yield native.parsed_line(f"line {line}", raw, source.folder)


def _is_json_object(raw: bytes) -> bool:
    try:
        return isinstance(json.loads(raw), dict)
    except (ValueError, RecursionError):
        return False
