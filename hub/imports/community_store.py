"""Everything but resources into the database: people, events, themes, discussions; and deletions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import models
from django.utils import timezone

from hub.ids import derived_id
from hub.models import (
    Event,
    ExpertProfile,
    Message,
    Organisation,
    PublicState,
    Resource,
    Summary,
    SummaryCitation,
    Theme,
    Thread,
)

from .records import (
    Deletion,
    EventRecord,
    ExpertRecord,
    MessageRecord,
    OrganisationRecord,
    Record,
    SummaryRecord,
    ThemeRecord,
    ThreadRecord,
)
from .resource_store import Counts, ensure_themes

_ROWS = 400
Values = dict[str, Any]


def _theme_values(record: ThemeRecord) -> Values:
    return {
        "labels": record.labels, "scheme": record.scheme, "broader_id": record.broader or None,
        "position": record.position,
    }  # fmt: skip


def _organisation_values(record: OrganisationRecord) -> Values:
    return {"name": record.name, "summary": record.summary, "country": record.country, "url": record.url}


def _expert_values(record: ExpertRecord) -> Values:
    return {
        "name": record.name, "role": record.role, "organisation_id": record.organisation or None,
        "bio": record.bio, "themes": record.themes, "languages": record.languages,
        "countries": record.countries, "lang": record.lang,
    }  # fmt: skip


def _event_values(record: EventRecord) -> Values:
    return {
        "title": record.title, "summary": record.summary, "starts": record.starts, "ends": record.ends,
        "place": record.place, "online": record.online, "url": record.url, "lang": record.lang,
        "themes": record.themes,
    }  # fmt: skip


def _thread_values(record: ThreadRecord) -> Values:
    return {
        "title": record.title, "lang": record.lang, "themes": record.themes, "activity": record.activity,
        "resource_id": record.resource or None,
        "created": record.created or record.updated or timezone.now(),
    }  # fmt: skip


def _message_values(record: MessageRecord) -> Values:
    return {
        "thread_id": record.thread, "author_name": record.author, "category": record.category,
        "lang": record.lang, "body": record.body, "parent_id": record.parent or None,
        "message_id": record.message_id, "created": record.created or record.updated or timezone.now(),
    }  # fmt: skip


def _summary_values(record: SummaryRecord) -> Values:
    return {"thread_id": record.thread, "title": record.title, "body": record.body, "lang": record.lang}


_VALUES: dict[type[Record], tuple[type[models.Model], Callable[[Any], Values]]] = {
    ThemeRecord: (Theme, _theme_values),
    OrganisationRecord: (Organisation, _organisation_values),
    ExpertRecord: (ExpertProfile, _expert_values),
    EventRecord: (Event, _event_values),
    ThreadRecord: (Thread, _thread_values),
    MessageRecord: (Message, _message_values),
    SummaryRecord: (Summary, _summary_values),
}
# What each kind leans on: (attribute, model, whether it can do without).
REFERENCES: dict[type[Record], tuple[tuple[str, type[models.Model], bool], ...]] = {
    ThemeRecord: (("broader", Theme, True),),
    ExpertRecord: (("organisation", Organisation, True),),
    ThreadRecord: (("resource", Resource, True),),
    MessageRecord: (("thread", Thread, False), ("parent", Message, True)),
    SummaryRecord: (("thread", Thread, False),),
}
# Those before lean on nothing of those behind.
ORDER: tuple[type[Record], ...] = (
    OrganisationRecord, ExpertRecord, EventRecord, ThreadRecord, MessageRecord, SummaryRecord,
)  # fmt: skip
_DELETABLE: tuple[type[models.Model], ...] = (
    Resource, Thread, Message, Summary, ExpertProfile, Organisation, Event, Theme,
)  # fmt: skip


def write(kind: type[Record], records: Sequence[Record], draft: bool) -> Counts:
    """Store records of one kind inside the caller's transaction; each has an id, references hold."""
    model, values_of = _VALUES[kind]
    stored = model._default_manager.in_bulk([record.id for record in records])
    counts = Counts()
    changed: list[models.Model] = []
    written: list[Record] = []
    fields: set[str] = set()
    for record in records:
        row: Any = stored.get(record.id)
        digest = record.digest()
        if row is not None and row.digest == digest:
            counts.unchanged += 1
            continue
        if row is None:
            counts.created += 1
            row = model(pk=record.id)
            row.state = "draft" if draft and kind is not MessageRecord else "published"
        else:
            counts.updated += 1
            if row.state in ("withdrawn", "removed") and not row.digest:
                row.state = "published"
        values = values_of(record)
        if row.digest and not getattr(record, "created", True):
            values.pop("created", None)
        for name, value in values.items():
            setattr(row, name, value)
        fields.update(values)
        row.updated = record.updated or timezone.now()
        row.digest = digest
        changed.append(row)
        written.append(record)
    if changed:
        model._default_manager.bulk_create(
            changed,
            batch_size=_ROWS,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[*_field_names(model, fields), "state", "updated", "digest"],
        )
    _write_dependents(kind, written)
    return counts


def _field_names(model: type[models.Model], attributes: Iterable[str]) -> list[str]:
    names = {field.attname: field.name for field in model._meta.concrete_fields}
    return sorted(names[attribute] for attribute in attributes)


def _write_dependents(kind: type[Record], written: Sequence[Record]) -> None:
    if kind is SummaryRecord:
        _write_citations([record for record in written if isinstance(record, SummaryRecord)])
    elif kind is ThreadRecord:
        threads = [record for record in written if isinstance(record, ThreadRecord)]
        ensure_themes({slug for record in threads for slug in record.themes})
        summaries: list[Record] = [_summary_of(record) for record in threads if record.summary]
        write(SummaryRecord, summaries, draft=False)


def _summary_of(thread: ThreadRecord) -> SummaryRecord:
    """The summary that a thread carries along; its id is made from the thread's, so it is met again."""
    return SummaryRecord(
        id=derived_id("summary", thread.id),
        updated=thread.updated,
        thread=thread.id,
        title=thread.title,
        body=thread.summary,
        lang=thread.lang,
    )


def _write_citations(summaries: Sequence[SummaryRecord]) -> None:
    SummaryCitation.objects.filter(summary_id__in=[summary.id for summary in summaries]).delete()
    cited = {cite for summary in summaries for cite in summary.cites}
    known = set(Message.objects.filter(id__in=cited).values_list("id", flat=True))
    SummaryCitation.objects.bulk_create(
        [
            SummaryCitation(summary_id=summary.id, message_id=cite, position=number)
            for summary in summaries
            for number, cite in enumerate(summary.cites, 1)
            if cite in known
        ],
        batch_size=_ROWS,
    )


def unmet(records: Sequence[Record]) -> dict[int, list[tuple[str, bool]]]:
    """Which of the records, by position, name something that is not stored: (attribute, can do without)."""
    wanted: dict[type[models.Model], set[str]] = {}
    for record in records:
        for attribute, model, _optional in REFERENCES.get(type(record), ()):
            value = getattr(record, attribute)
            if value:
                wanted.setdefault(model, set()).add(value)
    known: dict[type[models.Model], set[str]] = {
        model: set(model._default_manager.filter(pk__in=ids).values_list("pk", flat=True))
        for model, ids in wanted.items()
    }
    missing: dict[int, list[tuple[str, bool]]] = {}
    for position, record in enumerate(records):
        for attribute, model, optional in REFERENCES.get(type(record), ()):
            value = getattr(record, attribute)
            if value and value not in known[model]:
                missing.setdefault(position, []).append((attribute, optional))
    return missing


def awaits_messages(record: Record, known: Callable[[set[str]], set[str]]) -> bool:
    """Whether a summary cites a message that is not stored (yet)."""
    if not isinstance(record, SummaryRecord):
        return False
    cites = {cite for cite in record.cites if cite}
    return bool(cites - known(cites)) if cites else False


def known_messages(ids: set[str]) -> set[str]:
    return set(Message.objects.filter(id__in=ids).values_list("id", flat=True))


def delete(deletions: Sequence[Deletion]) -> Counts:
    """Withdraw whatever has these ids. An empty digest lets a later import bring it back."""
    counts = Counts()
    ids = [deletion.id for deletion in deletions]
    gone: set[str] = set()
    for model in _DELETABLE:
        end = Message.State.REMOVED if model is Message else PublicState.WITHDRAWN
        rows = model._default_manager.filter(pk__in=ids).exclude(state=end)
        gone.update(rows.values_list("pk", flat=True))
        model._default_manager.filter(pk__in=ids).update(state=end, digest="", updated=timezone.now())
    counts.deleted = len(gone)
    counts.unchanged = len(ids) - len(gone)
    return counts


def by_kind(records: Iterable[Record]) -> Mapping[type[Record], list[Record]]:
    """Records sorted into lists by their class."""
    kinds: dict[type[Record], list[Record]] = {}
    for record in records:
        kinds.setdefault(type(record), []).append(record)
    return kinds
