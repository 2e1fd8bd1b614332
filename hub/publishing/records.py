"""What is public, as wire records with the stream of each (docs/protocol.md, "Records")."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Prefetch, QuerySet

from hub.models import (
    Edition,
    Event,
    ExpertProfile,
    Message,
    Organisation,
    PublicState,
    Resource,
    ResourceTheme,
    Summary,
    SummaryCitation,
    Theme,
    Thread,
)
from hub.times import to_wire
from sync.protocol.catalogue import stream_name

_INTERNAL_SCHEMES = frozenset({"url", "key"})
_CHUNK = 1000
OTHER_THEME = "other"


class PublicRecord(NamedTuple):
    """A wire record and the name of its stream."""

    stream: str
    body: dict[str, Any]


def public_records() -> Iterator[PublicRecord]:
    """Yield every record that readers may have, each exactly once, a chunk of rows in memory at a time."""
    yield from _themes()
    yield from _resources()
    yield from _texts()
    yield from _talk()
    yield from _people()


def utc(moment: datetime | None) -> str | None:
    """Return a moment as the wire writes it, None for none."""
    return to_wire(moment) if moment else None


def _themes() -> Iterator[PublicRecord]:
    for theme in Theme.objects.filter(state=PublicState.PUBLISHED).iterator(_CHUNK):
        yield PublicRecord(
            stream_name("vocab"),
            _record(
                id=theme.id,
                type="theme",
                labels=theme.labels,
                scheme=theme.scheme,
                broader=theme.broader_id,
                order=theme.position,
            ),
        )


def _published_resources() -> QuerySet[Resource]:
    links = ResourceTheme.objects.order_by("position")
    return Resource.objects.filter(state=PublicState.PUBLISHED).prefetch_related(
        Prefetch("resourcetheme_set", queryset=links)
    )


def _resources() -> Iterator[PublicRecord]:
    # Only the size of an edition is needed here; its text is read where its own record is made.
    queryset = _published_resources().prefetch_related(
        "identifiers", "translations", "files", "collections", "editions"
    )
    for resource in queryset.order_by("id").iterator(_CHUNK):
        yield PublicRecord(stream_name("cards", resource.lang), card(resource))


def card(resource: Resource) -> dict[str, Any]:
    """Return the catalogue entry of a resource: everything but its texts."""
    return _record(
        id=resource.id,
        type="resource",
        title=resource.title,
        summary=resource.summary,
        authors=resource.authors,
        publisher=resource.publisher,
        year=resource.year,
        lang=resource.lang,
        countries=resource.countries,
        themes=resource.theme_slugs(),
        subjects=resource.subjects,
        policy_cycle=resource.policy_cycle,
        resource_type=resource.resource_type,
        licence=resource.licence,
        redistributable=resource.redistributable,
        url=resource.url,
        identifiers={
            item.scheme: item.value for item in resource.identifiers.all() if item.scheme not in _INTERNAL_SCHEMES
        },
        collections=sorted(item.name for item in resource.collections.all()),
        translations=[
            {"lang": item.lang, "title": item.title, "summary": item.summary, "machine": item.machine}
            for item in resource.translations.all()
        ],
        files=[
            {"hash": item.hash, "size": item.size, "media_type": item.media_type, "name": item.name}
            for item in resource.files.all()
        ],
        editions=[
            {"id": item.id, "lang": item.lang, "format": item.format, "size": len(item.body.encode())}
            for item in resource.editions.all()
        ],
        bibliographic=resource.bibliographic,
        extra=resource.extra,
        sample=resource.sample,
        updated=utc(resource.updated),
    )


def _texts() -> Iterator[PublicRecord]:
    editions = (
        Edition.objects.filter(resource__state=PublicState.PUBLISHED)
        .select_related("resource")
        .prefetch_related(
            Prefetch("resource__resourcetheme_set", queryset=ResourceTheme.objects.order_by("position"))
        )
    )
    for edition in editions.order_by("id").iterator(_CHUNK):
        themes = edition.resource.theme_slugs()
        yield PublicRecord(
            stream_name("texts", edition.lang, themes[0] if themes else OTHER_THEME),
            _record(
                id=edition.id,
                type="text",
                resource=edition.resource_id,
                lang=edition.lang,
                format=edition.format,
                body=edition.body,
                updated=utc(edition.updated),
            ),
        )


def _talk() -> Iterator[PublicRecord]:
    public = {"state": PublicState.PUBLISHED, "visibility": Thread.Visibility.PUBLIC}
    messages = Message.objects.filter(state=Message.State.PUBLISHED).only("id", "thread_id")
    threads = Thread.objects.filter(**public).prefetch_related(Prefetch("messages", queryset=messages))
    languages: dict[str, str] = {}
    for thread in threads.order_by("id").iterator(_CHUNK):
        languages[thread.id] = thread.lang
        yield PublicRecord(
            stream_name("talk", thread.lang),
            _record(
                id=thread.id,
                type="thread",
                title=thread.title,
                lang=thread.lang,
                themes=thread.themes,
                activity=thread.activity,
                resource=thread.resource_id,
                messages=len(thread.messages.all()),
                updated=utc(thread.updated),
            ),
        )
    published = Message.objects.filter(state=Message.State.PUBLISHED, thread_id__in=threads.values("id"))
    for message in published.order_by("id").iterator(_CHUNK):
        yield PublicRecord(
            stream_name("talk", languages[message.thread_id]),
            _record(
                id=message.id,
                type="message",
                thread=message.thread_id,
                author=message.author_name,
                category=message.category,
                body=message.body,
                parent=message.parent_id,
                created=utc(message.created),
                updated=utc(message.updated),
            ),
        )
    cited = SummaryCitation.objects.order_by("position")
    summaries = Summary.objects.filter(state=PublicState.PUBLISHED, thread_id__in=threads.values("id"))
    for summary in summaries.prefetch_related(Prefetch("summarycitation_set", queryset=cited)).order_by("id"):
        yield PublicRecord(
            stream_name("talk", languages[summary.thread_id]),
            _record(
                id=summary.id,
                type="summary",
                thread=summary.thread_id,
                title=summary.title,
                body=summary.body,
                cites=summary.cited_ids(),
                lang=summary.lang,
                updated=utc(summary.updated),
            ),
        )


def _people() -> Iterator[PublicRecord]:
    stream = stream_name("people")
    for organisation in Organisation.objects.filter(state=PublicState.PUBLISHED).order_by("id").iterator(_CHUNK):
        yield PublicRecord(
            stream,
            _record(
                id=organisation.id,
                type="organisation",
                name=organisation.name,
                summary=organisation.summary,
                country=organisation.country,
                url=organisation.url,
            ),
        )
    experts = ExpertProfile.objects.filter(state=PublicState.PUBLISHED).select_related("organisation")
    for expert in experts.order_by("id").iterator(_CHUNK):
        yield PublicRecord(
            stream,
            _record(
                id=expert.id,
                type="expert",
                name=expert.name,
                role=expert.role,
                organisation=expert.organisation_id,
                organisation_name=expert.organisation.name if expert.organisation else "",
                bio=expert.bio,
                themes=expert.themes,
                languages=expert.languages,
                countries=expert.countries,
                lang=expert.lang,
            ),
        )
    for event in Event.objects.filter(state=PublicState.PUBLISHED).order_by("id").iterator(_CHUNK):
        yield PublicRecord(
            stream,
            _record(
                id=event.id,
                type="event",
                title=event.title,
                summary=event.summary,
                starts=utc(event.starts),
                ends=utc(event.ends),
                place=event.place,
                online=event.online,
                url=event.url,
                lang=event.lang,
                themes=event.themes,
            ),
        )


def _record(**fields: Any) -> dict[str, Any]:
    # Empty fields are left out: they cost bytes on every shelf and say nothing.
    return {key: value for key, value in fields.items() if value not in (None, "", [], {}, False)}
