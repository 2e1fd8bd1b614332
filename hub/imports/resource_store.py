"""Resources into the database, a few hundred in one transaction.

How a record meets what is stored:
- the same id, or the same entry of the same kind of file (``origin``): the file's content wins where its digest
  differs from that of the last import; a facilitator's own edits survive an unchanged file;
- another entry recognised by an identifier (DOI, ISBN, …): a duplicate; it fills what is empty and no more;
- nothing: a new resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import models
from django.utils import timezone

from hub.ids import derived_id, new_id
from hub.models import (
    Collection,
    Edition,
    PublicState,
    Resource,
    ResourceIdentifier,
    ResourceTheme,
    ResourceTranslation,
    Source,
    StoredFile,
    Theme,
)

from .identity import FINGERPRINT, STRONG_SCHEMES, WEAK_SCHEMES, same_work, stored_identifiers
from .records import FileEntry, ResourceRecord

_PLAIN_FIELDS = [
    "title", "summary", "lang", "publisher", "year", "authors", "countries", "subjects", "policy_cycle",
    "resource_type", "licence", "redistributable", "url", "bibliographic", "extra", "sample",
]  # fmt: skip
_UPDATED_FIELDS = [*_PLAIN_FIELDS, "state", "updated", "digest", "origin"]
_MATCH_ORDER = (*STRONG_SCHEMES, *WEAK_SCHEMES, FINGERPRINT)
_ROWS = 400


@dataclass
class Counts:
    """What became of the records of a batch."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0


@dataclass
class Plan:
    """What a batch comes to before a row is written."""

    new: dict[str, ResourceRecord] = field(default_factory=dict)
    replaced: dict[str, ResourceRecord] = field(default_factory=dict)
    duplicates: list[tuple[str, ResourceRecord]] = field(default_factory=list)
    unchanged: int = 0


class ResourceStore:
    """Writes resources; lives as long as one import. ``touched``: ids that this import has met already."""

    def __init__(self, source: Source | None, draft: bool) -> None:
        self.source = source
        self.state = PublicState.DRAFT if draft else PublicState.PUBLISHED
        self.touched: set[str] = set()
        self._themes: set[str] = set()
        self._collections: dict[str, str] = {}

    def forget(self) -> None:
        """Drop what was remembered of a transaction that was rolled back."""
        self._themes.clear()
        self._collections.clear()

    def write(self, records: Sequence[ResourceRecord]) -> tuple[Counts, set[str]]:
        """Store a batch inside the caller's transaction; returns counts and the ids that were met."""
        met: set[str] = set()
        plan = self._plan(records, met)
        counts = Counts(unchanged=plan.unchanged)
        existing = Resource.objects.in_bulk(list(plan.replaced))
        self._ensure_themes([*plan.new.values(), *plan.replaced.values()])
        rows = [self._row(Resource(id=key), record) for key, record in plan.new.items()]
        for row in rows:
            row.state, row.source = self.state, self.source
        Resource.objects.bulk_create(rows, batch_size=_ROWS)
        for key, record in plan.replaced.items():
            row = existing[key]
            if row.state == PublicState.WITHDRAWN and not row.digest:
                row.state = self.state
            self._row(row, record)
        Resource.objects.bulk_create(
            existing.values(),
            batch_size=_ROWS,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=_UPDATED_FIELDS,
        )
        files = _stored_files(plan.replaced)
        texts = self._clear_children(plan.replaced)
        self._write_children({**plan.new, **plan.replaced}, texts, files)
        counts.created, counts.updated = len(plan.new), len(plan.replaced)
        for key, record in plan.duplicates:
            if self.fill(Resource.objects.get(pk=key), record):
                counts.updated += 1
            else:
                counts.unchanged += 1
        return counts, met

    def _plan(self, records: Sequence[ResourceRecord], met: set[str]) -> Plan:
        plan = Plan()
        stored = {
            row.id: row
            for row in Resource.objects.filter(id__in=[r.id for r in records if r.id]).only(
                "id", "digest", "origin", "source_id"
            )
        }
        finder = _Finder(records)
        for record in records:
            pairs = stored_identifiers(record)
            key = record.id if record.id in stored or record.id in plan.new else ""
            same_entry = bool(key)
            if not key and (not record.id or record.origin):
                key, scheme = finder.find(record, pairs)
                if key and key not in plan.new:
                    row = stored.get(key) or Resource.objects.only("id", "digest", "origin", "source_id").get(
                        pk=key
                    )
                    stored[key] = row
                    same_entry = self._is_same_entry(row, record, scheme)
            if not key:
                key = record.id or new_id()
                plan.new[key] = record
                finder.add(key, record.title, pairs)
            elif key in met or key in self.touched or not same_entry:
                plan.duplicates.append((key, record))
            elif stored[key].digest == record.digest():
                plan.unchanged += 1
            else:
                plan.replaced[key] = record
                finder.add(key, record.title, pairs)
            met.add(key)
        return plan

    def _is_same_entry(self, row: Resource, record: ResourceRecord, scheme: str) -> bool:
        """Whether ``row`` was made from this very entry, rather than from a duplicate of it elsewhere."""
        if record.origin or row.origin:
            return record.origin == row.origin
        same_file = self.source is not None and row.source_id == self.source.id
        return not record.id and (scheme == FINGERPRINT or same_file)

    def _row(self, row: Resource, record: ResourceRecord) -> Resource:
        for name in _PLAIN_FIELDS:
            setattr(row, name, getattr(record, name))
        row.updated = record.updated or timezone.now()
        row.digest = record.digest()
        row.origin = record.origin
        return row

    def _ensure_themes(self, records: Iterable[ResourceRecord]) -> None:
        wanted = {slug for record in records for slug in record.themes} - self._themes
        ensure_themes(wanted)
        self._themes |= wanted

    def _collection_ids(self, names: set[str]) -> None:
        missing = names - self._collections.keys()
        if missing:
            Collection.objects.bulk_create([Collection(name=name) for name in missing], ignore_conflicts=True)
            self._collections.update(Collection.objects.filter(name__in=missing).values_list("name", "id"))

    def _clear_children(self, replaced: dict[str, ResourceRecord]) -> dict[str, Edition]:
        """Delete what hangs on resources that are replaced; returns their text editions by id."""
        keys = list(replaced)
        if not keys:
            return {}
        texts = {edition.id: edition for edition in Edition.objects.filter(resource_id__in=keys)}
        children: tuple[type[models.Model], ...] = (
            ResourceTheme, ResourceIdentifier, ResourceTranslation, Edition, Resource.collections.through,
        )  # fmt: skip
        for child in children:
            child._default_manager.filter(resource_id__in=keys).delete()
        # Files that could not be read this time may still be what people have; only a full list replaces them.
        whole = [key for key in keys if not replaced[key].files_missing]
        StoredFile.objects.filter(resource_id__in=whole).delete()
        return texts

    def _write_children(
        self, records: dict[str, ResourceRecord], texts: dict[str, Edition], files: dict[str, list[StoredFile]]
    ) -> None:
        self._collection_ids({name for record in records.values() for name in record.collections})
        through = Resource.collections.through
        rows: dict[type[models.Model], list[Any]] = {
            ResourceTheme: [], ResourceIdentifier: [], ResourceTranslation: [], Edition: [], StoredFile: [],
            through: [],
        }  # fmt: skip
        for key, record in records.items():
            rows[ResourceTheme] += [
                ResourceTheme(resource_id=key, theme_id=slug, position=n) for n, slug in enumerate(record.themes)
            ]
            rows[ResourceIdentifier] += _identifier_rows(key, record)
            rows[ResourceTranslation] += [
                ResourceTranslation(
                    resource_id=key,
                    lang=t.lang,
                    title=t.title,
                    summary=t.summary,
                    machine=t.machine,
                    source=t.source,
                )
                for t in record.translations
            ]
            rows[Edition] += [
                _with_old_time(edition, texts.get(edition.id))
                for edition in _edition_rows(key, record, record.updated or timezone.now())
            ]
            rows[StoredFile] += _file_rows(key, record, files.get(key, []))
            rows[through] += [
                through(resource_id=key, collection_id=self._collections[name]) for name in record.collections
            ]
        for model, instances in rows.items():
            # A file may be there already where the list was not replaced.
            model._default_manager.bulk_create(instances, batch_size=_ROWS, ignore_conflicts=model is StoredFile)

    def fill(self, row: Resource, record: ResourceRecord) -> bool:
        """Give a resource what a duplicate knows and it lacks; True when anything was added."""
        changed = [
            name
            for name in ("summary", "publisher", "year", "authors", "countries", "subjects", "licence", "url",
                         "policy_cycle", "resource_type")
            if not getattr(row, name) and getattr(record, name)
        ]  # fmt: skip
        for name in changed:
            setattr(row, name, getattr(record, name))
        added = len(changed)
        known = set(row.identifiers.values_list("scheme", "value"))
        fresh = [
            identifier
            for identifier in _identifier_rows(row.id, record)
            if (identifier.scheme, identifier.value) not in known
        ]
        ResourceIdentifier.objects.bulk_create(fresh)
        added += sum(identifier.scheme in record.identifiers for identifier in fresh)
        if record.texts and not row.editions.exists():
            Edition.objects.bulk_create(_edition_rows(row.id, record, timezone.now()))
            added += 1
        if added:
            row.updated = timezone.now()
            row.save(update_fields=[*changed, "updated"])
        return bool(added)


class _Finder:
    """Finds the resource that a record without a known id belongs to: one query a batch, then memory."""

    def __init__(self, records: Sequence[ResourceRecord]) -> None:
        self._owners: dict[tuple[str, str], list[str]] = {}
        self._titles: dict[str, str] = {}
        values: dict[str, set[str]] = {}
        for record in records:
            if record.id and not record.origin:
                continue
            for scheme, value in stored_identifiers(record):
                if scheme in _MATCH_ORDER:
                    values.setdefault(scheme, set()).add(value)
        for scheme, wanted in values.items():
            rows = (
                ResourceIdentifier.objects.filter(scheme=scheme, value__in=wanted)
                .order_by("resource__created", "resource_id")
                .values_list("value", "resource_id", "resource__title")
            )
            for value, key, title in rows:
                self._owners.setdefault((scheme, value), []).append(key)
                self._titles[key] = title

    def add(self, key: str, title: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Let later records of the batch find this one."""
        self._titles[key] = title
        for pair in pairs:
            owners = self._owners.setdefault(pair, [])
            if key not in owners:
                owners.append(key)

    def find(self, record: ResourceRecord, pairs: Sequence[tuple[str, str]]) -> tuple[str, str]:
        """The id of the resource that this record belongs to and the scheme that told; or empty texts."""
        for scheme in _MATCH_ORDER:
            for pair in pairs:
                if pair[0] == scheme:
                    for key in self._owners.get(pair, ()):
                        if scheme not in WEAK_SCHEMES or same_work(self._titles[key], record.title):
                            return key, scheme
        return "", ""


def ensure_themes(slugs: set[str]) -> None:
    """Themes that no taxonomy names become plain ones, named by their slug until somebody names them."""
    known = set(Theme.objects.filter(id__in=slugs).values_list("id", flat=True)) if slugs else set()
    Theme.objects.bulk_create(
        [
            Theme(id=slug, scheme="local", labels={"en": slug.replace("-", " ").capitalize()}, position=1000)
            for slug in sorted(slugs - known)
        ],
        ignore_conflicts=True,
    )


def _identifier_rows(key: str, record: ResourceRecord) -> list[ResourceIdentifier]:
    return [
        ResourceIdentifier(resource_id=key, scheme=scheme, value=value[:2000])
        for scheme, value in stored_identifiers(record)
    ]


def _edition_rows(key: str, record: ResourceRecord, updated: datetime) -> list[Edition]:
    return [
        Edition(
            id=derived_id("edition", key, text.lang),
            resource_id=key,
            lang=text.lang,
            format=text.format,
            body=text.body,
            updated=updated,
        )
        for text in record.texts
    ]


def _stored_files(replaced: dict[str, ResourceRecord]) -> dict[str, list[StoredFile]]:
    """The files that the full lists of these records are about to replace, by resource."""
    found: dict[str, list[StoredFile]] = {}
    for row in StoredFile.objects.filter(resource_id__in=[k for k, r in replaced.items() if not r.files_missing]):
        found.setdefault(row.resource_id, []).append(row)
    return found


def _file_rows(key: str, record: ResourceRecord, old: Sequence[StoredFile]) -> list[StoredFile]:
    replaced = _replaced_files(old, record.files)
    return [
        StoredFile(
            resource_id=key,
            hash=f.hash,
            size=f.size,
            media_type=f.media_type,
            name=f.name,
            replaces=replaced.get(f.hash, ""),
        )
        for f in record.files
    ]


def _replaced_files(old: Sequence[StoredFile], new: Sequence[FileEntry]) -> dict[str, str]:
    """Which file each new one takes the place of, by hash: the one of its name, else the only one of its type.

    A file that stays keeps what it replaced. A wrong guess costs readers nothing: what differs is then too much.
    """
    stays = {row.hash for row in old} & {entry.hash for entry in new}
    found = {row.hash: row.replaces for row in old if row.hash in stays}
    gone = [row for row in old if row.hash not in stays]
    fresh = [entry for entry in new if entry.hash not in stays]
    for alike in (attrgetter("name"), attrgetter("media_type")):
        for kind in {alike(row) for row in gone}:
            rows = [row for row in gone if alike(row) == kind]
            entries = [entry for entry in fresh if alike(entry) == kind]
            if len(rows) == len(entries) == 1:
                found[entries[0].hash] = rows[0].hash
                gone.remove(rows[0])
                fresh.remove(entries[0])
    return found


def _with_old_time(edition: Edition, old: Edition | None) -> Edition:
    """A text that did not change keeps its time: readers would fetch it again for a new one."""
    if old is not None and (old.format, old.body) == (edition.format, edition.body):
        edition.updated = old.updated
    return edition
