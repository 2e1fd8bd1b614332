"""What is published, as wire records with the stream of each (docs/protocol.md, "Records").

Discussions for members, with their messages and summaries, go to streams of their own (`members/…`).

Each record has an owner, the row that it was made from: a resource owns its card and its texts. Records are made
for everything, or for some owners only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Model, Prefetch, QuerySet

from hub import notices
from hub.models import (
    Concept,
    Event,
    ExpertProfile,
    Message,
    Organisation,
    PublicState,
    Resource,
    ResourceTheme,
    StoredFile,
    Summary,
    SummaryCitation,
    Theme,
    Thread,
    Vocabulary,
)
from hub.publishing.naming import stream_name
from hub.times import to_wire

RULES = 3
"""Rises whenever the same rows would give other records: the next publication then compares everything."""
OTHER_THEME = "other"
_INTERNAL_SCHEMES = frozenset({"url", "key"})
_CHUNK = 500

Owners = Mapping[str, Collection[str]]
"""Keys by kind: ``theme resource thread message summary organisation expert event vocabulary concept``."""


class PublicRecord(NamedTuple):
    """A wire record, the name of its stream, and the kind and key of its owner."""

    stream: str
    body: dict[str, Any]
    kind: str
    key: str

    @property
    def owner(self) -> str:
        return f"{self.kind}/{self.key}"


def public_records(owners: Owners | None = None) -> Iterator[PublicRecord]:
    """Yield every record that readers may have, or only those of `owners`, each exactly once.

    A chunk of rows is in memory at a time.
    """
    for kind, make in _MAKERS.items():
        if owners is None:
            yield from make(None)
        elif owners.get(kind):
            yield from make(owners[kind])


def absent(owners: Owners) -> set[str]:
    """Return those of `owners` (as ``kind/key``) whose rows are gone: erased, not merely withdrawn."""
    missing: set[str] = set()
    for kind, keys in owners.items():
        found = set(_MODELS[kind]._default_manager.filter(pk__in=keys).values_list("pk", flat=True))
        missing.update(f"{kind}/{key}" for key in keys if key not in found)
    return missing


def utc(moment: datetime | None) -> str | None:
    """Return a moment as the wire writes it, None for none."""
    return to_wire(moment) if moment else None


def _rows(queryset: QuerySet[Any], keys: Collection[str] | None) -> Iterator[Any]:
    if keys is not None:
        yield from queryset.filter(pk__in=keys).order_by("pk")
        return
    # Page by page: a cursor that stays open would keep SQLite from emptying its write-ahead log meanwhile.
    page = list(queryset.order_by("pk")[:_CHUNK])
    while page:
        yield from page
        last = page[-1].pk
        page.clear()  # before the next is fetched: one at a time
        page = list(queryset.filter(pk__gt=last).order_by("pk")[:_CHUNK])


def _themes(keys: Collection[str] | None) -> Iterator[PublicRecord]:
    for theme in _rows(Theme.objects.filter(state=PublicState.PUBLISHED), keys):
        body = _record(
            id=theme.id,
            type="theme",
            labels=theme.labels,
            scheme=theme.scheme,
            broader=theme.broader_id,
            order=theme.position,
        )
        yield PublicRecord(stream_name("vocab"), body, "theme", theme.id)


def _resources(keys: Collection[str] | None) -> Iterator[PublicRecord]:
    links = ResourceTheme.objects.order_by("position")
    queryset = Resource.objects.filter(state=PublicState.PUBLISHED).prefetch_related(
        Prefetch("resourcetheme_set", queryset=links),
        "identifiers",
        "translations",
        "files",
        "collections",
        "editions",
    )
    for resource in _rows(queryset, keys):
        yield PublicRecord(stream_name("cards", resource.lang), card(resource), "resource", resource.id)
        if notices.withdrawn(resource):
            continue  # its texts leave every shelf
        themes = resource.theme_slugs()
        theme = themes[0] if themes else OTHER_THEME
        for edition in resource.editions.all():
            body = _record(
                id=edition.id,
                type="text",
                resource=edition.resource_id,
                lang=edition.lang,
                format=edition.format,
                body=edition.body,
                updated=utc(edition.updated),
            )
            yield PublicRecord(stream_name("texts", edition.lang, theme), body, "resource", resource.id)


def card(resource: Resource) -> dict[str, Any]:
    """Return the catalogue entry of a resource: everything but its texts.

    Of a withdrawn one, what is needed to recognise and cite it.
    """
    if notices.withdrawn(resource):
        return {key: value for key, value in _card(resource).items() if key in _CITED}
    return _card(resource)


_CITED = frozenset({
    "id", "type", "title", "authors", "publisher", "year", "lang", "themes", "resource_type", "identifiers",
    "bibliographic", "notice", "sample", "updated",
})  # fmt: skip


def _card(resource: Resource) -> dict[str, Any]:
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
        files=[_file(item) for item in resource.files.all()],
        editions=[
            {"id": item.id, "lang": item.lang, "format": item.format, "size": len(item.body.encode())}
            for item in resource.editions.all()
        ],
        bibliographic=resource.bibliographic,
        extra=resource.extra,
        notice=notices.wire(resource),
        sample=resource.sample,
        updated=utc(resource.updated),
    )


def _file(stored: StoredFile) -> dict[str, Any]:
    entry = {"hash": stored.hash, "size": stored.size, "media_type": stored.media_type, "name": stored.name}
    return {**entry, "replaces": stored.replaces} if stored.replaces else entry


def _threads(keys: Collection[str] | None) -> Iterator[PublicRecord]:
    published = Thread.objects.filter(state=PublicState.PUBLISHED)
    messages = Message.objects.filter(state=Message.State.PUBLISHED).only("id", "thread_id")
    for thread in _rows(published.prefetch_related(Prefetch("messages", queryset=messages)), keys):
        body = _record(
            id=thread.id,
            type="thread",
            title=thread.title,
            lang=thread.lang,
            themes=thread.themes,
            activity=thread.activity,
            resource=thread.resource_id,
            messages=len(thread.messages.all()),
            updated=utc(thread.updated),
            visibility="" if thread.visibility == Thread.Visibility.PUBLIC else thread.visibility,
        )
        yield PublicRecord(_talk(thread), body, "thread", thread.id)


def _talk(thread: Thread) -> str:
    """The stream of a thread and of all that belongs to it: for members, unless it is known to be public."""
    return stream_name("talk", thread.lang, members=thread.visibility != Thread.Visibility.PUBLIC)


def _messages(keys: Collection[str] | None) -> Iterator[PublicRecord]:
    published = Message.objects.filter(state=Message.State.PUBLISHED, thread__state=PublicState.PUBLISHED)
    for message in _rows(published.select_related("thread"), keys):
        body = _record(
            id=message.id,
            type="message",
            thread=message.thread_id,
            author=message.author_name,
            category=message.category,
            body=message.body,
            parent=message.parent_id,
            created=utc(message.created),
            updated=utc(message.updated),
        )
        yield PublicRecord(_talk(message.thread), body, "message", message.id)


def _summaries(keys: Collection[str] | None) -> Iterator[PublicRecord]:
    cited = SummaryCitation.objects.order_by("position")
    published = Summary.objects.filter(
        state=PublicState.PUBLISHED,
        thread__state=PublicState.PUBLISHED,
    ).prefetch_related(Prefetch("summarycitation_set", queryset=cited))
    for summary in _rows(published.select_related("thread"), keys):
        body = _record(
            id=summary.id,
            type="summary",
            thread=summary.thread_id,
            title=summary.title,
            body=summary.body,
            cites=summary.cited_ids(),
            lang=summary.lang,
            updated=utc(summary.updated),
        )
        yield PublicRecord(_talk(summary.thread), body, "summary", summary.id)


def _organisations(keys: Collection[str] | None) -> Iterator[PublicRecord]:
    for organisation in _rows(Organisation.objects.filter(state=PublicState.PUBLISHED), keys):
        body = _record(
            id=organisation.id,
            type="organisation",
            name=organisation.name,
            summary=organisation.summary,
            country=organisation.country,
            url=organisation.url,
        )
        yield PublicRecord(stream_name("people"), body, "organisation", organisation.id)


def _experts(keys: Collection[str] | None) -> Iterator[PublicRecord]:
    published = ExpertProfile.objects.filter(state=PublicState.PUBLISHED).select_related("organisation")
    for expert in _rows(published, keys):
        body = _record(
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
        )
        yield PublicRecord(stream_name("people"), body, "expert", expert.id)


def _events(keys: Collection[str] | None) -> Iterator[PublicRecord]:
    for event in _rows(Event.objects.filter(state=PublicState.PUBLISHED), keys):
        body = _record(
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
        )
        yield PublicRecord(stream_name("people"), body, "event", event.id)


def _vocabularies(keys: Collection[str] | None) -> Iterator[PublicRecord]:
    for vocabulary in _rows(Vocabulary.objects.all(), keys):
        body = _record(
            id=vocabulary.id,
            type="vocabulary",
            labels=vocabulary.titles,
            url=vocabulary.uri,
            licence=vocabulary.rights,
        )
        yield PublicRecord(stream_name("vocabularies"), body, "vocabulary", vocabulary.id)


def _concepts(keys: Collection[str] | None) -> Iterator[PublicRecord]:
    for concept in _rows(Concept.objects.select_related("vocabulary"), keys):
        served = frozenset(concept.vocabulary.languages.split())
        labels = {
            lang: names for lang, names in concept.labels.items() if lang.partition("-")[0].lower() in served
        }
        # One name alone leads from nowhere to nowhere.
        if sum(map(len, labels.values())) > 1:
            body = _record(id=concept.id, type="concept", labels=labels)
            yield PublicRecord(stream_name("vocabularies"), body, "concept", concept.id)


def _record(**fields: Any) -> dict[str, Any]:
    # Empty fields are left out: they cost bytes on every shelf and say nothing.
    return {key: value for key, value in fields.items() if value not in (None, "", [], {}, False)}


_MAKERS: dict[str, Callable[[Collection[str] | None], Iterator[PublicRecord]]] = {
    "theme": _themes,
    "resource": _resources,
    "thread": _threads,
    "message": _messages,
    "summary": _summaries,
    "organisation": _organisations,
    "expert": _experts,
    "event": _events,
    "vocabulary": _vocabularies,
    "concept": _concepts,
}
_MODELS: dict[str, type[Model]] = {
    "theme": Theme,
    "resource": Resource,
    "thread": Thread,
    "message": Message,
    "summary": Summary,
    "organisation": Organisation,
    "expert": ExpertProfile,
    "event": Event,
    "vocabulary": Vocabulary,
    "concept": Concept,
}
