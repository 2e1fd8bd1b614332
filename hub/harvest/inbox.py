"""The inbox: what sources offer, until a person accepts, merges or rejects it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from rapidfuzz import fuzz

from hub import audit
from hub.errors import InvalidInput, NotFound
from hub.harvest.pages import Offered
from hub.ids import new_id
from hub.imports.cleaning import fold
from hub.imports.identity import STRONG_SCHEMES, same_work, stored_identifiers
from hub.imports.records import ResourceRecord
from hub.imports.resource_store import ResourceStore
from hub.models import InboxItem, Resource, ResourceIdentifier, Source

_ALIKE = 88.0
"""Of a hundred: titles this much alike, by words in any order, are shown to a person as perhaps the same work."""
_LOOKED_AT = 400
_DECIDED = (InboxItem.State.ACCEPTED, InboxItem.State.MERGED, InboxItem.State.REJECTED)


@dataclass
class Counts:
    """What a page did to the inbox."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    refused: int = 0

    def add(self, other: Counts) -> None:
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


def take_page(source: Source, offered: Sequence[Offered]) -> Counts:
    """Put what a source offers into its inbox, inside the caller's transaction; the same again changes nothing.

    What somebody has decided stays decided; that it changed there is noted.
    """
    counts = Counts(read=len(offered))
    latest = {one.key: one for one in offered}
    counts.unchanged = len(offered) - len(latest)
    known = {item.key: item for item in InboxItem.objects.filter(source=source, key__in=latest)}
    fresh = []
    for key, one in latest.items():
        item, digest = known.get(key), _digest(one)
        if item is not None and item.digest == digest:
            counts.unchanged += 1
            continue
        if one.deleted:
            counts.deleted += 1
        elif one.parsed is not None and one.parsed.record is None:
            counts.refused += 1
        elif item is None:
            counts.new += 1
        else:
            counts.changed += 1
        if item is None:
            fresh.append(_filled(InboxItem(id=new_id(), source=source, key=key), one, digest))
        else:
            _filled(item, one, digest).save()
    InboxItem.objects.bulk_create(fresh)
    look_for_duplicates([item for item in (*fresh, *known.values()) if item.state == InboxItem.State.NEW])
    return counts


def look_for_duplicates(items: Iterable[InboxItem]) -> None:
    """Note of each which resource it may be: by an identifier of both, else by a title that is much alike."""
    for item in items:
        record = record_of(item)
        if record is None:
            continue
        found, by = _by_identifier(record)
        if found is None:
            found, by = _by_title(record)
        if (item.likely_id, item.likely_by) != (found, by):
            item.likely_id, item.likely_by = found, by
            item.save(update_fields=["likely", "likely_by"])


@transaction.atomic
def accept(item_id: str, actor: str, *, draft: bool = True) -> Resource:
    """Make a resource of an item, or bring the one that was made of it to what it is now. Raises NotFound,
    InvalidInput."""
    item, record = _decidable(item_id)
    record.origin = f"{item.source_id}:{item.key}"[:200]
    if item.resource_id:
        record.id = item.resource_id
    store = ResourceStore(item.source, draft)
    record.id = record.id or new_id()
    store.write([record])
    item.state, item.fresh, item.resource_id = InboxItem.State.ACCEPTED, False, record.id
    item.save(update_fields=["state", "fresh", "resource"])
    audit.record("inbox-accepted", actor=actor, target=f"{item.pk} {record.id}")
    return Resource.objects.get(pk=record.id)


@transaction.atomic
def merge(item_id: str, resource_id: str, actor: str) -> Resource:
    """Give a resource what an item knows and it lacks; nothing that is there changes. Raises NotFound,
    InvalidInput."""
    item, record = _decidable(item_id)
    resource = Resource.objects.filter(pk=resource_id).first()
    if resource is None:
        raise NotFound(f"There is no resource {resource_id}.", "Choose one that is there.")
    ResourceStore(item.source, draft=True).fill(resource, record)
    item.state, item.fresh, item.resource = InboxItem.State.MERGED, False, resource
    item.save(update_fields=["state", "fresh", "resource"])
    audit.record("inbox-merged", actor=actor, target=f"{item.pk} {resource.pk}")
    return resource


@transaction.atomic
def reject(item_id: str, actor: str) -> None:
    """Do not take an item, now or when it comes again. Raises NotFound."""
    item = _found(item_id)
    item.state, item.fresh = InboxItem.State.REJECTED, False
    item.save(update_fields=["state", "fresh"])
    audit.record("inbox-rejected", actor=actor, target=item.pk)


def record_of(item: InboxItem) -> ResourceRecord | None:
    """The typed record of an item; None where it has none."""
    return ResourceRecord(**item.record) if item.record else None


def _decidable(item_id: str) -> tuple[InboxItem, ResourceRecord]:
    item = _found(item_id)
    record = record_of(item)
    if record is None or item.deleted:
        raise InvalidInput(
            f"“{item}” cannot be taken: {item.refused or 'its source has deleted it'}.", "Reject it, or leave it."
        )
    return item, record


def _found(item_id: str) -> InboxItem:
    item = InboxItem.objects.select_for_update().filter(pk=item_id).first()
    if item is None:
        raise NotFound(f"There is nothing with the id {item_id} in the inbox.", "hubshelf-hub inbox list")
    return item


def _filled(item: InboxItem, one: Offered, digest: str) -> InboxItem:
    record = one.parsed.record if one.parsed is not None else None
    item.digest, item.changed, item.deleted = digest, timezone.now(), one.deleted
    item.fresh = item.state in _DECIDED
    if one.deleted:
        if item.state == InboxItem.State.NEW:
            item.state = InboxItem.State.GONE
        return item  # what it was stays to be seen
    if item.state == InboxItem.State.GONE:
        item.state = InboxItem.State.NEW
    item.raw = one.raw
    item.refused = "; ".join(one.parsed.refusals)[:500] if one.parsed is not None else ""
    if isinstance(record, ResourceRecord):
        body: dict[str, Any] = json.loads(json.dumps(asdict(record), default=str))
        item.record, item.title, item.year, item.lang = body, record.title, record.year, record.lang
    else:
        item.record = {}
    return item


def _digest(one: Offered) -> str:
    record = one.parsed.record if one.parsed is not None else None
    if isinstance(record, ResourceRecord):
        return record.digest()
    said = "deleted" if one.deleted else "; ".join(one.parsed.refusals if one.parsed else ())
    return hashlib.sha256(said.encode()).hexdigest()


def _by_identifier(record: ResourceRecord) -> tuple[str | None, str]:
    for scheme, value in stored_identifiers(record):
        rows = ResourceIdentifier.objects.filter(scheme=scheme, value=value).select_related("resource")[:20]
        for row in rows:
            if scheme in STRONG_SCHEMES or same_work(row.resource.title, record.title):
                return row.resource_id, scheme
    return None, ""


def _by_title(record: ResourceRecord) -> tuple[str | None, str]:
    """The resource whose title is most alike, of the same year or one beside it, and by one of the same people
    where both name any."""
    words = sorted(set(fold(record.title).split()), key=len, reverse=True)[:1]
    if not words or len(words[0]) < 4:
        return None, ""
    near = Resource.objects.filter(title__icontains=words[0]).only("id", "title", "year", "authors")[:_LOOKED_AT]
    best, score = None, _ALIKE
    for row in near:
        if record.year and row.year and abs(record.year - row.year) > 1:
            continue
        if record.authors and row.authors and not _share_a_name(record.authors, row.authors):
            continue
        alike = fuzz.token_sort_ratio(fold(record.title), fold(row.title))
        if alike > score or (alike == score and best is None):
            best, score = row.id, alike
    return best, f"title {score:.0f}" if best else ""


def _share_a_name(one: Sequence[str], other: Sequence[str]) -> bool:
    families = [{max(fold(name).split(), key=len, default="") for name in names} - {""} for names in (one, other)]
    return bool(families[0] & families[1])
